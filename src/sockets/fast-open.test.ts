import { afterEach, describe, expect, test } from "vitest";
import { SocketLan } from "../../test/support/socket-lan.ts";
import { EAGAIN, EINPROGRESS, EISCONN, EOPNOTSUPP } from "../base/errors.ts";
import * as C from "./constants.ts";
import { socketAddress } from "./socket-address.ts";
import type { SocketHost } from "./socket-host.ts";

let lan: SocketLan;
let a: SocketHost;
let b: SocketHost;

afterEach(() => {
  for (const host of lan.hosts) host.calls.closeAll();
  lan.pass(200_000);
  lan.end();
});

const to = socketAddress("10.0.0.2", 80);

function setUp(fastOpen = 3) {
  ({ lan, a, b } = SocketLan.pair(
    { delayMs: 10 },
    { config: { tcp: { fastOpen } } },
    { config: { tcp: { fastOpen } } },
  ));
  lan.pass(100);
  const listener = b.calls.socket(C.AF_INET, C.SOCK_STREAM);
  b.calls.setsockopt(listener, C.IPPROTO_TCP, C.TCP_FASTOPEN, 5);
  b.calls.bind(listener, to);
  b.calls.listen(listener, 5);
  return listener;
}

const data = new Uint8Array([1, 2, 3, 4]);

function open(): number {
  return a.calls.socket(C.AF_INET, C.SOCK_STREAM);
}

describe("RFC 7413 through the socket calls", () => {
  test("MSG_FASTOPEN: the first call asks for a cookie, the second's SYN carries data", () => {
    const listener = setUp();
    const first = open();
    expect(a.calls.sendto(first, data, 0, 4, C.MSG_FASTOPEN, to)).toBe(-EINPROGRESS);
    lan.pass(200);
    expect(a.calls.write(first, data)).toBe(4);
    expect(b.calls.accept(listener)).toBeGreaterThanOrEqual(0);

    const second = open();
    expect(a.calls.sendto(second, data, 0, 4, C.MSG_FASTOPEN, to)).toBe(4);
    lan.pass(11); // one way, no round trip
    const server = b.calls.accept(listener);
    expect(server).toBeGreaterThanOrEqual(0);
    const into = new Uint8Array(9);
    expect(b.calls.read(server, into)).toBe(4);
    expect([...into.subarray(0, 4)]).toEqual([1, 2, 3, 4]);
    expect(b.calls.write(server, data)).toBe(4);
    lan.pass(200);
    expect(a.calls.read(second, into)).toBe(4);
  });

  test("TCP_FASTOPEN_CONNECT: with a cookie connect() answers 0 at once and the first write opens", () => {
    const listener = setUp();
    const first = open();
    a.calls.sendto(first, data, 0, 4, C.MSG_FASTOPEN, to);
    lan.pass(200);
    const fd = open();
    a.calls.setsockopt(fd, C.IPPROTO_TCP, C.TCP_FASTOPEN_CONNECT, 1);
    expect(a.calls.connect(fd, to)).toBe(0);
    expect(a.calls.connect(fd, to)).toBe(-EISCONN);
    const entry = { fd, events: C.POLLOUT, revents: 0 };
    expect(a.calls.poll([entry])).toBe(1);
    expect(a.calls.read(fd, new Uint8Array(1))).toBe(-EAGAIN);
    lan.pass(100);
    expect(a.counters.tcpFastOpenActive).toBe(0);
    expect(a.calls.write(fd, data)).toBe(4);
    lan.pass(11);
    b.calls.accept(listener); // the one that asked for a cookie
    const server = b.calls.accept(listener);
    expect(b.calls.read(server, new Uint8Array(9))).toBe(4);
    lan.pass(200);
    expect(a.calls.connect(fd, to)).toBe(0);
  });

  test("what does not fit the SYN is not taken by a call that does not wait", () => {
    setUp();
    const first = open();
    a.calls.sendto(first, data, 0, 4, C.MSG_FASTOPEN, to);
    lan.pass(200);
    const fd = open();
    expect(a.calls.sendto(fd, new Uint8Array(5000), 0, 5000, C.MSG_FASTOPEN, to)).toBe(1420);
    expect(a.calls.write(fd, data)).toBe(-EAGAIN);
    lan.pass(200);
    expect(a.calls.write(fd, data)).toBe(4);
  });

  test("switched off: EOPNOTSUPP", () => {
    setUp(0);
    expect(a.calls.sendto(open(), data, 0, 4, C.MSG_FASTOPEN, to)).toBe(-EOPNOTSUPP);
  });
});
