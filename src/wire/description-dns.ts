/** A DNS message in one line: "4660+ A? example.com." or "4660 2/0/1 CNAME a.example., A 1.2.3.4". */
import { dnsRcodeName, dnsTypeName } from "./dns-constants.ts";
import type { DnsMessage, DnsRecord } from "./dns-types.ts";

export function describeDns(message: DnsMessage): string {
  const questions = message.questions.map((q) => `${dnsTypeName(q.type)}? ${dot(q.name)}`);
  const question = questions.length > 0 ? ` ${questions.join(", ")}` : "";
  const opcode = message.opcode === 0 ? "" : ` op${message.opcode}`;
  if (!message.response) {
    return `${message.id}${message.recursionDesired ? "+" : ""}${opcode}${question}`;
  }
  const marks = (message.authoritative ? "*" : "") + (message.truncated ? "|" : "");
  const rcode = message.rcode === 0 ? "" : ` ${dnsRcodeName(message.rcode)}`;
  const { answers, authorities, additionals } = message;
  const counts = ` ${answers.length}/${authorities.length}/${additionals.length}`;
  const records = answers.map(describeRecord).join(", ");
  const tail = records === "" ? "" : ` ${records}`;
  return `${message.id}${marks}${opcode}${rcode}${question}${counts}${tail}`;
}

function describeRecord(record: DnsRecord): string {
  const type = dnsTypeName(record.type);
  const data = record.data;
  switch (data.kind) {
    case "address":
      return `${type} ${data.address}`;
    case "name":
      return `${type} ${dot(data.name)}`;
    case "mx":
      return `${type} ${dot(data.exchange)} ${data.preference}`;
    case "srv":
      return `${type} ${dot(data.target)}:${data.port} ${data.priority} ${data.weight}`;
    case "txt":
      return `${type} ${data.strings.map(quoted).join(" ")}`;
    case "soa":
      return `${type} ${dot(data.primary)} serial ${data.serial}`;
    case "opt":
      return type;
    case "raw":
      return `${type} [${data.bytes.length} bytes]`;
  }
}

function dot(name: string): string {
  return name === "." ? name : `${name}.`;
}

/** Printable ASCII in quotes, everything else as \DDD, so that a line stays a line. */
function quoted(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === 34 || byte === 92) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else text += `\\${byte.toString().padStart(3, "0")}`;
  }
  return `"${text}"`;
}
