/** A tunnel client's session as the registry sees it, without any session. */

import type { ByteDuplex } from "../../core/byte_stream.ts";
import type { WasimoffError } from "../../core/errors.ts";
import type { Visitor } from "../../core/tunnel/public_tunnel.ts";
import type { TunnelLink, TunnelSpec } from "../../core/tunnel/registered_tunnel.ts";
import type { OpeningStream } from "../../core/tunnel/stream_request.ts";

export class FakeTunnelLink implements TunnelLink {
  readonly #ended = new AbortController();
  live = true;
  readonly closed: { tunnel: string; cause: WasimoffError }[] = [];
  readonly visitors: Visitor[] = [];
  /** What `openStream` gives, in turn. */
  readonly streams: { duplex: ByteDuplex; reached: Promise<void> }[] = [];

  constructor(readonly instance = "i1") {}

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  openStream(_tunnel: string, visitor: Visitor): Promise<OpeningStream> {
    this.visitors.push(visitor);
    return Promise.resolve(this.streams.shift() ?? { duplex: quietDuplex(), reached: Promise.resolve() });
  }

  tunnelClosed(tunnel: string, cause: WasimoffError): void {
    this.closed.push({ tunnel, cause });
  }

  end(cause: WasimoffError): void {
    this.live = false;
    this.#ended.abort(cause);
  }
}

/** Takes everything and gives nothing. */
export function quietDuplex(): ByteDuplex {
  return {
    readable: { read: () => Promise.resolve(null), cancel: () => {} },
    writable: { write: () => {}, end: () => {}, abort: () => {} },
  };
}

export function tunnelSpec(fields: Partial<TunnelSpec> = {}): TunnelSpec {
  return {
    ...{
      name: "db",
      key: "k1",
      kind: "tcp",
      basicAuth: new Set<string>(),
      hostHeader: null,
      allows: () => true,
    },
    ...fields,
  };
}
