// An unmodified program with the driver pg: many queries, a large result, a
// cancelled query, a killed connection, all over TLS.
const assert = require("node:assert");
const { Client, Pool } = require("pg");

const { HOST: host, PORT, CA, QUERIES } = process.env;
const options = { host, port: Number(PORT), user: "postgres", database: "postgres" };
const secure = {
  ...options,
  ssl: { ca: require("node:fs").readFileSync(CA), servername: "localhost" },
};

async function main() {
  const client = new Client(secure);
  await client.connect();
  const { rows: session } = await client.query(
    "select ssl from pg_stat_ssl where pid = pg_backend_pid()",
  );
  assert.deepStrictEqual(session, [{ ssl: true }]);

  await client.query("create temp table numbers (n int primary key, t text)");
  for (let n = 0; n < Number(QUERIES); n += 2) {
    await client.query("insert into numbers values ($1, $2)", [n, `text ${n}`]);
    const { rows } = await client.query("select t from numbers where n = $1", [n]);
    assert.strictEqual(rows[0].t, `text ${n}`);
  }
  console.log("queries done");

  const { rows } = await client.query("select repeat('0123456789abcdef', 1310720) as large");
  assert.strictEqual(rows[0].large, "0123456789abcdef".repeat(1310720));
  console.log("20 MB done");

  const slow = new Client(options);
  await slow.connect();
  const { rows: own } = await slow.query("select pg_backend_pid() as pid");
  const waiting = slow.query("select pg_sleep(60)");
  setTimeout(() => client.query("select pg_cancel_backend($1)", [own[0].pid]), 100);
  await assert.rejects(waiting, { code: "57014" });
  assert.strictEqual((await slow.query("select 1 as one")).rows[0].one, 1);
  console.log("cancelled");

  const lost = new Promise((resolve) => slow.on("error", resolve));
  const running = slow.query("select pg_sleep(60)");
  setTimeout(() => client.query("select pg_terminate_backend($1)", [own[0].pid]), 100);
  await assert.rejects(running, { code: "57P01" });
  await lost;
  console.log("killed");

  const pool = new Pool({ ...secure, max: 8 });
  const sums = await Promise.all(
    Array.from(
      { length: 100 },
      async (_, n) => (await pool.query("select $1::int * 2 as d", [n])).rows[0].d,
    ),
  );
  assert.deepStrictEqual(
    sums,
    Array.from({ length: 100 }, (_, n) => n * 2),
  );
  await pool.end();
  await client.end();
  console.log("postgres done");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
