/**
 * SipHash-2-4 (Aumasson and Bernstein), 64 bits, over little-endian 32-bit
 * words: what Fast Open cookies are made with in the field. Each 64-bit word is
 * two int32, low half first.
 */
export function sipHash24(key: Int32Array, words: readonly number[]): [low: number, high: number] {
  const v = new Int32Array([
    key[0]! ^ 0x70736575,
    key[1]! ^ 0x736f6d65,
    key[2]! ^ 0x6e646f6d,
    key[3]! ^ 0x646f7261,
    key[0]! ^ 0x6e657261,
    key[1]! ^ 0x6c796765,
    key[2]! ^ 0x79746573,
    key[3]! ^ 0x74656462,
  ]);
  let i = 0;
  for (; i + 1 < words.length; i += 2) absorb(v, words[i]!, words[i + 1]!);
  // The last block holds the rest and, in its top byte, the length.
  const rest = i < words.length ? words[i]! : 0;
  absorb(v, rest, (words.length * 4) << 24);
  v[4]! ^= 0xff;
  for (let n = 0; n < 4; n++) round(v);
  return [v[0]! ^ v[2]! ^ v[4]! ^ v[6]!, v[1]! ^ v[3]! ^ v[5]! ^ v[7]!];
}

function absorb(v: Int32Array, low: number, high: number): void {
  v[6]! ^= low;
  v[7]! ^= high;
  round(v);
  round(v);
  v[0]! ^= low;
  v[1]! ^= high;
}

function round(v: Int32Array): void {
  add(v, 0, 2);
  rotate(v, 2, 13);
  xor(v, 2, 0);
  rotate(v, 0, 32);
  add(v, 4, 6);
  rotate(v, 6, 16);
  xor(v, 6, 4);
  add(v, 0, 6);
  rotate(v, 6, 21);
  xor(v, 6, 0);
  add(v, 4, 2);
  rotate(v, 2, 17);
  xor(v, 2, 4);
  rotate(v, 4, 32);
}

function add(v: Int32Array, a: number, b: number): void {
  const low = (v[a]! >>> 0) + (v[b]! >>> 0);
  v[a] = low;
  v[a + 1] = v[a + 1]! + v[b + 1]! + (low > 0xffffffff ? 1 : 0);
}

function xor(v: Int32Array, a: number, b: number): void {
  v[a]! ^= v[b]!;
  v[a + 1]! ^= v[b + 1]!;
}

function rotate(v: Int32Array, a: number, by: number): void {
  const low = v[a]!;
  const high = v[a + 1]!;
  if (by === 32) {
    v[a] = high;
    v[a + 1] = low;
  } else {
    v[a] = (low << by) | (high >>> (32 - by));
    v[a + 1] = (high << by) | (low >>> (32 - by));
  }
}
