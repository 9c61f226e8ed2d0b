import nodeTls from "node:tls";
import type { SocketHost } from "../../sockets/socket-host.ts";
import { REINITIALIZE } from "./internals.ts";
import { define, ours, setOwner } from "./net-hooks.ts";
import { TcpHandle } from "./tcp-handle.ts";

type Wrap = (this: unknown, wrap: unknown, handle: unknown, writing: boolean) => object;

const prototype = nodeTls.TLSSocket.prototype as unknown as Record<string | symbol, unknown>;
let isHooked = false;
/** Set while all of Node's sockets are on a host (fullduplex/register). */
let everywhere: (() => SocketHost) | undefined;

/**
 * TLS around a handle of ours must hear of the connection's errors, which a
 * stream made in JavaScript cannot tell it. With `hostOf`, TLS sockets that
 * make their own connection make it on that host.
 */
export function hookTls(hostOf?: () => SocketHost): void {
  everywhere ??= hostOf;
  if (isHooked) return;
  isHooked = true;
  const wrapHandle = prototype._wrapHandle as Wrap;
  define(
    prototype,
    "_wrapHandle",
    function (
      this: { _tlsOptions: { pipe?: unknown } },
      wrap: unknown,
      given: unknown,
      writing: boolean,
    ) {
      let handle = given;
      if (!handle && everywhere !== undefined && !this._tlsOptions.pipe) {
        handle = new TcpHandle(everywhere());
        setOwner(handle as object, this);
      }
      const wrapped = wrapHandle.call(this, wrap, handle, writing);
      if (handle instanceof TcpHandle) handle.wrappedBy = wrapped as TcpHandle["wrappedBy"];
      return wrapped;
    },
  );
  const reinitialize = prototype[REINITIALIZE] as (this: unknown, handle: unknown) => void;
  define(prototype, REINITIALIZE, function (this: unknown, handle: unknown) {
    if (everywhere === undefined) {
      reinitialize.call(this, handle);
      return;
    }
    const own = ours(handle, everywhere);
    if (own !== handle) setOwner(own as object, this);
    reinitialize.call(this, own);
  });
}
