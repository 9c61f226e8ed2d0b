/** What a script's commands do to the host's configuration. */
import type { TcpSettings } from "../tcp/settings.ts";

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A change to apply to the host, or to the way the script is run. */
export interface SettingsChange {
  readonly tcp?: Partial<Mutable<TcpSettings>>;
  /** MTU of the interface. */
  readonly mtu?: number;
  /** Forget path MTUs, Fast Open cookies and what else is remembered about peers. */
  readonly flush?: boolean;
  /** End all connections in TIME-WAIT (`tcpdrop -s TIME_WAIT`). */
  readonly dropTimeWait?: boolean;
  /** Why the script cannot be run: the setting or program that has no counterpart here. */
  readonly skip?: string;
}

export const NO_CHANGE: SettingsChange = {};

export function skip(reason: string): SettingsChange {
  return { skip: reason };
}

export function tcp(change: Partial<Mutable<TcpSettings>>): SettingsChange {
  return { tcp: change };
}

/** Both, the later one's fields winning. */
export function join(first: SettingsChange, second: SettingsChange): SettingsChange {
  return {
    ...first,
    ...second,
    tcp: { ...first.tcp, ...second.tcp },
    flush: first.flush === true || second.flush === true,
    dropTimeWait: first.dropTimeWait === true || second.dropTimeWait === true,
    skip: first.skip ?? second.skip,
  };
}
