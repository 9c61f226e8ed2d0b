import { describe, expect, test } from "vitest";
import { type IpAddress, parseAddress } from "../base/address.ts";
import { parsePrefix } from "../base/prefix.ts";
import {
  ADDRESS_DEPRECATED,
  ADDRESS_PREFERRED,
  ADDRESS_TENTATIVE,
  LocalAddress,
} from "./local-addresses.ts";
import { addressScope, chooseSource, sortDestinations } from "./source-address.ts";

function candidates(...texts: string[]): LocalAddress[] {
  return texts.map((text) => {
    const [prefix, index, state] = text.split(" ");
    const states: Record<string, number> = {
      deprecated: ADDRESS_DEPRECATED,
      tentative: ADDRESS_TENTATIVE,
    };
    return new LocalAddress(
      parsePrefix(prefix!),
      Number(index ?? 2),
      "static",
      states[state ?? ""] ?? ADDRESS_PREFERRED,
    );
  });
}

function choose(destination: string, ...texts: string[]): string | undefined {
  const d = parseAddress(destination);
  const chosen = chooseSource(candidates(...texts), d, d, 2);
  return chosen === undefined ? undefined : String(chosen.withScope(0));
}

describe("RFC 6724 §10.1: the examples of source address selection", () => {
  test.each([
    ["2001:db8:1::1", ["2001:db8:3::1/64", "fe80::1/64"], "2001:db8:3::1"],
    ["ff05::1", ["2001:db8:3::1/64", "fe80::1/64"], "2001:db8:3::1"],
    ["2001:db8:1::1", ["2001:db8:1::1/64 2 deprecated", "2001:db8:3::1/64"], "2001:db8:1::1"],
    ["fe80::1", ["fe80::2/64 2 deprecated", "2001:db8:1::1/64"], "fe80::2"],
    ["2001:db8:1::1", ["2001:db8:1::2/64", "2001:db8:3::2/64"], "2001:db8:1::2"],
    [
      "2002:c633:6401::1",
      ["2002:c633:6401:0:d5e3:7953:13eb:22e8/64", "2001:db8:1::2/64"],
      "2002:c633:6401:0:d5e3:7953:13eb:22e8",
    ],
  ] as const)("to %s from %j: %s", (destination, sources, expected) => {
    expect(choose(destination, ...sources)).toBe(expected);
  });

  test("rule 3: a deprecated address only when there is no other of the scope", () => {
    expect(choose("2001:db8:1::9", "2001:db8:1::1/64 2 deprecated", "2001:db8:2::1/64")).toBe(
      "2001:db8:2::1",
    );
    expect(choose("2001:db8:1::9", "2001:db8:1::1/64 2 deprecated")).toBe("2001:db8:1::1");
  });

  test("rule 5: the outgoing interface's address", () => {
    expect(choose("2001:db8:1::9", "2001:db8:1::1/64 3", "2001:db8:2::1/64 2")).toBe(
      "2001:db8:2::1",
    );
  });

  test("an address that is still being checked is not chosen", () => {
    expect(choose("2001:db8:1::9", "2001:db8:1::1/64 2 tentative")).toBeUndefined();
  });
});

describe("RFC 1122 §3.3.4.3: IPv4", () => {
  test("the address on the next hop's subnet, else the first", () => {
    expect(choose("10.1.0.9", "10.0.0.1/24", "10.1.0.1/24")).toBe("10.1.0.1");
    expect(choose("8.8.8.8", "10.0.0.1/24", "10.1.0.1/24")).toBe("10.0.0.1");
    expect(choose("8.8.8.8", "169.254.1.1/16", "10.1.0.1/24")).toBe("10.1.0.1");
  });
  test("families do not mix", () => {
    expect(choose("10.0.0.9", "fd00::1/64")).toBeUndefined();
  });
});

describe("RFC 6724 §10.2: destination address selection", () => {
  const sort = (...pairs: [string, string | undefined][]) =>
    sortDestinations(
      pairs.map(([address, source]) => ({
        address: parseAddress(address),
        source: source === undefined ? undefined : parseAddress(source),
      })),
    ).map((choice) => String(choice.address));

  test.each([
    [
      [
        ["2001:db8:1::1", "2001:db8:1::2"],
        ["198.51.100.121", "169.254.13.78"],
      ],
      "2001:db8:1::1",
    ],
    [
      [
        ["2001:db8:1::1", "fe80::1"],
        ["198.51.100.121", "198.51.100.117"],
      ],
      "198.51.100.121",
    ],
    [
      [
        ["2001:db8:1::1", "2001:db8:1::2"],
        ["10.1.2.3", "10.1.2.4"],
      ],
      "2001:db8:1::1",
    ],
    [
      [
        ["2001:db8:1::1", "2001:db8:1::2"],
        ["fe80::1", "fe80::2"],
      ],
      "fe80::1",
    ],
    [
      [
        ["2001:db8:1::1", undefined],
        ["10.0.0.1", "10.0.0.2"],
      ],
      "10.0.0.1",
    ],
  ] as [[string, string | undefined][], string][])("%j: first %s", (pairs, first) => {
    expect(sort(...pairs)[0]).toBe(first);
  });

  test("IPv4 addresses keep the order they came in", () => {
    expect(sort(["10.0.0.200", "10.0.0.2"], ["10.0.0.3", "10.0.0.2"])).toEqual([
      "10.0.0.200",
      "10.0.0.3",
    ]);
  });
});

test("RFC 6724 §3.1: scopes", () => {
  const scope = (text: string) => addressScope(parseAddress(text) as IpAddress);
  expect(
    ["fe80::1", "::1", "2001:db8::1", "ff02::1", "ff0e::1", "169.254.1.1", "10.0.0.1"].map(scope),
  ).toEqual([2, 2, 14, 2, 14, 2, 14]);
});
