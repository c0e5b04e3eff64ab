/** The WebSocket endpoints of a broker. */

import type { Broker } from "../broker/broker.ts";
import { serveClient } from "../broker/endpoint_v2_client.ts";
import { serveProvider } from "../broker/endpoint_v2_provider.ts";
import { addressGroup } from "../broker/identity/address_group.ts";
import type { Identity } from "../broker/identity/identifier.ts";
import type { Caller } from "../broker/identity/loopback_rule.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { CLIENT_LEASE_MS, PROVIDER_LEASE_MS, SUBPROTOCOL_V2 } from "../protocol/limits.ts";
import type { AcceptOptions, SessionAcceptor } from "../session/acceptor.ts";
import type { FileNames } from "../storage/file_names.ts";
import type { FileRef, FileStore } from "../storage/file_store.ts";
import type { UpgradeRequest, WebSocketRoute } from "./websocket_routes.ts";

export interface BrokerRoutesOptions {
  readonly broker: Broker;
  readonly acceptor: SessionAcceptor;
  readonly files: FileStore;
  readonly names: FileNames;
  /** Where providers fetch files. */
  readonly storagePath: string;
  /** Throws `unauthenticated`. */
  readonly identify: (caller: Caller, token?: string) => Identity;
  readonly allowsOrigin: (origin: string | null, host: string | null) => boolean;
  /** The address behind trusted proxies. */
  readonly clientAddress: (remoteAddress: string, forwardedFor: string | null) => string;
  readonly logger: Logger;
}

const PROVIDER_PATH = "/api/provider/ws";
const CLIENT_PATH = "/api/client/ws";

export function brokerRoutes(options: BrokerRoutesOptions): Readonly<Record<string, WebSocketRoute>> {
  const { broker, acceptor, files, names, storagePath, identify, allowsOrigin, clientAddress, logger } =
    options;

  const resolve = async (nameOrRef: string): Promise<FileRef> => {
    const ref = names.resolve(nameOrRef);
    if (ref !== null && await files.stat(ref) !== null) return ref;
    throw new WasimoffError("not_found", `file "${nameOrRef}" is not stored at the broker: upload it`);
  };
  const client = { broker, resolve, pin: (ref: FileRef) => files.pin(ref) };

  const route = (
    accept: Pick<AcceptOptions, "endpoint" | "leaseMs">,
    serve: (session: Parameters<AcceptOptions["opened"]>[0], logger: Logger) => void,
    authorize: (request: UpgradeRequest) => void,
  ): WebSocketRoute => ({
    protocols: [SUBPROTOCOL_V2],
    authorize,
    accept: (connection, { remoteAddress, headers }) => {
      const address = clientAddress(remoteAddress, headers.get("x-forwarded-for"));
      void acceptor.accept(connection, {
        ...accept,
        peer: addressGroup(address),
        authenticate: ({ token }) => void identify({ remoteAddress, headers }, token || undefined),
        opened: (session) => serve(session, logger.with({ address })),
      });
    },
  });

  return {
    [PROVIDER_PATH]: route(
      { endpoint: PROVIDER_PATH, leaseMs: PROVIDER_LEASE_MS },
      (session, logger) => serveProvider(session, { broker, storagePath, logger }),
      ({ headers }) => {
        if (allowsOrigin(headers.get("origin"), headers.get("host"))) return;
        throw new WasimoffError(
          "permission_denied",
          "pages of this origin may not provide: see --allowed-origins",
        );
      },
    ),
    // Pages of any origin may ask (wasimoff-v1 3.1): those that are not ours need a token in their hello.
    [CLIENT_PATH]: route(
      { endpoint: CLIENT_PATH, leaseMs: CLIENT_LEASE_MS },
      (session) => serveClient(session, client),
      () => {},
    ),
  };
}
