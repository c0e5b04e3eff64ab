import { rejects, strictEqual } from "node:assert/strict";
import { fetchFile } from "../../core/host/fetch_file.ts";
import { netTest } from "../support/open_server.ts";

const REF = `sha256:${"0".repeat(64)}` as const;
const never = new AbortController().signal;

/** A body that brings the pieces, and then says nothing more. */
function stallingBody(pieces: readonly string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
    },
  });
}

netTest("fetchFile() gives up a broker that stalls, before its answer and within it", async (net) => {
  const answers = [() => new Promise<Response>(() => {}), () => new Response(stallingBody(["some"]))];
  const server = await net.serve({ fetch: () => answers.shift()!() });
  const storage = new URL(`http://127.0.0.1:${server.address.port}/api/storage/`);
  const options = { token: null, idleTimeoutMs: 50, signal: never };
  const stalled = { code: "unavailable", message: "broker has sent nothing of a file for 0.05 s" };
  await rejects(fetchFile(storage, REF, options), stalled);
  let text = "";
  await rejects(async () => {
    for await (const chunk of await fetchFile(storage, REF, options)) text += new TextDecoder().decode(chunk);
  }, stalled);
  strictEqual(text, "some");
  await server.close();
});

netTest("fetchFile() waits for a slow broker, and leaves no timer behind", async (net) => {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.enqueue(Uint8Array.of(1));
      if (++pulls === 10) controller.close();
    },
  });
  let pulls = 0;
  const server = await net.serve({ fetch: () => new Response(body) });
  const storage = new URL(`http://127.0.0.1:${server.address.port}/api/storage/`);
  let bytes = 0;
  for await (
    const chunk of await fetchFile(storage, REF, { token: null, idleTimeoutMs: 150, signal: never })
  ) {
    bytes += chunk.length;
  }
  strictEqual(bytes, 10);
  await server.close();
});
