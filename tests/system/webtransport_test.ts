/** Our WebTransport client against our server over real QUIC: all that a session can do. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { delay } from "../../core/delay.ts";
import { dialWebTransport } from "../../core/host/dial_webtransport.ts";
import type { WebTransportRoute } from "../../core/webtransport/route.ts";
import type { WebTransportSession } from "../../core/webtransport/session.ts";
import { makeTestCertificate } from "../support/test_certificate.ts";
import { openWebTransportPair } from "../support/webtransport_pair.ts";
import { within } from "../support/within.ts";

const bytes = (words: string) => new TextEncoder().encode(words);

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let words = "";
  for await (const chunk of stream) words += decoder.decode(chunk, { stream: true });
  return words;
}

/** Sends each stream back, unidirectional ones by one of its own, and datagrams, too. */
const echo: WebTransportRoute = {
  protocols: ["second", "third"],
  async handle(session) {
    const bidirectional = async () => {
      for await (const { readable, writable } of session.incomingBidirectionalStreams) {
        readable.pipeTo(writable).catch(() => {});
      }
    };
    const unidirectional = async () => {
      for await (const readable of session.incomingUnidirectionalStreams) {
        const back = await session.createUnidirectionalStream({ waitUntilAvailable: true });
        readable.pipeTo(back).catch(() => {});
      }
    };
    const datagrams = session.datagrams.readable.pipeTo(session.datagrams.writable);
    await Promise.allSettled([bidirectional(), unidirectional(), datagrams]);
  },
};

/** Hands out the server's side of sessions, in order. */
function accepting(): { route: WebTransportRoute; next(): Promise<WebTransportSession> } {
  const { readable, writable } = new TransformStream<WebTransportSession>({}, { highWaterMark: 100 });
  const [writer, reader] = [writable.getWriter(), readable.getReader()];
  return {
    route: { handle: (session) => void writer.write(session) },
    next: async () => (await within(reader.read(), "session")).value!,
  };
}

async function echoOnce(session: WebTransportSession, words: string): Promise<string> {
  const { readable, writable } = await session.createBidirectionalStream({ waitUntilAvailable: true });
  const writer = writable.getWriter();
  writer.write(bytes(words));
  writer.close();
  return await readAll(readable);
}

Deno.test("1,000 streams in a row and 100 at a time carry bytes both ways to their end", async () => {
  await using pair = await openWebTransportPair({ "/echo": echo });
  const session = await pair.dial("/echo");
  for (let n = 0; n < 1000; n++) {
    strictEqual(await within(echoOnce(session, `number ${n}`), "echo"), `number ${n}`);
  }
  const many = Array.from({ length: 100 }, (_, n) => echoOnce(session, "x".repeat(n)));
  deepStrictEqual((await within(Promise.all(many), "echoes")).map(({ length }) => length), [...many.keys()]);
  const incoming = session.incomingUnidirectionalStreams.getReader();
  for (let n = 0; n < 50; n++) {
    const writer = (await session.createUnidirectionalStream()).getWriter();
    writer.write(bytes(`number ${n}`));
    writer.close();
    strictEqual(await readAll((await within(incoming.read(), "answer")).value!), `number ${n}`);
  }
  deepStrictEqual(pair.errors, []);
});

Deno.test("100 MB pass through one stream intact", async () => {
  await using pair = await openWebTransportPair({ "/echo": echo });
  const session = await pair.dial("/echo");
  const { readable, writable } = await session.createBidirectionalStream();
  const block = crypto.getRandomValues(new Uint8Array(65_521));
  const send = async () => {
    const writer = writable.getWriter();
    for (let sent = 0; sent < 100e6; sent += block.length) await writer.write(block);
    await writer.close();
  };
  let [received, wrong] = [0, 0];
  const receive = async () => {
    for await (const chunk of readable) {
      for (let at = 0; at < chunk.length; at++) {
        if (chunk[at] !== block[(received + at) % block.length]) wrong++;
      }
      received += chunk.length;
    }
  };
  await within(Promise.all([send(), receive()]), "100 MB");
  deepStrictEqual([received, wrong], [Math.ceil(100e6 / block.length) * block.length, 0]);
});

Deno.test("1,000 paced datagrams come back", async () => {
  await using pair = await openWebTransportPair({ "/echo": echo });
  const session = await pair.dial("/echo");
  const [writer, reader] = [session.datagrams.writable.getWriter(), session.datagrams.readable.getReader()];
  ok(session.datagrams.maxDatagramSize > 1000);
  for (let n = 0; n < 1000; n++) {
    await writer.write(new Uint8Array([n >> 8, n & 0xff]));
    deepStrictEqual([...(await within(reader.read(), `datagram ${n}`)).value!], [n >> 8, n & 0xff]);
  }
});

Deno.test("the request brings path, query, headers and protocols, and the answer the protocol", async () => {
  const { route, next } = accepting();
  await using pair = await openWebTransportPair({ "/a": { ...route, protocols: ["two"] } });
  const session = await pair.dial("/a?b=%20c", {
    headers: { authorization: "Bearer x" },
    protocols: ["one", "two"],
  });
  const { request, protocol, remoteAddress } = await next();
  deepStrictEqual(
    [request.authority, request.path, request.query, request.headers.get("authorization"), request.protocols],
    [pair.origin.slice(8), "/a", "?b=%20c", "Bearer x", ["one", "two"]],
  );
  deepStrictEqual([protocol, session.protocol, remoteAddress.hostname], ["two", "two", "127.0.0.1"]);
});

Deno.test("both sides close with a code and a reason, and the client's process holds nothing afterwards", async () => {
  const { route, next } = accepting();
  await using pair = await openWebTransportPair({ "/": route });
  const info = { closeCode: 4242, reason: "enough" };
  for (const side of ["client", "server"] as const) {
    const ours = await pair.dial("/");
    const theirs = await next();
    (side === "client" ? ours : theirs).close(info);
    deepStrictEqual(await within(ours.closed, "end"), info);
    deepStrictEqual(await within(theirs.closed, "end"), info);
  }
  const drained = await pair.dial("/");
  (await next()).drainPeer();
  await within(drained.draining, "drain");
});

Deno.test("a close arrives beside streams that are sent first and never end", async () => {
  const { route, next } = accepting();
  await using pair = await openWebTransportPair({ "/": route });
  const ours = await pair.dial("/");
  const theirs = await next();
  const fill = async () => {
    const writer = (await theirs.createUnidirectionalStream({ sendOrder: 1_000 })).getWriter();
    for (;;) await writer.write(new Uint8Array(1_000_000));
  };
  let received = 0;
  const drop = async () => {
    for await (const stream of ours.incomingUnidirectionalStreams) {
      const counted = new WritableStream<Uint8Array>({ write: ({ length }) => void (received += length) });
      stream.pipeTo(counted).catch(() => {}); // it breaks off
    }
  };
  const filling = [fill(), fill(), fill()].map((filled) => rejects(filled));
  const dropping = drop();
  const untilMuch = async () => {
    while (received < 50e6) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await within(untilMuch(), "bytes");
  theirs.close({ closeCode: 5, reason: "enough" });
  deepStrictEqual(await within(ours.closed, "end"), { closeCode: 5, reason: "enough" });
  await within(Promise.all([dropping, ...filling]), "streams");
});

Deno.test("codes of a reset and of a refusal to read arrive as far as Deno sends them", async () => {
  const { route, next } = accepting();
  await using pair = await openWebTransportPair({ "/": route });
  const ours = await pair.dial("/");
  const theirs = await next();
  const { readable, writable } = await ours.createBidirectionalStream();
  const writer = writable.getWriter();
  await writer.write(bytes("hello"));
  const incoming = (await within(theirs.incomingBidirectionalStreams.getReader().read(), "stream")).value!;
  await incoming.readable.cancel(7);
  const refused = async () => {
    for (;; await delay(1)) await writer.write(bytes("more"));
  };
  const error = await within(refused().catch((thrown) => thrown), "refusal");
  // Deno sends 0, which is no code of an application.
  strictEqual(ours.streamErrorCode(error), undefined);
  ok(/error 0$/.test(error.message));
  // Deno has no reset: the peer sees a proper end.
  await incoming.writable.abort(new Error("broken"));
  strictEqual(await within(readAll(readable), "end"), "");
});

Deno.test("sessions are refused by status, with an error whose code tells what to do", async () => {
  await using pair = await openWebTransportPair({
    "/": { ...accepting().route, authorize: ({ query }) => ({ status: Number(query.slice(1)) }) },
  });
  for (
    const [status, code] of [[403, "permission_denied"], [429, "resource_exhausted"], [500, "unavailable"]]
  ) {
    const message = `cannot open a session at "${pair.origin}/?${status}": ` +
      `the server refused the session: HTTP status ${status}`;
    await rejects(pair.dial(`/?${status}`), { code, message });
  }
  await rejects(pair.dial("/other"), { code: "unimplemented" });
});

Deno.test("dialWebTransport says what is wrong: certificate, protocol, name, URL", async () => {
  await using pair = await openWebTransportPair({ "/": accepting().route });
  const { hash } = await makeTestCertificate();
  await rejects(pair.dial("/", { certHashes: [hash] }), {
    code: "unauthenticated",
    message: /^cannot trust the certificate of "https:.*" \(.+\), give its CA by --ca or its SHA-256/,
  });
  await rejects(dialWebTransport(pair.origin), { code: "unauthenticated" });
  await rejects(dialWebTransport("https://nowhere.invalid:1/"), {
    code: "unavailable",
    message: 'cannot reach "https://nowhere.invalid:1/": there is no host "nowhere.invalid"',
  });
  await rejects(dialWebTransport("wss://a"), { code: "invalid_argument" });
  const signal = AbortSignal.timeout(50);
  await rejects(dialWebTransport("https://127.0.0.1:1/", { signal, certHashes: [hash] }), {
    code: "deadline_exceeded",
  });
});

Deno.test("localhost is reached although our listener is on IPv4 only", async () => {
  await using pair = await openWebTransportPair({ "/echo": echo });
  const session = await dialWebTransport(`https://localhost:${pair.listener.address.port}/echo`, {
    certHashes: [pair.hash],
  });
  strictEqual(await echoOnce(session, "hello"), "hello");
  session.close();
  await session.closed;
});
