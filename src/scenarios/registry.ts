import { adaptiveTimeout } from "./adaptive-timeout.ts";
import { backlog } from "./backlog.ts";
import { clientServer } from "./client-server.ts";
import { closeWithDataPending } from "./close-with-data-pending.ts";
import { congestionControl } from "./congestion-control.ts";
import { dataAndAcknowledgement } from "./data-and-acknowledgement.ts";
import { fastRetransmit } from "./fast-retransmit.ts";
import { fourWayClose } from "./four-way-close.ts";
import { halfClose } from "./half-close.ts";
import { inOrderDelivery } from "./in-order-delivery.ts";
import { lossAndTimeout } from "./loss-and-timeout.ts";
import { mtuAndMss } from "./mtu-and-mss.ts";
import { nagleAndTimer } from "./nagle-and-timer.ts";
import { noBoundaries } from "./no-boundaries.ts";
import { peerToPeer } from "./peer-to-peer.ts";
import { piggyback } from "./piggyback.ts";
import { receiverLimitsSender } from "./receiver-limits-sender.ts";
import { resolver } from "./resolver.ts";
import type { Scenario } from "./scenario.ts";
import { sequenceWrap } from "./sequence-wrap.ts";
import { simultaneousClose } from "./simultaneous-close.ts";
import { stopAndWaitOrWindow } from "./stop-and-wait-or-window.ts";
import { threeWayHandshake } from "./three-way-handshake.ts";
import { timeWait } from "./time-wait.ts";
import { udpNextToTcp } from "./udp-next-to-tcp.ts";
import { walkOfOneWrite } from "./walk-of-one-write.ts";
import { whatIsASocket } from "./what-is-a-socket.ts";
import { whoHas } from "./who-has.ts";
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
  congestionControl,
  udpNextToTcp,
  whoHas,
  resolver,
  clientServer,
  peerToPeer,
  simultaneousClose,
  adaptiveTimeout,
  mtuAndMss,
  stopAndWaitOrWindow,
  inOrderDelivery,
  walkOfOneWrite,
  whatIsASocket,
  sequenceWrap,
];

export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
