import { DEFAULT_TCP_SETTINGS, type TcpSettings } from "../tcp/settings.ts";
import { IP_DEFAULTS, type IpSettings } from "../ip/settings.ts";

/**
 * Everything about a host that can be set, flat; times in microseconds.
 * Given when the host is made; what is absent has its default.
 */
export interface HostConfig extends IpSettings {
  readonly tcp: TcpSettings;
  /** Ephemeral ports (RFC 6056): first and last. */
  readonly firstPort: number;
  readonly lastPort: number;
}

/** What may be given: any part of the settings, and any part of TCP's. */
export type HostConfigOptions = Partial<Omit<HostConfig, "tcp">> & {
  readonly tcp?: Partial<TcpSettings>;
};

export const HOST_DEFAULTS: HostConfig = {
  ...IP_DEFAULTS,
  tcp: DEFAULT_TCP_SETTINGS,
  firstPort: 32768,
  lastPort: 60999,
};

export function hostConfig(options: HostConfigOptions = {}): HostConfig {
  return {
    ...HOST_DEFAULTS,
    ...options,
    tcp: { ...DEFAULT_TCP_SETTINGS, ...options.tcp },
  };
}
