/** A session of wasimoff_v2 in a page, over the WebTransport of the browser. */

import { WasimoffError } from "../../../core/errors.ts";
import { silent } from "../../../core/log.ts";
import { pump } from "../../../core/pump.ts";
import { openSession } from "../../../core/session/dialer.ts";
import { openWebTransportConnection } from "../../../core/transport/webtransport_connection.ts";
import { PageTools } from "./webtransport_page.ts";

export class SessionPageTools extends PageTools {
  /**
   * Sends the first stream of the server back on one of ours, with 64 B messages beside it, each after the answer to
   * the one before. Returns how many answers came meanwhile.
   */
  async returnStream(path: string): Promise<number> {
    const session = await openSession({
      dial: async () => await openWebTransportConnection(await this.connect(path), "dialer"),
      ...{ token: "", agent: "page", logger: silent, signal: AbortSignal.timeout(10_000) },
    });
    let answers = 0;
    const ask = () => session.send(new Uint8Array(64));
    session.receiveMessages(() => {
      answers++;
      ask();
    });
    ask();
    const back = session.streams.openSend();
    const broken = await pump(session.streams.acceptReceive(1), back);
    if (broken !== null) throw broken.cause;
    while (!session.flushed) await new Promise((resolve) => setTimeout(resolve, 5));
    session.close(new WasimoffError("canceled", "page has sent all"));
    return answers;
  }
}

(globalThis as unknown as { tools: SessionPageTools }).tools = new SessionPageTools();
