/** DNS messages as objects. */
import type { IpAddress } from "../base/address.ts";

export interface DnsQuestion {
  name: string;
  type: number;
  class: number;
}

export interface DnsRecord {
  name: string;
  type: number;
  /** For OPT, the sender's UDP size. */
  class: number;
  /** Seconds, 0..2^32-1; for OPT, extended code, version and flags. */
  ttl: number;
  data: DnsData;
}

export type DnsData =
  | { kind: "address"; address: IpAddress }
  /** CNAME, NS, PTR. */
  | { kind: "name"; name: string }
  | { kind: "mx"; preference: number; exchange: string }
  | { kind: "srv"; priority: number; weight: number; port: number; target: string }
  | { kind: "txt"; strings: Uint8Array[] }
  | {
      kind: "soa";
      primary: string;
      mailbox: string;
      serial: number;
      refreshS: number;
      retryS: number;
      expireS: number;
      /** TTL of negative answers (RFC 2308 §4). */
      minimumS: number;
    }
  | { kind: "opt"; options: { code: number; data: Uint8Array }[] }
  /** Any other type, or one of these malformed. */
  | { kind: "raw"; bytes: Uint8Array };

export interface DnsMessage {
  id: number;
  response: boolean;
  /** 0 query */
  opcode: number;
  authoritative: boolean;
  truncated: boolean;
  recursionDesired: boolean;
  recursionAvailable: boolean;
  authenticData: boolean;
  checkingDisabled: boolean;
  /** The lower four bits; edns() has the rest. */
  rcode: number;
  questions: DnsQuestion[];
  answers: DnsRecord[];
  authorities: DnsRecord[];
  additionals: DnsRecord[];
}
