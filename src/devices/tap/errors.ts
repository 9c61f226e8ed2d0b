import { constants } from "node:os";

/** What opening or configuring a TAP device throws: `code` as the kernel names it, and a sentence that says what to do. */
export class TapError extends Error {
  override readonly name = "TapError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const NAMES = new Map<number, string>(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);
NAMES.set(77, "EBADFD");

/** `EBUSY` for 16; `E123` for a number the platform does not name. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

/** Why /dev/net/tun could not be opened. */
export function openError(errno: number): TapError {
  const code = errnoName(errno);
  switch (code) {
    case "ENOENT":
      return new TapError(
        code,
        "there is no /dev/net/tun here: load the driver (modprobe tun), or give the container the device (docker run --device /dev/net/tun)",
      );
    case "ENODEV":
    case "ENXIO":
      return new TapError(
        code,
        "/dev/net/tun exists but the kernel has no TUN/TAP driver behind it: run modprobe tun",
      );
    case "EACCES":
    case "EPERM":
      return new TapError(
        code,
        "/dev/net/tun may not be opened by this user: run as root (sudo), or make the device node readable and the interface beforehand with ip tuntap add dev NAME mode tap user USER",
      );
    default:
      return new TapError(code, `/dev/net/tun could not be opened (${code})`);
  }
}

/** Why the interface `name` could not be attached. */
export function attachError(errno: number, name: string, tun: boolean, created: boolean): TapError {
  const code = errnoName(errno);
  const kind = tun ? "tun" : "tap";
  switch (code) {
    case "EPERM":
    case "EACCES":
      return new TapError(
        code,
        `this user may not use ${name}: run as root (sudo), or make it beforehand for this user with ip tuntap add dev ${name} mode ${kind} user USER`,
      );
    case "EBUSY":
      return new TapError(
        code,
        created
          ? `an interface named ${name} exists already: choose another name, or use it without creating it`
          : `${name} is in use by another program: end that program, or choose another interface`,
      );
    case "EINVAL":
      return new TapError(
        code,
        `${name} is not a ${kind} device with a single queue: make one with ip tuntap add dev ${name} mode ${kind}, or choose another name`,
      );
    default:
      return new TapError(code, `the interface ${name} could not be attached (${code})`);
  }
}
