import { EAGAIN, EMSGSIZE } from "../base/errors.ts";
import { MSG_PEEK, MSG_TRUNC, SOCK_STREAM } from "./constants.ts";
import type { MessageHeader, ReceiveInfo } from "./message.ts";
import type { Socket } from "./socket.ts";

/** sendmsg over several buffers: a stream takes them one by one, a datagram is gathered first. */
export function sendMessage(socket: Socket, message: MessageHeader, flags: number): number {
  const { buffers, name, control } = message;
  if (buffers.length === 1) {
    const data = buffers[0]!;
    return socket.send(data, 0, data.length, flags, name, control);
  }
  if (socket.type !== SOCK_STREAM) {
    const data = gather(buffers);
    if (data.length > 65535) return -EMSGSIZE;
    return socket.send(data, 0, data.length, flags, name, control);
  }
  let sent = 0;
  for (const data of buffers) {
    if (data.length === 0) continue;
    const result = socket.send(data, 0, data.length, flags, name, control);
    if (result < 0) {
      if (sent === 0) return result;
      if (result !== -EAGAIN) socket.restoreError(-result);
      return sent;
    }
    sent += result;
    if (result < data.length) break;
  }
  return sent;
}

export function gather(buffers: readonly Uint8Array[]): Uint8Array {
  const total = buffers.reduce((sum, b) => sum + b.length, 0);
  const data = new Uint8Array(total);
  let at = 0;
  for (const b of buffers) {
    data.set(b, at);
    at += b.length;
  }
  return data;
}

/** recvmsg over several buffers: bytes or -errno. */
export function receiveMessage(
  socket: Socket,
  message: MessageHeader,
  flags: number,
  info: ReceiveInfo,
): number {
  const { buffers } = message;
  if (buffers.length === 1) {
    const into = buffers[0]!;
    return socket.receive(into, 0, into.length, flags, info);
  }
  if (socket.type === SOCK_STREAM && (flags & MSG_PEEK) === 0) {
    let got = 0;
    for (const into of buffers) {
      if (into.length === 0) continue;
      const result = socket.receive(into, 0, into.length, flags, info);
      if (result < 0) {
        if (got === 0) return result;
        if (result !== -EAGAIN) socket.restoreError(-result);
        return got;
      }
      got += result;
      if (result < into.length) break;
    }
    return got;
  }
  const whole = new Uint8Array(buffers.reduce((sum, b) => sum + b.length, 0));
  const result = socket.receive(whole, 0, whole.length, flags, info);
  let at = 0;
  for (const into of buffers) {
    if (at >= result || at >= whole.length) break;
    const piece = Math.min(into.length, Math.min(result, whole.length) - at);
    into.set(whole.subarray(at, at + piece));
    at += piece;
  }
  return (flags & MSG_TRUNC) !== 0 ? result : Math.min(result, whole.length);
}
