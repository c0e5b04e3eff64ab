/** The one error class of the program, and what each of its codes becomes at every border. */

/** Closed set of causes: the codes of Connect and gRPC, in the order of their numbers (1 to 16). */
export const CODES = [
  "canceled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
] as const;

export type Code = typeof CODES[number];

/** The number that stands for a code on the wire (gRPC status codes, 1 to 16). */
export function codeNumber(code: Code): number {
  return CODES.indexOf(code) + 1;
}

/** The code behind a number from the wire; a number that nobody knows is `unknown`. */
export function codeFromNumber(number: number): Code {
  return CODES[number - 1] ?? "unknown";
}

/** What a code becomes: HTTP status (as Connect maps it), WebSocket close code, exit status (cli.md). */
interface Mapping {
  readonly http: number;
  readonly close: number;
  readonly exit: number;
}

const MAPPINGS: Readonly<Record<Code, Mapping>> = {
  canceled: { http: 499, close: 1000, exit: 130 },
  unknown: { http: 500, close: 1011, exit: 1 },
  invalid_argument: { http: 400, close: 1002, exit: 2 },
  deadline_exceeded: { http: 504, close: 1011, exit: 1 },
  not_found: { http: 404, close: 1008, exit: 1 },
  already_exists: { http: 409, close: 1008, exit: 1 },
  permission_denied: { http: 403, close: 1008, exit: 4 },
  resource_exhausted: { http: 429, close: 1013, exit: 75 },
  failed_precondition: { http: 412, close: 1008, exit: 78 },
  aborted: { http: 409, close: 1011, exit: 1 },
  out_of_range: { http: 413, close: 1009, exit: 1 },
  unimplemented: { http: 501, close: 1003, exit: 1 },
  internal: { http: 500, close: 1011, exit: 1 },
  unavailable: { http: 503, close: 1001, exit: 69 },
  data_loss: { http: 500, close: 1011, exit: 1 },
  unauthenticated: { http: 401, close: 1008, exit: 4 },
};

export const httpStatus = (code: Code): number => MAPPINGS[code].http;
export const closeCode = (code: Code): number => MAPPINGS[code].close;
export const exitCode = (code: Code): number => MAPPINGS[code].exit;

/** Codes after which the same request may succeed elsewhere or later. */
const RETRYABLE: ReadonlySet<Code> = new Set(["unavailable", "aborted", "resource_exhausted"]);

/**
 * An error with a code that callers may decide by. The message says what to do next; the cause is for the
 * log only and never travels.
 */
export class WasimoffError extends Error {
  override readonly name = "WasimoffError";

  constructor(readonly code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
  }

  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }

  /** Makes anything thrown into one of ours; aborts and timeouts of the platform keep their meaning. */
  static from(thrown: unknown, fallback: Code = "unknown"): WasimoffError {
    if (thrown instanceof WasimoffError) return thrown;
    if (thrown instanceof DOMException) {
      if (thrown.name === "AbortError") {
        return new WasimoffError("canceled", thrown.message, { cause: thrown });
      }
      if (thrown.name === "TimeoutError") {
        return new WasimoffError("deadline_exceeded", thrown.message, { cause: thrown });
      }
    }
    return new WasimoffError(fallback, describe(thrown), { cause: thrown });
  }
}

/** A text for anything thrown; some objects cannot even be made into a string. */
function describe(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  } catch {
    return "something that has no text was thrown";
  }
}
