/**
 * The stack under measurement: the built package, with the calls a user has.
 * Only this file knows where it is, so that another build can be put in its
 * place (`--dist DIR`) and two be measured in turns.
 */
import { pathToFileURL } from "node:url";
import type { SocketHost as Host } from "../../src/sockets/socket-host.ts";
import type { Network } from "../../src/network/network.ts";
import type { TcpConnection, TcpOwner } from "../../src/tcp/connection.ts";

export type { FrameMemory } from "../../src/base/frame-memory.ts";
export type { Host, Network, TcpConnection, TcpOwner };

const root =
  process.env.FULLDUPLEX_DIST === undefined
    ? new URL("../../dist/", import.meta.url)
    : pathToFileURL(`${process.env.FULLDUPLEX_DIST}/`);

const load = (path: string) => import(new URL(path, root).href);

const addressModule: typeof import("../../src/base/address.ts") = await load("base/address.js");
const networkModule: typeof import("../../src/network/network.ts") =
  await load("network/network.js");
const realTimeModule: typeof import("../../src/network/real-time.ts") =
  await load("network/real-time.js");
const virtualTimeModule: typeof import("../../src/sim/virtual-time.ts") =
  await load("sim/virtual-time.js");

export const { parseAddress } = addressModule;
export const { Network: NetworkOf } = networkModule;
export const { realTime } = realTimeModule;
export const { virtualTime } = virtualTimeModule;

export const CONNECTED = 1;
export const READABLE = 2;
export const WRITABLE = 4;
export const CLOSED = 8;
export const PEER_FIN = 32;
export const ACCEPTABLE = 64;
