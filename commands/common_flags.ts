/** The flags that every command has, and those of every command that talks to a broker. */

import { certHashes } from "./cert_hash.ts";
import { choice, text, toggle } from "./flag_kinds.ts";
import { flag } from "./flags.ts";

export const COMMON_FLAGS = {
  config: flag(text, "[~/.config/wasimoff/config.json]", { placeholder: "FILE", default: null }),
  log: flag(choice("text", "json"), "form of our messages", { default: "text" }),
  quiet: flag(toggle, "only warnings and errors", { short: "q", default: false }),
  verbose: flag(toggle, "details and causes too", { short: "v", default: false }),
};

/** Where a broker is when nobody says. */
export const DEFAULT_URL = "http://localhost:4080";

export const BROKER_FLAGS = {
  url: flag(text, "the broker", { placeholder: "URL", default: DEFAULT_URL, environment: ["WASIMOFF_URL"] }),
  tokenFile: flag(text, "file whose first line is the token", {
    placeholder: "F",
    default: null,
    environment: ["WASIMOFF_TOKEN_FILE"],
  }),
  transport: flag(choice("auto", "webtransport", "websocket"), "auto|webtransport|websocket", {
    placeholder: "WAY",
    default: "auto",
  }),
  ca: flag(text, "CAs to trust, too, in PEM", { placeholder: "FILE", default: null }),
  certHash: flag(certHashes, "certificate of the broker", { default: [] }),
};

/** Help's last line for commands with `BROKER_FLAGS`. */
export const BROKER_NOTE = "Also read: WASIMOFF_URL, WASIMOFF_TOKEN_FILE, WASIMOFF_TOKEN (the token itself)";

export const JSON_FLAG = { json: flag(toggle, "print JSON", { default: false }) };
