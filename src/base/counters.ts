/**
 * The counters of one host, in the standard MIB names (RFC 4293, 4113, 4022)
 * and, beyond those, in Linux's. All are monotonic; a snapshot is a copy.
 */
export class Counters {
  // IP
  ipInReceives = 0;
  ipInHdrErrors = 0;
  ipInAddrErrors = 0;
  ipInUnknownProtos = 0;
  ipInDiscards = 0;
  ipInDelivers = 0;
  ipInTruncatedPkts = 0;
  ipInCsumErrors = 0;
  /** Source addresses that no packet may have here (RFC 1122 §3.2.1.3). */
  ipInMartians = 0;
  ipInSourceRoutes = 0;
  ipInNotForwarded = 0;
  ipInMcastPkts = 0;
  ipInBcastPkts = 0;
  ipOutRequests = 0;
  ipOutDiscards = 0;
  ipOutNoRoutes = 0;
  ipForwDatagrams = 0;
  ipReasmReqds = 0;
  ipReasmOKs = 0;
  ipReasmFails = 0;
  ipReasmTimeout = 0;
  ipReasmOverlaps = 0;
  /** Reassemblies given up for newer ones because the memory for fragments was full. */
  ipReasmEvicted = 0;
  ipFragOKs = 0;
  ipFragFails = 0;
  ipFragCreates = 0;
  // Link
  linkInFrames = 0;
  linkOutFrames = 0;
  linkInErrors = 0;
  linkInUnknownProtos = 0;
  /** Unicast frames for another station, as a hub or a flooding switch delivers them. */
  linkInOthers = 0;
  /** Tagged for a VLAN other than 0. */
  linkInVlanDrops = 0;
  linkInDown = 0;
  /** Super-segments cut and checksums completed in the device's stead. */
  linkOutSegmented = 0;
  linkOutChecksummed = 0;
  linkOutDiscards = 0;
  arpInRequests = 0;
  arpInReplies = 0;
  arpOutRequests = 0;
  arpOutReplies = 0;
  arpInErrors = 0;
  /** Another station uses an address of ours (RFC 5227 §2.4, RFC 4862 §5.4). */
  addressConflicts = 0;
  neighborQueueDrops = 0;
  neighborTableFull = 0;
  neighborUnreachable = 0;
  // ICMP
  icmpInMsgs = 0;
  icmpInErrors = 0;
  icmpInDestUnreachs = 0;
  icmpInTimeExcds = 0;
  icmpInParmProbs = 0;
  icmpInEchos = 0;
  icmpInEchoReps = 0;
  icmpOutMsgs = 0;
  icmpOutErrors = 0;
  icmpOutDestUnreachs = 0;
  icmpOutTimeExcds = 0;
  icmpOutEchos = 0;
  icmpOutEchoReps = 0;
  icmpOutRateLimited = 0;
  icmpInCsumErrors = 0;
  icmpInPktTooBigs = 0;
  icmpOutPktTooBigs = 0;
  icmpOutParmProbs = 0;
  /** Quoted packets that this host never sent, or that name no transport here. */
  icmpInNotOurs = 0;
  ndpInErrors = 0;
  ndpInSolicits = 0;
  ndpInAdvertisements = 0;
  ndpInRouterAdvertisements = 0;
  ndpOutSolicits = 0;
  ndpOutAdvertisements = 0;
  ndpOutRouterSolicits = 0;
  igmpInQueries = 0;
  igmpInErrors = 0;
  igmpOutReports = 0;
  mldInQueries = 0;
  mldOutReports = 0;
  // UDP
  udpInDatagrams = 0;
  udpNoPorts = 0;
  udpInErrors = 0;
  udpInCsumErrors = 0;
  udpRcvbufErrors = 0;
  udpSndbufErrors = 0;
  udpOutDatagrams = 0;
  // TCP
  tcpActiveOpens = 0;
  tcpPassiveOpens = 0;
  tcpAttemptFails = 0;
  tcpEstabResets = 0;
  tcpInSegs = 0;
  tcpOutSegs = 0;
  tcpRetransSegs = 0;
  tcpInErrs = 0;
  tcpInCsumErrors = 0;
  tcpOutRsts = 0;
  tcpInNoPorts = 0;
  tcpListenOverflows = 0;
  tcpListenDrops = 0;
  tcpSyncookiesSent = 0;
  tcpSyncookiesRecv = 0;
  tcpSyncookiesFailed = 0;
  tcpSynRetrans = 0;
  tcpSynChallenge = 0;
  tcpChallengeAck = 0;
  tcpTimeouts = 0;
  tcpFastRetrans = 0;
  tcpSlowStartRetrans = 0;
  tcpLossProbes = 0;
  tcpLossProbeRecovery = 0;
  tcpLostRetransmit = 0;
  tcpSpuriousRtos = 0;
  tcpFullUndo = 0;
  tcpDsackUndo = 0;
  tcpSackReneging = 0;
  tcpDsackRecv = 0;
  tcpDsackOldSent = 0;
  tcpDsackOfoSent = 0;
  tcpDelayedAcks = 0;
  tcpOfoQueue = 0;
  tcpOfoDrop = 0;
  tcpRcvDuplicates = 0;
  tcpRcvPruned = 0;
  tcpRcvMemoryDrops = 0;
  tcpBeyondWindow = 0;
  tcpPawsActive = 0;
  tcpPawsEstab = 0;
  tcpOldAcks = 0;
  tcpKeepAlive = 0;
  tcpZeroWindowProbes = 0;
  tcpZeroWindowDrops = 0;
  tcpAbortOnData = 0;
  tcpAbortOnClose = 0;
  tcpAbortOnMemory = 0;
  tcpAbortOnTimeout = 0;
  tcpAbortOnLinger = 0;
  tcpTimeWaits = 0;
  tcpTimeWaitOverflow = 0;
  tcpTimeWaitRecycled = 0;
  tcpOutEcnCe = 0;
  tcpInEcnCe = 0;
  tcpFastOpenActive = 0;
  tcpFastOpenActiveFail = 0;
  tcpFastOpenPassive = 0;
  tcpFastOpenPassiveFail = 0;
  tcpFastOpenListenOverflow = 0;
  tcpFastOpenCookieReqd = 0;
  tcpFastOpenBlackhole = 0;
  tcpMtuProbeSuccess = 0;
  tcpMtuProbeFail = 0;
  tcpMtuBlackhole = 0;
  /** Replies that belong to no connection and found their ring full. */
  replyRingDrops = 0;
  /** Frames or pages that memory could not give. */
  memoryFailures = 0;

  /** A copy as a plain object, in declaration order. */
  snapshot(): Record<string, number> {
    return { ...this } as unknown as Record<string, number>;
  }
}

/** Name of one counter. */
export type CounterName = Exclude<keyof Counters, "snapshot">;
