/** The interpreter itself: what must pass passes, what must fail fails for the right reason, at the right line. */
import { describe, expect, test } from "vitest";
import { DIALECTS } from "./dialects.ts";
import { formatReport, reportOf } from "./report.ts";
import { runScript, type ScriptOptions, type VersionResult } from "./run.ts";

const OPTIONS: ScriptOptions = {
  ...DIALECTS.default!,
  definitions: new Map(),
  strict: false,
  strictSegments: false,
  version: "ipv4",
};

function run(text: string, options: Partial<ScriptOptions> = {}): VersionResult {
  return runScript(text, { ...OPTIONS, ...options })[0]!;
}

/** `line: message`, then what was expected and what came. */
function told(text: string, options: Partial<ScriptOptions> = {}): string[] {
  const { status, position, message, expected, actual } = run(text, options);
  const rest = [expected, actual].filter((part) => part !== undefined);
  return [`${status}${position === undefined ? "" : ` ${position.line}`}: ${message}`, ...rest];
}

/** Lines 1 to 7: a connection that a listener got. */
const SERVER = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop>
+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>
+.1 < . 1:1(0) ack 1 win 32792
+0 accept(3, ..., ...) = 4
`;

describe("what happens is what the script says", () => {
  test("a server's connection from SYN to FIN, over all three IP versions", () => {
    const script = `${SERVER}+0 write(4, ..., 3000) = 3000
+0 > P. 1:3001(3000) ack 1
+.1 < . 1:1(0) ack 3001 win 32792
+0 < P. 1:501(500) ack 3001 win 32792
+0~+.04 > . 3001:3001(0) ack 501
+0 ioctl(4, SIOCINQ, [500]) = 0
+0 %{ assert tcpi_state == TCP_ESTABLISHED and tcpi_bytes_received == 500 }%
+.1 < F. 501:501(0) ack 3001 win 32792
* > . 3001:3001(0) ack 502
+0 read(4, ..., 1000) = 500
+0 read(4, ..., 1000) = 0
+0 close(4) = 0
+0 > F. 3001:3001(0) ack 502
+.1 < . 502:502(0) ack 3002 win 32792
`;
    const results = runScript(script, {
      ...OPTIONS,
      version: undefined,
      strict: true,
      ignorePush: true,
    });
    expect(results.map((r) => `${r.version} ${r.status} ${r.message}`)).toEqual([
      "ipv4 ok ",
      "ipv4-mapped-ipv6 ok ",
      "ipv6 ok ",
    ]);
  });

  test("a blocking call goes on while packets come, and ends at its time", () => {
    const script = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0...0.2 connect(3, ..., ...) = 0
+0 > S 0:0(0) <...>
+.2 < S. 0:0(0) ack 1 win 1000 <mss 1000>
+0 > . 1:1(0) ack 1
+0...0.1 read(3, ..., 100) = 10
+.1 < . 1:11(10) ack 1 win 1000
`;
    expect(told(script)).toEqual(["ok: "]);
    expect(told(script.replace("0...0.2", "0...0.3"))[0]).toMatch(/^failed 2: .*at another time$/);
    expect(told(script.replace("= 10", "= 11"))[0]).toMatch(/^failed 6: .*answered differently$/);
  });

  test("the script's SYN is taken as it stands; other numbers count from there", () => {
    const script = SERVER.replace("S 0:0(0)", "S 5000:5000(0)").replace(
      "ack 1 <mss 1460",
      "ack 5001 <mss 1460",
    );
    expect(told(`${script}+0 < P. 1:11(10) ack 1 win 1000\n+0~+.04 > . 1:1(0) ack 11\n`)).toEqual([
      "ok: ",
    ]);
  });

  test("ports in a line name their conversation", () => {
    const script = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 5) = 0
+0 < 1001 > 80 S 0:0(0) win 1000 <mss 1000>
+0 > 80 > 1001 S. 0:0(0) ack 1 <mss 1460>
+0 < 1002 > 80 S 7:7(0) win 1000 <mss 1000>
+0 > 80 > 1002 S. 0:0(0) ack 8 <mss 1460>
+0 < 1001 > 80 . 1:1(0) ack 1 win 1000
+0 accept(3, ..., ...) = 4
+0 < 1001 > 80 . 2:2(0) ack 1 win 1000
`;
    expect(told(script)).toEqual(["ok: "]);
  });

  test("bursts are put together, unless segments are strict", () => {
    const script = `${SERVER}+0 write(4, ..., 2000) = 2000\n+0 > P. 1:2001(2000) ack 1\n`;
    expect(told(script, { ignorePush: true })).toEqual(["ok: "]);
    expect(told(script, { strictSegments: true })[0]).toBe(
      "failed 9: flags, payload length differ",
    );
  });

  test("UDP both ways, and an ICMP error for a closed port", () => {
    const script = `0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3
+0 bind(3, ..., ...) = 0
+0 connect(3, ..., ...) = 0
+0 sendto(3, ..., 100, 0, ..., ...) = 100
+0 > udp (100)
+.1 < udp (50)
+0 recvfrom(3, ..., 1000, 0, ..., ...) = 50
+.1 < icmp unreachable port_unreachable [udp (100)]
+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0
`;
    expect(told(script)).toEqual(["ok: "]);
  });
});

describe("what does not happen fails, at its line", () => {
  const cases: [string, string, string[]][] = [
    [
      "a flag",
      `${SERVER}+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 1\n`,
      ["failed 9: flags differs", ". 1:11(10) ack 1", "P. 1:11(10) ack 1 win 65535"],
    ],
    [
      "a window",
      SERVER.replace("ack 1 <mss 1460", "ack 1 win 1 <mss 1460"),
      [
        "failed 5: window differs",
        "S. 0:0(0) ack 1 win 1 <mss 1460,nop,nop,sackOK>",
        "S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK>",
      ],
    ],
    [
      "options in another order",
      SERVER.replace("<mss 1460,nop,nop,sackOK>", "<mss 1460,sackOK,nop,nop>"),
      [
        "failed 5: TCP options differs",
        "S. 0:0(0) ack 1 <mss 1460,sackOK,nop,nop>",
        "S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK>",
      ],
    ],
    [
      "a packet that does not come",
      `${SERVER}+0 > . 1:1(0) ack 1\n`,
      ["failed 8: no packet came", ". 1:1(0) ack 1", "nothing"],
    ],
    [
      "another packet",
      `${SERVER}+0 close(4) = 0\n+0 > R. 1:1(0) ack 1\n`,
      ["failed 9: flags differs", "R. 1:1(0) ack 1", "F. 1:1(0) ack 1 win 65535"],
    ],
    [
      "another errno",
      `${SERVER}+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 read(4, ..., 10) = -1 ECONNRESET\n`,
      ["failed 9: read(4, ..., 10) failed for another reason", "-1 ECONNRESET", "-1 EAGAIN"],
    ],
    [
      "another result",
      `${SERVER}+0 write(4, ..., 10) = 11\n`,
      ["failed 8: write(4, ..., 10) answered differently", "11", "10"],
    ],
    [
      "a call that fails when it must not",
      `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 accept(3, ..., ...) = 4\n`,
      ["failed 2: accept(3, ..., ...) answered differently", "4", "-1 EINVAL"],
    ],
    [
      "a call that would block",
      `${SERVER}+0 read(4, ..., 10) = 10\n`,
      [
        "failed 8: read(4, ..., 10) would block: set O_NONBLOCK, or say how long with 'start...end'",
        "10",
      ],
    ],
    [
      "an option's value",
      `${SERVER}+0 getsockopt(4, SOL_SOCKET, SO_TYPE, [7], [4]) = 0\n`,
      ["failed 8: getsockopt(4, SOL_SOCKET, SO_TYPE, [7], [4]): expected value [7], got [1]"],
    ],
    [
      "poll's bits",
      `${SERVER}+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1\n`,
      [
        "failed 8: poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0): expected revents POLLIN, got 0x4",
      ],
    ],
    [
      "an assertion, with its line inside the code",
      `${SERVER}+0 %{\nassert True\nassert tcpi_unacked == 3, 'why'\n}%\n`,
      ["failed 10: assert tcpi_unacked == 3 failed (tcpi_unacked is 0): why"],
    ],
    [
      "a command whose answer is no",
      `${SERVER}+0 \`sockstat -4 -P tcp -s | grep -c ESTABLISHED | grep 0\`\n`,
      ["failed 8: 'sockstat -4 -P tcp -s | grep -c ESTABLISHED | grep 0' counted 1, not 0"],
    ],
    [
      "a malformed script",
      "0 socket(..., SOCK_STREAM) = 3\n+0 > . 1:2(0)\n",
      ["failed 2: 1:2(0): the end must be 1"],
    ],
    [
      "an option that is none",
      "--nosuch=1\n0 close(3) = 0\n",
      ["failed 1: unknown option --nosuch"],
    ],
    [
      "an ICMP message of the other IP version",
      `${SERVER}+0 < icmp packet_too_big mtu 1300 [1:1(0)]\n`,
      ["failed 8: ICMPv4 has no packet_too_big"],
    ],
  ];
  test.each(cases)("%s", (_, script, expected) => expect(told(script)).toEqual(expected));
});

describe("time", () => {
  // The retransmission of a SYN-ACK comes 1 s after the first (RFC 6298 §2.1).
  const syn = SERVER.split("\n").slice(0, 5).join("\n");
  const again = "S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>";

  test("the tolerance is 12.5 % of the gap, or what the script says if that is more", () => {
    expect(told(`${syn}\n+1 > ${again}\n`)).toEqual(["ok: "]);
    // 1 s is 12.5 % more than 0.8889 s, and 12.5 % less than 1.1428 s.
    expect(told(`${syn}\n+.88889 > ${again}\n`)).toEqual(["ok: "]);
    expect(told(`${syn}\n+1.1428 > ${again}\n`)).toEqual(["ok: "]);
    expect(told(`--tolerance_usecs=300000\n${syn}\n+.7 > ${again}\n`)).toEqual(["ok: "]);
  });

  test("a hair beyond it fails: too late and too early", () => {
    const message = "failed 6: time differs by more than";
    const late = told(`${syn}\n+.8888 > ${again}\n`);
    expect(late[0]).toContain(message);
    expect(late[2]).toContain("1.000000 S. 0:0(0) ack 1");
    expect(told(`${syn}\n+1.1429 > ${again}\n`)[0]).toContain(message);
    expect(told(`--tolerance_usecs=299999\n${syn}\n+.7 > ${again}\n`)[0]).toContain(
      "differs by more",
    );
  });

  test("a range holds at both ends; '*' takes any time", () => {
    expect(told(`${syn}\n+.9~+1.1 > ${again}\n`)).toEqual(["ok: "]);
    expect(told(`--tolerance_usecs=1\n${syn}\n+0.1~+.2 > ${again}\n`)[0]).toContain(
      "differs by more",
    );
    expect(told(`${syn}\n* > ${again}\n`)).toEqual(["ok: "]);
  });

  test("a run of inbound packets counts from scheduled times", () => {
    const script = `${SERVER}+.1 < . 1:2(1) ack 1 win 1000\n+.1 < . 2:3(1) ack 1 win 1000\n`;
    expect(told(`${script}0.3 %{ assert True }%\n+0 ioctl(4, SIOCINQ, [2]) = 0\n`)).toEqual([
      "ok: ",
    ]);
  });
});

describe("strictness and skips", () => {
  test("a stray packet at the end fails when strict", () => {
    const script = `${SERVER}+0 write(4, ..., 10) = 10\n`;
    expect(told(script)).toEqual(["ok: "]);
    expect(told(script, { strict: true })).toEqual([
      "failed 8: a packet came that nobody expected",
      "nothing",
      "0.100000 P. 1:11(10) ack 1 win 65535",
    ]);
  });

  test.each([
    ["0 `iptables -F`\n+0 close(3) = 0\n", "skip: the program 'iptables' is not known here"],
    [
      "0 `sysctl -w net.inet.tcp.nosuch=1`\n+0 close(3) = 0\n",
      "skip: sysctl net.inet.tcp.nosuch is not known here",
    ],
    ["0 splice(3, NULL, 4, NULL, 10, 0) = 10\n", "skip: the call splice is not known here"],
    ["0 socket(..., SOCK_NOSUCH, 0) = 3\n", "skip: the constant SOCK_NOSUCH is not known here"],
    ["0 > S 0:0(0) <md5 valid>\n", "skip: TCP MD5 signatures (RFC 2385, obsoleted)"],
    ["0 < sctp: INIT[flgs=0]\n+0 close(3) = 0\n", "skip: SCTP packets"],
  ])("%s", (script, message) => expect(told(script)).toEqual([message]));

  test("what a cleanup cannot do does not matter", () => {
    expect(told(`${SERVER}\`iptables -F\`\n`)).toEqual(["ok: "]);
  });

  test("versions: the script's own, the file's name, else all three", () => {
    const versions = (text: string, path?: string) =>
      runScript(text, { ...OPTIONS, version: undefined, ...(path && { path }) }).map(
        (r) => r.version,
      );
    const close = "0 close(3) = -1 EBADF\n";
    expect(versions(close)).toEqual(["ipv4", "ipv4-mapped-ipv6", "ipv6"]);
    expect(versions(`--ip_version=ipv6\n${close}`)).toEqual(["ipv6"]);
    expect(versions(close, "a-ipv4.pkt")).toEqual(["ipv4", "ipv4-mapped-ipv6"]);
    expect(versions(close, "a_v6.pkt")).toEqual(["ipv6"]);
  });
});

describe("reports", () => {
  test("one line when ok or skipped; where, why, expected and got when not", () => {
    const lines = (text: string) => formatReport(reportOf("a.pkt", [run(text)]));
    expect(lines(SERVER)).toEqual(["ok a.pkt"]);
    expect(lines("0 `nosuch`\n+0 close(3) = 0\n")).toEqual([
      "skip a.pkt: the program 'nosuch' is not known here",
    ]);
    expect(lines(SERVER.replace("ack 1 <mss", "ack 1 win 1 <mss"))).toEqual([
      "not ok a.pkt:5:4 (ipv4): window differs",
      "    expected: S. 0:0(0) ack 1 win 1 <mss 1460,nop,nop,sackOK>",
      "    got:      S. 0:0(0) ack 1 win 65535 <mss 1460,nop,nop,sackOK>",
    ]);
  });

  test("a ladder of what happened, when asked for", () => {
    const { ladder } = run(SERVER.replace("= 4", "= 4\n+0 write(4, ..., 5) = 6"), { trace: true });
    expect(ladder?.slice(-4).map((line) => line.trim())).toEqual([
      "0.100000  ------>  . 1:1(0) ack 1 win 32792",
      "0.100000           accept(3, ..., ...)",
      "0.100000           write(4, ..., 5)",
      "0.100000  <------  R. 1:1(0) ack 1 win 0",
    ]);
  });
});
