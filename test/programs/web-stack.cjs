// An unmodified program: express, ws and undici's fetch, client and server in one process.
const assert = require("node:assert");
const http = require("node:http");
const express = require("express");
const { WebSocket, WebSocketServer } = require("ws");

const app = express();
app.use(express.json());
app.get("/hello/:name", (request, response) => response.json({ hello: request.params.name }));
app.post("/sum", (request, response) =>
  response.json({ sum: request.body.numbers.reduce((a, b) => a + b) }),
);
app.get("/large", (_request, response) => response.end(Buffer.alloc(1 << 20, "x")));

const server = http.createServer(app);
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`got ${data}`)));

server.listen(0, async () => {
  const { port } = server.address();
  const base = `http://localhost:${port}`;
  assert.deepStrictEqual(await (await fetch(`${base}/hello/world`)).json(), { hello: "world" });
  const sum = await fetch(`${base}/sum`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ numbers: [1, 2, 3] }),
  });
  assert.deepStrictEqual(await sum.json(), { sum: 6 });
  const bodies = await Promise.all(
    Array.from({ length: 8 }, async () => (await (await fetch(`${base}/large`)).text()).length),
  );
  assert.deepStrictEqual(bodies, Array(8).fill(1 << 20));

  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  socket.on("open", () => socket.send("a message"));
  socket.on("message", (data) => {
    assert.strictEqual(String(data), "got a message");
    socket.close();
    sockets.close();
    server.close(() => console.log("web stack done"));
    server.closeAllConnections();
  });
});
