/** A token bucket (RFC 4443 §2.4 (f)): `rate` a second, `burst` at once. A leaf. */
export class TokenBucket {
  private tokens: number;
  private lastUs = 0;
  private readonly ratePerUs: number;
  private readonly burst: number;

  constructor(ratePerSecond: number, burst: number) {
    this.ratePerUs = ratePerSecond / 1e6;
    this.burst = burst;
    this.tokens = burst;
  }

  /** True: one may be sent now. */
  take(nowUs: number): boolean {
    const elapsed = Math.max(0, nowUs - this.lastUs);
    this.lastUs = nowUs;
    this.tokens = Math.min(this.burst, this.tokens + elapsed * this.ratePerUs);
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}
