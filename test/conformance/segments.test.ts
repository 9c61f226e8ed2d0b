/**
 * Segments in every synchronized state, at and around the edges of the receive window: RFC 9293
 * §3.10.7.4 with RFC 5961, and without it. Each runs over IPv4, IPv4-mapped IPv6 and IPv6.
 */
import { describe, test } from "vitest";
import type { TcpSettings } from "../../src/tcp/settings.ts";
import { expectPass } from "./support/run.ts";
import { EDGES, type StateScript, synchronizedStates, WINDOW } from "./support/states.ts";

function challenge(s: StateScript): string {
  return `+0 > . ${s.sndNxt}:${s.sndNxt}(0) ack ${s.rcvNxt}`;
}

/** An ACK below the window finds out whether there is still a connection: it is told where it stands, or reset. */
function isThere(s: StateScript): string[] {
  const old = (s.rcvNxt - 1) >>> 0;
  return [`+.01 < . ${old}:${old}(0) ack ${s.sndNxt} win 32767`, challenge(s)];
}
function isGone(s: StateScript): string[] {
  const { rcvNxt, sndNxt } = s;
  return [
    `+.01 < . ${rcvNxt}:${rcvNxt}(0) ack ${sndNxt} win 32767`,
    `+0 > R ${sndNxt}:${sndNxt}(0) win 0`,
  ];
}

function run(events: readonly string[], tcp: Partial<TcpSettings> = {}): void {
  expectPass(events, {
    tcp: {
      // The answers come too quickly one after the other for the limit that is there by default.
      invalidAckIntervalUs: 0,
      receiveBuffer: WINDOW,
      receiveBufferMax: WINDOW,
      ...tcp,
    },
  });
}

for (const state of synchronizedStates()) {
  const { name, events, rcvNxt, sndNxt } = state;
  const isTimeWait = name === "TIME-WAIT";
  const reset = [
    // In CLOSE-WAIT Linux says EPIPE, others ECONNRESET.
    ...(state.fd === undefined || name === "CLOSE-WAIT"
      ? []
      : [`+0 getsockopt(${state.fd}, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0`]),
    ...isGone(state),
  ];
  describe(name, () => {
    for (const edge of EDGES) {
      const seq = edge.sequence(rcvNxt);
      const rst = `+.01 < R ${seq}:${seq}(0) win 32767`;
      const syn = `+.01 < S ${seq}:${seq}(0) win 32767 <mss 1460>`;
      const exact = edge.name === "left edge";

      test(`RFC 5961 §3.2: RST ${edge.name}`, () => {
        if (isTimeWait) run([...events, rst, ...isThere(state)], { ignoreRstInTimeWait: true });
        else if (exact) run([...events, rst, ...reset]);
        else if (edge.inWindow) run([...events, rst, challenge(state), ...isThere(state)]);
        else run([...events, rst, ...isThere(state)]);
      });
      test(`RFC 5961 §3.2: RST+ACK ${edge.name}`, () => {
        const rstAck = `+.01 < R. ${seq}:${seq}(0) ack ${sndNxt} win 32767`;
        if (isTimeWait) run([...events, rstAck, ...isThere(state)], { ignoreRstInTimeWait: true });
        else if (exact) run([...events, rstAck, ...reset]);
        else if (edge.inWindow) run([...events, rstAck, challenge(state), ...isThere(state)]);
        else run([...events, rstAck, ...isThere(state)]);
      });

      if (isTimeWait) continue;

      test(`RFC 9293 §3.10.7.4: RST ${edge.name}, without RFC 5961`, () => {
        run([...events, rst, ...(edge.inWindow ? reset : isThere(state))], { insecureRst: true });
      });

      test(`RFC 5961 §4.2: SYN ${edge.name}`, () => {
        run([...events, syn, challenge(state), ...isThere(state)]);
      });
      test(`RFC 5961 §4.2: SYN+ACK ${edge.name}`, () => {
        const synAck = `+.01 < S. ${seq}:${seq}(0) ack ${sndNxt} win 32767 <mss 1460>`;
        run([...events, synAck, challenge(state), ...isThere(state)]);
      });
      test(`RFC 9293 §3.10.7.4: SYN ${edge.name}, without RFC 5961`, () => {
        const after = edge.inWindow
          ? [`+0 > R. ${sndNxt}:${sndNxt}(0) ack ${rcvNxt}`, ...reset]
          : [challenge(state), ...isThere(state)];
        run([...events, syn, ...after], { insecureSyn: true });
      });

      if (!edge.inWindow) {
        test(`RFC 9293 §3.10.7.4: ACK ${edge.name} is answered`, () => {
          // An ACK without data right at the edge is taken, as by Linux and the BSDs.
          const beyond = edge.name === "outside right" ? seq + 1 : seq;
          const ack = `+.01 < . ${beyond}:${beyond}(0) ack ${sndNxt} win 32767`;
          run([...events, ack, challenge(state), ...isThere(state)]);
        });
      }
    }
  });
}
