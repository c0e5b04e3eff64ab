/** Says who a caller is: the owner of names, or nobody we let in. */

import { WasimoffError } from "../../errors.ts";
import { type Caller, isLocal } from "./loopback_rule.ts";
import type { Tokens } from "./tokens.ts";

/** `local`, `anonymous` (only under `--open`), or the hex SHA-256 of a token. */
export type Identity = string;

export interface IdentifierOptions {
  /** null when the broker knows none. */
  readonly tokens: Tokens | null;
  /** Everybody may come in, those without a token as `anonymous`. */
  readonly open: boolean;
  /** Hosts of the loopback rule (LOOPBACK_HOSTS and the broker's own names), lower case, without port. */
  readonly knownHosts: ReadonlySet<string>;
  /** Whether a TCP peer is a trusted proxy: it speaks for somebody else, also when it does not say for whom. */
  readonly isProxy: (remoteAddress: string) => boolean;
}

export class Identifier {
  readonly #options: IdentifierOptions;

  constructor(options: IdentifierOptions) {
    this.#options = options;
  }

  /**
   * The caller's identity. A token counts first, even for local callers, so that names keep their owner; a wrong
   * one is refused. A broker without tokens ignores what it is given. `token` is for callers that give it
   * elsewhere (the hello); without it `Authorization: Bearer` is read. Throws `unauthenticated`.
   */
  identify(caller: Caller, token: string = bearerToken(caller.headers)): Identity {
    const { tokens, open, knownHosts, isProxy } = this.#options;
    if (token !== "" && tokens !== null) {
      const identity = tokens.identify(token);
      if (identity === null) throw new WasimoffError("unauthenticated", "token is not known to this broker");
      return identity;
    }
    if (!isProxy(caller.remoteAddress) && isLocal(caller, knownHosts)) return "local";
    if (open) return "anonymous";
    throw new WasimoffError(
      "unauthenticated",
      "token is missing: give one with --token-file or WASIMOFF_TOKEN",
    );
  }
}

/** The token of `Authorization: Bearer`, empty when there is none. */
function bearerToken(headers: Headers): string {
  return /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1] ?? "";
}
