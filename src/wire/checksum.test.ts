import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAddress } from "../base/address.ts";
import { bytesFromHex, viewOf } from "./bytes.ts";
import {
  addSums,
  checksumOf,
  pseudoSumAtIpv4,
  pseudoSumAtIpv6,
  pseudoSumIpv4,
  pseudoSumWords,
  sumBytes,
  sumIsValid,
  swapSum,
  udpChecksumOf,
  updateChecksum16,
  updateChecksum32,
} from "./checksum.ts";
import { encodeIp } from "./ip-fields.ts";
import { transportSum } from "./transport-sum.ts";

/** The definition, one 16-bit word at a time with end-around carry. */
function slowSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i] << 8) | (i + 1 < bytes.length ? bytes[i + 1] : 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

const bytes = fc.uint8Array({ maxLength: 200 });

describe("the Internet checksum", () => {
  test("RFC 1071 §3: the worked example sums to ddf2", () => {
    const example = bytesFromHex("0001 f203 f4f5 f6f7");
    expect(sumBytes(viewOf(example), 0, 8)).toBe(0xddf2);
  });

  test("RFC 1071 §1: any bytes at any offset sum as defined", () => {
    fc.assert(
      fc.property(bytes, fc.nat(9), (data, at) => {
        const memory = new Uint8Array(at + data.length + 3).fill(0xa5);
        memory.set(data, at);
        expect(sumBytes(viewOf(memory), at, data.length)).toBe(slowSum(data));
      }),
    );
  });

  test("64 KB of ff does not overflow", () => {
    const memory = new Uint8Array(65536).fill(0xff);
    expect(sumBytes(viewOf(memory), 0, 65536, 0xffff)).toBe(0xffff);
  });

  test("RFC 1071 §2: pieces add up; a piece at an odd offset is swapped", () => {
    fc.assert(
      fc.property(bytes, fc.nat(200), (data, cut) => {
        const at = Math.min(cut, data.length);
        const view = viewOf(data);
        const tail = sumBytes(view, at, data.length - at);
        const joined = addSums(sumBytes(view, 0, at), at & 1 ? swapSum(tail) : tail);
        // Zero has two forms; both mean the same on the wire.
        expect(joined % 0xffff).toBe(slowSum(data) % 0xffff);
      }),
    );
  });

  test("RFC 1624 §4: the worked example gives 0, not ffff", () => {
    expect(updateChecksum16(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });

  test("RFC 1624 §3: an updated checksum verifies like a fresh one", () => {
    const field = fc.nat(0xffffffff);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 60 }), field, (data, value) => {
        const message = data.subarray(0, data.length & ~1);
        const view = viewOf(message);
        message[0] |= 1; // not all zeros
        view.setUint16(2, 0);
        view.setUint16(2, checksumOf(sumBytes(view, 0, message.length)));
        const before32 = view.getInt32(8);
        view.setInt32(8, value);
        view.setUint16(2, updateChecksum32(view.getUint16(2), before32, value));
        expect(sumIsValid(sumBytes(view, 0, message.length))).toBe(true);
        const before16 = view.getUint16(16);
        view.setUint16(16, value);
        view.setUint16(2, updateChecksum16(view.getUint16(2), before16, value));
        expect(sumIsValid(sumBytes(view, 0, message.length))).toBe(true);
      }),
    );
  });

  test("RFC 768: a UDP checksum that computes to 0 is sent as ffff", () => {
    expect(udpChecksumOf(0xffff)).toBe(0xffff);
    expect(udpChecksumOf(0x1234)).toBe(0xedcb);
  });
});

describe("pseudo-headers", () => {
  const v4 = [parseAddress("192.0.2.1"), parseAddress("198.51.100.250")] as const;
  const v6 = [parseAddress("2001:db8::1"), parseAddress("fe80::ffff:2")] as const;

  test("RFC 9293 §3.1: read from a header, from words and from bytes they agree", () => {
    const payload = bytesFromHex("01020304 05");
    for (const [source, destination] of [v4, v6]) {
      const packet = encodeIp({ source, destination, protocol: 6 }, payload);
      const fromHeader = source.isIpv4
        ? pseudoSumAtIpv4(viewOf(packet), 0, 6, payload.length)
        : pseudoSumAtIpv6(viewOf(packet), 0, 6, payload.length);
      const words = pseudoSumWords(
        source.w0,
        source.w1,
        source.w2,
        source.w3,
        destination.w0,
        destination.w1,
        destination.w2,
        destination.w3,
        6,
        payload.length,
      );
      expect(words).toBe(fromHeader);
      const written = [
        ...source.toBytes(),
        ...destination.toBytes(),
        ...(source.isIpv4 ? [0, 6, 0, 5] : [0, 0, 0, 5, 0, 0, 0, 6]),
      ];
      expect(fromHeader).toBe(slowSum(Uint8Array.from(written)));
      expect(transportSum(payload, 6, source, destination)).toBe(
        slowSum(Uint8Array.from([...written, ...payload])),
      );
    }
    expect(pseudoSumIpv4(v4[0].w3, v4[1].w3, 6, 5)).toBe(
      pseudoSumAtIpv4(
        viewOf(encodeIp({ source: v4[0], destination: v4[1], protocol: 6 }, payload)),
        0,
        6,
        5,
      ),
    );
  });
});
