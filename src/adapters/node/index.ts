/** `fullduplex/node`: Node's network modules on a host of the stack. */
import type nodeDgram from "node:dgram";
import type nodeDns from "node:dns";
import type nodeHttp from "node:http";
import type nodeHttps from "node:https";
import type nodeNet from "node:net";
import type nodeTls from "node:tls";
import nodeDgramModule from "node:dgram";
import nodeDnsModule from "node:dns";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { hostDgram } from "./dgram.ts";
import { hostDns } from "./dns.ts";
import { hostHttp, hostHttps, hostTls } from "./http.ts";
import { withParts, hostNet } from "./net.ts";

export interface NodeModules {
  readonly net: typeof nodeNet;
  readonly dgram: typeof nodeDgram;
  readonly dns: typeof nodeDns;
  readonly http: typeof nodeHttp;
  readonly https: typeof nodeHttps;
  readonly tls: typeof nodeTls;
}

/**
 * Node's `net`, `dgram`, `dns`, `http`, `https` and `tls` on the network of a
 * host: the same classes, options, events and errors, since everything above
 * the sockets is Node's own code. Unix-domain paths and descriptors stay the
 * operating system's. Throws ERR_FULLDUPLEX_NODE_VERSION in a Node that does
 * not have what this needs.
 *
 *     const { net, http } = bindNode(host);
 *     http.createServer((request, response) => response.end("hello")).listen(80);
 */
export function bindNode(host: SocketHost): NodeModules {
  const dns = hostDns(host);
  const net = hostNet(host, dns);
  return {
    net,
    dgram: withParts(
      nodeDgramModule,
      hostDgram(() => host, dns),
    ),
    dns: withParts(nodeDnsModule, dns),
    http: hostHttp(host, net, dns),
    https: hostHttps(host, net, dns),
    tls: hostTls(host, net, dns),
  };
}
