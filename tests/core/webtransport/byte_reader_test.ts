/** Reading headers of streams exactly. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { assert as check, asyncProperty, bigInt, integer, uint8Array } from "fast-check";
import { ByteReader } from "../../../core/webtransport/byte_reader.ts";
import { encodeStreamHeader } from "../../../core/webtransport/stream_header.ts";
import { MAX_VARINT } from "../../../core/webtransport/varint.ts";
import { fakeClock } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";
import { MemoryQuic } from "../../support/memory_quic.ts";
import { bytesOf, put } from "../../support/raw_http3.ts";

async function streamOf(...chunks: readonly Uint8Array[]) {
  const { client, server } = MemoryQuic.pair();
  const stream = await client.createUnidirectionalStream();
  for (const chunk of chunks) if (chunk.length > 0) await put(stream, chunk);
  await stream.close();
  return (await server.incomingUnidirectionalStreams.getReader().read()).value!;
}

Deno.test("ByteReader reads the header of a stream and not a byte more, wherever it is cut", async () => {
  const id = bigInt({ min: 0n, max: MAX_VARINT / 4n }).map((quarter) => quarter * 4n);
  await check(
    asyncProperty(id, uint8Array({ maxLength: 9 }), integer({ min: 0, max: 20 }), async (id, data, cut) => {
      const whole = bytesOf(encodeStreamHeader("unidirectional", id), data);
      const stream = await streamOf(whole.subarray(0, cut), whole.subarray(cut));
      const reader = new ByteReader(stream);
      deepStrictEqual([await reader.readVarint(), await reader.readVarint()], [0x54n, id]);
      reader.release();
      const rest: Uint8Array[] = [];
      for await (const chunk of stream) rest.push(chunk);
      deepStrictEqual(bytesOf(...rest), bytesOf(data));
    }),
  );
});

Deno.test("ByteReader reads on with small buffers of its own", async () => {
  const reader = new ByteReader(await streamOf(bytesOf(0), new Uint8Array(1000).fill(7)));
  strictEqual(await reader.readVarint(), 0n);
  let count = 0;
  for (let bytes; (bytes = await reader.readSome()) !== undefined;) {
    count += bytes.length;
    strictEqual(bytes.buffer.byteLength <= 256, true);
  }
  strictEqual(count, 1000);
});

Deno.test("ByteReader pauses between reads beyond 16 KiB", async () => {
  using clock = fakeClock();
  const reader = new ByteReader(await streamOf(bytesOf(0), new Uint8Array(64 * 256 + 300)));
  strictEqual(await reader.readVarint(), 0n);
  let count = 0;
  const reading = (async () => {
    for (let bytes; (bytes = await reader.readSome()) !== undefined;) count += bytes.length;
  })();
  const counts: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    await settle();
    counts.push(count);
    await clock.tick(1);
  }
  await reading;
  deepStrictEqual(counts, [2 + 64 * 256, 2 + 65 * 256, 64 * 256 + 300]);
});

Deno.test("ByteReader tells an end before a header from one inside of it", async () => {
  strictEqual(await new ByteReader(await streamOf()).readVarint(), undefined);
  await rejects(new ByteReader(await streamOf(bytesOf(0x40))).readVarint(), { http3Name: "H3_FRAME_ERROR" });
});
