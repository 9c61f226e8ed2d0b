import { describe, expect, test } from "vitest";
import { parseAddress } from "../base/address.ts";
import { parsePrefix } from "../base/prefix.ts";
import { RouteTable } from "./routes.ts";

const eth0 = { index: 2, isUp: true, isRunning: true };
const eth1 = { index: 3, isUp: true, isRunning: true };

function table() {
  let changes = 0;
  const routes = new RouteTable(() => changes++);
  const find = (text: string, index = 0) => {
    const a = parseAddress(text);
    return routes.find(a.w0, a.w1, a.w2, a.w3, index);
  };
  return { routes, find, changes: () => changes };
}

describe("RFC 1812 §5.2.4.3", () => {
  test("the longest prefix wins, whatever the order", () => {
    const { routes, find } = table();
    for (const text of ["10.0.0.0/8", "0.0.0.0/0", "10.1.2.0/24", "10.1.0.0/16", "10.1.2.3/32"]) {
      routes.add(parsePrefix(text), undefined, eth0);
    }
    const chosen = (a: string) => String(find(a)?.prefix);
    expect(["10.1.2.3", "10.1.2.4", "10.1.3.1", "10.2.0.1", "11.0.0.1"].map(chosen)).toEqual([
      "10.1.2.3/32",
      "10.1.2.0/24",
      "10.1.0.0/16",
      "10.0.0.0/8",
      "0.0.0.0/0",
    ]);
  });

  test("IPv4 and IPv6 share the table without touching: ::/0 does not carry IPv4", () => {
    const { routes, find } = table();
    routes.add(parsePrefix("::/0"), undefined, eth0);
    expect(find("2001:db8::1")).toBeDefined();
    routes.add(parsePrefix("0.0.0.0/0"), undefined, eth1);
    expect(find("10.0.0.1")!.iface).toBe(eth1);
    expect(find("2001:db8::1")!.iface).toBe(eth0);
  });

  test("of equal prefixes the lowest metric, then the first", () => {
    const { routes, find } = table();
    routes.add(parsePrefix("0.0.0.0/0"), parseAddress("10.0.0.2"), eth0, { metric: 10 });
    routes.add(parsePrefix("0.0.0.0/0"), parseAddress("10.0.0.1"), eth1, { metric: 5 });
    const third = routes.add(parsePrefix("0.0.0.0/0"), parseAddress("10.0.0.3"), eth1, {
      metric: 5,
    });
    expect(String(find("8.8.8.8")!.gateway)).toBe("10.0.0.1");
    routes.removeWhere((route) => String(route.gateway) === "10.0.0.1");
    expect(find("8.8.8.8")).toBe(third);
  });

  test("an interface asked for is the only one looked at; one that is down is not", () => {
    const { routes, find } = table();
    const down = { index: 4, isUp: false, isRunning: false };
    routes.add(parsePrefix("10.0.0.0/24"), undefined, down);
    routes.add(parsePrefix("10.0.0.0/8"), undefined, eth0);
    routes.add(parsePrefix("0.0.0.0/0"), undefined, eth1);
    expect(find("10.0.0.1")!.iface).toBe(eth0);
    expect(find("10.0.0.1", 3)!.iface).toBe(eth1);
    expect(find("10.0.0.1", 4)).toBeUndefined();
  });
});

describe("RFC 1122 §3.3.1.5: dead gateways", () => {
  test("a link that is down gives way to any other route, and is better than none", () => {
    const { routes, find } = table();
    const dead = { index: 4, isUp: true, isRunning: false };
    routes.add(parsePrefix("10.0.0.0/24"), undefined, dead);
    expect(find("10.0.0.1")!.iface).toBe(dead);
    routes.add(parsePrefix("0.0.0.0/0"), undefined, eth0);
    expect(find("10.0.0.1")!.iface).toBe(eth0);
  });

  test("a gateway in doubt stands back until the doubt is old", () => {
    const { routes, find } = table();
    const first = routes.add(parsePrefix("0.0.0.0/0"), parseAddress("10.0.0.1"), eth0);
    const second = routes.add(parsePrefix("0.0.0.0/0"), parseAddress("10.0.0.2"), eth0, {
      metric: 9,
    });
    first.doubtfulUntilUs = 30;
    expect(find("8.8.8.8")).toBe(second);
    expect(routes.age(10)).toBe(30);
    expect(find("8.8.8.8")).toBe(second);
    routes.age(30);
    expect(find("8.8.8.8")).toBe(first);
  });
});

test("a route ends with its lifetime, and every change is told", () => {
  const { routes, find, changes } = table();
  routes.add(parsePrefix("::/0"), parseAddress("fe80::1"), eth0, { expiresUs: 100 });
  expect(routes.age(99)).toBe(100);
  expect(find("2001:db8::1")).toBeDefined();
  routes.age(100);
  expect(find("2001:db8::1")).toBeUndefined();
  expect(changes()).toBe(2);
});
