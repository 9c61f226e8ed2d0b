/** msghdr structures of scripts: sendmsg and recvmsg. */
import type { MessageHeader } from "../sockets/message.ts";
import type { Call, Expression } from "./ast.ts";
import { formatExpression } from "./format-expression.ts";
import { field, isEllipsis, listItems, numberValue } from "./values.ts";

export interface PreparedMessage {
  readonly header: MessageHeader;
  /** What a received message lacks of the script's: flags and control messages. */
  compare(header: MessageHeader): string | undefined;
}

/** The message in a call's second argument; `buffer` makes room for one element of its vector. */
export function prepareMessage(
  call: Call,
  buffer: (length: number) => Uint8Array,
): PreparedMessage {
  const message = call.args[1];
  const buffers = listItems(field(message, "msg_iov")).map((item) => buffer(iovLength(item, call)));
  const control = field(message, "msg_control");
  const header: MessageHeader = {
    buffers: buffers.length === 0 ? [new Uint8Array(0)] : buffers,
    control: call.name === "recvmsg" && control !== undefined ? [] : undefined,
  };
  return { header, compare: (got) => compareMessage(call, message, got) };
}

/** `{..., 1000}` or `{iov_base=..., iov_len=1000}`. */
export function iovLength(item: Expression, call: Call): number {
  const length = field(item, "iov_len") ?? (item.kind === "struct" ? item.items[1] : undefined);
  return numberValue(length, call.position);
}

function compareMessage(
  call: Call,
  message: Expression | undefined,
  got: MessageHeader,
): string | undefined {
  const flags = field(message, "msg_flags");
  if (flags !== undefined && !isEllipsis(flags)) {
    const want = numberValue(flags, call.position);
    if (want !== (got.flags ?? 0)) {
      return `expected msg_flags ${formatExpression(flags)}, got 0x${(got.flags ?? 0).toString(16)}`;
    }
  }
  const wanted = listItems(field(message, "msg_control")).filter((item) => item.kind === "struct");
  const control = got.control ?? [];
  for (const [index, item] of wanted.entries()) {
    const actual = control[index];
    if (actual === undefined) return `expected control message ${formatExpression(item)}, got none`;
    const number = (name: string) => {
      const value = field(item, name);
      return value === undefined || isEllipsis(value)
        ? undefined
        : numberValue(value, call.position);
    };
    const level = number("cmsg_level");
    const type = number("cmsg_type");
    const data = field(item, "cmsg_data");
    if ((level ?? actual.level) !== actual.level || (type ?? actual.type) !== actual.type) {
      return `expected control message ${formatExpression(item)}, got level ${actual.level}, type ${actual.type}`;
    }
    const value = data?.kind === "int" || data?.kind === "list" ? number("cmsg_data") : undefined;
    if (value !== undefined && value !== actual.value) {
      return `expected control message data ${value}, got ${actual.value}`;
    }
    const errno = field(data, "ee_errno");
    if (errno !== undefined && actual.error !== undefined && !isEllipsis(errno)) {
      const want = numberValue(errno, call.position);
      if (want !== actual.error.errno)
        return `expected ee_errno ${want}, got ${actual.error.errno}`;
    }
  }
  if (field(message, "msg_control") !== undefined && control.length > wanted.length) {
    return `expected ${wanted.length} control messages, got ${control.length}`;
  }
  return undefined;
}
