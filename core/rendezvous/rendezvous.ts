/** The rendezvous behind its HTTP face: from the text of a request to the reply, at once or later (snowflake 2). */

import { GroupCount } from "../group_count.ts";
import type { Logger } from "../log.ts";
import { decodeAmpPath } from "./amp_path.ts";
import { ampPage } from "./amp_page.ts";
import type { BridgeList } from "./bridge_list.ts";
import {
  type ClientOffer,
  encodeOfferAnswer,
  encodeOfferError,
  isLegacyOffer,
  type OfferEnd,
  parseClientOffer,
  parseLegacyOffer,
} from "./client_messages.ts";
import { type Leave, Matcher } from "./matcher.ts";
import { MessageError } from "./message_error.ts";
import { encodeAnswerReceipt, encodePollAnswer, parseProxyAnswer, parseProxyPoll } from "./proxy_messages.ts";
import { covers, parseRelayPattern, type RelayPattern } from "./relay_pattern.ts";
import { debugText, RendezvousCounts } from "./rendezvous_counts.ts";

export interface RendezvousOptions {
  readonly bridges: BridgeList;
  /** A proxy must accept all relays of this pattern. */
  readonly allowedRelayPattern: string;
  /** Stands for the pattern of proxies that say none. */
  readonly defaultRelayPattern: string;
  readonly pollsPerAddress: number;
  readonly maxPolls: number;
  readonly now: () => number;
  readonly logger: Logger;
}

/** Who asks. */
export interface RendezvousPeer {
  /** For counting only. */
  readonly address: string;
  /** Under which its polls share a bound; null for peers without one. */
  readonly share: string | null;
}

export interface RendezvousReply {
  readonly status: number;
  readonly body: string;
}

/** Called once, unless the peer leaves before. */
export type Respond = (reply: RendezvousReply) => void;

/** Polls that one address may have waiting unless the operator says otherwise: a large household of proxies. */
export const DEFAULT_POLLS_PER_ADDRESS = 64;
/** Largest body of a request, bytes. */
export const MAX_BODY_BYTES = 100_000;

const NOBODY: Leave = () => {};

/** An offer, and where its proxy is to go. */
interface RoutedOffer {
  readonly offer: ClientOffer;
  readonly relayUrl: string;
}

/** Each method takes the text of a request, replies at once or later, and returns what to call when the peer hangs up. */
export class Rendezvous {
  readonly counts = new RendezvousCounts();
  readonly #options: RendezvousOptions;
  readonly #matcher: Matcher;
  /** Polls that wait, of each address. */
  readonly #shares: GroupCount;
  readonly #allowed: RelayPattern;
  readonly #default: RelayPattern;

  constructor(options: RendezvousOptions) {
    const { now, maxPolls, pollsPerAddress, allowedRelayPattern, defaultRelayPattern } = options;
    this.#options = options;
    this.#matcher = new Matcher({ now, maxPolls });
    this.#shares = new GroupCount(pollsPerAddress);
    this.#allowed = parseRelayPattern(allowedRelayPattern);
    this.#default = parseRelayPattern(defaultRelayPattern);
  }

  /** Proxies that wait or are asked for their answer. */
  proxies(): ReturnType<Matcher["proxies"]> {
    return this.#matcher.proxies();
  }

  /** The text of `/debug`. */
  debug(): string {
    return debugText(this.#matcher.proxies());
  }

  /** A proxy's poll: 200 with what came of it, 400 for what is none, 429 for one too many of an address. */
  poll(body: string, { address, share }: RendezvousPeer, respond: Respond): Leave {
    const poll = this.#read(() => parseProxyPoll(body), respond);
    if (poll === null) return NOBODY;
    this.counts.poll(poll, address);
    const pattern = poll.relayPattern === null ? this.#default : parseRelayPattern(poll.relayPattern);
    if (!covers(pattern, this.#allowed)) {
      this.counts.reject(poll);
      respond({ status: 200, body: encodePollAnswer("incorrect relay pattern") });
      return NOBODY;
    }
    this.#matcher.replace(poll.sid); // also gives its share back, maybe the last one
    const giveBack = this.#shares.enter(share);
    if (giveBack === null) return refuse(respond, 429);
    const leave = this.#matcher.poll(poll, (end) => {
      giveBack();
      this.counts.endPoll(poll.nat, end === "no match" ? "idle" : "matched");
      respond({ status: 200, body: encodePollAnswer(end) });
    });
    if (leave === null) {
      giveBack();
      return refuse(respond, 503);
    }
    return () => {
      giveBack();
      leave();
    };
  }

  /** A proxy's answer for the client that it was given. */
  answer(body: string, respond: Respond): void {
    const message = this.#read(() => parseProxyAnswer(body), respond);
    if (message === null) return;
    const delivered = this.#matcher.answer(message.sid, message.answer);
    respond({ status: 200, body: encodeAnswerReceipt(delivered) });
  }

  /** A client's offer of either kind; `nat` is the header of legacy clients. */
  offer(body: string, nat: string, respond: Respond): Leave {
    if (!isLegacyOffer(body)) return this.#versioned(() => body, respond);
    const message = this.#read(() => this.#route(parseLegacyOffer(body, nat)), respond);
    if (message === null) return NOBODY;
    return this.#match(message, (end) => respond(legacyReply(end)));
  }

  /** A client's offer in the path of a URL, what follows AMP_PATH; the reply is a page. */
  ampOffer(path: string, respond: Respond): Leave {
    return this.#versioned(
      () => decodeAmpPath(path),
      ({ status, body }) => respond({ status, body: ampPage(body) }),
    );
  }

  /** Ends what has waited long enough: to be called a few times in a second. */
  expire(): void {
    this.#matcher.expire();
  }

  close(): void {
    this.#matcher.close();
  }

  /** Errors are told within the answer here, whose status is 200. */
  #versioned(body: () => string, respond: Respond): Leave {
    let offer: RoutedOffer;
    try {
      offer = this.#route(parseClientOffer(body()));
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      respond({ status: 200, body: encodeOfferError(error.message) });
      return NOBODY;
    }
    return this.#match(offer, (end) => respond({ status: 200, body: encodeOfferAnswer(end) }));
  }

  /** Unlike the reference broker, whose clients see a status of 500, we say what is wrong. */
  #route(offer: ClientOffer): RoutedOffer {
    const relayUrl = this.#options.bridges.get(offer.fingerprint);
    if (relayUrl !== undefined) return { offer, relayUrl };
    this.#options.logger.info("a client asks for a bridge that is not in the list");
    throw new MessageError("unknown bridge fingerprint");
  }

  #match({ offer, relayUrl }: RoutedOffer, settle: (end: OfferEnd) => void): Leave {
    return this.#matcher.offer(offer, relayUrl, (end) => {
      if (end !== "timeout") this.counts.endOffer(offer.nat, end === "denied" ? "denied" : "matched");
      settle(end);
    });
  }

  /** What a parser says, or 400 and null. */
  #read<T>(parse: () => T, respond: Respond): T | null {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#options.logger.debug("refused a message", { reason: error.message });
      refuse(respond, 400);
      return null;
    }
  }
}

function refuse(respond: Respond, status: number): Leave {
  respond({ status, body: "" });
  return NOBODY;
}

function legacyReply(end: OfferEnd): RendezvousReply {
  if (end === "denied") return { status: 503, body: "" };
  if (end === "timeout") return { status: 504, body: "" };
  return { status: 200, body: end.answer };
}
