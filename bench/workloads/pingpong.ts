/** Request and response of one byte on one connection, one after the other. */
import { makePair, openConnections } from "../support/pair.ts";
import { type Outcome, rounds, seconds } from "../support/samples.ts";

/** Round trips a second over the promises. */
export async function pingpongPromises(): Promise<Outcome> {
  const pair = makePair();
  const [ends] = await openConnections(pair, 1);
  const { here, there } = ends!;
  here.setOption("TCP_NODELAY", 1);
  there.setOption("TCP_NODELAY", 1);
  const request = Uint8Array.of(7);
  const echo = async () => {
    const buffer = new Uint8Array(1);
    while ((await there.readInto(buffer)) > 0) await there.write(buffer);
  };
  const echoing = echo();
  const answer = new Uint8Array(1);
  const count = 100_000;
  const samples = await rounds(
    7,
    async () => {
      const start = performance.now();
      for (let i = 0; i < count; i++) {
        request[0] = i & 0xff;
        await here.write(request);
        await here.readInto(answer);
        if (answer[0] !== request[0]) throw new Error("wrong answer");
      }
      return count / seconds(start);
    },
    2,
  );
  await here.close();
  await echoing;
  pair.network.close();
  return { samples };
}

/** Round trips a second over the parked operations with callbacks. */
export async function pingpong(): Promise<Outcome> {
  const pair = makePair();
  const [ends] = await openConnections(pair, 1);
  const { here, there } = ends!;
  here.setOption("TCP_NODELAY", 1);
  there.setOption("TCP_NODELAY", 1);
  const server = pair.server.parked;
  const client = pair.client.parked;
  const buffer = new Uint8Array(1);
  const request = Uint8Array.of(7);
  const answer = new Uint8Array(1);
  const nothing = () => {};
  const serve = () => {
    server.read(there.socket, buffer, 0, 1, 0, (n) => {
      if (n <= 0) return;
      server.write(there.socket, buffer, 0, 1, 0, nothing);
      serve();
    });
  };
  serve();
  const count = 100_000;
  const round = () =>
    new Promise<number>((resolve, reject) => {
      const start = performance.now();
      let done = 0;
      const ask = () => {
        request[0] = done & 0xff;
        client.write(here.socket, request, 0, 1, 0, nothing);
        client.read(here.socket, answer, 0, 1, 0, (n) => {
          if (n !== 1 || answer[0] !== request[0]) reject(new Error("wrong answer"));
          else if (++done === count) resolve(count / seconds(start));
          else ask();
        });
      };
      ask();
    });
  const samples = await rounds(7, round, 2);
  pair.network.close();
  return { samples };
}
