/**
 * The Worker of a slot, trying to get out with what it was offered before it was sealed. Posts how each attempt ended,
 * and the names that are left.
 */

import { unsealed } from "./unsealed.ts";
import "../../../web/slot_worker.ts";

/** What gets no answer in this time has not got out. */
const SILENCE_MS = 500;

export interface EscapeReport {
  /** How each attempt ended: `out: …` where it has got out. */
  readonly attempts: Readonly<Record<string, string>>;
  readonly names: readonly string[];
}

type Call = (...args: readonly unknown[]) => unknown;

const url = new URL("/out", (unsealed.location as { href: string }).href).href;
const call = (name: string, ...args: unknown[]) => Reflect.apply(unsealed[name] as Call, globalThis, args);
const make = (name: string, ...args: unknown[]) =>
  Reflect.construct(unsealed[name] as new () => EventTarget & Record<string, Call>, args);

function happens(target: EventTarget, event: string): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers();
  target.addEventListener(event, () => resolve(event));
  target.addEventListener("error", () => reject(new Error("error event")));
  return promise;
}

function request(async: boolean): unknown {
  const request = make("XMLHttpRequest");
  const loaded = happens(request, "load");
  request.open!("GET", url, async);
  request.send!();
  return loaded;
}

const ATTEMPTS: Record<string, () => unknown> = {
  fetch: () => call("fetch", url),
  "request of the page's origin": () => request(true),
  "blocking request": () => request(false),
  WebSocket: () => happens(make("WebSocket", url.replace("http:", "ws:")), "open"),
  EventSource: () => happens(make("EventSource", url), "open"),
  WebTransport: () =>
    (make("WebTransport", url.replace("http:", "https:")) as unknown as { ready: unknown }).ready,
  "font from a URL": () => (make("FontFace", "out", `url(${url})`) as unknown as { load(): unknown }).load(),
  "nested Worker": () => happens(make("Worker", url), "message"),
  "nested Worker of a blob": () =>
    happens(make("Worker", URL.createObjectURL(new Blob(["postMessage(1)"]))), "message"),
  importScripts: () => call("importScripts", url),
  "import()": () => import(url),
  "import() of data": () => import(["data:text/javascript", "export default 1"].join(",")),
  "import() of a blob": () => import(URL.createObjectURL(new Blob(["1"], { type: "text/javascript" }))),
  eval: () => call("eval", "1"),
  Function: () => Reflect.construct(Function, ["return 1"])(),
};

async function attempt(escape: () => unknown): Promise<string> {
  const silence = new Promise((resolve) => setTimeout(() => resolve(null), SILENCE_MS));
  try {
    const got = await Promise.race([escape(), silence]);
    return got === null ? "no answer" : `out: ${got}`;
  } catch (error) {
    return String(error);
  }
}

function namesLeft(): string[] {
  const names: string[] = [];
  for (let level: object | null = globalThis; level !== null; level = Reflect.getPrototypeOf(level)) {
    if (level !== Object.prototype) names.push(...Object.getOwnPropertyNames(level));
  }
  return names;
}

const attempts = await Promise.all(
  Object.entries(ATTEMPTS).map(async ([name, escape]) => [name, await attempt(escape)] as const),
);
call("postMessage", { attempts: Object.fromEntries(attempts), names: namesLeft() } satisfies EscapeReport);
