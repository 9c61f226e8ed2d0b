import { describe, expect, test } from "vitest";
import { parseAddress } from "../base/address.ts";
import type { IcmpPacket, TcpPacket } from "./ast.ts";
import { buildIcmp, buildTcp } from "./build.ts";
import { type CompareOptions, compareTcp, describeTcp, learn, merge } from "./compare.ts";
import { Flow } from "./flow.ts";
import { type LiveTcp, readLivePacket } from "./live-packet.ts";
import { parseScript } from "./parser.ts";

const STRICT: CompareOptions = { ignorePush: false, timestampTickUs: 0, toleranceUs: 4000 };

function flow(version: 4 | 6 = 4, localIsn?: number, remoteIsn?: number): Flow {
  const local = parseAddress(version === 4 ? "192.168.0.1" : "fd3d::1");
  const remote = parseAddress(version === 4 ? "192.0.2.1" : "fd3d::2");
  const made = new Flow("tcp", local, 8080, remote, 40_000, true);
  made.localIsn = localIsn;
  made.remoteIsn = remoteIsn;
  return made;
}

function line<T>(text: string): T {
  return parseScript(`0 ${text}`).events[0]!.action as T;
}

/** The bytes of an inbound line, read back as if the stack had sent them. */
function live(text: string, f: Flow): LiveTcp {
  const packet = readLivePacket(buildTcp(line<TcpPacket>(text), f), 0);
  if (packet?.kind !== "tcp") throw new Error("not a TCP packet");
  return packet;
}

/** A segment that the stack might have sent: built the other way round. */
function sent(text: string, localIsn: number, remoteIsn: number): LiveTcp {
  const there = flow(4, remoteIsn, localIsn);
  [there.localAddress, there.remoteAddress] = [there.remoteAddress, there.localAddress];
  [there.localPort, there.remotePort] = [there.remotePort, there.localPort];
  return live(text, there);
}

describe("inbound packets", () => {
  test.each([4, 6] as const)(
    "IPv%i: checksums are right, numbers are relative to the ISNs",
    (v) => {
      const f = flow(v, -100, 0x7fffffff);
      const packet = live("< P. 1:11(10) ack 1 win 257 <nop,nop,sack 101:201>", f);
      expect(packet.fault).toBeUndefined();
      expect(packet).toMatchObject({
        isIpv4: v === 4,
        sourcePort: 40_000,
        destinationPort: 8080,
        sequence: 0x80000000 | 0,
        ack: -99,
        flags: 0x18,
        window: 257,
        payloadLength: 10,
      });
      expect(packet.options[2]).toEqual({ kind: "sack", blocks: [{ left: 1, right: 101 }] });
    },
  );

  test("a SYN's sequence number is taken as it stands, absolute ones too", () => {
    const f = flow(4, 500, 7);
    expect(live("< S 1000:1000(0) win 1", f).sequence).toBe(1000);
    expect(live("< . 5:5(0)! ack 1", f)).toMatchObject({ sequence: 5, ack: 501 });
    expect(live("< R 5:5(0)", f)).toMatchObject({ sequence: 12, ack: 0 });
  });

  test("ECN, DSCP, TTL and flow label reach the header", () => {
    expect(live("< [ce] . 1:1(0) ack 1", flow())).toMatchObject({ tos: 3, ttl: 255 });
    expect(live("< (ef, ecn ect0, ttl 3) . 1:1(0)", flow())).toMatchObject({ tos: 0xba, ttl: 3 });
    expect(live("< [flowlabel 0x12345] . 1:1(0)", flow(6)).flowLabel).toBe(0x12345);
  });

  test("an echoed timestamp is the live one, unless absolute", () => {
    const f = flow(4, 0, 0);
    f.learnTimestamp(100, 987_654);
    expect(live("< . 1:1(0) ack 1 <TS val 5 ecr 100>", f).options[0]).toMatchObject({
      value: 5,
      echo: 987_654,
    });
    expect(live("< . 1:1(0) ack 1 <TS val 5 ecr 103>", f).options[0]).toMatchObject({
      echo: 987_657,
    });
    expect(live("< . 1:1(0) ack 1 <TS val 5 ecr 100!>", f).options[0]).toMatchObject({ echo: 100 });
  });

  test("RFC 1191: frag_needed quotes our packet and carries the MTU", () => {
    const f = flow(4, 1000, 0);
    const bytes = buildIcmp(
      line<IcmpPacket>("< icmp unreachable frag_needed mtu 1200 [1:1461(1460)]"),
      f,
    );
    const view = new DataView(bytes.buffer);
    expect([bytes[20], bytes[21], view.getUint32(24)]).toEqual([3, 4, 1200]);
    // The quoted datagram: total length, addresses, ports, sequence number.
    expect(view.getUint16(30)).toBe(1500);
    expect([...bytes.subarray(40, 48)]).toEqual([192, 168, 0, 1, 192, 0, 2, 1]);
    expect([view.getUint16(48), view.getUint16(50), view.getUint32(52)]).toEqual([
      8080, 40_000, 1001,
    ]);
  });
});

describe("outbound packets against the script", () => {
  const check = (script: string, actual: string, options: Partial<CompareOptions> = {}) => {
    const f = flow(4, 70_000, -5);
    const packet = sent(actual, 70_000, -5);
    const expected = line<TcpPacket>(script);
    learn(expected, packet, f);
    return compareTcp(expected, packet, f, { ...STRICT, ...options });
  };

  test("the same packet has no differences and prints alike", () => {
    const text = "P. 1:101(100) ack 1 win 257 <nop,nop,TS val 7 ecr 9>";
    const { differences, expected, actual } = check(`> ${text}`, `< ${text}`);
    expect(differences).toEqual([]);
    expect([expected, actual]).toEqual([text, text]);
  });

  test.each([
    ["> . 1:101(100) ack 1", "< P. 1:101(100) ack 1", "flags"],
    ["> . 1:101(100) ack 1", "< . 2:102(100) ack 1", "sequence number"],
    ["> . 1:101(100) ack 1", "< . 1:100(99) ack 1", "payload length"],
    ["> . 1:1(0) ack 2", "< . 1:1(0) ack 1", "acknowledgment number"],
    ["> . 1:1(0) ack 1 win 5", "< . 1:1(0) ack 1 win 6", "window"],
    ["> . 1:1(0) ack 1 <nop,nop>", "< . 1:1(0) ack 1 <nop,nop,nop,nop>", "TCP options"],
    [
      "> S. 0:0(0) ack 4294967292 <mss 1460,sackOK,nop,nop>",
      "< S. 70000:70000(0) ack 1 <mss 1460,nop,nop,sackOK>",
      "TCP options",
    ],
    ["> . 1:1(0) ack 1 <nop,nop,sack 1:2>", "< . 1:1(0) ack 1 <nop,nop,sack 1:3>", "TCP options"],
    [
      "> . 1:1(0) ack 1 <nop,nop,TS val 1 ecr 2>",
      "< . 1:1(0) ack 1 <nop,nop,TS val 1 ecr 3>",
      "TCP options",
    ],
    ["> [ect0] . 1:1(0) ack 1", "< . 1:1(0) ack 1", "ECN codepoint"],
    ["> (ttl 4) . 1:1(0) ack 1", "< (ttl 5) . 1:1(0) ack 1", "time to live"],
    ["> R 1:1(0)", "< R 1:1(0) ack 1!", "acknowledgment number"],
  ])("%s is not %s: %s", (script, actual, difference) => {
    expect(check(script, actual).differences).toEqual([difference]);
  });

  test("what the script leaves open is not compared", () => {
    expect(
      check("> . ...(100) ack 1 <...>", "< . 9:109(100) ack 1 win 5 <mss 5>").differences,
    ).toEqual([]);
    expect(
      check("> . 1:2(1) ack 1", "< P. 1:2(1) ack 1", { ignorePush: true }).differences,
    ).toEqual([]);
  });

  test("timestamps: the first pair is the base, later ones are checked by tick", () => {
    const f = flow(4, 0, 0);
    const step = (script: number, actual: number) => {
      const expected = line<TcpPacket>(`> . 1:1(0) ack 1 <nop,nop,TS val ${script} ecr 0>`);
      const packet = sent(`< . 1:1(0) ack 1 <nop,nop,TS val ${actual} ecr 0>`, 0, 0);
      learn(expected, packet, f);
      return compareTcp(expected, packet, f, { ...STRICT, timestampTickUs: 1000 }).differences;
    };
    expect(step(100, 55_555)).toEqual([]);
    expect(step(204, 55_655)).toEqual([]);
    expect(step(205, 55_655)).toEqual(["timestamp"]);
  });
});

describe("bursts, as offload would show them", () => {
  test("segments that continue each other merge; PSH and FIN come from the last", () => {
    const one = sent("< . 1:1001(1000) ack 1 win 9", 0, 0);
    const two = sent("< FP. 1001:1501(500) ack 1 win 9", 0, 0);
    expect(describeTcp(merge(one, two)!, flow(4, 0, 0))).toBe("FP. 1:1501(1500) ack 1 win 9");
  });

  test.each([
    ["a gap", "< . 1002:1502(500) ack 1 win 9"],
    ["another window", "< . 1001:1501(500) ack 1 win 8"],
    ["another acknowledgment", "< . 1001:1501(500) ack 2 win 9"],
    ["other options", "< . 1001:1501(500) ack 1 win 9 <nop,nop,nop,nop>"],
    ["other flags", "< E. 1001:1501(500) ack 1 win 9"],
    ["another ECN codepoint", "< [ce] . 1001:1501(500) ack 1 win 9"],
    ["no data", "< . 1001:1001(0) ack 1 win 9"],
  ])("%s: not merged", (_, text) => {
    const one = sent("< . 1:1001(1000) ack 1 win 9", 0, 0);
    expect(merge(one, sent(text, 0, 0))).toBeUndefined();
  });

  test("another time: not merged", () => {
    const one = sent("< . 1:1001(1000) ack 1", 0, 0);
    const two = { ...sent("< . 1001:1501(500) ack 1", 0, 0), timeUs: 1 };
    expect(merge(one, two)).toBeUndefined();
  });
});
