/** How a script is run: what the caller asks for and what the script's own options say. */
import { type IpAddress, tryParseAddress } from "../base/address.ts";
import type { TcpSettings } from "../tcp/settings.ts";
import type { Script, ScriptOption } from "./ast.ts";
import { DEFAULT_ADDRESSES } from "./bench.ts";
import { Failure, Skip } from "./outcome.ts";

export type IpVersion = "ipv4" | "ipv4-mapped-ipv6" | "ipv6";

/** What the caller asks for, the same for all scripts. */
export interface RunOptions {
  readonly tcp: Partial<TcpSettings>;
  /** The suite speaks FreeBSD: numbers of its calls, `#ifdef FreeBSD`. */
  readonly freebsd: boolean;
  /** PSH on data is not compared: the suite sees what offload shows. */
  readonly ignorePush: boolean;
  /** Packets that nobody expected fail the script at its end. */
  readonly strict: boolean;
  readonly strictSegments: boolean;
  /** Instead of the script's own tolerance, when it names none. */
  readonly toleranceUs?: number;
}

export interface ScriptSettings extends RunOptions {
  readonly version: IpVersion;
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  readonly bindPort: number;
  readonly connectPort: number;
  readonly mtu: number;
  readonly toleranceUs: number;
  readonly timestampTickUs: number;
}

const DEFAULT_TOLERANCE_US = 4000;
const DEFAULT_PORT = 8080;

/** Options that only matter to packetdrill's own machinery. */
const IGNORED = new Set([
  "define",
  "gateway_ip",
  "netmask_ip",
  "live_gateway_ip",
  "non_fatal",
  "speed",
  "verbose",
  "debug",
  "init_scripts",
  "code_command",
  "code_format",
  "code_sockopt",
  "persistent_tun_dev",
  "tun_dev",
  "send_omit_free",
  "dry_run",
  "wire_client_dev",
  "no_cleanup",
  "is_anyip",
  // How the test device cuts what it hands in; here a long segment comes in as one.
  "mss",
  "tcp_ts_ecr_scaled",
  "netdev",
]);

/** The IP version a script names; undefined: any. */
export function versionOf(script: Script): IpVersion | undefined {
  const option = script.options.find(({ name }) => name === "ip_version");
  if (option === undefined) return addressedVersion(script);
  const value = option.value.replaceAll("_", "-");
  if (value === "ipv4" || value === "ipv6" || value === "ipv4-mapped-ipv6") return value;
  throw new Failure(option.position, `unknown IP version '${option.value}'`);
}

/** The version of the addresses that a script names. */
function addressedVersion(script: Script): IpVersion | undefined {
  const option = script.options.find(({ name }) => /^(?:live_)?(?:local|remote)_ip$/.test(name));
  const parsed = option === undefined ? undefined : tryParseAddress(option.value);
  return parsed === undefined ? undefined : parsed.isIpv4 ? "ipv4" : "ipv6";
}

/** Settings for one run of a script over one IP version. Throws Failure for options that make no sense, Skip for those that cannot be had. */
export function scriptSettings(
  script: Script,
  version: IpVersion,
  options: RunOptions,
): ScriptSettings {
  const addresses = version === "ipv6" ? DEFAULT_ADDRESSES.ipv6 : DEFAULT_ADDRESSES.ipv4;
  const settings = {
    ...options,
    version,
    localAddress: addresses.local as IpAddress,
    remoteAddress: addresses.remote as IpAddress,
    bindPort: DEFAULT_PORT,
    connectPort: DEFAULT_PORT,
    // Suites that leave the version open run IPv6 over 1520 bytes, so that the MSS stays 1460.
    mtu: version === "ipv6" && versionOf(script) === undefined ? 1520 : 1500,
    toleranceUs: options.toleranceUs ?? DEFAULT_TOLERANCE_US,
    timestampTickUs: 0,
    strict: options.strict,
    strictSegments: options.strictSegments,
  };
  for (const option of script.options) {
    const { name, value } = option;
    switch (name) {
      case "ip_version":
        break;
      case "tolerance_usecs":
        settings.toleranceUs = number(option);
        break;
      case "tcp_ts_tick_usecs":
        settings.timestampTickUs = number(option);
        break;
      case "mtu":
        settings.mtu = number(option);
        break;
      case "bind_port":
        settings.bindPort = number(option);
        break;
      case "connect_port":
        settings.connectPort = number(option);
        break;
      case "local_ip":
      case "live_local_ip":
        settings.localAddress = address(option, version);
        break;
      case "remote_ip":
      case "live_remote_ip":
        settings.remoteAddress = address(option, version);
        break;
      case "strict":
        settings.strict = value !== "0";
        break;
      case "strict_segments":
        settings.strictSegments = value !== "0";
        break;
      default:
        if (name.startsWith("wire_") || name === "so_filename" || name.startsWith("udp_encaps")) {
          throw new Skip(`the option --${name} has no counterpart here`);
        }
        if (name === "tcp_md5_secret") throw new Skip("TCP MD5 signatures (RFC 2385, obsoleted)");
        if (!IGNORED.has(name)) throw new Failure(option.position, `unknown option --${name}`);
    }
  }
  return settings;
}

function number(option: ScriptOption): number {
  const value = Number(option.value);
  if (option.value === "" || !Number.isInteger(value) || value < 0) {
    throw new Failure(option.position, `--${option.name} needs a number, not '${option.value}'`);
  }
  return value;
}

function address(option: ScriptOption, version: IpVersion): IpAddress {
  const parsed = tryParseAddress(option.value);
  if (parsed === undefined || parsed.isIpv4 !== (version !== "ipv6")) {
    throw new Failure(option.position, `'${option.value}' is no address for ${version}`);
  }
  return parsed;
}

/** A version as lines name it. */
export function formatIpVersion(version: IpVersion): string {
  return version === "ipv4-mapped-ipv6" ? "mapped" : version;
}
