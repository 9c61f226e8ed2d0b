/**
 * Every segment type in every state at the window's edges as the freebsd preset answers it, for both
 * IP versions: RFC 5961 on and off, and TIME-WAIT, where FreeBSD goes its own way. The window that
 * counts is the buffer's room, beyond what 16 bits can announce.
 */
import { describe, test } from "vitest";
import { expectPass } from "./support/run.ts";

interface Family {
  readonly ip: "ipv4" | "ipv6";
  readonly mss: number;
  /** The receive buffer of 65536 in whole segments. */
  readonly room: number;
}

const FAMILIES: readonly Family[] = [
  { ip: "ipv4", mss: 1460, room: 65_700 },
  { ip: "ipv6", mss: 1440, room: 66_240 },
];

interface State {
  readonly name: string;
  readonly events: readonly string[];
  readonly rcvNxt: number;
  readonly sndNxt: number;
}

function states(): State[] {
  const open = [
    " 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
    "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
    "+0 connect(3, ..., ...) = -1 EINPROGRESS",
    "+0 > S 0:0(0) <...>",
    "+.02 < S. 0:0(0) ack 1 win 30000 <mss MSS>",
    "+0 > . 1:1(0) ack 1 win 65535",
  ];
  const shut = [...open, "+.02 shutdown(3, SHUT_WR) = 0", "+0 > F. 1:1(0) ack 1"];
  const half = [...open, "+.02 < F. 1:1(0) ack 1 win 30000", "+0 > . 1:1(0) ack 2"];
  const both = [...shut, "+.02 < F. 1:1(0) ack 1 win 30000", "+0 > F. 1:1(0) ack 2"];
  return [
    { name: "ESTABLISHED", events: open, rcvNxt: 1, sndNxt: 1 },
    { name: "CLOSE-WAIT", events: half, rcvNxt: 2, sndNxt: 1 },
    { name: "FIN-WAIT-1", events: shut, rcvNxt: 1, sndNxt: 2 },
    {
      name: "FIN-WAIT-2",
      events: [...shut, "+.02 < . 1:1(0) ack 2 win 30000"],
      rcvNxt: 1,
      sndNxt: 2,
    },
    { name: "CLOSING", events: both, rcvNxt: 2, sndNxt: 2 },
    {
      name: "LAST-ACK",
      events: [...half, "+0 shutdown(3, SHUT_WR) = 0", "+0 > F. 1:1(0) ack 2"],
      rcvNxt: 2,
      sndNxt: 2,
    },
  ];
}

function run(family: Family, events: readonly string[], tcp = {}): void {
  const text = events.join("\n").replaceAll("MSS", String(family.mss));
  expectPass([`--ip_version=${family.ip}`, text], { preset: "freebsd", tcp });
}

const EDGES = ["outside left", "left edge", "right edge", "outside right"] as const;

function sequence(edge: (typeof EDGES)[number], rcvNxt: number, window: number): number {
  const at = {
    "outside left": -1,
    "left edge": 0,
    "right edge": window - 1,
    "outside right": window,
  };
  return rcvNxt + at[edge];
}

const ALIVE = ["+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0"];
const RESET = ["+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0", "+0 close(3) = 0"];

for (const family of FAMILIES) {
  for (const { name, events, rcvNxt, sndNxt } of states()) {
    describe(`${name}, ${family.ip}`, () => {
      const challenge = `+0 > . ${sndNxt}:${sndNxt}(0) ack ${rcvNxt} win 65535`;
      for (const edge of EDGES) {
        const seq = sequence(edge, rcvNxt, family.room);
        const inside = edge === "left edge" || edge === "right edge";
        for (const [title, flags] of [
          ["RST", `R ${seq}:${seq}(0)`],
          ["RST+ACK", `R. ${seq}:${seq}(0) ack ${sndNxt}`],
        ] as const) {
          const rst = `+.02 < ${flags} win 0`;
          test(`RFC 5961 §3.2: ${title} ${edge}`, () => {
            const answer = edge === "right edge" ? [challenge, ...ALIVE] : ALIVE;
            run(family, [...events, rst, ...(edge === "left edge" ? RESET : answer)]);
          });
          test(`RFC 9293 §3.10.7.4: ${title} ${edge}, without RFC 5961`, () => {
            run(family, [...events, rst, ...(inside ? RESET : ALIVE)], { insecureRst: true });
          });
        }
        const syn = `+.02 < S ${seq}:${seq}(0) win 30000 <mss MSS>`;
        test(`RFC 5961 §4.2: SYN ${edge}`, () => {
          run(family, [...events, syn, challenge, ...ALIVE]);
        });
        test(`RFC 9293 §3.10.7.4: SYN ${edge}, without RFC 5961`, () => {
          const rst = `+0 > R. ${sndNxt}:${sndNxt}(0) ack ${rcvNxt} win 0`;
          const after = inside ? [rst, ...RESET] : [challenge, ...ALIVE];
          run(family, [...events, syn, ...after], { insecureSyn: true });
        });
      }
    });
  }

  describe(`TIME-WAIT, ${family.ip}`, () => {
    const wait = [
      ...states()[2]!.events,
      "+.02 < F. 1:1(0) ack 2 win 30000",
      "+0 > . 2:2(0) ack 2 win 65535",
    ];
    const still = ["+.02 < . 1:1(0) ack 2 win 30000", "+0 > . 2:2(0) ack 2 win 65535"];
    for (const edge of EDGES) {
      const seq = sequence(edge, 2, family.room);
      const silent = {
        RST: `R ${seq}:${seq}(0)`,
        "RST+ACK": `R. ${seq}:${seq}(0) ack 2`,
        FIN: `F ${seq}:${seq}(0)`,
      };
      for (const [title, flags] of Object.entries(silent)) {
        test(`RFC 1337: ${title} ${edge} does nothing`, () => {
          run(family, [...wait, `+.02 < ${flags} win 30000`, ...still]);
        });
      }
      for (const insecureSyn of [false, true]) {
        const how = insecureSyn ? "without RFC 5961" : "with RFC 5961";
        test(`SYN+ACK ${edge} is answered, ${how}`, () => {
          const synAck = `+.02 < S. ${seq}:${seq}(0) ack 0 win 30000 <mss MSS>`;
          run(family, [...wait, synAck, still[1]!], { insecureSyn });
        });
      }
      test(`FIN+ACK ${edge} is answered`, () => {
        run(family, [...wait, `+.02 < F. ${seq}:${seq}(0) ack 2 win 30000`, still[1]!]);
      });
      test(`ACK ${edge}`, () => {
        const ack = `+.02 < . ${seq}:${seq}(0) ack 2 win 30000`;
        run(family, [...wait, ack, ...(edge === "left edge" ? still : [still[1]!])]);
      });
      test(`SYN+FIN ${edge} does nothing when it is to be dropped`, () => {
        const synFin = `+.02 < SF ${seq}:${seq}(0) win 30000 <mss MSS>`;
        run(family, [...wait, synFin, ...still], { dropSynFin: "always" });
      });
    }
  });
}
