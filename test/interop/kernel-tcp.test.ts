import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { serveHttp } from "../../src/services/http-server.ts";
import { staticFiles } from "../../src/services/static-files.ts";
import { folder } from "../../src/adapters/node/folder.ts";
import { serveEcho } from "../../src/services/echo.ts";
import { KERNEL4, KERNEL6, KernelPair, OURS4, OURS6 } from "../support/kernel-pair.ts";
import { interopObstacle, missingPrograms } from "../support/netns.ts";

const obstacle = interopObstacle ?? missingPrograms("curl", "nc", "ss");
const title = obstacle === undefined ? "" : ` (skipped: ${obstacle})`;

const MB = 1024 * 1024;
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
const closed = async (listener: { close(): void }, serving: Promise<unknown>) => {
  listener.close();
  await serving;
};

describe.skipIf(obstacle !== undefined).each([
  { offload: true, tun: false },
  { offload: false, tun: false },
  { offload: true, tun: true },
  { offload: false, tun: false, mtu: 9000 },
])(`TCP against the kernel, %o${title}`, (options) => {
  let pair: KernelPair;
  beforeAll(async () => {
    pair = await KernelPair.open(options);
  });
  afterEach(async () => {
    await pair.checkLeaks();
  });
  afterAll(() => pair.close());

  it.each([OURS4, `[${OURS6}]`])("curl fetches 50 MB from us, equal hashes: %s", async (host) => {
    const data = randomBytes(50 * MB);
    pair.file("big", data);
    const listener = await pair.host.listen({ port: 80 });
    const serving = serveHttp(listener, staticFiles(await folder(pair.folder)));
    const out = `${pair.folder}/out`;
    const curl = await pair.kernel.run("curl", [
      "-sS",
      "-m",
      "50",
      "-o",
      out,
      `http://${host}/big`,
    ]);
    expect(curl).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(sha256(readFileSync(out))).toBe(sha256(data));
    await closed(listener, serving);
  });

  it.each([OURS4, `[${OURS6}]`])("curl sends 50 MB to us, equal hashes: %s", async (host) => {
    const data = randomBytes(50 * MB);
    const path = pair.file("up", data);
    const listener = await pair.host.listen({ port: 81 });
    const url = `http://${host}:81/`;
    const curl = pair.kernel.run("curl", ["-sS", "-m", "50", "-H", "Expect:", "-T", path, url]);
    const connection = await listener.accept({ timeout: 5000 });
    const hash = createHash("sha256");
    let head = "";
    let left = data.length;
    while (left > 0) {
      let chunk = await connection.read({ timeout: 20_000 });
      if (chunk === null) break;
      if (!head.endsWith("\r\n\r\n")) {
        const text = Buffer.from(chunk).toString("latin1");
        const end = text.indexOf("\r\n\r\n") + 4;
        head += text.slice(0, end);
        chunk = chunk.subarray(end);
      }
      hash.update(chunk);
      left -= chunk.length;
    }
    await connection.write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    expect(await curl).toMatchObject({ code: 0, stderr: "" });
    expect(head).toContain(`Content-Length: ${data.length}`);
    expect(hash.digest("hex")).toBe(sha256(data));
    await connection.close();
    listener.close();
  });

  it.each([KERNEL4, KERNEL6])("we fetch 50 MB from the kernel, equal hashes: %s", async (host) => {
    const data = randomBytes(50 * MB);
    const path = pair.file("down", data);
    await pair.startNode(`
      const server = net.createServer((socket) => {
        require("node:fs").createReadStream(${JSON.stringify(path)}).pipe(socket);
        server.close();
      }).listen(8000, "::", () => log("ready"));
    `);
    const connection = await pair.host.connect({ host, port: 8000, timeout: 5000 });
    const hash = createHash("sha256");
    const buffer = new Uint8Array(256 * 1024);
    for (;;) {
      const length = await connection.readInto(buffer, { timeout: 20_000 });
      if (length === 0) break;
      hash.update(buffer.subarray(0, length));
    }
    expect(hash.digest("hex")).toBe(sha256(data));
    await connection.close();
  });

  it("nc half-closes: we read to the end and still answer (RFC 9293 §3.6)", async () => {
    const listener = await pair.host.listen({ port: 7001 });
    const nc = pair.kernel.run("nc", ["-N", OURS4, "7001"], { input: "the question" });
    const connection = await listener.accept({ timeout: 5000 });
    let question = "";
    for await (const chunk of connection) question += Buffer.from(chunk).toString();
    expect(question).toBe("the question");
    expect(connection.info().state).toBe("CLOSE-WAIT");
    await connection.write("the answer");
    await connection.close();
    expect(await nc).toEqual({ code: 0, stdout: "the answer", stderr: "" });
    listener.close();
  });

  it("we half-close: nc reads to the end and still answers", async () => {
    const server = await pair.startNode(`
      const server = net.createServer({ allowHalfOpen: true }, (socket) => {
        let got = "";
        socket.on("data", (data) => (got += data)).on("end", () => socket.end("you said " + got));
        server.close();
      }).listen(7002, () => log("ready"));
    `);
    const connection = await pair.host.connect({ host: KERNEL4, port: 7002, timeout: 5000 });
    await connection.write("hello");
    connection.closeWrite();
    let answer = "";
    for await (const chunk of connection) answer += Buffer.from(chunk).toString();
    expect(answer).toBe("you said hello");
    await connection.close();
    await server.output;
  });

  it("the kernel's RST ends our read with ECONNRESET (RFC 9293 §3.10.7.4)", async () => {
    const server = await pair.startNode(`
      const server = net.createServer((socket) => {
        socket.once("data", () => socket.resetAndDestroy());
        server.close();
      }).listen(7003, () => log("ready"));
    `);
    const connection = await pair.host.connect({ host: KERNEL4, port: 7003, timeout: 5000 });
    await connection.write("reset me");
    await expect(connection.read({ timeout: 5000 })).rejects.toMatchObject({ code: "ECONNRESET" });
    await connection.close();
    await server.output;
  });

  it("our RST ends the kernel's read with ECONNRESET", async () => {
    const listener = await pair.host.listen({ port: 7004 });
    const client = pair.node(`
      const socket = net.connect(7004, "${OURS4}", () => socket.write("x"));
      socket.on("error", (error) => log(error.code));
    `);
    const connection = await listener.accept({ timeout: 5000 });
    await connection.read({ timeout: 5000 });
    connection.abort();
    expect((await client).stdout).toBe("ECONNRESET\n");
    listener.close();
  });

  it("a closed port refuses on both sides, both families", async () => {
    for (const host of [KERNEL4, KERNEL6]) {
      await expect(pair.host.connect({ host, port: 9, timeout: 5000 })).rejects.toMatchObject({
        code: "ECONNREFUSED",
      });
    }
    for (const host of [OURS4, OURS6]) {
      const { stdout } = await pair.node(`
        net.connect(9, "${host}").on("error", (error) => log(error.code));
      `);
      expect(stdout).toBe("ECONNREFUSED\n");
    }
  });

  it("a new connection from the same port passes the kernel's TIME-WAIT (RFC 6191)", async () => {
    await pair.startNode(`
      let count = 0;
      const server = net.createServer((socket) => {
        socket.end("bye"); // the kernel closes first, so it keeps TIME-WAIT
        if (++count === 3) server.close();
      }).listen(7005, () => log("ready"));
    `);
    for (let round = 0; round < 3; round++) {
      const connection = await pair.host.connect({
        host: KERNEL4,
        port: 7005,
        localPort: 41_000,
        timeout: 5000,
      });
      const chunk = await connection.read({ timeout: 5000 });
      expect(Buffer.from(chunk!).toString()).toBe("bye");
      expect(await connection.read({ timeout: 5000 })).toBe(null);
      await connection.close();
      await connection.closed;
      const { stdout } = await pair.kernel.run("ss", ["-Htn", "state", "time-wait"]);
      expect(stdout).toMatch(/\]?:7005 .*:41000\b/);
    }
  });

  it("a new connection from the same port passes our TIME-WAIT (RFC 6191)", async () => {
    const listener = await pair.host.listen({ port: 7006 });
    for (let round = 0; round < 3; round++) {
      const client = pair.node(`
        const socket = net.connect({ port: 7006, host: "${OURS4}", localPort: 42000 });
        socket.on("data", (data) => log(String(data))).on("error", (error) => log(error.code));
      `);
      const connection = await listener.accept({ timeout: 5000 });
      await connection.write("bye");
      connection.closeWrite(); // we close first
      expect(await connection.read({ timeout: 5000 })).toBe(null);
      await connection.close();
      expect((await client).stdout).toBe("bye\n");
    }
    listener.close();
  });

  it("1,000 short connections from the kernel to us", async () => {
    const listener = await pair.host.listen({ port: 7007 });
    const serving = serveEcho(listener);
    const { stdout, stderr } = await pair.node(`
      let begun = 0, done = 0;
      function next() {
        if (begun === 1000) return;
        const word = "word " + begun++;
        const socket = net.connect(7007, "${OURS4}", () => socket.end(word));
        let got = "";
        socket.on("data", (data) => (got += data));
        socket.on("close", () => { if (got === word) done++; next(); });
        socket.on("error", (error) => console.error(error.code));
      }
      for (let i = 0; i < 50; i++) next();
      process.on("exit", () => log(done));
    `);
    expect({ stdout, stderr }).toEqual({ stdout: "1000\n", stderr: "" });
    await closed(listener, serving);
  });

  it("1,000 short connections from us to the kernel", async () => {
    const server = await pair.startNode(`
      let count = 0;
      const server = net.createServer({ allowHalfOpen: true, backlog: 200 }, (socket) => {
        socket.pipe(socket);
        if (++count === 1000) server.close();
      }).listen(7008, () => log("ready"));
    `);
    let next = 0;
    let done = 0;
    const run = async () => {
      while (next < 1000) {
        const word = `word ${next++}`;
        const connection = await pair.host.connect({ host: KERNEL4, port: 7008, timeout: 5000 });
        await connection.write(word);
        connection.closeWrite();
        let got = "";
        for await (const chunk of connection) got += Buffer.from(chunk).toString();
        if (got === word) done++;
        await connection.close();
      }
    };
    await Promise.all(Array.from({ length: 50 }, run));
    expect(done).toBe(1000);
    await server.output;
  });

  it("ss -ti shows window scale, SACK and timestamps in use (RFC 7323, RFC 2018)", async () => {
    const listener = await pair.host.listen({ port: 7009 });
    const client = await pair.startNode(`
      const socket = net.connect(7009, "${OURS4}", () => log("connected"));
      socket.resume();
    `);
    const connection = await listener.accept({ timeout: 5000 });
    await connection.write("something");
    const { stdout } = await pair.kernel.run("ss", ["-Htnoi", "dport", "7009"]);
    expect(stdout).toMatch(/\bts sack\b/);
    expect(stdout).toMatch(/\bwscale:\d+,\d+/);
    expect(connection.info()).toMatchObject({ timestamps: true, sack: true, windowScaling: true });
    await connection.close();
    await client.output;
    listener.close();
  });

  it("a reader that sleeps closes the window, and the transfer goes on after it", async () => {
    const data = randomBytes(8 * MB);
    pair.file("slow", data);
    const listener = await pair.host.listen({ port: 7010 });
    const client = pair.node(`
      const socket = net.connect({ port: 7010, host: "${OURS4}" });
      const hash = require("node:crypto").createHash("sha256");
      socket.pause();
      setTimeout(() => socket.on("data", (data) => hash.update(data)).resume(), 700);
      socket.on("end", () => log(hash.digest("hex")));
    `);
    const connection = await listener.accept({ timeout: 5000 });
    await connection.write(data, { timeout: 20_000 });
    await connection.close();
    expect((await client).stdout).toBe(`${sha256(data)}\n`);
    listener.close();
  });
});
