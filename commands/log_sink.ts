/** Writes log events to stderr: lines for people, or JSON lines for machines. */

import type { LogLevel, LogSink } from "../core/log.ts";
import { printable } from "./printable.ts";

export interface LogSinkOptions {
  readonly form: "text" | "json";
  /** The lowest level that is written. */
  readonly level: LogLevel;
  /** Whether text lines end with the event's fields as `key=value`. */
  readonly fields: boolean;
  /** Whether warnings and errors of text lines are coloured. */
  readonly colour: boolean;
  /** Takes a whole line, with its newline. */
  readonly write: (line: string) => void;
  readonly now: () => Date;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** ANSI colours of the prefix: yellow for warnings, red for errors. */
const COLOURS: Readonly<Partial<Record<LogLevel, string>>> = { warn: "\x1b[33m", error: "\x1b[31m" };
const RESET = "\x1b[0m";

export function createLogSink(options: LogSinkOptions): LogSink {
  const lowest = LEVELS.indexOf(options.level);
  return (level, message, fields) => {
    if (LEVELS.indexOf(level) < lowest) return;
    const line = options.form === "json"
      ? jsonLine(options.now(), level, { message, fields })
      : textLine(level, { message, fields: options.fields ? fields : {} }, options.colour);
    options.write(`${line}\n`);
  };
}

/** Colour only on a terminal, and never against `NO_COLOR` (no-color.org). */
export function wantsColour(isTerminal: boolean, noColour: string | undefined): boolean {
  return isTerminal && (noColour === undefined || noColour === "");
}

interface Event {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

function jsonLine(now: Date, level: LogLevel, { message, fields }: Event): string {
  const values = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, jsonValue(value)]));
  return JSON.stringify({ ...values, time: now.toISOString(), level, message });
}

function textLine(level: LogLevel, { message, fields }: Event, colour: boolean): string {
  const start = colour ? COLOURS[level] : undefined;
  const prefix = start === undefined ? "wasimoff:" : `${start}wasimoff:${RESET}`;
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${fieldText(value)}`);
  return `${prefix} ${printable(message)}${pairs.join("")}`;
}

/** Plain when it reads as one word, otherwise as JSON. */
function fieldText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(jsonValue(value)) ?? "undefined";
  return /^[\w.:/@+-]+$/.test(text)
    ? text
    : printable(typeof value === "string" ? JSON.stringify(text) : text);
}

function jsonValue(value: unknown): unknown {
  if (value instanceof Error) return value.message;
  return typeof value === "bigint" ? value.toString() : value;
}
