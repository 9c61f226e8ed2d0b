import {
  IFF_NO_PI,
  IFF_TAP,
  IFF_TUN,
  IFF_TUN_EXCL,
  IFF_VNET_HDR,
  IFNAMSIZ,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  TUN_F_CSUM,
  TUN_F_TSO4,
  TUN_F_TSO6,
  TUN_F_TSO_ECN,
  TUNSETIFF,
  TUNSETOFFLOAD,
} from "./constants.ts";
import { configureKernelSide, type TapCreateOptions } from "./configure.ts";
import { attachError, openError, TapError } from "./errors.ts";
import { ifreqOf, InterfaceControl, nameInIfreq } from "./interface-control.ts";
import { type Libc, loadLibc } from "./libc.ts";
import { inNamespace } from "./namespace.ts";
import { TapDevice } from "./tap-device.ts";

export type { TapCreateOptions } from "./configure.ts";
export { TapError } from "./errors.ts";
export { type TapCounters, TapDevice } from "./tap-device.ts";

export interface TapOptions {
  /** Name of the interface, at most 15 characters. When it is created, "fd%d" lets the kernel choose the number. */
  readonly name: string;
  /** A TUN interface, whose frames begin with the IP header, instead of a TAP interface. Default false. */
  readonly tun?: boolean;
  /** Makes the interface, sets the kernel's end up, and removes it at the end. Without it the interface must exist. */
  readonly create?: TapCreateOptions | boolean;
  /**
   * Leaves cutting of large segments and unfinished checksums to the other
   * side, both ways: 64 KB cross at once. Default true; false: frame by frame.
   */
  readonly offload?: boolean;
  /** Largest IP packet in bytes. Default: the interface's; a created one gets this value. */
  readonly mtu?: number;
  /** The interface is in this network namespace, by its name in `ip netns`. Default: the thread's own. */
  readonly netns?: string;
}

/**
 * Opens a TAP or TUN interface of Linux as a device for a host's interface.
 * Needs the optional package koffi, and the right to use the interface: root,
 * or an interface made beforehand for the user (`ip tuntap add dev NAME mode
 * tap user USER`). An interface that was created goes away with the process,
 * however it ends. Throws TapError: `code`, and a sentence that says what to do.
 */
export async function openTap(options: TapOptions): Promise<TapDevice> {
  const create = options.create === true ? {} : options.create || undefined;
  checkOptions(options, create !== undefined);
  const libc = await loadLibc();
  const { fd, name, control } = inNamespace(libc, options.netns, () =>
    attach(libc, options, create !== undefined),
  );
  try {
    if (create !== undefined) {
      await configureKernelSide(name, create, options.mtu, options.netns);
    }
    return new TapDevice({
      libc,
      fd,
      name,
      control,
      medium: options.tun === true ? "ip" : "ethernet",
      vnetHeader: options.offload !== false,
      mtuLimit: options.mtu ?? 65_535,
    });
  } catch (error) {
    control.finish();
    libc.close(fd);
    throw error;
  }
}

function checkOptions({ name, mtu }: TapOptions, isNew: boolean): void {
  if (name === "" || name === "." || name === ".." || /[\s/:\0]/.test(name)) {
    throw new TapError(
      "EINVAL",
      `"${name}" cannot be an interface's name: use letters and digits, like fd0`,
    );
  }
  if (name.length >= IFNAMSIZ) {
    throw new TapError(
      "ENAMETOOLONG",
      `the interface name ${name} has ${name.length} characters and would be cut: use at most 15`,
    );
  }
  if (name.includes("%") && !isNew) {
    throw new TapError(
      "EINVAL",
      `"${name}" is a pattern for an interface that is created: name an existing one`,
    );
  }
  if (mtu !== undefined && !(mtu >= 68 && mtu <= 65_521)) {
    throw new TapError(
      "EINVAL",
      `mtu is ${mtu}: a TAP device takes 68 to 65521, and IPv6 needs 1280`,
    );
  }
}

/** Opens the driver and attaches to the interface, which is made by that if `isNew`. */
function attach(libc: Libc, options: TapOptions, isNew: boolean) {
  const tun = options.tun === true;
  const control = new InterfaceControl(libc);
  let fd = -1;
  try {
    fd = libc.open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) throw openError(libc.errno());
    if (!isNew && !control.exists(options.name)) {
      throw new TapError(
        "ENODEV",
        `there is no interface ${options.name}: make it with ip tuntap add dev ${options.name} mode ${tun ? "tun" : "tap"}, or let it be created (create: true, --create)`,
      );
    }
    const vnet = options.offload !== false;
    const ifreq = ifreqOf(options.name);
    new DataView(ifreq.buffer).setUint16(
      IFNAMSIZ,
      (tun ? IFF_TUN : IFF_TAP) |
        IFF_NO_PI |
        (vnet ? IFF_VNET_HDR : 0) |
        (isNew ? IFF_TUN_EXCL : 0),
      true,
    );
    if (libc.ioctl(fd, TUNSETIFF, ifreq) < 0) {
      throw attachError(libc.errno(), options.name, tun, isNew);
    }
    setOffload(libc, fd, options.name, vnet);
    return { fd, control, name: nameInIfreq(ifreq) };
  } catch (error) {
    if (fd >= 0) libc.close(fd);
    control.finish();
    throw error;
  }
}

/** Also switches off what an earlier user of a lasting interface switched on. */
function setOffload(libc: Libc, fd: number, name: string, on: boolean): void {
  const wanted = on ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0;
  if (libc.ioctlValue(fd, TUNSETOFFLOAD, wanted) >= 0) return;
  throw new TapError("EINVAL", `${name} does not take offloads: open it with offload: false`);
}
