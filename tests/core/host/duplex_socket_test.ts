import { ok, rejects, strictEqual } from "node:assert/strict";
import { once } from "node:events";
import type { ByteDuplex } from "../../../core/byte_stream.ts";
import { pipePair } from "../../../core/byte_pipe.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { DuplexSocket } from "../../../core/host/duplex_socket.ts";

const OVER = new WasimoffError("aborted", "over");

function joined(): [DuplexSocket, ByteDuplex] {
  const [ours, theirs] = pipePair();
  return [new DuplexSocket(ours), theirs];
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("DuplexSocket carries bytes and ends both ways, each by itself", async () => {
  const [socket, peer] = joined();
  peer.writable.write(bytes("in"));
  peer.writable.end();
  const [chunk] = await once(socket, "data");
  strictEqual(String(chunk), "in");
  await once(socket, "end");
  socket.end("out");
  strictEqual(new TextDecoder().decode((await peer.readable.read())!), "out");
  strictEqual(await peer.readable.read(), null);
});

Deno.test("DuplexSocket joins what is written at once", async () => {
  const [socket, peer] = joined();
  socket.cork();
  for (const part of ["head ", "", "body"]) socket.write(part);
  socket.uncork();
  strictEqual(new TextDecoder().decode((await peer.readable.read())!), "head body");
  socket.destroy();
});

Deno.test("DuplexSocket tells the stream when it is destroyed, and its owner when the stream breaks", async () => {
  const [socket, peer] = joined();
  socket.destroy();
  await rejects(peer.readable.read(), { code: "canceled" });
  await rejects(Promise.resolve(peer.writable.write(bytes("x"))), { code: "canceled" });
  const [broken, other] = joined();
  broken.resume();
  other.writable.abort(OVER);
  const [error] = await once(broken, "error");
  strictEqual(error, OVER);
});

for (const what of ["bytes", "an end"]) {
  Deno.test(`DuplexSocket hangs up when ${what} come while it is parked`, async () => {
    const [socket, peer] = joined();
    socket.park();
    if (what === "bytes") peer.writable.write(bytes("x"));
    else peer.writable.end();
    await once(socket, "close");
    ok(socket.destroyed);
  });
}

Deno.test("DuplexSocket goes on after it was parked, but not with bytes from before", async () => {
  const [socket, peer] = joined();
  socket.park();
  socket.unpark();
  peer.writable.write(bytes("x"));
  const [chunk] = await once(socket, "data");
  strictEqual(String(chunk), "x");
  socket.pause();
  peer.writable.write(bytes("early"));
  await new Promise((resolve) => setTimeout(resolve, 0));
  socket.park();
  strictEqual(socket.destroyed, true);
});
