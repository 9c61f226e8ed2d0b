/**
 * The stack under measurement: the built package, by the names its users
 * import. FULLDUPLEX_DIST names another build, so that two can be measured in
 * turns (`--dist DIR`).
 */
import { pathToFileURL } from "node:url";
import type * as Fullduplex from "../../src/index.ts";

export type { Cable, CableOptions, Connection, Network, UdpSocket } from "../../src/index.ts";
export type { SocketHost } from "../../src/index.ts";

const root =
  process.env.FULLDUPLEX_DIST === undefined
    ? new URL("../../dist/", import.meta.url)
    : pathToFileURL(`${process.env.FULLDUPLEX_DIST}/`);

export const stack: typeof Fullduplex = await import(new URL("index.js", root).href);
