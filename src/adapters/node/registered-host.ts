import { hostname } from "node:os";
import { Network } from "../../network/network.ts";
import { realTime } from "../../network/real-time.ts";
import { SocketHost } from "../../sockets/socket-host.ts";
import { type NetworkPlan, networkPlan } from "./network-plan.ts";

/** The host that this thread's program lives on, as FULLDUPLEX_NETWORK says. */
export async function registeredHost(env: NodeJS.ProcessEnv): Promise<SocketHost> {
  return plannedHost(networkPlan(env.FULLDUPLEX_NETWORK ?? "loopback"));
}

async function plannedHost(plan: NetworkPlan): Promise<SocketHost> {
  const network = new Network({ clock: realTime() });
  const name = plan.name ?? hostname();
  const host = new SocketHost({ name, ...network.context(), clock: network });
  network.add(host, () => host.destroy());
  return host;
}
