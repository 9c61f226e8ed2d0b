/** `fullduplex/gateway`: between the virtual network and the real one (Node). */
export { type Gateway, type GatewayOptions, openGateway } from "./gateway.ts";
export { GATEWAY_LIMITS, type GatewayLimits, type Permission } from "./limits.ts";
export {
  type Published,
  type PublishOptions,
  type PublishReport,
  publish,
} from "./publish.ts";
export type { TcpReport } from "./tcp-nat.ts";
