/** The rendezvous of a broker: its state, its clock, its files, and its listener. */

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { addressGroup } from "../broker/identity/address_group.ts";
import { WasimoffError } from "../errors.ts";
import { GroupCount } from "../group_count.ts";
import type { Logger } from "../log.ts";
import { type BridgeList, DEFAULT_BRIDGES, parseBridgeList } from "../rendezvous/bridge_list.ts";
import { MeetingPoint } from "../rendezvous/meeting_point.ts";
import { Rendezvous, type RendezvousPeer } from "../rendezvous/rendezvous.ts";
import { scrubbed } from "../rendezvous/scrub.ts";
import { type Credentials, type HttpInterceptor, type HttpServer, serveHttp } from "./http_server.ts";
import type { ListenAddress } from "./listen_on.ts";
import { readOperatorFile } from "./operator_file.ts";
import { RendezvousHttp, type TextPage } from "./rendezvous_http.ts";
import { RendezvousMetrics } from "./rendezvous_metrics.ts";

/** What an operator may choose. */
export interface RendezvousOptions {
  /** Whether the broker's own listener serves it. */
  readonly shared: boolean;
  /** A listener of its own beside that; null for none. */
  readonly listen: (ListenAddress & { readonly tls: boolean }) | null;
  /** A file of JSON lines; null for the one bridge that everybody knows. */
  readonly bridgeListPath: string | null;
  readonly allowedRelayPattern: string;
  readonly defaultRelayPattern: string;
  readonly pollsPerAddress: number;
  /** Gets the numbers of each day; null for nowhere. */
  readonly metricsLog: string | null;
  /** Leaves addresses and session descriptions in the log. */
  readonly unsafeLogging: boolean;
}

export interface RendezvousHostOptions extends RendezvousOptions {
  /** To be there when the own listener speaks TLS. */
  readonly credentials: Credentials | null;
  /** The address behind trusted proxies. */
  readonly clientAddress: (remoteAddress: string, forwardedFor: string | null) => string;
  readonly isProxy: (address: string) => boolean;
  readonly logger: Logger;
}

/** What waited too long is looked for this often; one timer serves thousands of polls. */
const EXPIRE_INTERVAL_MS = 100;
/** Period of the log's numbers. */
const PERIOD_SECONDS = 86_400;
/** Polls that wait at once: 20,000 connections is what an HTTP server takes. */
const MAX_POLLS = 16_384;
/** Peers of a name that wait at once, whose offers are kept meanwhile: about 200 MB of the longest ones. */
const MAX_PEERS = 2_048;
/** Most of a log that is shown, bytes: years of it. */
const MAX_METRICS_LOG_BYTES = 4 * 1024 * 1024;
/** Bytes in the id of a meeting. */
const MEETING_ID_BYTES = 16;

export class RendezvousHost implements AsyncDisposable {
  /** Takes the paths of the rendezvous from the broker's own listener; null when it does not serve them. */
  readonly interceptor: HttpInterceptor | null;
  readonly #rendezvous: Rendezvous;
  readonly #meetings: MeetingPoint;
  readonly #server: HttpServer | null;
  readonly #tls: boolean;
  readonly #faces: readonly RendezvousHttp[];
  readonly #timers: readonly ReturnType<typeof setInterval>[];

  private constructor(parts: Parts, options: RendezvousHostOptions) {
    this.interceptor = options.shared ? parts.shared : null;
    this.#rendezvous = parts.rendezvous;
    this.#meetings = parts.meetings;
    this.#server = parts.server;
    this.#faces = [parts.shared, parts.own];
    this.#tls = options.listen?.tls ?? false;
    this.#timers = [
      setInterval(() => {
        parts.rendezvous.expire();
        parts.meetings.expire();
        for (const face of this.#faces) face.expire();
      }, EXPIRE_INTERVAL_MS),
      setInterval(() => void endPeriod(parts.rendezvous, options), PERIOD_SECONDS * 1_000),
    ];
  }

  /** Rejects with `failed_precondition` for a file or an address that cannot be used. */
  static async start(options: RendezvousHostOptions): Promise<RendezvousHost> {
    const logger = options.unsafeLogging ? options.logger : scrubbed(options.logger);
    const now = () => performance.now();
    const { pollsPerAddress, allowedRelayPattern, defaultRelayPattern } = options;
    const rendezvous = new Rendezvous({
      bridges: await readBridges(options.bridgeListPath),
      ...{ allowedRelayPattern, defaultRelayPattern, pollsPerAddress, now, logger },
      maxPolls: MAX_POLLS,
    });
    const meetings = new MeetingPoint({ now, makeId, maxPeers: MAX_PEERS });
    if (options.metricsLog !== null) await createMetricsLog(options.metricsLog);
    const metrics = new RendezvousMetrics(rendezvous);
    const face = {
      ...{ rendezvous, meetings, logger },
      meetingShares: new GroupCount(pollsPerAddress),
      identifyPeer: peerIdentifier(options),
      prometheus: () => metrics.page(),
    };
    const shared = new RendezvousHttp({ ...face, metricsLog: null });
    const own = new RendezvousHttp({ ...face, metricsLog: () => readMetricsLog(options.metricsLog) });
    const server = options.listen && await listen(own, options.listen, { ...options, logger });
    return new RendezvousHost({ rendezvous, meetings, shared, own, server }, { ...options, logger });
  }

  /** Of the listener of its own, with the real port; null without one. */
  get address(): ListenAddress | null {
    return this.#server?.address ?? null;
  }

  /** Further handshakes of the own listener get this certificate. */
  setCredentials(credentials: Credentials): void {
    if (this.#tls) this.#server?.setCredentials(credentials);
  }

  /** Ends all that waits and stops to listen. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const face of this.#faces) face.close();
    this.#rendezvous.close();
    this.#meetings.close();
    await this.#server?.close({ graceMs: 1_000 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Parts {
  readonly rendezvous: Rendezvous;
  readonly meetings: MeetingPoint;
  readonly shared: RendezvousHttp;
  readonly own: RendezvousHttp;
  readonly server: HttpServer | null;
}

function listen(
  face: RendezvousHttp,
  { tls, ...address }: NonNullable<RendezvousOptions["listen"]>,
  { credentials, logger }: RendezvousHostOptions,
): Promise<HttpServer> {
  if (tls && credentials === null) throw new TypeError("rendezvous has no certificate");
  return serveHttp({
    ...address,
    ...(tls && { credentials: credentials! }),
    interceptor: {
      takes: () => true,
      request: (incoming, outgoing) => face.request(incoming, outgoing),
      upgrade: (incoming, socket) => face.upgrade(incoming, socket),
    },
    fetch: () => new Response(null, { status: 404 }),
    logger,
  });
}

/**
 * Who asks, worked out once for each connection unless a proxy speaks for others. Trusted proxies that do not say for
 * whom they poll have no bound, as this machine has none.
 */
function peerIdentifier({ clientAddress, isProxy }: RendezvousHostOptions) {
  const known = new WeakMap<Socket, RendezvousPeer>();
  return ({ socket, headers }: IncomingMessage): RendezvousPeer => {
    const forwardedFor = headers["x-forwarded-for"];
    const found = forwardedFor === undefined ? known.get(socket) : undefined;
    if (found !== undefined) return found;
    const address = clientAddress(
      socket.remoteAddress ?? "",
      forwardedFor === undefined ? null : String(forwardedFor),
    );
    const peer = { address, share: isProxy(address) ? null : addressGroup(address) };
    if (forwardedFor === undefined) known.set(socket, peer);
    return peer;
  };
}

async function readBridges(path: string | null): Promise<BridgeList> {
  if (path === null) return DEFAULT_BRIDGES;
  return parseBridgeList(await readOperatorFile(path, { what: "bridge list" }));
}

function makeId(): string {
  return crypto.getRandomValues(new Uint8Array(MEETING_ID_BYTES)).toHex();
}

async function endPeriod(
  rendezvous: Rendezvous,
  { metricsLog, logger }: RendezvousHostOptions,
): Promise<void> {
  const block = rendezvous.counts.endPeriod(new Date(), PERIOD_SECONDS);
  if (metricsLog === null) return;
  try {
    await Deno.writeTextFile(metricsLog, block, { append: true });
  } catch (error) {
    logger.error("cannot write the metrics log of the rendezvous", { error });
  }
}

/** So that what is wrong with it shows now, not after a day. */
async function createMetricsLog(path: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, "", { append: true });
  } catch (cause) {
    const { message } = WasimoffError.from(cause);
    throw new WasimoffError("failed_precondition", `open metrics log "${path}": ${message}`, { cause });
  }
}

/** The end of the log; null when there is none. */
async function readMetricsLog(path: string | null): Promise<TextPage | null> {
  if (path === null) return null;
  using file = await Deno.open(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return null; // moved away since the last period
    throw error;
  });
  if (file === null) return null;
  const { size } = await file.stat();
  const start = Math.max(0, size - MAX_METRICS_LOG_BYTES);
  await file.seek(start, Deno.SeekMode.Start);
  const bytes = new Uint8Array(size - start);
  let length = 0;
  for (;;) {
    const read = await file.read(bytes.subarray(length));
    if (read === null || read === 0) break;
    length += read;
  }
  return {
    contentType: "text/plain; charset=utf-8",
    text: new TextDecoder().decode(bytes.subarray(0, length)),
  };
}
