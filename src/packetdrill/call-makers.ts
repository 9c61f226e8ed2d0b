/** One function per call of the language: how its arguments become a call on the stack, and what it must answer. */
import { EAGAIN, EBADF } from "../base/errors.ts";
import type { AddressResult, PollEntry } from "../sockets/calls.ts";
import {
  F_DUPFD,
  F_GETFL,
  F_SETFL,
  O_NONBLOCK,
  SO_RCVBUF,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOL_SOCKET,
} from "../sockets/constants.ts";
import { isStream } from "../sockets/options/kinds.ts";
import type { OptionResult } from "../sockets/options/tables.ts";
import { CLOSED } from "../tcp/state.ts";
import type { Call } from "./ast.ts";
import type { Epoll } from "./epoll.ts";
import { formatExpression } from "./format-expression.ts";
import { compareOption, optionValue } from "./option-values.ts";
import type { Prepared, ScriptCalls } from "./script-calls.ts";
import { ScriptSocket } from "./script-socket.ts";
import {
  receiveCall,
  receiveMessageCall,
  sendCall,
  sendMessageCall,
  vectorCall,
} from "./transfer-calls.ts";
import { field, isEllipsis, listItems, numberValue, UnsupportedError } from "./values.ts";

/** FreeBSD's O_NONBLOCK. */
const FREEBSD_O_NONBLOCK = 4;

/** Makes a call ready. Throws UnsupportedError for a call that is not known, CallError for wrong arguments. */
export function prepareCall(calls: ScriptCalls, call: Call): Prepared {
  const maker = Object.hasOwn(MAKERS, call.name) ? MAKERS[call.name] : undefined;
  if (maker === undefined) throw new UnsupportedError(`the call ${call.name} is not known here`);
  return maker.call(calls, call);
}

type Maker = (this: ScriptCalls, call: Call) => Prepared;

const MAKERS: Readonly<Record<string, Maker>> = {
  socket(call) {
    const { calls, family } = this.environment;
    const domain = isEllipsis(call.args[0]) ? family : this.number(call, 0);
    const type = this.number(call, 1);
    const protocol = isEllipsis(call.args[2]) ? 0 : this.number(call, 2);
    return {
      now: () => {
        const liveFd = calls.socket(domain, type, protocol);
        if (liveFd < 0) return liveFd;
        const made = new ScriptSocket(liveFd, (type & 0xf) === SOCK_DGRAM);
        const scriptFd = this.adopt(this.wanted(call), made);
        this.environment.onSocket(made);
        return scriptFd;
      },
    };
  },

  bind(call) {
    const { calls } = this.environment;
    return {
      now: () => {
        const result = calls.bind(this.liveFd(call), this.address(call.args[1], this.bindAddress));
        const socket = this.socketAt(call);
        if (result === 0 && socket !== undefined) socket.bound = true;
        return result;
      },
    };
  },

  listen(call) {
    const { calls } = this.environment;
    return {
      now: () => {
        const result = calls.listen(this.liveFd(call), this.number(call, 1));
        const socket = this.socketAt(call);
        if (result === 0 && socket !== undefined) socket.listening = true;
        return result;
      },
    };
  },

  accept: acceptCall,
  accept4: acceptCall,

  connect(call) {
    const { calls, parked } = this.environment;
    const socket = this.socketAt(call);
    const liveFd = this.liveFd(call);
    const to = this.address(call.args[1], this.remote);
    const begin = () => {
      const live = calls.lookup(liveFd);
      // A socket that talks already goes on with whom it talks to.
      const isFree = live === undefined || !isStream(live) || live.connection.state === CLOSED;
      if (socket !== undefined && to.family !== 0 && isFree) this.environment.onConnect(socket, to);
    };
    return {
      blocking: this.isBlocking(liveFd),
      now: () => {
        begin();
        return calls.connect(liveFd, to);
      },
      park: (done) => {
        begin();
        const live = calls.lookup(liveFd);
        if (live === undefined) done(-EBADF);
        else parked.connect(live, to, done);
      },
    };
  },

  read: receiveCall,
  recv: receiveCall,
  recvfrom: receiveCall,
  write: sendCall,
  send: sendCall,
  sendto: sendCall,
  readv: vectorCall,
  writev: vectorCall,

  sendmsg: sendMessageCall,
  recvmsg: receiveMessageCall,

  shutdown(call) {
    return { now: () => this.environment.calls.shutdown(this.liveFd(call), this.number(call, 1)) };
  },

  close(call) {
    const scriptFd = this.number(call, 0);
    return {
      now: () => {
        if (this.closeEpoll(scriptFd)) return 0;
        const socket = this.socketAt(call);
        if (socket === undefined || socket.closed) return -EBADF;
        this.forgetInEpolls(scriptFd);
        const result = this.environment.calls.close(socket.liveFd);
        socket.closed = true;
        this.sockets.delete(scriptFd);
        return result;
      },
    };
  },

  fcntl(call) {
    const { calls, freebsd } = this.environment;
    const liveFd = this.liveFd(call);
    const command = this.number(call, 1);
    const argument = call.args.length > 2 ? this.number(call, 2) : 0;
    return {
      now: () => {
        const result = calls.fcntl(
          liveFd,
          command,
          command === F_SETFL ? linuxFlags(argument, freebsd) : argument,
        );
        if (command === F_GETFL && freebsd && result >= 0 && (result & O_NONBLOCK) !== 0) {
          return (result & ~O_NONBLOCK) | FREEBSD_O_NONBLOCK;
        }
        if (command !== F_DUPFD || result < 0) return result;
        return this.adopt(this.wanted(call), new ScriptSocket(result, false));
      },
    };
  },

  ioctl(call) {
    const { calls } = this.environment;
    const value = call.args[2];
    let got = 0;
    return {
      now: () => {
        const request = this.number(call, 1);
        const argument = value === undefined || isEllipsis(value) ? 0 : this.number(call, 2);
        got = calls.ioctl(this.liveFd(call), request, argument);
        return got < 0 ? got : 0;
      },
      after: () => {
        if (value === undefined || isEllipsis(value)) return undefined;
        if (value.kind !== "list") return undefined;
        const want = this.number(call, 2);
        return got === want ? undefined : `expected value [${want}], got [${got}]`;
      },
    };
  },

  getsockopt(call) {
    const { calls, freebsd } = this.environment;
    const level = this.number(call, 1);
    const option = this.number(call, 2);
    const result: OptionResult = { value: 0 };
    return {
      now: () => calls.getsockopt(this.liveFd(call), level, option, result),
      after: () => {
        let { value } = result;
        // Linux tells twice the size asked for, FreeBSD the size.
        const isBuffer = level === SOL_SOCKET && (option === SO_RCVBUF || option === SO_SNDBUF);
        if (freebsd && isBuffer && typeof value === "number") value /= 2;
        return compareOption(call, call.args[3], value);
      },
    };
  },

  setsockopt(call) {
    const { calls } = this.environment;
    const level = this.number(call, 1);
    return {
      now: () =>
        calls.setsockopt(
          this.liveFd(call),
          level,
          this.number(call, 2),
          optionValue(call, call.args[3]),
        ),
    };
  },

  getsockname(call) {
    return {
      now: () => this.environment.calls.getsockname(this.liveFd(call), { name: undefined }),
    };
  },
  getpeername(call) {
    return {
      now: () => this.environment.calls.getpeername(this.liveFd(call), { name: undefined }),
    };
  },

  poll(call) {
    const { calls, parked } = this.environment;
    const structs = listItems(call.args[0]);
    const entries: PollEntry[] = structs.map((item) => ({
      fd: this.liveOf(numberValue(field(item, "fd"), call.position)),
      events: numberValue(field(item, "events"), call.position),
      revents: 0,
    }));
    const timeoutMs = this.number(call, 2);
    return {
      blocking: timeoutMs !== 0,
      now: () => calls.poll(entries) || (timeoutMs === 0 ? 0 : -EAGAIN),
      park: (done) => {
        parked.poll(calls, entries, timeoutMs, done);
      },
      after: () => {
        for (const [index, item] of structs.entries()) {
          const want = field(item, "revents");
          if (want === undefined || isEllipsis(want)) continue;
          const bits = numberValue(want, call.position);
          const got = entries[index]!.revents;
          if (bits !== got)
            return `expected revents ${formatExpression(want)}, got 0x${got.toString(16)}`;
        }
        return undefined;
      },
    };
  },

  epoll_create(call) {
    return { now: () => this.makeEpoll(this.wanted(call)) };
  },
  epoll_create1(call) {
    return { now: () => this.makeEpoll(this.wanted(call)) };
  },

  epoll_ctl(call) {
    const target = this.number(call, 2);
    const event = call.args[3];
    const events = field(event, "events");
    const data =
      field(event, "fd") ?? field(event, "u32") ?? field(event, "u64") ?? field(event, "ptr");
    return {
      now: () =>
        this.epollAt(call).control(
          this.number(call, 1),
          target,
          this.liveOf(target),
          events === undefined ? 0 : numberValue(events, call.position),
          data === undefined ? target : numberValue(data, call.position),
        ),
    };
  },

  epoll_wait(call) {
    const expected = call.args[1]?.kind === "list" ? listItems(call.args[1]) : [call.args[1]!];
    const most = this.number(call, 2);
    const timeoutMs = this.number(call, 3);
    let got: ReturnType<Epoll["take"]> = [];
    return {
      blocking: timeoutMs !== 0,
      now: () => {
        got = this.epollAt(call).take(most);
        return got.length > 0 || timeoutMs === 0 ? got.length : -EAGAIN;
      },
      after: () => {
        for (const [index, event] of got.entries()) {
          const want = field(expected[index], "events");
          if (want === undefined || isEllipsis(want)) continue;
          const bits = numberValue(want, call.position);
          if (bits !== event.events) {
            return `expected events ${formatExpression(want)}, got 0x${event.events.toString(16)}`;
          }
        }
        return undefined;
      },
    };
  },
};

function acceptCall(this: ScriptCalls, call: Call): Prepared {
  const { calls, parked } = this.environment;
  const listener = this.socketAt(call);
  const liveFd = this.liveFd(call);
  const flags = call.name === "accept4" ? this.number(call, 3) : 0;
  const adopt = (accepted: number): number => {
    if (accepted < 0 || listener === undefined) return accepted;
    const name: AddressResult = { name: undefined };
    calls.getpeername(accepted, name);
    const socket = this.environment.onAccept(listener, accepted, name.name?.port ?? 0);
    return this.adopt(this.wanted(call), socket);
  };
  return {
    blocking: this.isBlocking(liveFd),
    now: () => adopt(calls.accept(liveFd, undefined, flags)),
    park: (done) => {
      const live = calls.lookup(liveFd);
      if (live === undefined) return done(-EBADF);
      parked.accept(live, (result, operation) => {
        done(result < 0 ? result : adopt(calls.install(operation.accepted!)));
      });
    },
  };
}

/** F_SETFL's argument as our calls know it: O_NONBLOCK has another bit on FreeBSD. */
function linuxFlags(flags: number, freebsd: boolean): number {
  return freebsd && (flags & FREEBSD_O_NONBLOCK) !== 0 ? flags | O_NONBLOCK : flags;
}
