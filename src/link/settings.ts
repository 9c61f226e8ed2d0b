import { NEIGHBOR_DEFAULTS, type NeighborSettings } from "./neighbor.ts";

/** Settings of everything at and below the link. */
export interface LinkSettings extends NeighborSettings {
  /** Packets to our own addresses that wait for the next poll. */
  readonly loopbackRing: number;
  /** Largest IP packet on the loopback interface. */
  readonly loopbackMtu: number;
  /** ARP replies, echo replies, ICMP errors and the like that wait for the next poll. */
  readonly replyRing: number;
}

export const LINK_DEFAULTS: LinkSettings = {
  ...NEIGHBOR_DEFAULTS,
  loopbackRing: 1024,
  loopbackMtu: 65_536,
  replyRing: 256,
};
