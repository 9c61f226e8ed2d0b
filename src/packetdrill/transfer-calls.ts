/** The calls that move bytes. */
import { EBADF } from "../base/errors.ts";
import { MSG_FASTOPEN } from "../sockets/constants.ts";
import { ReceiveInfo } from "../sockets/message.ts";
import type { Call } from "./ast.ts";
import { iovLength, prepareMessage } from "./message-values.ts";
import type { Prepared, ScriptCalls } from "./script-calls.ts";
import { field, listItems } from "./values.ts";

/** read, recv, recvfrom. */
export function receiveCall(this: ScriptCalls, call: Call): Prepared {
  const { calls, parked } = this.environment;
  const liveFd = this.liveFd(call);
  const length = this.number(call, 2);
  const flags = call.name === "read" ? 0 : this.number(call, 3);
  const into = this.buffer(length);
  return {
    blocking: this.isBlocking(liveFd),
    now: () => calls.recvfrom(liveFd, into, 0, length, flags),
    park: (done) => {
      const live = calls.lookup(liveFd);
      if (live === undefined) done(-EBADF);
      else parked.read(live, into, 0, length, flags, done);
    },
  };
}

/** write, send, sendto. */
export function sendCall(this: ScriptCalls, call: Call): Prepared {
  const { calls, parked } = this.environment;
  const socket = this.socketAt(call);
  const liveFd = this.liveFd(call);
  const length = this.number(call, 2);
  const flags = call.name === "write" ? 0 : this.number(call, 3);
  const data = this.buffer(length);
  // A connected stream has no use for an address; elsewhere it says where to begin.
  const unconnected = socket !== undefined && socket.flow === undefined;
  const to = call.name === "sendto" ? this.address(call.args[4], this.remoteOf(socket)) : undefined;
  const begin = () => {
    if (unconnected && to !== undefined) this.environment.onConnect(socket, to);
  };
  return {
    blocking: this.isBlocking(liveFd),
    now: () => {
      begin();
      return calls.sendto(liveFd, data, 0, length, flags, to);
    },
    park: (done) => {
      begin();
      const live = calls.lookup(liveFd);
      if (live === undefined) done(-EBADF);
      else parked.write(live, data, 0, length, flags, done, to);
    },
  };
}

/** readv and writev: the lengths of the vector in one go. */
export function vectorCall(this: ScriptCalls, call: Call): Prepared {
  const { calls, parked } = this.environment;
  const liveFd = this.liveFd(call);
  const buffers = listItems(call.args[1]).map((item) => new Uint8Array(iovLength(item, call)));
  const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  const reading = call.name === "readv";
  return {
    blocking: this.isBlocking(liveFd),
    now: () =>
      reading ? calls.recvmsg(liveFd, { buffers }, 0) : calls.sendmsg(liveFd, { buffers }, 0),
    park: (done) => {
      const live = calls.lookup(liveFd);
      const bytes = this.buffer(length);
      if (live === undefined) done(-EBADF);
      else if (reading) parked.read(live, bytes, 0, length, 0, done);
      else parked.write(live, bytes, 0, length, 0, done);
    },
  };
}

/** sendmsg. */
export function sendMessageCall(this: ScriptCalls, call: Call): Prepared {
  const { calls, parked } = this.environment;
  const liveFd = this.liveFd(call);
  const { header } = prepareMessage(call, (length) => new Uint8Array(length));
  const flags = this.number(call, 2);
  const socket = this.socketAt(call);
  const named = field(call.args[1], "msg_name");
  const to = this.remoteOf(socket);
  const needsName =
    (socket?.isDatagram === true && socket.flow === undefined) || (flags & MSG_FASTOPEN) !== 0;
  if (named !== undefined && needsName) header.name = this.address(named, to);
  const begin = () => {
    if (socket !== undefined && socket.flow === undefined) this.environment.onConnect(socket, to);
  };
  const length = header.buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  return {
    blocking: this.isBlocking(liveFd),
    now: () => {
      begin();
      return calls.sendmsg(liveFd, header, flags);
    },
    // The bytes are all alike, so that the vector does not matter.
    park: (done) => {
      begin();
      const live = calls.lookup(liveFd);
      if (live === undefined) done(-EBADF);
      else parked.write(live, this.buffer(length), 0, length, flags, done, header.name);
    },
  };
}

/** recvmsg. */
export function receiveMessageCall(this: ScriptCalls, call: Call): Prepared {
  const { calls, parked } = this.environment;
  const liveFd = this.liveFd(call);
  const flags = this.number(call, 2);
  const { header, compare } = prepareMessage(call, (length) => new Uint8Array(length));
  const length = header.buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  return {
    blocking: this.isBlocking(liveFd),
    now: () => calls.recvmsg(liveFd, header, flags),
    park: (done) => {
      const live = calls.lookup(liveFd);
      const info = new ReceiveInfo().reset(header.control !== undefined);
      if (live === undefined) return done(-EBADF);
      parked.read(
        live,
        this.buffer(length),
        0,
        length,
        flags,
        (result) => {
          header.flags = info.flags;
          if (header.control !== undefined) header.control = info.control ?? [];
          done(result);
        },
        info,
      );
    },
    after: () => compare(header),
  };
}
