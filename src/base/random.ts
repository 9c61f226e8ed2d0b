/** Where a host's unpredictable and a simulation's reproducible numbers come from. */
export interface RandomSource {
  /** A uniformly distributed int32. */
  int32(): number;
}

/** 0 <= result < 1, from 32 bits. */
export function randomUnit(random: RandomSource): number {
  return (random.int32() >>> 0) / 4294967296;
}

/** A whole number with from <= result < to. */
export function randomBetween(random: RandomSource, from: number, to: number): number {
  return from + Math.floor(randomUnit(random) * (to - from));
}

/**
 * A seeded generator (xoshiro128**, seeded through SplitMix32). Reproducible
 * and fast; not for secrets: a host on a real network is given a secure one.
 */
export class SeededRandom implements RandomSource {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: number) {
    let s = seed | 0;
    const next = () => {
      s = (s + 0x9e3779b9) | 0;
      let z = s;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.a = next();
    this.b = next();
    this.c = next();
    this.d = next();
  }

  int32(): number {
    const b = this.b;
    const five = Math.imul(b, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9);
    const t = b << 9;
    this.c ^= this.a;
    this.d ^= b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= t;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result;
  }

  /** A generator of its own for a part of the system, so that what one part draws does not shift another's numbers. */
  fork(): SeededRandom {
    return new SeededRandom(this.int32());
  }
}
