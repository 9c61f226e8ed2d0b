import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { checkAccessibility, launch, MISSING, open, ROOT } from "./browser.ts";

const BYTES = 20_000_000;
/** For the comparison of speeds: a second or so. */
const MANY_BYTES = 200_000_000;

describe.skipIf(MISSING !== "")(`the live view${MISSING && ` (skipped: ${MISSING})`}`, () => {
  let browser: Browser;
  let running: ChildProcess;
  let folder: string;
  let files = "";
  let live = "";
  beforeAll(async () => {
    browser = await launch();
    folder = mkdtempSync(join(tmpdir(), "fullduplex-live-"));
    writeFileSync(join(folder, "file.bin"), randomBytes(BYTES));
    writeFileSync(join(folder, "large.bin"), "");
    truncateSync(join(folder, "large.bin"), MANY_BYTES);
    running = spawn(
      process.execPath,
      ["bin/fullduplex.js", "start", "--port", "0", "--dir", folder, "--quiet", "--inspect"],
      { cwd: ROOT },
    );
    let text = "";
    running.stderr!.on("data", (chunk) => (text += String(chunk)));
    await vi.waitUntil(() => /live: .*http/.test(text), { timeout: 30_000 });
    const plain = text.replace(/\u001b\[\d+m/g, "");
    [, files] = /user-space stack: (\S+)/.exec(plain)!;
    [, live] = /live: (\S+)/.exec(plain)!;
  });
  afterAll(async () => {
    running.kill("SIGINT");
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  /** Milliseconds that curl needs for the file. */
  function fetchFile(name = "file.bin", bytes = BYTES): Promise<number> {
    return new Promise((resolve, reject) =>
      execFile(
        "curl",
        ["-sS", "-o", "/dev/null", "-w", "%{time_total} %{size_download}", files + name],
        (error, stdout) => {
          const [seconds, size] = stdout.split(" ").map(Number);
          if (error !== null || size !== bytes) reject(error ?? new Error(stdout));
          else resolve(seconds * 1000);
        },
      ),
    );
  }

  test("it shows a download while it runs, and stays quick", async () => {
    const { page, complaints } = await open(browser, live);
    await page.waitForSelector('[data-live="connected"]');
    await page.evaluate(() => {
      const tasks: number[] = [];
      Object.assign(globalThis, { longTasks: tasks });
      new PerformanceObserver((list) =>
        tasks.push(...list.getEntries().map((e) => e.duration)),
      ).observe({ type: "longtask" });
    });
    await fetchFile();
    await page.waitForSelector("tr[data-connection]");
    await page.locator("tr[data-connection] button").first().click();
    await page.waitForSelector("[data-detail] .ladder .arrow");
    await fetchFile();
    expect(Number(await page.getAttribute("[data-seen]", "data-seen"))).toBeGreaterThan(1000);
    expect(Number(await page.getAttribute("[data-left]", "data-left"))).toBeGreaterThan(0);
    await page.fill(".search", "syn 80");
    await page.waitForTimeout(400);
    const rows = await page.$$eval(".packets tr", (all) => all.map((row) => row.textContent ?? ""));
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toContain("SYN");
    const tasks = await page.evaluate(
      () => (globalThis as unknown as { longTasks: number[] }).longTasks,
    );
    console.info(`long tasks: ${tasks.length}, longest ${Math.max(0, ...tasks).toFixed(0)} ms`);
    expect(Math.max(0, ...tasks)).toBeLessThan(1000);
    await checkAccessibility(page);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("with the page open the stack has at least 80 % of its speed", async () => {
    const large = () => fetchFile("large.bin", MANY_BYTES);
    const least = async () => Math.min(await large(), await large(), await large());
    await large();
    const alone = await least();
    const { page } = await open(browser, live);
    await page.waitForSelector('[data-live="connected"]');
    const watched = await least();
    console.info(
      `200 MB: ${alone.toFixed(0)} ms alone, ${watched.toFixed(0)} ms watched: ${((100 * alone) / watched).toFixed(0)} %`,
    );
    expect(alone / watched).toBeGreaterThan(0.8);
    await page.close();
  });

  test("a wrong token, another origin and another host name are refused", async () => {
    const url = new URL(live);
    const token = url.hash.split("/").pop()!;
    const ask = (given: string, headers: Record<string, string>) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(`ws://${url.host}/trace?token=${given}`, { headers });
        socket.on("open", () => {
          socket.close();
          resolve("open");
        });
        socket.on("error", (error) => resolve(error.message));
      });
    const origin = `http://${url.host}`;
    expect(await ask(token, { origin })).toBe("open");
    expect(await ask("0".repeat(32), { origin })).toContain("403");
    expect(await ask("", { origin })).toContain("403");
    expect(await ask(token, {})).toContain("403");
    expect(await ask(token, { origin: "http://example.com" })).toContain("403");
    expect(await ask(token, { origin: "http://example.com", host: "example.com" })).toContain(
      "403",
    );
    const status = (path: string, host: string) =>
      new Promise<number>((resolve) =>
        request({ host: url.hostname, port: url.port, path, headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        }).end(),
      );
    expect(await status("/", url.host)).toBe(200);
    expect(await status("/", "example.com")).toBe(403);
    expect(await status("/..%2findex.js", url.host)).toBe(404);
    expect(await status("/%2e%2e/index.js", url.host)).toBe(404);
  });
});
