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

describe("interfaces at run time", () => {
  test("addresses come and go", () => {
    const { a, b, ib } = pair();
    ib.addAddress("10.0.0.77/24");
    expect(lan.ping(a, parseAddress("10.0.0.77"))).toMatchObject({ errno: 0 });
    expect(b.isLocalAddress(parseAddress("10.0.0.77"))).toBe(true);
    expect(ib.removeAddress("10.0.0.77")).toBe(true);
    expect(ib.removeAddress("10.0.0.77")).toBe(false);
    expect(lan.ping(a, parseAddress("10.0.0.77"))).toMatchObject({ errno: 110 });
    expect(b.isLocalAddress(parseAddress("10.0.0.77"))).toBe(false);
  });

  test("the subnet's route stays while another address is on it", () => {
    const { a, ia } = pair();
    const to = () => a.routes.list().map((route) => route.destination);
    expect(to()).toEqual(["10.0.0.0/24", "fd00::/64"]);
    ia.addAddress("10.0.0.9/24");
    ia.removeAddress("10.0.0.1");
    expect(to()).toContain("10.0.0.0/24");
    ia.removeAddress("10.0.0.9");
    expect(to()).toEqual(["fd00::/64"]);
  });

  test("down and up again, link down and up again", () => {
    const { a, ia, pa } = pair();
    const to = parseAddress("10.0.0.2");
    ia.down();
    expect(lan.ping(a, to)).toMatchObject({ errno: 101 });
    ia.up();
    expect(lan.ping(a, to)).toMatchObject({ errno: 0 });
    pa.setLink(false);
    expect(lan.ping(a, to)).toMatchObject({ errno: 110 });
    pa.setLink(true);
    expect(lan.ping(a, to)).toMatchObject({ errno: 0 });
  });

  test("an interface taken away takes its addresses and routes along", () => {
    const { a, ia } = pair();
    lan.ping(a, parseAddress("10.0.0.2"));
    ia.remove();
    expect(a.interfaces.map((iface) => iface.name)).toEqual(["lo"]);
    expect(a.routes.list()).toEqual([]);
    expect(lan.ping(a, parseAddress("10.0.0.2"))).toMatchObject({ errno: 101 });
    expect(() => ia.addAddress("10.0.0.1/24")).toThrow("was removed");
    const port = lan.port();
    lan.join(port);
    expect(a.addInterface(port).name).toBe("eth0");
  });

  test("a device that is plugged in later with the same addresses works", () => {
    const { a, b, ib } = pair();
    lan.ping(a, parseAddress("10.0.0.2"));
    ib.remove();
    const port = lan.port();
    lan.segments[0]!.push(port);
    b.addInterface(port, { addresses: ["10.0.0.2/24"] });
    lan.run(1000);
    expect(lan.ping(a, parseAddress("10.0.0.2"))).toMatchObject({ errno: 0 });
  });
});

describe("mistakes say what to do", () => {
  test("and leave nothing behind", () => {
    lan = new Lan();
    const host = lan.host("a");
    const port = () => {
      const made = lan.port();
      lan.join(made);
      return made;
    };
    expect(() => host.addInterface(port(), { addresses: ["10.0.0.1"] })).toThrow(
      'write "10.9.0.2/24"',
    );
    expect(() => host.addInterface(port(), { addresses: ["10.0.0.1/33"] })).toThrow(
      "is not a prefix",
    );
    expect(() => host.addInterface(port(), { mac: "02:00" })).toThrow("is not a MAC address");
    expect(host.interfaces.map((iface) => iface.name)).toEqual(["lo"]);
    host.addInterface(port(), { name: "wan", addresses: ["10.0.0.1/24"] });
    expect(() => host.addInterface(port(), { name: "wan" })).toThrow("EBUSY");
    expect(() => host.routes.add({ destination: "default", gateway: "192.0.2.1" })).toThrow(
      "is on no subnet",
    );
    expect(() => host.routes.add({ destination: "10.1.0.0/16", interface: "eth9" })).toThrow(
      "there is no interface eth9",
    );
    expect(() => host.routes.add({ destination: "10.1.0.0/16" })).toThrow("needs an interface");
  });
});

describe("the core contract", () => {
  test("input never transmits and wakes the driver once; poll does what is due", () => {
    const { a, b, pa, pb } = pair();
    lan.ping(a, parseAddress("10.0.0.2"));
    lan.run(60_000_000);
    let woken = 0;
    b.onWork = () => woken++;
    expect(b.nextDeadline()).toBeGreaterThan(lan.nowUs);
    a.echo(parseAddress("10.0.0.2"), {}, () => {});
    const [frame] = pa.queue.splice(0);
    const before = pb.sent.length;
    for (let i = 0; i < 3; i++) pb.sink!.receive(frame!);
    lan.memory.release(frame!);
    expect([woken, pb.sent.length]).toEqual([1, before]);
    expect(b.nextDeadline()).toBeLessThanOrEqual(lan.nowUs);
    b.poll(lan.nowUs, 64);
    expect(pb.sent.length).toBe(before + 3);
    expect(b.nextDeadline()).toBeGreaterThan(lan.nowUs);
    lan.run();
  });

  test("live: a ping under way counts, ARP, ageing and announcements do not", () => {
    const { a } = pair();
    expect(a.live()).toBe(0);
    expect(a.nextDeadline()).toBeLessThanOrEqual(0);
    a.echo(parseAddress("10.0.0.99"), {}, () => {});
    expect(a.live()).toBe(1);
    lan.run(1_000_000);
    expect(a.live()).toBe(0);
  });

  test("a host with nothing to do comes to rest: no timer runs for ever", () => {
    const { a, b } = pair();
    lan.ping(a, parseAddress("10.0.0.2"));
    lan.ping(a, parseAddress("fd00::2"));
    lan.run(600_000_000);
    expect([a.nextDeadline(), b.nextDeadline()]).toEqual([Infinity, Infinity]);
  });

  test("a cancelled ping does not call back", () => {
    const { a } = pair();
    let calls = 0;
    const cancel = a.echo(parseAddress("10.0.0.2"), {}, () => calls++);
    cancel();
    lan.run(5_000_000);
    expect([calls, a.live()]).toEqual([0, 0]);
  });
});

test("a gateway takes what is for others, and answers in their name", () => {
  lan = new Lan();
  const a = lan.host("a");
  const gateway = lan.host("gateway");
  const [pa, pg] = [lan.port(), lan.port()];
  lan.join(pa!, pg!);
  a.addInterface(pa!, { addresses: ["10.0.0.1/24"], gateway: "10.0.0.254" });
  gateway.addInterface(pg!, { addresses: ["10.0.0.254/24"], acceptAnyDestination: true });
  expect(lan.ping(a, parseAddress("192.0.2.55"))).toMatchObject({
    errno: 0,
    from: parseAddress("192.0.2.55"),
  });
});
