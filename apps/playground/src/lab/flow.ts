import type { Connection } from "../../../../src/sockets/connection.ts";
import type { Listener } from "../../../../src/sockets/listener.ts";
import type { SocketHost } from "../../../../src/sockets/socket-host.ts";
import type { FlowSetup } from "./setup.ts";

const CHUNK = new Uint8Array(16_384).map((_, i) => i & 0xff);

/** A connection of the laboratory with an application at each end. */
export class Flow {
  setup: FlowSetup;
  readonly port: number;
  readonly name: string;
  connection: Connection | undefined;
  accepted: Connection | undefined;
  receivedBytes = 0;
  /** Bytes that did not come as they were sent; stays 0. */
  wrongBytes = 0;
  error = "";
  private readonly client: SocketHost;
  private readonly server: SocketHost;
  private readonly address: string;
  private listener: Listener | undefined;
  private streaming = false;
  private wakeReader: (() => void) | undefined;
  private written = 0;

  constructor(
    setup: FlowSetup,
    port: number,
    client: SocketHost,
    server: SocketHost,
    address: string,
  ) {
    this.setup = setup;
    this.port = port;
    this.name = `${setup.from} → ${setup.to}`;
    this.client = client;
    this.server = server;
    this.address = address;
  }

  get state(): string {
    return this.connection?.info().state ?? "CLOSED";
  }

  get isOpen(): boolean {
    return this.connection !== undefined;
  }

  open(): void {
    if (this.connection !== undefined) return;
    this.error = "";
    this.receivedBytes = 0;
    this.written = 0;
    this.run(async () => {
      this.listener ??= await this.server.listen({ port: this.port });
      this.run(() => this.serve(this.listener!));
      this.connection = await this.client.connect({
        address: this.address,
        port: this.port,
        congestionControl: this.setup.control,
      });
      if (this.setup.stream) this.run(() => this.stream());
    });
  }

  private async serve(listener: Listener): Promise<void> {
    const accepted = await listener.accept();
    this.accepted = accepted;
    const buffer = new Uint8Array(65_536);
    for (;;) {
      while (!this.setup.reading) await new Promise<void>((resolve) => (this.wakeReader = resolve));
      const count = await accepted.readInto(buffer);
      if (count === 0) break;
      for (let i = 0; i < count; i += 997) {
        if (buffer[i] !== ((this.receivedBytes + i) & 0xff)) this.wrongBytes++;
      }
      this.receivedBytes += count;
    }
    await accepted.close();
  }

  private async stream(): Promise<void> {
    if (this.streaming) return;
    this.streaming = true;
    try {
      while (this.setup.stream && this.connection !== undefined) await this.put(CHUNK.length);
    } finally {
      this.streaming = false;
    }
  }

  /** The stream counts up, so that the other end can tell whether it is whole. */
  private async put(count: number): Promise<void> {
    const from = this.written & 0xff;
    this.written += count;
    const bytes =
      from === 0 && count <= CHUNK.length
        ? CHUNK.subarray(0, count)
        : Uint8Array.from({ length: count }, (_, i) => (from + i) & 0xff);
    await this.connection?.write(bytes);
  }

  write(count: number): void {
    this.run(() => this.put(count));
  }

  configure(change: Partial<FlowSetup>): void {
    this.setup = { ...this.setup, ...change };
    if (change.control !== undefined) {
      this.connection?.setOption("TCP_CONGESTION", change.control);
    }
    if (this.setup.reading) this.wakeReader?.();
    if (this.setup.stream && this.connection !== undefined) this.run(() => this.stream());
  }

  /** FIN, when everything written has gone. */
  close(): void {
    const { connection } = this;
    if (connection === undefined) return;
    this.setup = { ...this.setup, stream: false };
    this.run(async () => {
      await connection.close();
      this.gone(connection);
    });
  }

  /** RST. */
  abort(): void {
    const { connection } = this;
    this.setup = { ...this.setup, stream: false };
    connection?.abort();
    if (connection !== undefined) this.gone(connection);
  }

  private gone(connection: Connection): void {
    if (this.connection === connection) this.connection = undefined;
  }

  private run(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      this.error = error instanceof Error ? error.message : String(error);
      if (this.connection?.socket.closed) this.connection = undefined;
    });
  }
}
