import { IP_DEFAULTS, type IpSettings } from "../ip/settings.ts";

/**
 * Everything about a host that can be set, flat; times in microseconds.
 * Given when the host is made; what is absent has its default.
 */
export interface HostConfig extends IpSettings {}

export const HOST_DEFAULTS: HostConfig = { ...IP_DEFAULTS };
