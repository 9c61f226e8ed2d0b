/** The numbers of the textbook's examples, each held by a run on the real stack. */
import { beforeAll, describe, expect, it } from "vitest";
import { findScenario, SCENARIOS } from "../../src/scenarios/registry.ts";
import { runScenario } from "../../src/scenarios/run.ts";
import type { ScenarioResult, Value } from "../../src/scenarios/scenario.ts";

async function play(name: string, settings: Record<string, number> = {}): Promise<ScenarioResult> {
  return runScenario(findScenario(name)!, { settings });
}

function scenario(name: string, tests: (values: () => Record<string, Value>) => void): void {
  describe(name, () => {
    let values: Record<string, Value> = {};
    beforeAll(async () => {
      values = (await play(name)).values as Record<string, Value>;
    });
    tests(() => values);
  });
}

/** All at once: what is left out is not looked at. */
function holds(name: string, expected: Record<string, unknown>): void {
  scenario(name, (values) => {
    it("holds its numbers", () => expect(values()).toMatchObject(expected));
  });
}

holds("three-way-handshake", {
  segments: [
    "client > server SYN seq=1000",
    "server > client SYN+ACK seq=2000 ack=1001",
    "client > server ACK seq=1001 ack=2001",
  ],
  client: "ESTABLISHED",
  server: "ESTABLISHED",
});

holds("no-boundaries", {
  reads: [10, 10, 10, 10],
  leftInReceiveBuffer: [30, 20, 10, 0],
  segmentsWithData: 1,
  oneRead: 40,
  inOrder: true,
});

holds("receiver-limits-sender", {
  "avoidance off: in flight at most": 50,
  "avoidance off: window after 50 bytes": 0,
  "avoidance off: right edge before and after read(20)": [50, 70],
  "avoidance off: bytes read": 100,
  "avoidance off: segment lengths": [50, 20, 30],
  "avoidance on: right edge before and after read(20)": [50, 50],
  "avoidance on: bytes read": 100,
  "avoidance on: segment lengths": [50, 30, 20],
});

holds("zero-window", { windowWhenFull: 0, probes: 3, bytesReceived: 3000, inOrder: true });

holds("data-and-acknowledgement", {
  segments: [
    "client > server PSH+ACK seq=1301 ack=2001 len=100",
    "server > client ACK seq=2001 ack=1401",
    "client > server PSH+ACK seq=1401 ack=2001 len=100",
    "server > client ACK seq=2001 ack=1501",
  ],
  textbook: [
    "client > server PSH+ACK seq=1200 ack=2001 len=100",
    "server > client ACK seq=2001 ack=1300",
  ],
});

holds("loss-and-timeout", {
  segments: [
    "client > server PSH+ACK seq=1301 ack=2001 len=100",
    "server > client ACK seq=2001 ack=1401",
    "client > server PSH+ACK seq=1401 ack=2001 len=100 (lost)",
    "client > server PSH+ACK seq=1401 ack=2001 len=100 (again: rto)",
    "server > client ACK seq=2001 ack=1501",
  ],
  againAfterMs: 220,
  rtoMs: 220,
});

const AGAIN = ["client > server ACK seq=3921 ack=2001 len=1460 (again: fast)"];
holds("fast-retransmit", {
  "duplicates: bytes": 14_600,
  "duplicates: whole": true,
  "duplicates: timeouts": 0,
  "duplicates: again": AGAIN,
  "sack: bytes": 14_600,
  "sack: whole": true,
  "sack: timeouts": 0,
  "sack: again": AGAIN,
});

holds("four-way-close", {
  segments: [
    "client > server FIN+ACK seq=5000 ack=7500",
    "server > client ACK seq=7500 ack=5001",
    "server > client PSH+ACK seq=7500 ack=5001 len=1",
    "client > server ACK seq=5001 ack=7501",
    "server > client FIN+ACK seq=7501 ack=5001",
    "client > server ACK seq=5001 ack=7502",
  ],
  readAtEnd: 0,
  bytesAfterFin: 1,
  clientStates: ["FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"],
  serverStates: ["CLOSE-WAIT", "LAST-ACK", "CLOSED"],
  shortClose: [
    "client > server FIN+ACK seq=5000 ack=7500",
    "server > client FIN+ACK seq=7500 ack=5001",
    "client > server ACK seq=5001 ack=7501",
  ],
});

holds("half-close", {
  request: 200,
  readAtEnd: 0,
  answer: 5000,
  clientStates: ["FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"],
  serverStates: ["CLOSE-WAIT", "LAST-ACK", "CLOSED"],
});

holds("close-with-data-pending", {
  "a: delivered": 20_000,
  "a: resets": 0,
  "b: segments": [
    "server > client PSH+ACK seq=2001 ack=1001 len=100",
    "client > server ACK seq=1001 ack=2101",
    "client > server RST+ACK seq=1001 ack=2101",
  ],
  "b: received": 0,
  "b: error": "ECONNRESET",
  "c: error": "ECONNRESET",
});

scenario("close-with-data-pending", (values) => {
  it("RFC 9293 §3.10.7.4: data after close is answered with RST", () => {
    expect((values()["c: segments"] as string[]).at(-1)).toMatch(/^client > server RST/);
  });
});

scenario("time-wait", (values) => {
  it("keeps the record for 2 MSL and no longer", () => {
    expect(values()).toMatchObject({ recordsDuringTimeWait: [1, 1], recordsAfter2Msl: 0 });
  });
  it("answers the late duplicate with the last ACK", () => {
    const lines = values().segments as string[];
    const last = "client > server ACK seq=1002 ack=2102";
    expect(lines.filter((line) => line === last)).toHaveLength(2);
  });
});

holds("backlog", {
  "default: waiting in the accept queue": 2,
  "default: opened in order": [1, 2, 3, 4],
  "default: SYNs sent again": 2,
  "linux: waiting in the accept queue": 3,
  "linux: opened in order": [1, 2, 3, 4],
  "linux: SYNs sent again": 1,
  emptyQueueBlocks: true,
  acceptedAtMs: 530,
});

holds("piggyback", {
  segments: [
    "client > server PSH+ACK seq=1001 ack=2001 len=100",
    "server > client PSH+ACK seq=2001 ack=1101 len=300",
    "client > server ACK seq=1101 ack=2301",
  ],
  lastAckDelayMs: 40,
  windowUpdates: ["server > client ACK seq=2001 ack=9001 win=8000"],
});

holds("nagle-and-timer", {
  "nagle: lengths": [10, 60, 30],
  "nodelay: lengths": new Array(10).fill(10),
  corkMs: 200,
  overrideMs: 200,
  overrideLengths: [900, 100],
});

scenario("congestion-control", (values) => {
  it.each(["reno", "cubic", "bic", "westwood", "vegas"])(
    "%s delivers all and fills the line",
    (name) => {
      expect(values()[`${name}: bytes`]).toBe(4_000_000);
      // 4 MB and their headers take 3.32 s at 10 Mbit/s: at least 80 % of the line is used.
      expect(values()[`${name}: ms`]).toBeGreaterThan(3300);
      expect(values()[`${name}: ms`]).toBeLessThan(4150);
    },
  );
  it("Vegas loses less than Reno", () => {
    expect(values()["vegas: retransmissions"]).toBeLessThan(
      values()["reno: retransmissions"] as number,
    );
  });
});

scenario("udp-next-to-tcp", (values) => {
  it("UDP has holes and disorder, TCP neither, and TCP takes longer", () => {
    const v = values();
    expect(v["udp: missing"]).toBeGreaterThan(0);
    expect(v["udp: out of order"]).toBeGreaterThan(0);
    expect(v["tcp: bytes"]).toBe(4000);
    expect(v["tcp: in order"]).toBe(true);
    expect(v["tcp: retransmissions"]).toBeGreaterThan(0);
    expect(v["tcp: ms"]).toBeGreaterThan(v["udp: ms"] as number);
  });
});

scenario("who-has", (values) => {
  it("asks, is answered, sends: RFC 826", () => {
    const packets = (values().packets as string[]).map((line) =>
      line.replace(/id \d+/, "id").replace(/UDP \d+/, "UDP"),
    );
    expect(packets.slice(0, 4)).toEqual([
      "client > server ARP, Request who-has 10.0.0.2 tell 10.0.0.1",
      "server > client ARP, Reply 10.0.0.2 is-at 02:00:00:00:00:0b",
      "client > server ICMP echo request, id, seq 1, length 64",
      "server > client ICMP echo reply, id, seq 1, length 64",
    ]);
    expect(packets.at(-1)).toContain("port unreachable");
  });
  it("needs two round trips for the first packet and one for the next", () => {
    expect(values()).toMatchObject({ firstPingMs: 4, secondPingMs: 2, error: "ECONNREFUSED" });
  });
});

holds("resolver", {
  remoteAddress: "10.0.0.2",
  addresses: 100,
  datagrams: 4,
  connectionsToPort53: 1,
});

holds("client-server", {
  served: ["10.0.0.1:40000", "10.0.0.2:40001", "10.0.0.3:40002"],
  answers: ["hello from ann", "hello from bob", "hello from cho"],
});

holds("peer-to-peer", {
  heard: ["ann hears cho", "bob hears ann", "cho hears bob"],
  "simultaneousOpen: left": ["SYN-SENT", "SYN-RECEIVED", "ESTABLISHED"],
  "simultaneousOpen: right": ["SYN-SENT", "SYN-RECEIVED", "ESTABLISHED"],
  "simultaneousOpen: read": "both",
});

holds("simultaneous-close", {
  client: ["FIN-WAIT-1", "CLOSING", "TIME-WAIT"],
  server: ["FIN-WAIT-1", "CLOSING", "TIME-WAIT"],
});

scenario("adaptive-timeout", (values) => {
  it("RFC 6298 §2.1-2.2: first RTO 1 s; SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR", () => {
    expect(values()).toMatchObject({ firstRtoMs: 1000, firstSample: [100, 50, 300] });
  });
  it("RFC 6298 §2.3: nears a steady round trip, and follows a longer one", () => {
    // Eight samples of 100 ms: RTTVAR = 50 * 0.75^8 = 5.006 ms, RTO = 120 ms.
    expect(values().steadyRtoMs).toBe(120);
    expect(values().grownRtoMs).toBeGreaterThan(200);
  });
  it("RFC 6298 §5.5 and Karn: a loss doubles it, and the repeated segment is no sample", () => {
    expect(values()).toMatchObject({ afterLoss: 2, karnKeepsSrtt: true });
  });
});

holds("mtu-and-mss", {
  lengths: [1460, 1460, 1080],
  mssInSyns: [1460, 1460],
  withTimestamps: [1448, 1448, 1104],
  "narrow: mss before and after": [1460, 960],
  "narrow: received": 4000,
  "narrow: icmp": true,
});

scenario("stop-and-wait-or-window", (values) => {
  it("one segment in flight leaves the line idle, a window fills it", () => {
    const v = values();
    // Each of 100 segments takes a round trip of 20 ms and 1.25 ms on the line with its ACK.
    expect(v["stopAndWait: ms"]).toBeGreaterThan(100 * 20);
    expect(v["stopAndWait: utilisation %"]).toBeLessThan(7);
    expect(v["window: utilisation %"]).toBeGreaterThan(80);
  });
});

holds("in-order-delivery", {
  reads: ["1000 bytes at 40 ms", "2000 bytes at 45 ms"],
  arrivalOrder: [1001, 3001, 2001],
  acks: [
    "server > client ACK seq=2001 ack=2001",
    "server > client ACK seq=2001 ack=2001",
    "server > client ACK seq=2001 ack=4001",
  ],
  retransmissions: 0,
});

holds("walk-of-one-write", {
  received: "hello",
  headerBytes: [14, 20, 20],
  frameBytes: 59,
  sameAtOtherSide: true,
});

holds("what-is-a-socket", {
  listener: 0,
  accepted: [1, 2],
  tuples: ["10.0.0.2:80 < 10.0.0.1:40000", "10.0.0.2:80 < 10.0.0.1:40001"],
  eachGotItsOwn: [1, 2],
});

holds("sequence-wrap", {
  segments: [
    "client > server PSH+ACK seq=4294967246 ack=2001 len=100",
    "server > client ACK seq=2001 ack=50",
    "client > server PSH+ACK seq=50 ack=2001 len=100",
    "server > client ACK seq=2001 ack=150",
  ],
  read: 200,
  inOrder: true,
  "paws: dropped": 1,
  "paws: read": 200,
  "paws: inOrder": true,
});

describe("all scenarios", () => {
  it("have names of their own and both languages", () => {
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
    for (const { title, summary } of SCENARIOS) {
      for (const text of [title, summary]) {
        expect(text.en).not.toBe("");
        expect(text.ko).toMatch(/\p{Script=Hangul}|TIME-WAIT|1, 3, 2/u);
      }
    }
  });

  it("replay exactly with the same seed", async () => {
    const [one, two] = [await play("udp-next-to-tcp"), await play("udp-next-to-tcp")];
    expect(two.values).toEqual(one.values);
  });

  it("take settings, and refuse those they do not have", async () => {
    const { values } = await play("udp-next-to-tcp", { loss: 0, reorder: 0 });
    expect(values).toMatchObject({ "udp: missing": 0, "udp: out of order": 0 });
    await expect(play("time-wait", { loss: 1 })).rejects.toThrow(/no setting "loss"; it has: msl/);
  });
});
