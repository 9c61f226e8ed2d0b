import { describe, expect, test } from "vitest";
import { runCommand, type SocketLine } from "./shell.ts";

const none = () => [];

describe("commands that are settings", () => {
  test.each([
    ["sysctl -w net.inet.tcp.sack.enable=0", { sack: false }],
    ["sysctl net.inet.tcp.ecn.enable=2", { ecn: 2 }],
    ["sysctl -w kern.ipc.maxsockbuf=2097152", { windowScale: 6 }],
    ["sysctl -w kern.ipc.maxsockbuf=73728", { windowScale: 1 }],
    ["sysctl -w net.inet.tcp.rexmit_initial=3000", { initialRtoUs: 3_000_000 }],
    [
      'sysctl -q net.ipv4.tcp_rmem="4096 540000 $((15*1024*1024))"',
      { receiveBuffer: 540_000, receiveBufferMax: 15_728_640 },
    ],
    ["sysctl -q net.ipv4.tcp_early_retrans=4 net.ipv4.tcp_recovery=1", { tlp: true, rack: true }],
    ["../common/set_sysctls.py /proc/sys/net/ipv4/tcp_ecn=1", { ecn: 1 }],
    ["echo 0 > /proc/sys/net/ipv4/tcp_sack", { sack: false }],
    ["echo 0 > /sys/module/tcp_cubic/parameters/hystart", { hystart: false }],
  ])("%s", (text, settings) => {
    const result = runCommand(text, none);
    expect(result.skip).toBeUndefined();
    expect(result.tcp).toMatchObject(settings);
  });

  test("defaults.sh, then what overrides it; comments and line ends between", () => {
    const text = "../common/defaults.sh # values\nsysctl -q net.ipv4.tcp_sack=0 > /dev/null 2>&1\n";
    expect(runCommand(text, none)).toMatchObject({
      flush: true,
      tcp: {
        fastOpenKey: "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4",
        sack: false,
        ecn: 0,
        slowStartAfterIdle: false,
      },
    });
  });

  test.each([
    "tc qdisc add dev tun0 root pfifo",
    "ip tcp_metrics flush all > /dev/null 2>&1",
    "true",
  ])("%s changes nothing that matters", (text) =>
    expect(runCommand(text, none).skip).toBeUndefined(),
  );
});

describe("what has no counterpart skips, and says which", () => {
  test.each([
    ["sysctl -w net.inet.tcp.nosuchthing=1", "sysctl net.inet.tcp.nosuchthing is not known here"],
    [
      "sysctl -w net.inet.tcp.blackhole=2",
      "sysctl net.inet.tcp.blackhole=2 has no counterpart here",
    ],
    [
      "sysctl net.ipv4.tcp_congestion_control=illinois",
      "sysctl net.ipv4.tcp_congestion_control=illinois has no counterpart here",
    ],
    ["iptables -A INPUT -j DROP", "the program 'iptables' is not known here"],
    [
      "tc qdisc add dev tun0 root netem delay 10ms",
      "'tc qdisc add dev tun0 root netem delay 10ms': a queueing discipline is the kernel's",
    ],
    [
      "cat /proc/net/snmp | grep Tcp",
      "the pipeline 'cat /proc/net/snmp | grep Tcp' is not known here",
    ],
  ])("%s", (text, reason) => expect(runCommand(text, none).skip).toBe(reason));
});

describe("sockstat asks the stack", () => {
  const sockets: SocketLine[] = [
    { isIpv4: true, localPort: 8080, state: "TIME_WAIT" },
    { isIpv4: true, localPort: 8080, state: "LISTEN" },
    { isIpv4: false, localPort: 9, state: "ESTABLISHED" },
  ];
  test.each([
    ["sockstat -4 -P tcp -s | grep packetdril | grep -c TIME_WAIT | grep 1", true],
    ["sockstat -4 -P tcp -s | grep packetdril | grep -c TIME_WAIT | grep 0", false],
    ["sockstat -6 -P tcp -s | grep -c TIME_WAIT | grep 0", true],
    ["sockstat -4 -P tcp -p 8080 -s | grep -c SYN_RCVD | grep 0", true],
    ["sockstat -4 -P tcp -p 9 -s | grep -c ESTABLISHED | grep 1", false],
  ])("%s: %s", (text, holds) => {
    expect(runCommand(text, () => sockets).failed === undefined).toBe(holds);
  });
});
