/** Counts from a terminal: `deno run -A examples/webtransport/client.ts PAGE-URL [STEP]`. */

// deno-lint-ignore-file no-console -- a program that prints
import { dialWebTransport } from "../../core/host/dial_webtransport.ts";

const [page = "http://127.0.0.1:8080/", step = "+1"] = Deno.args;
const { url, hash } = await (await fetch(new URL("server.json", page))).json();

const session = await dialWebTransport(url, {
  certHashes: [Uint8Array.fromHex(hash)],
  protocols: ["counter.v1"],
  signal: AbortSignal.timeout(5000),
});
const { readable, writable } = await session.createBidirectionalStream();
const writer = writable.getWriter();
await writer.write(new TextEncoder().encode(step));
await writer.close();
console.log(await new Response(readable).text());
session.close();
await session.closed;
