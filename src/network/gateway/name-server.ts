import { parseAddress } from "../../base/address.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import type { UdpSocket } from "../../sockets/udp-socket.ts";
import {
  DNS_A,
  DNS_AAAA,
  DNS_IN,
  DNS_NOTIMP,
  DNS_NXDOMAIN,
  DNS_SERVFAIL,
} from "../../wire/dns-constants.ts";
import { decodeDns, dnsReply } from "../../wire/dns.ts";
import { encodeDns } from "../../wire/dns-encode.ts";
import type { DnsMessage } from "../../wire/dns-types.ts";
import { lookupKernel } from "./kernel-sockets.ts";

/** The operating system does not tell how long an answer holds. */
const TTL_S = 30;

/** The answer to a query, by the operating system's resolver: A and AAAA. */
async function answerOf(query: DnsMessage): Promise<DnsMessage> {
  const [question] = query.questions;
  if (query.opcode !== 0 || query.questions.length !== 1 || question === undefined) {
    return dnsReply(query, DNS_NOTIMP);
  }
  const { name, type } = question;
  const reply = dnsReply(query);
  reply.recursionAvailable = true;
  if (question.class !== DNS_IN || (type !== DNS_A && type !== DNS_AAAA)) return reply;
  try {
    const found = await lookupKernel(name, type === DNS_A ? 4 : 6);
    for (const text of found) {
      const address = parseAddress(text.replace(/%.*$/, ""));
      const data = { kind: "address" as const, address };
      reply.answers.push({ name, type, class: DNS_IN, ttl: TTL_S, data });
    }
    return reply;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENODATA") return reply;
    if (code !== "ENOTFOUND") return dnsReply(query, DNS_SERVFAIL);
    // getaddrinfo does not tell "no such name" from "no address of this family".
    const isThere = await lookupKernel(name, type === DNS_A ? 6 : 4).catch(() => []);
    return isThere.length > 0 ? reply : dnsReply(query, DNS_NXDOMAIN);
  }
}

/** Answers DNS queries at port 53 of a host with what the operating system's resolver knows. */
export async function serveNames(host: SocketHost, limit: number): Promise<{ close(): void }> {
  const socket = await host.udp({ port: 53, referenced: false });
  void serve(socket, limit);
  return { close: () => socket.close() };
}

async function serve(socket: UdpSocket, limit: number): Promise<void> {
  let running = 0;
  for (;;) {
    try {
      const { data, address, port } = await socket.receive();
      const query = decodeDns(new DataView(data.buffer, data.byteOffset), 0, data.length);
      if (query === undefined || query.response || running >= limit) continue;
      running++;
      answerOf(query)
        .then((reply) => socket.send(encodeDns(reply, 1232), { address, port }))
        .catch(() => {}) // the asker is gone, or the answer cannot be sent
        .finally(() => running--);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EBADF") return;
    }
  }
}
