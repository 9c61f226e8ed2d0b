import { afterEach, describe, expect, test } from "vitest";
import { Lan } from "../../test/support/lan.ts";
import { parseAddress } from "../base/address.ts";

let lan = new Lan();
afterEach(() => lan.end());

function pair(mtu = 1500) {
  lan = new Lan();
  const a = lan.host("a");
  const b = lan.host("b");
  const pa = lan.port({ mtu });
  const pb = lan.port({ mtu });
  lan.join(pa, pb);
  const ia = a.addInterface(pa, { addresses: ["10.0.0.1/24", "fd00::1/64"] });
  const ib = b.addInterface(pb, { addresses: ["10.0.0.2/24", "fd00::2/64"] });
  return { a, b, pa, pb, ia, ib };
}

describe("two hosts on a cable", () => {
  for (const address of ["10.0.0.2", "fd00::2"]) {
    for (const size of [0, 56, 1472, 1473, 1452, 1453, 8000, 65_000]) {
      test(`ping ${address} with ${size} bytes`, () => {
        const { a } = pair();
        expect(lan.ping(a, parseAddress(address), { size })).toMatchObject({
          errno: 0,
          size,
          ttl: 64,
        });
      });
    }
  }
});
