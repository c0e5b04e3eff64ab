/** `wasimoff providers`: lists the providers that are connected to the broker. */

import { cell, readListing, type Row } from "./broker_listing.ts";
import { type Call, defineCommand } from "./command.ts";
import { BROKER_FLAGS, BROKER_NOTE, COMMON_FLAGS, JSON_FLAG } from "./common_flags.ts";
import { openBroker } from "./open_broker.ts";
import { printLine } from "./stdout.ts";
import { formatTable } from "./table.ts";
import { usageError } from "./usage_error.ts";

const FLAGS = { ...JSON_FLAG, ...BROKER_FLAGS, ...COMMON_FLAGS };

export const command = defineCommand({
  name: "providers",
  summary: "list the providers of the broker",
  operands: { usage: "ls", min: 1, max: 1 },
  examples: ["wasimoff providers ls", "wasimoff providers ls --json --url https://broker.example"],
  flags: FLAGS,
  notes: [BROKER_NOTE],
  run: providers,
});

async function providers({ options, sources, operands, log, signal }: Call<typeof FLAGS>): Promise<number> {
  if (operands[0] !== "ls") throw usageError(`unknown action "${operands[0]}" of "providers": give ls`);
  const broker = await openBroker({ options, sources }, log);
  const rows = await readListing(await broker.request("GET", "api/providers", { signal }), "providers");
  const text = options.json
    ? JSON.stringify({ schema: 1, providers: rows })
    : formatTable(["NAME", "RUNNING", "SLOTS", "LABELS", "ID"], rows.map(tableRow));
  await printLine(text);
  return 0;
}

function tableRow({ id, name, slots, running, labels }: Row): string[] {
  return [cell(name), cell(running), cell(slots), cell(labels), cell(id)];
}
