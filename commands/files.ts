/** `wasimoff files`: lists and removes the files of the broker. */

import type { BrokerHttp } from "./broker_http.ts";
import { cell, readListing, type Row } from "./broker_listing.ts";
import { type Call, defineCommand } from "./command.ts";
import { BROKER_FLAGS, BROKER_NOTE, COMMON_FLAGS, JSON_FLAG } from "./common_flags.ts";
import { openBroker } from "./open_broker.ts";
import { roundSize } from "./size.ts";
import { printLine } from "./stdout.ts";
import { didYouMean } from "./suggest.ts";
import { formatTable } from "./table.ts";
import { usageError } from "./usage_error.ts";

const FLAGS = { ...JSON_FLAG, ...BROKER_FLAGS, ...COMMON_FLAGS };

export const command = defineCommand({
  name: "files",
  summary: "list the files of the broker, or remove some",
  operands: { usage: "ls | rm NAME-OR-REF...", min: 1, max: Infinity },
  examples: ["wasimoff files ls", "wasimoff files rm task.wasm"],
  flags: FLAGS,
  notes: [BROKER_NOTE],
  run: files,
});

async function files({ options, sources, operands, log, signal }: Call<typeof FLAGS>): Promise<number> {
  const [action = "", ...names] = operands;
  if (action === "ls") {
    if (names.length > 0) throw usageError(`unexpected "${names[0]}": "files ls" takes no operands`);
    await list(await openBroker({ options, sources }, log), options.json, signal);
  } else if (action === "rm") {
    if (names.length === 0) throw usageError("an operand is missing: give the names or refs to remove");
    const broker = await openBroker({ options, sources }, log);
    for (const name of names) {
      await broker.request("DELETE", `api/storage/${encodeURIComponent(name)}`, { signal });
      log.info(`removed "${name}"`);
    }
  } else {
    throw usageError(
      `unknown action "${action}" of "files"${didYouMean(action, ["ls", "rm"]) || ": give ls or rm"}`,
    );
  }
  return 0;
}

async function list(broker: BrokerHttp, json: boolean, signal: AbortSignal): Promise<void> {
  const rows = await readListing(await broker.request("GET", "api/storage", { signal }), "files");
  await printLine(
    json ? JSON.stringify({ schema: 1, files: rows }) : formatTable(HEADING, rows.map(tableRow)),
  );
}

const HEADING = ["NAMES", "SIZE", "MEDIA", "REF"];

function tableRow({ names, size, media, ref }: Row): string[] {
  return [cell(names), typeof size === "number" ? roundSize(size) : "-", cell(media), cell(ref)];
}
