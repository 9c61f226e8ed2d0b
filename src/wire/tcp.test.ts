import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAddress } from "../base/address.ts";
import { bytesFromHex, concatBytes, hexOf, viewOf } from "./bytes.ts";
import { ACK, AE, CWR, ECE, FIN, SYN, tcpPorts, tcpSequenceLength, validateTcp } from "./tcp.ts";
import { decodeTcp, encodeTcp } from "./tcp-fields.ts";
import {
  padOptions,
  parseTcpOptions,
  TcpOptions,
  writeFastOpen,
  writeMss,
  writeSackBlock,
  writeSackHead,
  writeSackPermitted,
  writeSackPermittedTimestamps,
  writeTimestamps,
  writeWindowScale,
} from "./tcp-options.ts";
import { decodeTcpOptions, encodeTcpOptions, type TcpOption } from "./tcp-options-fields.ts";
import { transportSum } from "./transport-sum.ts";
import { BAD_HEADER_LENGTH, BAD_OPTION, BAD_TRUNCATED, OK } from "./verdict.ts";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const data = (max: number) => fc.uint8Array({ maxLength: max });

const option: fc.Arbitrary<TcpOption> = fc.oneof(
  fc.constant<TcpOption>({ kind: "nop" }),
  fc.record({ kind: fc.constant("mss" as const), mss: fc.nat(0xffff) }),
  fc.record({ kind: fc.constant("wscale" as const), shift: fc.nat(255) }),
  fc.constant<TcpOption>({ kind: "sackOK" }),
  fc.record({
    kind: fc.constant("sack" as const),
    blocks: fc.array(fc.tuple(int32, int32), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant("timestamps" as const), val: int32, ecr: int32 }),
  fc.record({
    kind: fc.constant("fastOpen" as const),
    cookie: data(16),
    experimental: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("md5" as const),
    digest: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  }),
  fc.record({ kind: fc.constant("userTimeout" as const), raw: fc.nat(0xffff) }),
  fc.record({
    kind: fc.constant("other" as const),
    number: fc.integer({ min: 70, max: 200 }),
    data: data(8),
  }),
);
const optionList = fc
  .array(option, { maxLength: 6 })
  .filter((list) => encodeTcpOptions(list).length <= 40);

/** Parses options given in hex, standing somewhere inside a larger memory. */
function parse(hex: string): TcpOptions & { verdict: number } {
  const bytes = bytesFromHex(hex);
  const memory = new Uint8Array(bytes.length + 30).fill(2);
  memory.set(bytes, 10);
  const options = new TcpOptions();
  const verdict = parseTcpOptions(viewOf(memory), 10, bytes.length, options);
  return Object.assign(options, { verdict });
}

describe("TCP headers", () => {
  test("RFC 9293 §3.1: a SYN in bytes", () => {
    const syn = encodeTcp({
      sourcePort: 1234,
      destinationPort: 80,
      sequence: 0xfffffff0,
      flags: SYN | ECE | CWR | AE,
      rawWindow: 64240,
      options: [{ kind: "mss", mss: 1460 }, { kind: "sackOK" }],
    });
    expect(hexOf(syn)).toBe(
      ["04d20050", "fffffff0", "00000000", "71c2faf0", "00000000", "020405b4", "04020000"].join(""),
    );
    expect(tcpPorts(viewOf(syn), 0)).toBe(0x04d20050);
  });

  test("any segment survives the wire with a valid checksum, in both families", () => {
    const fields = fc.record({
      sourcePort: fc.nat(0xffff),
      destinationPort: fc.nat(0xffff),
      sequence: int32,
      acknowledgment: int32,
      flags: fc.nat(0x1ff),
      reserved: fc.nat(7),
      rawWindow: fc.nat(0xffff),
      urgentPointer: fc.nat(0xffff),
    });
    const ends = fc.constantFrom(["10.0.0.1", "10.0.0.2"], ["fd00::1", "fe80::2"]);
    fc.assert(
      fc.property(fields, optionList, data(50), ends, (given, options, payload, [a, b]) => {
        const [source, destination] = [parseAddress(a), parseAddress(b)];
        const bytes = encodeTcp({ ...given, options }, payload, source, destination);
        expect(transportSum(bytes, 6, source, destination)).toBe(0xffff);
        expect(validateTcp(viewOf(bytes), 0, bytes.length)).toBe(OK);
        const read = decodeTcp(viewOf(bytes), 0, bytes.length);
        expect(read).toMatchObject(given);
        expect(read?.payloadLength).toBe(payload.length);
        const padding = read?.options.slice(options.length) ?? [];
        expect(read?.options.slice(0, options.length)).toEqual(options);
        expect(padding.length).toBeLessThan(4);
        expect(padding.every(({ kind }) => kind === "eol")).toBe(true);
      }),
    );
  });

  test("RFC 9293 §3.1: a data offset under 5 or beyond the segment is refused", () => {
    const bytes = encodeTcp({ sourcePort: 1, destinationPort: 2, flags: ACK });
    const view = viewOf(bytes);
    expect(validateTcp(view, 0, 19)).toBe(BAD_TRUNCATED);
    bytes[12] = 0x40;
    expect(validateTcp(view, 0, 20)).toBe(BAD_HEADER_LENGTH);
    bytes[12] = 0x60;
    expect(validateTcp(view, 0, 20)).toBe(BAD_HEADER_LENGTH);
    expect(decodeTcp(view, 0, 20)).toBeUndefined();
  });

  test("RFC 9293 §3.4: SYN and FIN take one number each", () => {
    expect(tcpSequenceLength(SYN, 0)).toBe(1);
    expect(tcpSequenceLength(FIN | ACK, 10)).toBe(11);
    expect(tcpSequenceLength(SYN | FIN, 0)).toBe(2);
    expect(tcpSequenceLength(ACK, 5)).toBe(5);
  });
});

describe("TCP options in place", () => {
  test("RFC 7323 appendix A: nop, nop, timestamps", () => {
    const found = parse("0101080a 80000001 fffffffe");
    expect(found).toMatchObject({
      verdict: OK,
      hasTimestamps: true,
      tsVal: -(2 ** 31) + 1,
      tsEcr: -2,
    });
    // The same, not aligned, by the general way.
    expect(parse("080a 80000001 fffffffe 0101")).toMatchObject({
      hasTimestamps: true,
      tsVal: -(2 ** 31) + 1,
      tsEcr: -2,
    });
  });

  test("a Linux SYN: mss, sackOK, timestamps, nop, wscale", () => {
    expect(parse("020405b4 0402080a 00000064 00000000 01030307")).toMatchObject({
      verdict: OK,
      mss: 1460,
      sackPermitted: true,
      hasTimestamps: true,
      tsVal: 100,
      windowScale: 7,
      sackCount: 0,
      unknownCount: 0,
    });
  });

  test("RFC 2018 §3: blocks in order, at most four, odd sizes ignored", () => {
    const found = parse("0101 0512 00000001 00000002 fffffff0 00000010");
    expect(found.sackCount).toBe(2);
    expect([...found.sack.subarray(0, 4)]).toEqual([1, 2, -16, 16]);
    expect(parse("050c 00000001 00000002 0000").sackCount).toBe(0);
    expect(parse("0502").sackCount).toBe(0);
  });

  test("RFC 7413 §4.1.1: cookie, request, experimental form, and lengths that are ignored", () => {
    expect(parse("220a 0102030405060708")).toMatchObject({
      fastOpenAt: 12,
      fastOpenLength: 8,
      fastOpenExperimental: false,
    });
    expect(parse("2202")).toMatchObject({ fastOpenAt: 12, fastOpenLength: 0 });
    expect(parse("fe08f989 01020304")).toMatchObject({
      fastOpenAt: 14,
      fastOpenLength: 4,
      fastOpenExperimental: true,
    });
    expect(parse("fe041234")).toMatchObject({ fastOpenAt: -1, unknownCount: 1 });
    for (const wrong of ["2204 0102", "2207 0102030405", `2214 ${"00".repeat(18)}`]) {
      expect(parse(wrong)).toMatchObject({ verdict: OK, fastOpenAt: -1 });
    }
  });

  test("RFC 2385 §3: the digest is found; RFC 5482 §3: the user timeout; others are counted", () => {
    expect(parse(`0101 1312 ${"ab".repeat(16)} 1c048005 4504aaaa`)).toMatchObject({
      verdict: OK,
      md5At: 14,
      userTimeout: 0x8005,
      unknownCount: 1,
    });
  });

  test("RFC 9293 MUST-7: a bad length ends the parse and keeps what came before", () => {
    for (const tail of ["08", "0801", "0800", "080b" + "00".repeat(8), "ff29"]) {
      expect(parse(`020405b4${tail}`)).toMatchObject({
        verdict: BAD_OPTION,
        mss: 1460,
        hasTimestamps: false,
      });
    }
  });

  test("RFC 9293 §3.2: nothing is read behind the end of the list", () => {
    expect(parse("00 020405b4")).toMatchObject({ verdict: OK, mss: 0 });
  });

  test("a known kind with a wrong length is ignored, the next one is not", () => {
    expect(parse("020305 030400aa 040300 080b000000000000000000 01030305")).toMatchObject({
      verdict: OK,
      mss: 0,
      sackPermitted: false,
      hasTimestamps: false,
      windowScale: 5,
    });
  });

  test("a parse leaves nothing behind for the next", () => {
    const options = new TcpOptions();
    const full = bytesFromHex("020405b4 0402080a 00000064 00000000 01030307 22020101");
    parseTcpOptions(viewOf(full), 0, full.length, options);
    parseTcpOptions(viewOf(full), 0, 0, options);
    expect(options).toEqual(new TcpOptions());
  });

  test("both faces read the same from any options", () => {
    fc.assert(
      fc.property(optionList, (list) => {
        const bytes = encodeTcpOptions(list);
        const found = new TcpOptions();
        expect(parseTcpOptions(viewOf(bytes), 0, bytes.length, found)).toBe(OK);
        const last = <K extends TcpOption["kind"]>(kind: K) =>
          list.filter((o): o is Extract<TcpOption, { kind: K }> => o.kind === kind).at(-1);
        expect(found.mss).toBe(last("mss")?.mss ?? 0);
        expect(found.windowScale).toBe(last("wscale")?.shift ?? -1);
        expect(found.sackPermitted).toBe(last("sackOK") !== undefined);
        expect(found.hasTimestamps).toBe(last("timestamps") !== undefined);
        expect([found.tsVal, found.tsEcr]).toEqual([
          last("timestamps")?.val ?? 0,
          last("timestamps")?.ecr ?? 0,
        ]);
        const blocks = last("sack")?.blocks ?? [];
        expect([...found.sack.subarray(0, 2 * found.sackCount)]).toEqual(blocks.flat());
        expect(found.userTimeout).toBe(last("userTimeout")?.raw ?? -1);
        expect(found.md5At >= 0).toBe(last("md5") !== undefined);
      }),
    );
  });

  test("what the writers write is read back by the decoder", () => {
    const bytes = new Uint8Array(80);
    const view = viewOf(bytes);
    const cookie = viewOf(bytesFromHex("00 a1a2a3a4a5a6"));
    let at = writeMss(view, 0, 65535);
    at = writeWindowScale(view, at, 14);
    at = writeSackPermitted(view, at);
    at = writeTimestamps(view, at, -1, 7);
    at = writeSackHead(view, at, 2);
    at = writeSackBlock(view, at, -5, 5);
    at = writeSackBlock(view, at, 1, 2);
    at = writeFastOpen(view, at, cookie, 1, 6, false);
    at = writeFastOpen(view, at, cookie, 1, 4, true);
    expect(at).toBe(4 + 4 + 4 + 12 + 4 + 16 + 8 + 8);
    const kinds = decodeTcpOptions(view, 0, at).filter(({ kind }) => kind !== "nop");
    expect(kinds).toEqual([
      { kind: "mss", mss: 65535 },
      { kind: "wscale", shift: 14 },
      { kind: "sackOK" },
      { kind: "timestamps", val: -1, ecr: 7 },
      {
        kind: "sack",
        blocks: [
          [-5, 5],
          [1, 2],
        ],
      },
      { kind: "fastOpen", cookie: bytesFromHex("a1a2a3a4a5a6"), experimental: false },
      { kind: "fastOpen", cookie: bytesFromHex("a1a2a3a4"), experimental: true },
    ]);
    expect(writeSackPermittedTimestamps(view, 0, 3, 4)).toBe(12);
    expect(decodeTcpOptions(view, 0, 12)).toEqual([
      { kind: "sackOK" },
      { kind: "timestamps", val: 3, ecr: 4 },
    ]);
    expect(padOptions(view, 0, 5)).toBe(8);
    expect([...bytes.subarray(5, 8)]).toEqual([1, 1, 1]);
  });

  test("any bytes decode to options that encode to the same bytes", () => {
    fc.assert(
      fc.property(data(40), (bytes) => {
        const options = decodeTcpOptions(viewOf(bytes), 0, bytes.length);
        const padding = new Uint8Array(-bytes.length & 3);
        expect(hexOf(encodeTcpOptions(options))).toBe(hexOf(concatBytes(bytes, padding)));
      }),
      { numRuns: 500 },
    );
  });
});
