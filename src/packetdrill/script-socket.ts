import type { Flow } from "./flow.ts";

/** A descriptor of the script, or a connection that a listener got and nobody accepted yet. */
export class ScriptSocket {
  /** Live descriptor; -1: not accepted yet. */
  liveFd: number;
  readonly isDatagram: boolean;
  listening = false;
  bound = false;
  /** The conversation, once there is one. */
  flow: Flow | undefined = undefined;
  /** Where packets go that come before there is a conversation. */
  stray: Flow | undefined = undefined;
  closed = false;
  /** The listener it came from. */
  readonly parent: ScriptSocket | undefined;

  constructor(liveFd: number, isDatagram: boolean, parent?: ScriptSocket) {
    this.liveFd = liveFd;
    this.isDatagram = isDatagram;
    this.parent = parent;
  }
}
