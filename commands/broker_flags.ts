/** The flags of `wasimoff broker`. */

import { COMMON_FLAGS } from "./common_flags.ts";
import { commaList, count, duration, listenAddress, portRange, text, toggle } from "./flag_kinds.ts";
import { flag } from "./flags.ts";

/** Tasks that may wait at a broker unless it is told otherwise: some seconds of work for a thousand slots. */
const DEFAULT_MAX_QUEUE = 10_000;
/** How long running tasks may take to end after the first signal. */
const DEFAULT_DRAIN_MS = 30_000;

export const BROKER_COMMAND_FLAGS = {
  http: flag(listenAddress, "where to listen", {
    default: { host: "localhost", port: 4080 },
    legacyEnvironment: ["WASIMOFF_HTTP_LISTEN"],
  }),
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
  tcpPorts: flag(portRange, "public ports of TCP tunnels", { default: null }),
  trustedProxies: flag(commaList, "proxies whose headers count", { placeholder: "CIDR,...", default: [] }),
  ...COMMON_FLAGS,
};
