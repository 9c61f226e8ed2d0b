/** What services need of connections and sockets: the promise floor's classes have it, and so has anything alike. */

export interface Waiting {
  /** Milliseconds of the network's time. */
  readonly timeout?: number | undefined;
}

export interface StreamConnection extends AsyncIterable<Uint8Array> {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The next bytes; null at the end of data. */
  read(options?: Waiting): Promise<Uint8Array | null>;
  write(data: Uint8Array | string, options?: Waiting): Promise<void>;
  closeWrite(): void;
  close(): Promise<void>;
  abort(): void;
}

export interface StreamListener extends AsyncIterable<StreamConnection> {
  close(): void;
}

export interface Datagram {
  readonly data: Uint8Array;
  readonly address: string;
  readonly port: number;
}

export interface DatagramSocket {
  /** The next datagram. Rejects with EBADF when the socket is or gets closed. */
  receive(options?: Waiting): Promise<Datagram>;
  /** Without an address to the peer the socket is connected to. */
  send(
    data: Uint8Array,
    to?: { readonly address: string; readonly port: number },
  ): Promise<unknown>;
  close(): unknown;
}

/** True for an error with this code, as socket calls reject with. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === code;
}
