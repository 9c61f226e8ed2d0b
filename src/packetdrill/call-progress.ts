/** A call that is being made, and whether it answered what the script says. */
import { EAGAIN, EINPROGRESS, errnoName } from "../base/errors.ts";
import type { Call } from "./ast.ts";
import { formatCall, formatExpression } from "./format-expression.ts";
import { Failure } from "./outcome.ts";
import type { Prepared } from "./script-calls.ts";
import { sameErrno } from "./symbols.ts";
import { isEllipsis, numberValue } from "./values.ts";

export class CallProgress {
  readonly call: Call;
  readonly startedUs: number;
  /** When it has to return; undefined: at once. */
  readonly endUs: number | undefined;
  readonly prepared: Prepared;
  isDone = false;
  doneUs = 0;
  result = 0;

  constructor(call: Call, prepared: Prepared, startedUs: number, endUs: number | undefined) {
    this.call = call;
    this.prepared = prepared;
    this.startedUs = startedUs;
    this.endUs = endUs;
  }

  /** Makes the call. False: it has a time at which it has to return. */
  begin(now: () => number): boolean {
    const { prepared, call } = this;
    if (this.endUs !== undefined && prepared.park !== undefined && prepared.blocking === true) {
      prepared.park((result) => {
        this.isDone = true;
        this.doneUs = now();
        this.result = result;
      });
      return false;
    }
    this.result = prepared.now();
    this.isDone = true;
    this.doneUs = now();
    const wouldBlock = this.result === -EAGAIN || this.result === -EINPROGRESS;
    if (wouldBlock && prepared.blocking === true && call.errno === "") {
      throw new Failure(
        call.position,
        `${formatCall(call)} would block: set O_NONBLOCK, or say how long with 'start...end'`,
        formatExpression(call.result),
      );
    }
    return this.endUs === undefined;
  }
}

/** Throws Failure unless the result, the errno and what the call brought are the script's. */
export function checkResult(progress: CallProgress): void {
  const { call, result, prepared } = progress;
  const name = formatCall(call);
  if (!isEllipsis(call.result)) {
    const want = numberValue(call.result, call.position);
    const got = result < 0 ? -1 : result;
    const expected = call.errno === "" ? formatExpression(call.result) : `${want} ${call.errno}`;
    const actual = result < 0 ? `-1 ${errnoName(-result)}` : String(result);
    if (want !== got)
      throw new Failure(call.position, `${name} answered differently`, expected, actual);
    if (result < 0 && call.errno !== "" && !sameErrno(call.errno, -result)) {
      throw new Failure(call.position, `${name} failed for another reason`, expected, actual);
    }
  }
  if (result < 0) return;
  const difference = prepared.after?.(result);
  if (difference !== undefined) throw new Failure(call.position, `${name}: ${difference}`);
}
