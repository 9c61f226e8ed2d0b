import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ScriptError, type TcpPacket } from "./ast.ts";
import { tokenize } from "./lexer.ts";
import { type ParseOptions, parseScript } from "./parser.ts";

function kinds(text: string): string[] {
  return tokenize(text, new Map()).map((token) => `${token.kind}:${token.text}`);
}

function events(text: string, options?: ParseOptions) {
  return parseScript(text, options).events;
}

function packet(text: string): TcpPacket {
  const { action } = events(`+0 ${text}`)[0]!;
  if (action.kind !== "tcp") throw new Error(`a ${action.kind}, not a TCP packet`);
  return action;
}

function failure(text: string): string {
  try {
    parseScript(text);
  } catch (error) {
    if (error instanceof ScriptError) return error.message;
    throw error;
  }
  return "no error";
}

describe("lexer: the longest match wins", () => {
  test.each([
    ["0...0.2", ["int:0", "ellipsis:...", "float:0.2", "end:"]],
    ["1.00...6.00", ["float:1.00", "ellipsis:...", "float:6.00", "end:"]],
    ["+.1", ["char:+", "float:.1", "end:"]],
    [
      "P. 1:2(1)",
      ["word:P", "char:.", "int:1", "char::", "int:2", "char:(", "int:1", "char:)", "end:"],
    ],
    ["1234abcd", ["word:1234abcd", "end:"]],
    ["12345678", ["int:12345678", "end:"]],
    ["0x1f", ["hex:0x1f", "end:"]],
    ["-1", ["int:-1", "end:"]],
    ["192.0.2.1", ["ipv4:192.0.2.1", "end:"]],
    ["fd3d::1", ["ipv6:fd3d::1", "end:"]],
    ["1:1001(1000)", ["int:1", "char::", "int:1001", "char:(", "int:1000", "char:)", "end:"]],
    ["--ip_version=ipv4", ["option:ip_version", "char:=", "word:ipv4", "end:"]],
    ["a /* x\n y */ b // c\n d", ["word:a", "word:b", "word:d", "end:"]],
    ["%{ assert a == {1} }%", ["code: assert a == {1} ", "end:"]],
  ])("%s", (text, expected) => expect(kinds(text)).toEqual(expected));

  test("definitions: a number, a string, a command and a word", () => {
    const definitions = new Map([
      ["N", "7"],
      ["S", '"cubic"'],
      ["C", "`true`"],
      ["W", "O_RDWR"],
    ]);
    const tokens = tokenize("N S C W X", definitions).map((t) => `${t.kind}:${t.text}`);
    expect(tokens).toEqual([
      "int:7",
      "string:cubic",
      "command:true",
      "word:O_RDWR",
      "word:X",
      "end:",
    ]);
  });

  test("positions count lines and columns from 1, also behind #ifdef", () => {
    const text = "#ifdef FreeBSD\n a\n#else\n  b\n#endif\n c";
    const at = (platform: string) =>
      tokenize(text, new Map(), platform).map((t) => `${t.text}@${t.line}:${t.column}`);
    expect(at("freebsd")).toEqual(["a@2:2", "c@6:2", "@6:3"]);
    expect(at("Linux")).toEqual(["b@4:3", "c@6:2", "@6:3"]);
  });
});

describe("options, commands and times", () => {
  test("options with and without value, as written", () => {
    const script = parseScript(
      "--ip_version=ipv4\n--tolerance_usecs=75000 --local_ip=192.168.0.1\n" +
        '--define=CC="reno" --strict --mtu=1520\n0 `true`\n+0 close(3) = 0',
    );
    expect(script.options.map((o) => `${o.name}=${o.value}`)).toEqual([
      "ip_version=ipv4",
      "tolerance_usecs=75000",
      "local_ip=192.168.0.1",
      'define=CC="reno"',
      "strict=",
      "mtu=1520",
    ]);
  });

  test("a definition in the script counts below; the command line's wins", () => {
    const text = "--define=SIZE=10\n0 write(3, ..., SIZE) = SIZE";
    const size = (options?: ParseOptions) => {
      const { action } = events(text, options)[0]!;
      return action.kind === "call" ? action.args[2] : undefined;
    };
    expect(size()).toMatchObject({ kind: "int", value: 10 });
    expect(size({ definitions: new Map([["SIZE", "20"]]) })).toMatchObject({ value: 20 });
  });

  test("the untimed first command is init, the untimed last one cleanup", () => {
    const script = parseScript("`a`\n0 `b`\n+0 close(3) = 0\n`c`");
    expect([script.init?.text, script.cleanup?.text, script.events.length]).toEqual(["a", "c", 2]);
  });

  test.each([
    ["0.5", "absolute", 500_000, 500_000],
    ["+.01", "relative", 10_000, 10_000],
    ["*", "any", 0, 0],
    ["1~2.5", "absolute-range", 1_000_000, 2_500_000],
    ["+0.29~+.3", "relative-range", 290_000, 300_000],
  ])("time %s", (text, kind, startUs, endUs) => {
    expect(events(`${text} > . 1:1(0) ack 1`)[0]!.time).toEqual({ kind, startUs, endUs });
  });
});

describe("packets", () => {
  test("every part of a TCP packet", () => {
    expect(
      packet("< (tos 0x10, ttl 3) 9000 > 8080 SEW. 5:15(10) ack 7 win 100 urg 3 <nop,eol>"),
    ).toMatchObject({
      inbound: true,
      ip: { tos: 0x10, ttl: 3 },
      sourcePort: 9000,
      destinationPort: 8080,
      flags: 0xd2,
      sequence: 5,
      payloadLength: 10,
      ack: 7,
      window: 100,
      urgent: 3,
      options: [{ kind: "nop" }, { kind: "eol" }],
    });
  });

  test.each([
    ["> . 1:1(0) ack 1", 0x10],
    ["> - 1:1(0)", 0],
    ["> R 1:1(0)", 0x04],
    ["> FP. 1:1(0) ack 1", 0x19],
    ["> .5 1:1(0) ack 1", 0x150],
    ["> SA 0:0(0)", 0x102],
  ])("flags %s", (text, flags) => expect(packet(text).flags).toBe(flags));

  test("options in order, SACK blocks, timestamps, cookies, digests and raw bytes", () => {
    const text =
      "> . 1:1(0) ack 1 <mss 1460,sackOK,TS val 10 ecr 5!,nop,wscale 8> ".replace("10", "...") +
      "+0 < . 1:1(0) ack 1 <nop, nop, sack 10:20 30:40> +0 > S 0:0(0) <FO,FOEXP 1234abcd>" +
      "+0 < S 0:0(0) <md5 valid, 0xfd02, kind 99 0102>";
    const lists = events(`+0 ${text}`).map(({ action }) => (action as TcpPacket).options);
    expect(lists).toMatchObject([
      [
        { kind: "mss", value: 1460 },
        { kind: "sackOK" },
        { kind: "timestamp", value: undefined, echo: 5, echoAbsolute: true },
        { kind: "nop" },
        { kind: "wscale", value: 8 },
      ],
      [
        { kind: "nop" },
        { kind: "nop" },
        {
          kind: "sack",
          blocks: [
            { left: 10, right: 20 },
            { left: 30, right: 40 },
          ],
        },
      ],
      [
        { kind: "fastopen", experimental: false, cookie: new Uint8Array(0) },
        { kind: "fastopen", experimental: true, cookie: Uint8Array.of(0x12, 0x34, 0xab, 0xcd) },
      ],
      [
        { kind: "md5", digest: undefined },
        { kind: "raw", bytes: Uint8Array.of(0xfd, 2) },
        { kind: "raw", bytes: Uint8Array.of(99, 4, 1, 2) },
      ],
    ]);
  });

  test("<...> leaves the options open, no list means none", () => {
    expect(packet("> . 1:1(0) ack 1 <...>").options).toBeUndefined();
    expect(packet("> . 1:1(0) ack 1").options).toEqual([]);
  });

  test("FreeBSD: absolute and ignored sequence numbers, UDP encapsulation", () => {
    expect(packet("> R. 0:0(0)! ack 1 win 0")).toMatchObject({ absolute: true, window: 0 });
    expect(packet("> . ...(100) ack 1")).toMatchObject({ sequence: undefined, payloadLength: 100 });
    expect(packet("> . 1:1(0) ack 1 <nop>/udp(9000 > 9001)").udpEncapsulation).toEqual({
      source: 9000,
      destination: 9001,
    });
  });

  test.each([
    ["[ect0]", { ecn: 2 }],
    ["[ce]", { ecn: 3 }],
    ["[noecn]", { ecn: 0 }],
    ["[ect01]", { ecn: "ect01" }],
    ["(ttl 64)", { ttl: 64 }],
    ["(hlim 5)", { ttl: 5 }],
    ["[class 0xb8]", { tos: 0xb8 }],
    ["(ef, ecn ce)", { dscp: 46, ecn: 3 }],
    ["(af41, hlim 9)", { dscp: 34, ttl: 9 }],
    ["[flowlabel 0x12345]", { flowLabel: 0x12345 }],
  ])("IP fields %s", (text, ip) => expect(packet(`>${text} . 1:1(0) ack 1`).ip).toMatchObject(ip));

  test("ICMP with the quoted packet behind or in front, UDP", () => {
    const all = events(
      "0 < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]\n" +
        "+0 <[4294967295:4294967295(0)] icmp time_exceeded exceeded_hop_limit\n" +
        "+0 < icmp echo_request id 7\n+0 > udp (100)\n+0 < icmp unreachable port [udp (5)]",
    ).map(({ action }) => action);
    expect(all).toMatchObject([
      {
        kind: "icmp",
        type: "unreachable",
        code: "frag_needed",
        mtu: 1200,
        echoed: { protocol: "tcp", sequence: 1, payloadLength: 1460 },
      },
      { kind: "icmp", type: "time_exceeded", echoed: { sequence: 4294967295 } },
      { kind: "icmp", type: "echo_request", id: 7, echoed: undefined },
      { kind: "udp", inbound: false, payloadLength: 100 },
      { kind: "icmp", echoed: { protocol: "udp", payloadLength: 5 } },
    ]);
  });

  test("what the stack has no use for is read over, up to the next event", () => {
    const all = events("0 < sctp: INIT[flgs=0, tag=1,\n  a_rwnd=1500]\n+0 close(3) = 0");
    expect(all.map(({ action }) => action.kind)).toEqual(["unsupported", "call"]);
  });
});

describe("calls", () => {
  test("a blocking call with its end, errno and note", () => {
    const { action, time } = events(
      "1.00...6.00 connect(3, ..., ...) = -1 ETIMEDOUT (Operation timed out)",
    )[0]!;
    expect(time.startUs).toBe(1_000_000);
    expect(action).toMatchObject({
      kind: "call",
      name: "connect",
      endUs: 6_000_000,
      result: { kind: "int", value: -1 },
      errno: "ETIMEDOUT",
      note: "Operation timed out",
    });
  });

  test("structures, lists, fields and functions", () => {
    const { action } = events(
      "0 sendmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 10}], msg_flags=MSG_A|MSG_B}, 0) = 10\n",
    )[0]!;
    expect(action).toMatchObject({
      args: [
        { value: 3 },
        {
          kind: "struct",
          items: [
            { kind: "field", name: "msg_name", args: [{ kind: "ellipsis" }] },
            {
              kind: "field",
              name: "msg_iov",
              value: { kind: "list", items: [{ kind: "struct", items: [{}, { value: 10 }] }] },
            },
            { kind: "field", name: "msg_flags", value: { kind: "or" } },
          ],
        },
        { value: 0 },
      ],
    });
  });

  test.each([
    '0 bind(3, {sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("1.2.3.4")}, ...) = 0',
    "0 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 0) = 1",
    "0 ioctl(4, SIOCINQ, [1000]) = 0",
    "0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0",
    '0 setsockopt(3, SOL_TCP, TCP_CONGESTION, "reno", 4) = 0',
    '0 write(3, "abc" "def"..., 1000) = 1000',
    "0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR|O_NONBLOCK)",
    "0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLET, fd=4}) = 0",
    "0 recvmsg(4, {msg_control=[{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=5}]}, 0) = 1",
    "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
    "0 getpid() = 1",
  ])("%s", (text) => expect(events(text)).toHaveLength(1));

  test("numbers beyond 2^53 are kept whole", () => {
    const { action } = events("0 f(18446744073709551615) = 0")[0]!;
    expect(action).toMatchObject({ args: [{ kind: "int", big: 18446744073709551615n }] });
  });
});

describe("malformed scripts name line and column", () => {
  test.each([
    ["0 > . 1:5(3) ack 1", "1:7: 1:5(3): the end must be 4"],
    ["0 > Q 0:0(0)", "1:5: 'Q' are not TCP flags: Q is none of FSRP.UEWA"],
    ["0 > . 1:1(0) ack 1 <mss>", "1:24: expected an MSS, got '>'"],
    ["0 > . 1:1(0) ack 1 <msss 1>", "1:26: unknown TCP option 'msss'"],
    ["0 > . 1:1(0) ack 1 win 70000", "1:24: a number after 'win' is out of range: 70000"],
    ["0 close(3)\n", "2:1: expected '=' and a result after close(...), got the end of the script"],
    ["0 close(3 = 0", "1:11: expected ')' or ',', got '='"],
    ["close(3) = 0", "1:1: expected a time, got 'close'"],
    ["* close(3) = 0", "1:1: the time '*' is for outbound packets only"],
    ["0~1 < . 1:1(0) ack 1", "1:1: a time range is for outbound packets only"],
    ["2~1 > . 1:1(0) ack 1", "1:1: the time range runs backwards"],
    [
      "0 close(3) = 0\n`a`\n+0 close(3) = 0",
      "3:1: only the first and the last command may have no time",
    ],
    ['0 write(3, "abc, 3) = 3', "1:12: this string is not closed"],
    ["0 `sysctl", "1:3: this command is not closed"],
    ["0 %{ assert 1", "1:3: this code is not closed"],
    ["", "1:1: the script has no events"],
    ["#ifdef Linux\n0 close(3) = 0", "1:1: #ifdef without #endif"],
    ["0 >[ect3] . 1:1(0)", "1:5: unknown IP field 'ect3'"],
    ["0 < icmp unreachable [oops]", "1:22: expected a quoted packet, as in [1:1461(1460)]"],
    [
      "0 > S 0:0(0) <sack 1:2 3:4 5:6 7:8,TS val 1 ecr 2>",
      "1:51: the TCP options at 1:15 have 44 bytes, 40 is the most",
    ],
  ])("%s", (text, message) => expect(failure(text)).toBe(message));

  test("nothing but ScriptError ever comes out, whatever the text", () => {
    const piece = fc.constantFrom(
      ..."0 |+0 |* |> |< |S |. |0:0(0) |ack 1 |<mss 1>|`a`|close(3)| = 0 |%{ a }%|[|]|{|}|...|icmp ".split(
        "|",
      ),
      '"s"',
      "--a=b ",
      "#ifdef X\n",
    );
    const text = fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 12 });
    const readable = (parts: string[]) => {
      try {
        parseScript(parts.join(""));
        return true;
      } catch (error) {
        return error instanceof ScriptError;
      }
    };
    fc.assert(fc.property(text, readable), { numRuns: 500 });
  });
});
