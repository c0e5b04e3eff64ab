/** Tests of examples/webtransport: its server and client as people start them, and its page in a real browser. */

import { deepEqual, equal, match } from "node:assert/strict";
import { browserTest, openChromium } from "../support/chromium.ts";
import { within } from "../support/within.ts";

const EXAMPLE = new URL("../../examples/webtransport/", import.meta.url);
const decoder = new TextDecoder();

const command = (name: string, ...args: string[]) =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", new URL(name, EXAMPLE).href, ...args],
    stdout: "piped",
    stderr: "inherit",
  });

/** Starts the server on free ports. */
async function openExample(): Promise<{ url: string } & AsyncDisposable> {
  const child = command("server.ts", "0", "0").spawn();
  const reader = child.stdout.getReader();
  const { value } = await within(reader.read(), "the address of the server");
  const url = /http:\/\/\S+/.exec(decoder.decode(value))?.[0] ?? "";
  match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  const dispose = async () => {
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
  };
  return { url, [Symbol.asyncDispose]: dispose };
}

async function count(url: string, step: string): Promise<string> {
  const { code, stdout } = await within(command("client.ts", url, step).output(), "the client");
  equal(code, 0);
  return decoder.decode(stdout);
}

Deno.test("the counter counts from terminals", async () => {
  await using example = await openExample();
  deepEqual([await count(example.url, "+5"), await count(example.url, "-2")], ["5\n", "3\n"]);
});

browserTest("the counter counts in two pages at once", async () => {
  await using example = await openExample();
  await using chromium = await openChromium();
  const pages = [await chromium.browser.newPage(), await chromium.browser.newPage()];
  const polling = 20; // ms: nothing is drawn in the page behind the other
  for (const page of pages) {
    await page.goto(example.url);
    await page.waitForFunction('document.querySelector("button:enabled") !== null', { polling });
    await page.evaluate(`document.querySelector("button[value='+1']").click()`);
  }
  for (const page of pages) {
    for (const [id, text] of [["value", "2"], ["people", "2 are here"]]) {
      await page.waitForFunction(`document.getElementById("${id}").textContent === "${text}"`, { polling });
    }
  }
});
