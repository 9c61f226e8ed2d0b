import { dnsRcodeName, dnsTypeName } from "../wire/dns-constants.ts";

/** Node's codes for what a name lookup may end with. */
export type DnsErrorCode =
  | "ENOTFOUND"
  | "ENODATA"
  | "ETIMEOUT"
  | "ESERVFAIL"
  | "EREFUSED"
  | "ECONNREFUSED"
  | "EBADNAME"
  | "EBADRESP"
  | "ENONAMESERVER";

/** What a lookup rejects with: `code` as Node's dns has it, `hostname` the name that was asked for. */
export class DnsError extends Error {
  override readonly name = "DnsError";
  readonly code: DnsErrorCode;
  readonly hostname: string;

  constructor(code: DnsErrorCode, hostname: string, message: string) {
    super(`${code} ${hostname}: ${message}`);
    this.code = code;
    this.hostname = hostname;
  }
}

export function notFound(name: string): DnsError {
  return new DnsError(
    "ENOTFOUND",
    name,
    "there is no such name; check the spelling and the search list",
  );
}

export function noData(name: string, type: number): DnsError {
  return new DnsError("ENODATA", name, `the name exists but has no ${dnsTypeName(type)} record`);
}

export function timedOut(name: string): DnsError {
  return new DnsError(
    "ETIMEOUT",
    name,
    "no nameserver answered in time; check its address and the route to it",
  );
}

export function badName(name: string): DnsError {
  return new DnsError(
    "EBADNAME",
    name,
    "this is not a domain name: labels are 1 to 63 ASCII characters, 253 in all",
  );
}

/** A server answered with an error code (RFC 1035 §4.1.1). */
export function serverError(name: string, rcode: number): DnsError {
  const refused = rcode === 5;
  return new DnsError(
    refused ? "EREFUSED" : "ESERVFAIL",
    name,
    refused
      ? "the nameservers refuse to answer; use others"
      : `the nameservers could not answer (${dnsRcodeName(rcode)}); try again later or use others`,
  );
}
