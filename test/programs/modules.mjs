// Both kinds of imports get the host's network; the process ends by itself.
import assert from "node:assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { createSocket } from "dgram";
import { lookup, promises as dns } from "node:dns";
import { createRequire } from "node:module";
import net, { createServer, connect } from "node:net";
import os from "node:os";
import { promisify } from "node:util";

const required = createRequire(import.meta.url)("net");
assert.strictEqual(required, net);
assert.strictEqual(required.connect, connect);
assert.ok("eth0" in os.networkInterfaces());
assert.deepStrictEqual(await dns.lookup("localhost"), { address: "127.0.0.1", family: 4 });
assert.deepStrictEqual(await promisify(lookup)("127.0.0.1"), { address: "127.0.0.1", family: 4 });
await assert.rejects(dns.lookup("nobody.invalid"), { code: "ENOTFOUND", syscall: "getaddrinfo" });
await assert.rejects(dns.resolve4("nobody.invalid"), { code: "ECONNREFUSED", syscall: "queryA" });

// What is stored for one side does not leak to the other.
const storage = new AsyncLocalStorage();
const seen = [];
const server = storage.run("server", () =>
  createServer((socket) => {
    seen.push(storage.getStore());
    socket.on("data", () => seen.push(storage.getStore()));
    socket.end("x");
  }),
);
await storage.run("server", () => new Promise((resolve) => server.listen(0, resolve)));
await storage.run(
  "client",
  () =>
    new Promise((resolve) => {
      const client = connect(server.address().port, () => {
        seen.push(storage.getStore());
        client.write("y", () => seen.push(storage.getStore()));
      });
      client.on("data", () => seen.push(storage.getStore()));
      client.on("close", resolve);
    }),
);
server.close();
assert.deepStrictEqual(seen.filter((store) => store === "server").length, 2);
assert.deepStrictEqual(seen.filter((store) => store === "client").length, 3);

const idle = createServer().listen(0);
idle.unref();
const socket = createSocket("udp4");
socket.bind(0, () => socket.unref());
// A path is the operating system's.
const path = connect("/nonexistent/socket");
path.on("error", (error) => {
  assert.strictEqual(error.code, "ENOENT");
  console.log("modules done");
});
