/** What a peer may say on its control stream and those of QPACK; the single rules are tried in server_test.ts. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { array, assert as check, asyncProperty, boolean, constantFrom, oneof, uint8Array } from "fast-check";
import { ByteReader } from "../../../core/webtransport/byte_reader.ts";
import { Http3Error } from "../../../core/webtransport/http3_error.ts";
import { PeerControl } from "../../../core/webtransport/peer_control.ts";
import { STREAM_TYPE } from "../../../core/webtransport/stream_header.ts";
import { MemoryQuic } from "../../support/memory_quic.ts";
import { bytesOf, put, SETTINGS_FRAME } from "../../support/raw_http3.ts";

/** What `read` rejects with for a stream of these chunks that ends then, and what the owner was told. */
async function read(type: bigint, isServer: boolean, chunks: readonly Uint8Array[]) {
  const { client, server } = MemoryQuic.pair();
  const stream = await client.createUnidirectionalStream();
  for (const chunk of chunks) if (chunk.length > 0) await put(stream, chunk);
  await stream.close();
  const { value } = await server.incomingUnidirectionalStreams.getReader().read();
  const told: string[] = [];
  const control = new PeerControl({
    onSettings: () => void told.push("settings"),
    onGoaway: () => void told.push("goaway"),
  }, { isServer });
  const error = await control.read(type, new ByteReader(value!)).catch((thrown: unknown) => thrown);
  return { error, told };
}

Deno.test("PeerControl tells settings and each goaway, whose ids fall, until the stream ends", async () => {
  const goaway = (id: number) => bytesOf(7, 1, id);
  const { error, told } = await read(0n, false, [SETTINGS_FRAME, goaway(8), goaway(8), goaway(4)]);
  deepStrictEqual(told, ["settings", "goaway", "goaway", "goaway"]);
  strictEqual((error as Http3Error).http3Name, "H3_CLOSED_CRITICAL_STREAM");
});

Deno.test("PeerControl takes a goaway of servers only for a request, and of clients for any push", async () => {
  const chunks = [SETTINGS_FRAME, bytesOf(7, 1, 3)];
  strictEqual(((await read(0n, false, chunks)).error as Http3Error).http3Name, "H3_ID_ERROR");
  deepStrictEqual((await read(0n, true, chunks)).told, ["settings", "goaway"]);
});

Deno.test("PeerControl survives any bytes, in any chunks", async () => {
  const bytes = oneof(
    uint8Array({ maxLength: 12 }),
    constantFrom(SETTINGS_FRAME, bytesOf(0x20), bytesOf(0x7f)),
  );
  const type = constantFrom(...Object.values(STREAM_TYPE), 0x21n);
  await check(
    asyncProperty(type, boolean(), array(bytes, { maxLength: 5 }), async (type, isServer, chunks) => {
      const { error } = await read(type, isServer, chunks);
      if (type > STREAM_TYPE.QPACK_DECODER) strictEqual(error, undefined);
      else strictEqual(error instanceof Http3Error && error.scope, "connection");
    }),
  );
});
