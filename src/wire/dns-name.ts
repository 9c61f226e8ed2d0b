/**
 * Domain names: presentation text to wire and back (RFC 1035 §3.1, §4.1.4, §5.1). Text has no
 * final dot, the root is "."; any byte fits: "\." is a dot inside a label, "\007" a byte by its
 * decimal value. Case is kept.
 */

/** Longest name on the wire (RFC 1035 §2.3.4). */
export const MAX_NAME = 255;
export const MAX_LABEL = 63;
/** A name has at most 127 labels; more pointers than that only serve to cost us time. */
const MAX_JUMPS = 127;
/** Highest offset a compression pointer can express, plus one. */
const POINTER_LIMIT = 0x4000;

/** A name read from a message. */
export interface ReadName {
  name: string;
  /** Absolute offset after the name where it was read. */
  next: number;
}

/**
 * Reads a name at `at` in the message that spans `start` to `end`. undefined if it leaves the
 * message, is too long, or points anywhere but backwards, so that no loop is possible.
 */
export function decodeName(
  view: DataView,
  start: number,
  end: number,
  at: number,
): ReadName | undefined {
  let text = "";
  let wireLength = 1;
  let next = -1;
  let lowest = at;
  let jumps = 0;
  let i = at;
  for (;;) {
    if (i < start || i >= end) return undefined;
    const length = view.getUint8(i);
    if (length === 0) break;
    if (length >= 0xc0) {
      if (i + 2 > end) return undefined;
      if (next < 0) next = i + 2;
      i = start + (view.getUint16(i) & 0x3fff);
      // Each jump goes below every one before it, so that there is no loop.
      if (i >= lowest || ++jumps > MAX_JUMPS) return undefined;
      lowest = i;
      continue;
    }
    wireLength += 1 + length;
    if (length > MAX_LABEL || i + 1 + length > end || wireLength > MAX_NAME) return undefined;
    if (text !== "") text += ".";
    for (let b = i + 1; b <= i + length; b++) text += escapeByte(view.getUint8(b));
    i += 1 + length;
  }
  return { name: text === "" ? "." : text, next: next < 0 ? i + 1 : next };
}

function escapeByte(byte: number): string {
  if (byte === 46 || byte === 92) return `\\${String.fromCharCode(byte)}`;
  if (byte > 32 && byte < 127) return String.fromCharCode(byte);
  return `\\${byte.toString().padStart(3, "0")}`;
}

/**
 * Labels of a name in presentation text, each as bytes; undefined if it is no valid name: empty
 * or long labels, more than 255 bytes, characters beyond ASCII (IDNs come as "xn--...").
 */
export function nameLabels(name: string): number[][] | undefined {
  if (name === "." || name === "") return [];
  const labels: number[][] = [];
  let label: number[] = [];
  let wireLength = 1;
  for (let i = 0; i <= name.length; i++) {
    const code = i < name.length ? name.charCodeAt(i) : 46;
    if (code === 46) {
      // A final dot is allowed and means nothing here.
      if (i === name.length && label.length === 0 && labels.length > 0) break;
      wireLength += 1 + label.length;
      if (label.length === 0 || label.length > MAX_LABEL || wireLength > MAX_NAME) return undefined;
      labels.push(label);
      label = [];
    } else if (code === 92) {
      const digits = name.slice(i + 1, i + 4);
      if (/^[0-9]{3}$/.test(digits)) {
        const byte = Number(digits);
        if (byte > 255) return undefined;
        label.push(byte);
        i += 3;
      } else {
        const next = name.charCodeAt(i + 1);
        // NaN at the end of the text fails the comparison too.
        if (!(next < 128)) return undefined;
        label.push(next);
        i++;
      }
    } else if (code < 128) label.push(code);
    else return undefined;
  }
  return labels;
}

/** True if the text is a name that fits the wire. */
export function isValidName(name: string): boolean {
  return nameLabels(name) !== undefined;
}

/** Offsets of the names already in a message, for compression. */
export type NameOffsets = Map<string, number>;

/**
 * Bytes of a name that will stand at message offset `at`. With `offsets` its longest known tail
 * becomes a pointer and its own tails are added. undefined if the name is not valid.
 */
export function encodeName(name: string, at = 0, offsets?: NameOffsets): number[] | undefined {
  const labels = nameLabels(name);
  if (labels === undefined) return undefined;
  const bytes: number[] = [];
  for (let i = 0; i < labels.length; i++) {
    if (offsets !== undefined) {
      // Exact bytes, so that the case of each name survives.
      const tail = labels
        .slice(i)
        .map((label) => label.join(","))
        .join(".");
      const known = offsets.get(tail);
      if (known !== undefined) {
        bytes.push(0xc0 | (known >>> 8), known & 255);
        return bytes;
      }
      const here = at + bytes.length;
      if (here < POINTER_LIMIT) offsets.set(tail, here);
    }
    bytes.push(labels[i].length, ...labels[i]);
  }
  bytes.push(0);
  return bytes;
}

/** Uncompressed names one after another with zero padding (RFC 8106 §5.2); undefined if bad. */
export function decodeNameList(view: DataView, at: number, length: number): string[] | undefined {
  const names: string[] = [];
  const end = at + length;
  let i = at;
  while (i < end) {
    if (view.getUint8(i) === 0) {
      i++;
      continue;
    }
    // Starting the "message" at the name itself leaves no room for pointers.
    const read = decodeName(view, i, end, i);
    if (read === undefined) return undefined;
    names.push(read.name);
    i = read.next;
  }
  return names;
}

/** The reverse, unpadded. Names that are not valid are left out. */
export function encodeNameList(names: readonly string[]): Uint8Array {
  return Uint8Array.from(names.flatMap((name) => encodeName(name) ?? []));
}

/** Name comparison as DNS does it: ASCII case does not matter (RFC 4343). */
export function sameName(a: string, b: string): boolean {
  return foldName(a) === foldName(b);
}

/** A key for maps: lower case in ASCII only, no final dot. */
export function foldName(name: string): string {
  const folded = name.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) | 32));
  return folded.length > 1 && folded.endsWith(".") && !folded.endsWith("\\.")
    ? folded.slice(0, -1)
    : folded;
}
