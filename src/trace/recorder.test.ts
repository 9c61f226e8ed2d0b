import { beforeAll, describe, expect, it } from "vitest";
import type { ConnectionView } from "../base/trace.ts";
import { findScenario } from "../scenarios/registry.ts";
import { runScenario } from "../scenarios/run.ts";
import type { Trace, TraceEvent } from "./events.ts";
import { exportJsonl, importJsonl, TraceFormatError } from "./jsonl.ts";
import { Recorder } from "./recorder.ts";

let trace: Trace;
beforeAll(async () => {
  const { acts } = await runScenario(findScenario("loss-and-timeout")!);
  trace = acts[0].trace;
});

const events = (name: string, host: string) =>
  [...trace.events()].filter((event) => event.name === name && event.host === host);

describe("a trace of two hosts", () => {
  it("has both ends of the connection, with their first numbers", () => {
    expect(trace.connections).toMatchObject([
      { host: "client", local: "10.0.0.1:40000", remote: "10.0.0.2:80", iss: 1300, irs: 2000 },
      { host: "server", local: "10.0.0.2:80", remote: "10.0.0.1:40000", iss: 2000, irs: 1300 },
    ]);
  });

  it("is one time line", () => {
    const times = [...trace.events()].map(({ timeUs }) => timeUs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it("tells of each segment with its numbers and the variables behind it", () => {
    const sent = events("tcp:segment_sent", "client").filter((e) => "length" in e && e.length > 0);
    expect(sent).toMatchObject([
      { seq: 1301, length: 100, flags: ["PSH", "ACK"] },
      { seq: 1401, length: 100 },
      { seq: 1401, length: 100, reason: "rto", variables: { sndUna: 1401, rtoUs: 440_000 } },
    ]);
  });

  it("tells of states, timers and congestion", () => {
    const states = events("tcp:state_updated", "client") as { to: string }[];
    expect(states.map(({ to }) => to)).toEqual(["SYN-SENT", "ESTABLISHED"]);
    expect(events("tcp:timer_fired", "client")).toMatchObject([{ timer: "rto", timeUs: 280_000 }]);
    expect(events("tcp:congestion_updated", "client")).toMatchObject([
      { from: "open", to: "loss", variables: { cwnd: 1460 } },
      { from: "loss", to: "open" },
    ]);
  });

  it("comes back from JSON lines as it was", () => {
    const lines = [...exportJsonl(trace)];
    expect(JSON.parse(lines[0])).toMatchObject({ format: "fullduplex-trace", version: 1 });
    const back = importJsonl(lines);
    expect([...back.events()]).toEqual([...trace.events()]);
    expect(back.connections).toEqual(trace.connections);
  });
});

describe("JSON lines", () => {
  it("that are no trace are refused with the line's number", () => {
    expect(() => importJsonl(["{}"])).toThrow(TraceFormatError);
    expect(() => importJsonl([[...exportJsonl(trace)][0], "{"])).toThrow(/^line 2: /);
    expect(() => importJsonl(['{"format":"fullduplex-trace","version":9}'])).toThrow(/version 9/);
  });

  it("with events of a later version are read around", () => {
    const head = [...exportJsonl(trace)][0];
    const back = importJsonl([head, '{"time":1,"host":"client","name":"quic:new","data":{}}']);
    expect(back.length).toBe(0);
  });

  it("keep every kind of event", () => {
    const recorder = new Recorder({ capacity: 64 });
    const t = recorder.tracer("a");
    const path = { local: ADDRESS, remote: ADDRESS };
    t.reply(1, path, (80 << 16) | 4000, 5, 6, 0x14);
    t.drop(2, undefined, 8);
    t.call(3, undefined, 4, 0, -11);
    t.neighbor(4, 2, 1, 0, 0, 0xffff, 0x0a000001);
    t.icmp(5, 1, 3, 3, 0, 0, 0xffff, 0x0a000002);
    t.datagram(6, 0, (53 << 16) | 5353, 512);
    t.dns(7, 2, "example.org", 1, 4);
    t.timerSet(8, VIEW, 1, 7_200_000_000);
    t.timerSet(9, VIEW, 1, Number.POSITIVE_INFINITY);
    recorder.note(10, "한글");
    const written = [...recorder.read().events()];
    expect(written.map((event) => event.name)).toHaveLength(10);
    expect(written[7]).toMatchObject({ inUs: 7_199_999_992 });
    expect([...importJsonl(exportJsonl(recorder.read())).events()]).toEqual(written);
  });
});

describe("the ring", () => {
  it("keeps the newest and counts what it forgot", () => {
    const recorder = new Recorder({ capacity: 16 });
    for (let i = 0; i < 40; i++) recorder.note(i, `note ${i}`);
    const read = recorder.read();
    expect([read.length, read.lost]).toEqual([16, 24]);
    expect((read.event(0) as TraceEvent & { text: string }).text).toBe("note 24");
    expect(read.event(15).timeUs).toBe(39);
  });

  it("grows instead when it may", () => {
    const recorder = new Recorder({ capacity: 16, growTo: 1024 });
    for (let i = 0; i < 40; i++) recorder.note(i, "note");
    expect([recorder.read().length, recorder.read().lost]).toEqual([40, 0]);
  });
});

const ADDRESS = { isIpv4: true, toString: () => "10.0.0.1" } as never;
const VIEW = {
  state: 4,
  path: { local: ADDRESS, remote: ADDRESS },
  outOfOrder: undefined,
} as unknown as ConnectionView;
