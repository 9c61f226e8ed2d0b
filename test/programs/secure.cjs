// An unmodified program: tls, https, http2 with and without TLS.
const assert = require("node:assert");
const fs = require("node:fs");
const http2 = require("node:http2");
const https = require("node:https");
const path = require("node:path");
const tls = require("node:tls");

const key = fs.readFileSync(path.join(__dirname, "key.pem"));
const cert = fs.readFileSync(path.join(__dirname, "cert.pem"));
const listening = (server) =>
  new Promise((resolve) => server.listen(0, () => resolve(server.address().port)));
const closed = (server) => new Promise((resolve) => server.close(resolve));

async function overTls() {
  const server = tls.createServer({ key, cert }, (socket) => socket.pipe(socket));
  const port = await listening(server);
  const data = Buffer.alloc(2 << 20, "tls over the stack");
  const socket = tls.connect({ port, host: "localhost", ca: cert });
  const chunks = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("secureConnect", () => {
    assert.strictEqual(socket.authorized, true);
    socket.end(data);
  });
  await new Promise((resolve) => socket.on("end", resolve));
  assert.ok(Buffer.concat(chunks).equals(data));
  await closed(server);

  const refusing = tls.connect({ port, host: "localhost", ca: cert });
  const [error] = await require("node:events").once(refusing, "error");
  assert.strictEqual(error.code, "ECONNREFUSED");
}

async function resetUnderTls() {
  const server = tls.createServer({ key, cert }, (socket) => {
    socket.on("error", () => {});
    socket.write("x");
    setTimeout(() => socket._parent.resetAndDestroy(), 20);
  });
  const port = await listening(server);
  const socket = tls.connect({ port, host: "localhost", ca: cert });
  socket.resume();
  const error = await new Promise((resolve) => socket.on("error", resolve));
  assert.strictEqual(error.code, "ECONNRESET");
  await closed(server);
}

async function overHttps() {
  const server = https.createServer({ key, cert }, (request, response) =>
    response.end(request.url),
  );
  const port = await listening(server);
  const agent = new https.Agent({ keepAlive: true, ca: cert });
  for (const url of ["/one", "/two"]) {
    const body = await new Promise((resolve, reject) => {
      https
        .get({ port, host: "localhost", path: url, agent }, (response) => {
          let text = "";
          response.on("data", (chunk) => (text += chunk));
          response.on("end", () => resolve(text));
        })
        .on("error", reject);
    });
    assert.strictEqual(body, url);
  }
  agent.destroy();
  server.closeAllConnections();
  await closed(server);
}

async function overHttp2(secure) {
  const server = secure ? http2.createSecureServer({ key, cert }) : http2.createServer();
  server.on("stream", (stream, headers) => {
    stream.respond({ ":status": 200 });
    stream.end(`${headers[":path"]} ${"y".repeat(100_000)}`);
  });
  const port = await listening(server);
  const client = http2.connect(`${secure ? "https" : "http"}://localhost:${port}`, { ca: cert });
  const lengths = await Promise.all(
    Array.from({ length: 10 }, (_, n) => {
      const stream = client.request({ ":path": `/${n}` });
      return new Promise((resolve, reject) => {
        let length = 0;
        stream.on("data", (chunk) => (length += chunk.length));
        stream.on("end", () => resolve(length));
        stream.on("error", reject);
      });
    }),
  );
  assert.deepStrictEqual(lengths, Array(10).fill(100_003));
  client.close();
  await closed(server);
}

(async () => {
  await overTls();
  await resetUnderTls();
  await overHttps();
  await overHttp2(false);
  await overHttp2(true);
  console.log("secure done");
})();
