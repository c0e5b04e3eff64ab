/** The flags of `wasimoff tunnel`. */

import { BROKER_FLAGS, COMMON_FLAGS } from "./common_flags.ts";
import { count, listenAddress, repeated, text } from "./flag_kinds.ts";
import { flag } from "./flags.ts";

export const TUNNEL_FLAGS = {
  name: flag(text, "its public name", { placeholder: "N", default: null }),
  identity: flag(text, "our key [~/.config/wasimoff/tunnel-key.pem]", { placeholder: "F", default: null }),
  hostHeader: flag(text, "Host that the service is told", { placeholder: "H", default: null }),
  auth: flag(text, "user:password let in, one a line", { placeholder: "FILE", default: null }),
  allowCidr: flag(repeated, "addresses let in", { placeholder: "C", default: [] }),
  inspect: flag(listenAddress, "show HTTP requests there", { default: null }),
  port: flag(count(1), "public port of a TCP tunnel", { default: null }),
  ...BROKER_FLAGS,
  ...COMMON_FLAGS,
};
