// An unmodified program with ESM imports: fastify and undici from npm.
import assert from "node:assert";
import Fastify from "fastify";
import { Agent, request } from "undici";

const app = Fastify();
app.get("/items", async () => ({ items: [1, 2, 3] }));
app.post("/echo", async (incoming) => incoming.body);
const address = await app.listen({ port: 0, host: "127.0.0.1" });
const dispatcher = new Agent({ connections: 4, pipelining: 2 });
const { body } = await request(`${address}/items`, { dispatcher });
assert.deepStrictEqual(await body.json(), { items: [1, 2, 3] });
const answers = await Promise.all(
  Array.from({ length: 50 }, async (_, n) => {
    const { body: echoed } = await request(`${address}/echo`, {
      dispatcher,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ n }),
    });
    return (await echoed.json()).n;
  }),
);
assert.deepStrictEqual(
  answers,
  Array.from({ length: 50 }, (_, n) => n),
);
await dispatcher.close();
await app.close();
console.log("fastify done");
