/** Clients that are not ours at our WebTransport server: what Deno's own can do. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { WebTransportSession } from "../../core/webtransport/session.ts";
import { openWebTransportPair, type WebTransportPair } from "../support/webtransport_pair.ts";
import { within } from "../support/within.ts";

/** It never ends its streams, so each side says beforehand how much there is: four bytes. */
const MESSAGE = new Uint8Array([1, 2, 3, 4]);

function open(pair: WebTransportPair, path: string): WebTransport {
  const transport = new WebTransport(pair.origin + path, {
    serverCertificateHashes: [{ algorithm: "sha-256", value: pair.hash }],
  });
  transport.closed.catch(() => {});
  return transport;
}

async function readMessage(stream: ReadableStream<Uint8Array>): Promise<number[]> {
  const reader = stream.getReader({ mode: "byob" });
  const message: number[] = [];
  while (message.length < MESSAGE.length) {
    const { done, value } = await within(reader.read(new Uint8Array(4)), "message");
    if (done) break;
    message.push(...value);
  }
  return message;
}

async function writeMessage(stream: WritableStream<Uint8Array>): Promise<void> {
  const writer = stream.getWriter();
  await writer.write(MESSAGE);
}

Deno.test("Deno's client exchanges streams of both kinds and datagrams with our server", async () => {
  const accepted = Promise.withResolvers<WebTransportSession>();
  await using pair = await openWebTransportPair({ "/": { handle: accepted.resolve } });
  const theirs = open(pair, "/?a=b");
  await within(theirs.ready, "session");
  const ours = await within(accepted.promise, "session");
  deepStrictEqual([ours.request.path, ours.request.query, ours.request.origin], ["/", "?a=b", null]);

  const up = await theirs.createBidirectionalStream();
  await writeMessage(up.writable);
  const upHere = (await within(ours.incomingBidirectionalStreams.getReader().read(), "stream")).value!;
  deepStrictEqual(await readMessage(upHere.readable), [...MESSAGE]);
  await writeMessage(upHere.writable);
  deepStrictEqual(await readMessage(up.readable), [...MESSAGE]);

  const down = await ours.createBidirectionalStream();
  await writeMessage(down.writable);
  const downThere = (await within(theirs.incomingBidirectionalStreams.getReader().read(), "stream")).value!;
  deepStrictEqual(await readMessage(downThere.readable), [...MESSAGE]);

  await writeMessage(await theirs.createUnidirectionalStream());
  const uniHere = (await within(ours.incomingUnidirectionalStreams.getReader().read(), "stream")).value!;
  deepStrictEqual(await readMessage(uniHere), [...MESSAGE]);
  await writeMessage(await ours.createUnidirectionalStream());
  const uniThere = (await within(theirs.incomingUnidirectionalStreams.getReader().read(), "stream")).value!;
  deepStrictEqual(await readMessage(uniThere), [...MESSAGE]);

  await writeMessage(theirs.datagrams.writable);
  const datagrams = ours.datagrams.readable.getReader();
  deepStrictEqual([...(await within(datagrams.read(), "datagram")).value!], [...MESSAGE]);
  await ours.datagrams.writable.getWriter().write(MESSAGE);
  deepStrictEqual([...(await within(theirs.datagrams.readable.getReader().read(), "datagram")).value!], [
    ...MESSAGE,
  ]);

  theirs.close({ closeCode: 42, reason: "bye" });
  deepStrictEqual(await within(ours.closed, "end"), { closeCode: 42, reason: "bye" });
  deepStrictEqual(pair.errors, []);
});

Deno.test("Deno's client learns of the end of its session by that of the connection", async () => {
  await using pair = await openWebTransportPair({
    "/bye": { handle: (session) => session.close({ closeCode: 77, reason: "server bye" }) },
  });
  const theirs = open(pair, "/bye");
  await within(theirs.ready, "session");
  strictEqual((await within(theirs.closed, "end")).closeCode, 0x100);
});

Deno.test("Deno's client is told the status of a refusal", async () => {
  await using pair = await openWebTransportPair({
    "/no": { authorize: () => ({ status: 403 }), handle() {} },
  });
  // In a process of its own: it leaves two streams behind.
  const script = `
    const value = new Uint8Array(${JSON.stringify([...pair.hash])});
    const transport = new WebTransport("${pair.origin}/no", {
      serverCertificateHashes: [{ algorithm: "sha-256", value }],
    });
    transport.closed.catch(() => {});
    await transport.ready.catch(({ message }) => console.log(message));
    Deno.exit(0);`;
  const command = new Deno.Command(Deno.execPath(), { args: ["eval", "--unstable-net", script] });
  const { stdout } = await within(command.output(), "refusal");
  match(new TextDecoder().decode(stdout), /403/);
});
