import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TcpConnection } from "./connection.ts";
import { DEFAULT_TCP_SETTINGS, type TcpSettings } from "./settings.ts";
import { defaultSocketOptions } from "./socket-options.ts";
import { ESTABLISHED } from "./state.ts";
import { selectWindow, shiftFor, windowUpdateDue } from "./window.ts";

/** A connection that has received up to `rcvNxt`, of which the application has read `read`. */
function at(
  buffer: number,
  shift: number,
  settings: TcpSettings = DEFAULT_TCP_SETTINGS,
  start = -5,
) {
  const options = { ...defaultSocketOptions(settings), receiveBuffer: buffer };
  const c = new TcpConnection({ settings, connectionTimer: () => {} }, options);
  c.state = ESTABLISHED;
  c.rcvWscale = shift;
  c.rcvNxt = start;
  c.rcvRead = start;
  c.rcvAdv = start;
  c.rcvMss = 1000;
  return c;
}

describe("RFC 9293 §3.8.6: the window that is announced", () => {
  test("at first: the whole buffer", () => {
    const c = at(10_000, 0);
    expect(selectWindow(DEFAULT_TCP_SETTINGS, c)).toBe(10_000);
    expect((c.rcvAdv - c.rcvNxt) | 0).toBe(10_000);
  });

  test("never more than 16 bits hold", () => {
    expect(selectWindow(DEFAULT_TCP_SETTINGS, at(1_000_000, 0))).toBe(65_535);
    expect(selectWindow(DEFAULT_TCP_SETTINGS, at(1_000_000, 4))).toBe(62_500);
  });

  test("RFC 7323 §2.3: the smallest shift that fits; 14 at most", () => {
    expect([1, 65_535, 65_536, 131_070, 131_071, 1 << 30, 2 ** 40].map(shiftFor)).toEqual([
      0, 0, 1, 1, 2, 14, 14,
    ]);
  });

  test("FreeBSD's rule: steps of any size, and the bits that the shift hides count as one", () => {
    const s: TcpSettings = { ...DEFAULT_TCP_SETTINGS, windowRule: "freebsd" };
    const c = at(10_500, 6, s);
    expect(selectWindow(s, c)).toBe(Math.ceil(10_500 / 64));
    c.rcvNxt = (c.rcvNxt + 5000) | 0;
    c.rcvRead = (c.rcvRead + 100) | 0;
    const edge = c.rcvAdv;
    selectWindow(s, c);
    expect((c.rcvAdv - edge) | 0).toBeGreaterThan(0);
  });

  test("a buffer smaller than the unit of the scale announces one unit, not a closed window", () => {
    const c = at(300, 9);
    expect(selectWindow(DEFAULT_TCP_SETTINGS, c)).toBe(1);
    c.rcvNxt = (c.rcvNxt + 512) | 0;
    expect(selectWindow(DEFAULT_TCP_SETTINGS, c)).toBe(0);
    c.rcvRead = c.rcvNxt;
    expect(selectWindow(DEFAULT_TCP_SETTINGS, c)).toBe(1);
  });

  test("a clamp bounds it", () => {
    const c = at(10_000, 0);
    c.options = { ...c.options, windowClamp: 3000 };
    expect(selectWindow(DEFAULT_TCP_SETTINGS, c)).toBe(3000);
  });

  test("MUST-39, SHLD-14: whatever comes and is read: the edge never moves left, nor by small steps, nor far beyond the buffer", () => {
    const step = fc.record({ receive: fc.nat(3000), read: fc.nat(3000) });
    fc.assert(
      fc.property(
        fc.integer({ min: 300, max: 100_000 }),
        fc.nat(10),
        fc.integer(),
        fc.array(step, { maxLength: 60 }),
        (buffer, shift, start, steps) => {
          const c = at(buffer, shift, DEFAULT_TCP_SETTINGS, start);
          const unit = 1 << shift;
          let edge = start;
          for (const { receive, read } of steps) {
            const before = c.rcvAdv;
            const window = selectWindow(DEFAULT_TCP_SETTINGS, c) << shift;
            const announced = (c.rcvNxt + window) | 0;
            const moved = (announced - edge) | 0;
            // What is taken never shrinks; what is announced only by the rounding, and only
            // once the buffer is more than full.
            expect((c.rcvAdv - before) | 0).toBeGreaterThanOrEqual(0);
            expect(moved).toBeGreaterThan(-unit);
            if (moved < 0) expect((edge + unit - c.rcvRead) | 0).toBeGreaterThan(buffer);
            // What 16 bits cannot express comes later, in whatever steps: that window is not silly.
            if (moved > unit && window >> shift < 65_535) {
              expect(moved).toBeGreaterThan(Math.min(1000, buffer >> 1) - 2 * unit);
            }
            edge = announced;
            expect((c.rcvAdv - c.rcvRead) | 0).toBeLessThanOrEqual(buffer + unit);
            const room = (c.rcvAdv - c.rcvNxt) | 0;
            c.rcvNxt = (c.rcvNxt + Math.min(receive, room)) | 0;
            c.rcvRead = (c.rcvRead + Math.min(read, (c.rcvNxt - c.rcvRead) | 0)) | 0;
          }
        },
      ),
    );
  });

  test("an update is due when reading has freed a segment and twice what the peer still has", () => {
    const c = at(10_000, 0);
    selectWindow(DEFAULT_TCP_SETTINGS, c);
    c.rcvNxt = (c.rcvNxt + 8000) | 0;
    c.rcvRead = (c.rcvRead + 900) | 0;
    expect(windowUpdateDue(DEFAULT_TCP_SETTINGS, c)).toBe(false);
    c.rcvRead = (c.rcvRead + 1000) | 0;
    expect(windowUpdateDue(DEFAULT_TCP_SETTINGS, c)).toBe(false);
    c.rcvRead = (c.rcvRead + 100) | 0;
    expect(windowUpdateDue(DEFAULT_TCP_SETTINGS, c)).toBe(true);
  });

  test("without silly window avoidance each byte is told", () => {
    const s = { ...DEFAULT_TCP_SETTINGS, sillyWindowAvoidance: false };
    const c = at(1000, 0, s);
    selectWindow(s, c);
    c.rcvNxt = (c.rcvNxt + 1000) | 0;
    c.rcvRead = (c.rcvRead + 1) | 0;
    expect(windowUpdateDue(s, c)).toBe(true);
    expect(selectWindow(s, c)).toBe(1);
  });
});
