import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** What FULLDUPLEX_NETWORK says, or a JSON file that it names. */
export interface NetworkPlan {
  /** The host's name. Default: the machine's. */
  readonly name?: string;
  /** A TAP or TUN device of Linux under the host's interface. */
  readonly tap?: string | TapPlan;
  /** A switch inside this process, with the host and these others on it. */
  readonly lan?: LanPlan | true;
  /** "10.9.0.2/24", "fd00:9::2/64". Default on a LAN: 10.0.0.3/24 and fd00::3/64. */
  readonly addresses?: readonly string[];
  readonly gateway?: string | readonly string[];
  readonly mtu?: number;
  readonly mac?: string;
  readonly nameservers?: readonly string[];
  /** Names known without asking: `{ "db": ["10.0.0.5"] }`. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
  readonly search?: readonly string[];
  /** Makes every random number reproducible. */
  readonly seed?: number;
}

export interface TapPlan {
  readonly name: string;
  readonly tun?: boolean;
  /** Makes the device; `peers` are the kernel's addresses on it. */
  readonly create?: boolean | { readonly peers?: readonly string[] };
}

export interface LanPlan {
  /** What happens on the cable between the host and the switch. */
  readonly line?: { readonly loss?: number; readonly delayMs?: number };
  /**
   * A gateway to the real network at the first address (10.0.0.1): TCP, UDP
   * and names go out through it. Off unless asked for.
   */
  readonly internet?: boolean;
  /** With `internet`: an address of the LAN that stands for this machine's loopback, 127.0.0.1. */
  readonly machine?: string;
  /** Ports of the real machine that lead to the host: "8080:80", "0.0.0.0:8080:80". */
  readonly publish?: readonly string[];
}

/** Wrong configuration: the program ends with this sentence. */
export class PlanError extends Error {
  readonly code = "ERR_FULLDUPLEX_NETWORK";
}

const KEYS: ReadonlySet<string> = new Set([
  "name",
  "tap",
  "lan",
  "addresses",
  "gateway",
  "mtu",
  "mac",
  "nameservers",
  "hosts",
  "search",
  "seed",
]);

/** Reads `loopback`, `lan`, `tap:NAME,ADDRESS/LENGTH[,...]` (a bare address is the gateway), or a JSON file. Throws PlanError. */
export function networkPlan(text: string): NetworkPlan {
  const what = text.trim();
  if (what === "" || what === "loopback") return {};
  if (what === "lan") return { lan: true };
  const device = /^(tap|tun):(.*)$/.exec(what);
  if (device !== null) return devicePlan(device[1] === "tun", device[2]!);
  return filePlan(what);
}

export interface PublishPlan {
  readonly bind: string;
  readonly port: number;
  readonly to: number;
}

/** Reads "8080:80" and "0.0.0.0:8080:80": where the real machine listens, and the host's port. Throws PlanError. */
export function publishPlan(text: string): PublishPlan {
  const match = /^(?:(.+):)?(\d{1,5}):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  const to = Number(match?.[3]);
  if (match === null || port > 65_535 || to < 1 || to > 65_535) {
    throw new PlanError(`"publish": "${text}": write PORT:PORT or ADDRESS:PORT:PORT`);
  }
  return { bind: match[1]?.replace(/^\[|\]$/g, "") ?? "127.0.0.1", port, to };
}

function devicePlan(tun: boolean, text: string): NetworkPlan {
  const [name, ...rest] = text.split(",").map((part) => part.trim());
  const addresses = rest.filter((part) => part.includes("/"));
  const gateway = rest.filter((part) => part !== "" && !part.includes("/"));
  if (!name || addresses.length === 0) {
    throw new PlanError(
      `FULLDUPLEX_NETWORK=${tun ? "tun" : "tap"}:${text}: name a device and an address with its ` +
        "prefix length, as in tap:fd0,10.9.0.2/24; an address without a length is the gateway",
    );
  }
  return { tap: { name, tun }, addresses, gateway };
}

function filePlan(path: string): NetworkPlan {
  const file = resolve(path);
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    throw new PlanError(
      `FULLDUPLEX_NETWORK=${path} is neither loopback, lan, tap:NAME,ADDRESS/LENGTH nor a ` +
        `file that can be read (${(error as NodeJS.ErrnoException).code} in ${dirname(file)})`,
    );
  }
  let plan: unknown;
  try {
    plan = JSON.parse(content);
  } catch (error) {
    throw new PlanError(`${file} is not JSON: ${(error as Error).message}`);
  }
  if (plan === null || typeof plan !== "object" || Array.isArray(plan)) {
    throw new PlanError(`${file}: write an object, { "tap": "fd0", "addresses": [...] }`);
  }
  for (const key of Object.keys(plan)) {
    if (!KEYS.has(key)) {
      throw new PlanError(`${file}: "${key}" is not known; there are ${[...KEYS].join(", ")}`);
    }
  }
  const checked = plan as NetworkPlan;
  if (checked.tap !== undefined && checked.lan !== undefined) {
    throw new PlanError(`${file}: give "tap" or "lan", not both`);
  }
  if (checked.tap !== undefined && !checked.addresses?.length) {
    throw new PlanError(`${file}: a host on a TAP device needs "addresses"`);
  }
  return checked;
}
