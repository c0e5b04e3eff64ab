/** Tests of how WebTransport sessions with a real browser begin and end, and of their datagrams. */

import { deepEqual, equal, match, rejects } from "node:assert/strict";
import type { WebTransportRequest } from "../../core/webtransport/request.ts";
import type { WebTransportRoute } from "../../core/webtransport/route.ts";
import type { WebTransportSession } from "../../core/webtransport/session.ts";
import { browserTest } from "../support/chromium.ts";
import { openWebTransportPage } from "../support/webtransport_page.ts";
import { echoStream, first } from "../support/webtransport_routes.ts";
import { within } from "../support/within.ts";

const idle: WebTransportRoute = { handle: () => {} };

/** A route that hands its only session to the test. */
function oneSession() {
  const { promise, resolve } = Promise.withResolvers<WebTransportSession>();
  return { route: { handle: resolve }, session: within(promise, "the session of the page") };
}

browserTest("a server sees origin, path, query and address of a page", async () => {
  const requests: WebTransportRequest[] = [];
  const authorize = (request: WebTransportRequest) => void requests.push(request);
  await using page = await openWebTransportPage({ routes: { "/a/b": { ...idle, authorize } } });
  await page.run((tools) => tools.connect("/a/b?token=x&y").then(() => {}), null);
  const [request] = requests;
  deepEqual([request?.origin, request?.path, request?.query], [page.origin, "/a/b", "?token=x&y"]);
  match(request?.authority ?? "", /^127\.0\.0\.1:\d+$/);
});

browserTest("a page and a server agree on a protocol", async () => {
  const { route, session } = oneSession();
  const routes = { "/": { ...route, protocols: ["b.v2", "b.v1"] }, "/none": idle };
  await using page = await openWebTransportPage({ routes });
  const agreed = await page.run(async (tools) => [
    (await tools.connect("/", ["a", "b.v1", "b.v2"])).protocol,
    (await tools.connect("/none", ["a"])).protocol,
    (await tools.connect("/none")).protocol,
  ], null);
  deepEqual(agreed, ["b.v2", "", ""]);
  equal((await session).protocol, "b.v2");
});

browserTest("datagrams pass both ways, up to the largest of the page", async () => {
  let empty = 0;
  const echo = async ({ datagrams }: WebTransportSession) => {
    const writer = datagrams.writable.getWriter();
    for await (const datagram of datagrams.readable) {
      if (datagram.length > 0) await writer.write(datagram);
      else empty++; // Chromium would read no further datagram after an empty one
    }
  };
  await using page = await openWebTransportPage({ routes: { "/": { handle: echo } } });
  const { sizes, seen } = await page.run(async (tools) => {
    const { datagrams } = await tools.connect("/");
    const sizes = [1, 100, datagrams.maxDatagramSize];
    const seen = new Set<number>();
    const receive = async () => {
      for await (const chunk of datagrams.readable as ReadableStream<Uint8Array>) {
        if (chunk.every((byte) => byte === chunk.length % 251)) seen.add(chunk.length);
      }
    };
    void receive();
    const writer = datagrams.writable.getWriter();
    await writer.write(new Uint8Array());
    // The server may answer with the largest when it knows that the path carries them: soon, but not at once.
    for (let turn = 0; turn < 500 && seen.size < sizes.length; turn++) {
      for (const size of sizes) await writer.write(new Uint8Array(size).fill(size % 251));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return { sizes, seen: [...seen].sort((a, b) => a - b) };
  }, null);
  deepEqual(seen, sizes);
  equal((sizes[2] ?? 0) > 1000, true);
  equal(empty, 1);
});

browserTest("a page that is refused with a status learns that there is no session", async () => {
  const refuse = (status: number): WebTransportRoute => ({ ...idle, authorize: () => ({ status }) });
  const routes = { "/403": refuse(403), "/429": refuse(429), "/ok": idle };
  await using page = await openWebTransportPage({ routes });
  const seen = await page.run(async (tools) => {
    const failures = [];
    for (const path of ["/403", "/429", "/missing"]) {
      const session = tools.dial(path);
      session.closed.catch(() => {});
      failures.push((await tools.failure(session.ready)).source);
    }
    return [...failures, (await tools.failure(tools.connect("/ok"))).name];
  }, null);
  deepEqual(seen, ["session", "session", "session", "none"]);
});

browserTest("a page can read why its session was refused, when that is said by a close", async () => {
  const authorize = () => ({ closeCode: 4403, reason: "no such token: ask for another" });
  await using page = await openWebTransportPage({ routes: { "/": { ...idle, authorize } } });
  const closed = await page.run(async (tools) => {
    const { closeCode, reason } = await (await tools.connect("/")).closed;
    return { closeCode, reason };
  }, null);
  deepEqual(closed, authorize());
});

browserTest("the code and the reason of a close reach the other side, either way", async () => {
  const closed: unknown[] = [];
  const routes: Record<string, WebTransportRoute> = {
    "/server": { handle: (session) => session.close({ closeCode: 77, reason: "server bye" }) },
    "/page": { handle: async (session) => void closed.push(await session.closed) },
  };
  await using page = await openWebTransportPage({ routes });
  const seen = await page.run(async (tools) => {
    const { closeCode, reason } = await (await tools.connect("/server")).closed;
    const session = await tools.connect("/page");
    session.close({ closeCode: 4242, reason: "page bye" });
    await session.closed;
    const silent = await tools.connect("/page");
    silent.close();
    await silent.closed;
    return { closeCode, reason };
  }, null);
  deepEqual(seen, { closeCode: 77, reason: "server bye" });
  await within(Promise.all(page.connections.map(({ closed }) => closed)), "the end of the connections");
  deepEqual(closed, [{ closeCode: 4242, reason: "page bye" }, { closeCode: 0, reason: "" }]);
});

browserTest(
  "a session goes on after the server has asked to end it, of which Chromium tells no page",
  async () => {
    const drain: WebTransportRoute = {
      handle: async (session) => {
        session.drainPeer();
        await echoStream(await first(session.incomingBidirectionalStreams));
      },
    };
    await using page = await openWebTransportPage({ routes: { "/": drain } });
    const echoed = await page.run(
      async (tools) => await tools.echo(await tools.connect("/"), "still here"),
      null,
    );
    equal(echoed, "still here");
  },
);

browserTest("the end of a session ends its streams on both sides", async () => {
  const { route, session } = oneSession();
  await using page = await openWebTransportPage({ routes: { "/": route } });
  const inPage = page.run(async (tools) => {
    const session = await tools.connect("/");
    const { readable, writable } = await session.createBidirectionalStream();
    const writer = writable.getWriter();
    await writer.write(new Uint8Array([1]));
    const reading = tools.failure(readable.getReader().read());
    const writing = tools.failure(writer.closed);
    const accepting = tools.failure(tools.first(session.incomingBidirectionalStreams));
    await session.closed;
    const opening = tools.failure(session.createBidirectionalStream());
    return (await Promise.all([reading, writing, accepting, opening])).map(({ name }) => name);
  }, null);
  const ours = await session;
  const { readable, writable } = await first(ours.incomingBidirectionalStreams);
  const reader = readable.getReader();
  await reader.read();
  const reading = reader.read();
  reading.catch(() => {});
  ours.close({ closeCode: 1, reason: "over" });
  deepEqual(await ours.closed, { closeCode: 1, reason: "over" });
  await within(rejects(reading, /stream reset by peer/), "the end of the stream");
  await within(rejects(writable.getWriter().write(new Uint8Array(1))), "the end of the other direction");
  deepEqual(await inPage, ["WebTransportError", "WebTransportError", "Error", "InvalidStateError"]);
  await rejects(ours.createBidirectionalStream(), { code: "unavailable" });
});

browserTest("the server closes the connection of a session that has ended", async () => {
  await using page = await openWebTransportPage({ routes: { "/": idle }, limits: { lingerMs: 50 } });
  await page.run(async (tools) => {
    const session = await tools.connect("/");
    session.close({ closeCode: 1, reason: "" });
    await session.closed;
  }, null);
  const [connection] = page.connections;
  equal(page.connections.length, 1);
  await within(
    connection?.closed ?? Promise.reject(new Error("no connection")),
    "the end of the connection",
    5000,
  );
});
