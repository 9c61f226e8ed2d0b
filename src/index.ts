/**
 * Fullduplex: a complete TCP/IP stack. This is the public face; subpath
 * exports (`fullduplex/node`, `fullduplex/tap`, ...) hold the rest.
 */
export { AddressError, IpAddress, parseAddress } from "./base/address.ts";
export { Counters } from "./base/counters.ts";
export { SocketError } from "./base/errors.ts";
export {
  type Frame,
  FrameMemory,
  type FrameMemoryOptions,
  frameMemoryBytes,
} from "./base/frame-memory.ts";
export { createJsKernel } from "./base/js-kernel.ts";
export type { Clock, Pollable } from "./base/pollable.ts";
export { SeededRandom } from "./base/random.ts";
export { type CableOptions, Cable } from "./devices/cable.ts";
export { type PacketDeviceOptions, PacketDevice } from "./devices/packet-device.ts";
export { type SwitchOptions, Switch } from "./devices/switch.ts";
export type { HostConfig, HostConfigOptions } from "./host/config.ts";
export type { InterfaceOptions } from "./host/host.ts";
export type { Interface } from "./host/interface.ts";
export type { Device, DeviceOffload, DeviceSink } from "./link/device.ts";
export { Network, type NetworkHostOptions, type NetworkOptions } from "./network/network.ts";
export { realTime } from "./network/real-time.ts";
export { virtualTime, VirtualTime } from "./sim/virtual-time.ts";
export { Connection } from "./sockets/connection.ts";
export { Listener } from "./sockets/listener.ts";
export {
  type ConnectOptions,
  type ListenOptions,
  SocketHost,
  type UdpOptions,
} from "./sockets/socket-host.ts";
export { UdpSocket } from "./sockets/udp-socket.ts";
export {
  congestionControlNames,
  registerCongestionControl,
} from "./tcp/congestion/registry.ts";
export type { Controller, ControllerFactory } from "./tcp/congestion/controller.ts";
export type { TcpInfo } from "./tcp/info.ts";
export { DEFAULT_TCP_SETTINGS, type TcpSettings } from "./tcp/settings.ts";
export { describe } from "./wire/description.ts";
