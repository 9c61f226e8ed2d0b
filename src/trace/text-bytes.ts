const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text as UTF-8. */
export function textBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** UTF-8 as text; what is none becomes replacement characters. */
export function bytesText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
