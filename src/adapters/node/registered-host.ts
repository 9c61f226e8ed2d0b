import { closeSync, openSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { isMainThread, threadId } from "node:worker_threads";
import type { Switch } from "../../devices/switch.ts";
import { openGateway } from "../../network/gateway/gateway.ts";
import { publish } from "../../network/gateway/publish.ts";
import { Network } from "../../network/network.ts";
import { realTime } from "../../network/real-time.ts";
import { hostResolver } from "../../services/host-resolver.ts";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { Capture } from "../../trace/capture.ts";
import { PcapngWriter } from "../../trace/pcapng-writer.ts";
import { type LanPlan, type NetworkPlan, networkPlan, publishPlan } from "./network-plan.ts";

/** The host that this thread's program lives on, as FULLDUPLEX_NETWORK says. Throws PlanError, TapError, AddressError. */
export async function registeredHost(env: NodeJS.ProcessEnv): Promise<SocketHost> {
  const plan = networkPlan(env.FULLDUPLEX_NETWORK ?? "loopback");
  const network = new Network({
    clock: realTime(),
    ...(plan.seed !== undefined && { seed: plan.seed }),
  });
  const host = network.host({ name: plan.name ?? hostname() });
  await join(network, host, plan);
  host.resolver = hostResolver(host, {
    nameservers: plan.nameservers ?? (hasInternet(plan) ? [ROUTER] : []),
    hosts: plan.hosts ?? {},
    search: plan.search ?? [],
  });
  const { FULLDUPLEX_CAPTURE: file } = env;
  if (file) record(network, host, file);
  return host;
}

function hasInternet({ lan }: NetworkPlan): boolean {
  return lan !== undefined && lan !== true && lan.internet === true;
}

/** Gives the host its interface beside `lo`. */
async function join(network: Network, host: SocketHost, plan: NetworkPlan): Promise<void> {
  const { tap, lan, mtu, mac } = plan;
  const common = { ...(mac !== undefined && { mac }), ...(mtu !== undefined && { mtu }) };
  const gateway = plan.gateway === undefined ? {} : { gateway: plan.gateway };
  if (tap !== undefined) {
    // koffi is asked for only where it is needed.
    const { openTap } = await import("../../devices/tap/index.ts");
    const given = typeof tap === "string" ? { name: tap } : tap;
    const { create } = given;
    const device = await openTap({
      name: given.name,
      tun: given.tun ?? false,
      ...(create && { create: create === true ? {} : { peers: [...(create.peers ?? [])] } }),
      ...(mtu !== undefined && { mtu }),
    });
    host.addInterface(device, { addresses: plan.addresses ?? [], ...gateway, ...common });
    return;
  }
  const wire = network.switch(mtu === undefined ? {} : { mtu });
  if (lan === undefined) {
    // Nobody else is on it: it gives multicast an interface to be joined on.
    host.addInterface(wire.port(), { addresses: plan.addresses ?? ["10.0.0.1/24"], ...common });
    return;
  }
  const given = lan === true ? {} : lan;
  host.addInterface(wire.port(given.line ?? {}), {
    addresses: plan.addresses ?? ["10.0.0.3/24", "fd00::3/64"],
    ...(given.internet ? { gateway: ROUTER } : gateway),
    ...common,
  });
  if (given.internet) await openInternet(network, wire, given);
  for (const text of given.publish ?? []) await publishPort(host, text);
}

const ROUTER = "10.0.0.1";

/** A second host on the LAN, through which the real network is reached. */
async function openInternet(network: Network, wire: Switch, plan: LanPlan): Promise<void> {
  const router = network.host({ name: "gateway" });
  const { machine } = plan;
  router.addInterface(wire.port(), {
    addresses: [`${ROUTER}/24`, ...(machine === undefined ? [] : [`${machine}/24`])],
    acceptAnyDestination: true,
  });
  await openGateway(router, { ...(machine !== undefined && { machine }) });
}

async function publishPort(host: SocketHost, text: string): Promise<void> {
  const { bind, port, to } = publishPlan(text);
  const own = host.interfaces.flatMap((iface) => iface.addresses);
  const address = own.find((entry) => entry.address.isIpv4 && !entry.address.isLoopback);
  const name = (address ?? own[0]!).address.toString();
  const published = await publish(host, { bind, port, to: { host: name, port: to } });
  // How long the process lives is the program's affair.
  published.unref();
}

/** FULLDUPLEX_CAPTURE: all interfaces of the host, from now until the process ends. */
function record(network: Network, host: SocketHost, path: string): void {
  // Each thread has a host of its own, and a file of its own.
  const file = isMainThread ? path : path.replace(/(\.[^./]*)?$/, `.thread${threadId}$1`);
  const fd = openSync(file, "w");
  const nowUs = network.now();
  const writer = new PcapngWriter((bytes) => void writeSync(fd, bytes), {
    epochUs: Date.now() * 1000 - nowUs,
  });
  const capture = new Capture(network.memory, writer);
  for (const iface of host.interfaces) capture.interface(iface, () => network.now());
  process.on("exit", () => {
    capture.stop();
    (writer as { flush?(): void }).flush?.();
    closeSync(fd);
  });
}
