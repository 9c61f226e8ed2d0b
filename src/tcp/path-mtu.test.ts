import { expect, test } from "vitest";
import type { Frame } from "../base/frame-memory.ts";
import { Network } from "../network/network.ts";
import { virtualTime } from "../sim/virtual-time.ts";

const SIZE = 2_000_000;

/** A transfer over a path whose middle silently drops IP packets above `limit`. */
async function transfer(limit: number, mtuProbing: 0 | 1 | 2) {
  const clock = virtualTime();
  const net = new Network({ clock, seed: 7 });
  const tooLarge = (_n: number, frame: Frame) => net.memory.length(frame) > limit + 14;
  const cable = net.cable({ delayMs: 5, bitsPerSecond: 100e6, aToB: { loss: tooLarge } });
  const config = { tcp: { mtuProbing } };
  const sender = net.host({ config });
  sender.addInterface(cable.a, { addresses: ["10.0.0.1/24"] });
  const receiver = net.host();
  receiver.addInterface(cable.b, { addresses: ["10.0.0.2/24"] });
  const listener = await receiver.listen({ port: 80 });
  const got = (async () => {
    let bytes = 0;
    for await (const chunk of await listener.accept()) bytes += chunk.length;
    return bytes;
  })();
  const connection = await clock.settle(sender.connect({ host: "10.0.0.2", port: 80 }));
  const file = new Uint8Array(SIZE);
  let info = connection.info();
  const sending = (async () => {
    for (let at = 0; at < SIZE; at += 50_000)
      await connection.write(file.subarray(at, at + 50_000));
    info = connection.info();
    await connection.close();
  })();
  const outcome = await clock
    .settle(Promise.all([got, sending]), 120_000)
    .then(([bytes]) => bytes)
    .catch(() => 0);
  const { tcpMtuBlackhole, tcpMtuProbeSuccess, tcpMtuProbeFail } = sender.counters;
  net.close();
  return { outcome, mss: info.sndMss, tcpMtuBlackhole, tcpMtuProbeSuccess, tcpMtuProbeFail };
}

test("RFC 4821 §7.7: a black hole for large packets is noticed and passed with smaller ones", async () => {
  const { outcome, mss, tcpMtuBlackhole } = await transfer(1400, 1);
  expect(outcome).toBe(SIZE);
  expect(tcpMtuBlackhole).toBeGreaterThan(0);
  expect(mss).toBeLessThanOrEqual(1400 - 52);
});

test("without probing such a path stays dead: what the probing is for", async () => {
  expect((await transfer(1400, 0)).outcome).toBe(0);
});

test("RFC 4821 §7.3: probing from below finds the size that passes, and a lost probe is no congestion", async () => {
  const r = await transfer(1300, 2);
  expect(r.outcome).toBe(SIZE);
  expect(r.tcpMtuProbeSuccess).toBeGreaterThan(0);
  expect(r.tcpMtuProbeFail).toBeGreaterThan(0);
  expect(r.mss).toBeGreaterThan(1300 - 52 - 40);
  expect(r.mss).toBeLessThanOrEqual(1300 - 52);
});
