import { once } from "node:events";
import type { Connection } from "../sockets/connection.ts";
import { Failure } from "./failure.ts";
import { type HostFlags, openHost, type RunningHost } from "./host-options.ts";
import { interrupted } from "./status.ts";

export interface NcFlags extends HostFlags {
  readonly listen?: boolean;
  readonly udp?: boolean;
}

/** Carries standard input and output over one connection. */
export async function nc(host: string | undefined, port: string | undefined, flags: NcFlags) {
  // `nc -l PORT` names the port first.
  const [name, number] = flags.listen && port === undefined ? [undefined, host] : [host, port];
  const where = Number(number);
  if (!Number.isInteger(where) || where < 1 || where > 65_535) {
    throw new Failure(flags.listen ? "name the port: nc -l PORT" : "name both: nc HOST PORT");
  }
  const running = await openHost(flags);
  try {
    if (flags.udp) await datagrams(running, name, where, flags.listen ?? false);
    else if (flags.listen) await carry(await accept(running, where));
    else await carry(await running.host.connect({ host: name!, port: where }));
  } finally {
    await running.close();
  }
}

async function accept(running: RunningHost, port: number): Promise<Connection> {
  const listener = await running.host.listen({ port, backlog: 1 });
  process.stderr.write(`listening at port ${port} on ${running.where}\n`);
  const connection = await listener.accept();
  listener.close();
  process.stderr.write(`${connection.remoteAddress}:${connection.remotePort} is connected\n`);
  return connection;
}

/** Both directions; the end of input closes ours, and theirs may go on (half-close). */
async function carry(connection: Connection): Promise<void> {
  const out = async () => {
    for await (const chunk of process.stdin) await connection.write(chunk as Buffer);
    await connection.closeWrite();
  };
  const sending = out();
  sending.catch(() => {}); // what breaks is told by the reading side
  for (;;) {
    const chunk = await connection.read();
    if (chunk === null) break;
    if (!process.stdout.write(chunk)) await once(process.stdout, "drain");
  }
  process.stdin.destroy();
  await connection.close();
}

async function datagrams(
  running: RunningHost,
  name: string | undefined,
  port: number,
  listens: boolean,
) {
  const socket = await running.host.udp(listens ? { port } : {});
  if (!listens) {
    const [address] = await running.host.resolve(name!);
    if (address === undefined) throw new Failure(`"${name}" has no address`);
    socket.connect(address, port);
    void (async () => {
      for await (const chunk of process.stdin) await socket.send(chunk as Buffer);
    })();
  }
  const end = interrupted().then(() => socket.close());
  try {
    for (;;) {
      const { data } = await socket.receive();
      process.stdout.write(data);
    }
  } catch (error) {
    if ((error as { code?: string }).code !== "EBADF") throw error;
  }
  await end;
}
