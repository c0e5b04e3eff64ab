/** Reads JSON objects as programs in Go do, which the peers' messages are made for. */

import { MessageError } from "./message_error.ts";

/** Fields by their name in lower case: what a field is when it is absent, which also tells its type. */
export type FieldDefaults = Readonly<Record<string, string | number | null>>;

/** A field whose default is null is a text that may be absent. */
export type Fields<D extends FieldDefaults> = {
  [K in keyof D]: D[K] extends number ? number : D[K] extends string ? string : string | null;
};

/**
 * The fields of one JSON object. As in Go names match in any case, unknown fields are ignored, null leaves the default,
 * and a number must be written as an integer (`1.0` and `1e2` are none). Throws MessageError for everything else.
 */
export function messageFields<D extends FieldDefaults>(text: string, defaults: D): Fields<D> {
  const fields: Record<string, unknown> = { ...defaults };
  const hasNumbers = Object.values(defaults).some((value) => typeof value === "number");
  // The source of numbers is looked at only where it matters: it triples the time for a long message.
  for (const [name, value] of Object.entries(parseObject(text, hasNumbers ? integersOnly : undefined))) {
    const key = name.toLowerCase();
    if (value === null || !Object.hasOwn(defaults, key)) continue;
    const type = typeof defaults[key] === "number" ? "number" : "string";
    if (typeof value !== type || Number.isNaN(value)) {
      throw new MessageError(`field "${name}" has a wrong type`);
    }
    fields[key] = value;
  }
  return fields as Fields<D>;
}

function parseObject(text: string, reviver?: typeof integersOnly): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text, reviver);
  } catch (cause) { // also the stack, for what is nested too deep
    throw new MessageError("message is no JSON", { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new MessageError("message is no JSON object");
}

/** Only the source tells `1` from `1.0`. NaN, which JSON cannot say, stands for what is no integer. */
function integersOnly(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  if (typeof value !== "number") return value;
  return /^-?\d+$/.test(context?.source ?? "") && Number.isSafeInteger(value) ? value : NaN;
}
