import { resolve } from "node:path";
import pc from "picocolors";
import { publish } from "../network/gateway/publish.ts";
import { Failure } from "./failure.ts";
import { canInspect, inspect } from "./inspect.ts";
import { buildLan, SERVER_ADDRESS } from "./lan.ts";
import { startService } from "./serve.ts";
import { interrupted, Status } from "./status.ts";

export interface StartFlags {
  readonly port: number;
  readonly bind: string;
  readonly dir: string;
  readonly loss?: number;
  readonly seed?: number;
  readonly quiet?: boolean;
  /** Port of the live view; true: any free one; false: none; undefined: any, where the page is built. */
  readonly inspect?: number | boolean;
}

/** How long Ctrl-C waits for open connections, milliseconds. */
const DRAIN_MS = 3000;

/** A LAN in this process, its web server reachable from this machine. */
export async function start(flags: StartFlags): Promise<void> {
  const status = new Status(flags);
  const lan = buildLan({
    ...(flags.seed === undefined ? {} : { seed: flags.seed }),
    ...(flags.loss === undefined ? {} : { loss: flags.loss }),
  });
  const folder = resolve(flags.dir);
  await startService(lan.server, { name: "http", port: 80, folder }, (line) =>
    status.say("request", line),
  );
  let shown = 0;
  const published = await publish(lan.gateway, {
    bind: flags.bind,
    port: flags.port,
    to: { host: SERVER_ADDRESS, port: 80 },
    onConnection: ({ client, bytesIn, bytesOut, error }) => {
      const text = `#${++shown} ${client} sent ${bytesIn} and got ${bytesOut} bytes`;
      status.say("connection", status.dim(error === undefined ? text : `${text}: ${error}`));
    },
  }).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(
      error.code === "EADDRINUSE"
        ? `port ${flags.port} of ${flags.bind} is in use: choose another with --port`
        : error.message,
    );
  });
  const inspector =
    flags.inspect === false || (flags.inspect === undefined && !canInspect())
      ? undefined
      : await inspect([lan.gateway, lan.server, lan.client], () => lan.network.now(), {
          port: typeof flags.inspect === "number" ? flags.inspect : 0,
        });
  const url = `http://${flags.bind.includes(":") ? `[${published.address}]` : published.address}:${published.port}/`;
  process.stderr.write(
    [
      "A LAN runs in this process:",
      "",
      "  this machine ──▶ gateway 10.0.0.1 ──▶ switch ──▶ server 10.0.0.2",
      "                                          └───── client 10.0.0.3",
      "",
      `The server's files (${folder}), through the user-space stack: ${pc.cyan(url)}`,
      `Try: curl ${url}   (Ctrl-C ends)`,
      ...(inspector === undefined ? [] : [`What it does, live: ${pc.cyan(inspector.url)}`]),
      "",
    ].join("\n"),
  );
  await interrupted();
  status.say("closing", `closing: open connections have ${DRAIN_MS / 1000} s`);
  await inspector?.close();
  await published.close(DRAIN_MS);
  await Promise.all(
    [lan.server, lan.gateway, lan.client].map((h) => h.close({ timeout: DRAIN_MS })),
  );
  lan.network.close();
}
