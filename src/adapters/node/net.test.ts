import type { AddressInfo, Server, Socket } from "node:net";
import { describe } from "vitest";
import {
  type Log,
  type Modules,
  type Program,
  same,
  SOCKET_EVENTS,
  watch,
} from "../../../test/support/both-networks.ts";

type Pair = (client: Socket, server: Socket, listener: Server) => void;

/** A server at 127.0.0.1 and a client of it; both sides are watched. */
function pair(body: Pair, options: { server?: object; client?: object } = {}): Program {
  return ({ net }, log, end) => {
    const listener = net.createServer(options.server ?? {});
    let client: Socket;
    listener.on("connection", (socket) => {
      watch("server", socket, log, SOCKET_EVENTS);
      body(client, socket, listener);
      socket.on("close", () => listener.close());
    });
    listener.on("close", () => {
      log("listener", "close");
      end();
    });
    listener.listen(0, "127.0.0.1", () => {
      const { port } = listener.address() as AddressInfo;
      client = net.connect({ port, host: "127.0.0.1", ...options.client });
      watch("client", client, log, SOCKET_EVENTS);
    });
  };
}

function port(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function attempt(log: Log, what: string, call: () => unknown): void {
  try {
    const result = call();
    log(what, "gave", typeof result);
  } catch (error) {
    log(what, "threw", error);
  }
}

describe("a connection", () => {
  same(
    "echo: end() on one side ends both",
    pair((client, server) => {
      server.pipe(server);
      client.end("hello");
    }),
  );

  same(
    "half-open: the server goes on writing after the client's end",
    pair(
      (client, server) => {
        client.end("question");
        server.on("end", () => setTimeout(() => server.end("answer"), 10));
      },
      { server: { allowHalfOpen: true } },
    ),
  );

  same(
    "without allowHalfOpen the peer's end ends the socket",
    pair((client, server) => {
      server.on("end", () => setTimeout(() => server.write("too late", () => {}), 10));
      client.end();
    }),
  );

  same(
    "destroy() on one side is an end on the other",
    pair((client, server) => {
      server.resume();
      server.write("x");
      client.on("data", () => client.destroy());
    }),
  );

  same(
    "destroy(error) tells the error here only",
    pair((client) => {
      setTimeout(() => client.destroy(new Error("mine")), 10);
    }),
  );

  same(
    "resetAndDestroy(): the peer gets ECONNRESET",
    pair((client, server) => {
      server.resume();
      setTimeout(() => client.resetAndDestroy(), 10);
    }),
  );

  same(
    "unread data at destroy(): the peer gets ECONNRESET",
    pair((client, server) => {
      client.resume();
      server.pause();
      client.write("never read");
      setTimeout(() => server.destroy(), 50);
    }),
  );

  same(
    "destroySoon() writes what is left",
    pair((client, server) => {
      client.resume();
      server.write("all of this");
      server.destroySoon();
    }),
  );

  same(
    "setTimeout: an idle socket says so, and lives on",
    pair((client, server) => {
      server.resume();
      const wait = () => client.setTimeout(100, () => client.end());
      if (client.connecting) client.once("ready", wait);
      else wait();
    }),
  );

  same("addresses of both sides, before and after", ({ net }, log, end) => {
    const names = (socket: Socket) => [
      socket.remoteAddress,
      socket.remoteFamily,
      socket.remotePort,
      socket.localAddress,
      socket.localFamily,
      socket.localPort,
      socket.address(),
      socket.readyState,
      socket.pending,
      socket.connecting,
    ];
    const listener = net.createServer((socket) => {
      log("accepted", names(socket));
      socket.resume();
      socket.on("close", () => log("after", names(socket)));
    });
    listener.listen(0, "127.0.0.1", () => {
      log("listener", listener.address(), listener.listening);
      const client = net.connect(port(listener), "127.0.0.1");
      log("connecting", names(client));
      client.on("connect", () => {
        log("connected", names(client));
        client.end();
      });
      client.on("close", () => {
        log("closed", names(client));
        listener.close(end);
      });
    });
  });

  same(
    "bytesRead and bytesWritten count strings and buffers, before and after the end",
    pair((client, server) => {
      server.resume();
      client.write("é", "utf8");
      client.write("abc", "latin1");
      client.write("ab", "ucs2");
      client.write(Buffer.alloc(10));
      client.end("ff", "hex");
      server.on("end", () => process.nextTick(() => watchBytes(server, client)));
      const watchBytes = (a: Socket, b: Socket) => {
        a.emit("timeout", a.bytesRead, b.bytesWritten);
      };
    }),
  );

  same(
    "write callbacks come in order, and writableLength falls to 0",
    pair((client, server) => {
      server.resume();
      client.cork();
      for (const n of [1, 2, 3]) {
        client.write(`${n}`, () => client.emit("timeout", n, client.writableLength));
      }
      client.uncork();
      client.end(() => client.emit("timeout", "ended"));
    }),
  );

  same("1 MB both ways arrives whole", ({ net }, log, end) => {
    const data = Buffer.alloc(1 << 20, "0123456789abcdef!");
    const listener = net.createServer((socket) => socket.pipe(socket));
    listener.listen(0, "127.0.0.1", () => {
      const client = net.connect(port(listener), "127.0.0.1");
      const chunks: Buffer[] = [];
      client.on("data", (chunk) => chunks.push(chunk));
      client.on("end", () => {
        log(Buffer.concat(chunks).equals(data), client.bytesRead, client.bytesWritten);
        listener.close(end);
      });
      client.end(data);
    });
  });

  same("pause() stops the data, and the writer's drain waits for resume()", ({ net }, log, end) => {
    const listener = net.createServer((socket) => {
      socket.pause();
      setTimeout(() => {
        log("resume");
        socket.resume();
      }, 50);
    });
    listener.listen(0, "127.0.0.1", () => {
      const client = net.connect(port(listener), "127.0.0.1");
      // More than all buffers on the way take.
      const isRoom = client.write(Buffer.alloc(32 << 20));
      log("write", isRoom);
      client.on("drain", () => {
        log("drain");
        client.end();
      });
      client.on("close", () => listener.close(end));
    });
  });

  same("a write after the peer's reset fails", ({ net }, log, end) => {
    const listener = net.createServer((socket) => socket.resetAndDestroy());
    listener.listen(0, "127.0.0.1", () => {
      const client = net.connect(port(listener), "127.0.0.1");
      client.on("error", () => {});
      client.on("close", () => {
        client.write("x", (error) => {
          log(error);
          listener.close(end);
        });
      });
    });
  });

  same(
    "a write after end() fails",
    pair((client, server) => {
      server.resume();
      client.resume();
      client.end();
      client.write("late", (error) => client.emit("timeout", error));
    }),
  );

  same(
    "setEncoding: characters cut by segments are put together",
    pair((client, server) => {
      client.setEncoding("utf8");
      const bytes = Buffer.from("日本語");
      server.write(bytes.subarray(0, 4));
      client.once("data", () => server.end(bytes.subarray(4)));
    }),
  );

  same("reconnecting a closed socket", ({ net }, log, end) => {
    const listener = net.createServer((socket) => socket.end("once"));
    listener.listen(0, "127.0.0.1", () => {
      const client = net.connect(port(listener), "127.0.0.1");
      watch("client", client, log, SOCKET_EVENTS);
      client.once("close", () => {
        client.once("close", () => listener.close(end));
        client.connect(port(listener), "127.0.0.1");
      });
    });
  });

  same("onread: a buffer of the user's is filled again and again", ({ net }, log, end) => {
    const listener = net.createServer((socket) => socket.end("0123456789"));
    listener.listen(0, "127.0.0.1", () => {
      const buffer = Buffer.alloc(4);
      const client = net.connect({
        port: port(listener),
        host: "127.0.0.1",
        onread: {
          buffer,
          callback(count: number, same: Uint8Array) {
            log(count, same === buffer, Buffer.from(same.subarray(0, count)).toString());
            return true;
          },
        },
      } as never);
      client.on("data", () => log("no data event"));
      client.on("close", () => listener.close(end));
      client.on("end", () => log("end", client.bytesRead));
    });
  });

  same("onread: false from the callback pauses", ({ net }, log, end) => {
    const listener = net.createServer((socket) => socket.end("0123456789"));
    listener.listen(0, "127.0.0.1", () => {
      const buffer = Buffer.alloc(4);
      let calls = 0;
      const client = net.connect({
        port: port(listener),
        host: "127.0.0.1",
        onread: {
          buffer,
          callback(count: number, filled: Uint8Array) {
            log(count, Buffer.from(filled.subarray(0, count)).toString());
            if (++calls !== 1) return true;
            setTimeout(() => {
              log("resume");
              client.resume();
            }, 30);
            return false;
          },
        },
      } as never);
      client.on("close", () => listener.close(end));
    });
  });

  same("pauseOnConnect: nothing is read until resume()", ({ net }, log, end) => {
    const listener = net.createServer({ pauseOnConnect: true }, (socket) => {
      log("paused", socket.isPaused(), socket.bytesRead);
      socket.on("data", (data) => log("data", data));
      socket.on("end", () => listener.close(end));
      setTimeout(() => {
        log("still", socket.bytesRead);
        socket.resume();
      }, 30);
    });
    listener.listen(0, "127.0.0.1", () => net.connect(port(listener), "127.0.0.1").end("later"));
  });
});

describe("connecting", () => {
  const fails = (options: object): Program => {
    return ({ net }, log, end) => {
      const client = net.connect(options as never);
      watch("client", client, log, [
        ...SOCKET_EVENTS,
        "connectionAttempt",
        "connectionAttemptFailed",
      ]);
      client.on("close", end);
    };
  };
  same("a closed port: ECONNREFUSED", fails({ port: 1, host: "127.0.0.1" }));
  same("a closed port over IPv6: ECONNREFUSED", fails({ port: 1, host: "::1" }));
  same(
    "a local address that is not ours: EADDRNOTAVAIL",
    fails({ port: 1, host: "127.0.0.1", localAddress: "192.0.2.77" }),
  );
  same(
    "localAddress and localPort are used and told in the error",
    fails({ port: 1, host: "127.0.0.1", localAddress: "127.0.0.1", localPort: 28_123 }),
  );
  same("a name that does not exist: ENOTFOUND", fails({ port: 1, host: "nobody.invalid" }));
  same(
    "a lookup of the program's own, that fails",
    fails({
      port: 1,
      host: "name",
      lookup: (_name: string, _options: object, callback: (error: Error) => void) =>
        process.nextTick(callback, Object.assign(new Error("no"), { code: "EMINE" })),
    }),
  );
  same(
    "a lookup that gives what is no address",
    fails({
      port: 1,
      host: "name",
      autoSelectFamily: false,
      lookup: (_name: string, _options: object, callback: (...args: unknown[]) => void) =>
        process.nextTick(callback, null, "nonsense", 4),
    }),
  );
  same("several addresses: all their errors are told together", (modules, log, end) => {
    fails({
      port: 1,
      host: "name",
      autoSelectFamily: true,
      lookup: (_name: string, _options: object, callback: (...args: unknown[]) => void) =>
        process.nextTick(callback, null, [
          { address: "127.0.0.1", family: 4 },
          { address: "::1", family: 6 },
          { address: "127.0.0.2", family: 4 },
        ]),
    })(modules, log, end);
  });
  same("several addresses: the one that answers is taken", ({ net }, log, end) => {
    const listener = net.createServer((socket) => socket.end("found"));
    listener.listen(0, "127.0.0.1", () => {
      const client = net.connect({
        port: port(listener),
        host: "name",
        autoSelectFamily: true,
        lookup: ((_name: string, _options: object, callback: (...args: unknown[]) => void) =>
          process.nextTick(callback, null, [
            { address: "::1", family: 6 },
            { address: "127.0.0.1", family: 4 },
          ])) as never,
      });
      watch("client", client, log, SOCKET_EVENTS);
      client.on("close", () => {
        log((client as unknown as Record<string, unknown>).autoSelectFamilyAttemptedAddresses);
        listener.close(end);
      });
    });
  });
  same("destroy() before the connection is there", ({ net }, log, end) => {
    const listener = net.createServer(() => log("accepted"));
    listener.listen(0, "127.0.0.1", () => {
      const client = net.connect(port(listener), "127.0.0.1");
      watch("client", client, log, SOCKET_EVENTS);
      client.destroy();
      client.on("close", () => listener.close(end));
    });
  });
  same("writes before the connection is there wait for it", ({ net }, log, end) => {
    const listener = net.createServer((socket) => {
      socket.on("data", (data) => log("data", data));
      socket.on("end", () => listener.close(end));
    });
    listener.listen(0, "127.0.0.1", () => {
      const client = net.connect(port(listener), "127.0.0.1");
      log(client.write("one "), client.bytesWritten, client.bufferSize);
      client.end("two");
    });
  });
  same("signal: an abort ends the socket with AbortError", ({ net }, log, end) => {
    const listener = net.createServer();
    listener.listen(0, "127.0.0.1", () => {
      const controller = new AbortController();
      const client = new net.Socket({ signal: controller.signal } as never);
      watch("client", client, log, SOCKET_EVENTS);
      client.connect(port(listener), "127.0.0.1", () => controller.abort());
      client.on("close", () => listener.close(end));
    });
  });
  same("what is wrong with the arguments throws", ({ net }, log, end) => {
    attempt(log, "no port", () => net.connect({} as never));
    attempt(log, "port 65536", () => net.connect(65_536));
    attempt(log, "port -1", () => net.connect({ port: -1 }));
    attempt(log, "port true", () => net.connect({ port: true } as never));
    attempt(log, "localAddress", () => net.connect({ port: 1, localAddress: "x" }));
    attempt(log, "localPort", () => net.connect({ port: 1, localPort: "x" } as never));
    attempt(log, "lookup", () => net.connect({ port: 1, host: "a", lookup: 1 } as never));
    attempt(log, "objectMode", () => new net.Socket({ objectMode: true } as never));
    attempt(log, "timeout", () => new net.Socket().setTimeout("x" as never));
    attempt(log, "handle", () => net.createServer("x" as never));
    attempt(log, "listen", () => net.createServer().listen({} as never));
    attempt(log, "listen port", () => net.createServer().listen(65_536));
    attempt(log, "listen host", () => net.createServer().listen({ port: "x" } as never));
    end();
  });
  same("a Unix-domain path goes to the operating system", ({ net }, log, end) => {
    const client = net.connect("/nonexistent/socket");
    watch("client", client, log, SOCKET_EVENTS);
    client.on("close", end);
  });
});

describe("a server", () => {
  same("a port in use: EADDRINUSE", ({ net }, log, end) => {
    const first = net.createServer();
    first.listen(0, "127.0.0.1", () => {
      const second = net.createServer();
      second.on("error", (error) => {
        log(error, second.listening, second.address());
        first.close(end);
      });
      second.listen(port(first), "127.0.0.1");
    });
  });
  same("an address that is not ours: EADDRNOTAVAIL", ({ net }, log, end) => {
    const server = net.createServer();
    server.on("error", (error) => {
      log(error);
      end();
    });
    server.listen(28_124, "192.0.2.77");
  });
  same("listen() twice throws, close() twice tells", ({ net }, log, end) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      attempt(log, "again", () => server.listen(0));
      server.close((error) => {
        log("closed", error);
        server.close((again) => {
          log("again", again);
          end();
        });
      });
    });
  });
  same("without an address it listens on all, IPv6 and IPv4", ({ net }, log, end) => {
    const server = net.createServer((socket) => {
      log("from", socket.remoteAddress, socket.remoteFamily, socket.localAddress);
      socket.end();
    });
    server.listen(0, () => {
      const { address, family } = server.address() as AddressInfo;
      log(address, family);
      net
        .connect(port(server), "127.0.0.1")
        .on("close", () => {
          net
            .connect(port(server), "::1")
            .on("close", () => server.close(end))
            .resume();
        })
        .resume();
    });
  });
  same("ipv6Only: IPv4 is refused", ({ net }, log, end) => {
    const server = net.createServer();
    server.listen({ port: 0, host: "::", ipv6Only: true }, () => {
      const client = net.connect(port(server), "127.0.0.1");
      client.on("error", (error) => {
        log((error as NodeJS.ErrnoException).code);
        server.close(end);
      });
    });
  });
  same("maxConnections: more are dropped, and told", ({ net }, log, end) => {
    const server = net.createServer((socket) => {
      log("accepted");
      socket.resume();
    });
    server.maxConnections = 1;
    server.on("drop", (data) => log("drop", data));
    server.listen(0, "127.0.0.1", () => {
      const first = net.connect(port(server), "127.0.0.1", () => {
        const second = net.connect(port(server), "127.0.0.1");
        second.on("error", () => {});
        second.on("close", () => {
          log("second closed");
          first.end();
          server.close(end);
        });
        second.resume();
      });
      first.resume();
    });
  });
  same("getConnections counts, close() waits for the last one", ({ net }, log, end) => {
    const server = net.createServer((socket) => socket.resume());
    server.listen(0, "127.0.0.1", () => {
      const client = net.connect(port(server), "127.0.0.1", () => {
        setTimeout(() => {
          server.getConnections((error, count) => {
            log(error, count);
            server.close((closeError) => {
              log("closed", closeError);
              end();
            });
            log("listening", server.listening);
            setTimeout(() => client.end(), 20);
          });
        }, 20);
      });
      client.resume();
    });
  });
  same("a signal closes it", ({ net }, log, end) => {
    const controller = new AbortController();
    const server = net.createServer();
    server.on("close", () => {
      log("close");
      end();
    });
    server.listen({ port: 0, signal: controller.signal }, () => controller.abort());
  });
  same("listen(handle) of another server", ({ net }, log, end) => {
    const first = net.createServer();
    first.listen(0, "127.0.0.1", () => {
      const second = net.createServer((socket) => {
        log("second has it");
        socket.end();
      });
      second.listen((first as unknown as { _handle: object })._handle, () => {
        net
          .connect(port(first), "127.0.0.1")
          .resume()
          .on("close", () => second.close(end));
      });
    });
  });
  same("a path goes to the operating system", ({ net }, log, end) => {
    const server = net.createServer();
    server.on("error", (error) => {
      log(error);
      end();
    });
    server.listen("/nonexistent/socket");
  });
  same("_connectionKey", ({ net }, log, end) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      log((server as unknown as { _connectionKey: string })._connectionKey);
      server.close(end);
    });
  });
});

describe("a handle, for programs that look at it", () => {
  same("methods and types", ({ net }, log, end) => {
    const server = net.createServer((socket) => {
      const handle = (socket as unknown as { _handle: Record<string, unknown> })._handle;
      for (const name of METHODS) log(name, typeof handle[name]);
      log(handle.reading, handle.bytesRead, handle.bytesWritten, handle.isStreamBase);
      socket.end();
    });
    server.listen(0, "127.0.0.1", () => {
      net
        .connect(port(server), "127.0.0.1")
        .resume()
        .on("close", () => server.close(end));
    });
  });
  same("ref() and unref() are told by hasRef()", ({ net }, log, end) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const handle = (server as unknown as { _handle: { hasRef(): boolean } })._handle;
      log(handle.hasRef());
      server.unref();
      log(handle.hasRef());
      server.ref();
      log(handle.hasRef());
      server.close();
      log(handle.hasRef());
      server.on("close", end);
    });
  });
});

const METHODS = [
  "close",
  "ref",
  "unref",
  "hasRef",
  "getAsyncId",
  "readStart",
  "readStop",
  "shutdown",
  "writev",
  "writeBuffer",
  "writeUtf8String",
  "getsockname",
  "getpeername",
  "setNoDelay",
  "setKeepAlive",
  "bind",
  "bind6",
  "listen",
  "connect",
  "connect6",
  "open",
  "reset",
  "useUserBuffer",
];

export type { Modules };
