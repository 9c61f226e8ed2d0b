/**
 * HalfSipHash-2-4 over int32 words (Aumasson and Bernstein): a keyed hash that
 * whoever lacks the key cannot predict, in 32-bit arithmetic. For initial
 * sequence numbers (RFC 6528), ports (RFC 6056) and SYN cookies (RFC 4987).
 */
export class KeyedHash {
  private readonly k0: number;
  private readonly k1: number;
  private v0 = 0;
  private v1 = 0;
  private v2 = 0;
  private v3 = 0;
  private count = 0;

  constructor(k0: number, k1: number) {
    this.k0 = k0 | 0;
    this.k1 = k1 | 0;
  }

  /** Begins a hash; then `word` for each word, then `finish`. */
  begin(): this {
    this.v0 = this.k0;
    this.v1 = this.k1;
    this.v2 = this.k0 ^ 0x6c796765;
    this.v3 = this.k1 ^ 0x74656462;
    this.count = 0;
    return this;
  }

  word(w: number): this {
    this.v3 ^= w;
    this.round();
    this.round();
    this.v0 ^= w;
    this.count += 4;
    return this;
  }

  /** int32 */
  finish(): number {
    this.word(this.count << 24);
    this.v2 ^= 0xff;
    this.round();
    this.round();
    this.round();
    this.round();
    return this.v1 ^ this.v3;
  }

  private round(): void {
    let { v0, v1, v2, v3 } = this;
    v0 = (v0 + v1) | 0;
    v1 = (v1 << 5) | (v1 >>> 27);
    v1 ^= v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = (v3 << 8) | (v3 >>> 24);
    v3 ^= v2;
    v0 = (v0 + v3) | 0;
    v3 = (v3 << 7) | (v3 >>> 25);
    v3 ^= v0;
    v2 = (v2 + v1) | 0;
    v1 = (v1 << 13) | (v1 >>> 19);
    v1 ^= v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    this.v0 = v0;
    this.v1 = v1;
    this.v2 = v2;
    this.v3 = v3;
  }
}
