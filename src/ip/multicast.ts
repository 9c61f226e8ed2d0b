/**
 * Groups that this host belongs to, per interface, and the reports that tell
 * routers and snooping switches of it: IGMPv3 (RFC 3376) and MLDv2 (RFC 3810)
 * without sources, or version 2 and 1 while an older querier speaks.
 */
import { type IpAddress, IPV6_ALL_NODES } from "../base/address.ts";
import { multicastMac } from "../base/mac.ts";
import { randomUnit } from "../base/random.ts";
import { NEVER, type TimerTarget } from "../base/timers.ts";
import { RECORD_IS_EXCLUDE, RECORD_TO_EXCLUDE, RECORD_TO_INCLUDE } from "../wire/igmp.ts";
import type { IpContext } from "./context.ts";
import { sendIgmpReport } from "./igmp.ts";
import type { GroupMembership, IpInterface, MembershipReports } from "./ip-interface.ts";
import { sendMldReport } from "./mld.ts";

/** RFC 3376 §8.1: each report is sent twice. */
const ROBUSTNESS = 2;
/** RFC 3376 §8.11, RFC 3810 §9.11. */
const UNSOLICITED_INTERVAL_US = 1_000_000;
/** RFC 3376 §8.12: 2 * 125 s + 10 s. */
const OLDER_QUERIER_US = 260_000_000;

/** 224.0.0.1 as int32. */
const ALL_SYSTEMS = 0xe0000001 | 0;

/** Joins a group on an interface; each `joinGroup` wants its `leaveGroup`. */
export function joinGroup(ip: IpContext, iface: IpInterface, group: IpAddress): void {
  let membership = findMembership(iface, group);
  if (membership !== undefined && !membership.isLeaving) {
    membership.users++;
    return;
  }
  if (membership === undefined) {
    membership = {
      group,
      users: 0,
      reportsLeft: 0,
      reportAtUs: NEVER,
      isAnswer: false,
      isLeaving: false,
    };
    iface.groups.push(membership);
    iface.link.addGroupMac(multicastMac(group));
  }
  membership.users = 1;
  membership.isLeaving = false;
  ip.changed();
  announce(ip, iface, membership);
}

/** Leaves a group; the last one to leave makes the interface leave it. False: it did not belong. */
export function leaveGroup(ip: IpContext, iface: IpInterface, group: IpAddress): boolean {
  const membership = findMembership(iface, group);
  if (membership === undefined || membership.isLeaving) return false;
  if (--membership.users > 0) return true;
  membership.isLeaving = true;
  ip.changed();
  announce(ip, iface, membership);
  if (membership.reportsLeft === 0) forget(iface, membership);
  return true;
}

function findMembership(iface: IpInterface, group: IpAddress): GroupMembership | undefined {
  return iface.groups.find((m) => {
    const a = m.group;
    return a.w3 === group.w3 && a.w2 === group.w2 && a.w1 === group.w1 && a.w0 === group.w0;
  });
}

function forget(iface: IpInterface, membership: GroupMembership): void {
  const index = iface.groups.indexOf(membership);
  if (index < 0) return;
  iface.groups.splice(index, 1);
  iface.link.removeGroupMac(multicastMac(membership.group));
}

/** Groups that everybody belongs to, or that do not leave the host, are not reported (RFC 3376 §5, RFC 3810 §6). */
function isReported(group: IpAddress): boolean {
  if (group.isIpv4) return group.w3 !== ALL_SYSTEMS;
  return !group.equals(IPV6_ALL_NODES) && ((group.w0 >>> 16) & 15) > 1;
}

function announce(ip: IpContext, iface: IpInterface, membership: GroupMembership): void {
  const mayReport =
    ip.settings.multicastReports && iface.link.isEthernet && isReported(membership.group);
  membership.isAnswer = false;
  membership.reportsLeft = mayReport ? ROBUSTNESS : 0;
  if (!mayReport) return;
  const nowUs = ip.clock.now();
  membership.reportAtUs = nowUs;
  iface.reports ??= new Reports(ip, iface);
  iface.reports.changed(nowUs);
}

/** A membership query, for `group` or (undefined) for all of a family. */
export function answerQuery(
  ip: IpContext,
  iface: IpInterface,
  isIpv4: boolean,
  group: IpAddress | undefined,
  maxResponseUs: number,
  isOldVersion: boolean,
): void {
  if (!ip.settings.multicastReports || !iface.link.isEthernet) return;
  const nowUs = ip.nowUs;
  const reports = ((iface.reports as Reports | undefined) ??= new Reports(ip, iface));
  iface.reports = reports;
  if (isOldVersion) reports.sawOldQuerier(isIpv4, nowUs + OLDER_QUERIER_US);
  for (const membership of iface.groups) {
    if (membership.group.isIpv4 !== isIpv4 || membership.isLeaving) continue;
    if (!isReported(membership.group)) continue;
    if (group !== undefined && !membership.group.equals(group)) continue;
    const atUs = nowUs + randomUnit(ip.random) * maxResponseUs;
    if (membership.reportsLeft > 0 && membership.reportAtUs <= atUs) continue;
    membership.reportsLeft = Math.max(1, membership.reportsLeft);
    membership.isAnswer = true;
    membership.reportAtUs = atUs;
  }
  reports.changed(nowUs);
}

/** Another member answered an old querier: ours is not needed (RFC 2236 §3). */
export function suppressAnswer(ip: IpContext, iface: IpInterface, group: IpAddress): void {
  const reports = iface.reports as Reports | undefined;
  if (reports === undefined || !reports.isOld(group.isIpv4, ip.nowUs)) return;
  const membership = findMembership(iface, group);
  if (membership?.isAnswer !== true) return;
  membership.isAnswer = false;
  membership.reportsLeft = 0;
}

/** The reports of one interface still to be sent. */
class Reports implements MembershipReports, TimerTarget {
  private readonly ip: IpContext;
  private readonly iface: IpInterface;
  private readonly timer: number;
  private oldIpv4UntilUs = 0;
  private oldIpv6UntilUs = 0;

  constructor(ip: IpContext, iface: IpInterface) {
    this.ip = ip;
    this.iface = iface;
    this.timer = ip.timers.register(this);
  }

  sawOldQuerier(isIpv4: boolean, untilUs: number): void {
    if (isIpv4) this.oldIpv4UntilUs = untilUs;
    else this.oldIpv6UntilUs = untilUs;
  }

  isOld(isIpv4: boolean, nowUs: number): boolean {
    return (isIpv4 ? this.oldIpv4UntilUs : this.oldIpv6UntilUs) > nowUs;
  }

  /** Membership changed: arms the timer for the earliest report. */
  changed(_nowUs: number): void {
    let next = NEVER;
    for (const m of this.iface.groups) if (m.reportsLeft > 0) next = Math.min(next, m.reportAtUs);
    this.ip.timers.arm(this.timer, next);
    if (next !== NEVER) this.ip.onWork();
  }

  onTimer(nowUs: number): void {
    for (const membership of this.iface.groups.slice()) {
      if (membership.reportsLeft === 0 || membership.reportAtUs > nowUs) continue;
      this.report(membership, nowUs);
      membership.reportsLeft--;
      membership.isAnswer = false;
      membership.reportAtUs = nowUs + randomUnit(this.ip.random) * UNSOLICITED_INTERVAL_US;
      if (membership.isLeaving && membership.reportsLeft === 0) forget(this.iface, membership);
    }
    this.changed(nowUs);
  }

  private report(membership: GroupMembership, nowUs: number): void {
    const { group, isLeaving, isAnswer } = membership;
    const record = isLeaving ? RECORD_TO_INCLUDE : isAnswer ? RECORD_IS_EXCLUDE : RECORD_TO_EXCLUDE;
    const isOld = this.isOld(group.isIpv4, nowUs);
    if (isOld && isLeaving) membership.reportsLeft = 1; // one leave message is all there is
    if (group.isIpv4) sendIgmpReport(this.ip, this.iface, group, record, isOld);
    else sendMldReport(this.ip, this.iface, group, record, isOld);
  }

  close(): void {
    this.ip.timers.unregister(this.timer);
  }
}
