import { dataAndAcknowledgement } from "./data-and-acknowledgement.ts";
import { fastRetransmit } from "./fast-retransmit.ts";
import { fourWayClose } from "./four-way-close.ts";
import { lossAndTimeout } from "./loss-and-timeout.ts";
import { noBoundaries } from "./no-boundaries.ts";
import { receiverLimitsSender } from "./receiver-limits-sender.ts";
import type { Scenario } from "./scenario.ts";
import { threeWayHandshake } from "./three-way-handshake.ts";
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
];

export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
