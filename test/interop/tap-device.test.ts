import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  CSUM_NONE,
  CSUM_PARTIAL,
  FrameMemory,
  frameMemoryBytes,
  GSO_UDP,
} from "../../src/base/frame-memory.ts";
import { openTap, type TapDevice } from "../../src/devices/tap/index.ts";
import { createKernel } from "../../src/kernel/create-kernel.ts";
import { interopObstacle, missingPrograms, Namespace } from "../support/netns.ts";

const SIZES = { smallFrames: 1024, largeFrames: 16, pages: 16 };
const obstacle = interopObstacle ?? missingPrograms("ping", "nc");
const title = obstacle === undefined ? "" : ` (skipped: ${obstacle})`;

/** The host's side of a device: keeps copies of what comes in, and answers by hand what it is told to. */
class Probe {
  readonly memory = new FrameMemory(createKernel(frameMemoryBytes(SIZES)), SIZES);
  readonly frames: {
    bytes: Uint8Array;
    csum: number;
    start: number;
    offset: number;
    ipAt: number;
  }[] = [];
  readonly links: boolean[] = [];
  private readonly tap: TapDevice;
  private readonly waiters = new Set<() => void>();

  constructor(tap: TapDevice) {
    this.tap = tap;
    tap.attach(this, this.memory);
  }

  receive(frame: number): void {
    const { memory } = this;
    const start = memory.start(frame);
    this.frames.push({
      bytes: memory.copyOut(frame),
      csum: memory.checksumState(frame),
      start: memory.checksumStart(frame) - start,
      offset: memory.checksumOffset(frame),
      ipAt: start + (this.tap.medium === "ethernet" ? 14 : 0),
    });
    this.wake();
  }
  writable(): void {}
  linkChanged(up: boolean): void {
    this.links.push(up);
    this.wake();
  }
  private wake(): void {
    for (const waiter of this.waiters) waiter();
  }

  /** Resolves as soon as the condition holds, looked at after each event. */
  until<T>(condition: () => T | undefined | false): Promise<T> {
    return new Promise((resolve) => {
      const look = () => {
        const value = condition();
        if (value === undefined || value === false) return;
        this.waiters.delete(look);
        resolve(value);
      };
      this.waiters.add(look);
      look();
    });
  }

  /** An IPv4 packet out of the TUN device, from 10.9.0.2 to 10.9.0.1, its UDP checksum left to the kernel. */
  sendUdp(port: number, payload: Uint8Array, gsoSize = 0): void {
    const { memory } = this;
    const frame = memory.alloc(28 + payload.length);
    const at = memory.start(frame);
    memory.setRange(frame, at, 28 + payload.length);
    const { view } = memory;
    view.setInt32(at, 0x45000000 | (28 + payload.length));
    view.setInt32(at + 4, 0x00010000);
    view.setInt32(at + 8, 0x40110000);
    view.setInt32(at + 12, 0x0a090002);
    view.setInt32(at + 16, 0x0a090001);
    view.setUint16(at + 10, ~memory.kernel.sum(at, 20));
    view.setUint16(at + 20, 4000);
    view.setUint16(at + 22, port);
    view.setUint16(at + 24, 8 + payload.length);
    // RFC 768: the pseudo header has addresses, protocol and length; folded, not inverted.
    view.setUint16(at + 26, 0);
    const pseudo = memory.kernel.sum(at + 12, 8) + 17 + 8 + payload.length;
    view.setUint16(at + 26, (pseudo & 0xffff) + (pseudo >>> 16));
    memory.bytes.set(payload, at + 28);
    memory.setPartialChecksum(frame, at + 20, 6);
    if (gsoSize > 0) memory.setGso(frame, GSO_UDP, gsoSize);
    this.tap.transmit(frame);
  }
}

describe.skipIf(obstacle !== undefined)(`TAP device against the kernel${title}`, () => {
  let net: Namespace;
  beforeEach(() => {
    net = Namespace.create();
  });
  afterEach(async () => {
    await net.close();
  });

  it.each([true, false])(
    "takes name, MTU and link state from the kernel, offload: %s",
    async (offload) => {
      const tap = await net.tap({ mtu: 1400, offload, peers: ["10.9.0.1/24"] });
      expect(tap).toMatchObject({ name: "fd0", medium: "ethernet", mtu: 1400, linkUp: true });
      expect(tap.offload.checksum).toBe(offload);
      const probe = new Probe(tap);
      await net.run("ip", ["link", "set", "fd0", "down"]);
      await probe.until(() => !tap.linkUp);
      await net.run("ip", ["link", "set", "fd0", "up"]);
      await probe.until(() => tap.linkUp);
      expect(probe.links).toEqual([false, true]);
      expect((await net.run("ip", ["-d", "link", "show", "fd0"])).stdout).toContain("qlen 10000");
      await tap.close();
      expect((await net.run("ip", ["link", "show", "fd0"])).code).not.toBe(0);
    },
  );

  it.each([
    { tun: false, offload: true },
    { tun: false, offload: false },
    { tun: true, offload: true },
    { tun: true, offload: false },
  ])("hands frames up, IP headers aligned to 4, no frame kept: %o", async (options) => {
    const tap = await net.tap({ ...options, peers: ["10.9.0.1/24"] });
    const probe = new Probe(tap);
    net.start("ping", ["-c", "1", "10.9.0.2"]);
    // ARP for the neighbor, or the echo request itself where there is no link layer.
    const found = await probe.until(() =>
      probe.frames.find(({ bytes }) =>
        options.tun ? bytes[0] === 0x45 && bytes[9] === 1 : bytes[12] === 8 && bytes[13] === 6,
      ),
    );
    expect(found.ipAt % 4).toBe(0);
    expect(probe.memory.framesInUse).toBe(0);
  });

  it("maps NEEDS_CSUM to a partial checksum that completes to the right sum (RFC 768)", async () => {
    const tap = await net.tap({ tun: true, peers: ["10.9.0.1/24"] });
    const probe = new Probe(tap);
    await net.run("bash", ["-c", "printf hello > /dev/udp/10.9.0.2/5000"]);
    const udp = await probe.until(() => probe.frames.find(({ bytes }) => bytes[9] === 17));
    expect([udp.csum, udp.start, udp.offset]).toEqual([CSUM_PARTIAL, 20, 6]);
    // The field holds the pseudo header's sum: addresses, protocol, length.
    const view = new DataView(udp.bytes.buffer);
    let sum = 17 + view.getUint16(24);
    for (let at = 12; at < 20; at += 2) sum += view.getUint16(at);
    expect(view.getUint16(26)).toBe((sum & 0xffff) + (sum >>> 16));
  });

  it("leaves checksums complete without offloads", async () => {
    const tap = await net.tap({ tun: true, offload: false, peers: ["10.9.0.1/24"] });
    const probe = new Probe(tap);
    await net.run("bash", ["-c", "printf hello > /dev/udp/10.9.0.2/5000"]);
    const udp = await probe.until(() => probe.frames.find(({ bytes }) => bytes[9] === 17));
    expect(udp.csum).toBe(CSUM_NONE);
  });

  it("sends partial checksums, and super-segments that the kernel cuts", async () => {
    const tap = await net.tap({ tun: true, peers: ["10.9.0.1/24"] });
    const probe = new Probe(tap);
    const nc = net.start("nc", ["-u", "-l", "-v", "10.9.0.1", "6000"]);
    await new Promise<void>((resolve) => nc.stderr!.once("data", () => resolve()));
    let text = "";
    let heard = () => {};
    nc.stdout!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      heard();
    });
    const until = (length: number) =>
      new Promise<void>((resolve) => {
        heard = () => {
          if (text.length >= length) resolve();
        };
        heard();
      });
    probe.sendUdp(6000, new TextEncoder().encode("hello"));
    await until(5);
    const payload = "abc".repeat(1000);
    probe.sendUdp(6000, new TextEncoder().encode(payload), 1000);
    await until(5 + payload.length);
    expect(text === `hello${payload}`).toBe(true);
    expect(tap.counters).toMatchObject({ outFrames: 2, outErrors: 0, outDown: 0 });
    // Four datagrams at the kernel's UDP, none with a bad checksum.
    const snmp = (await net.run("cat", ["/proc/net/snmp"])).stdout.split("\n");
    const [names, values] = snmp
      .filter((line) => line.startsWith("Udp:"))
      .map((line) => line.split(" "));
    expect(values[names.indexOf("InDatagrams")]).toBe("4");
    expect(values[names.indexOf("InCsumErrors")]).toBe("0");
    expect(probe.memory.framesInUse).toBe(0);
  });

  it("drops and counts what it sends while the kernel's end is down", async () => {
    const tap = await net.tap({ tun: true, up: false });
    const probe = new Probe(tap);
    expect(tap.linkUp).toBe(false);
    probe.sendUdp(6000, new Uint8Array(5));
    expect(tap.counters.outDown).toBe(1);
    expect(probe.memory.framesInUse).toBe(0);
  });

  it("survives memory that is used up: drops, counts, and goes on", async () => {
    const tap = await net.tap({ tun: true, peers: ["10.9.0.1/24"] });
    const probe = new Probe(tap);
    const held: number[] = [];
    for (let f = probe.memory.alloc(60_000); f !== 0; f = probe.memory.alloc(60_000)) held.push(f);
    await net.run("bash", ["-c", "printf lost > /dev/udp/10.9.0.2/5000"]);
    while (tap.counters.inNoMemory === 0) await new Promise((resolve) => setImmediate(resolve));
    for (const frame of held) probe.memory.release(frame);
    const before = probe.frames.length;
    await net.run("bash", ["-c", "printf here > /dev/udp/10.9.0.2/5000"]);
    await probe.until(() => probe.frames.length > before);
  });

  it("says so and goes down when the interface is deleted under it", async () => {
    const tap = await net.tap({ peers: ["10.9.0.1/24"] });
    const probe = new Probe(tap);
    await net.run("ip", ["link", "del", "fd0"]);
    await probe.until(() => !tap.linkUp);
    await probe.until(() => tap.failure !== undefined);
    expect(tap.failure?.message).toBe("the interface fd0 was deleted while it was in use");
    expect(probe.links).toEqual([false]);
  });

  it("refuses with a code and a sentence", async () => {
    const netns = net.name;
    const rejects = (options: Parameters<typeof openTap>[0], code: string, text: RegExp) =>
      expect(openTap(options)).rejects.toMatchObject({
        name: "TapError",
        code,
        message: expect.stringMatching(text),
      });
    await rejects({ name: "fd7", netns }, "ENODEV", /ip tuntap add dev fd7 mode tap/);
    await rejects({ name: "lo", netns, create: true }, "EBUSY", /exists already/);
    await rejects({ name: "lo", netns }, "EINVAL", /not a tap device/);
    await rejects({ name: "sixteen-letters-", netns }, "ENAMETOOLONG", /at most 15/);
    await rejects({ name: "a/b", netns }, "EINVAL", /letters and digits/);
    await rejects({ name: "fd0", netns: "fdx-missing" }, "ENOENT", /no network namespace/);
    await rejects(
      { name: "fd0", netns, create: { peers: ["10.9.0.1/99"] } },
      "EINVAL",
      /ip -n .* address add 10.9.0.1\/99/,
    );
    expect((await net.run("ip", ["link", "show", "fd0"])).code).not.toBe(0);
    await net.tap();
    await rejects({ name: "fd0", netns }, "EBUSY", /in use by another program/);
  });

  it("says that it needs root", async () => {
    // The device node is root's own; whoever opened it to everybody gets EPERM from the kernel.
    process.seteuid!(65_534);
    try {
      await expect(openTap({ name: "fd0", create: true })).rejects.toMatchObject({
        code: expect.stringMatching(/^(EACCES|EPERM)$/),
        message: expect.stringMatching(/run as root/),
      });
    } finally {
      process.seteuid!(0);
    }
  });

  it("uses an interface made beforehand and leaves it in place", async () => {
    execFileSync("ip", ["-n", net.name, "tuntap", "add", "dev", "made", "mode", "tap"]);
    execFileSync("ip", ["-n", net.name, "link", "set", "made", "up"]);
    const tap = await openTap({ name: "made", netns: net.name });
    expect(tap.linkUp).toBe(true);
    await tap.close();
    expect((await net.run("ip", ["link", "show", "made"])).code).toBe(0);
  });
});
