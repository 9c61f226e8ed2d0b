/**
 * sysctl variables of Linux and FreeBSD and the settings they mean here. A variable that has no
 * counterpart skips the script, unless the value asked for is what this stack does anyway.
 */
import { FREEBSD_SYSCTLS } from "./sysctl-freebsd.ts";
import { LINUX_SYSCTLS } from "./sysctl-linux.ts";
import { type SettingsChange, skip } from "./settings-change.ts";

/** `net.ipv4.tcp_sack`, `/proc/sys/net/ipv4/tcp_sack` and `net/ipv4/tcp_sack` are the same. */
export function applySysctl(name: string, value: string): SettingsChange {
  const dotted = name.replace(/^\/proc\/sys\//, "").replaceAll("/", ".");
  const meaning = LINUX_SYSCTLS[dotted] ?? FREEBSD_SYSCTLS[dotted];
  if (meaning === undefined) return skip(`sysctl ${dotted} is not known here`);
  return meaning(value.trim()) ?? skip(`sysctl ${dotted}=${value.trim()} has no counterpart here`);
}
