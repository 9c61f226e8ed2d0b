import { afterEach, describe, expect, test } from "vitest";
import { SocketLan } from "../../test/support/socket-lan.ts";
import {
  EACCES,
  EADDRINUSE,
  EAGAIN,
  ECONNREFUSED,
  EDESTADDRREQ,
  EMSGSIZE,
  EPIPE,
} from "../base/errors.ts";
import {
  AF_INET,
  AF_INET6,
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_MTU,
  IP_MTU_DISCOVER,
  IP_PKTINFO,
  IP_PMTUDISC_DO,
  IP_RECVERR,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_UDP,
  IPV6_V6ONLY,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_MORE,
  MSG_PEEK,
  MSG_TRUNC,
  SHUT_WR,
  SO_BROADCAST,
  SO_NO_CHECK,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOL_SOCKET,
  UDP_CORK,
} from "../sockets/constants.ts";
import type { ControlMessage } from "../sockets/message.ts";
import { socketAddress, UNSPECIFIED_ADDRESS } from "../sockets/socket-address.ts";
import type { SocketHost } from "../sockets/socket-host.ts";
import { parseAddress } from "../base/address.ts";

let lan: SocketLan;
let a: SocketHost;
let b: SocketHost;

function pair(...options: Parameters<typeof SocketLan.pair>) {
  ({ lan, a, b } = SocketLan.pair(...options));
}

afterEach(() => {
  for (const host of lan.hosts) host.calls.closeAll();
  lan.pass(10);
  lan.end();
});

function udp(host: SocketHost, bound?: string, port = 0, domain?: number): number {
  const family = domain ?? (bound?.includes(":") ? AF_INET6 : AF_INET);
  const fd = host.calls.socket(family, SOCK_DGRAM);
  expect(fd).toBeGreaterThanOrEqual(0);
  if (bound !== undefined) expect(host.calls.bind(fd, socketAddress(bound, port, family))).toBe(0);
  return fd;
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** The next datagram as text and where it came from, or -errno. */
function next(host: SocketHost, fd: number, size = 2000): string | number {
  const into = new Uint8Array(size);
  const from = { name: undefined } as Parameters<typeof host.calls.recvfrom>[5] & object;
  const n = host.calls.recvfrom(fd, into, 0, size, 0, from);
  if (n < 0) return n;
  return `${new TextDecoder().decode(into.subarray(0, n))} from ${from.name?.address}:${from.name?.port}`;
}

describe("datagrams between two hosts", () => {
  for (const [name, from, to, family] of [
    ["IPv4", "10.0.0.1", "10.0.0.2", AF_INET],
    ["IPv6", "fd00::1", "fd00::2", AF_INET6],
  ] as const) {
    test(`RFC 768 over ${name}: bytes, length, ports and source arrive`, () => {
      pair();
      const sender = udp(a, from, 4000);
      const receiver = udp(b, to, 5000);
      const dest = socketAddress(to, 5000);
      for (const size of [0, 1, 63, 64, 65, 1000, 1400]) {
        const data = new Uint8Array(size).map((_, i) => i * 7);
        expect(a.calls.sendto(sender, data, 0, size, 0, dest)).toBe(size);
        lan.pass(1);
        const into = new Uint8Array(2000);
        const result = { name: undefined as undefined | ReturnType<typeof socketAddress> };
        expect(b.calls.recvfrom(receiver, into, 3, 1990, 0, result)).toBe(size);
        expect(into.subarray(3, 3 + size)).toEqual(data);
        expect(result.name).toMatchObject({ family, port: 4000 });
        expect(String(result.name!.address)).toBe(from);
      }
      expect(a.counters.udpOutDatagrams).toBe(7);
      expect(b.counters.udpInDatagrams).toBe(7);
    });

    test(`a datagram larger than the MTU is fragmented and put together, ${name}`, () => {
      pair();
      const sender = udp(a, from, 4000);
      const receiver = udp(b, to, 5000);
      b.calls.setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, 200_000);
      const largest = family === AF_INET ? 65_507 : 65_527;
      const data = new Uint8Array(65_536).map((_, i) => (i * 31) >> 3);
      expect(a.calls.sendto(sender, data, 0, largest + 1, 0, socketAddress(to, 5000))).toBe(
        -EMSGSIZE,
      );
      expect(a.calls.sendto(sender, data, 0, 40_000, 0, socketAddress(to, 5000))).toBe(40_000);
      lan.pass(10);
      const into = new Uint8Array(65_536);
      expect(b.calls.recv(receiver, into)).toBe(40_000);
      expect(into.subarray(0, 40_000)).toEqual(data.subarray(0, 40_000));
    });
  }

  test("order is kept, and one datagram is one read", () => {
    pair();
    const sender = udp(a);
    const receiver = udp(b, "0.0.0.0", 5000);
    for (let i = 0; i < 100; i++) {
      const data = bytes(`#${i}`);
      a.calls.sendto(sender, data, 0, data.length, 0, socketAddress("10.0.0.2", 5000));
    }
    lan.pass(5);
    for (let i = 0; i < 100; i++) expect(next(b, receiver)).toMatch(`#${i} from 10.0.0.1:`);
    expect(next(b, receiver)).toBe(-EAGAIN);
  });

  test("an AF_INET6 socket hears IPv4 as mapped addresses, and can answer", () => {
    pair();
    const client = udp(a, "10.0.0.1", 4000);
    const server = udp(b, "::", 5000);
    a.calls.sendto(client, bytes("q"), 0, 1, 0, socketAddress("10.0.0.2", 5000));
    lan.pass(1);
    const from = { name: undefined as undefined | ReturnType<typeof socketAddress> };
    expect(b.calls.recvfrom(server, new Uint8Array(9), 0, 9, 0, from)).toBe(1);
    expect(from.name!.family).toBe(AF_INET6);
    expect(b.calls.sendto(server, bytes("r"), 0, 1, 0, from.name)).toBe(1);
    lan.pass(1);
    expect(next(a, client)).toBe("r from 10.0.0.2:5000");
  });

  test("IPV6_V6ONLY: IPv4 finds nobody there", () => {
    pair();
    const client = udp(a, "10.0.0.1", 4000);
    const server = b.calls.socket(AF_INET6, SOCK_DGRAM);
    expect(b.calls.setsockopt(server, 41, IPV6_V6ONLY, 1)).toBe(0);
    expect(b.calls.bind(server, socketAddress("::", 5000))).toBe(0);
    a.calls.sendto(client, bytes("q"), 0, 1, 0, socketAddress("10.0.0.2", 5000));
    lan.pass(1);
    expect(next(b, server)).toBe(-EAGAIN);
    expect(b.counters.udpNoPorts).toBe(1);
  });

  test("to itself: 127.0.0.1, ::1 and its own address", () => {
    pair();
    const server = udp(a, "::", 5000);
    for (const to of ["127.0.0.1", "::1", "10.0.0.1", "fd00::1"]) {
      const client = udp(a, undefined, 0, to.includes(":") ? AF_INET6 : AF_INET);
      expect(a.calls.sendto(client, bytes(to), 0, to.length, 0, socketAddress(to, 5000))).toBe(
        to.length,
      );
      lan.pass(1);
      expect(next(a, server)).toMatch(`${to} from `);
    }
  });
});

describe("who gets a datagram", () => {
  test("connected before bound to the address before wildcard", () => {
    pair();
    const wild = udp(b, undefined);
    const exact = udp(b, undefined);
    const peer = udp(b, undefined);
    for (const fd of [wild, exact, peer]) b.calls.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    expect(b.calls.bind(wild, socketAddress("0.0.0.0", 5000))).toBe(0);
    expect(b.calls.bind(exact, socketAddress("10.0.0.2", 5000))).toBe(0);
    expect(b.calls.bind(peer, socketAddress("0.0.0.0", 5000))).toBe(0);
    expect(b.calls.connect(peer, socketAddress("10.0.0.1", 4001))).toBe(0);
    const send = (port: number) => {
      const fd = udp(a, "10.0.0.1", port);
      a.calls.sendto(fd, bytes("x"), 0, 1, 0, socketAddress("10.0.0.2", 5000));
      lan.pass(1);
    };
    send(4001);
    expect(next(b, peer)).toBe("x from 10.0.0.1:4001");
    send(4002);
    expect(next(b, exact)).toBe("x from 10.0.0.1:4002");
    expect(next(b, peer)).toBe(-EAGAIN);
    b.calls.close(exact);
    send(4003);
    expect(next(b, wild)).toBe("x from 10.0.0.1:4003");
  });

  test("SO_REUSEPORT: each flow always finds the same socket, flows spread", () => {
    pair();
    const fds = [0, 1, 2, 3].map(() => {
      const fd = udp(b);
      b.calls.setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
      expect(b.calls.bind(fd, socketAddress("0.0.0.0", 5000))).toBe(0);
      return fd;
    });
    const owner = new Map<string, number>();
    for (let round = 0; round < 2; round++) {
      for (let port = 4000; port < 4040; port++) {
        const fd = udp(a, "10.0.0.1", port);
        a.calls.sendto(fd, bytes("x"), 0, 1, 0, socketAddress("10.0.0.2", 5000));
        lan.pass(1);
        const got = fds.flatMap((one, i) => (typeof next(b, one) === "string" ? [i] : []));
        expect(got).toHaveLength(1);
        const key = String(port);
        if (round === 1) expect(got[0]).toBe(owner.get(key));
        owner.set(key, got[0]!);
        a.calls.close(fd);
      }
    }
    expect(new Set(owner.values()).size).toBe(4);
  });

  test("a connected socket does not hear others, and hears all again after AF_UNSPEC", () => {
    pair();
    const server = udp(b, "0.0.0.0", 5000);
    expect(b.calls.connect(server, socketAddress("10.0.0.1", 4000))).toBe(0);
    const other = udp(a, "10.0.0.1", 4001);
    const send = () => a.calls.sendto(other, bytes("x"), 0, 1, 0, socketAddress("10.0.0.2", 5000));
    send();
    lan.pass(1);
    expect(next(b, server)).toBe(-EAGAIN);
    expect(b.calls.connect(server, UNSPECIFIED_ADDRESS)).toBe(0);
    send();
    lan.pass(1);
    expect(next(b, server)).toBe("x from 10.0.0.1:4001");
  });
});

describe("errors", () => {
  test("RFC 1122 §4.1.3.3: a connected socket hears ECONNREFUSED once, from the next call", () => {
    pair();
    const fd = udp(a);
    expect(a.calls.connect(fd, socketAddress("10.0.0.2", 9))).toBe(0);
    expect(a.calls.send(fd, bytes("x"))).toBe(1);
    lan.pass(5);
    expect(a.calls.recv(fd, new Uint8Array(1))).toBe(-ECONNREFUSED);
    expect(a.calls.recv(fd, new Uint8Array(1))).toBe(-EAGAIN);
    expect(a.calls.send(fd, bytes("x"))).toBe(1);
    lan.pass(5);
    expect(a.calls.send(fd, bytes("x"))).toBe(-ECONNREFUSED);
    expect(a.calls.send(fd, bytes("x"))).toBe(1);
  });

  test("IPv6 port unreachable is ECONNREFUSED too", () => {
    pair();
    const fd = udp(a, undefined, 0, AF_INET6);
    expect(a.calls.connect(fd, socketAddress("fd00::2", 9))).toBe(0);
    expect(a.calls.send(fd, bytes("x"))).toBe(1);
    lan.pass(5);
    expect(a.calls.recv(fd, new Uint8Array(1))).toBe(-ECONNREFUSED);
  });

  test("an unconnected socket hears nothing, with IP_RECVERR everything and what it was about", () => {
    pair();
    const fd = udp(a, "10.0.0.1", 4000);
    const send = () => a.calls.sendto(fd, bytes("hello"), 0, 5, 0, socketAddress("10.0.0.2", 9));
    send();
    lan.pass(5);
    expect(next(a, fd)).toBe(-EAGAIN);
    a.calls.setsockopt(fd, IPPROTO_IP, IP_RECVERR, 1);
    send();
    lan.pass(5);
    const control: ControlMessage[] = [];
    const message = { buffers: [new Uint8Array(100)], control, name: undefined, flags: 0 };
    expect(a.calls.recvmsg(fd, message, MSG_ERRQUEUE)).toBe(5);
    expect(message.flags & MSG_ERRQUEUE).toBe(MSG_ERRQUEUE);
    expect(new TextDecoder().decode(message.buffers[0]!.subarray(0, 5))).toBe("hello");
    expect(message.name).toMatchObject({ port: 9 });
    expect(message.control[0]).toMatchObject({
      level: IPPROTO_IP,
      type: IP_RECVERR,
      error: { errno: ECONNREFUSED, origin: 2, type: 3, code: 3 },
    });
    expect(String(message.control[0]!.error!.offender)).toBe("10.0.0.2");
    expect(a.calls.recvmsg(fd, message, MSG_ERRQUEUE)).toBe(-EAGAIN);
  });

  test("no destination, no permission, shut down", () => {
    pair();
    const fd = udp(a);
    expect(a.calls.send(fd, bytes("x"))).toBe(-EDESTADDRREQ);
    for (const to of ["255.255.255.255", "10.0.0.255"]) {
      expect(a.calls.sendto(fd, bytes("x"), 0, 1, 0, socketAddress(to, 9))).toBe(-EACCES);
      expect(a.calls.connect(fd, socketAddress(to, 9))).toBe(-EACCES);
    }
    expect(a.calls.connect(fd, socketAddress("10.0.0.2", 9))).toBe(0);
    expect(a.calls.shutdown(fd, SHUT_WR)).toBe(0);
    expect(a.calls.send(fd, bytes("x"))).toBe(-EPIPE);
  });

  test("IP_MTU_DISCOVER: DO refuses what does not fit, IP_MTU tells what does", () => {
    pair({ mtu: 1280 });
    const fd = udp(a);
    a.calls.connect(fd, socketAddress("10.0.0.2", 9));
    const result = { value: 0 as unknown as number };
    expect(a.calls.getsockopt(fd, IPPROTO_IP, IP_MTU, result as never)).toBe(0);
    expect(result.value).toBe(1280);
    a.calls.setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    expect(a.calls.send(fd, new Uint8Array(1252))).toBe(1252);
    expect(a.calls.send(fd, new Uint8Array(1253))).toBe(-EMSGSIZE);
    a.calls.setsockopt(fd, IPPROTO_IP, IP_RECVERR, 1);
    expect(a.calls.send(fd, new Uint8Array(1253))).toBe(-EMSGSIZE);
    const message = { buffers: [new Uint8Array(9)], control: [] as ControlMessage[] };
    expect(a.calls.recvmsg(fd, message, MSG_ERRQUEUE)).toBe(0);
    expect(message.control[0]!.error).toMatchObject({ errno: EMSGSIZE, origin: 1, info: 1280 });
  });
});

describe("limits", () => {
  test("a full receive buffer drops and counts, and loses nothing that it took", () => {
    pair();
    const sender = udp(a);
    const receiver = udp(b, "0.0.0.0", 5000);
    b.calls.setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, 5000);
    for (let i = 0; i < 100; i++) {
      const data = new Uint8Array(100).fill(i);
      a.calls.sendto(sender, data, 0, 100, 0, socketAddress("10.0.0.2", 5000));
    }
    lan.pass(5);
    let got = 0;
    const into = new Uint8Array(100);
    while (b.calls.recv(receiver, into) === 100) expect(into[99]).toBe(got++);
    expect(got).toBe(16); // 10,000 bytes by 612
    expect(b.counters.udpRcvbufErrors).toBe(84);
    expect(b.counters.udpInDatagrams).toBe(16);
  });

  test("a full send buffer is EAGAIN, and tells when there is room", () => {
    pair();
    const sender = udp(a, "10.0.0.1", 4000);
    a.calls.setsockopt(sender, SOL_SOCKET, SO_SNDBUF, 10_000);
    const dest = socketAddress("10.0.0.2", 5000);
    let taken = 0;
    while (a.calls.sendto(sender, new Uint8Array(1000), 0, 1000, 0, dest) === 1000) taken++;
    expect(taken).toBe(14);
    let told: number | undefined;
    a.parked.wait(a.calls.lookup(sender)!, 4, (bits) => {
      told = bits;
    });
    expect(told).toBeUndefined();
    lan.pass(1);
    expect(told! & 4).toBe(4);
  });

  test("closing drops what was received and gives the frames back", () => {
    pair();
    const receiver = udp(b, "0.0.0.0", 5000);
    const sender = udp(a);
    for (let i = 0; i < 10; i++) {
      a.calls.sendto(sender, bytes("x"), 0, 1, 0, socketAddress("10.0.0.2", 5000));
    }
    lan.pass(5);
    expect(lan.net.memory.framesInUse).toBeGreaterThanOrEqual(10);
    b.calls.close(receiver);
    expect(lan.net.memory.framesInUse).toBe(0);
  });
});

describe("flags and control messages", () => {
  test("MSG_PEEK leaves it, MSG_TRUNC tells the length, a short buffer is flagged", () => {
    pair();
    const receiver = udp(b, "0.0.0.0", 5000);
    const sender = udp(a);
    a.calls.sendto(sender, bytes("hello"), 0, 5, 0, socketAddress("10.0.0.2", 5000));
    lan.pass(1);
    const into = new Uint8Array(3);
    expect(b.calls.recv(receiver, into, 0, 3, MSG_PEEK)).toBe(3);
    expect(b.calls.recv(receiver, into, 0, 3, MSG_PEEK | MSG_TRUNC)).toBe(5);
    const message = { buffers: [into], flags: 0 };
    expect(b.calls.recvmsg(receiver, message, MSG_DONTWAIT)).toBe(3);
    expect(message.flags & MSG_TRUNC).toBe(MSG_TRUNC);
    expect(next(b, receiver)).toBe(-EAGAIN);
  });

  test("recvmsg scatters, sendmsg gathers", () => {
    pair();
    const receiver = udp(b, "0.0.0.0", 5000);
    const sender = udp(a);
    const name = socketAddress("10.0.0.2", 5000);
    expect(a.calls.sendmsg(sender, { name, buffers: [bytes("ab"), bytes("cde")] })).toBe(5);
    lan.pass(1);
    const message = { buffers: [new Uint8Array(1), new Uint8Array(9)] };
    expect(b.calls.recvmsg(receiver, message)).toBe(5);
    expect(new TextDecoder().decode(message.buffers[1]!.subarray(0, 4))).toBe("bcde");
  });

  test("TTL, TOS and the local address arrive as control messages, and can be sent as such", () => {
    pair();
    const receiver = udp(b, "0.0.0.0", 5000);
    for (const option of [IP_PKTINFO, IP_RECVTTL, IP_RECVTOS]) {
      expect(b.calls.setsockopt(receiver, IPPROTO_IP, option, 1)).toBe(0);
    }
    const sender = udp(a);
    a.calls.setsockopt(sender, IPPROTO_IP, IP_TTL, 9);
    const read = () => {
      lan.pass(1);
      const message = { buffers: [new Uint8Array(9)], control: [] as ControlMessage[] };
      expect(b.calls.recvmsg(receiver, message)).toBe(1);
      return Object.fromEntries(
        message.control.map((m) => [m.type, m.value ?? `${m.address}%${m.interfaceIndex}`]),
      );
    };
    const name = socketAddress("10.0.0.2", 5000);
    a.calls.sendto(sender, bytes("x"), 0, 1, 0, name);
    const index = b.interface("eth0")!.index;
    expect(read()).toEqual({ [IP_PKTINFO]: `10.0.0.2%${index}`, [IP_TTL]: 9, [IP_TOS]: 0 });
    const control = [
      { level: IPPROTO_IP, type: IP_TTL, value: 77 },
      { level: IPPROTO_IP, type: IP_TOS, value: 0x20 },
    ];
    expect(a.calls.sendmsg(sender, { name, buffers: [bytes("x")], control })).toBe(1);
    expect(read()).toMatchObject({ [IP_TTL]: 77, [IP_TOS]: 0x20 });
  });

  test("MSG_MORE and UDP_CORK put one datagram together", () => {
    pair();
    const receiver = udp(b, "0.0.0.0", 5000);
    const sender = udp(a);
    a.calls.connect(sender, socketAddress("10.0.0.2", 5000));
    expect(a.calls.send(sender, bytes("ab"), 0, 2, MSG_MORE)).toBe(2);
    expect(a.calls.send(sender, bytes("cd"))).toBe(2);
    a.calls.setsockopt(sender, IPPROTO_UDP, UDP_CORK, 1);
    a.calls.send(sender, bytes("e"));
    a.calls.send(sender, bytes("f"));
    a.calls.setsockopt(sender, IPPROTO_UDP, UDP_CORK, 0);
    lan.pass(1);
    expect(next(b, receiver)).toMatch("abcd from");
    expect(next(b, receiver)).toMatch("ef from");
  });

  test("RFC 768: SO_NO_CHECK sends checksum 0, which IPv4 takes", () => {
    pair();
    const receiver = udp(b, "0.0.0.0", 5000);
    const sender = udp(a);
    a.calls.setsockopt(sender, SOL_SOCKET, SO_NO_CHECK, 1);
    a.calls.sendto(sender, bytes("x"), 0, 1, 0, socketAddress("10.0.0.2", 5000));
    lan.pass(1);
    expect(next(b, receiver)).toMatch("x from");
    expect(b.counters.udpInCsumErrors).toBe(0);
  });
});

describe("broadcast and multicast", () => {
  test("with SO_BROADCAST a broadcast reaches every socket of the port", () => {
    pair();
    const one = udp(b);
    const two = udp(b);
    for (const fd of [one, two]) {
      b.calls.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      expect(b.calls.bind(fd, socketAddress("0.0.0.0", 5000))).toBe(0);
    }
    const sender = udp(a, "10.0.0.1", 4000);
    a.calls.setsockopt(sender, SOL_SOCKET, SO_BROADCAST, 1);
    for (const to of ["255.255.255.255", "10.0.0.255"]) {
      expect(a.calls.sendto(sender, bytes("x"), 0, 1, 0, socketAddress(to, 5000))).toBe(1);
      lan.pass(1);
      expect(next(b, one)).toBe("x from 10.0.0.1:4000");
      expect(next(b, two)).toBe("x from 10.0.0.1:4000");
    }
  });

  test("a group is heard from joining to leaving", () => {
    pair();
    const receiver = udp(b, "0.0.0.0", 5000);
    const sender = udp(a, "10.0.0.1", 4000);
    const group = parseAddress("239.1.2.3");
    const send = () => {
      const result = a.calls.sendto(sender, bytes("x"), 0, 1, 0, {
        family: AF_INET,
        address: group,
        port: 5000,
      });
      expect(result).toBe(1);
      lan.pass(1);
      return next(b, receiver);
    };
    expect(send()).toBe(-EAGAIN);
    expect(
      b.calls.setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, {
        group,
        interfaceAddress: parseAddress("10.0.0.2"),
      }),
    ).toBe(0);
    expect(
      b.calls.setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, {
        group,
        interfaceAddress: parseAddress("10.0.0.2"),
      }),
    ).toBe(-EADDRINUSE);
    expect(send()).toBe("x from 10.0.0.1:4000");
    expect(b.calls.setsockopt(receiver, IPPROTO_IP, IP_DROP_MEMBERSHIP, { group })).toBe(0);
    lan.pass(3000);
    expect(send()).toBe(-EAGAIN);
  });
});
