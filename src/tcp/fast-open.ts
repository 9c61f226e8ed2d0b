import { OPTION_EXPERIMENT, OPTION_FAST_OPEN, OPTION_NOP, FAST_OPEN_MAGIC } from "../wire/tcp-options.ts";

/** A Fast Open cookie as it stands in the option (RFC 7413 §4.1.1); empty: a request for one. */
export interface FastOpenCookie {
  readonly bytes: Uint8Array;
  /** Option 254 with a magic number, from before 34 was assigned. */
  readonly experimental: boolean;
}

/** Writes the option behind others that began at `begin`, where it still fits into 40 bytes; padded as Linux does. */
export function writeFastOpenOption(
  view: DataView,
  begin: number,
  at: number,
  cookie: FastOpenCookie,
): number {
  const { bytes, experimental } = cookie;
  const size = (experimental ? 4 : 2) + bytes.length;
  if (at - begin + ((size + 3) & ~3) > 40) return at;
  let end = at;
  view.setUint8(end++, experimental ? OPTION_EXPERIMENT : OPTION_FAST_OPEN);
  view.setUint8(end++, size);
  if (experimental) {
    view.setUint16(end, FAST_OPEN_MAGIC);
    end += 2;
  }
  for (const byte of bytes) view.setUint8(end++, byte);
  while (((end - begin) & 3) !== 0) view.setUint8(end++, OPTION_NOP);
  return end;
}
