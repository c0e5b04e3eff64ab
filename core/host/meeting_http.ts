/** Two peers of a common name meet: `/rendezvous/NAME` (examples/rendezvous/README.md). */

import type { GroupCount } from "../group_count.ts";
import type { IncomingMessage } from "node:http";
import { MAX_NAME_CHARS, type MeetingPoint } from "../rendezvous/meeting_point.ts";
import type { RendezvousPeer } from "../rendezvous/rendezvous.ts";
import { CORS, type Exchange, writeReply } from "./rendezvous_exchange.ts";

/** Where two peers of a common name meet. */
export const MEETING_PATH = "/rendezvous/";

export interface MeetingHttpOptions {
  readonly meetings: MeetingPoint;
  /** What each address may have waiting there. */
  readonly meetingShares: GroupCount;
  readonly identifyPeer: (incoming: IncomingMessage) => RendezvousPeer;
}

export class MeetingHttp {
  readonly #options: MeetingHttpOptions;

  constructor(options: MeetingHttpOptions) {
    this.#options = options;
  }

  /** `POST /rendezvous/NAME` with an offer, `POST /rendezvous/NAME/ID` with an answer. */
  request(exchange: Exchange, body: string): void {
    const { meetings, meetingShares, identifyPeer } = this.#options;
    const [name = "", id, ...rest] = exchange.path.slice(MEETING_PATH.length).split("/");
    const reply = (status: number, document: unknown) =>
      writeReply(exchange.outgoing, { status, body: JSON.stringify(document) }, {
        ...CORS,
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
      });
    const refuse = (status: number, message: string) => reply(status, { error: message });
    if (exchange.incoming.method !== "POST") return refuse(405, "only POST is known here");
    if (name === "" || name.length > MAX_NAME_CHARS || rest.length > 0) {
      return refuse(400, `a name has 1 to ${MAX_NAME_CHARS} characters and no slash`);
    }
    if (body === "") return refuse(400, "the body is empty: send an offer or an answer");
    if (id !== undefined) {
      if (meetings.answer(name, id, body)) return reply(200, {});
      return refuse(404, "nobody waits for this answer any more");
    }
    const { share } = identifyPeer(exchange.incoming);
    const giveBack = meetingShares.enter(share);
    if (giveBack === null) return refuse(429, "your address waits here too often");
    const leave = meetings.meet(name, body, (end) => {
      if (end.kind === "nobody") refuse(404, "nobody else came: try again");
      else if (end.kind === "offer") reply(200, { offer: end.offer, id: end.id });
      else reply(200, { answer: end.answer });
    });
    exchange.outgoing.once("close", () => {
      leave?.();
      giveBack();
    });
    if (leave === null) refuse(503, "too many peers wait: try again later");
  }
}
