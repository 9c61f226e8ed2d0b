import { describe, expect, test } from "vitest";
import { KeyedHash } from "./keyed-hash.ts";

/** Of words; little-endian bytes. */
const hash = (k0: number, k1: number, ...words: number[]) => {
  const h = new KeyedHash(k0, k1).begin();
  for (const word of words) h.word(word);
  return h.finish() >>> 0;
};

describe("a keyed hash", () => {
  // Vectors of the reference implementation of HalfSipHash-2-4, 32 bits: key 00..07, messages 00, 0001 ...
  const key: [number, number] = [0x03020100, 0x07060504];
  test("the reference's answers for messages of whole words", () => {
    expect(hash(...key)).toBe(0x5b9f35a9);
    expect(hash(...key, 0x03020100)).toBe(0x89466e2a);
  });

  test("the same words give the same hash; the key, each word, their order and number count", () => {
    expect(hash(1, 2, 3, 4)).toBe(hash(1, 2, 3, 4));
    const others = [
      hash(2, 2, 3, 4),
      hash(1, 3, 3, 4),
      hash(1, 2, 4, 3),
      hash(1, 2, 3, 5),
      hash(1, 2, 3),
      hash(1, 2, 3, 4, 0),
    ];
    expect(new Set([...others, hash(1, 2, 3, 4)]).size).toBe(7);
  });

  test("one bit of the input changes about half of the output", () => {
    let changed = 0;
    let tries = 0;
    for (let word = 0; word < 40; word++) {
      for (let bit = 0; bit < 32; bit++) {
        let difference = hash(7, 9, word, 5) ^ hash(7, 9, word ^ (1 << bit), 5);
        for (; difference !== 0; difference &= difference - 1) changed++;
        tries++;
      }
    }
    expect(changed / tries).toBeGreaterThan(15.5);
    expect(changed / tries).toBeLessThan(16.5);
  });
});
