/** Address text to words; the strict grammar of RFC 4291 §2.2 with dotted-decimal IPv4. */

/** w0, w1, w2, w3, scope */
export type AddressWords = [number, number, number, number, number];

/** Words of an address, IPv4 mapped; undefined when the text is not exactly one address. */
export function parseAddressWords(text: string): AddressWords | undefined {
  const percent = text.indexOf("%");
  const body = percent < 0 ? text : text.slice(0, percent);
  const scope = percent < 0 ? 0 : parseDecimal(text.slice(percent + 1), 0x7fffffff);
  if (scope < 0) return undefined;
  if (body.indexOf(":") < 0) {
    const word = parseIpv4Word(body);
    return word === undefined || percent >= 0 ? undefined : [0, 0, 0xffff, word, 0];
  }
  const groups = parseGroups(body);
  if (groups === undefined) return undefined;
  return [
    (groups[0] << 16) | groups[1],
    (groups[2] << 16) | groups[3],
    (groups[4] << 16) | groups[5],
    (groups[6] << 16) | groups[7],
    scope,
  ];
}

/** Int32 of a dotted quad: four decimal parts, each 0 to 255, no leading zeros. */
export function parseIpv4Word(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let word = 0;
  for (const part of parts) {
    const value = parseDecimal(part, 255);
    if (value < 0) return undefined;
    word = (word << 8) | value;
  }
  return word;
}

/** A decimal number without sign or leading zeros, at most `limit`; -1 otherwise. */
export function parseDecimal(text: string, limit: number): number {
  if (text.length === 0 || text.length > 10) return -1;
  if (text.length > 1 && text.charCodeAt(0) === 48) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= limit ? value : -1;
}

function parseGroups(body: string): number[] | undefined {
  const gap = body.indexOf("::");
  if (gap < 0) {
    const groups = parseSide(body, true);
    return groups?.length === 8 ? groups : undefined;
  }
  const rest = body.slice(gap + 2);
  const left = parseSide(body.slice(0, gap), false);
  const right = parseSide(rest, true);
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  // "::" stands for at least one group.
  if (missing < 1) return undefined;
  return [...left, ...new Array<number>(missing).fill(0), ...right];
}

function parseSide(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (last && i === parts.length - 1 && part.indexOf(".") >= 0) {
      const word = parseIpv4Word(part);
      if (word === undefined) return undefined;
      groups.push(word >>> 16, word & 0xffff);
      continue;
    }
    const group = parseHexGroup(part);
    if (group < 0) return undefined;
    groups.push(group);
  }
  return groups;
}

function parseHexGroup(text: string): number {
  if (text.length < 1 || text.length > 4) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = hexDigit(text.charCodeAt(i));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** Value of an ASCII hex digit, -1 for anything else. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
