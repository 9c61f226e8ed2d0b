/** TCP options between the script's form and bytes. */
import type { SackBlock, TcpOption } from "./ast.ts";
import { hexText, optionLength } from "./tcp-option-parser.ts";

const FAST_OPEN_MAGIC = 0xf989;

/** The bytes of a list of options, as it stands: no padding is added. */
export function optionBytes(options: readonly TcpOption[]): Uint8Array {
  const bytes = new Uint8Array(options.reduce((sum, option) => sum + optionLength(option), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const option of options) {
    writeOption(view, bytes, at, option);
    at += optionLength(option);
  }
  return bytes;
}

function writeOption(view: DataView, bytes: Uint8Array, at: number, option: TcpOption): void {
  const head = (kind: number) => bytes.set([kind, optionLength(option)], at);
  switch (option.kind) {
    case "nop":
      bytes[at] = 1;
      return;
    case "eol":
      return;
    case "sackOK":
      return head(4);
    case "mss":
      head(2);
      view.setUint16(at + 2, option.value);
      return;
    case "wscale":
      head(3);
      bytes[at + 2] = option.value;
      return;
    case "sack":
      head(5);
      option.blocks.forEach(({ left, right }, i) => {
        view.setUint32(at + 2 + 8 * i, left);
        view.setUint32(at + 6 + 8 * i, right);
      });
      return;
    case "timestamp":
      head(8);
      view.setUint32(at + 2, option.value ?? 0);
      view.setUint32(at + 6, option.echo);
      return;
    case "fastopen":
      head(option.experimental ? 254 : 34);
      if (option.experimental) view.setUint16(at + 2, FAST_OPEN_MAGIC);
      bytes.set(option.cookie, at + (option.experimental ? 4 : 2));
      return;
    case "md5":
      head(19);
      bytes.set(option.digest ?? new Uint8Array(16), at + 2);
      return;
    case "raw":
      bytes.set(option.bytes, at);
  }
}

/** The options in `length` bytes at `at`, padding included, in order; what is malformed comes as raw bytes. */
export function readTcpOptions(view: DataView, at: number, length: number): TcpOption[] {
  const options: TcpOption[] = [];
  const end = at + length;
  const slice = (from: number, to: number) =>
    new Uint8Array(view.buffer.slice(view.byteOffset + from, view.byteOffset + to));
  for (let i = at; i < end; ) {
    const kind = view.getUint8(i);
    if (kind <= 1) {
      options.push({ kind: kind === 0 ? "eol" : "nop" });
      i++;
      continue;
    }
    const size = i + 1 < end ? view.getUint8(i + 1) : 0;
    const option = size >= 2 && i + size <= end ? readOne(view, i, kind, size, slice) : undefined;
    if (option === undefined) {
      const bytes = slice(i, size >= 2 && i + size <= end ? i + size : end);
      options.push({ kind: "raw", bytes, text: `0x${hexText(bytes)}` });
      i += bytes.length;
    } else {
      options.push(option);
      i += size;
    }
  }
  return options;
}

function readOne(
  view: DataView,
  i: number,
  kind: number,
  size: number,
  slice: (from: number, to: number) => Uint8Array,
): TcpOption | undefined {
  switch (kind) {
    case 2:
      return size === 4 ? { kind: "mss", value: view.getUint16(i + 2) } : undefined;
    case 3:
      return size === 3 ? { kind: "wscale", value: view.getUint8(i + 2) } : undefined;
    case 4:
      return size === 2 ? { kind: "sackOK" } : undefined;
    case 5: {
      if (size < 10 || size % 8 !== 2) return undefined;
      const blocks: SackBlock[] = [];
      for (let j = i + 2; j < i + size; j += 8) {
        blocks.push({ left: view.getUint32(j), right: view.getUint32(j + 4) });
      }
      return { kind: "sack", blocks };
    }
    case 8:
      if (size !== 10) return undefined;
      return {
        kind: "timestamp",
        value: view.getUint32(i + 2),
        echo: view.getUint32(i + 6),
        echoAbsolute: false,
      };
    case 19:
      return size === 18 ? { kind: "md5", digest: slice(i + 2, i + 18) } : undefined;
    case 34:
      return { kind: "fastopen", cookie: slice(i + 2, i + size), experimental: false };
    case 254:
      if (size < 4 || view.getUint16(i + 2) !== FAST_OPEN_MAGIC) return undefined;
      return { kind: "fastopen", cookie: slice(i + 4, i + size), experimental: true };
    default:
      return undefined;
  }
}
