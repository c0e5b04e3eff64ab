/** What proxies say and are told (snowflake 3.1 and 3.2). */

import { MessageError } from "./message_error.ts";
import { messageFields } from "./message_fields.ts";
import { type Nat, parseNat } from "./nat.ts";

export const PROXY_TYPES = ["standalone", "webext", "badge", "iptproxy"] as const;
export type ProxyType = (typeof PROXY_TYPES)[number] | "unknown";

export interface ProxyPoll {
  readonly sid: string;
  readonly type: ProxyType;
  readonly nat: Nat;
  /** Clients it serves already. */
  readonly clients: number;
  /** null for proxies from before there were relay URLs. */
  readonly relayPattern: string | null;
}

export interface ProxyAnswer {
  readonly sid: string;
  readonly answer: string;
}

/** Longest Sid that is kept: real ones have 22 characters. */
const MAX_SID_CHARS = 256;

/** Reads a poll; throws MessageError. */
export function parseProxyPoll(text: string): ProxyPoll {
  const { sid, version, type, nat, clients, acceptedrelaypattern } = messageFields(text, {
    ...{ sid: "", version: "", type: "", nat: "", clients: 0 },
    acceptedrelaypattern: null,
  });
  checkPeer(sid, version);
  const known = parseNat(nat);
  if (known === null) throw new MessageError("invalid NAT type");
  return {
    sid,
    type: PROXY_TYPES.find((name) => name === type) ?? "unknown",
    nat: known,
    clients,
    relayPattern: acceptedrelaypattern,
  };
}

/** Reads an answer; throws MessageError. */
export function parseProxyAnswer(text: string): ProxyAnswer {
  const { sid, version, answer } = messageFields(text, { sid: "", version: "", answer: "" });
  checkPeer(sid, version);
  if (answer === "") throw new MessageError("no supplied answer");
  return { sid, answer };
}

function checkPeer(sid: string, version: string): void {
  if (version.split(".", 1)[0] !== "1") throw new MessageError("using unknown version");
  if (sid === "" || sid.length > MAX_SID_CHARS) throw new MessageError("no supplied session id");
}

export interface ProxyMatch {
  readonly offer: string;
  /** Of the client. */
  readonly nat: Nat;
  readonly relayUrl: string;
}

/** The answer to a poll: a match, or why there is none. All four fields are always there. */
export function encodePollAnswer(end: ProxyMatch | "no match" | "incorrect relay pattern"): string {
  if (typeof end === "string") return JSON.stringify({ Status: end, Offer: "", NAT: "", RelayURL: "" });
  return JSON.stringify({ Status: "client match", Offer: end.offer, NAT: end.nat, RelayURL: end.relayUrl });
}

/** The answer to an answer. */
export function encodeAnswerReceipt(delivered: boolean): string {
  return JSON.stringify({ Status: delivered ? "success" : "client gone" });
}
