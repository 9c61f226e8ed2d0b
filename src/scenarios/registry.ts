import { backlog } from "./backlog.ts";
import { closeWithDataPending } from "./close-with-data-pending.ts";
import { dataAndAcknowledgement } from "./data-and-acknowledgement.ts";
import { fastRetransmit } from "./fast-retransmit.ts";
import { fourWayClose } from "./four-way-close.ts";
import { halfClose } from "./half-close.ts";
import { lossAndTimeout } from "./loss-and-timeout.ts";
import { nagleAndTimer } from "./nagle-and-timer.ts";
import { noBoundaries } from "./no-boundaries.ts";
import { piggyback } from "./piggyback.ts";
import { receiverLimitsSender } from "./receiver-limits-sender.ts";
import type { Scenario } from "./scenario.ts";
import { threeWayHandshake } from "./three-way-handshake.ts";
import { timeWait } from "./time-wait.ts";
import { zeroWindow } from "./zero-window.ts";

/** All scenarios, in the order of the course. */
export const SCENARIOS: readonly Scenario[] = [
  threeWayHandshake,
  noBoundaries,
  receiverLimitsSender,
  zeroWindow,
  dataAndAcknowledgement,
  lossAndTimeout,
  fastRetransmit,
  fourWayClose,
  halfClose,
  closeWithDataPending,
  timeWait,
  backlog,
  piggyback,
  nagleAndTimer,
];

export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
