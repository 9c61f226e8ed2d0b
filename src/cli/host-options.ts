import { type Command, InvalidArgumentError } from "commander";
import { Network } from "../network/network.ts";
import { realTime } from "../network/real-time.ts";
import { hostResolver } from "../services/host-resolver.ts";
import type { SocketHost } from "../sockets/socket-host.ts";
import { Failure, sentence } from "./failure.ts";
import { buildLan, type Lan } from "./lan.ts";

/** Options of every command that needs a host on a TAP or TUN device. */
export interface HostFlags {
  readonly tap?: string;
  readonly tun?: boolean;
  readonly address: string[];
  readonly gateway: string[];
  readonly dns: string[];
  readonly mtu?: number;
  readonly mac?: string;
  readonly seed?: number;
  readonly create?: boolean;
  readonly peer: string[];
}

export const collect = (value: string, list: string[]): string[] => [...list, value];

export function integer(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0)
    throw new InvalidArgumentError("give a whole number");
  return number;
}

/** Adds the options that name the device and the host's addresses. */
export function hostOptions(command: Command): Command {
  return command
    .option("--tap <name>", "the TAP device to use (Linux)")
    .option("--tun", "it is a TUN device: packets without Ethernet")
    .option("--address <address/length>", "an address of the host, repeatable", collect, [])
    .option("--gateway <address>", "its default router, repeatable", collect, [])
    .option("--dns <address>", "a nameserver, repeatable", collect, [])
    .option("--mtu <bytes>", "largest IP packet", integer)
    .option("--mac <address>", "MAC address; random and locally administered unless given")
    .option("--seed <number>", "make random numbers reproducible", integer)
    .option("--create", "make the device, and remove it at the end")
    .option(
      "--peer <address/length>",
      "the kernel's side of a created device, repeatable",
      collect,
      [],
    );
}

export interface RunningHost {
  readonly network: Network;
  readonly host: SocketHost;
  /** The built-in LAN, when the host is its client. */
  readonly lan?: Lan;
  /** What it stands on, for people. */
  readonly where: string;
  /** Drains connections, then lets the device go. */
  close(timeoutMs?: number): Promise<void>;
}

/** A host on the TAP device named, or the client of the built-in LAN. */
export async function openHost(flags: HostFlags): Promise<RunningHost> {
  return flags.tap === undefined ? onLan(flags) : onTap(flags, flags.tap);
}

function onLan(flags: HostFlags): RunningHost {
  if (flags.address.length > 0 || flags.create || flags.tun) {
    throw new Failure("--address, --create and --tun go with --tap NAME");
  }
  const lan = buildLan(flags.seed === undefined ? {} : { seed: flags.seed });
  return {
    network: lan.network,
    host: lan.client,
    lan,
    where: "the built-in LAN (server, gateway and client are its hosts)",
    async close(timeoutMs = 2000) {
      await lan.client.close({ timeout: timeoutMs });
      lan.network.close();
    },
  };
}

async function onTap(flags: HostFlags, name: string): Promise<RunningHost> {
  if (flags.address.length === 0) {
    throw new Failure("give the host an address: --address 10.9.0.2/24");
  }
  const { openTap } = await import("../devices/tap/index.ts");
  const device = await openTap({
    name,
    tun: flags.tun ?? false,
    ...(flags.create ? { create: { peers: flags.peer } } : {}),
    ...(flags.mtu === undefined ? {} : { mtu: flags.mtu }),
  });
  try {
    const network = new Network({
      clock: realTime(),
      ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    });
    const host = network.host({ name: "host" });
    host.addInterface(device, {
      addresses: flags.address,
      gateway: flags.gateway,
      ...(flags.mac === undefined ? {} : { mac: flags.mac }),
    });
    host.resolver = hostResolver(host, { nameservers: flags.dns });
    return {
      network,
      host,
      where: `${flags.tun ? "TUN" : "TAP"} device ${device.name}`,
      async close(timeoutMs = 2000) {
        await host.close({ timeout: timeoutMs });
        network.close();
        await device.close();
      },
    };
  } catch (error) {
    await device.close();
    throw error instanceof Error ? error : new Failure(sentence(error));
  }
}
