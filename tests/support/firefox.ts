/** A real Firefox without a window, for what must work in more than one browser. */

import { type Browser, launch } from "puppeteer-core";

/** Debian's package has this one. */
const PROGRAM = Deno.env.get("FIREFOX") ?? "/usr/bin/firefox-esr";
const INSTALL = "apt-get install firefox-esr";
/** Of every single wait: longer than anything takes that works, on a busy machine too. */
const WAIT_MS = 60_000;

const missing = await Deno.stat(PROGRAM).then(({ isFile }) => !isFile, () => true);
const inCi = Deno.env.get("CI") === "true";

/** A test in Firefox; ignored where that is missing, except in CI. */
export function firefoxTest(name: string, run: () => Promise<void>): void {
  Deno.test({ name: missing ? `${name} (${INSTALL})` : name, ignore: missing && !inCi, fn: run });
}

/** Starts one with a profile of its own, which goes with it. */
export async function openFirefox(): Promise<{ browser: Browser } & AsyncDisposable> {
  if (missing) throw new Error(`there is no ${PROGRAM}: ${INSTALL}`);
  const browser = await launch({
    browser: "firefox",
    executablePath: PROGRAM,
    timeout: WAIT_MS,
    protocolTimeout: WAIT_MS,
    ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
  });
  return { browser, [Symbol.asyncDispose]: () => browser.close() };
}
