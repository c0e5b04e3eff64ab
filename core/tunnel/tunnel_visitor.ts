/** The visitor's end of a session of tunnels: reaches services by the names of their tunnels. */

import { Messenger } from "../protocol/messenger.ts";
import { WasimoffError } from "../errors.ts";
import type { Session } from "../session/session.ts";
import { type OpeningStream, requestStreams } from "./stream_request.ts";

export class TunnelVisitor {
  readonly #session: Session;
  readonly #messenger: Messenger;

  constructor(session: Session) {
    this.#session = session;
    this.#messenger = new Messenger(session, {
      request: () => Promise.reject(new WasimoffError("unimplemented", "visitors serve nothing")),
      event: () => {}, // there are none for visitors
    });
  }

  /** Aborted at the end of the session, with the cause. */
  get signal(): AbortSignal {
    return this.#session.signal;
  }

  /** A stream to the service behind a tunnel; bytes flow at once, `reached` tells whether it is there. */
  connect(name: string, signal: AbortSignal): Promise<OpeningStream> {
    return requestStreams(this.#session, this.#messenger, {
      method: (upstream, downstream) => ({ case: "connectTunnel", value: { name, upstream, downstream } }),
      signal,
    });
  }

  /** Says goodbye; streams that are open are reset. */
  close(): void {
    this.#session.close(new WasimoffError("canceled", "visitor has left"));
  }
}
