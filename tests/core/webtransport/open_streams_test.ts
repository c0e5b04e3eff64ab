/** Which streams a session holds. */

import { ok, rejects, strictEqual } from "node:assert/strict";
import { OpenStreams } from "../../../core/webtransport/open_streams.ts";
import { MemoryQuic } from "../../support/memory_quic.ts";
import { put } from "../../support/raw_http3.ts";
import { settle } from "../../support/settle.ts";

Deno.test("OpenStreams lets go of ended streams now and then, however many come", async () => {
  const { client } = MemoryQuic.pair();
  const open = new OpenStreams();
  const kept = await client.createUnidirectionalStream();
  open.add(kept);
  for (let n = 0; n < 1000; n++) {
    const stream = await client.createUnidirectionalStream();
    open.add(stream);
    await stream.close();
    ok(open.size <= 64, `${open.size}`);
  }
  open.end();
  strictEqual(open.size, 0);
});

Deno.test("OpenStreams.end() drops both directions, but not what somebody has locked", async () => {
  const { client, server } = MemoryQuic.pair();
  const open = new OpenStreams();
  const [free, locked] = [
    await client.createBidirectionalStream(),
    await client.createUnidirectionalStream(),
  ];
  const writer = locked.getWriter();
  open.add(free.readable, free.writable, locked);
  const { value: there } = await server.incomingBidirectionalStreams.getReader().read();
  open.end();
  await settle();
  await rejects(put(there!.writable, 1));
  strictEqual((await there!.readable.getReader().read()).done, true);
  await writer.write(new Uint8Array([1]));
});
