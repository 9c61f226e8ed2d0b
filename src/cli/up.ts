import { publish } from "../network/gateway/publish.ts";
import { Failure } from "./failure.ts";
import { type HostFlags, openHost } from "./host-options.ts";
import { type Inspector, inspect } from "./inspect.ts";
import { parseService, startService } from "./serve.ts";
import { interrupted, Status } from "./status.ts";

export interface UpFlags extends HostFlags {
  readonly serve: string[];
  readonly publish: string[];
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Port of the live view; true: any free one. */
  readonly inspect?: number | boolean;
}

/** A host with services on a TAP device, until Ctrl-C. */
export async function up(flags: UpFlags): Promise<void> {
  if (flags.tap === undefined) throw new Failure("name the device: --tap fd0");
  const services = flags.serve.map(parseService);
  const ports = flags.publish.map(parsePublish);
  const status = new Status(flags);
  const running = await openHost(flags);
  let inspector: Inspector | undefined;
  try {
    if (flags.inspect !== undefined && flags.inspect !== false) {
      inspector = await inspect([running.host], () => running.network.now(), {
        port: typeof flags.inspect === "number" ? flags.inspect : 0,
      });
      status.say("inspect", `live view: ${inspector.url}`, { url: inspector.url });
    }
    for (const service of services) {
      await startService(running.host, service, (text) => status.say("request", text, { text }));
      status.say("service", `${service.name} at port ${service.port}`, { ...service });
    }
    for (const { bind, port, to } of ports) {
      const published = await publish(running.host, { bind, port, to });
      status.say(
        "published",
        `${published.address}:${published.port} leads to ${to.host}:${to.port}`,
        {
          address: published.address,
          port: published.port,
          to,
        },
      );
    }
    const addresses = flags.address.join(", ");
    status.say("up", `${addresses} is up on ${running.where} (Ctrl-C ends)`, {
      addresses: flags.address,
      device: flags.tap,
    });
    await interrupted();
    status.say("closing", "closing");
  } finally {
    await inspector?.close();
    await running.close(3000);
  }
}

/** `8080:10.0.0.2:80`, or with an address of this machine in front: `0.0.0.0:8080:10.0.0.2:80`. */
function parsePublish(text: string) {
  const match = /^(?:(.+):)?(\d+):(\[[^\]]+\]|[^:]+):(\d+)$/.exec(text);
  if (match === null) throw new Failure(`--publish ${text}: write PORT:ADDRESS:PORT`);
  return {
    bind: match[1] ?? "127.0.0.1",
    port: Number(match[2]),
    to: { host: match[3]!.replace(/^\[|\]$/g, ""), port: Number(match[4]) },
  };
}
