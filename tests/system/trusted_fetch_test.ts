/** Requests to servers that are known by a hash, whose bodies go wrong. */

import { rejects, strictEqual } from "node:assert/strict";
import { createEphemeralCertificate } from "../../core/host/ephemeral_certificate.ts";
import { COMMON_TRUST } from "../../core/host/server_trust.ts";
import { openFetch } from "../../core/host/trusted_fetch.ts";
import { within } from "../support/within.ts";

const { signal } = new AbortController();

async function serve(): Promise<{ url: URL; certHash: Uint8Array } & AsyncDisposable> {
  const { cert, key, hash } = await createEphemeralCertificate(["localhost"], Date.now());
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen() {} }, async (request) => {
    const { length } = await request.bytes().catch(() => new Uint8Array());
    return new Response(`${length} bytes`);
  });
  return {
    url: new URL(`https://127.0.0.1:${server.addr.port}/`),
    certHash: Uint8Array.fromHex(hash),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Some bytes, then an error, or the end. */
function bodyOf(error: Error | null): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks = [new Uint8Array(1000), new Uint8Array(500)];
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk !== undefined) controller.enqueue(chunk);
      else if (error === null) controller.close();
      else throw error;
    },
  });
}

Deno.test("a request whose body breaks rejects with what the body says, and nothing else goes wrong", async () => {
  await using server = await serve();
  using trusted = openFetch({ ...COMMON_TRUST, certHashes: [server.certHash] });
  const send = (body: BodyInit) =>
    within(trusted.fetch(server.url, { method: "POST", body, signal }), "an end");
  await rejects(send(bodyOf(new Error("the disk broke"))), { message: "the disk broke" });
  strictEqual(await (await send(bodyOf(null))).text(), "1500 bytes");
});
