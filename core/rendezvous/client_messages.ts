/** What clients say and are told (snowflake 3.3 and 3.4). */

import { DEFAULT_FINGERPRINT, parseFingerprint } from "./fingerprint.ts";
import { MessageError } from "./message_error.ts";
import { messageFields } from "./message_fields.ts";
import { type Nat, parseNat } from "./nat.ts";

export interface ClientOffer {
  /** Opaque; carried as it is. */
  readonly offer: string;
  readonly nat: Nat;
  /** Of the bridge, hex in upper case. */
  readonly fingerprint: string;
}

/** Reads a versioned message: `1.0`, a line feed, JSON. Throws MessageError in the words that clients show. */
export function parseClientOffer(text: string): ClientOffer {
  const end = text.indexOf("\n");
  if (end < 0 || text.slice(0, end) !== "1.0") throw new MessageError("unsupported message version");
  const { offer, nat, fingerprint } = messageFields(text.slice(end + 1), {
    offer: "",
    nat: "",
    fingerprint: "",
  });
  if (offer === "") throw new MessageError("no supplied offer");
  const bridge = fingerprint === "" ? DEFAULT_FINGERPRINT : parseFingerprint(fingerprint);
  if (bridge === null) throw new MessageError("cannot decode fingerprint");
  return { offer, nat: checkNat(nat), fingerprint: bridge };
}

/** Whether a body is one of clients from before there were versions: the session description itself. */
export function isLegacyOffer(text: string): boolean {
  return text.startsWith("{");
}

/** Reads a legacy message; `nat` is its `Snowflake-NAT-Type` header. Throws MessageError. */
export function parseLegacyOffer(text: string, nat: string): ClientOffer {
  return { offer: text, nat: checkNat(nat), fingerprint: DEFAULT_FINGERPRINT };
}

function checkNat(text: string): Nat {
  const nat = parseNat(text);
  if (nat === null) throw new MessageError("invalid NAT type");
  return nat;
}

/** How the offer of a client ends. */
export type OfferEnd = { readonly answer: string } | "denied" | "timeout";

export const NO_PROXY = "no snowflake proxies currently available";
export const NO_ANSWER = "timed out waiting for answer!";

/** The answer to a versioned offer. */
export function encodeOfferAnswer(end: OfferEnd): string {
  if (end === "denied") return encodeOfferError(NO_PROXY);
  if (end === "timeout") return encodeOfferError(NO_ANSWER);
  return JSON.stringify({ answer: end.answer });
}

export function encodeOfferError(error: string): string {
  return JSON.stringify({ error });
}
