/** Checks of a broker's HTTP API, of its clock and of our token. */

import { WasimoffError } from "../../errors.ts";
import { explainFetch } from "../fetch_failure.ts";
import type { ServerTrust } from "../server_trust.ts";
import { openFetch } from "../trusted_fetch.ts";
import { formatMs } from "./check_tcp.ts";
import type { Verdict } from "./diagnosis.ts";

/** What the API has answered. */
export interface HttpAnswer {
  /** Header `Date`; null for none. */
  readonly date: string | null;
  /** In the middle between question and answer, by our clock, Unix milliseconds. */
  readonly askedAtMs: number;
}

export interface HttpCheckOptions {
  /** null for none. */
  readonly token: string | null;
  readonly trust: ServerTrust;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Clocks that differ by more confuse deadlines and traces. */
const MAX_CLOCK_DIFFERENCE_MS = 5_000;
/** `Date` has whole seconds: the truth is half a second later on average. */
const HALF_SECOND_MS = 500;
/** The document has some hundred. */
const MAX_VERSION_BYTES = 16 * 1024;

export async function checkHttp(broker: URL, options: HttpCheckOptions): Promise<Verdict<HttpAnswer>> {
  const { token, trust, now, signal } = options;
  const headers = authorization(token);
  using trusted = openFetch(trust);
  const beganMs = now();
  let response: Response;
  try {
    const place = new URL("api/version", broker);
    response = await trusted.fetch(place, { headers, signal, redirect: "manual" });
  } catch (error) {
    if (signal.aborted || broker.protocol === "https:") throw error;
    const advice = `check whether it speaks HTTPS: give --url https://${broker.host}`;
    return { status: "fail", detail: explainFetch(error).reason, advice };
  }
  const tookMs = now() - beganMs;
  const { status } = response;
  const value = { date: response.headers.get("date"), askedAtMs: beganMs + tookMs / 2 };
  if (status !== 200) {
    await response.body?.cancel();
    const advice = "check the path in --url, and whether a proxy is in between";
    return { status: "fail", detail: `answers with HTTP status ${status}`, advice };
  }
  return { status: "ok", detail: `${await readVersion(response)} answers in ${formatMs(tookMs)}`, value };
}

async function readVersion(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_VERSION_BYTES) throw new WasimoffError("out_of_range", "the version is too long");
  }
  let document: { package?: unknown; version?: unknown; revision?: unknown } | null;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new WasimoffError("unimplemented", "its version is no JSON: this is no broker", { cause });
  }
  const { package: name, version = "", revision = "" } = document ?? {};
  return [name, version, revision].filter((part) => typeof part === "string" && part !== "").join(" ");
}

export function checkClock({ date, askedAtMs }: HttpAnswer): Verdict<true> {
  const atMs = Date.parse(date ?? "");
  if (Number.isNaN(atMs)) {
    return {
      status: "warn",
      detail: "the broker does not tell its time",
      advice: "compare the clocks by hand",
    };
  }
  const differenceMs = atMs + HALF_SECOND_MS - askedAtMs;
  const seconds = (Math.abs(differenceMs) / 1000).toFixed(1);
  const detail = `the broker is ${seconds} s ${differenceMs < 0 ? "behind" : "ahead"}`;
  if (Math.abs(differenceMs) <= MAX_CLOCK_DIFFERENCE_MS) return { status: "ok", detail };
  return { status: "warn", detail, advice: "set the clocks of both machines by NTP" };
}

/** Asks for something that not everybody is told. */
export async function checkToken(broker: URL, options: HttpCheckOptions): Promise<Verdict<true>> {
  const { token, trust, signal } = options;
  using trusted = openFetch(trust);
  const response = await trusted.fetch(new URL("api/providers", broker), {
    ...{ method: "HEAD", headers: authorization(token), signal, redirect: "manual" },
  });
  await response.body?.cancel();
  return judgeToken(response.status, token);
}

export function judgeToken(status: number, token: string | null): Verdict<true> {
  if (status === 401 || status === 403) {
    if (token === null) {
      return { status: "fail", detail: "a token is missing", advice: "give --token-file or WASIMOFF_TOKEN" };
    }
    const advice = "compare it with the token file of the broker";
    return { status: "fail", detail: "the broker does not know this token", advice };
  }
  if (status === 404) return { status: "ok", detail: "an existing broker asks for none" };
  if (status === 200) {
    return { status: "ok", detail: token === null ? "none is needed from here" : "accepted" };
  }
  return { status: "warn", detail: `HTTP status ${status}`, advice: "see the log of the broker" };
}

function authorization(token: string | null): HeadersInit {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}
