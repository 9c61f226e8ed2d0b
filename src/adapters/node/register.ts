/**
 * `node --import fullduplex/register app.js`: the program's network is a host
 * of the stack, configured by FULLDUPLEX_NETWORK. See docs/node.md.
 */
import { registeredHost } from "./registered-host.ts";
import { takeOver } from "./take-over.ts";

takeOver(await registeredHost(process.env));
