/** The file in which one run of a command leaves to the next which transport works at which broker. */

import { WasimoffError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import {
  MAX_REMEMBERED_BROKERS,
  type RememberedTransport,
  TransportChoice,
} from "../core/transport/transport_choice.ts";
import type { ReadVariable } from "./config_file.ts";
import { replaceFile } from "./replace_file.ts";

/** Version of the file; one of another version counts for nothing. */
const SCHEMA = 1;
/** Above what 64 brokers with long URLs have. */
const MAX_FILE_BYTES = 64 * 1024;
/** Longer URLs are not kept. */
const MAX_URL_LENGTH = 512;

/** Where the file is: `$XDG_STATE_HOME` or `~/.local/state`; null without a home. */
export function transportMemoryPath(variable: ReadVariable): string | null {
  const home = variable("HOME");
  const base = variable("XDG_STATE_HOME") || (home ? `${home}/.local/state` : null);
  return base === null ? null : `${base}/wasimoff/transports.json`;
}

/** What the file says, kept up to date in it. A file that cannot be read or written is done without. */
export async function openTransportChoice(path: string | null, logger: Logger): Promise<TransportChoice> {
  if (path === null) return new TransportChoice({ now: Date.now });
  const remembered = await load(path);
  return new TransportChoice({
    now: Date.now,
    remembered,
    onChange: (entries) =>
      void save(path, entries).catch((error) =>
        logger.debug(`cannot write "${path}"`, { reason: WasimoffError.from(error).message })
      ),
  });
}

/** Absent, broken and foreign files are the same as an empty one. */
async function load(path: string): Promise<readonly RememberedTransport[]> {
  try {
    if ((await Deno.stat(path)).size > MAX_FILE_BYTES) return [];
    const { schema, brokers } = JSON.parse(await Deno.readTextFile(path));
    return schema === SCHEMA && Array.isArray(brokers)
      ? brokers.filter(isEntry).slice(-MAX_REMEMBERED_BROKERS)
      : [];
  } catch {
    return []; // what is not remembered is found out
  }
}

function isEntry(value: unknown): value is RememberedTransport {
  const { broker, transport, wonAtMs } = (value ?? {}) as Partial<Record<keyof RememberedTransport, unknown>>;
  return typeof broker === "string" && broker.length <= MAX_URL_LENGTH &&
    (transport === "websocket" || transport === "webtransport") && Number.isFinite(wonAtMs);
}

/** Adds to what other runs have left meanwhile; of each broker the latest counts. */
async function save(path: string, entries: readonly RememberedTransport[]): Promise<void> {
  const all = [...await load(path), ...entries.filter(isEntry)].sort((a, b) => a.wonAtMs - b.wonAtMs);
  const latest = [...new Map(all.map((entry) => [entry.broker, entry])).values()].slice(
    -MAX_REMEMBERED_BROKERS,
  );
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
  await replaceFile(
    path,
    (temporary) =>
      Deno.writeTextFile(temporary, `${JSON.stringify({ schema: SCHEMA, brokers: latest })}\n`, {
        mode: 0o600,
      }),
  );
}
