import { MAPPED } from "../base/address.ts";
import type { ArpAddresses } from "../link/arp.ts";
import { addressInUse } from "./address-check.ts";
import type { IpContext } from "./context.ts";
import type { IpInterface } from "./ip-interface.ts";

/** What ARP wants to know of an interface's IPv4 addresses. */
export class InterfaceArpAddresses implements ArpAddresses {
  private readonly ip: IpContext;
  private readonly iface: IpInterface;

  constructor(ip: IpContext, iface: IpInterface) {
    this.ip = ip;
    this.iface = iface;
  }

  answersFor(word: number): boolean {
    return this.iface.findAddress(0, 0, MAPPED, word)?.isUsable ?? false;
  }

  claims(word: number): boolean {
    return this.iface.findAddress(0, 0, MAPPED, word) !== undefined;
  }

  conflict(word: number): void {
    const entry = this.iface.findAddress(0, 0, MAPPED, word);
    if (entry !== undefined) addressInUse(this.ip, entry);
  }
}
