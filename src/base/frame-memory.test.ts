import { beforeEach, describe, expect, test } from "vitest";
import {
  CSUM_NONE,
  CSUM_PARTIAL,
  FrameMemory,
  type FrameMemoryOptions,
  frameMemoryBytes,
  GSO_NONE,
  GSO_TCPV4,
  NO_FRAME,
  NO_PAGE,
} from "./frame-memory.ts";
import { createJsKernel } from "./js-kernel.ts";

function make(options: FrameMemoryOptions): FrameMemory {
  return new FrameMemory(createJsKernel(frameMemoryBytes(options)), options);
}

let memory: FrameMemory;
beforeEach(() => {
  memory = make({ smallFrames: 8, largeFrames: 4, pages: 4, reserve: 2 });
});

describe("frames", () => {
  test("two classes: what does not fit the small one takes a large one", () => {
    const small = memory.alloc(1500);
    const large = memory.alloc(3000);
    expect(memory.tailroom(small)).toBeGreaterThanOrEqual(1500);
    expect(memory.tailroom(large)).toBeGreaterThanOrEqual(65_000);
    expect(memory.alloc(70_000)).toBe(NO_FRAME);
    expect(memory.framesInUse).toBe(2);
  });

  test("no two frames overlap, nor a frame and a page", () => {
    const spans: [number, number][] = [];
    for (const length of [1000, 1000, 1000, 30_000, 30_000]) {
      const frame = memory.alloc(length, true);
      spans.push([
        memory.start(frame) - memory.headroom(frame),
        memory.start(frame) + memory.tailroom(frame),
      ]);
    }
    for (let i = 0; i < 4; i++) {
      const page = memory.allocPage();
      spans.push([page, page + 4096]);
    }
    spans.sort(([a], [b]) => a - b);
    for (let i = 1; i < spans.length; i++)
      expect(spans[i]![0]).toBeGreaterThanOrEqual(spans[i - 1]![1]);
    expect(spans[0]![0]).toBeGreaterThan(0);
    expect(spans.at(-1)![1]).toBeLessThanOrEqual(memory.bytes.length);
  });

  test("a reserve of each class is for urgent callers alone", () => {
    for (let i = 0; i < 6; i++) expect(memory.alloc(100)).not.toBe(NO_FRAME);
    expect(memory.alloc(100)).toBe(NO_FRAME);
    expect(memory.alloc(100, true)).not.toBe(NO_FRAME);
    expect(memory.alloc(100, true)).not.toBe(NO_FRAME);
    expect(memory.alloc(100, true)).toBe(NO_FRAME);
    expect(memory.failedFrames).toBe(2);
    expect(memory.alloc(5000)).not.toBe(NO_FRAME);
  });

  test("a reserve never takes a whole class", () => {
    const odd = make({ smallFrames: 4, largeFrames: 2, pages: 1, reserve: 1000 });
    expect(odd.alloc(100)).not.toBe(NO_FRAME);
    expect(odd.alloc(5000)).not.toBe(NO_FRAME);
  });

  test("references: the last one frees it, one too many is an error", () => {
    const frame = memory.alloc(100);
    memory.retain(frame);
    expect(memory.references(frame)).toBe(2);
    memory.release(frame);
    expect(memory.framesInUse).toBe(1);
    memory.release(frame);
    expect(memory.framesInUse).toBe(0);
    expect(() => memory.release(frame)).toThrow(/more often/);
  });

  test("a frame used again has no marks of its former life", () => {
    const frame = memory.alloc(100);
    memory.setRange(frame, memory.start(frame) - 20, 120);
    memory.setPartialChecksum(frame, memory.start(frame), 16);
    memory.setGso(frame, GSO_TCPV4, 1000);
    memory.setInterfaceIndex(frame, 7);
    memory.setMark(frame, 9);
    memory.release(frame);
    const again = memory.alloc(100);
    expect(again).toBe(frame);
    expect([
      memory.length(again),
      memory.checksumState(again),
      memory.gsoType(again),
      memory.gsoSize(again),
      memory.interfaceIndex(again),
      memory.mark(again),
    ]).toEqual([0, CSUM_NONE, GSO_NONE, 0, 0, 0]);
  });

  test("headers go in front: headroom for Ethernet, IPv6 with extensions and a device's own", () => {
    const frame = memory.alloc(100);
    memory.setRange(frame, memory.start(frame), 100);
    expect(memory.headroom(frame)).toBeGreaterThanOrEqual(14 + 40 + 8);
    const start = memory.start(frame);
    expect(memory.moveStart(frame, 40)).toBe(start - 40);
    expect(memory.length(frame)).toBe(140);
    memory.moveStart(frame, -40);
    expect([memory.start(frame), memory.length(frame)]).toEqual([start, 100]);
  });

  test("foreign bytes are copied in with the IP header aligned", () => {
    const bytes = Uint8Array.from({ length: 200 }, (_, i) => i);
    const frame = memory.allocFrom(bytes, 14);
    expect(memory.copyOut(frame)).toEqual(bytes);
    expect((memory.start(frame) + 14) % 4).toBe(0);
    bytes.fill(0);
    expect(memory.copyOut(frame)[5]).toBe(5);
  });

  test("copyFrame: the same bytes and marks; checksum places move along", () => {
    const frame = memory.allocFrom(
      Uint8Array.from({ length: 60 }, (_, i) => i),
      14,
    );
    memory.setPartialChecksum(frame, memory.start(frame) + 34, 16);
    memory.setGso(frame, GSO_TCPV4, 500);
    const copy = memory.copyFrame(frame);
    expect(copy).not.toBe(frame);
    expect(memory.copyOut(copy)).toEqual(memory.copyOut(frame));
    expect(memory.checksumState(copy)).toBe(CSUM_PARTIAL);
    expect(memory.checksumStart(copy) - memory.start(copy)).toBe(34);
    expect([memory.checksumOffset(copy), memory.gsoSize(copy)]).toEqual([16, 500]);
  });

  test("writable: the frame itself for its only holder, else a copy", () => {
    const frame = memory.allocFrom(Uint8Array.of(1, 2, 3), 0);
    expect(memory.writable(frame)).toBe(frame);
    memory.retain(frame);
    const copy = memory.writable(frame);
    expect(copy).not.toBe(frame);
    expect(memory.references(frame)).toBe(1);
    expect(memory.copyOut(copy)).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("writable without room for a copy: nothing, and the reference is given back", () => {
    const frame = memory.alloc(10);
    memory.retain(frame);
    while (memory.alloc(10, true) !== NO_FRAME) {
      // until nothing is left
    }
    expect(memory.writable(frame)).toBe(NO_FRAME);
    expect(memory.references(frame)).toBe(1);
  });

  test("test builds record who holds what", () => {
    memory.holders = new Map();
    const frame = memory.alloc(10);
    memory.retain(frame, "queue");
    expect(memory.holders.get(frame)).toEqual(["alloc", "queue"]);
    memory.release(frame);
    memory.release(frame);
    expect(memory.holders.size).toBe(0);
  });

  test("too small a kernel is refused", () => {
    const kernel = createJsKernel(1000);
    expect(() => new FrameMemory(kernel, { smallFrames: 8, largeFrames: 1, pages: 1 })).toThrow(
      /bytes/,
    );
  });
});

describe("pages", () => {
  test("last in, first out; none is given twice; failures are counted", () => {
    const pages = [0, 1, 2, 3].map(() => memory.allocPage());
    expect(new Set(pages).size).toBe(4);
    expect(memory.allocPage()).toBe(NO_PAGE);
    expect([memory.failedPages, memory.pagesInUse, memory.pagesFree]).toEqual([1, 4, 0]);
    memory.freePage(pages[2]!);
    expect(memory.allocPage()).toBe(pages[2]);
  });

  test("their addresses do not all fall on the same places of a cache", () => {
    const big = make({ smallFrames: 1, largeFrames: 0, pages: 16 });
    const places = new Set(Array.from({ length: 16 }, () => big.allocPage() % 4096));
    expect(places.size).toBeGreaterThan(8);
  });
});
