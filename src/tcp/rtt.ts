/**
 * Round-trip time estimation and the retransmission timeout (RFC 6298, RFC 7323
 * Appendix G). A leaf: it knows numbers, not the connection. Karn's rule (no
 * sample from a retransmitted segment without timestamps) is the caller's.
 */

/** The estimator's state. A connection has these fields itself, or holds one made by `makeRttState`. */
export interface RttState {
  /** Smoothed RTT, microseconds; 0 before the first sample. */
  srttUs: number;
  /** Mean deviation (RFC 6298's RTTVAR), microseconds. */
  rttvarUs: number;
  /** Retransmission timeout, backed off as it stands now, microseconds. */
  rtoUs: number;
  /** Doublings of `rtoUs` since the last sample. */
  rtoBackoff: number;
  /** Variance term of the timeout, microseconds: only with `holdVariance`. */
  heldVarianceUs: number;
  /** Largest 4 * RTTVAR of this round trip: only with `holdVariance`. */
  roundVarianceUs: number;
  /** The round trip ends when this is acknowledged: only with `holdVariance`. */
  roundEnd: number;
}

/** What shapes the timeout. Presets below. */
export interface RtoSettings {
  /** Before the first sample (RFC 6298 §2.1). */
  readonly initialRtoUs: number;
  readonly minRtoUs: number;
  readonly maxRtoUs: number;
  /** G of RFC 6298 §2: least size of the variance term. */
  readonly granularityUs: number;
  /** Added to every timeout (FreeBSD's slop: covers a delayed ACK). */
  readonly slopUs: number;
  /**
   * The variance term is the largest of the round trip, falls by a quarter a
   * round and is never below `minRtoUs`, which then bounds it instead of the
   * whole timeout (Linux): a long path keeps its whole margin.
   */
  readonly holdVariance: boolean;
  /** Weigh samples by how many a round trip gives (RFC 7323 Appendix G); else each by RFC 6298's 1/8 and 1/4. */
  readonly scaleGains: boolean;
  /** RFC 6298 §5.7: the timeout for data after the SYN was retransmitted without a sample. */
  readonly synFallbackRtoUs: number;
}

/** RFC 6298 to the letter: a floor of 1 s. */
export const RTO_RFC: RtoSettings = {
  initialRtoUs: 1_000_000,
  minRtoUs: 1_000_000,
  maxRtoUs: 120_000_000,
  granularityUs: 1_000,
  slopUs: 0,
  holdVariance: false,
  scaleGains: false,
  synFallbackRtoUs: 3_000_000,
};

/** Linux: srtt + a variance term of at least 200 ms. Deviates from RFC 6298 §2.4 (1 s), as every TCP in use does. */
export const RTO_LINUX: RtoSettings = { ...RTO_RFC, minRtoUs: 200_000, holdVariance: true };

/** FreeBSD: a floor of 30 ms, and 200 ms on top for a delayed ACK. */
export const RTO_FREEBSD: RtoSettings = {
  ...RTO_RFC,
  minRtoUs: 30_000,
  maxRtoUs: 64_000_000,
  slopUs: 200_000,
};

export function makeRttState(settings: RtoSettings): RttState {
  const state: RttState = {
    srttUs: 0,
    rttvarUs: 0,
    rtoUs: 0,
    rtoBackoff: 0,
    heldVarianceUs: 0,
    roundVarianceUs: 0,
    roundEnd: 0,
  };
  resetRtt(state, settings);
  return state;
}

/** Forgets all samples: a new connection, or a path so changed that old samples mislead. */
export function resetRtt(s: RttState, settings: RtoSettings): void {
  s.srttUs = 0;
  s.rttvarUs = 0;
  s.rtoUs = settings.initialRtoUs;
  s.rtoBackoff = 0;
  s.heldVarianceUs = 0;
  s.roundVarianceUs = 0;
  s.roundEnd = 0;
}

/**
 * Takes a sample of `rttUs` and sets the timeout anew, backoff gone (RFC 6298
 * §2.2-2.4). `sndUna` and `sndNxt` bound the round trip for `holdVariance`.
 * `samplesPerRtt` is what `scaleGains` divides by (`expectedRttSamples`).
 */
export function sampleRtt(
  s: RttState,
  settings: RtoSettings,
  rttUs: number,
  sndUna: number,
  sndNxt: number,
  samplesPerRtt = 1,
): void {
  // A sample of 0 (same clock reading) would look like "no sample yet".
  const r = rttUs >= 1 ? rttUs : 1;
  if (s.srttUs === 0) {
    s.srttUs = r;
    s.rttvarUs = r / 2;
    if (settings.holdVariance) {
      s.heldVarianceUs = Math.max(4 * s.rttvarUs, settings.minRtoUs);
      s.roundVarianceUs = s.heldVarianceUs;
      s.roundEnd = sndNxt;
    }
  } else {
    const scale = settings.scaleGains && samplesPerRtt > 1 ? samplesPerRtt : 1;
    const error = r - s.srttUs;
    const deviation = Math.abs(error);
    let beta = 1 / 4 / scale;
    if (settings.holdVariance) {
      // A falling RTT is no reason to wait longer: Linux lets it raise the variance at 1/32 only.
      if (error < 0 && deviation > s.rttvarUs) beta /= 8;
    }
    s.rttvarUs += beta * (deviation - s.rttvarUs);
    s.srttUs += error / 8 / scale;
    if (settings.holdVariance) holdVariance(s, settings, sndUna, sndNxt);
  }
  s.rtoBackoff = 0;
  s.rtoUs = timeoutOf(s, settings);
}

function holdVariance(s: RttState, settings: RtoSettings, sndUna: number, sndNxt: number): void {
  const variance = 4 * s.rttvarUs;
  if (variance > s.roundVarianceUs) {
    s.roundVarianceUs = variance;
    if (variance > s.heldVarianceUs) s.heldVarianceUs = variance;
  }
  if (((sndUna - s.roundEnd) | 0) > 0) {
    if (s.roundVarianceUs < s.heldVarianceUs) {
      s.heldVarianceUs -= (s.heldVarianceUs - s.roundVarianceUs) / 4;
    }
    s.roundEnd = sndNxt;
    s.roundVarianceUs = settings.minRtoUs;
  }
}

/** The timeout without backoff. Before the first sample: the initial one. */
function timeoutOf(s: RttState, settings: RtoSettings): number {
  if (s.srttUs === 0) return settings.initialRtoUs;
  let rtoUs: number;
  if (settings.holdVariance) {
    rtoUs = s.srttUs + s.heldVarianceUs;
  } else {
    rtoUs = s.srttUs + Math.max(settings.granularityUs, 4 * s.rttvarUs);
    if (rtoUs < settings.minRtoUs) rtoUs = settings.minRtoUs;
  }
  return Math.min(rtoUs + settings.slopUs, settings.maxRtoUs);
}

/** The timer expired: the timeout doubles, up to its maximum (RFC 6298 §5.5). A slop comes on top of what doubles. */
export function backoffRto(s: RttState, settings: RtoSettings): void {
  const slop = settings.slopUs;
  const base = s.rtoUs - (s.srttUs === 0 && s.rtoBackoff === 0 ? 0 : slop);
  s.rtoBackoff++;
  s.rtoUs = Math.min(base * 2 + slop, settings.maxRtoUs);
}

/** Takes the doublings back: the timeout was spurious (RFC 4015 §3), or new data was acknowledged without a sample. */
export function undoBackoff(s: RttState, settings: RtoSettings): void {
  s.rtoBackoff = 0;
  s.rtoUs = timeoutOf(s, settings);
}

/** RFC 6298 §5.7: the SYN was retransmitted and gave no sample; data starts with a timeout of 3 s. */
export function fallBackAfterSynTimeout(s: RttState, settings: RtoSettings): void {
  s.rtoBackoff = 0;
  s.rtoUs = Math.max(settings.initialRtoUs, Math.min(settings.synFallbackRtoUs, settings.maxRtoUs));
}

/** ExpectedSamples of RFC 7323 Appendix G: ceil(flight / (2 * mss)), at least 1. */
export function expectedRttSamples(flightBytes: number, sndMss: number): number {
  return Math.max(1, Math.ceil(flightBytes / (2 * sndMss)));
}
