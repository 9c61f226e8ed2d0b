import type { IpAddress } from "../../base/address.ts";
import { EADDRNOTAVAIL, EINVAL } from "../../base/errors.ts";
import type { DatagramSocket } from "../../sockets/datagram-socket.ts";
import type { ReceiveInfo } from "../../sockets/message.ts";

/** A group of which only some sources are wanted (RFC 3678 §4.1.3). */
interface SourceFilter {
  readonly group: IpAddress;
  readonly interfaceIndex: number;
  readonly sources: IpAddress[];
}

/** The groups of one socket. The host hears a group as a whole; sources are told apart here. */
export class Memberships {
  private readonly filters: SourceFilter[] = [];

  get isFiltering(): boolean {
    return this.filters.length > 0;
  }

  join(socket: DatagramSocket, group: IpAddress, interfaceIndex: number): number {
    return socket.join(group, interfaceIndex);
  }

  leave(socket: DatagramSocket, group: IpAddress, interfaceIndex: number): number {
    const result = socket.leave(group, interfaceIndex);
    if (result === 0) this.forget(this.find(group, interfaceIndex));
    return result;
  }

  joinSource(
    socket: DatagramSocket,
    source: IpAddress,
    group: IpAddress,
    interfaceIndex: number,
  ): number {
    if (source.isIpv4 !== group.isIpv4) return -EINVAL;
    let filter = this.find(group, interfaceIndex);
    if (filter === undefined) {
      const result = socket.join(group, interfaceIndex);
      // Joined for all sources already: Linux refuses to narrow that.
      if (result < 0) return result;
      filter = { group, interfaceIndex, sources: [] };
      this.filters.push(filter);
      socket.receivePacketInfo = true;
    }
    if (filter.sources.some((known) => known.equals(source))) return -EADDRNOTAVAIL;
    filter.sources.push(source);
    return 0;
  }

  leaveSource(
    socket: DatagramSocket,
    source: IpAddress,
    group: IpAddress,
    interfaceIndex: number,
  ): number {
    const filter = this.find(group, interfaceIndex);
    const at = filter?.sources.findIndex((known) => known.equals(source)) ?? -1;
    if (filter === undefined || at < 0) return -EADDRNOTAVAIL;
    filter.sources.splice(at, 1);
    if (filter.sources.length > 0) return 0;
    this.forget(filter);
    return socket.leave(group, interfaceIndex);
  }

  /** False for a datagram to a group from a source that is not wanted. */
  admits(info: ReceiveInfo): boolean {
    const source = info.address;
    const destination = info.control?.find((message) => message.address !== undefined)?.address;
    if (destination === undefined || source === undefined || !destination.isMulticast) return true;
    const filter = this.filters.find(({ group }) => group.equals(destination));
    return filter === undefined || filter.sources.some((known) => known.equals(source));
  }

  private find(group: IpAddress, interfaceIndex: number): SourceFilter | undefined {
    return this.filters.find(
      (filter) => filter.group.equals(group) && filter.interfaceIndex === interfaceIndex,
    );
  }

  private forget(filter: SourceFilter | undefined): void {
    if (filter !== undefined) this.filters.splice(this.filters.indexOf(filter), 1);
  }
}
