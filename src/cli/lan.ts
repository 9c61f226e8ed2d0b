import { Network } from "../network/network.ts";
import { realTime } from "../network/real-time.ts";
import { hostResolver } from "../services/host-resolver.ts";
import type { SocketHost } from "../sockets/socket-host.ts";
import type { Clock } from "../base/pollable.ts";
import type { Switch } from "../devices/switch.ts";

/** The LAN that the commands run on when no TAP device is named. */
export interface Lan {
  readonly network: Network;
  readonly wire: Switch;
  readonly server: SocketHost;
  readonly client: SocketHost;
  readonly gateway: SocketHost;
}

export const SERVER_ADDRESS = "10.0.0.2";

/** Names that the hosts of the LAN know, as /etc/hosts would. */
const HOSTS = {
  gateway: ["10.0.0.1", "fd00::1"],
  server: [SERVER_ADDRESS, "fd00::2"],
  client: ["10.0.0.3", "fd00::3"],
};

export interface LanOptions {
  readonly seed?: number;
  /** Share of frames lost on the client's cable. */
  readonly loss?: number;
  readonly delayMs?: number;
  readonly clock?: Clock;
}

/** Boots a switch, a server, a client and a gateway inside the process. */
export function buildLan(options: LanOptions = {}): Lan {
  const { clock = realTime(), seed, loss, delayMs } = options;
  const network = new Network({ clock, ...(seed === undefined ? {} : { seed }) });
  const wire = network.switch();
  const host = (name: keyof typeof HOSTS, line: { loss?: number; delayMs?: number } = {}) => {
    const made = network.host({ name });
    const [v4, v6] = HOSTS[name];
    made.addInterface(wire.port(line), {
      addresses: [`${v4}/24`, `${v6}/64`],
      ...(name === "gateway" ? {} : { gateway: "10.0.0.1" }),
    });
    made.resolver = hostResolver(made, { hosts: HOSTS });
    return made;
  };
  const gateway = host("gateway");
  const server = host("server");
  const line = { ...(loss ? { loss } : {}), ...(delayMs ? { delayMs } : {}) };
  return { network, wire, server, client: host("client", line), gateway };
}
