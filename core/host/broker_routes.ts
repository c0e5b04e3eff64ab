/** The WebSocket endpoints of a broker. */

import type { Broker } from "../broker/broker.ts";
import type { ClusterV1 } from "../broker/cluster_v1.ts";
import { serveClientV1 } from "../broker/endpoint_v1_client.ts";
import { serveProviderV1 } from "../broker/endpoint_v1_provider.ts";
import { serveClient } from "../broker/endpoint_v2_client.ts";
import { serveProvider } from "../broker/endpoint_v2_provider.ts";
import type { TunnelPeer } from "../broker/endpoint_v2_tunnel.ts";
import { addressGroup } from "../broker/identity/address_group.ts";
import type { Identity } from "../broker/identity/identifier.ts";
import type { Caller } from "../broker/identity/loopback_rule.ts";
import { tokenInUrl } from "../broker/identity/url_token.ts";
import type { TasksV1 } from "../broker/tasks_v1.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { SUBPROTOCOL_V1_BINARY, SUBPROTOCOL_V1_JSON } from "../protocol/envelope_v1.ts";
import { CLIENT_LEASE_MS, PROVIDER_LEASE_MS, SUBPROTOCOL_V2, TUNNEL_LEASE_MS } from "../protocol/limits.ts";
import type { AcceptOptions, SessionAcceptor } from "../session/acceptor.ts";
import type { Session } from "../session/session.ts";
import type { FileNames } from "../storage/file_names.ts";
import type { FileRef, FileStore } from "../storage/file_store.ts";
import type { OpenPipes } from "./open_pipes.ts";
import type { TunnelHost } from "./tunnel_host.ts";
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
  /** The host[:port] that a client asked for, behind trusted proxies. */
  readonly requestedHost: (remoteAddress: string, headers: Headers) => string;
  readonly tunnels: TunnelHost;
  /** What clients of wasimoff_v1 may ask for. */
  readonly tasks: TasksV1;
  /** What providers of wasimoff_v1 are told. */
  readonly cluster: ClusterV1;
  /** Where connections of wasimoff_v1 are entered, which end with the broker. */
  readonly pipes: OpenPipes;
  readonly logger: Logger;
}

/** Subprotocols of both endpoints in our order of preference. */
export const PROTOCOLS: readonly string[] = [SUBPROTOCOL_V2, SUBPROTOCOL_V1_BINARY, SUBPROTOCOL_V1_JSON];

const PROVIDER_PATH = "/api/provider/ws";
const CLIENT_PATH = "/api/client/ws";
const TUNNEL_PATH = "/api/tunnel/ws";
/** Length of the digest that identifies the owner of a token; other identities are words. */
const TOKEN_DIGEST_CHARS = 64;

type AcceptV1 = NonNullable<WebSocketRoute["acceptV1"]>;

export function brokerRoutes(options: BrokerRoutesOptions): Readonly<Record<string, WebSocketRoute>> {
  const { broker, acceptor, files, names, storagePath, identify, clientAddress, logger } = options;

  const resolve = async (nameOrRef: string): Promise<FileRef> => {
    const ref = names.resolve(nameOrRef);
    if (ref !== null && await files.stat(ref) !== null) return ref;
    throw new WasimoffError("not_found", `file "${nameOrRef}" is not stored at the broker: upload it`);
  };
  const client = { broker, resolve, pin: (ref: FileRef) => files.pin(ref) };
  const addressOf = ({ remoteAddress, headers }: UpgradeRequest) =>
    clientAddress(remoteAddress, headers.get("x-forwarded-for"));

  const route = (
    accept: Pick<AcceptOptions, "endpoint" | "leaseMs">,
    serve: (session: Session, logger: Logger, peer: TunnelPeer) => void,
  ): Pick<WebSocketRoute, "protocols" | "accept"> => ({
    protocols: PROTOCOLS,
    accept: (connection, request) => {
      const { remoteAddress, headers } = request;
      const address = addressOf(request);
      void acceptor.accept(connection, {
        ...accept,
        peer: addressGroup(address),
        authenticate: ({ token }) => void identify({ remoteAddress, headers }, token || undefined),
        opened: (session, { token }) => {
          const identity = identify({ remoteAddress, headers }, token || undefined);
          serve(session, logger.with({ address }), {
            host: options.requestedHost(remoteAddress, headers),
            address,
            token: identity.length === TOKEN_DIGEST_CHARS ? identity : "",
          });
        },
      });
    },
  });

  return {
    [PROVIDER_PATH]: {
      ...route(
        { endpoint: PROVIDER_PATH, leaseMs: PROVIDER_LEASE_MS },
        (session, logger) => serveProvider(session, { broker, storagePath, logger }),
      ),
      authorize: (request) => authorizeProvider(request, options),
      acceptV1: acceptProviderV1(options, addressOf),
    },
    // Pages of any origin may ask (wasimoff-v1 3.1): those that are not ours need a token.
    [CLIENT_PATH]: {
      ...route(
        { endpoint: CLIENT_PATH, leaseMs: CLIENT_LEASE_MS },
        (session) => serveClient(session, client),
      ),
      authorize: (request) => void identifyV1(request, options),
      acceptV1: (pipe, request) => {
        options.pipes.add(pipe);
        const identity = identifyV1(request, options);
        serveClientV1(pipe, request.encoding, { tasks: options.tasks, identity, logger });
      },
    },
    [TUNNEL_PATH]: {
      ...route(
        { endpoint: TUNNEL_PATH, leaseMs: TUNNEL_LEASE_MS },
        (session, _, peer) => options.tunnels.serve(session, peer),
      ),
      protocols: [SUBPROTOCOL_V2],
      authorize: () => {}, // by the hello
    },
  };
}

function authorizeProvider(request: UpgradeRequest, options: BrokerRoutesOptions): void {
  const { headers, protocol } = request;
  if (protocol !== SUBPROTOCOL_V2 && !headers.get("user-agent")) {
    throw new WasimoffError("invalid_argument", "no user-agent"); // wasimoff-v1 3.2
  }
  if (!options.allowsOrigin(headers.get("origin"), headers.get("host"))) {
    throw new WasimoffError(
      "permission_denied",
      "pages of this origin may not provide: see --allowed-origins",
    );
  }
  identifyV1(request, options);
}

/** Peers of our own generation say who they are in their hello; who speaks no protocol of ours is not let in. */
function identifyV1(request: UpgradeRequest, { identify }: BrokerRoutesOptions): Identity {
  const { remoteAddress, headers, protocol } = request;
  if (protocol === SUBPROTOCOL_V2 || protocol === null) return "";
  return identify({ remoteAddress, headers }, tokenInUrl(request));
}

function acceptProviderV1(
  { broker, cluster, files, pipes, identify, logger }: BrokerRoutesOptions,
  addressOf: (request: UpgradeRequest) => string,
): AcceptV1 {
  /** Whether it is let in without a token, which existing providers do not send when they fetch files. */
  const canFetch = ({ remoteAddress, headers }: UpgradeRequest): boolean => {
    try {
      identify({ remoteAddress, headers }, "");
      return true;
    } catch {
      return false; // told so when it connected, if it gave no token either
    }
  };
  return (pipe, request) => {
    pipes.add(pipe);
    serveProviderV1(pipe, {
      broker,
      cluster,
      encoding: request.encoding,
      name: request.url.searchParams.get("id") ?? "",
      files,
      inlineFiles: canFetch(request) ? null : files,
      logger: logger.with({ address: addressOf(request) }),
    });
  };
}
