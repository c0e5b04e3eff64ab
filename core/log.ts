/** Where the core says what happens; commands decide what becomes of it. The core itself never prints. */

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Receives one event. `fields` are plain values; secrets and file contents never go in. */
export type LogSink = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>) => void;

/** Writes log events to a sink, with fields that every event of this part carries. */
export class Logger {
  readonly #sink: LogSink;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(sink: LogSink, fields: Readonly<Record<string, unknown>> = {}) {
    this.#sink = sink;
    this.#fields = fields;
  }

  /** A logger whose events also carry `fields`. */
  with(fields: Readonly<Record<string, unknown>>): Logger {
    return new Logger(this.#sink, { ...this.#fields, ...fields });
  }

  debug(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#sink("debug", message, { ...this.#fields, ...fields });
  }

  info(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#sink("info", message, { ...this.#fields, ...fields });
  }

  warn(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#sink("warn", message, { ...this.#fields, ...fields });
  }

  error(message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#sink("error", message, { ...this.#fields, ...fields });
  }
}

/** Hears everything and says nothing: for tests and for library users who pass no logger. */
export const silent = new Logger(() => {});
