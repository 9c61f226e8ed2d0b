import { describe, expect, test } from "vitest";
import { CodeError, CodeRunner, type CodeValue } from "./code.ts";

const INFO: Record<string, CodeValue> = {
  tcpi_snd_cwnd: 10,
  tcpi_options: 7,
  tcpi_unacked: 4,
  tcpi_rtt: 100_000,
  TCPI_OPT_SACK: 2,
  TCPI_OPT_ECN: 8,
};

function run(text: string): { error: string | undefined; printed: string[] } {
  const printed: string[] = [];
  try {
    new CodeRunner((line) => printed.push(line)).run(text, (name) => INFO[name]);
  } catch (error) {
    if (!(error instanceof CodeError)) throw error;
    return { error: `${error.line}: ${error.message}`, printed };
  }
  return { error: undefined, printed };
}

describe("assertions that hold", () => {
  test.each([
    "assert tcpi_snd_cwnd == 10",
    "assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd",
    "assert tcpi_snd_cwnd == 10, 'cwnd=%d' % tcpi_snd_cwnd",
    "assert 9 <= tcpi_snd_cwnd < 11",
    "assert (tcpi_options & TCPI_OPT_SACK) != 0",
    "assert (tcpi_options & TCPI_OPT_ECN) == 0, tcpi_options",
    "assert tcpi_unacked + 2 * 3 == tcpi_snd_cwnd",
    "assert tcpi_rtt / 1000 == 100 and not tcpi_rtt // 3000 != 33",
    "assert abs(tcpi_rtt - 100500) < 1000",
    "assert tcpi_snd_cwnd in (9, 10), 'no'",
    "assert -7 % 3 == 2 and 1 << 40 == 1099511627776 and ~5 == -6",
    "x = 3\nx += tcpi_unacked; x -= 1\nassert x == 6",
    "\n  assert True\n\n  assert 0x10 == 16  # a comment\n",
    "assert (1 ==\n 1)",
    "assert '%03d|%-4s|%x|%.2f%%' % (7, 'ab', 255, 1.5) == '007|ab  |ff|1.50%'",
  ])("%s", (text) => expect(run(text).error).toBeUndefined());
});

describe("what fails, and what it says", () => {
  test.each([
    [
      "assert tcpi_snd_cwnd == 12, tcpi_snd_cwnd",
      "1: assert tcpi_snd_cwnd == 12 failed (tcpi_snd_cwnd is 10): 10",
    ],
    ["x = 1\nassert x > 1", "2: assert x > 1 failed (x is 1)"],
    [
      "assert 12 <= tcpi_snd_cwnd < 15",
      "1: assert 12 <= tcpi_snd_cwnd < 15 failed (tcpi_snd_cwnd is 10)",
    ],
    ["assert tcpi_nothing == 1", "1: the name tcpi_nothing is not known"],
    ["\nfor i in x: pass", "2: 'for' is outside the subset of Python known here"],
    ["assert (1", "1: did not expect the end here"],
    ["assert open('x')", "1: there is no function open here"],
    ["assert 1 / 0", "1: division by zero"],
    ["assert $", "1: cannot read '$'"],
  ])("%s", (text, error) => expect(run(text).error).toBe(error));

  test("variables live on from block to block, print goes out", () => {
    const printed: string[] = [];
    const code = new CodeRunner((line) => printed.push(line));
    code.run("a = 2", () => undefined);
    code.run("a *= 5\nprint a, 'x'\nprint('a is %d' % a)", () => undefined);
    expect(printed).toEqual(["10 x", "a is 10"]);
  });
});
