/**
 * Five segments in all 120 orders, and with duplicates: what each arrival is answered with, by a
 * model of RFC 9293, RFC 5681 §4.2, RFC 2018 §4 and RFC 2883 §4. Sequence numbers cross 2^32.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectPass } from "./support/run.ts";

interface Block {
  readonly left: number;
  readonly right: number;
}

/** A receiver as the RFCs describe it: what it acknowledges, and when. */
class Receiver {
  private next = 1;
  private owed = false;
  /** Data beyond a hole, the block that changed last in front. */
  private blocks: Block[] = [];

  /** The line that the arrival of [left, right) has to bring; undefined: nothing for now. */
  arrive(left: number, right: number): string | undefined {
    if (right <= this.next) return this.answer({ left, right });
    const duplicate = this.covered(left, right);
    if (left <= this.next) {
      const hadHoles = this.blocks.length > 0;
      this.next = right;
      this.blocks = this.blocks.filter((block) => {
        if (block.left > this.next) return true;
        this.next = Math.max(this.next, block.right);
        return false;
      });
      // In order and nothing missing before: every second one is acknowledged.
      if (!hadHoles && !this.owed) {
        this.owed = true;
        return undefined;
      }
      return this.answer();
    }
    if (duplicate) return this.answer({ left, right });
    let merged = { left, right };
    const rest = this.blocks.filter((block) => {
      if (block.right < merged.left || block.left > merged.right) return true;
      merged = {
        left: Math.min(block.left, merged.left),
        right: Math.max(block.right, merged.right),
      };
      return false;
    });
    this.blocks = [merged, ...rest];
    return this.answer();
  }

  /** What the delayed-ACK timer sends, if it runs. */
  finish(): string | undefined {
    return this.owed ? this.answer() : undefined;
  }

  private covered(left: number, right: number): boolean {
    return this.blocks.some((block) => block.left <= left && right <= block.right);
  }

  private answer(duplicate?: Block): string {
    this.owed = false;
    const inside =
      duplicate && this.blocks.find((b) => b.left <= duplicate.left && duplicate.right <= b.right);
    // A duplicate inside a block is followed by that block, which is then the last one reported.
    if (inside) this.blocks = [inside, ...this.blocks.filter((b) => b !== inside)];
    const list = [...(duplicate ? [duplicate] : []), ...this.blocks].slice(0, 4);
    const sack = list.map(({ left, right }) => `${left}:${right}`).join(" ");
    return `> . 1:1(0) ack ${this.next}${sack === "" ? "" : ` <nop,nop,sack ${sack}>`}`;
  }
}

const SIZE = 1000;
/** Close enough to 2^32 that the third segment crosses it. */
const ISN = 2 ** 32 - 2500;

function script(order: readonly number[]): string[] {
  const receiver = new Receiver();
  const lines = [
    " 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3",
    "+0 bind(3, ..., ...) = 0",
    "+0 listen(3, 1) = 0",
    `+0 < S ${ISN}:${ISN}(0) win 65535 <mss ${SIZE},sackOK,eol,eol>`,
    `+0 > S. 0:0(0) ack ${ISN + 1} <...>`,
    "+.1 < . 1:1(0) ack 1 win 65535",
    "+0 accept(3, ..., ...) = 4",
  ];
  for (const index of order) {
    const left = 1 + index * SIZE;
    lines.push(`+.001 < . ${left}:${left + SIZE}(${SIZE}) ack 1 win 65535`);
    const answer = receiver.arrive(left, left + SIZE);
    if (answer !== undefined) lines.push(`+0 ${answer}`);
  }
  const last = receiver.finish();
  if (last !== undefined) lines.push(`+0~+.04 ${last}`);
  if (new Set(order).size === 5) lines.push(`+0 read(4, ..., 9999) = ${5 * SIZE}`);
  return lines;
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

describe("RFC 2018 §4: five segments", () => {
  for (const first of [0, 1, 2, 3, 4]) {
    test(`in all orders that begin with number ${first + 1}`, () => {
      const rest = [0, 1, 2, 3, 4].filter((n) => n !== first);
      const orders = permutations(rest).map((order) => [first, ...order]);
      expect(orders).toHaveLength(24);
      for (const order of orders) {
        expectPass(script(order), { preset: "freebsd", path: `order ${order.join(" ")}` });
      }
    });
  }
});

test("RFC 2883 §4: with duplicates, each is reported in the first block", () => {
  const orders = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 2, maxLength: 9 });
  fc.assert(
    fc.property(orders, (order) => {
      expectPass(script(order), { preset: "freebsd", path: `order ${order.join(" ")}` });
    }),
    { numRuns: 100 },
  );
});
