/** The socket calls of the textbook, their constants and addresses (`host.sockets`). */
export * from "./constants.ts";
export { SocketCalls } from "./calls.ts";
export type { MessageHeader } from "./message.ts";
export { Parked } from "./parked.ts";
export { type SocketAddress, socketAddress } from "./socket-address.ts";
export { TextbookCalls } from "./textbook.ts";
