/** Tests of a session of wasimoff_v2 between a page and us. */

import { equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { silent } from "../../core/log.ts";
import { SessionAcceptor } from "../../core/session/acceptor.ts";
import type { Session } from "../../core/session/session.ts";
import { openWebTransportConnection } from "../../core/transport/webtransport_connection.ts";
import { browserTest } from "../support/chromium.ts";
import { openWebTransportPage } from "../support/webtransport_page.ts";
import { within } from "../support/within.ts";
import type { SessionPageTools } from "./scripts/session_page.ts";

const BYTES = 64 * 1024 * 1024;

/** Sends random bytes on the stream 1 and hashes what comes back on 2. */
async function sendAround(session: Session): Promise<{ sent: string; got: string }> {
  const [sent, got] = [createHash("sha256"), createHash("sha256")];
  const out = session.streams.openSend();
  const source = session.streams.acceptReceive(2);
  const send = async () => {
    for (let left = BYTES; left > 0; left -= 65_536) {
      const chunk = crypto.getRandomValues(new Uint8Array(65_536));
      sent.update(chunk);
      await out.write(chunk);
    }
    out.end();
  };
  const sending = send();
  for (let chunk = await source.read(); chunk !== null; chunk = await source.read()) got.update(chunk);
  await sending;
  return { sent: sent.digest("hex"), got: got.digest("hex") };
}

browserTest(
  "a page moves large streams both ways over lanes, intact, with messages beside them",
  async () => {
    const acceptor = new SessionAcceptor({ agent: "test", capabilities: [], logger: silent });
    const opened = Promise.withResolvers<Session>();
    let streams = 0;
    await using page = await openWebTransportPage({
      script: "session_page",
      routes: {
        "/session": {
          handle: async (transport) => {
            const open = transport.createUnidirectionalStream.bind(transport);
            transport.createUnidirectionalStream = (options) => {
              streams++;
              return open(options);
            };
            await acceptor.accept(await openWebTransportConnection(transport, "acceptor"), {
              ...{ endpoint: "client", leaseMs: 10_000, peer: null, authenticate: () => {} },
              opened: opened.resolve,
            });
          },
        },
      },
    });
    const answers = page.run((tools) => (tools as SessionPageTools).returnStream("/session"), null);
    const session = await within(opened.promise, "the session");
    const left = new Promise((resolve) => session.signal.addEventListener("abort", resolve, { once: true }));
    session.receiveMessages((body) => session.send(body));
    const { sent, got } = await within(sendAround(session), "the streams");
    equal(got, sent);
    ok(await answers > 10, `${await answers} answers`);
    equal(streams, 1);
    await within(left, "the goodbye");
    equal(session.signal.reason.message, "page has sent all");
  },
);
