/** What Direct Sockets reject with; `cause` is the socket error, with its `code`. */
export function networkError(error: unknown): DOMException {
  return domException("NetworkError", error);
}

export function invalidState(text: string): DOMException {
  return new DOMException(text, "InvalidStateError");
}

function domException(name: string, error: unknown): DOMException {
  const message = error instanceof Error ? error.message : String(error);
  const made = new DOMException(message, name);
  // DOMException takes no cause everywhere.
  Object.defineProperty(made, "cause", { value: error, configurable: true, writable: true });
  return made;
}

/** Throws as WebIDL's conversions do. */
export function portOf(value: unknown, name: string, least = 0): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < least || port > 65_535) {
    throw new TypeError(`${name} is ${String(value)}: give a whole number, ${least} to 65535`);
  }
  return port;
}

export function sizeOf(value: number | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (!(value > 0) || !Number.isFinite(value)) {
    throw new TypeError(`${name} is ${String(value)}: give a number of bytes, more than 0`);
  }
  return Math.trunc(value);
}

export function familyOf(type: "ipv4" | "ipv6" | undefined): 4 | 6 | undefined {
  if (type === undefined) return undefined;
  if (type === "ipv4") return 4;
  if (type === "ipv6") return 6;
  throw new TypeError(`dnsQueryType is ${String(type)}: give "ipv4" or "ipv6"`);
}
