/** One question to the nameservers: which are asked, in what order, how often, over what. */
import type { IpAddress } from "../base/address.ts";
import { type RandomSource, randomBetween } from "../base/random.ts";
import { decodeDns, type DecodedDnsMessage, dnsQuery, edns } from "../wire/dns.ts";
import {
  DNS_FORMERR,
  DNS_NOERROR,
  DNS_NOTIMP,
  DNS_NXDOMAIN,
  DNS_REFUSED,
} from "../wire/dns-constants.ts";
import { encodeDns } from "../wire/dns-encode.ts";
import { sameName } from "../wire/dns-name.ts";
import { DnsError, serverError, timedOut } from "./dns-error.ts";

export const DNS_PORT = 53;
/** UDP payload we take: no fragments on any IPv6 path (DNS flag day 2020; RFC 9715 §3.2). */
export const EDNS_UDP_SIZE = 1232;

export interface Nameserver {
  readonly address: IpAddress;
  readonly port: number;
}

/** How queries reach a nameserver. Both reject when it is out of reach. */
export interface DnsTransport {
  /**
   * Sends from a fresh random port (RFC 5452 §9.2) and waits for a datagram of
   * this server that `accepts` takes; undefined when none came in time.
   */
  udp(
    server: Nameserver,
    query: Uint8Array,
    accepts: (reply: Uint8Array) => boolean,
    timeoutMs: number,
  ): Promise<Uint8Array | undefined>;
  /** One query over a connection of its own, without the length in front (RFC 7766 §8); undefined when time ran out. */
  tcp(server: Nameserver, query: Uint8Array, timeoutMs: number): Promise<Uint8Array | undefined>;
}

export interface ExchangeOptions {
  readonly servers: readonly Nameserver[];
  /** Wait for the first answer of each server, ms; doubled with each round. */
  readonly timeoutMs: number;
  /** Rounds through the servers. */
  readonly attempts: number;
  /** False: without the OPT record of EDNS, for servers that cannot read it. */
  readonly edns?: boolean;
}

export class DnsExchange {
  private readonly transport: DnsTransport;
  private readonly random: RandomSource;
  /** Servers that answered FORMERR to EDNS, by address (RFC 6891 §6.2.2). */
  private readonly withoutEdns = new Set<string>();

  constructor(transport: DnsTransport, random: RandomSource) {
    this.transport = transport;
    this.random = random;
  }

  /** The first usable response (NOERROR or NXDOMAIN). Rejects with DnsError. */
  async ask(name: string, type: number, options: ExchangeOptions): Promise<DecodedDnsMessage> {
    if (options.servers.length === 0) {
      throw new DnsError(
        "ENONAMESERVER",
        name,
        "no nameserver is configured; give the host one (dns: [...] or --dns)",
      );
    }
    let failure: DnsError | undefined;
    for (let round = 0; round < options.attempts; round++) {
      const timeoutMs = options.timeoutMs * 2 ** round;
      for (const server of options.servers) {
        const result = await this.askOne(server, name, type, timeoutMs, options.edns === false);
        if (!(result instanceof DnsError)) return result;
        // What a server said weighs more than that another one is silent.
        if (failure === undefined || failure.code === "ETIMEOUT") failure = result;
      }
    }
    throw failure!;
  }

  private async askOne(
    server: Nameserver,
    name: string,
    type: number,
    timeoutMs: number,
    isPlain: boolean,
  ): Promise<DecodedDnsMessage | DnsError> {
    const key = `${server.address} ${server.port}`;
    try {
      const plain = isPlain || this.withoutEdns.has(key);
      let reply = await this.exchange(server, name, type, timeoutMs, plain ? 0 : EDNS_UDP_SIZE);
      if (reply !== undefined && !plain && refusesEdns(reply)) {
        this.withoutEdns.add(key);
        reply = await this.exchange(server, name, type, timeoutMs, 0);
      }
      if (reply === undefined) {
        return timedOut(name);
      }
      if (reply.rcode === DNS_NOERROR || reply.rcode === DNS_NXDOMAIN) return reply;
      return serverError(name, reply.rcode);
    } catch (error) {
      if (error instanceof DnsError) return error;
      const reason = (error as Error).message;
      return new DnsError("ECONNREFUSED", name, `nameserver ${server.address}: ${reason}`);
    }
  }

  private async exchange(
    server: Nameserver,
    name: string,
    type: number,
    timeoutMs: number,
    udpSize: number,
  ): Promise<DecodedDnsMessage | undefined> {
    const id = randomBetween(this.random, 0, 0x10000);
    const query = encodeDns(dnsQuery(id, name, type, udpSize));
    const accepts = (bytes: Uint8Array) => readReply(bytes, id, name, type) !== undefined;
    const datagram = await this.transport.udp(server, query, accepts, timeoutMs);
    if (datagram === undefined) return undefined;
    const reply = readReply(datagram, id, name, type);
    if (reply === undefined || !reply.truncated) return reply;
    // RFC 7766 §5: what was cut off is asked for again over TCP, whole.
    const whole = await this.transport.tcp(server, query, timeoutMs);
    if (whole === undefined) return undefined;
    const read = readReply(whole, id, name, type);
    if (read === undefined || read.incomplete) {
      throw new DnsError("EBADRESP", name, `nameserver ${server.address} sent a malformed answer`);
    }
    return read;
  }
}

/** The response if it belongs to the query: id and question the same (RFC 5452 §9.1). */
function readReply(
  bytes: Uint8Array,
  id: number,
  name: string,
  type: number,
): DecodedDnsMessage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const message = decodeDns(view, 0, bytes.length);
  if (message === undefined || !message.response || message.id !== id || message.opcode !== 0) {
    return undefined;
  }
  // Without a question only an error is believable: some servers cannot even repeat it.
  if (message.questions.length === 0) {
    return message.rcode !== DNS_NOERROR && message.rcode !== DNS_NXDOMAIN ? message : undefined;
  }
  const [question] = message.questions;
  return message.questions.length === 1 && question.type === type && sameName(question.name, name)
    ? message
    : undefined;
}

/** An old server that stumbles over OPT: an error, and no OPT of its own (RFC 6891 §6.2.2, §7). */
function refusesEdns(reply: DecodedDnsMessage): boolean {
  const { rcode } = reply;
  const suspicious = rcode === DNS_FORMERR || rcode === DNS_NOTIMP || rcode === DNS_REFUSED;
  return suspicious && edns(reply) === undefined;
}
