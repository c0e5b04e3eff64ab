/** A real Chromium without a window, for tests of what runs in browsers. */

import { type Browser, launch } from "puppeteer-core";

/** Debian's package has this one. */
const PROGRAM = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";
const INSTALL = "apt-get install chromium";
/** Of every single wait: longer than anything takes that works, on a busy machine too. */
const WAIT_MS = 30_000;
/** Root cannot use the sandbox, machines for tests have no GPU, and containers have a small /dev/shm. */
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

const missing = await Deno.stat(PROGRAM).then(({ isFile }) => !isFile, () => true);
const inCi = Deno.env.get("CI") === "true";

/** A test in Chromium; ignored where that is missing, except in CI. */
export function browserTest(name: string, run: () => Promise<void>): void {
  Deno.test({ name: missing ? `${name} (${INSTALL})` : name, ignore: missing && !inCi, fn: run });
}

/** Starts one with a profile and more flags of its own; leaves neither processes nor files behind. */
export async function openChromium(...flags: string[]): Promise<{ browser: Browser } & AsyncDisposable> {
  if (missing) throw new Error(`there is no ${PROGRAM}: ${INSTALL}`);
  const profile = await Deno.makeTempDir({ prefix: "wasimoff-chromium-" });
  const dispose = async (browser?: Browser) => {
    await browser?.close();
    await killUsersOf(profile);
    await Deno.remove(profile, { recursive: true });
  };
  try {
    const browser = await launch({
      executablePath: PROGRAM,
      userDataDir: profile,
      args: [...FLAGS, ...flags],
      timeout: WAIT_MS,
      protocolTimeout: WAIT_MS,
      ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
    });
    return { browser, [Symbol.asyncDispose]: () => dispose(browser) };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Kills what is left of a browser, by its profile; resolves when it is gone. */
async function killUsersOf(profile: string): Promise<void> {
  for (const untilMs = performance.now() + WAIT_MS;;) {
    const left = await processesWith(profile);
    if (left.length === 0) return;
    if (performance.now() > untilMs) throw new Error(`processes ${left} of Chromium do not end`);
    for (const pid of left) signal(pid);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function signal(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

async function processesWith(argument: string): Promise<number[]> {
  const pids: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const command = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (command.includes(argument)) pids.push(Number(name));
  }
  return pids;
}
