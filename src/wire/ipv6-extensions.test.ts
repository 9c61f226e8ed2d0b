import { describe, expect, test } from "vitest";
import { parseAddress } from "../base/address.ts";
import { bytesFromHex, viewOf } from "./bytes.ts";
import { encodeIpv6 } from "./ip-fields.ts";
import {
  Ipv6Walk,
  PROBLEM_FIELD,
  PROBLEM_NEXT_HEADER,
  PROBLEM_OPTION,
  WALK_DROP,
  WALK_FRAGMENT,
  WALK_PROBLEM,
  WALK_UPPER,
  walkIpv6Extensions,
  writeFragmentHeader,
} from "./ipv6-extensions.ts";

const source = parseAddress("fd00::1");
const destination = parseAddress("fd00::2");

/** Walks a packet whose first next header and bytes behind the fixed header are given. */
function walk(nextHeader: number, hex: string): Ipv6Walk {
  const packet = encodeIpv6({ source, destination, nextHeader }, bytesFromHex(hex));
  // Not at offset 0, so that absolute and relative offsets cannot be mistaken for one another.
  const memory = new Uint8Array(packet.length + 100).fill(0xee);
  memory.set(packet, 50);
  const result = new Ipv6Walk();
  expect(walkIpv6Extensions(viewOf(memory), 50, packet.length, result)).toBe(result.status);
  return result;
}

const UDP8 = "0001000200080000";

describe("RFC 8200 §4: extension headers", () => {
  test("without any, the upper protocol starts behind the fixed header", () => {
    expect(walk(17, UDP8)).toMatchObject({
      status: WALK_UPPER,
      protocol: 17,
      offset: 90,
      length: 8,
      nextHeaderPointer: 6,
      fragmentAt: -1,
    });
  });

  test("§4.1: hop-by-hop, destination options and routing with none left are stepped over", () => {
    const found = walk(0, `3c00 0502 0000 0100 2b00 0104 00000000 1100 0000 00000000 ${UDP8}`);
    expect(found).toMatchObject({
      status: WALK_UPPER,
      protocol: 17,
      offset: 50 + 40 + 24,
      length: 8,
      nextHeaderPointer: 56,
      routerAlert: 0,
    });
  });

  test("§4: hop-by-hop options behind another header are an unknown next header", () => {
    expect(walk(60, `0000 0104 00000000 1100 0104 00000000 ${UDP8}`)).toMatchObject({
      status: WALK_PROBLEM,
      code: PROBLEM_NEXT_HEADER,
      pointer: 40,
    });
  });

  test.each([
    ["1e", WALK_UPPER, 0, 0, false],
    ["5e", WALK_DROP, 0, 0, false],
    ["9e", WALK_PROBLEM, PROBLEM_OPTION, 42, true],
    ["de", WALK_PROBLEM, PROBLEM_OPTION, 42, false],
  ])(
    "§4.2: unknown option %s is treated as its two high bits say",
    (option, status, code, pointer, evenIfMulticast) => {
      const found = walk(60, `1100 ${option}04 00000000 ${UDP8}`);
      expect(found).toMatchObject({ status, code, pointer, evenIfMulticast });
    },
  );

  test("§4.4, RFC 5095: a routing header with segments left is refused at its type", () => {
    expect(walk(43, `1100 0001 00000000 ${UDP8}`)).toMatchObject({
      status: WALK_PROBLEM,
      code: PROBLEM_FIELD,
      pointer: 42,
    });
  });

  test("§4.5: a fragment stops the walk and gives its fields", () => {
    expect(walk(44, `1100 05a9 89abcdef ${UDP8}`)).toMatchObject({
      status: WALK_FRAGMENT,
      protocol: 17,
      fragmentAt: 90,
      offset: 98,
      length: 8,
      fragmentOffset: 0x5a8,
      moreFragments: true,
      fragmentId: 0x89abcdef | 0,
      nextHeaderPointer: 6,
    });
  });

  test("RFC 6946: an atomic fragment is a whole packet", () => {
    expect(walk(44, `1100 0000 00000007 ${UDP8}`)).toMatchObject({
      status: WALK_UPPER,
      protocol: 17,
      offset: 98,
      fragmentAt: 90,
      fragmentId: 7,
      moreFragments: false,
      nextHeaderPointer: 40,
    });
  });

  test("a walk leaves nothing behind for the next", () => {
    const packet = encodeIpv6({ source, destination, nextHeader: 17 }, bytesFromHex(UDP8));
    const used = walk(44, `1100 05a9 89abcdef ${UDP8}`);
    walkIpv6Extensions(viewOf(packet), 0, packet.length, used);
    expect(used).toMatchObject({ status: WALK_UPPER, fragmentAt: -1, fragmentOffset: 0 });
  });

  test("what is cut off is dropped: header, its length, an option", () => {
    expect(walk(60, "1100").status).toBe(WALK_DROP);
    expect(walk(60, "1101 0104 00000000").status).toBe(WALK_DROP);
    expect(walk(60, `1100 1e05 00000000 ${UDP8}`).status).toBe(WALK_DROP);
    expect(walk(60, `1100 0103 000000 1e ${UDP8}`).status).toBe(WALK_DROP);
    expect(walk(44, "1100 0000").status).toBe(WALK_DROP);
  });

  test("RFC 8504 §5.3: chains and option lists have a limit", () => {
    const options = "3c00010400000000";
    expect(walk(60, `${options.repeat(7)}1100010400000000${UDP8}`).status).toBe(WALK_UPPER);
    expect(walk(60, `${options.repeat(8)}1100010400000000${UDP8}`).status).toBe(WALK_DROP);
    const many = (n: number) => `1104${"1e00".repeat(n)}${"00".repeat(38 - 2 * n)}${UDP8}`;
    expect(walk(60, many(16)).status).toBe(WALK_UPPER);
    expect(walk(60, many(17)).status).toBe(WALK_DROP);
  });

  test("§4.5: a written fragment header is read back", () => {
    const header = new Uint8Array(16);
    writeFragmentHeader(viewOf(header), 0, 6, 1232, false, -2);
    const found = new Ipv6Walk();
    const packet = encodeIpv6({ source, destination, nextHeader: 44 }, header);
    walkIpv6Extensions(viewOf(packet), 0, packet.length, found);
    expect(found).toMatchObject({
      status: WALK_FRAGMENT,
      protocol: 6,
      fragmentOffset: 1232,
      moreFragments: false,
      fragmentId: -2,
    });
  });
});
