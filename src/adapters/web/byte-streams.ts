import type { Connection } from "../../sockets/connection.ts";

/** What is read at once when the reader brings no buffer of its own. */
export const CHUNK_BYTES = 65_536;

export type Failure = (error: unknown) => unknown;

/** The two streams of a connection, and what becomes of them. */
export interface ByteStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<ArrayBuffer | ArrayBufferView>;
  /** Settles when the reading side is over: its end was read, or it was cancelled. Rejects when it broke. */
  readonly readEnded: Promise<void>;
  readonly writeEnded: Promise<void>;
}

/**
 * A connection as web streams: the readable one is a byte stream, so that a
 * reader may bring its own buffers (BYOB) and nothing is read before it is
 * asked for; what is written resolves when it is in the send buffer. Closing
 * the writable one is a half-close; aborting it or cancelling the other one
 * with the other direction over resets the connection.
 */
export function byteStreams(connection: Connection, failure: Failure): ByteStreams {
  const read = settling();
  const write = settling();
  let writing: WritableStreamDefaultController | undefined;
  const broke = (error: unknown) => {
    const reason = failure(error);
    read.reject(reason);
    write.reject(reason);
    return reason;
  };
  const readable: ReadableStream<Uint8Array> = new ReadableStream({
    type: "bytes",
    async pull(controller: ReadableByteStreamController) {
      const request = controller.byobRequest;
      try {
        if (request?.view) {
          const { buffer, byteOffset, byteLength } = request.view;
          const view = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
          const count = await connection.readInto(view);
          if (count === 0) end(controller);
          request.respond(count);
          return;
        }
        const chunk = await connection.read();
        if (chunk === null) end(controller);
        else controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      } catch (error) {
        const reason = broke(error);
        controller.error(reason);
        writing?.error(reason);
      }
    },
    cancel() {
      read.resolve();
    },
  } as UnderlyingByteSource);
  const end = (controller: ReadableByteStreamController) => {
    controller.close();
    read.resolve();
  };
  const writable = new WritableStream<ArrayBuffer | ArrayBufferView>({
    start(controller) {
      writing = controller;
    },
    async write(chunk) {
      const bytes = bytesOf(chunk);
      await connection.write(bytes).catch((error: unknown) => {
        throw broke(error);
      });
    },
    close() {
      try {
        connection.closeWrite();
      } catch (error) {
        throw broke(error);
      }
      write.resolve();
    },
    abort() {
      connection.abort();
      write.resolve();
    },
  });
  return { readable, writable, readEnded: read.promise, writeEnded: write.promise };
}

/** The bytes of a BufferSource. Throws TypeError for anything else, text among it. */
export function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError(
    "a socket takes bytes: write an ArrayBuffer or a view, text through TextEncoderStream",
  );
}

export interface Settling<T = void> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** A promise and how to settle it. A rejection that nobody waits for is not reported. */
export function settling<T = void>(): Settling<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
