/** How the scripts of a suite are read, by the name of the preset that they are for. */
import { PRESETS } from "../host/presets.ts";
import type { TcpSettings } from "../tcp/settings.ts";
import type { IpVersion } from "./script-settings.ts";

export interface Dialect {
  readonly tcp: Partial<TcpSettings>;
  /** What `#ifdef` takes as defined. */
  readonly platform: string;
  /** IP versions over which a script runs that names none. */
  readonly versions: readonly IpVersion[];
  /** Numbers and habits of FreeBSD's socket calls. */
  readonly freebsd: boolean;
  /** The suite sees bursts as segmentation offload shows them, so PSH on data says nothing. */
  readonly ignorePush: boolean;
  /** Fast Open cookies that the suite's runner defines: made from the addresses and these keys. */
  readonly fastOpenCookies: Readonly<Record<string, string>>;
}

const NO_COOKIES = {};
const ALL_VERSIONS: readonly IpVersion[] = ["ipv4", "ipv4-mapped-ipv6", "ipv6"];

export const DIALECTS: Readonly<Record<string, Dialect>> = {
  default: {
    tcp: PRESETS.default!.tcp,
    platform: "STANDARD",
    versions: ALL_VERSIONS,
    freebsd: false,
    ignorePush: false,
    fastOpenCookies: NO_COOKIES,
  },
  linux: {
    tcp: PRESETS.linux!.tcp,
    platform: "Linux",
    versions: ALL_VERSIONS,
    freebsd: false,
    ignorePush: true,
    fastOpenCookies: {
      TFO_COOKIE: "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4",
      TFO_COOKIE_ZERO: "00000000-00000000-00000000-00000000",
    },
  },
  freebsd: {
    tcp: PRESETS.freebsd!.tcp,
    platform: "FreeBSD",
    // Its IPv6 scripts say so.
    versions: ["ipv4"],
    freebsd: true,
    ignorePush: false,
    fastOpenCookies: NO_COOKIES,
  },
};
