import { afterEach, describe, expect, it, vi } from "vitest";
import {
  CSUM_NONE,
  CSUM_PARTIAL,
  CSUM_VERIFIED,
  FrameMemory,
  frameMemoryBytes,
  GSO_TCPV4,
  GSO_UDP,
} from "../../base/frame-memory.ts";
import { createJsKernel } from "../../base/js-kernel.ts";
import { attachError, openError } from "./errors.ts";
import { openTap } from "./index.ts";
import { readVnetHeader, writeVnetHeader } from "./vnet-header.ts";

const SIZES = { smallFrames: 4, largeFrames: 1, pages: 1, reserve: 0 };

/** A frame whose packet has a TCP header with `flags` at 34, and the ten bytes in front of it. */
function setUp(flags = 0x10) {
  const memory = new FrameMemory(createJsKernel(frameMemoryBytes(SIZES)), SIZES);
  const frame = memory.alloc(1000);
  const start = memory.start(frame);
  memory.setRange(frame, start, 1000);
  memory.view.setUint8(start + 34 + 12, 0x80); // data offset: 8 words
  memory.view.setUint8(start + 34 + 13, flags);
  const header = () => [...memory.bytes.subarray(start - 10, start)];
  const read = (...bytes: number[]) => {
    memory.bytes.set(bytes, start - 10);
    return readVnetHeader(memory, start - 10, frame, start, 1000);
  };
  const write = () => {
    writeVnetHeader(memory, start - 10, frame, start);
    return header();
  };
  return { memory, frame, start, read, write };
}

describe("the virtio-net header (virtio 1.2 §5.1.6)", () => {
  it("written: all zero for a frame with complete checksums, whatever was there before", () => {
    const { memory, frame, start, write } = setUp();
    memory.bytes.fill(255, start - 10, start);
    expect(write()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    // The kernel does not honour DATA_VALID in this direction, so it is not claimed.
    memory.setChecksumState(frame, CSUM_VERIFIED);
    expect(write()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("written: NEEDS_CSUM with start and offset, little-endian", () => {
    const { memory, frame, start, write } = setUp();
    memory.setPartialChecksum(frame, start + 34, 16);
    expect(write()).toEqual([1, 0, 0, 0, 0, 0, 34, 0, 16, 0]);
  });

  it("written: a super-segment with header length and MSS; CWR sets the ECN bit", () => {
    const { memory, frame, start, write } = setUp();
    memory.setPartialChecksum(frame, start + 34, 16);
    memory.setGso(frame, GSO_TCPV4, 1448);
    expect(write()).toEqual([1, 1, 66, 0, 1448 & 255, 1448 >> 8, 34, 0, 16, 0]);
    memory.view.setUint8(start + 34 + 13, 0x90);
    expect(write()[1]).toBe(0x81);
    memory.setPartialChecksum(frame, start + 34, 6);
    memory.setGso(frame, GSO_UDP, 500);
    expect(write()).toEqual([1, 5, 42, 0, 500 & 255, 500 >> 8, 34, 0, 6, 0]);
  });

  it("read: NEEDS_CSUM makes the checksum partial, DATA_VALID verified, nothing leaves it open", () => {
    const { memory, frame, start, read } = setUp();
    expect(read(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)).toBe(true);
    expect(memory.checksumState(frame)).toBe(CSUM_NONE);
    expect(read(2, 0, 0, 0, 0, 0, 0, 0, 0, 0)).toBe(true);
    expect(memory.checksumState(frame)).toBe(CSUM_VERIFIED);
    expect(read(1, 0, 0, 0, 0, 0, 34, 0, 16, 0)).toBe(true);
    expect(memory.checksumState(frame)).toBe(CSUM_PARTIAL);
    expect([memory.checksumStart(frame) - start, memory.checksumOffset(frame)]).toEqual([34, 16]);
  });

  it("read: a super-segment, without its ECN bit", () => {
    const { memory, frame, read } = setUp();
    expect(read(1, 0x81, 66, 0, 0xa8, 5, 34, 0, 16, 0)).toBe(true);
    expect([memory.gsoType(frame), memory.gsoSize(frame)]).toEqual([GSO_TCPV4, 1448]);
  });

  it("read: refuses a checksum outside of the frame and a segment size of 0", () => {
    const { read } = setUp();
    expect(read(1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff)).toBe(false);
    expect(read(1, 0, 0, 0, 0, 0, 0xd7, 3, 16, 0)).toBe(false); // 983 + 16 + 2 > 1000
    expect(read(1, 0, 0, 0, 0, 0, 0xd6, 3, 16, 0)).toBe(true);
    expect(read(1, 1, 66, 0, 0, 0, 34, 0, 16, 0)).toBe(false);
  });
});

describe("what cannot be opened", () => {
  afterEach(() => {
    vi.doUnmock("koffi");
    vi.resetModules();
  });

  it.each([
    [{ name: "" }, "EINVAL", /letters and digits/],
    [{ name: "a b" }, "EINVAL", /letters and digits/],
    [{ name: ".." }, "EINVAL", /letters and digits/],
    [{ name: "fd%d" }, "EINVAL", /pattern/],
    [{ name: "1234567890123456" }, "ENAMETOOLONG", /at most 15/],
    [{ name: "fd0", mtu: 67 }, "EINVAL", /68 to 65521/],
    [{ name: "fd0", mtu: 65_522 }, "EINVAL", /68 to 65521/],
  ])("%o: a code and a sentence, before anything is touched", async (options, code, message) => {
    await expect(openTap(options)).rejects.toMatchObject({
      name: "TapError",
      code,
      message: expect.stringMatching(message),
    });
  });

  it.skipIf(process.platform !== "linux")(
    "says that koffi is missing, and how to get it",
    async () => {
      vi.resetModules();
      vi.doMock("koffi", () => {
        throw new Error("Cannot find package 'koffi'");
      });
      const fresh = await import("./index.ts");
      await expect(fresh.openTap({ name: "fd0" })).rejects.toMatchObject({
        code: "ERR_KOFFI_MISSING",
        message: expect.stringMatching(/run npm install koffi/),
      });
    },
  );

  it("explains the errors of the driver", () => {
    const text = (errno: number) => openError(errno).message;
    expect(text(2)).toMatch(/modprobe tun/);
    expect(text(19)).toMatch(/no TUN\/TAP driver/);
    expect(text(13)).toMatch(/run as root/);
    expect(text(5)).toBe("/dev/net/tun could not be opened (EIO)");
    expect(attachError(1, "fd0", true, false).message).toMatch(/mode tun user USER/);
    expect(attachError(16, "fd0", false, false).message).toMatch(/in use by another program/);
    expect(attachError(16, "fd0", false, true).message).toMatch(/exists already/);
    expect(attachError(22, "fd0", false, false)).toMatchObject({ code: "EINVAL" });
  });
});
