/** Numbers of DNS (IANA) and their names. */
export const DNS_HEADER = 12;

export const DNS_A = 1;
export const DNS_NS = 2;
export const DNS_CNAME = 5;
export const DNS_SOA = 6;
export const DNS_PTR = 12;
export const DNS_MX = 15;
export const DNS_TXT = 16;
export const DNS_AAAA = 28;
export const DNS_SRV = 33;
export const DNS_OPT = 41;
export const DNS_AXFR = 252;
export const DNS_ANY = 255;

export const DNS_IN = 1;
export const DNS_CHAOS = 3;

export const DNS_NOERROR = 0;
export const DNS_FORMERR = 1;
export const DNS_SERVFAIL = 2;
export const DNS_NXDOMAIN = 3;
export const DNS_NOTIMP = 4;
export const DNS_REFUSED = 5;
export const DNS_BADVERS = 16;

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [DNS_A]: "A",
  [DNS_NS]: "NS",
  [DNS_CNAME]: "CNAME",
  [DNS_SOA]: "SOA",
  [DNS_PTR]: "PTR",
  [DNS_MX]: "MX",
  [DNS_TXT]: "TXT",
  [DNS_AAAA]: "AAAA",
  [DNS_SRV]: "SRV",
  [DNS_OPT]: "OPT",
  64: "SVCB",
  65: "HTTPS",
  [DNS_AXFR]: "AXFR",
  [DNS_ANY]: "ANY",
};

const RCODE_NAMES: Readonly<Record<number, string>> = {
  [DNS_NOERROR]: "NoError",
  [DNS_FORMERR]: "FormErr",
  [DNS_SERVFAIL]: "ServFail",
  [DNS_NXDOMAIN]: "NXDomain",
  [DNS_NOTIMP]: "NotImp",
  [DNS_REFUSED]: "Refused",
  [DNS_BADVERS]: "BadVers",
};

/** "AAAA", or "TYPE65280" (RFC 3597 §5). */
export function dnsTypeName(type: number): string {
  return TYPE_NAMES[type] ?? `TYPE${type}`;
}

/** Number of a type by its name in any case; undefined if unknown. */
export function dnsTypeNumber(name: string): number | undefined {
  const wanted = name.toUpperCase();
  for (const [number, known] of Object.entries(TYPE_NAMES)) {
    if (known === wanted) return Number(number);
  }
  const match = /^TYPE([0-9]{1,5})$/.exec(wanted);
  return match !== null && Number(match[1]) <= 0xffff ? Number(match[1]) : undefined;
}

export function dnsRcodeName(rcode: number): string {
  return RCODE_NAMES[rcode] ?? `rcode ${rcode}`;
}
