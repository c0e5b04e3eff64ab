/** Everything between us and a broker, in order: its name, TCP, TLS, HTTP, WebSocket, UDP, QUIC, WebTransport. */

import { type Transport, TransportChoice } from "../../transport/transport_choice.ts";
import type { BrokerAccess, BrokerUrls } from "../dial_broker.ts";
import { checkCertificate, checkConfig } from "./check_config.ts";
import { checkEndpoint } from "./check_endpoint.ts";
import { checkClock, checkHttp, checkToken } from "./check_http.ts";
import { checkName } from "./check_name.ts";
import { checkQuic } from "./check_quic.ts";
import { checkTcp } from "./check_tcp.ts";
import { checkTls } from "./check_tls.ts";
import { checkUdp } from "./check_udp.ts";
import { type CheckOptions, Diagnosis, type Step } from "./diagnosis.ts";

export interface DiagnoseOptions {
  readonly broker: BrokerUrls;
  /** null for none. */
  readonly token: string | null;
  /** Program and version, told to the broker. */
  readonly agent: string;
  readonly access: BrokerAccess;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** No check takes longer; they overlap, and what follows from one that took as long is skipped. */
const CHECK_LIMIT_MS = 3_000;
/** All of them together. */
const WHOLE_LIMIT_MS = 14_000;

/** The checks that show that a transport works, by what they are called among the findings. */
export const TRANSPORT_CHECKS: Readonly<Record<Transport, string>> = {
  websocket: "websocket",
  webtransport: "webtransport",
};

/** Begins all checks; their findings are to be read to the end. */
export function diagnose(options: DiagnoseOptions): Diagnosis {
  const { broker: { http: url }, token, access: { trust }, now } = options;
  const diagnosis = new Diagnosis(AbortSignal.any([options.signal, AbortSignal.timeout(WHOLE_LIMIT_MS)]));
  const name = diagnosis.check("dns", needing(), () => checkName(url));
  const tcp = diagnosis.check("tcp", needing(name), (signal) => checkTcp(url, signal));
  const reached = url.protocol === "http:"
    ? tcp
    : diagnosis.check("tls", needing(tcp), (signal) => checkTls(url, { trust, now: now(), signal }));
  const http = diagnosis.check(
    "http",
    needing(reached),
    (signal) => checkHttp(url, { token, trust, now, signal }),
  );
  diagnosis.check("clock", needing(http), (_, answer) => Promise.resolve(checkClock(answer)));
  diagnosis.check("token", needing(http), (signal) => checkToken(url, { token, trust, now, signal }));
  diagnosis.check("websocket", needing(reached), (signal) => checkOver("websocket", options, signal));
  checkUpToWebTransport(diagnosis, reached, options);
  return diagnosis;
}

function checkUpToWebTransport(
  diagnosis: Diagnosis,
  reached: Step<true>,
  options: DiagnoseOptions,
): void {
  const { broker: { http: url }, token, access: { trust }, now } = options;
  const config = diagnosis.check(
    "config",
    needing(reached),
    (signal) => checkConfig(url, { token, trust, timeoutMs: CHECK_LIMIT_MS, signal }),
  );
  diagnosis.check(
    "certificate",
    needing(config),
    (_, said) => Promise.resolve(checkCertificate(said, { trust, now: now() })),
  );
  const udp = diagnosis.check("udp", needing(config), (signal, { transport }) => checkUdp(transport, signal));
  const quic = diagnosis.check(
    "quic",
    needing(config, udp),
    (signal, said) => checkQuic(said, { trust, signal }),
  );
  diagnosis.check("webtransport", needing(quic), (signal) => checkOver("webtransport", options, signal));
}

function needing<const D extends readonly Step<unknown>[]>(...needs: D): CheckOptions<D> {
  return { needs, limitMs: CHECK_LIMIT_MS };
}

function checkOver(transport: Transport, options: DiagnoseOptions, signal: AbortSignal) {
  const access = { ...options.access, transport, choice: new TransportChoice({ now: options.now }) };
  return checkEndpoint({ ...options, access, signal });
}
