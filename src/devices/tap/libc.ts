import { TapError } from "./errors.ts";

/** One descriptor in libuv's poll: nothing blocks, and idle costs nothing. */
export interface PollHandle {
  start(events: { readable?: boolean; writable?: boolean }, callback: PollCallback): void;
  stop(): void;
  close(): void;
  ref(): void;
  unref(): void;
}

export type PollCallback = (
  status: number,
  events: { readable: boolean; writable: boolean },
) => void;

/** The handful of C functions a TAP device needs. Results below 0 mean: see `errno`. */
export interface Libc {
  open(path: string, flags: number): number;
  close(fd: number): number;
  /** `address` is an absolute address: see `addressOf`. */
  read(fd: number, address: number, length: number): number;
  write(fd: number, address: number, length: number): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  ioctlValue(fd: number, request: number, value: number): number;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  setns(fd: number, kind: number): number;
  errno(): number;
  /** Where the buffer lies. It does not keep the buffer alive, and a WebAssembly memory must never grow. */
  addressOf(buffer: Uint8Array): number;
  poll(fd: number, callback: PollCallback): PollHandle;
}

let loading: Promise<Libc> | undefined;

/** The C library, through koffi, which is loaded here and only when it is needed. */
export function loadLibc(): Promise<Libc> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Libc> {
  if (process.platform !== "linux") {
    throw new TapError(
      "ENOTSUP",
      `TAP and TUN devices are a feature of Linux, and this is ${process.platform}: use the virtual LAN, or run it in a Linux virtual machine`,
    );
  }
  const koffi = await import("koffi").then(
    (module) => module.default,
    (cause: Error) => {
      loading = undefined; // it may be installed before the next try
      throw new TapError(
        "ERR_KOFFI_MISSING",
        `TAP devices need the optional package koffi, which could not be loaded (${cause.message.split("\n")[0]}): run npm install koffi`,
      );
    },
  );
  // The symbols of the process itself: glibc and musl alike.
  const lib = koffi.load(null);
  return {
    open: lib.func("int open(const char *path, int flags)"),
    close: lib.func("int close(int fd)"),
    read: lib.func("intptr_t read(int fd, uintptr_t buffer, size_t length)"),
    write: lib.func("intptr_t write(int fd, uintptr_t buffer, size_t length)"),
    ioctl: lib.func("int ioctl(int fd, unsigned long request, void *argument)"),
    ioctlValue: lib.func("ioctl", "int", ["int", "unsigned long", "unsigned long"]),
    socket: lib.func("int socket(int domain, int type, int protocol)"),
    bind: lib.func("int bind(int fd, void *address, unsigned int length)"),
    setns: lib.func("int setns(int fd, int kind)"),
    errno: () => koffi.errno(),
    addressOf: (buffer) => Number(koffi.address(buffer)),
    // koffi's types leave out the status in front.
    poll: koffi.node.poll as unknown as (fd: number, callback: PollCallback) => PollHandle,
  };
}
