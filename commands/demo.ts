/** `wasimoff demo`: a broker, a provider and their tasks at work, within seconds and on this machine only. */

import type { Client } from "../core/client/client.ts";
import { WasimoffError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { FileRef } from "../core/storage/file_store.ts";
import { parseBrokerUrl } from "./broker_address.ts";
import { BrokerHttp } from "./broker_http.ts";
import { type Call, defineCommand } from "./command.ts";
import { COMMON_FLAGS } from "./common_flags.ts";
import { startDemoCluster } from "./demo_cluster.ts";
import { describeSearch, search } from "./demo_search.ts";
import { plainOutput } from "./guest_output.ts";
import { storeFile } from "./store_file.ts";
import { printLine } from "./stdout.ts";

export const command = defineCommand({
  name: "demo",
  summary: "see a broker, a provider and tasks at work",
  operands: { usage: "", min: 0, max: 0 },
  examples: ["wasimoff demo"],
  flags: COMMON_FLAGS,
  run: demo,
});

async function demo({ log, signal }: Call<typeof COMMON_FLAGS>): Promise<number> {
  const slots = navigator.hardwareConcurrency;
  log.info(`starting a broker, and a provider with ${slots} slots`);
  await using cluster = await startDemoCluster({ slots, log, signal });
  log.info(`broker is ready at ${cluster.url}, the provider has joined`);
  const files = new BrokerHttp({ url: parseBrokerUrl(cluster.url).http, token: null });
  const { client } = cluster;

  await showLiveOutput(client, await upload(files, "ticker", signal), { log, signal });
  const module = await upload(files, "tsp", signal);
  log.info("now the same search for a short round trip, from many starting points at once:");
  await printLine(describeSearch(await search({ client, module, slots, signal }), slots));
  log.info("try it yourself: wasimoff broker, wasimoff provider, wasimoff submit examples/tsp/tsp.wasm");
  return 0;
}

/** Stores one of the examples, which are part of the program. */
async function upload(broker: BrokerHttp, example: string, signal: AbortSignal): Promise<FileRef> {
  const bytes = await Deno.readFile(new URL(`../examples/${example}/${example}.wasm`, import.meta.url));
  return await storeFile(broker, bytes, { signal });
}

async function showLiveOutput(
  client: Client,
  module: FileRef,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<void> {
  log.info("a task whose output arrives while it runs:");
  const closed = new AbortController();
  const output = plainOutput({
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    onClosed: (reason) => closed.abort(reason),
  });
  const { outcome } = await client.run({ module, args: ["ticker", "4", "300"] }, output, {
    signal: AbortSignal.any([signal, closed.signal]),
  });
  if (outcome.reason !== "exit") throw new WasimoffError("internal", `task ended: ${outcome.message}`);
}
