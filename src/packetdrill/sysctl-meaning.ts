/** The kinds of values that sysctl variables take. */
import { NO_CHANGE, type SettingsChange } from "./settings-change.ts";

/** What a value means; undefined: this value has no counterpart. */
export type SysctlMeaning = (value: string) => SettingsChange | undefined;

/** A variable without effect on what scripts see. */
export const ignored: SysctlMeaning = () => NO_CHANGE;

/** Only these values describe this stack. */
export function only(...values: string[]): SysctlMeaning {
  return (value) => (values.includes(value) ? NO_CHANGE : undefined);
}

/** An integer, decimal or hexadecimal. */
export function integer(meaning: (n: number) => SettingsChange | undefined): SysctlMeaning {
  return (value) => {
    const n = Number(value);
    return /^-?(?:0x[0-9a-fA-F]+|[0-9]+)$/.test(value) ? meaning(n) : undefined;
  };
}

/** 0 or anything else. */
export function flag(meaning: (on: boolean) => SettingsChange | undefined): SysctlMeaning {
  return integer((n) => meaning(n !== 0));
}

/** Three integers, as in tcp_rmem. */
export function triple(
  meaning: (min: number, initial: number, max: number) => SettingsChange | undefined,
): SysctlMeaning {
  return (value) => {
    const [min, initial, max] = value.split(/\s+/).map(Number);
    if (!Number.isInteger(min) || !Number.isInteger(initial) || !Number.isInteger(max)) {
      return undefined;
    }
    return meaning(min, initial, max);
  };
}
