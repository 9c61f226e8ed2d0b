import { describe, expect, it } from "vitest";
import { parseAddress } from "../../base/address.ts";
import { findScenario } from "../../scenarios/registry.ts";
import { runScenario } from "../../scenarios/run.ts";
import { encodeTcpPacket } from "../../wire/frame-fields.ts";
import { ACK, FIN, PSH, SYN } from "../../wire/tcp.ts";
import type { TcpFields } from "../../wire/tcp-fields.ts";
import { packetsOfHost, PacketLog } from "../packet-log.ts";
import { analyzeConnections } from "./connections.ts";
import { timeSequencePlot } from "./plots.ts";
import { summaryLines } from "./summary-text.ts";

const A = parseAddress("fd00::1");
const B = parseAddress("fd00::2");

/** A capture at host A: [ms, from A, fields, payload]. */
function capture(rows: readonly [number, boolean, Partial<TcpFields>, number][]): PacketLog {
  const log = new PacketLog();
  const id = log.addInterface({ name: "any", medium: "ip", host: "" });
  for (const [ms, fromA, fields, length] of rows) {
    const ports = fromA
      ? { sourcePort: 5000, destinationPort: 80 }
      : { sourcePort: 80, destinationPort: 5000 };
    const ip = fromA ? { source: A, destination: B } : { source: B, destination: A };
    const tcp = { ...ports, flags: ACK, rawWindow: 1000, ...fields };
    const bytes = encodeTcpPacket(ip, tcp, new Uint8Array(length));
    log.packet(id, ms * 1000, undefined, bytes, 0, bytes.length);
  }
  return log;
}

const OPENING: [number, boolean, Partial<TcpFields>, number][] = [
  [0, true, { flags: SYN, sequence: -1 }, 0],
  [20, false, { flags: SYN | ACK, sequence: 500, acknowledgment: 0 }, 0],
  [21, true, { sequence: 0, acknowledgment: 501 }, 0],
];

describe("a capture from anywhere", () => {
  it("handshake, round trips, throughput, a timeout", () => {
    const [{ summary }] = analyzeConnections(
      capture([
        ...OPENING,
        [100, true, { sequence: 0, acknowledgment: 501, flags: ACK | PSH }, 100],
        [130, false, { sequence: 501, acknowledgment: 100 }, 0],
        [200, true, { sequence: 100, acknowledgment: 501 }, 100],
        [500, true, { sequence: 100, acknowledgment: 501 }, 100],
        [530, false, { sequence: 501, acknowledgment: 200 }, 0],
      ]),
    );
    expect(summary).toMatchObject({
      client: "[fd00::1]:5000",
      server: "[fd00::2]:80",
      handshakeUs: 21_000,
      end: "open",
    });
    expect(summary.directions[0]).toMatchObject({
      bytes: 300,
      streamBytes: 200,
      retransmissions: { timeout: 1, fast: 0, spurious: 0, handshake: 0 },
      // The SYN's and the first segment's; the repeated one says nothing (Karn).
      rtt: { samples: 2, minUs: 20_000, maxUs: 30_000 },
    });
    expect(summaryLines(summary).join("\n")).toContain("handshake        21 ms");
  });

  it("duplicate ACKs make it a fast retransmission; a closed window is timed", () => {
    const [{ summary }] = analyzeConnections(
      capture([
        ...OPENING,
        ...[0, 1, 2, 3, 4].map((i): [number, boolean, Partial<TcpFields>, number] => [
          100 + i,
          true,
          { sequence: 100 * i, acknowledgment: 501 },
          100,
        ]),
        ...[120, 121, 122, 123].map((ms): [number, boolean, Partial<TcpFields>, number] => [
          ms,
          false,
          { sequence: 501, acknowledgment: 100 },
          0,
        ]),
        [124, true, { sequence: 100, acknowledgment: 501 }, 100],
        [150, false, { sequence: 501, acknowledgment: 500, rawWindow: 0 }, 0],
        [350, false, { sequence: 501, acknowledgment: 500, rawWindow: 1000 }, 0],
        [400, true, { sequence: 500, acknowledgment: 501, flags: ACK | FIN }, 0],
        [420, false, { sequence: 501, acknowledgment: 501, flags: ACK | FIN }, 0],
        [421, true, { sequence: 501, acknowledgment: 502 }, 0],
      ]),
    );
    expect(summary.directions[0]).toMatchObject({
      retransmissions: { fast: 1, timeout: 0 },
      duplicateAcks: 3,
    });
    expect(summary.directions[1].zeroWindowUs).toBe(200_000);
    expect(summary.end).toBe("closed");
  });
});

describe("captures of the stack itself", () => {
  it("finds as many retransmissions as the stack counted", async () => {
    const { acts, values } = await runScenario(findScenario("congestion-control")!, {
      settings: { megabytes: 1 },
    });
    for (const [i, name] of ["reno", "cubic", "bic", "westwood", "vegas"].entries()) {
      const [{ summary }] = analyzeConnections(acts[i].log);
      const { timeout, fast, spurious } = summary.directions[0].retransmissions;
      expect(timeout + fast + spurious).toBe(values[`${name}: retransmissions`]);
      expect(summary.directions[0].streamBytes).toBe(1_000_000);
      expect(summary.directions[0].rtt.minUs).toBeGreaterThanOrEqual(40_000);
    }
  });

  it("draws a time-sequence plot without a browser", async () => {
    const { acts } = await runScenario(findScenario("fast-retransmit")!);
    const [connection] = analyzeConnections(packetsOfHost(acts[0].log, "client"));
    const svg = await timeSequencePlot(connection.series(0), "client > server");
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain("sequence number, bytes");
    expect(svg).toContain("sent again");
  });
});
