/** Tests of the streams of WebTransport sessions with a real browser. */

import { deepEqual, equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import type { QuicReceiveStream } from "../../core/webtransport/quic_connection.ts";
import type { WebTransportSession } from "../../core/webtransport/session.ts";
import { browserTest } from "../support/chromium.ts";
import { openWebTransportPage } from "../support/webtransport_page.ts";
import { echoRoute, echoStream, first, readText, sendText } from "../support/webtransport_routes.ts";
import { within } from "../support/within.ts";

const LARGE_BYTES = 100_000_000;

/** A route that hands its only session to the test. */
function oneSession() {
  const { promise, resolve } = Promise.withResolvers<WebTransportSession>();
  return { route: { handle: resolve }, session: within(promise, "the session of the page") };
}

browserTest("streams that a page opens arrive with their ends and ids, both ways", async () => {
  const { route, session } = oneSession();
  await using page = await openWebTransportPage({ routes: { "/": route } });
  const inPage = page.run(async (tools) => {
    const session = await tools.connect("/");
    const echoed = await tools.echo(session, "to the server and back");
    await tools.sendText(await session.createUnidirectionalStream(), "to the server");
    const answer = await tools.readText(await tools.first(session.incomingUnidirectionalStreams));
    return { echoed, answer };
  }, null);
  const ours = await session;
  const bidirectional = await first(ours.incomingBidirectionalStreams);
  equal(bidirectional.readable.id, 4n); // 0 is that of the session
  await echoStream(bidirectional);
  equal(await readText(await first(ours.incomingUnidirectionalStreams)), "to the server");
  await sendText(await ours.createUnidirectionalStream(), "to the page");
  deepEqual(await inPage, { echoed: "to the server and back", answer: "to the page" });
});

browserTest("streams that the server opens arrive with their ends, both ways", async () => {
  const { route, session } = oneSession();
  await using page = await openWebTransportPage({ routes: { "/": route } });
  const inPage = page.run(async (tools) => {
    const session = await tools.connect("/");
    const { readable, writable } = await tools.first(session.incomingBidirectionalStreams);
    const asked = await tools.readText(readable);
    await tools.sendText(writable, `${asked}? yes`);
    return await tools.readText(await tools.first(session.incomingUnidirectionalStreams));
  }, null);
  const ours = await session;
  const { readable, writable } = await ours.createBidirectionalStream();
  await sendText(writable, "there");
  equal(await readText(readable), "there? yes");
  await sendText(await ours.createUnidirectionalStream(), "fine");
  equal(await inPage, "fine");
});

browserTest("a page opens 1,000 streams one after the other, and 100 at once", async () => {
  await using page = await openWebTransportPage({ routes: { "/echo": echoRoute } });
  const counts = await page.run(async (tools) => {
    const session = await tools.connect("/echo");
    let sequential = 0;
    for (let turn = 0; turn < 1000; turn++) {
      if (await tools.echo(session, `stream ${turn}`) === `stream ${turn}`) sequential++;
    }
    const streams = await Promise.all(Array.from({ length: 100 }, () => tools.open(session)));
    const echoes = streams.map(async ({ readable, writable }, index) => {
      await tools.sendText(writable, `${index}`);
      return await tools.readText(readable);
    });
    const concurrent = (await Promise.all(echoes)).filter((text, index) => text === `${index}`).length;
    return { sequential, concurrent };
  }, null);
  deepEqual(counts, { sequential: 1000, concurrent: 100 });
});

browserTest(
  "a page that opens 300 streams at once gets 199 and an error for each other, and more when they end",
  async () => {
    await using page = await openWebTransportPage({ routes: { "/echo": echoRoute } });
    const seen = await page.run(async (tools) => {
      const session = await tools.connect("/echo");
      const opened = await Promise.allSettled(
        Array.from({ length: 300 }, () => session.createBidirectionalStream()),
      );
      const errors = opened.flatMap((result) => result.status === "rejected" ? [result.reason.name] : []);
      for (const result of opened) {
        if (result.status === "rejected") continue;
        await tools.sendText(result.value.writable, "x");
        await tools.readText(result.value.readable);
      }
      return {
        errors: errors.length,
        names: [...new Set(errors)],
        again: await tools.echo(session, "again"),
      };
    }, null);
    deepEqual(seen, { errors: 101, names: ["NetworkError"], again: "again" }); // one is that of the session
  },
);

browserTest("the server opens 1,000 streams one after the other, and 100 at once", async () => {
  const { route, session } = oneSession();
  await using page = await openWebTransportPage({ routes: { "/": route } });
  await page.run(async (tools) => {
    const session = await tools.connect("/");
    const serve = async () => {
      for await (const { readable, writable } of session.incomingBidirectionalStreams) {
        void readable.pipeTo(writable);
      }
    };
    void serve();
  }, null);
  const ours = await session;
  const echo = async (text: string) => {
    const { readable, writable } = await ours.createBidirectionalStream({ waitUntilAvailable: true });
    await sendText(writable, text);
    return await readText(readable) === text;
  };
  let sequential = 0;
  for (let turn = 0; turn < 1000; turn++) if (await echo(`stream ${turn}`)) sequential++;
  equal(sequential, 1000);
  const concurrent = await Promise.all(Array.from({ length: 100 }, (_, index) => echo(`${index}`)));
  equal(concurrent.filter((ok) => ok).length, 100);
});

/** Random bytes in chunks of odd sizes. */
function* largeChunks(): Generator<Uint8Array<ArrayBuffer>> {
  const random = crypto.getRandomValues(new Uint8Array(65_536));
  for (let at = 0, size = 1; at < LARGE_BYTES; at += size, size = size * 7 % 65_521) {
    yield random.subarray(0, Math.min(size, LARGE_BYTES - at));
  }
}

async function hashOf(readable: QuicReceiveStream): Promise<[number, string]> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of readable) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return [bytes, hash.digest("hex")];
}

browserTest("100 MB pass through one stream each way, intact", async () => {
  const { route, session } = oneSession();
  await using page = await openWebTransportPage({ routes: { "/": route } });
  const inPage = page.run(async (tools, length) => {
    const session = await tools.connect("/");
    const { readable, writable } = await tools.first(session.incomingBidirectionalStreams);
    const bytes = new Uint8Array(length);
    let at = 0;
    for await (const chunk of readable) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    const writer = writable.getWriter();
    const step = 1_000_003;
    for (let sent = 0; sent < at; sent += step) await writer.write(bytes.subarray(sent, sent + step));
    await writer.close();
    return [at, await tools.sha256(bytes)];
  }, LARGE_BYTES);
  const { readable, writable } = await (await session).createBidirectionalStream();
  const hash = createHash("sha256");
  const writer = writable.getWriter();
  for (const chunk of largeChunks()) {
    hash.update(chunk);
    await writer.write(chunk);
  }
  await writer.close();
  const sent = [LARGE_BYTES, hash.digest("hex")];
  const received = await hashOf(readable);
  deepEqual({ received, inPage: await inPage }, { received: sent, inPage: sent });
});

browserTest("codes with which a page aborts and cancels streams reach the server", async () => {
  const codes = [5, 200, 255]; // Chromium makes 255 of larger ones
  const { route, session } = oneSession();
  await using page = await openWebTransportPage({ routes: { "/": route } });
  const inPage = page.run(async (tools, codes) => {
    const session = await tools.connect("/");
    for (const code of codes) {
      const { readable, writable } = await session.createBidirectionalStream();
      const writer = writable.getWriter();
      await writer.write(new Uint8Array([1]));
      const reader = readable.getReader();
      await reader.read(); // a stream that is reset at once would not even say whose it is
      await Promise.all([
        writer.abort(tools.streamError(code)),
        reader.cancel(tools.streamError(code - 1)),
      ]);
    }
  }, codes);
  const ours = await session;
  for (const code of codes) {
    const { readable, writable } = await within(first(ours.incomingBidirectionalStreams), "the stream");
    const writer = writable.getWriter();
    const write = async () => {
      for (;;) await writer.write(new Uint8Array(10_000));
    };
    const cancelled = within(failureOf(write()), "the cancel of the page");
    const aborted = within(failureOf(readText(readable)), "the abort of the page");
    equal(ours.streamErrorCode(await aborted), code);
    equal(ours.streamErrorCode(await cancelled), code - 1);
  }
  await inPage;
});

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it has not failed");
}
