/** `wasimoff doctor`: says what works between this machine and a broker, and what to do about the rest. */

import type { Finding, Status } from "../core/host/doctor/diagnosis.ts";
import { diagnose, TRANSPORT_CHECKS } from "../core/host/doctor/diagnose.ts";
import type { Transport } from "../core/transport/transport_choice.ts";
import { nameBroker } from "./broker_access.ts";
import { type Call, defineCommand } from "./command.ts";
import { BROKER_FLAGS, BROKER_NOTE, COMMON_FLAGS, JSON_FLAG } from "./common_flags.ts";
import { printable } from "./printable.ts";
import { printLine } from "./stdout.ts";
import { VERSION } from "./version.ts";

const FLAGS = { ...JSON_FLAG, ...BROKER_FLAGS, ...COMMON_FLAGS };

export const command = defineCommand({
  name: "doctor",
  summary: "check everything between this machine and a broker",
  operands: { usage: "", min: 0, max: 0 },
  examples: ["wasimoff doctor --url http://broker:4080 --token-file token.txt", "wasimoff doctor --json"],
  flags: FLAGS,
  notes: [BROKER_NOTE],
  run: doctor,
});

/** Version of the document; a change that breaks readers raises it. */
const SCHEMA = 1;
/** Longest status and longest name, each with two spaces. */
const STATUS_WIDTH = 9;
const NAME_WIDTH = 14;

/** 0 when one of the transports that may be used works, 1 otherwise. */
async function doctor({ options, sources, log, signal }: Call<typeof FLAGS>): Promise<number> {
  const named = await nameBroker({ options, sources }, log);
  const diagnosis = diagnose({ ...named, agent: `wasimoff/${VERSION}`, now: Date.now, signal });
  const checks: Finding[] = [];
  for await (const finding of diagnosis.findings()) {
    checks.push(finding);
    if (!options.json) await printLine(findingLine(finding));
  }
  signal.throwIfAborted();
  const works = (Object.keys(TRANSPORT_CHECKS) as Transport[]).filter((transport) => {
    const found = checks.find(({ name }) => name === TRANSPORT_CHECKS[transport]);
    return WORKING.includes(found?.status ?? "fail");
  });
  const { transport } = options;
  const usable = transport === "auto" ? works : works.filter((one) => one === transport);
  const summary = { schema: SCHEMA, url: named.broker.http.href, works, usable: usable.length > 0, checks };
  if (options.json) await printLine(JSON.stringify(summary));
  return usable.length > 0 ? 0 : 1;
}

const WORKING: readonly Status[] = ["ok", "warn"];

export function findingLine({ status, name, detail, advice }: Finding): string {
  const text = advice === null ? detail : `${detail}: ${advice}`;
  return printable(`${status.padEnd(STATUS_WIDTH)}${name.padEnd(NAME_WIDTH)}${text}`);
}
