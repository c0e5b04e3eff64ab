/** Where the broker is and how we prove that we may talk to it. */

import { WasimoffError } from "../core/errors.ts";
import { readOperatorFile } from "../core/host/operator_file.ts";
import type { ReadVariable } from "./config_file.ts";
import type { ValueSource } from "./flags.ts";
import { didYouMean } from "./suggest.ts";
import { usageError } from "./usage_error.ts";

/** The two faces of one broker. Both URLs end with a slash; paths are resolved against them. */
export interface BrokerAddress {
  readonly http: URL;
  readonly webSocket: URL;
}

const SCHEMES: Readonly<Record<string, string>> = { "http:": "ws:", "https:": "wss:" };

/** Longest token file that is read, bytes: far above any token, far below a file given by mistake. */
const MAX_TOKEN_FILE_BYTES = 64 * 1024;

/** Reads `--url`; `ws` and `wss` mean the same broker as `http` and `https`. */
export function parseBrokerUrl(text: string): BrokerAddress {
  const url = URL.parse(text);
  if (url === null || !/^(http|ws)s?:$/.test(url.protocol)) {
    const hint = /^(\[[0-9a-f:]+\]|[\w.-]+)(:\d+)?(\/|$)/i.test(text)
      ? `: did you mean "http://${text}"?`
      : didYouMean(url?.protocol ?? "", [...Object.keys(SCHEMES), ...Object.values(SCHEMES)]);
    throw usageError(`"${text}" is no URL of a broker${hint || ': write "http://localhost:4080"'}`);
  }
  if (url.username !== "" || url.password !== "" || url.searchParams.has("token")) {
    throw usageError("the URL of the broker holds a secret: put it into a file and give --token-file");
  }
  if (url.search !== "" || url.hash !== "") {
    throw usageError(`the URL of the broker has a query or a fragment: leave "${url.search}${url.hash}" out`);
  }
  const http = new URL(url.href.replace(/^ws/, "http"));
  if (!http.pathname.endsWith("/")) http.pathname += "/";
  return { http, webSocket: new URL(http.href.replace(/^http/, "ws")) };
}

/** The token: `--token-file`, then `WASIMOFF_TOKEN`, then a token file from elsewhere; null without any. */
export async function readToken(
  tokenFile: string | null,
  source: ValueSource,
  variable: ReadVariable,
): Promise<string | null> {
  const token = variable("WASIMOFF_TOKEN")?.trim();
  if (token && source !== "flag") return token;
  if (tokenFile === null) return null;
  const limit = { bytes: MAX_TOKEN_FILE_BYTES, message: "it is too large for a token file" };
  const text = await readOperatorFile(tokenFile, { what: "token file", limit });
  const line = text.split("\n", 1)[0]!.trim();
  if (line !== "") return line;
  throw new WasimoffError(
    "failed_precondition",
    `token file "${tokenFile}" is empty: put the token on its first line`,
  );
}
