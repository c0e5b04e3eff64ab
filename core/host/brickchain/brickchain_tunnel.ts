/** A tunnel of ours at a Brickchain server: kept open for as long as it is wanted. */

import { Backoff } from "../../backoff.ts";
import { delay } from "../../delay.ts";
import { WasimoffError } from "../../errors.ts";
import { MAX_FRAME_BYTES } from "../../tunnel/brickchain/brickchain_document.ts";
import { type BrickchainEndpoint, brickchainPublicUrl } from "../../tunnel/brickchain/brickchain_endpoint.ts";
import { signMandate } from "../../tunnel/brickchain/brickchain_mandate.ts";
import { BrickchainSession } from "../../tunnel/brickchain/brickchain_session.ts";
import type { TunnelIdentity } from "../../tunnel/tunnel_key.ts";
import { unlessAborted } from "../../unless_aborted.ts";
import { localService, type LocalServiceOptions } from "./brickchain_local.ts";
import type { ServerTrust } from "../server_trust.ts";
import { UnfinishedMessages } from "../unfinished_messages.ts";
import { openWebSocket } from "../websocket_dialer.ts";
import { WebSocketMessages } from "../websocket_messages.ts";

export interface BrickchainTunnelOptions {
  readonly endpoint: BrickchainEndpoint;
  readonly trust: ServerTrust;
  readonly identity: TunnelIdentity;
  /** Makes another tunnel of the same key; empty for the one that has the id of the key. */
  readonly session: string;
  readonly service: LocalServiceOptions;
  /** Each time the tunnel is open, with its public URL. */
  readonly opened: (publicUrl: string) => void;
  /** The connection has ended, or an attempt to come back has failed; another one follows. */
  readonly lost: (cause: WasimoffError) => void;
}

/** Waits between attempts to come back, which go on for ever. */
const RETRY = { firstMs: 200, maxMs: 10_000 };

/** Resolves after the abort of `signal`; rejects when the first attempt fails. */
export async function runBrickchainTunnel(
  options: BrickchainTunnelOptions,
  signal: AbortSignal,
): Promise<void> {
  let backoff = new Backoff(RETRY);
  for (let first = true; !signal.aborted; first = false) {
    try {
      const cause = await hold(options, () => backoff = new Backoff(RETRY), signal);
      if (!signal.aborted) options.lost(cause);
    } catch (error) {
      if (signal.aborted) return;
      if (first) throw error;
      options.lost(WasimoffError.from(error));
    }
    await delay(backoff.next(), signal).catch(() => {}); // the end of the signal ends the loop, too
  }
}

/** One connection: resolves with the cause of its end. */
async function hold(
  { endpoint, trust, identity, session: name, service, opened }: BrickchainTunnelOptions,
  onOpened: () => void,
  signal: AbortSignal,
): Promise<WasimoffError> {
  const pipe = await openWebSocket(endpoint.webSocket, {
    protocols: [],
    trust,
    maxPayload: MAX_FRAME_BYTES,
    adopt: (socket, transport) => new WebSocketMessages(socket, transport, new UnfinishedMessages()),
    signal,
  });
  const session = new BrickchainSession({
    pipe,
    service: localService(service),
    now: Date.now,
    newId: () => crypto.randomUUID(),
  });
  try {
    const token = await signMandate(endpoint.uri, identity, Date.now());
    const registered = await unlessAborted(session.register(token, name), signal);
    onOpened();
    opened(brickchainPublicUrl(endpoint, registered));
    return await unlessAborted(session.closed, signal);
  } finally {
    session.disconnect();
    await pipe.closed;
  }
}
