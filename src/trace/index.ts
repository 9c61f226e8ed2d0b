/**
 * `fullduplex/trace`: record what hosts do, capture packets, read captures,
 * and draw both as ladders.
 */
export type { ConnectionView, PathView, RangesView, Tracer } from "../base/trace.ts";
export { type AnalyzedConnection, analyzeConnections } from "./analysis/connections.ts";
export type {
  ConnectionSeries,
  ConnectionSummary,
  DirectionSummary,
} from "./analysis/connections.ts";
export { summaryLines } from "./analysis/summary-text.ts";
export {
  Capture,
  type CaptureOptions,
  type TappedDevice,
  type TappedInterface,
  type TappedLink,
} from "./capture.ts";
export type * from "./events.ts";
export { exportJsonl, importJsonl, JsonlReader, TraceFormatError } from "./jsonl.ts";
export { buildLadder, type LadderOptions } from "./ladder/build.ts";
export type {
  Ladder,
  LadderArrow,
  LadderColumn,
  LadderItem,
  LadderMark,
  MarkKind,
} from "./ladder/model.ts";
export { receiveStrip, type Strip, sendStrip } from "./ladder/strips.ts";
export { ladderSvg, type LadderSvgOptions } from "./ladder/svg.ts";
export { ladderLines, ladderText, type LadderTextOptions } from "./ladder/text.ts";
export type { Language } from "./ladder/words.ts";
export {
  type CaptureInterface,
  type LoggedPacket,
  type PacketDirection,
  PacketLog,
  packetsOfHost,
  type PacketSink,
} from "./packet-log.ts";
export { CaptureFormatError, readCapture } from "./pcap-reader.ts";
export { exportPcapng, pcapngBytes, PcapngWriter } from "./pcapng-writer.ts";
export { commentRetransmissions } from "./reasons.ts";
export { Recorder } from "./recorder.ts";
export type { TraceConnection, TraceStoreOptions } from "./trace-store.ts";
