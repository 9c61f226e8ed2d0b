import type { RandomSource } from "../base/random.ts";

/** Numbers that nobody can guess, from the platform's `crypto`: what initial sequence numbers and ports need on a real network (RFC 6528). */
export class SecureRandom implements RandomSource {
  private readonly numbers = new Int32Array(256);
  private used = 256;

  int32(): number {
    if (this.used === this.numbers.length) {
      globalThis.crypto.getRandomValues(this.numbers);
      this.used = 0;
    }
    return this.numbers[this.used++];
  }
}
