/** The flags of `wasimoff broker`. */

import { DEFAULT_POLLS_PER_ADDRESS } from "../core/rendezvous/rendezvous.ts";
import { COMMON_FLAGS } from "./common_flags.ts";
import {
  commaList,
  count,
  duration,
  listenAddress,
  listenAddressOrOff,
  portRange,
  text,
  toggle,
} from "./flag_kinds.ts";
import { flag } from "./flags.ts";

/** Tasks that may wait at a broker unless it is told otherwise: some seconds of work for a thousand slots. */
const DEFAULT_MAX_QUEUE = 10_000;
/** How long running tasks may take to end after the first signal. */
const DEFAULT_DRAIN_MS = 30_000;

/** Who the broker is, over QUIC and HTTPS. */
export const CERTIFICATE_FLAGS = {
  cert: flag(text, "certificate in PEM [a fresh one]", {
    placeholder: "F",
    default: null,
    legacyEnvironment: ["WASIMOFF_QUIC_CERT", "WASIMOFF_HTTP_CERT"],
  }),
  key: flag(text, "its key in PEM", {
    placeholder: "F",
    default: null,
    legacyEnvironment: ["WASIMOFF_QUIC_KEY", "WASIMOFF_HTTP_KEY"],
  }),
  https: flag(toggle, "serve HTTPS instead of HTTP", {
    default: false,
    legacyEnvironment: ["WASIMOFF_HTTPS"],
  }),
  transportUrl: flag(text, "where clients reach --quic", {
    placeholder: "URL",
    default: null,
    legacyEnvironment: ["WASIMOFF_TRANSPORT_URL"],
  }),
  acmeHostnames: flag(commaList, "get a certificate for these", { placeholder: "A,...", default: [] }),
  acmeEmail: flag(text, "where its authority may write", { placeholder: "E", default: null }),
  acmeCertCache: flag(text, "keeps it", { placeholder: "DIR", default: "acme-cert-cache" }),
  acmeDirectory: flag(text, "authority [Let's Encrypt]", { placeholder: "URL", default: null }),
  acmeHttp: flag(listenAddress, "where it asks for us", { default: { host: null, port: 80 } }),
};

/** Services behind firewalls. */
export const TUNNEL_FLAGS = {
  tunnelDomain: flag(text, "its sub-domains are tunnels", { placeholder: "D", default: null }),
  tcpPorts: flag(portRange, "public ports of TCP tunnels", { default: null }),
  publicUrl: flag(commaList, "URLs that lead here", { placeholder: "URL,...", default: [] }),
};

/** Introducing peers, as the Snowflake broker does. */
export const RENDEZVOUS_FLAGS = {
  rendezvous: flag(toggle, "introduce peers here, too", { default: false }),
  rendezvousAddr: flag(listenAddress, "also there, with TLS", { default: null }),
  disableTls: flag(toggle, "or without", { default: false }),
  bridgeListPath: flag(text, "bridges, JSON lines [Tor]", { placeholder: "F", default: null }),
  allowedRelayPattern: flag(text, "proxies must allow [Tor]", { placeholder: "P", default: null }),
  defaultRelayPattern: flag(text, "of those that say none", { placeholder: "P", default: "" }),
  rendezvousPolls: flag(count(1), "polls of an address", { default: DEFAULT_POLLS_PER_ADDRESS }),
  rendezvousMetricsLog: flag(text, "for numbers of each day", { placeholder: "F", default: null }),
  unsafeLogging: flag(toggle, "log addresses and offers", { default: false }),
};

export const BROKER_COMMAND_FLAGS = {
  http: flag(listenAddress, "where to listen", {
    default: { host: "localhost", port: 4080 },
    legacyEnvironment: ["WASIMOFF_HTTP_LISTEN"],
  }),
  quic: flag(listenAddressOrOff, "WebTransport", {
    default: { host: "localhost", port: 4443 },
    legacyEnvironment: ["WASIMOFF_QUIC_LISTEN"],
  }),
  ...CERTIFICATE_FLAGS,
  ...TUNNEL_FLAGS,
  ...RENDEZVOUS_FLAGS,
  grpc: flag(listenAddress, "serve gRPC there, over HTTP/2", { default: null }),
  open: flag(toggle, "let anybody in without a token", { default: false }),
  tokenFile: flag(text, "tokens let in, one a line", { placeholder: "F", default: null }),
  storage: flag(text, "where files are kept", {
    placeholder: ":memory:|DIR",
    default: ":memory:",
    legacyEnvironment: ["WASIMOFF_FILESTORAGE"],
  }),
  maxQueue: flag(count(0), "tasks that may wait", { default: DEFAULT_MAX_QUEUE }),
  drain: flag(duration, "wait so long when leaving", { default: DEFAULT_DRAIN_MS }),
  allowedOrigins: flag(commaList, "origins of web pages let in", {
    placeholder: "P,...",
    default: [],
    legacyEnvironment: ["WASIMOFF_ALLOWED_ORIGINS"],
  }),
  trustedProxies: flag(commaList, "proxies whose headers count", { placeholder: "CIDR,...", default: [] }),
  ...COMMON_FLAGS,
};
