import { afterEach, describe, expect, test } from "vitest";
import { type PeerOptions, TcpPeer, pattern } from "../../test/support/tcp-peer.ts";
import { SEND_MORE, SEND_URGENT } from "./calls.ts";
import type { TcpSettings } from "./settings.ts";
import type { SocketOptions } from "./socket-options.ts";

/** What a sender sends, and when: RFC 9293 §3.7.1 to §3.7.4, §3.8.5, §3.8.6, RFC 1122 §4.2.3.4. */

let t: TcpPeer;
afterEach(() => t.end());

/** MSS of a peer that names none. */
const MSS = 536;

function open(
  options: Partial<SocketOptions> = {},
  tcp: Partial<TcpSettings> = {},
  peer: PeerOptions = {},
): TcpPeer {
  t = new TcpPeer({ ...peer, tcp });
  t.establish(options);
  return t;
}

describe("RFC 9293 §3.7.4: Nagle's algorithm", () => {
  test("SHLD-7: less than a segment waits while something is unacknowledged", () => {
    open();
    t.send(100);
    t.send(100);
    t.send(100);
    expect(t.out()).toEqual(["PA 1:101 ack 1"]);
    t.in("A");
    expect(t.out()).toEqual(["PA 101:301 ack 1"]);
  });

  test("SHLD-7: a full segment does not wait", () => {
    open();
    t.send(100);
    t.send(MSS);
    expect(t.out()).toEqual(["PA 1:101 ack 1", `PA 101:${101 + MSS} ack 1`]);
  });

  test("MUST-17: the application can switch it off", () => {
    open({ nodelay: true });
    for (let i = 0; i < 3; i++) t.send(100);
    expect(t.out()).toEqual(["PA 1:101 ack 1", "PA 101:201 ack 1", "PA 201:301 ack 1"]);
  });

  test("Minshall: only another small segment holds a small one back", () => {
    open();
    // A large write leaves its small tail at once: no small segment is in flight.
    t.send(2 * MSS + 10);
    expect(t.out()).toEqual([
      `A 1:${1 + MSS} ack 1`,
      `A ${1 + MSS}:${1 + 2 * MSS} ack 1`,
      `PA ${1 + 2 * MSS}:${11 + 2 * MSS} ack 1`,
    ]);
    t.send(10);
    expect(t.out()).toEqual([]);
    t.in("A", { ack: 1 + 2 * MSS });
    expect(t.out()).toEqual([]);
    t.in("A", { ack: 11 + 2 * MSS });
    expect(t.out()).toEqual([`PA ${11 + 2 * MSS}:${21 + 2 * MSS} ack 1`]);
  });

  test("a FIN lets the rest go at once", () => {
    open();
    t.send(100);
    t.send(100);
    t.shutdown();
    expect(t.out()).toEqual(["PA 1:101 ack 1", "FPA 101:201 ack 1"]);
  });

  test("TCP_CORK: nothing less than a segment goes, until it is pulled or 200 ms are over", () => {
    open({ cork: true });
    t.send(MSS + 100);
    expect(t.out()).toEqual([`A 1:${1 + MSS} ack 1`]);
    t.in("A");
    t.run(190);
    expect(t.out()).toEqual([]);
    t.run(20);
    expect(t.out()).toEqual([`PA ${1 + MSS}:${101 + MSS} ack 1`]);
    t.in("A");
    t.send(50);
    expect(t.out()).toEqual([]);
    t.c.options = { ...t.c.options, cork: false };
    t.tcp.optionsChanged(t.c);
    t.run();
    expect(t.out()).toEqual([`PA ${101 + MSS}:${151 + MSS} ack 1`]);
  });

  test("MSG_MORE holds back like a cork until the next write without it", () => {
    open();
    t.send(100, SEND_MORE);
    expect(t.out()).toEqual([]);
    t.send(50);
    expect(t.out()).toEqual(["PA 1:151 ack 1"]);
  });
});

describe("RFC 9293 §3.9.1.2: PSH", () => {
  test("MUST-60, MUST-61: data is not kept indefinitely, and the last segment of the buffer carries PSH", () => {
    open();
    t.send(3 * MSS);
    const flags = t.segments().map((s) => s.flags);
    expect(flags).toEqual(["A", "A", "PA"]);
  });

  test("SHLD-27: successive writes that go in one segment have one PSH", () => {
    open();
    t.send(10);
    for (let i = 0; i < 5; i++) t.send(10);
    t.in("A");
    expect(t.out()).toEqual(["PA 1:11 ack 1", "PA 11:61 ack 1"]);
  });

  test("SHLD-28: segments are of the largest size when there is enough to send", () => {
    open();
    t.send(5 * MSS + 1);
    expect(t.segments().map((s) => s.length)).toEqual([MSS, MSS, MSS, MSS, MSS, 1]);
  });

  test("MAY-16, MAY-17: the receiver hands data over whether PSH is set or not", () => {
    open();
    t.in("A", { data: 10 });
    expect(t.read()).toBe(10);
    t.in("PA", { data: 10 });
    expect(t.read()).toBe(10);
  });
});

describe("RFC 9293 §3.8.6.2.1: the sender's silly window avoidance", () => {
  test("MUST-38: a usable window of less than half the largest one is not used for a piece", () => {
    t = new TcpPeer();
    t.window = 1000;
    t.establish();
    t.send(2000);
    // Whole segments, then nothing of the 464 that are left: 1000 / 2 = 500.
    expect(t.out()).toEqual([`A 1:${1 + MSS} ack 1`]);
    t.in("A", { ack: 1 + MSS });
    expect(t.out()).toEqual([`A ${1 + MSS}:${1 + 2 * MSS} ack 1`]);
  });

  test("MUST-38: half of the largest window is enough", () => {
    t = new TcpPeer();
    t.window = 400;
    t.establish();
    t.send(2000);
    expect(t.out()).toEqual(["A 1:401 ack 1"]);
    t.in("A", { ack: 401, window: 200 });
    expect(t.out()).toEqual(["A 401:601 ack 1"]);
    t.in("A", { ack: 601, window: 199 });
    expect(t.out()).toEqual([]);
  });

  test("MUST-38: the override timeout of 0.1 to 1 s sends a piece when nothing is in flight", () => {
    t = new TcpPeer();
    t.window = 400;
    t.establish();
    t.send(2000);
    t.in("A", { ack: 401, window: 50 });
    t.ignore();
    const from = t.nowMs;
    t.run(1000);
    const [piece] = t.segments();
    expect(piece!.length).toBe(50);
    expect(piece!.atMs - from).toBeGreaterThanOrEqual(100);
    expect(piece!.atMs - from).toBeLessThanOrEqual(1000);
  });

  test("all that is left goes when it fits", () => {
    t = new TcpPeer();
    t.window = 1000;
    t.establish();
    t.send(MSS + 5);
    expect(t.out()).toEqual([`A 1:${1 + MSS} ack 1`, `PA ${1 + MSS}:${6 + MSS} ack 1`]);
  });
});

describe("RFC 9293 §3.8.6: the send window", () => {
  test("MUST-1, REC-1: windows are unsigned, and with scaling have 30 bits", () => {
    t = new TcpPeer();
    t.establish({}, [{ kind: "wscale", shift: 14 }]);
    t.in("A", { window: 65_535 });
    expect(t.tcp.info(t.c).sndWnd).toBe(65_535 * 16_384);
    t.in("A", { window: 40_000 });
    expect(t.tcp.info(t.c).sndWnd).toBe(40_000 * 16_384);
  });

  test("SND.WL1, SND.WL2: an old segment does not change the window", () => {
    open();
    t.in("A", { data: 10, window: 5000 });
    t.in("A", { data: 10, window: 6000 });
    t.in("A", { seq: 1, data: 10, window: 100 });
    expect(t.tcp.info(t.c).sndWnd).toBe(6000);
  });

  test("SND.WL2: an older ACK in a segment of the same number does not either", () => {
    open();
    t.send(100);
    t.in("A", { seq: 1, ack: 101, window: 5000 });
    t.in("A", { seq: 1, ack: 1, window: 100 });
    expect(t.tcp.info(t.c).sndWnd).toBe(5000);
  });

  test("MUST-34, SHLD-15: the window shrinks: what is in flight stays, nothing new is sent", () => {
    open();
    t.send(4 * MSS);
    t.ignore();
    t.in("A", { ack: 1, window: MSS });
    t.send(4 * MSS);
    expect(t.out()).toEqual([]);
    t.in("A", { ack: 1 + MSS, window: 0 });
    expect(t.out()).toEqual([]);
    t.in("A", { ack: 1 + 4 * MSS, window: 10 * MSS });
    expect(t.out()).toHaveLength(4);
  });

  test("SHLD-16, MAY-7: old data is sent again, within the window and beyond its shrunken edge", () => {
    open();
    t.send(2 * MSS);
    t.ignore();
    t.in("A", { ack: 1, window: MSS });
    t.run(2000);
    const again = t.segments();
    expect(again.length).toBeGreaterThan(0);
    expect(again[0]!.seq).toBe(1);
  });

  test("SHLD-17: a window that shrank behind what was sent does not end the connection", () => {
    open();
    t.send(2 * MSS);
    t.in("A", { ack: 1, window: 0 });
    for (let i = 0; i < 200; i++) {
      t.run(10_000);
      t.in("A", { ack: 1, window: 0 });
    }
    expect(t.state).toBe("ESTABLISHED");
    t.in("A", { ack: 1, window: 5000 });
    t.run(200_000);
    t.in("A", { ack: 1 + 2 * MSS });
    expect(t.tcp.outq(t.c)).toBe(0);
  });
});

describe("RFC 9293 §3.8.5: urgent data", () => {
  test("MUST-30, MUST-62: the pointer names the first octet that is not urgent", () => {
    open();
    t.send(10, SEND_URGENT);
    expect(t.out()).toEqual(["PAU 1:11 ack 1 urg 10"]);
  });

  test("MUST-30: URG stays on each segment until the urgent data is sent, counted from each", () => {
    open({ nodelay: true });
    t.send(10);
    t.send(10, SEND_URGENT);
    t.send(10);
    expect(t.out()).toEqual(["PA 1:11 ack 1", "PAU 11:21 ack 1 urg 10", "PA 21:31 ack 1"]);
  });

  test("MUST-31: urgent data may be of any length", () => {
    open();
    t.send(3 * MSS, SEND_URGENT);
    expect(t.segments().map((s) => s.urgent)).toEqual([3 * MSS, 2 * MSS, MSS]);
  });

  test("MUST-32, MUST-33: the application hears of urgent data, and how much there is", () => {
    open();
    t.in("A", { data: 5 });
    expect(t.urgent).toBe(false);
    t.in("AU", { data: 10, urgent: 10 });
    expect(t.urgent).toBe(true);
    expect(t.c.urgentIn).toBe(true);
    expect((t.c.rcvUp - t.c.rcvRead) | 0).toBe(15);
    t.read();
    expect(t.c.urgentIn).toBe(false);
  });

  test("MUST-32: the pointer may run ahead of the data, and move on", () => {
    open();
    t.in("AU", { data: 10, urgent: 100 });
    expect((t.c.rcvUp - t.c.rcvRead) | 0).toBe(100);
    t.in("AU", { data: 10, urgent: 50 });
    expect((t.c.rcvUp - t.c.rcvRead) | 0).toBe(100);
    t.in("AU", { data: 10, urgent: 200 });
    expect((t.c.rcvUp - t.c.rcvRead) | 0).toBe(220);
  });

  test("a pointer without the URG bit means nothing", () => {
    open();
    t.in("A", { data: 10, urgent: 10 });
    expect(t.urgent).toBe(false);
  });

  test("the pointer of a retransmission points to the same octet", () => {
    open();
    t.send(10, SEND_URGENT);
    t.ignore();
    t.run(1500);
    expect(t.out()[0]).toBe("PAU 1:11 ack 1 urg 10");
  });
});

describe("RFC 9293 §3.7.1: segment size", () => {
  const syn = (mss: number) => [{ kind: "mss", mss }] as const;

  test("MUST-14, SHLD-5, MAY-3: the SYN names our MSS, from the MTU", () => {
    t = new TcpPeer({ mtu: 1500 });
    t.connect();
    expect(t.segments()[0]!.mss).toBe(1460);
  });

  test("SHLD-6: the MSS announced fits the interface where its MTU is less than the device's", () => {
    t = new TcpPeer({ mtu: 1500, interfaceMtu: 1400 });
    t.connect();
    expect(t.segments()[0]!.mss).toBe(1360);
  });

  test("MUST-14, MUST-67: so does the SYN-ACK; over IPv6 20 less; never with options taken off", () => {
    t = new TcpPeer({ ipv6: true, mtu: 1500, tcp: { timestamps: true } });
    t.listen();
    t.in("S", { seq: 0, options: [{ kind: "mss", mss: 1400 }] });
    expect(t.segments()[0]!.mss).toBe(1440);
  });

  test.each([
    [false, 536],
    [true, 1220],
  ])("MUST-15: a peer that names none (IPv6: %s) gets segments of at most %i", (ipv6, mss) => {
    t = new TcpPeer({ ipv6 });
    t.establish();
    t.send(5000);
    expect(t.segments()[0]!.length).toBe(mss);
  });

  test.each([1000, 1459, 1460, 1461, 9000])(
    "MUST-16: the smaller of the peer's MSS (%i) and ours",
    (mss) => {
      t = new TcpPeer({ mtu: 1500 });
      t.establish({}, syn(mss));
      t.send(20_000);
      expect(t.segments()[0]!.length).toBe(Math.min(mss, 1460));
    },
  );

  test("MUST-16: options in each segment come off the payload", () => {
    t = new TcpPeer({ mtu: 1500 });
    t.listen();
    t.in("S", {
      seq: 0,
      options: [
        { kind: "mss", mss: 1460 },
        { kind: "nop" },
        { kind: "nop" },
        { kind: "timestamps", val: 1, ecr: 0 },
      ],
    });
    t.next = 1;
    t.timestamps = 2;
    t.in("A");
    t.accept();
    t.send(20_000);
    expect(t.segments().at(-1)!.length).toBe(1448);
  });

  test("a SACK option that would make a full segment too long goes in an ACK of its own", () => {
    t = new TcpPeer({ mtu: 1500 });
    t.establish({}, [{ kind: "mss", mss: 1460 }, { kind: "sackOK" }]);
    t.in("A", { seq: 101, data: 100 });
    t.ignore();
    t.send(3000);
    for (const s of t.segments()) expect(s.packet.length).toBeLessThanOrEqual(1500);
  });

  test("MUST-65: no MSS option in segments without SYN", () => {
    open();
    t.send(5000);
    for (const s of t.segments()) expect(s.mss).toBeUndefined();
  });

  test("an MSS option in a segment without SYN is ignored", () => {
    open();
    t.in("A", { options: syn(100) });
    t.send(5000);
    expect(t.segments()[0]!.length).toBe(MSS);
  });

  test("a tiny MSS is raised to a floor", () => {
    t = new TcpPeer();
    t.establish({}, syn(1));
    t.send(200);
    expect(t.segments()[0]!.length).toBe(48);
  });

  test("TCP_MAXSEG lowers what we send and announce", () => {
    t = new TcpPeer();
    t.listen({ maxSegment: 400 });
    t.in("S", { seq: 0, options: syn(1460) });
    expect(t.segments()[0]!.mss).toBe(400);
    t.next = 1;
    t.in("A");
    t.accept();
    t.send(1000);
    expect(t.segments()[0]!.length).toBe(400);
  });
});

describe("RFC 9293 §3.8.2: congestion control", () => {
  test("MAY-18: the application can choose among conformant algorithms", () => {
    open();
    for (const name of ["reno", "cubic", "bbr"]) {
      expect(t.tcp.setCongestionControl(t.c, name)).toBe(true);
      t.send(10 * MSS);
      t.in("A");
      expect(t.tcp.info(t.c).congestionControl).toBe(name);
    }
    expect(t.tcp.setCongestionControl(t.c, "none such")).toBe(false);
  });
});

describe("RFC 9293 §3.9.2: the interface below", () => {
  test("MUST-49: the TTL can be set", () => {
    t = new TcpPeer();
    t.establish({ ttl: 7 });
    t.send(10);
    expect(t.segments()[0]!.ttl).toBe(7);
  });

  test("MUST-48, SHLD-21, SHLD-22: the Diffserv field can be set and changed, and goes out unchanged", () => {
    open({ tos: 0x28, nodelay: true });
    t.send(10);
    expect(t.segments()[0]!.tos).toBe(0x28);
    t.c.options = { ...t.c.options, tos: 0xb8 };
    t.send(10);
    expect(t.segments()[0]!.tos).toBe(0xb8);
  });

  test("MUST-2: each segment has a right checksum, over IPv4 and IPv6, of odd and even length", () => {
    for (const ipv6 of [false, true]) {
      t = new TcpPeer({ ipv6 });
      t.establish({ nodelay: true });
      for (const n of [1, 2, 3, 535, 536]) t.send(pattern(n));
      for (const s of t.segments()) {
        const { packet } = s;
        const at = ipv6 ? 40 : 20;
        const addresses = ipv6 ? packet.subarray(8, 40) : packet.subarray(12, 20);
        let sum = 6 + packet.length - at;
        for (const bytes of [addresses, packet.subarray(at)]) {
          for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
        }
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
        expect(sum).toBe(0xffff);
      }
      if (!ipv6) t.end();
    }
  });

  test("MUST-3: a wrong checksum: dropped without a word, and counted", () => {
    open();
    t.in("PA", { data: 10, checksum: 0x1234 });
    expect(t.out()).toEqual([]);
    expect(t.tcp.readable(t.c)).toBe(0);
    expect(t.counters.tcpInCsumErrors).toBe(1);
    t.next = 1;
    t.in("PA", { data: 10 });
    expect(t.read()).toBe(10);
  });
});
