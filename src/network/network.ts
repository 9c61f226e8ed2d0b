import { FrameMemory, type FrameMemoryOptions, frameMemoryBytes } from "../base/frame-memory.ts";
import {
  type Clock,
  type Driven,
  type Pollable,
  STEP_DELIVERED,
  STEP_IDLE,
  STEP_MORE,
  type StepResult,
} from "../base/pollable.ts";
import { type RandomSource, SeededRandom } from "../base/random.ts";
import { Cable, type CableOptions } from "../devices/cable.ts";
import type { DeviceContext } from "../devices/context.ts";
import { ImpairedDevice, type ImpairedDeviceOptions } from "../devices/impaired-device.ts";
import { PacketDevice, type PacketDeviceOptions } from "../devices/packet-device.ts";
import { Switch, type SwitchOptions } from "../devices/switch.ts";
import type { HostConfigOptions } from "../host/config.ts";
import { SocketHost } from "../sockets/socket-host.ts";
import { createKernel } from "../kernel/create-kernel.ts";
import type { Device } from "../link/device.ts";
import { type Alarm, Alarms } from "./alarms.ts";
import { Entry, RunQueue } from "./run-queue.ts";
import { SecureRandom } from "./secure-random.ts";
import { threadMemory } from "./thread-memory.ts";

export interface NetworkOptions {
  /** `realTime()` or `virtualTime()`; each network has a clock of its own. */
  readonly clock: Clock;
  /**
   * Makes every random number of the network reproducible: for simulations and
   * tests. Without it they come from the platform's secure source.
   */
  readonly seed?: number;
  /** Sizes of a frame memory of its own, or one to share. Default: the thread's. */
  readonly memory?: FrameMemory | FrameMemoryOptions;
}

/** What a host may be given beside what the network gives it. */
export interface NetworkHostOptions {
  /** Default "host1", "host2", ... */
  readonly name?: string;
  readonly config?: HostConfigOptions;
}

/** Frames one pollable may handle before the next one's turn. */
const POLL_BUDGET = 64;

/**
 * Hosts, cables and switches that share one time and one memory. The network
 * polls whoever has something to do, in the order (time, creation number), so
 * that a run with the same seed replays exactly; its clock says when.
 */
export class Network implements Driven {
  readonly memory: FrameMemory;
  private readonly clock: Clock;
  private readonly seeded: SeededRandom | undefined;
  private readonly secure: SecureRandom | undefined;
  private readonly queue = new RunQueue();
  private readonly entries = new Map<Pollable, Entry>();
  private readonly alarms = new Alarms();
  /** Time of the current or last step. */
  private timeUs = 0;
  private stepping = false;
  private stepNumber = 0;
  private created = 0;
  private hostCount = 0;
  private liveTotal = 0;
  private closed = false;
  /** The clock was told to wake us and has not yet. */
  private awaited = false;
  /** The entry whose poll is running. */
  private current: Entry | undefined;
  /**
   * Entries polled in this step, and those that have more to do after it. The
   * arrays are kept: emptying one by its length gives its store back, which
   * took 13 % of the time of a step with one frame.
   */
  private readonly polled: Entry[] = [];
  private polledCount = 0;
  private readonly again: Entry[] = [];
  private againCount = 0;

  constructor(options: NetworkOptions) {
    const { memory } = options;
    if (memory instanceof FrameMemory) this.memory = memory;
    else if (memory === undefined) this.memory = threadMemory();
    else this.memory = new FrameMemory(createKernel(frameMemoryBytes(memory)), memory);
    if (options.seed === undefined) this.secure = new SecureRandom();
    else this.seeded = new SeededRandom(options.seed);
    this.clock = options.clock;
    this.clock.attach(this);
    this.add(this.alarms, () => this.alarms.clear());
  }

  /** Microseconds since the network's clock began; inside a step, the step's time. */
  now(): number {
    return this.stepping ? this.timeUs : this.clock.now();
  }

  /** A source of random numbers for a part of the network; with a seed, fixed by the seed and the order of creation. */
  fork(): RandomSource {
    return this.seeded?.fork() ?? this.secure!;
  }

  /** What a device or host needs to be part of this network. */
  context(): DeviceContext {
    return { memory: this.memory, random: this.fork(), now: () => this.now() };
  }

  // Parts

  /** Two ports joined by a cable; the network drives it. */
  cable(options: CableOptions = {}): Cable {
    const cable = new Cable(this.context(), options);
    this.add(cable, () => cable.close());
    cable.onClosed = () => this.remove(cable);
    return cable;
  }

  /** A switch; the network drives it. */
  switch(options: SwitchOptions = {}): Switch {
    const made = new Switch(this.context(), options);
    made.makeCable = (cable) => this.cable(cable);
    this.add(made, () => made.close());
    return made;
  }

  /** A host on this network's time, memory and random numbers; the network drives it. */
  host(options: NetworkHostOptions = {}): SocketHost {
    const { name = `host${++this.hostCount}`, config } = options;
    const { memory } = this;
    const host = new SocketHost({ name, memory, random: this.fork(), clock: this, config });
    this.add(host, () => host.destroy());
    return host;
  }

  /**
   * A device made of two functions, as part of this network. One made by `new
   * PacketDevice` alone works as well, but only as part of the network are
   * packets that come from within `send` on time in virtual time.
   */
  packetDevice(options: PacketDeviceOptions): PacketDevice {
    const device = new PacketDevice(options);
    this.add(device, () => device.close());
    return device;
  }

  /** A device with a bad line in front; the network drives it. */
  impair(device: Device, options: ImpairedDeviceOptions): ImpairedDevice {
    const impaired = new ImpairedDevice(this.context(), device, options);
    this.add(impaired, () => impaired.close());
    return impaired;
  }

  /**
   * Takes a pollable in: from now on it is polled when it is due. Its number
   * in the order is the count of those added before. `close` is called when
   * the network closes.
   */
  add(pollable: Pollable, close?: () => void): void {
    if (this.closed) throw new Error("the network is closed; make a new one");
    if (this.entries.has(pollable)) throw new Error("this pollable is part of the network already");
    const entry = new Entry(pollable, this.created++, close);
    this.entries.set(pollable, entry);
    pollable.onWork = () => this.wake(entry);
    this.updateLive(entry);
    const deadlineUs = pollable.nextDeadline();
    if (deadlineUs === Number.POSITIVE_INFINITY) return;
    entry.key = deadlineUs;
    this.queue.put(entry);
    this.awaken();
  }

  /** Lets a pollable go; it is not polled any more. */
  remove(pollable: Pollable): void {
    const entry = this.entries.get(pollable);
    if (entry === undefined) return;
    this.entries.delete(pollable);
    pollable.onWork = undefined;
    entry.removed = true;
    this.liveTotal -= entry.live;
    this.queue.remove(entry);
    if (entry.live > 0) this.awaken(); // the process may be free to end now
  }

  /** Calls back once, about `delayUs` from now, among the network's events. */
  after(delayUs: number, callback: () => void): Alarm {
    return this.alarms.set(this.now() + delayUs, callback);
  }

  /** Resolves about `ms` milliseconds of the network's time from now. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms * 1000, resolve));
  }

  /** Ends all parts at once, without waiting for what they still wanted to send. */
  close(): void {
    if (this.closed) return;
    for (const entry of this.entries.values()) {
      entry.close?.();
      this.remove(entry.pollable);
    }
    this.closed = true;
    this.clock.wakeAt(Number.POSITIVE_INFINITY);
  }

  // What the clock drives

  nextDeadline(): number {
    return this.queue.first()?.key ?? Number.POSITIVE_INFINITY;
  }

  /** The sum of what the parts want alive, as of their last poll. */
  live(): number {
    return this.liveTotal;
  }

  /**
   * Polls once everyone who is due, including those that become due through
   * the others, then hands out the events of those polled.
   */
  step(nowUs: number): StepResult {
    if (this.stepping) {
      throw new Error("step was called from within a step: run the clock outside of callbacks");
    }
    if (nowUs > this.timeUs) this.timeUs = nowUs;
    this.stepping = true;
    this.awaited = false;
    this.stepNumber++;
    try {
      this.pollDue();
      const delivered = this.deliver();
      const more = this.againCount > 0 || this.nextDeadline() <= this.timeUs;
      return (more ? STEP_MORE : STEP_IDLE) | (delivered ? STEP_DELIVERED : 0);
    } finally {
      this.endStep();
    }
  }

  private pollDue(): void {
    const { queue, timeUs, again, polled } = this;
    for (;;) {
      const entry = queue.first();
      if (entry === undefined || entry.key > timeUs) return;
      queue.remove(entry);
      if (entry.polledIn === this.stepNumber) {
        again[this.againCount++] = entry; // had its turn; became due again through another's
        continue;
      }
      entry.polledIn = this.stepNumber;
      entry.key = Number.POSITIVE_INFINITY;
      this.current = entry;
      const more = entry.pollable.poll(timeUs, POLL_BUDGET);
      this.current = undefined;
      if (entry.removed) continue;
      polled[this.polledCount++] = entry;
      if (!more && entry.key > timeUs) {
        entry.key = entry.pollable.nextDeadline();
        if (entry.key > timeUs) {
          if (entry.key !== Number.POSITIVE_INFINITY) queue.put(entry);
          continue;
        }
      }
      entry.key = timeUs;
      again[this.againCount++] = entry;
    }
  }

  private deliver(): boolean {
    const { polled, polledCount } = this;
    let delivered = false;
    for (let i = 0; i < polledCount; i++) {
      const entry = polled[i];
      if (entry.removed) continue;
      const { pollable } = entry;
      if (pollable.takeEvents !== undefined && pollable.takeEvents()) delivered = true;
      if (!entry.removed) this.updateLive(entry);
    }
    this.polledCount = 0;
    return delivered;
  }

  private endStep(): void {
    // After an exception out of a callback the others still get their events: in the next step.
    for (let i = 0; i < this.polledCount; i++) this.wake(this.polled[i]);
    this.polledCount = 0;
    for (let i = 0; i < this.againCount; i++) {
      if (!this.again[i].removed) this.queue.put(this.again[i]);
    }
    this.againCount = 0;
    if (this.current !== undefined) this.current.key = Number.POSITIVE_INFINITY;
    this.current = undefined;
    this.stepping = false;
  }

  private updateLive(entry: Entry): void {
    if (entry.pollable.live === undefined) return;
    const live = entry.pollable.live();
    this.liveTotal += live - entry.live;
    entry.live = live;
  }

  /** A call from outside, or from another part, made work for this entry. */
  private wake(entry: Entry): void {
    if (entry.removed || entry.key <= this.timeUs) return;
    entry.key = this.timeUs;
    if (entry === this.current) return; // its poll is running: filed after it
    this.queue.put(entry);
    this.awaken();
  }

  private awaken(): void {
    if (this.stepping) return; // the driver looks at the deadlines after a step
    const deadlineUs = this.nextDeadline();
    if (this.awaited && deadlineUs > this.timeUs) return;
    this.awaited = deadlineUs <= this.timeUs;
    this.clock.wakeAt(deadlineUs);
  }
}
