/** Sends characters until it is told to stop (RFC 864). */
import type { StreamListener } from "./faces.ts";
import { discard } from "./discard.ts";
import { serveEach } from "./serve-each.ts";

const FIRST = 32;
const COUNT = 95;
const LINE = 72;

/** All 95 lines of the pattern: each begins one character later (RFC 864, "one popular pattern"). */
function pattern(): Uint8Array {
  const bytes = new Uint8Array(COUNT * (LINE + 2));
  let at = 0;
  for (let line = 0; line < COUNT; line++) {
    for (let i = 0; i < LINE; i++) bytes[at++] = FIRST + ((line + i) % COUNT);
    bytes[at++] = 13;
    bytes[at++] = 10;
  }
  return bytes;
}

export function serveChargen(listener: StreamListener): Promise<void> {
  const block = pattern();
  return serveEach(listener, async (connection) => {
    // What the caller sends is thrown away (RFC 864); its end of data ends the stream too.
    let over = false;
    const end = () => {
      over = true;
    };
    const reading = discard(connection).then(end, end);
    while (!over) await connection.write(block);
    await reading;
  });
}
