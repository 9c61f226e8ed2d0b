import { createWriteStream } from "node:fs";
import { basename } from "node:path";
import { once } from "node:events";
import type { Writable } from "node:stream";
import progress from "cli-progress";
import { Failure } from "./failure.ts";
import { type HostFlags, openHost, type RunningHost } from "./host-options.ts";
import { startService } from "./serve.ts";
import { fetchHttp } from "./http-client.ts";

export interface GetFlags extends HostFlags {
  readonly output?: string;
}

/** Below this a progress bar would only flicker. */
const BAR_FROM = 1_000_000;

/** Fetches a file over HTTP through the user-space host. */
export async function get(text: string, flags: GetFlags): Promise<void> {
  const url = parseUrl(text);
  const running = await openHost(flags);
  try {
    if (flags.tap === undefined) await serveHere(running);
    await download(running, url, flags);
  } finally {
    await running.close();
  }
}

/** On the built-in LAN the files come from the folder one stands in. */
async function serveHere(running: RunningHost): Promise<void> {
  const server = running.lan?.server;
  if (server !== undefined) {
    await startService(server, { name: "http", port: 80, folder: process.cwd() }, () => {});
  }
}

async function download(running: RunningHost, url: URL, flags: GetFlags): Promise<void> {
  const began = performance.now();
  const response = await fetchHttp(running.host, url);
  if (response.status !== 200) {
    response.abort();
    throw new Failure(`the server answered ${response.status} ${response.reason}`);
  }
  const name = flags.output ?? (basename(decodeURIComponent(url.pathname)) || "index.html");
  const out: Writable = name === "-" ? process.stdout : createWriteStream(name);
  const { length } = response;
  const bar =
    process.stderr.isTTY && (length === undefined || length >= BAR_FROM)
      ? new progress.SingleBar({
          format: "{bar} {percentage} % | {value}/{total} bytes | {eta_formatted}",
          stream: process.stderr,
          hideCursor: true,
        })
      : undefined;
  bar?.start(length ?? 0, 0);
  let total = 0;
  for await (const chunk of response.body) {
    total += chunk.length;
    bar?.update(total);
    if (!out.write(chunk)) await once(out, "drain");
  }
  bar?.stop();
  if (out !== process.stdout) {
    out.end();
    await once(out, "finish");
  }
  const seconds = (performance.now() - began) / 1000;
  const rate = ((total * 8) / seconds / 1e6).toFixed(1);
  process.stderr.write(
    `${total} bytes in ${seconds.toFixed(2)} s (${rate} Mbit/s)${name === "-" ? "" : `, saved as ${name}`}\n`,
  );
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== "http:") {
    throw new Failure(`${text}: give an address like http://10.9.0.1:8000/file`);
  }
  return url;
}
