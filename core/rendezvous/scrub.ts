/** Takes addresses and session descriptions out of what is logged: both tell where people are. */

import { Logger } from "../log.ts";

const SCRUBBED = "[scrubbed]";

/** A session description from its first line or a candidate on, also with its line ends escaped by JSON. */
const DESCRIPTION = /(?:v=0(?:\r?\n|\\+[rn])|a=candidate:)[^]*/;
const IPV4 = /(?:\b|(?<=%[0-9a-f]{2}))\d{1,3}(?:\.\d{1,3}){3}(?:(?::|%3a)\d{1,5})?\b/gi;
/** At least two colons with hex around them, also percent-encoded and with brackets, zone and port. */
const IPV6 =
  /(?:\[|%5b)?(?:(?<![\w.])|(?<=%[0-9a-f]{2}))(?:[0-9a-f]{0,4}(?::|%3a)){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4})(?:%(?!5d)[\w.-]+)?(?:(?:\]|%5d)(?:(?::|%3a)\d{1,5})?)?/gi;

/** The text without addresses (with their ports) and session descriptions. */
export function scrub(text: string): string {
  return text.replace(DESCRIPTION, SCRUBBED).replace(IPV6, keepTimes).replace(IPV4, SCRUBBED);
}

/** `12:34:56` is a time. An address of that form would need `::`, or eight groups. */
function keepTimes(match: string): string {
  return /^\d\d:\d\d:\d\d$/.test(match) ? match : SCRUBBED;
}

/** A logger that scrubs what goes through it, the texts of errors included. */
export function scrubbed(logger: Logger): Logger {
  return new Logger((level, message, fields) => {
    const safe = Object.entries(fields).map(([name, value]) => [name, scrubValue(value)]);
    logger[level](scrub(message), Object.fromEntries(safe));
  });
}

function scrubValue(value: unknown): unknown {
  if (value instanceof Error) return scrub(`${value.name}: ${value.message}`);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  return scrub(typeof value === "string" ? value : JSON.stringify(value) ?? "");
}
