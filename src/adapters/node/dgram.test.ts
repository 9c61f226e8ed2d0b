import type { Socket, SocketType } from "node:dgram";
import { describe } from "vitest";
import { type Log, type Program, same, watch } from "../../../test/support/both-networks.ts";

const EVENTS = ["listening", "connect", "message", "error", "close"];

function attempt(log: Log, what: string, call: () => unknown): void {
  try {
    const result = call();
    log(what, "gave", result !== null && typeof result === "object" ? "an object" : result);
  } catch (error) {
    log(what, "threw", error);
  }
}

/** A bound socket and an unbound one; both are watched. */
function pair(
  body: (bound: Socket, other: Socket, end: () => void, log: Log) => void,
  type: SocketType = "udp4",
): Program {
  return ({ dgram }, log, end) => {
    const bound = dgram.createSocket(type);
    const other = dgram.createSocket(type);
    watch("bound", bound, log, EVENTS);
    watch("other", other, log, EVENTS);
    const close = () => {
      bound.close();
      other.close();
      setTimeout(end, 10);
    };
    bound.bind(0, type === "udp4" ? "127.0.0.1" : "::1", () => body(bound, other, close, log));
  };
}

describe("datagrams", () => {
  same(
    "send() binds, the callback tells the length, the answer comes back",
    pair((bound, other, end, log) => {
      bound.on("message", (_data, from) => bound.send("answer", from.port, from.address));
      other.on("message", end);
      other.send("question", bound.address().port, "127.0.0.1", (error, bytes) => {
        log("sent", error, bytes, other.address());
      });
    }),
  );
  same(
    "udp6",
    pair((bound, other, end) => {
      bound.on("message", end);
      other.send("six", bound.address().port, "::1");
    }, "udp6"),
  );
  same(
    "lists, parts of a buffer, empty datagrams, views",
    pair((bound, other, end) => {
      let count = 0;
      bound.on("message", () => {
        if (++count === 5) end();
      });
      const { port } = bound.address();
      other.send(["a", Buffer.from("b"), new Uint8Array([99])], port, "127.0.0.1");
      other.send(Buffer.from("0123456789"), 3, 4, port, "127.0.0.1");
      other.send(Buffer.alloc(0), port, "127.0.0.1");
      other.send([], port, "127.0.0.1");
      other.send(new DataView(new ArrayBuffer(2)), port, "127.0.0.1");
    }),
  );
  same(
    "without an address to the loopback one",
    pair((bound, other, end) => {
      bound.on("message", end);
      other.send("x", bound.address().port);
    }),
  );
  same(
    "a connected socket: send without address, remoteAddress, disconnect",
    pair((bound, other, end, log) => {
      bound.on("message", () => {
        log("remote", other.remoteAddress());
        attempt(log, "send with an address", () => other.send("x", 1, "127.0.0.1"));
        attempt(log, "connect again", () => other.connect(1));
        attempt(log, "disconnect", () => other.disconnect());
        attempt(log, "disconnect again", () => other.disconnect());
        attempt(log, "remoteAddress", () => other.remoteAddress());
        end();
      });
      other.connect(bound.address().port, "127.0.0.1", () => {
        other.send("connected", (error, bytes) => log("sent", error, bytes));
      });
    }),
  );
  same("too large: EMSGSIZE", ({ dgram }, log, end) => {
    const socket = dgram.createSocket("udp4");
    socket.send(Buffer.alloc(65_508), 9, "127.0.0.1", (error, bytes) => {
      log(error, bytes);
      socket.close(end);
    });
  });
  same(
    "65507 bytes arrive",
    pair((bound, other, end, log) => {
      bound.removeAllListeners("message");
      bound.on("message", (data) => {
        log("length", data.length);
        end();
      });
      bound.setRecvBufferSize(500_000);
      other.send(Buffer.alloc(65_507), bound.address().port, "127.0.0.1");
    }),
  );
  same("nobody listens: a connected socket hears ECONNREFUSED", ({ dgram }, log, end) => {
    const socket = dgram.createSocket("udp4");
    watch("socket", socket, log, EVENTS);
    socket.on("error", () => socket.close(end));
    socket.connect(1, "127.0.0.1", () => socket.send("x"));
  });
  same("port 0 and ports out of range throw", ({ dgram }, log, end) => {
    const socket = dgram.createSocket("udp4");
    for (const port of [0, -1, 65_536, "x", undefined, null, true, {}, 1.5]) {
      attempt(log, `send to ${String(port)}`, () => socket.send("x", port as number, "127.0.0.1"));
    }
    attempt(log, "connect to 0", () => socket.connect(0));
    attempt(log, "send a number", () => socket.send(23 as never, 1, "127.0.0.1"));
    attempt(log, "send a list with a number", () => socket.send([23] as never, 1, "127.0.0.1"));
    attempt(log, "offset", () => socket.send(Buffer.alloc(2), 3, 1, 1, "127.0.0.1"));
    attempt(log, "length", () => socket.send(Buffer.alloc(2), 1, 3, 1, "127.0.0.1"));
    attempt(log, "address", () => socket.send("x", 1, 5 as never));
    socket.close(end);
  });
  same("a name that does not exist: ENOTFOUND", ({ dgram }, log, end) => {
    const socket = dgram.createSocket("udp4");
    socket.send("x", 1, "nobody.invalid", (error) => {
      log(error);
      socket.close(end);
    });
  });
  same("a lookup of the program's own", ({ dgram }, log, end) => {
    const socket = dgram.createSocket({
      type: "udp4",
      lookup: (name, family, callback) => {
        log("lookup", name, family);
        callback(null, "127.0.0.1", 4);
      },
    });
    socket.on("message", (data) => {
      log(data);
      socket.close(end);
    });
    socket.bind(0, () => socket.send("x", socket.address().port, "somebody"));
  });
});

describe("a socket's life", () => {
  same("bind twice, close twice, calls after close", ({ dgram }, log, end) => {
    const socket = dgram.createSocket("udp4");
    attempt(log, "address", () => socket.address());
    socket.bind(0, () => {
      attempt(log, "bind", () => socket.bind(0));
      socket.close(() => log("closed"));
      attempt(log, "close", () => socket.close());
      attempt(log, "send", () => socket.send("x", 1, "127.0.0.1"));
      attempt(log, "address", () => socket.address());
      attempt(log, "ref", () => socket.ref() === socket);
      setTimeout(end, 10);
    });
  });
  same("types that do not exist throw", ({ dgram }, log, end) => {
    for (const type of ["udp5", "", 4, undefined, null, {}]) {
      attempt(log, `type ${String(type)}`, () => dgram.createSocket(type as never));
    }
    attempt(log, "lookup", () => dgram.createSocket({ type: "udp4", lookup: 1 } as never));
    attempt(log, "size", () => dgram.createSocket({ type: "udp4", recvBufferSize: "x" } as never));
    end();
  });
  same("a port in use: EADDRINUSE; reuseAddr lets it", ({ dgram }, log, end) => {
    const first = dgram.createSocket("udp4");
    first.bind(0, "127.0.0.1", () => {
      const second = dgram.createSocket("udp4");
      second.on("error", (error) => {
        log(error);
        second.close();
        first.close(end);
      });
      second.bind(first.address().port, "127.0.0.1");
    });
  });
  same("reuseAddr: two sockets at one port", ({ dgram }, log, end) => {
    const first = dgram.createSocket({ type: "udp4", reuseAddr: true });
    first.bind(0, () => {
      const second = dgram.createSocket({ type: "udp4", reuseAddr: true });
      second.bind(first.address().port, () => {
        log("both");
        first.close();
        second.close(end);
      });
    });
  });
  same("an address that is not ours: EADDRNOTAVAIL", ({ dgram }, log, end) => {
    const socket = dgram.createSocket("udp4");
    socket.on("error", (error) => {
      log(error);
      socket.close(end);
    });
    socket.bind(28_125, "192.0.2.77");
  });
  same("udp6 takes IPv4 unless ipv6Only", ({ dgram }, log, end) => {
    const socket = dgram.createSocket("udp6");
    const other = dgram.createSocket("udp4");
    socket.on("message", (data, from) => {
      log(data, from.address, from.family);
      other.close();
      socket.close(end);
    });
    socket.bind(0, () => other.send("four", socket.address().port, "127.0.0.1"));
  });
  same("ipv6Only leaves IPv4's port free", ({ dgram }, log, end) => {
    const six = dgram.createSocket({ type: "udp6", ipv6Only: true });
    six.bind(0, () => {
      const four = dgram.createSocket("udp4");
      four.bind(six.address().port, () => {
        log("both");
        four.close();
        six.close(end);
      });
    });
  });
  same("a signal closes it", ({ dgram }, log, end) => {
    const controller = new AbortController();
    const socket = dgram.createSocket({ type: "udp4", signal: controller.signal });
    socket.on("close", () => {
      log("close");
      end();
    });
    socket.bind(0, () => controller.abort());
    const aborted = dgram.createSocket({ type: "udp4", signal: AbortSignal.abort() });
    aborted.on("close", () => log("at once"));
  });
  same("close() right after send() and bind()", ({ dgram }, log, end) => {
    const socket = dgram.createSocket("udp4");
    socket.send("x", 9, "127.0.0.1", (error, bytes) => log("sent", error, bytes));
    socket.close(() => {
      log("close");
      setTimeout(end, 10);
    });
  });
});

describe("options of a socket", () => {
  const calls: [string, (socket: Socket) => unknown][] = [
    ["setTTL(16)", (s) => s.setTTL(16)],
    ["setTTL(0)", (s) => s.setTTL(0)],
    ["setTTL(256)", (s) => s.setTTL(256)],
    ["setTTL(x)", (s) => s.setTTL("x" as never)],
    ["setMulticastTTL(8)", (s) => s.setMulticastTTL(8)],
    ["setMulticastTTL(1000)", (s) => s.setMulticastTTL(1000)],
    ["setMulticastTTL(x)", (s) => s.setMulticastTTL("x" as never)],
    ["setMulticastLoopback(true)", (s) => s.setMulticastLoopback(true)],
    ["setBroadcast(true)", (s) => s.setBroadcast(true)],
    ["setRecvBufferSize(10000)", (s) => s.setRecvBufferSize(10_000)],
    ["getRecvBufferSize", (s) => s.getRecvBufferSize()],
    ["setSendBufferSize(10000)", (s) => s.setSendBufferSize(10_000)],
    ["getSendBufferSize", (s) => s.getSendBufferSize()],
    ["setRecvBufferSize(-1)", (s) => s.setRecvBufferSize(-1)],
    ["setRecvBufferSize(2^31)", (s) => s.setRecvBufferSize(2 ** 31)],
    ["setRecvBufferSize(x)", (s) => s.setRecvBufferSize("x" as never)],
    ["getSendQueueSize", (s) => s.getSendQueueSize()],
    ["getSendQueueCount", (s) => s.getSendQueueCount()],
    ["setMulticastInterface(127.0.0.1)", (s) => s.setMulticastInterface("127.0.0.1")],
    ["setMulticastInterface(0.0.0.0)", (s) => s.setMulticastInterface("0.0.0.0")],
    ["setMulticastInterface(nonsense)", (s) => s.setMulticastInterface("nonsense")],
    ["setMulticastInterface(undefined)", (s) => s.setMulticastInterface(undefined as never)],
    ["setMulticastInterface(192.0.2.77)", (s) => s.setMulticastInterface("192.0.2.77")],
    ["addMembership()", (s) => s.addMembership(undefined as never)],
    ["addMembership(256.256.256.256)", (s) => s.addMembership("256.256.256.256")],
    ["addMembership(10.0.0.1)", (s) => s.addMembership("10.0.0.1")],
    ["addMembership(group, 127.0.0.1)", (s) => s.addMembership("224.0.0.114", "127.0.0.1")],
    ["addMembership again", (s) => s.addMembership("224.0.0.114", "127.0.0.1")],
    ["dropMembership(group, 127.0.0.1)", (s) => s.dropMembership("224.0.0.114", "127.0.0.1")],
    ["dropMembership again", (s) => s.dropMembership("224.0.0.114", "127.0.0.1")],
    ["addSourceSpecificMembership(bad)", (s) => s.addSourceSpecificMembership("x", "232.1.1.1")],
    [
      "addSourceSpecificMembership",
      (s) => s.addSourceSpecificMembership("127.0.0.2", "232.1.1.1", "127.0.0.1"),
    ],
    [
      "dropSourceSpecificMembership",
      (s) => s.dropSourceSpecificMembership("127.0.0.2", "232.1.1.1", "127.0.0.1"),
    ],
  ];
  for (const [name, call] of calls) {
    // On a socket of its own: what an option answers depends on those before.
    if (/again|dropSource|^drop/.test(name)) continue;
    same(`${name} before and after bind()`, ({ dgram }, log, end) => {
      const unbound = dgram.createSocket("udp4");
      attempt(log, "unbound", () => call(unbound));
      unbound.close();
      const socket = dgram.createSocket("udp4");
      socket.bind(0, () => {
        attempt(log, "bound", () => call(socket));
        socket.close(() => {
          attempt(log, "closed", () => call(socket));
          end();
        });
      });
    });
  }
  same("memberships, one after the other", ({ dgram }, log, end) => {
    const socket = dgram.createSocket({ type: "udp4", reuseAddr: true });
    socket.bind(0, () => {
      for (const [name, call] of calls) {
        if (/^(add|drop)/.test(name)) attempt(log, name, () => call(socket));
      }
      socket.close(end);
    });
  });
});
