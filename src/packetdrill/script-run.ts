/**
 * One run of one script, in virtual time. Events come in order: calls and inbound packets at their
 * time, outbound packets when the stack sends them, which must be their time too.
 */
import type { FrameMemory } from "../base/frame-memory.ts";
import { AF_INET, AF_INET6 } from "../sockets/constants.ts";
import { isStream } from "../sockets/options/kinds.ts";
import type { TcpInfo } from "../tcp/info.ts";
import type {
  Call,
  Code,
  Command,
  EventTime,
  Packet,
  Position,
  Script,
  ScriptEvent,
} from "./ast.ts";
import { Bench } from "./bench.ts";
import { BuildError, buildIcmp, buildTcp, buildUdp } from "./build.ts";
import { CallProgress, checkResult } from "./call-progress.ts";
import { prepareCall } from "./call-makers.ts";
import { CodeError, CodeRunner } from "./code.ts";
import { describeLive } from "./compare.ts";
import { Conversations } from "./conversations.ts";
import { formatTime } from "./format.ts";
import { formatCall } from "./format-expression.ts";
import { formatPacket } from "./format-packet.ts";
import { Failure, Skip } from "./outcome.ts";
import { matchOutbound, unsupportedIn } from "./outbound.ts";
import { ScriptCalls } from "./script-calls.ts";
import type { ScriptSettings } from "./script-settings.ts";
import { join, type SettingsChange } from "./settings-change.ts";
import { runCommand, type SocketLine } from "./shell.ts";
import { codeSymbol, sockstatState } from "./symbols.ts";
import { tcpInfoField } from "./tcp-info-fields.ts";
import type { Transcript } from "./transcript.ts";
import { CallError, UnsupportedError } from "./values.ts";

/** How long an outbound packet without a time is waited for. */
const ANY_TIME_LIMIT_US = 300_000_000;
/** How long past its time an outbound packet, or the end of a call, is waited for. */
const LATE_US = 2_000_000;
/** Share of the time since the last event that counts as tolerance as well. */
const RELATIVE_TOLERANCE = 0.125;

export interface RunParts {
  readonly script: Script;
  readonly settings: ScriptSettings;
  /** Must be empty; it is again when the run answers true from `end`. */
  readonly memory: FrameMemory;
  readonly transcript: Transcript;
  /** Lines that code blocks print. */
  readonly print: (line: string) => void;
}

export class ScriptRun {
  private readonly parts: RunParts;
  private readonly settings: ScriptSettings;
  private readonly conversations: Conversations;
  private readonly code: CodeRunner;
  private bench: Bench | undefined;
  private calls: ScriptCalls | undefined;
  /** Changes asked for before the host was made. */
  private pending: SettingsChange;
  /** When the last event was over, in script time, which is the clock's. */
  private lastUs = 0;
  /** The scheduled time of the last event, if it was an inbound packet. */
  private lastInboundUs: number | undefined;
  private blocked: CallProgress | undefined;

  constructor(parts: RunParts) {
    this.parts = parts;
    this.settings = parts.settings;
    this.pending = { tcp: parts.settings.tcp, mtu: parts.settings.mtu };
    this.conversations = new Conversations(parts.settings);
    this.code = new CodeRunner(parts.print);
  }

  /** Runs the script to its end. Throws Failure or Skip. */
  run(): void {
    const { script } = this.parts;
    const first = script.events.map(({ action }) => unsupportedIn(action)).find(Boolean);
    if (first !== undefined) throw new Skip(first);
    if (script.init !== undefined) this.runCommand(script.init);
    for (const event of script.events) this.runEvent(event);
    if (this.blocked !== undefined) this.awaitCall(this.blocked);
    if (this.settings.strict) this.checkStrays(script.events[script.events.length - 1]!.position);
  }

  /** The script's cleanup, and everything let go. True: nothing is left in the memory. */
  end(): boolean {
    const { cleanup } = this.parts.script;
    if (cleanup !== undefined) {
      try {
        this.runCommand(cleanup);
      } catch (error) {
        // What a cleanup could not put back has nobody to trouble.
        if (!(error instanceof Skip) && !(error instanceof Failure)) throw error;
      }
    }
    return this.bench?.end() ?? true;
  }

  // Time

  private runEvent(event: ScriptEvent): void {
    const { action } = event;
    const inbound = "inbound" in action && action.inbound;
    const time = this.schedule(event.time, inbound);
    if ("inbound" in action && !action.inbound) {
      this.lastInboundUs = undefined;
      this.expectOutbound(action, event.time.kind, time);
    } else {
      if (action.kind !== "command" || this.bench !== undefined) {
        this.theBench.clock.runBefore(time.startUs);
      }
      if (action.kind === "call") this.runCall(action, time.baseUs);
      else if (action.kind === "code") this.runCode(action);
      else if (action.kind === "command") this.runCommand(action);
      else this.injectInbound(action);
      if (this.bench !== undefined) this.settle();
      this.lastInboundUs = inbound ? time.startUs : undefined;
    }
    this.lastUs = this.bench === undefined ? time.startUs : this.theBench.clock.now();
  }

  /** Relative times count from the end of the last event; in a run of inbound packets from its scheduled time. */
  private schedule(time: EventTime, inbound: boolean) {
    const base = inbound && this.lastInboundUs !== undefined ? this.lastInboundUs : this.lastUs;
    const baseUs = time.kind.startsWith("absolute") ? 0 : base;
    return { baseUs, startUs: baseUs + time.startUs, endUs: baseUs + time.endUs };
  }

  private tolerance(gapUs: number): number {
    return Math.max(this.settings.toleranceUs, gapUs * RELATIVE_TOLERANCE);
  }

  /** Lets the stack do all that is due now. */
  private settle(): void {
    this.theBench.clock.drain();
    this.calls!.observe();
  }

  /** The host, made when it is first needed, so that the settings in front count from its start. */
  private get theBench(): Bench {
    if (this.bench !== undefined) return this.bench;
    const { settings, conversations } = this;
    const bench = new Bench({
      memory: this.parts.memory,
      mtu: this.pending.mtu ?? settings.mtu,
      localAddress: settings.localAddress,
      remoteAddress: settings.remoteAddress,
      tcp: { ...this.pending.tcp },
      onPacket: (bytes, timeUs) => this.onPacket(bytes, timeUs),
    });
    this.bench = bench;
    this.calls = new ScriptCalls({
      calls: bench.calls,
      parked: bench.parked,
      localAddress: settings.localAddress,
      remoteAddress: settings.remoteAddress,
      family: settings.version === "ipv4" ? AF_INET : AF_INET6,
      bindPort: settings.bindPort,
      connectPort: settings.connectPort,
      freebsd: settings.freebsd,
      onSocket: (socket) => conversations.onSocket(socket),
      onConnect: (socket, remote) => conversations.onConnect(socket, remote),
      onAccept: (listener, fd, port) => conversations.onAccept(listener, fd, port),
    });
    return bench;
  }

  private onPacket(bytes: Uint8Array, timeUs: number): void {
    const seen = this.conversations.emitted(bytes, timeUs);
    if (seen === undefined) return;
    this.parts.transcript.add(timeUs, "out", () => describeLive(seen.packet, seen.flow));
  }

  // Packets

  private injectInbound(packet: Packet): void {
    const bench = this.theBench;
    const flow = this.conversations.inbound(packet);
    let bytes: Uint8Array;
    try {
      if (packet.kind === "tcp") bytes = buildTcp(packet, flow);
      else if (packet.kind === "udp") bytes = buildUdp(packet, flow);
      else if (packet.kind === "icmp") bytes = buildIcmp(packet, flow);
      else throw new Skip(packet.reason);
    } catch (error) {
      if (error instanceof BuildError) throw new Failure(packet.position, error.message);
      throw error;
    }
    this.parts.transcript.add(bench.clock.now(), "in", () => formatPacket(packet));
    bench.inject(bytes);
  }

  private expectOutbound(
    packet: Packet,
    kind: EventTime["kind"],
    time: { startUs: number; endUs: number },
  ): void {
    const { clock } = this.theBench;
    const anyTime = kind === "any";
    const limitUs = anyTime ? clock.now() + ANY_TIME_LIMIT_US : time.endUs + LATE_US;
    const match = () => matchOutbound(packet, this.conversations, this.settings);
    let matched = match();
    while (matched === undefined && clock.advance(limitUs)) {
      this.calls!.observe();
      matched = match();
    }
    const expected = formatPacket(packet);
    if (matched === undefined) {
      const others = this.conversations.unknown.length;
      const hint =
        others > 0 ? ` (${others} packets belonged to no conversation of the script)` : "";
      throw new Failure(packet.position, `no packet came${hint}`, expected, "nothing");
    }
    const { comparison, timeUs } = matched;
    if (comparison.differences.length > 0) {
      throw new Failure(
        packet.position,
        `${comparison.differences.join(", ")} differ${comparison.differences.length > 1 ? "" : "s"}`,
        comparison.expected,
        comparison.actual,
      );
    }
    if (anyTime) return;
    const tolerance = this.tolerance(time.startUs - this.lastUs);
    if (timeUs < time.startUs - tolerance || timeUs > time.endUs + tolerance) {
      const range =
        time.endUs > time.startUs
          ? `${formatTime(time.startUs)}~${formatTime(time.endUs)}`
          : formatTime(time.startUs);
      throw new Failure(
        packet.position,
        `time differs by more than ${tolerance} us`,
        `${range} ${comparison.expected}`,
        `${formatTime(timeUs)} ${comparison.actual}`,
      );
    }
  }

  private checkStrays(position: Position): void {
    const flow = this.conversations.underTest?.flow;
    if (flow === undefined) return;
    const stray = this.conversations.queue(flow)[0];
    if (stray === undefined) return;
    const actual = `${formatTime(stray.timeUs)} ${describeLive(stray, flow)}`;
    throw new Failure(position, "a packet came that nobody expected", "nothing", actual);
  }

  // Calls

  private runCall(call: Call, baseUs: number): void {
    if (this.blocked !== undefined) this.awaitCall(this.blocked);
    const { clock } = this.theBench;
    const started = clock.now();
    this.parts.transcript.add(started, "note", () => formatCall(call));
    this.guard(call, () => {
      const prepared = prepareCall(this.calls!, call);
      const endUs = call.endUs === undefined ? undefined : baseUs + call.endUs;
      const progress = new CallProgress(call, prepared, started, endUs);
      if (progress.begin(() => clock.now())) checkResult(progress);
      else this.blocked = progress;
    });
  }

  /** Waits for the call under way; the time goes on as far as it must. */
  private awaitCall(progress: CallProgress): void {
    const { clock } = this.theBench;
    const limitUs = progress.endUs! + LATE_US;
    clock.drain();
    while (!progress.isDone && clock.advance(limitUs)) this.calls!.observe();
    this.blocked = undefined;
    const { call } = progress;
    if (!progress.isDone) {
      throw new Failure(
        call.position,
        `${formatCall(call)} still waits`,
        formatTime(progress.endUs!),
      );
    }
    const tolerance = this.tolerance(progress.endUs! - progress.startedUs);
    const lateUs = progress.doneUs - progress.endUs!;
    this.guard(call, () => checkResult(progress));
    if (Math.abs(lateUs) > tolerance) {
      throw new Failure(
        call.position,
        `${formatCall(call)} returned at another time`,
        formatTime(progress.endUs!),
        formatTime(progress.doneUs),
      );
    }
  }

  private guard(call: Call, body: () => void): void {
    try {
      body();
    } catch (error) {
      if (error instanceof UnsupportedError) throw new Skip(error.message);
      if (error instanceof CallError) throw new Failure(error.position, error.message);
      throw error;
    }
    void call;
  }

  // Code and commands

  private runCode(code: Code): void {
    const { freebsd } = this.settings;
    try {
      this.code.run(code.text, (name) => {
        if (!name.startsWith("tcpi_")) return codeSymbol(name, freebsd);
        const info = this.infoUnderTest();
        if (info === undefined) return undefined;
        return tcpInfoField(info, name, this.theBench.clock.now(), freebsd);
      });
    } catch (error) {
      if (!(error instanceof CodeError)) throw error;
      const line = code.position.line + error.line - 1;
      throw new Failure({ line, column: code.position.column }, error.message);
    }
  }

  private infoUnderTest(): TcpInfo | undefined {
    const socket = this.conversations.underTest;
    const bench = this.theBench;
    const live = socket === undefined ? undefined : bench.calls.lookup(socket.liveFd);
    if (live !== undefined && isStream(live)) return live.info();
    // Not accepted yet, or closed by now.
    const flow = socket?.flow;
    for (const c of bench.tcp.connections()) {
      if (c.localPort === flow?.localPort && c.remotePort === flow.remotePort) {
        return bench.tcp.info(c, bench.clock.now());
      }
    }
    return undefined;
  }

  private runCommand(command: Command): void {
    const result = runCommand(command.text, () => this.socketLines());
    if (result.skip !== undefined) throw new Skip(result.skip);
    if (result.failed !== undefined) throw new Failure(command.position, result.failed);
    if (this.bench === undefined) this.pending = join(this.pending, result);
    else this.bench.change(result);
  }

  private socketLines(): SocketLine[] {
    return this.bench?.socketLines(sockstatState) ?? [];
  }
}
