import { afterEach, describe, expect, test } from "vitest";
import { SocketLan } from "../../test/support/socket-lan.ts";
import {
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EAGAIN,
  EALREADY,
  EBADF,
  ECONNREFUSED,
  ECONNRESET,
  EFAULT,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  EMFILE,
  ENETUNREACH,
  ENODEV,
  ENOENT,
  ENOPROTOOPT,
  ENOTCONN,
  ENOTTY,
  EOPNOTSUPP,
  EPIPE,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
} from "../base/errors.ts";
import * as C from "./constants.ts";
import { socketAddress, UNSPECIFIED_ADDRESS } from "./socket-address.ts";
import type { SocketHost } from "./socket-host.ts";

let lan: SocketLan;
let a: SocketHost;
let b: SocketHost;

function pair(...options: Parameters<typeof SocketLan.pair>) {
  ({ lan, a, b } = SocketLan.pair(...options));
}

afterEach(() => {
  for (const host of lan.hosts) host.calls.closeAll();
  lan.pass(200_000);
  lan.end();
});

function stream(host: SocketHost, domain = C.AF_INET): number {
  return host.calls.socket(domain, C.SOCK_STREAM);
}

function listening(host: SocketHost, address = "0.0.0.0", port = 80, backlog = 5): number {
  const name = socketAddress(address, port);
  const fd = stream(host, name.family);
  expect(host.calls.bind(fd, name)).toBe(0);
  expect(host.calls.listen(fd, backlog)).toBe(0);
  return fd;
}

/** A connected pair: client on a, server on b, and the listener. */
function connected(): { client: number; server: number; listener: number } {
  const listener = listening(b);
  const client = stream(a);
  expect(a.calls.connect(client, socketAddress("10.0.0.2", 80))).toBe(-EINPROGRESS);
  lan.pass(10);
  const server = b.calls.accept(listener);
  expect(server).toBeGreaterThanOrEqual(0);
  return { client, server, listener };
}

function option(host: SocketHost, fd: number, level: number, name: number): unknown {
  const result = { value: 0 as never };
  const code = host.calls.getsockopt(fd, level, name, result);
  return code < 0 ? code : result.value;
}

function pollBits(host: SocketHost, fd: number, events = 0xffff): number {
  const entry = { fd, events, revents: 0 };
  host.calls.poll([entry]);
  return entry.revents;
}

const IN = C.POLLIN | C.POLLRDNORM;
const OUT = C.POLLOUT | C.POLLWRNORM;

describe("descriptors", () => {
  test("POSIX: the lowest free number is given; a closed one is EBADF", () => {
    pair();
    expect([stream(a), stream(a), stream(a)]).toEqual([0, 1, 2]);
    expect(a.calls.close(1)).toBe(0);
    expect(a.calls.close(1)).toBe(-EBADF);
    expect(a.calls.close(0)).toBe(0);
    expect([stream(a), stream(a), stream(a)]).toEqual([0, 1, 3]);
  });

  test("every call on a closed descriptor is EBADF", () => {
    pair();
    const { calls } = a;
    const name = socketAddress("10.0.0.2", 80);
    const data = new Uint8Array(1);
    const results = [
      calls.bind(7, name),
      calls.listen(7, 1),
      calls.accept(7),
      calls.connect(7, name),
      calls.read(7, data),
      calls.write(7, data),
      calls.recv(7, data),
      calls.send(7, data),
      calls.recvfrom(7, data, 0, 1, 0),
      calls.sendto(7, data, 0, 1, 0, name),
      calls.sendmsg(7, { buffers: [data] }),
      calls.recvmsg(7, { buffers: [data] }),
      calls.shutdown(7, 2),
      calls.close(7),
      calls.getsockopt(7, 1, 1, { value: 0 }),
      calls.setsockopt(7, 1, 1, 0),
      calls.getsockname(7, { name: undefined }),
      calls.getpeername(7, { name: undefined }),
      calls.fcntl(7, C.F_GETFL),
      calls.ioctl(7, C.FIONREAD),
    ];
    expect(new Set(results)).toEqual(new Set([-EBADF]));
    expect(pollBits(a, 7, 0)).toBe(C.POLLNVAL);
    expect(pollBits(a, -1)).toBe(0);
  });

  test("past the limit: EMFILE, and nothing is lost in the accept queue", () => {
    pair({}, {}, { sockets: { maxDescriptors: 1 } });
    const listener = listening(b);
    expect(stream(b)).toBe(-EMFILE);
    const client = stream(a);
    a.calls.connect(client, socketAddress("10.0.0.2", 80));
    lan.pass(10);
    expect(b.calls.accept(listener)).toBe(-EMFILE);
    expect(pollBits(b, listener)).toBe(IN);
  });

  test("F_DUPFD: the socket lives until its last descriptor is closed", () => {
    pair();
    const { client, server } = connected();
    const copy = a.calls.fcntl(client, C.F_DUPFD, 10);
    expect(copy).toBe(10);
    a.calls.close(client);
    expect(a.calls.write(copy, new Uint8Array(3))).toBe(3);
    lan.pass(10);
    expect(b.calls.read(server, new Uint8Array(9))).toBe(3);
  });

  test("O_NONBLOCK by socket(), fcntl and FIONBIO", () => {
    pair();
    const fd = a.calls.socket(C.AF_INET, C.SOCK_STREAM | C.SOCK_NONBLOCK);
    expect(a.calls.fcntl(fd, C.F_GETFL)).toBe(C.O_RDWR | C.O_NONBLOCK);
    expect(a.calls.fcntl(fd, C.F_SETFL, C.O_RDWR)).toBe(0);
    expect(a.calls.fcntl(fd, C.F_GETFL)).toBe(C.O_RDWR);
    expect(a.calls.ioctl(fd, C.FIONBIO, 1)).toBe(0);
    expect(a.calls.fcntl(fd, C.F_GETFL)).toBe(C.O_RDWR | C.O_NONBLOCK);
    expect(a.calls.ioctl(fd, 0x1234)).toBe(-ENOTTY);
    expect(a.calls.fcntl(fd, 999)).toBe(-EINVAL);
  });
});

describe("socket() and bind()", () => {
  test("socket: families, types and protocols that are not there", () => {
    pair();
    expect(a.calls.socket(1, C.SOCK_STREAM)).toBe(-EAFNOSUPPORT);
    expect(a.calls.socket(C.AF_INET, 5)).toBe(-ESOCKTNOSUPPORT);
    expect(a.calls.socket(C.AF_INET, 99)).toBe(-EINVAL);
    expect(a.calls.socket(C.AF_INET, C.SOCK_STREAM, C.IPPROTO_UDP)).toBe(-EPROTONOSUPPORT);
    expect(a.calls.socket(C.AF_INET, C.SOCK_DGRAM, C.IPPROTO_TCP)).toBe(-EPROTONOSUPPORT);
    expect(a.calls.socket(C.AF_INET, C.SOCK_RAW, C.IPPROTO_TCP)).toBe(-EPROTONOSUPPORT);
    for (const [type, protocol] of [
      [C.SOCK_STREAM, C.IPPROTO_TCP],
      [C.SOCK_DGRAM, C.IPPROTO_UDP],
      [C.SOCK_RAW, C.IPPROTO_ICMP],
    ] as const) {
      const fd = a.calls.socket(C.AF_INET, type, protocol);
      expect(option(a, fd, C.SOL_SOCKET, C.SO_TYPE)).toBe(type);
      expect(option(a, fd, C.SOL_SOCKET, C.SO_PROTOCOL)).toBe(protocol);
      expect(option(a, fd, C.SOL_SOCKET, C.SO_DOMAIN)).toBe(C.AF_INET);
    }
  });

  for (const type of [C.SOCK_STREAM, C.SOCK_DGRAM]) {
    test(`bind, type ${type}: family, address, port, twice`, () => {
      pair();
      const { calls } = a;
      const fd = calls.socket(C.AF_INET, type);
      expect(calls.bind(fd, socketAddress("fd00::1", 80))).toBe(-EAFNOSUPPORT);
      expect(calls.bind(fd, socketAddress("10.0.0.9", 80))).toBe(-EADDRNOTAVAIL);
      expect(calls.bind(fd, { ...socketAddress("10.0.0.1", 80), port: 65536 })).toBe(-EINVAL);
      expect(calls.bind(fd, socketAddress("10.0.0.1", 80))).toBe(0);
      expect(calls.bind(fd, socketAddress("10.0.0.1", 81))).toBe(-EINVAL);
      const other = calls.socket(C.AF_INET, type);
      expect(calls.bind(other, socketAddress("0.0.0.0", 80))).toBe(-EADDRINUSE);
      expect(calls.bind(other, socketAddress("127.0.0.1", 80))).toBe(0);
      const six = calls.socket(C.AF_INET6, type);
      expect(calls.bind(six, socketAddress("10.0.0.1", 82))).toBe(-EAFNOSUPPORT);
      expect(calls.bind(six, socketAddress("fe80::1", 82))).toBe(-EADDRNOTAVAIL);
      calls.setsockopt(six, C.IPPROTO_IPV6, C.IPV6_V6ONLY, 1);
      expect(calls.bind(six, socketAddress("10.0.0.1", 82, C.AF_INET6))).toBe(-EINVAL);
      calls.setsockopt(six, C.IPPROTO_IPV6, C.IPV6_V6ONLY, 0);
      expect(calls.bind(six, socketAddress("10.0.0.1", 82, C.AF_INET6))).toBe(0);
      expect(calls.setsockopt(six, C.IPPROTO_IPV6, C.IPV6_V6ONLY, 1)).toBe(-EINVAL);
      const name = { name: undefined as undefined | ReturnType<typeof socketAddress> };
      calls.getsockname(six, name);
      expect(name.name).toMatchObject({ family: C.AF_INET6, port: 82 });
      expect(calls.getpeername(six, name)).toBe(-ENOTCONN);
    });
  }

  test("bind to port 0 gives one of the range, and getsockname tells it", () => {
    pair();
    const fd = stream(a);
    expect(a.calls.bind(fd, socketAddress("0.0.0.0", 0))).toBe(0);
    const name = { name: undefined as undefined | ReturnType<typeof socketAddress> };
    a.calls.getsockname(fd, name);
    expect(name.name!.port).toBeGreaterThanOrEqual(32768);
    expect(name.name!.port).toBeLessThanOrEqual(60999);
  });

  test("SO_BINDTODEVICE and its kin", () => {
    pair();
    const fd = stream(a);
    expect(a.calls.setsockopt(fd, C.SOL_SOCKET, C.SO_BINDTODEVICE, "nope")).toBe(-ENODEV);
    expect(a.calls.setsockopt(fd, C.SOL_SOCKET, C.SO_BINDTODEVICE, "eth0")).toBe(0);
    expect(option(a, fd, C.SOL_SOCKET, C.SO_BINDTODEVICE)).toBe("eth0");
    expect(a.calls.setsockopt(fd, C.SOL_SOCKET, C.SO_BINDTODEVICE, "")).toBe(0);
    expect(option(a, fd, C.SOL_SOCKET, C.SO_BINDTODEVICE)).toBe("");
  });
});

describe("connect() and accept()", () => {
  test("EINPROGRESS, EALREADY, 0 once, EISCONN", () => {
    pair();
    listening(b);
    const fd = stream(a);
    const name = socketAddress("10.0.0.2", 80);
    expect(a.calls.connect(fd, name)).toBe(-EINPROGRESS);
    expect(a.calls.connect(fd, name)).toBe(-EALREADY);
    expect(pollBits(a, fd)).toBe(0);
    expect(a.calls.send(fd, new Uint8Array(1))).toBe(-EAGAIN);
    expect(a.calls.recv(fd, new Uint8Array(1))).toBe(-EAGAIN);
    lan.pass(10);
    expect(pollBits(a, fd)).toBe(OUT);
    expect(option(a, fd, C.SOL_SOCKET, C.SO_ERROR)).toBe(0);
    expect(a.calls.connect(fd, name)).toBe(0);
    expect(a.calls.connect(fd, name)).toBe(-EISCONN);
    expect(a.calls.bind(fd, socketAddress("10.0.0.1", 0))).toBe(-EINVAL);
    expect(a.calls.listen(fd, 1)).toBe(-EINVAL);
  });

  test("refused: SO_ERROR tells once, poll says ERR and HUP until then; the socket may try again", () => {
    pair();
    const fd = stream(a);
    expect(a.calls.connect(fd, socketAddress("10.0.0.2", 81))).toBe(-EINPROGRESS);
    lan.pass(10);
    expect(pollBits(a, fd)).toBe(IN | OUT | C.POLLERR | C.POLLHUP | C.POLLRDHUP);
    expect(option(a, fd, C.SOL_SOCKET, C.SO_ERROR)).toBe(ECONNREFUSED);
    expect(option(a, fd, C.SOL_SOCKET, C.SO_ERROR)).toBe(0);
    expect(pollBits(a, fd) & C.POLLERR).toBe(0);
    const again = stream(a);
    a.calls.connect(again, socketAddress("10.0.0.2", 81));
    lan.pass(10);
    expect(a.calls.connect(again, socketAddress("10.0.0.2", 81))).toBe(-ECONNREFUSED);
    listening(b, "0.0.0.0", 81);
    expect(a.calls.connect(again, socketAddress("10.0.0.2", 81))).toBe(-EINPROGRESS);
    lan.pass(10);
    expect(a.calls.connect(again, socketAddress("10.0.0.2", 81))).toBe(0);
  });

  test("no route, another family, a group: the errno says why", () => {
    pair();
    const fd = stream(a);
    expect(a.calls.connect(fd, socketAddress("192.168.7.7", 80))).toBe(-ENETUNREACH);
    expect(a.calls.connect(fd, socketAddress("fd00::2", 80))).toBe(-EAFNOSUPPORT);
    expect(a.calls.connect(fd, socketAddress("224.0.0.1", 80))).toBe(-ENETUNREACH);
    expect(a.calls.connect(fd, socketAddress("255.255.255.255", 80))).toBe(-ENETUNREACH);
    const six = stream(a, C.AF_INET6);
    expect(a.calls.connect(six, socketAddress("fe80::1", 80))).toBe(-EINVAL);
  });

  test("an AF_INET6 listener takes IPv4 as mapped; names keep the socket's family", () => {
    pair();
    const listener = listening(b, "::");
    const client = stream(a);
    a.calls.connect(client, socketAddress("10.0.0.2", 80));
    lan.pass(10);
    const from = { name: undefined as undefined | ReturnType<typeof socketAddress> };
    const server = b.calls.accept(listener, from, C.SOCK_NONBLOCK);
    expect(from.name!.family).toBe(C.AF_INET6);
    expect(String(from.name!.address)).toBe("10.0.0.1");
    expect(b.calls.fcntl(server, C.F_GETFL) & C.O_NONBLOCK).toBe(C.O_NONBLOCK);
    const local = { name: undefined as undefined | ReturnType<typeof socketAddress> };
    b.calls.getsockname(server, local);
    expect(local.name).toMatchObject({ family: C.AF_INET6, port: 80 });
    expect(String(local.name!.address)).toBe("10.0.0.2");
  });

  test("accept: nothing there, not listening, not a stream", () => {
    pair();
    const listener = listening(b);
    expect(b.calls.accept(listener)).toBe(-EAGAIN);
    expect(b.calls.accept(listener, undefined, 1)).toBe(-EINVAL);
    expect(b.calls.accept(stream(b))).toBe(-EINVAL);
    const datagram = b.calls.socket(C.AF_INET, C.SOCK_DGRAM);
    expect(b.calls.accept(datagram)).toBe(-EOPNOTSUPP);
    expect(b.calls.listen(datagram, 1)).toBe(-EOPNOTSUPP);
    expect(option(b, listener, C.SOL_SOCKET, C.SO_ACCEPTCONN)).toBe(1);
    expect(b.calls.recv(listener, new Uint8Array(1))).toBe(-ENOTCONN);
    expect(b.calls.send(listener, new Uint8Array(1))).toBe(-EPIPE);
    expect(b.calls.connect(listener, socketAddress("10.0.0.1", 1))).toBe(-EISCONN);
    expect(pollBits(b, listener)).toBe(0);
  });

  test("shutdown of a listener ends it; the socket can listen again", () => {
    pair();
    const listener = listening(b);
    expect(b.calls.shutdown(listener, C.SHUT_RD)).toBe(0);
    expect(b.calls.accept(listener)).toBe(-EINVAL);
    const client = stream(a);
    a.calls.connect(client, socketAddress("10.0.0.2", 80));
    lan.pass(10);
    expect(option(a, client, C.SOL_SOCKET, C.SO_ERROR)).toBe(ECONNREFUSED);
    expect(b.calls.listen(listener, 5)).toBe(0);
    const second = stream(a);
    a.calls.connect(second, socketAddress("10.0.0.2", 80));
    lan.pass(10);
    expect(b.calls.accept(listener)).toBeGreaterThanOrEqual(0);
  });

  test("SO_REUSEPORT: listeners share the connections", () => {
    pair();
    const listeners = [0, 1, 2].map(() => {
      const fd = stream(b);
      b.calls.setsockopt(fd, C.SOL_SOCKET, C.SO_REUSEPORT, 1);
      expect(b.calls.bind(fd, socketAddress("0.0.0.0", 80))).toBe(0);
      expect(b.calls.listen(fd, 100)).toBe(0);
      return fd;
    });
    for (let i = 0; i < 60; i++) {
      a.calls.connect(stream(a), socketAddress("10.0.0.2", 80));
    }
    lan.pass(100);
    const counts = listeners.map((fd) => {
      let n = 0;
      while (b.calls.accept(fd) >= 0) n++;
      return n;
    });
    expect(counts.reduce((sum, n) => sum + n)).toBe(60);
    for (const n of counts) expect(n).toBeGreaterThan(5);
  });

  test("connect(AF_UNSPEC) takes a connection apart", () => {
    pair();
    const { client, server } = connected();
    expect(a.calls.connect(client, UNSPECIFIED_ADDRESS)).toBe(0);
    lan.pass(10);
    expect(b.calls.recv(server, new Uint8Array(1))).toBe(-ECONNRESET);
    expect(a.calls.recv(client, new Uint8Array(1))).toBe(-ENOTCONN);
    expect(a.calls.connect(client, socketAddress("10.0.0.2", 80))).toBe(-EINPROGRESS);
  });

  test("a server restarts over connections and TIME-WAIT only with SO_REUSEADDR on both", () => {
    pair();
    const reuse = (fd: number) => b.calls.setsockopt(fd, C.SOL_SOCKET, C.SO_REUSEADDR, 1);
    const name = socketAddress("0.0.0.0", 80);
    const listener = stream(b);
    reuse(listener);
    b.calls.bind(listener, name);
    b.calls.listen(listener, 5);
    const client = stream(a);
    a.calls.connect(client, socketAddress("10.0.0.2", 80));
    lan.pass(10);
    const server = b.calls.accept(listener);
    const second = stream(b);
    expect(b.calls.bind(second, name)).toBe(-EADDRINUSE);
    reuse(second);
    expect(b.calls.bind(second, name)).toBe(-EADDRINUSE); // it still listens
    b.calls.close(listener);
    const third = stream(b);
    expect(b.calls.bind(third, name)).toBe(-EADDRINUSE); // the connection
    expect(b.calls.bind(second, name)).toBe(0);
    b.calls.close(second);
    b.calls.close(server);
    lan.pass(10);
    a.calls.close(client);
    lan.pass(1000);
    expect(b.calls.bind(third, name)).toBe(-EADDRINUSE); // TIME-WAIT
    expect(b.calls.bind(stream(b), socketAddress("10.0.0.2", 80))).toBe(-EADDRINUSE);
    lan.pass(60_000);
    expect(b.calls.bind(third, name)).toBe(0);
  });
});

describe("data", () => {
  test("an unconnected stream: EPIPE to send, ENOTCONN to receive and shut down", () => {
    pair();
    const fd = stream(a);
    expect(a.calls.send(fd, new Uint8Array(1))).toBe(-EPIPE);
    expect(a.calls.recv(fd, new Uint8Array(1))).toBe(-ENOTCONN);
    expect(a.calls.shutdown(fd, C.SHUT_WR)).toBe(-ENOTCONN);
    expect(a.calls.shutdown(fd, 3)).toBe(-EINVAL);
    expect(pollBits(a, fd)).toBe(OUT | C.POLLHUP);
    expect(option(a, fd, C.IPPROTO_IP, C.IP_MTU)).toBe(-ENOTCONN);
  });

  test("MSG_PEEK, SIOCINQ, SIOCOUTQ, and what a range outside the buffer is", () => {
    pair();
    const { client, server } = connected();
    expect(a.calls.write(client, new Uint8Array(10).fill(7))).toBe(10);
    expect(a.calls.ioctl(client, C.SIOCOUTQ)).toBe(10);
    lan.pass(100);
    expect(a.calls.ioctl(client, C.SIOCOUTQ)).toBe(0);
    expect(b.calls.ioctl(server, C.SIOCINQ)).toBe(10);
    const into = new Uint8Array(4);
    expect(b.calls.recv(server, into, 0, 4, C.MSG_PEEK)).toBe(4);
    expect(b.calls.ioctl(server, C.SIOCINQ)).toBe(10);
    expect(b.calls.read(server, into)).toBe(4);
    expect(into[3]).toBe(7);
    expect(b.calls.recv(server, new Uint8Array(2), 0, 4)).toBe(-EFAULT);
    expect(b.calls.recv(server, new Uint8Array(6), 0, 6, C.MSG_TRUNC)).toBe(6);
    expect(b.calls.read(server, into)).toBe(-EAGAIN);
  });

  test("sendmsg gathers and recvmsg scatters over a stream", () => {
    pair();
    const { client, server } = connected();
    const bytes = (...values: number[]) => new Uint8Array(values);
    expect(a.calls.sendmsg(client, { buffers: [bytes(1, 2), bytes(), bytes(3, 4, 5)] })).toBe(5);
    lan.pass(10);
    const parts = [new Uint8Array(1), new Uint8Array(3), new Uint8Array(3)];
    expect(b.calls.recvmsg(server, { buffers: parts })).toBe(5);
    expect(parts.map((p) => [...p])).toEqual([[1], [2, 3, 4], [5, 0, 0]]);
  });

  test("poll bits through a half-close and a close, as Linux has them", () => {
    pair();
    const { client, server } = connected();
    expect(pollBits(b, server)).toBe(OUT);
    a.calls.write(client, new Uint8Array(1));
    lan.pass(10);
    expect(pollBits(b, server)).toBe(IN | OUT);
    expect(pollBits(b, server, C.POLLIN)).toBe(C.POLLIN);
    b.calls.read(server, new Uint8Array(1));
    expect(a.calls.shutdown(client, C.SHUT_WR)).toBe(0);
    expect(pollBits(a, client)).toBe(OUT);
    lan.pass(10);
    expect(pollBits(b, server)).toBe(IN | OUT | C.POLLRDHUP);
    expect(b.calls.read(server, new Uint8Array(1))).toBe(0);
    expect(a.calls.write(client, new Uint8Array(1))).toBe(-EPIPE);
    b.calls.shutdown(server, C.SHUT_WR);
    expect(pollBits(b, server)).toBe(IN | OUT | C.POLLRDHUP | C.POLLHUP);
    lan.pass(10);
    expect(pollBits(a, client)).toBe(IN | OUT | C.POLLRDHUP | C.POLLHUP);
    expect(a.calls.read(client, new Uint8Array(1))).toBe(0);
  });

  test("a full send buffer takes POLLOUT away; SHUT_RD makes it readable at once", () => {
    pair();
    const { client, server } = connected();
    const chunk = new Uint8Array(65_536);
    for (let i = 0; i < 200; i++) {
      a.calls.write(client, chunk);
      lan.pass(1);
    }
    lan.pass(1000);
    while (a.calls.write(client, chunk) > 0);
    expect(pollBits(a, client)).toBe(0);
    expect(b.calls.shutdown(server, C.SHUT_RD)).toBe(0);
    expect(pollBits(b, server) & (IN | C.POLLRDHUP)).toBe(IN | C.POLLRDHUP);
    a.calls.setsockopt(client, C.SOL_SOCKET, C.SO_LINGER, { on: true, seconds: 0 });
  });

  test("a reset: ECONNRESET once, then 0; poll says ERR, HUP and all", () => {
    pair();
    const { client, server } = connected();
    a.calls.setsockopt(client, C.SOL_SOCKET, C.SO_LINGER, { on: true, seconds: 0 });
    a.calls.close(client);
    lan.pass(10);
    expect(pollBits(b, server)).toBe(IN | OUT | C.POLLERR | C.POLLHUP | C.POLLRDHUP);
    expect(b.calls.read(server, new Uint8Array(1))).toBe(-ECONNRESET);
    expect(b.calls.read(server, new Uint8Array(1))).toBe(0);
    expect(b.calls.write(server, new Uint8Array(1))).toBe(-EPIPE);
  });
});

describe("urgent data", () => {
  function urgent(inline: boolean) {
    pair();
    const { client, server } = connected();
    if (inline) b.calls.setsockopt(server, C.SOL_SOCKET, C.SO_OOBINLINE, 1);
    const send = (text: string, flags = 0) =>
      a.calls.send(client, new TextEncoder().encode(text), 0, text.length, flags);
    const read = (flags = 0) => {
      const into = new Uint8Array(20);
      const n = b.calls.recv(server, into, 0, 20, flags);
      return n < 0 ? n : new TextDecoder().decode(into.subarray(0, n));
    };
    const atMark = () => b.calls.ioctl(server, C.SIOCATMARK);
    return { send, read, atMark, server };
  }

  test("out of band: reads stop before the mark, MSG_OOB gives the byte, then reads go on behind it", () => {
    const { send, read, atMark, server } = urgent(false);
    expect(read(C.MSG_OOB)).toBe(-EINVAL);
    send("abc");
    send("deX", C.MSG_OOB);
    send("fgh");
    lan.pass(100);
    expect(pollBits(b, server)).toBe(IN | OUT | C.POLLPRI);
    expect(b.calls.ioctl(server, C.SIOCINQ)).toBe(5);
    expect(atMark()).toBe(0);
    expect(read(C.MSG_OOB | C.MSG_PEEK)).toBe("X");
    expect(read(C.MSG_OOB)).toBe("X");
    expect(read(C.MSG_OOB)).toBe(-EINVAL);
    expect(pollBits(b, server)).toBe(IN | OUT);
    expect(read()).toBe("abcde");
    expect(atMark()).toBe(1);
    expect(read()).toBe("fgh");
    expect(atMark()).toBe(0);
  });

  test("SO_OOBINLINE: the byte is in the stream, and a read begins at the mark", () => {
    const { send, read, atMark } = urgent(true);
    send("deX", C.MSG_OOB);
    send("fgh");
    lan.pass(100);
    expect(read(C.MSG_OOB)).toBe(-EINVAL);
    expect(read()).toBe("de");
    expect(atMark()).toBe(1);
    expect(read()).toBe("Xfgh");
  });
});

describe("options", () => {
  test("levels and options that are not there are ENOPROTOOPT, bad values EINVAL", () => {
    pair();
    const fd = stream(a);
    const udp = a.calls.socket(C.AF_INET, C.SOCK_DGRAM);
    expect(option(a, fd, C.SOL_SOCKET, 9999)).toBe(-ENOPROTOOPT);
    expect(option(a, fd, 12345, 1)).toBe(-ENOPROTOOPT);
    expect(option(a, udp, C.IPPROTO_TCP, C.TCP_NODELAY)).toBe(-ENOPROTOOPT);
    expect(option(a, fd, C.IPPROTO_IPV6, C.IPV6_V6ONLY)).toBe(-ENOPROTOOPT);
    expect(a.calls.setsockopt(fd, C.SOL_SOCKET, C.SO_TYPE, 1)).toBe(-ENOPROTOOPT);
    expect(a.calls.setsockopt(fd, C.IPPROTO_IP, C.IP_TTL, 256)).toBe(-EINVAL);
    expect(a.calls.setsockopt(fd, C.IPPROTO_IP, C.IP_TTL, 0)).toBe(-EINVAL);
    expect(a.calls.setsockopt(fd, C.IPPROTO_TCP, C.TCP_MAXSEG, 1)).toBe(-EINVAL);
    expect(a.calls.setsockopt(fd, C.IPPROTO_TCP, C.TCP_KEEPCNT, 128)).toBe(-EINVAL);
    expect(a.calls.setsockopt(fd, C.SOL_SOCKET, C.SO_RCVBUF, "much")).toBe(-EINVAL);
    expect(a.calls.setsockopt(fd, C.IPPROTO_TCP, C.TCP_CONGESTION, "no such")).toBe(-ENOENT);
  });

  test("what is set is what is read", () => {
    pair();
    const fd = stream(a, C.AF_INET6);
    const cases: [number, number, number, number?][] = [
      [C.SOL_SOCKET, C.SO_REUSEADDR, 1],
      [C.SOL_SOCKET, C.SO_REUSEPORT, 1],
      [C.SOL_SOCKET, C.SO_KEEPALIVE, 1],
      [C.SOL_SOCKET, C.SO_OOBINLINE, 1],
      [C.SOL_SOCKET, C.SO_RCVLOWAT, 100],
      [C.SOL_SOCKET, C.SO_RCVTIMEO, 1500],
      [C.SOL_SOCKET, C.SO_SNDTIMEO, 2500],
      [C.SOL_SOCKET, C.SO_RCVBUF, 20_000, 40_000],
      [C.SOL_SOCKET, C.SO_SNDBUF, 30_000, 60_000],
      [C.IPPROTO_IP, C.IP_TTL, 33],
      [C.IPPROTO_IP, C.IP_TOS, 0x10],
      [C.IPPROTO_IP, C.IP_MTU_DISCOVER, C.IP_PMTUDISC_DONT],
      [C.IPPROTO_IPV6, C.IPV6_UNICAST_HOPS, 44],
      [C.IPPROTO_IPV6, C.IPV6_TCLASS, 0x20],
      [C.IPPROTO_IPV6, C.IPV6_V6ONLY, 1],
      [C.IPPROTO_TCP, C.TCP_NODELAY, 1],
      [C.IPPROTO_TCP, C.TCP_CORK, 1],
      [C.IPPROTO_TCP, C.TCP_MAXSEG, 1000],
      [C.IPPROTO_TCP, C.TCP_KEEPIDLE, 10],
      [C.IPPROTO_TCP, C.TCP_KEEPINTVL, 11],
      [C.IPPROTO_TCP, C.TCP_KEEPCNT, 12],
      [C.IPPROTO_TCP, C.TCP_SYNCNT, 3],
      [C.IPPROTO_TCP, C.TCP_LINGER2, 20],
      [C.IPPROTO_TCP, C.TCP_DEFER_ACCEPT, 5],
      [C.IPPROTO_TCP, C.TCP_WINDOW_CLAMP, 5000],
      [C.IPPROTO_TCP, C.TCP_QUICKACK, 0],
      [C.IPPROTO_TCP, C.TCP_USER_TIMEOUT, 3000],
      [C.IPPROTO_TCP, C.TCP_FASTOPEN, 5],
      [C.IPPROTO_TCP, C.TCP_FASTOPEN_CONNECT, 1],
      [C.IPPROTO_TCP, C.TCP_NOTSENT_LOWAT, 16_384],
      [C.IPPROTO_TCP, C.TCP_INQ, 1],
    ];
    for (const [level, name, value, read] of cases) {
      expect(a.calls.setsockopt(fd, level, name, value), `set ${level} ${name}`).toBe(0);
      expect(option(a, fd, level, name), `get ${level} ${name}`).toBe(read ?? value);
    }
    // and are this socket's alone
    const other = stream(a, C.AF_INET6);
    expect(option(a, other, C.IPPROTO_TCP, C.TCP_KEEPCNT)).toBe(9);
    expect(option(a, other, C.IPPROTO_TCP, C.TCP_NODELAY)).toBe(0);
  });

  test("accepted sockets inherit the listener's options", () => {
    pair();
    const listener = stream(b);
    b.calls.setsockopt(listener, C.IPPROTO_TCP, C.TCP_KEEPIDLE, 77);
    b.calls.setsockopt(listener, C.SOL_SOCKET, C.SO_RCVBUF, 5000);
    b.calls.bind(listener, socketAddress("0.0.0.0", 80));
    b.calls.listen(listener, 5);
    const client = stream(a);
    a.calls.connect(client, socketAddress("10.0.0.2", 80));
    lan.pass(10);
    const server = b.calls.accept(listener);
    expect(option(b, server, C.IPPROTO_TCP, C.TCP_KEEPIDLE)).toBe(77);
    expect(option(b, server, C.SOL_SOCKET, C.SO_RCVBUF)).toBe(10_000);
    expect(option(b, server, C.IPPROTO_TCP, C.TCP_INFO)).toMatchObject({ state: "ESTABLISHED" });
    expect(option(a, client, C.IPPROTO_IP, C.IP_MTU)).toBe(1500);
  });
});
