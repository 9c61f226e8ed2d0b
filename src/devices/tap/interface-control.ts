import {
  AF_NETLINK,
  IFF_UP,
  IFNAMSIZ,
  IFREQ_SIZE,
  NETLINK_ROUTE,
  RTMGRP_LINK,
  SIOCGIFFLAGS,
  SIOCGIFINDEX,
  SIOCGIFMTU,
  SOCK_RAW_NONBLOCK_CLOEXEC,
} from "./constants.ts";
import { errnoName, TapError } from "./errors.ts";
import type { Libc, PollHandle } from "./libc.ts";

/** Bytes read of each notice; its content does not matter, so a cut one will do. */
const NOTICE = 4096;

/** An ifreq with the interface's name in it. */
export function ifreqOf(name: string): Uint8Array {
  const ifreq = new Uint8Array(IFREQ_SIZE);
  for (let i = 0; i < name.length && i < IFNAMSIZ - 1; i++) ifreq[i] = name.charCodeAt(i);
  return ifreq;
}

/** The name that an ifreq holds. */
export function nameInIfreq(ifreq: Uint8Array): string {
  let name = "";
  for (let i = 0; i < IFNAMSIZ && ifreq[i] !== 0; i++) name += String.fromCharCode(ifreq[i]);
  return name;
}

/**
 * A netlink socket: it asks the kernel about interfaces of the network
 * namespace it was made in, and hears when one of them changes.
 */
export class InterfaceControl {
  private readonly libc: Libc;
  private readonly fd: number;
  private readonly notice = new Uint8Array(NOTICE);
  private readonly noticeAddress: number;
  private handle: PollHandle | undefined;

  constructor(libc: Libc) {
    this.libc = libc;
    this.noticeAddress = libc.addressOf(this.notice);
    this.fd = libc.socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, NETLINK_ROUTE);
    if (this.fd < 0) throw this.error("the kernel gave no netlink socket");
    // struct sockaddr_nl: family, padding, port id (0: ours to be chosen), groups.
    const address = new Uint8Array(12);
    new DataView(address.buffer).setUint16(0, AF_NETLINK, true);
    new DataView(address.buffer).setUint32(8, RTMGRP_LINK, true);
    if (libc.bind(this.fd, address, address.length) < 0) {
      const error = this.error("the netlink socket could not be bound");
      libc.close(this.fd);
      throw error;
    }
  }

  private error(what: string): TapError {
    const code = errnoName(this.libc.errno());
    return new TapError(code, `${what} (${code})`);
  }

  exists(name: string): boolean {
    return this.libc.ioctl(this.fd, SIOCGIFINDEX, ifreqOf(name)) >= 0;
  }

  /** Whether the interface is set up; undefined when it is gone. */
  isUp(name: string): boolean | undefined {
    const ifreq = ifreqOf(name);
    if (this.libc.ioctl(this.fd, SIOCGIFFLAGS, ifreq) < 0) return undefined;
    return (ifreq[IFNAMSIZ] & IFF_UP) !== 0;
  }

  /** MTU in bytes of the IP packet; undefined when the interface is gone. */
  mtu(name: string): number | undefined {
    const ifreq = ifreqOf(name);
    if (this.libc.ioctl(this.fd, SIOCGIFMTU, ifreq) < 0) return undefined;
    return new DataView(ifreq.buffer).getInt32(IFNAMSIZ, true);
  }

  /** Calls back after any interface of the namespace changed. */
  watch(changed: () => void): void {
    this.handle = this.libc.poll(this.fd, () => {
      // Until it is empty, or the poll would come back at once; the errors are
      // those of "empty" and "notices were lost", both of which mean: look.
      while (this.libc.read(this.fd, this.noticeAddress, NOTICE) > 0);
      try {
        changed();
      } catch (error) {
        // koffi would let it surface in an unrelated call.
        process.nextTick(() => {
          throw error;
        });
      }
    });
    this.handle.unref();
  }

  /** Stops listening; `finish` closes the socket, after the event loop has let go of it. */
  stop(): void {
    this.handle?.close();
    this.handle = undefined;
  }

  finish(): void {
    this.libc.close(this.fd);
  }
}
