import { beforeAll, describe, expect, it } from "vitest";
import stringWidth from "string-width";
import { actLadder } from "../../scenarios/ladder.ts";
import { findScenario } from "../../scenarios/registry.ts";
import { runScenario } from "../../scenarios/run.ts";
import type { ActResult } from "../../scenarios/scenario.ts";
import type { ConnectionVariables } from "../events.ts";
import { stripRows } from "./strip-text.ts";
import { receiveStrip, sendStrip } from "./strips.ts";
import { ladderSvg } from "./svg.ts";
import { ladderLines, ladderText } from "./text.ts";
import { fitted, wrapped } from "./text-row.ts";

const acts = new Map<string, ActResult>();
async function actOf(name: string, index = 0): Promise<ActResult> {
  const key = `${name} ${index}`;
  if (!acts.has(key)) {
    const result = await runScenario(findScenario(name)!);
    for (const [i, act] of result.acts.entries()) acts.set(`${name} ${i}`, act);
  }
  return acts.get(key)!;
}

describe("the ladder as text", () => {
  it("shows segments, times at both ends, and states in the margins", async () => {
    const ladder = actLadder(await actOf("three-way-handshake"), "en", {
      narration: false,
      title: "",
    });
    expect(ladderText(ladder, { width: 100 })).toBe(`\
     ms          client                                                    server
                10.0.0.1                                                  10.0.0.2
                    │                                                         │
  0.000    SYN-SENT │── SYN seq=1000 win=65535 <mss 1460, sackOK, wscale 9> ─►│ SYN-RECEIVED  10.000
 20.000 ESTABLISHED │◄───────── SYN+ACK seq=2000 ack=1001 win=65535 ──────────│               10.000
                    │  <mss 1460, sackOK, wscale 9>                           │
 20.000             │─────────── ACK seq=1001 ack=2001 win=131072 ───────────►│ ESTABLISHED   30.000
`);
  });

  it("ends lost packets in an x and says why something is sent again", async () => {
    const ladder = actLadder(await actOf("loss-and-timeout"), "en", {
      narration: false,
      title: "",
    });
    const lines = ladderLines(ladder, { width: 100 });
    expect(lines.find((line) => line.includes("✗"))).toMatch(/seq=1401 .* ─+✗ lost/);
    expect(lines.find((line) => line.includes("again: rto"))).toMatch(/280\.000 .*╌╌►│ +290\.000/);
    expect(lines.some((line) => /280\.000 +rto timer │/.test(line))).toBe(true);
  });

  it.each([60, 80, 100, 137])("keeps to %i cells, Korean text included", async (width) => {
    for (const language of ["en", "ko"] as const) {
      for (const name of ["receiver-limits-sender", "client-server", "mtu-and-mss"]) {
        const ladder = actLadder(await actOf(name), language);
        for (const line of ladderLines(ladder, { width, language })) {
          expect(stringWidth(line)).toBeLessThanOrEqual(width);
        }
      }
    }
  });

  it("numbers may be relative", async () => {
    const act = await actOf("three-way-handshake");
    const ladder = actLadder(act, "en", { narration: false, relative: true });
    const numbers = ladder.items.flatMap((item) => (item.kind === "arrow" ? [item.numbers] : []));
    expect(numbers.map((text) => text.replace(/ win=.*/, ""))).toEqual([
      "seq=0",
      "seq=0 ack=1",
      "seq=1 ack=1",
    ]);
  });

  it("has a column for each of more than two hosts", async () => {
    const act = await actOf("client-server");
    const ladder = actLadder(act, "en");
    expect(ladder.columns.map(({ name }) => name)).toEqual(["ann", "bob", "cho", "server"]);
    expect(ladder.columns.map(({ detail }) => detail)).toEqual(
      [1, 2, 3, 4].map((n) => `10.0.0.${n}`),
    );
  });

  it("colours only when asked", async () => {
    const ladder = actLadder(await actOf("three-way-handshake"), "en");
    expect(ladderText(ladder)).not.toContain("\u001b");
    expect(ladderText(ladder, { color: true })).toContain("\u001b[36mSYN-SENT");
  });
});

describe("the ladder as SVG", () => {
  let svg = "";
  beforeAll(async () => {
    svg = ladderSvg(actLadder(await actOf("receiver-limits-sender"), "ko"), { language: "ko" });
  });

  it("stands alone, in both themes, without scripts or anything from outside", () => {
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+"/);
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(svg).not.toMatch(/<script|href=|url\(/);
  });

  it("draws an arrow for each packet, and text in Korean", async () => {
    const act = await actOf("receiver-limits-sender");
    const arrows = actLadder(act, "ko").items.filter((item) => item.kind === "arrow").length;
    expect(svg.match(/class="arrow[^"]*"/g)).toHaveLength(arrows);
    expect(svg).toContain("수신 버퍼");
    expect(svg).toContain("윈도우");
  });

  it("is well-formed: every element is closed, every text escaped", () => {
    const open: string[] = [];
    for (const [, slash, name, self] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (self === "/") continue;
      if (slash === "") open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
    expect(svg.replace(/<style>[^]*?<\/style>/, "").replace(/<[^>]*>/g, "")).not.toMatch(
      /[<>]|&(?!amp;|lt;|gt;|quot;)/,
    );
  });

  it("keeps arrows out of the boxes: each lies between two of them", () => {
    const boxes = [
      ...svg.matchAll(/<rect x="20" y="([\d.]+)"[^>]*height="([\d.]+)"[^>]*class="box"/g),
    ];
    const spans = boxes.map(([, y, height]) => [Number(y), Number(y) + Number(height)]);
    expect(spans.length).toBeGreaterThan(3);
    for (const [, y1, y2] of svg.matchAll(/d="M[\d.]+ ([\d.]+) L[\d.]+ ([\d.]+)" class="arrow/g)) {
      for (const [top, bottom] of spans) {
        expect(Number(y2) <= top || Number(y1) >= bottom).toBe(true);
      }
    }
  });

  it("does not draw beyond its size", () => {
    const [, width, height] = svg.match(/width="(\d+)" height="(\d+)"/)!.map(Number);
    for (const [, x, y] of svg.matchAll(/<text x="([\d.-]+)" y="([\d.-]+)"/g)) {
      expect(Number(x)).toBeLessThan(width);
      expect(Number(y)).toBeLessThan(height);
    }
  });
});

describe("byte strips", () => {
  const v = (fields: Partial<ConnectionVariables>) => fields as ConnectionVariables;

  it("RFC 9293 figure 3: acknowledged, in flight, may be sent, must wait", () => {
    const strip = sendStrip(
      "send",
      v({ sndUna: 1051, sndNxt: 1061, sndEnd: 1101, sndWnd: 20 }),
      1000,
    );
    expect(strip.parts).toEqual([
      { kind: "acknowledged", from: 0, to: 50 },
      { kind: "in-flight", from: 50, to: 60 },
      { kind: "may-send", from: 60, to: 70 },
      { kind: "must-wait", from: 70, to: 100 },
    ]);
    expect(strip.edge).toBe(70);
  });

  it("RFC 9293 figure 4, with a gap, over the end of the sequence numbers", () => {
    const strip = receiveStrip(
      "receive",
      v({
        rcvRead: 0xfffffffb,
        rcvNxt: 5,
        rcvAdv: 105,
        finReceived: false,
        ranges: [[15, 25]],
      }),
      0xfffffff0,
    );
    expect(strip.parts).toEqual([
      { kind: "read", from: 0, to: 10 },
      { kind: "waiting", from: 10, to: 20 },
      { kind: "gap", from: 20, to: 30 },
      { kind: "out-of-order", from: 30, to: 40 },
      { kind: "free", from: 40, to: 120 },
    ]);
  });

  it("are as wide as told", () => {
    const strip = sendStrip(
      "client: send",
      v({ sndUna: 1, sndNxt: 51, sndEnd: 101, sndWnd: 70 }),
      0,
    );
    for (const width of [40, 60, 100]) {
      for (const row of stripRows(strip, width, "ko")) {
        expect(stringWidth(row.toString((text) => text))).toBeLessThanOrEqual(width);
      }
    }
  });
});

describe("text that fits", () => {
  it("counts wide characters twice", () => {
    expect(fitted("가나다라", 8)).toBe("가나다라");
    expect(fitted("가나다라", 7)).toBe("가나다…");
    expect(wrapped("가나 다라 마바", 9)).toEqual(["가나 다라", "마바"]);
    expect(wrapped("abcdefghij", 4)).toEqual(["abcd", "efgh", "ij"]);
  });
});
