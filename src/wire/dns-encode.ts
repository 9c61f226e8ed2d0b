/** Encoding of DNS messages, with name compression and a size limit. */
import { DNS_AAAA, DNS_HEADER, DNS_OPT, DNS_SRV } from "./dns-constants.ts";
import { encodeName, type NameOffsets } from "./dns-name.ts";
import type { DnsData, DnsMessage, DnsRecord } from "./dns-types.ts";

/** Thrown when a message holds something that has no wire form. */
export class DnsEncodeError extends TypeError {
  readonly code = "EBADNAME";
  constructor(message: string) {
    super(message);
    this.name = "DnsEncodeError";
  }
}

/**
 * Bytes of a message. With a limit, records that do not fit are left out from the end, OPT last,
 * and the truncation bit is set (RFC 2181 §9, RFC 6891 §7). Throws DnsEncodeError for a name,
 * string or data that cannot be encoded.
 */
export function encodeDns(message: DnsMessage, limit = 0xffff): Uint8Array {
  const encoder = new Encoder();
  for (const question of message.questions) {
    encoder.name(question.name, true);
    encoder.u16(question.type);
    encoder.u16(question.class);
  }
  const opt = message.additionals.filter((record) => record.type === DNS_OPT);
  const rest = message.additionals.filter((record) => record.type !== DNS_OPT);
  const reserve = opt.reduce((sum, record) => sum + optLength(record), 0);
  const sections = [message.answers, message.authorities, rest];
  const counts = [message.questions.length, 0, 0, 0];
  let truncated = message.truncated;
  fill: for (let section = 0; section < 3; section++) {
    for (const record of sections[section]) {
      const mark = encoder.bytes.length;
      encoder.record(record);
      if (encoder.bytes.length + reserve > limit) {
        encoder.bytes.length = mark;
        // Missing additional data is no truncation (RFC 2181 §9).
        if (section < 2) truncated = true;
        break fill;
      }
      counts[section + 1]++;
    }
  }
  for (const record of opt) {
    encoder.record(record);
    counts[3]++;
  }
  return encoder.finish(message, truncated, counts);
}

function optLength(record: DnsRecord): number {
  if (record.data.kind === "raw") return 11 + record.data.bytes.length;
  if (record.data.kind !== "opt") return 11;
  return record.data.options.reduce((sum, option) => sum + 4 + option.data.length, 11);
}

class Encoder {
  readonly bytes: number[] = new Array<number>(DNS_HEADER).fill(0);
  private readonly offsets: NameOffsets = new Map();

  u8(value: number): void {
    this.bytes.push(value & 255);
  }
  u16(value: number): void {
    this.bytes.push((value >>> 8) & 255, value & 255);
  }
  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value);
  }
  raw(data: Uint8Array): void {
    for (const byte of data) this.bytes.push(byte);
  }

  name(name: string, compress: boolean): void {
    const bytes = encodeName(name, this.bytes.length, compress ? this.offsets : undefined);
    if (bytes === undefined) {
      throw new DnsEncodeError(
        `"${name}" is not a domain name: labels are 1 to 63 ASCII characters, 253 in all`,
      );
    }
    for (const byte of bytes) this.bytes.push(byte);
  }

  record(record: DnsRecord): void {
    this.name(record.name, true);
    this.u16(record.type);
    this.u16(record.class);
    this.u32(record.ttl);
    const lengthAt = this.bytes.length;
    this.u16(0);
    this.data(record.data, record.type);
    const length = this.bytes.length - lengthAt - 2;
    if (length > 0xffff) throw new DnsEncodeError(`data of ${record.name} exceeds 65535 bytes`);
    this.bytes[lengthAt] = length >>> 8;
    this.bytes[lengthAt + 1] = length & 255;
  }

  private data(data: DnsData, type: number): void {
    switch (data.kind) {
      case "address":
        if (type === DNS_AAAA) {
          const { w0, w1, w2, w3 } = data.address;
          for (const word of [w0, w1, w2, w3]) this.u32(word);
        } else this.u32(data.address.w3);
        break;
      case "name":
        this.name(data.name, true);
        break;
      case "mx":
        this.u16(data.preference);
        this.name(data.exchange, true);
        break;
      case "srv":
        this.u16(data.priority);
        this.u16(data.weight);
        this.u16(data.port);
        // RFC 2782: the target is not compressed.
        this.name(data.target, type !== DNS_SRV);
        break;
      case "txt":
        for (const string of data.strings) {
          if (string.length > 255) throw new DnsEncodeError("a TXT string exceeds 255 bytes");
          this.u8(string.length);
          this.raw(string);
        }
        break;
      case "soa":
        this.name(data.primary, true);
        this.name(data.mailbox, true);
        for (const word of [data.serial, data.refreshS, data.retryS, data.expireS]) this.u32(word);
        this.u32(data.minimumS);
        break;
      case "opt":
        for (const option of data.options) {
          this.u16(option.code);
          this.u16(option.data.length);
          this.raw(option.data);
        }
        break;
      case "raw":
        this.raw(data.bytes);
        break;
    }
  }

  finish(message: DnsMessage, truncated: boolean, counts: readonly number[]): Uint8Array {
    const bytes = Uint8Array.from(this.bytes);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, message.id);
    view.setUint16(
      2,
      (message.response ? 0x8000 : 0) |
        (message.opcode << 11) |
        (message.authoritative ? 0x0400 : 0) |
        (truncated ? 0x0200 : 0) |
        (message.recursionDesired ? 0x0100 : 0) |
        (message.recursionAvailable ? 0x0080 : 0) |
        (message.authenticData ? 0x0020 : 0) |
        (message.checkingDisabled ? 0x0010 : 0) |
        message.rcode,
    );
    for (let i = 0; i < 4; i++) view.setUint16(4 + 2 * i, counts[i]);
    return bytes;
  }
}
