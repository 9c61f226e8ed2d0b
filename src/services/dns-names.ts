/** Which names are tried for what was typed, and what is known without asking. */
import { IPV4_LOOPBACK, IPV6_LOOPBACK, type IpAddress, parseAddress } from "../base/address.ts";
import { foldName, isValidName } from "../wire/dns-name.ts";

/** Longest name that is still searched with a suffix. */
const MAX_NAME_TEXT = 253;

/**
 * The names to ask for, in order (resolv.conf(5)): a final dot means exactly
 * this one; with fewer dots than `ndots` the search list comes first, else last.
 */
export function candidates(name: string, search: readonly string[], ndots: number): string[] {
  if (name.endsWith(".") && name !== ".") return [name.slice(0, -1)];
  const searched = search
    .map((suffix) =>
      suffix === "" || suffix === "." ? name : `${name}.${suffix.replace(/\.$/, "")}`,
    )
    .filter((full) => full.length <= MAX_NAME_TEXT && isValidName(full));
  const dots = name.split(".").length - 1;
  const all = dots >= ndots ? [name, ...searched] : [...searched, name];
  return [...new Set(all)];
}

/** The name that a PTR record of an address has (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(address: IpAddress): string {
  const bytes = [...address.toBytes()].reverse();
  if (bytes.length === 4) return `${bytes.join(".")}.in-addr.arpa`;
  const nibbles = bytes.map((byte) => `${(byte & 15).toString(16)}.${(byte >>> 4).toString(16)}`);
  return `${nibbles.join(".")}.ip6.arpa`;
}

/** Names and their addresses that need no asking. */
export type HostsEntries = Readonly<Record<string, string | readonly string[]>>;

export class HostsTable {
  private readonly byName = new Map<string, IpAddress[]>();
  private readonly byAddress = new Map<string, string[]>();

  constructor(entries: HostsEntries = {}) {
    for (const [name, addresses] of Object.entries(entries)) {
      const list = typeof addresses === "string" ? [addresses] : addresses;
      for (const text of list) this.add(name, parseAddress(text));
    }
  }

  add(name: string, address: IpAddress): void {
    push(this.byName, foldName(name), address);
    push(this.byAddress, String(address), name);
  }

  /** Addresses of a name; undefined: ask. localhost never leaves the host (RFC 6761 §6.3). */
  addresses(name: string): readonly IpAddress[] | undefined {
    const folded = foldName(name);
    const known = this.byName.get(folded);
    if (known !== undefined) return known;
    if (folded === "localhost" || folded.endsWith(".localhost")) {
      return [IPV4_LOOPBACK, IPV6_LOOPBACK];
    }
    return undefined;
  }

  names(address: IpAddress): readonly string[] | undefined {
    return this.byAddress.get(String(address));
  }
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Reads the lines of an /etc/hosts file; lines that make no sense are left out. */
export function parseHostsFile(text: string): Record<string, string[]> {
  const entries: Record<string, string[]> = {};
  for (const line of text.split("\n")) {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    for (const name of names) {
      const list = (entries[name] ??= []);
      if (!list.includes(address)) list.push(address);
    }
  }
  return entries;
}
