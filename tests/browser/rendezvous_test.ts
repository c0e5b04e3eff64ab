/** The example page: two tabs find each other through our rendezvous and talk over a data channel. */

import { deepEqual } from "node:assert/strict";
import type { Page } from "puppeteer-core";
import { ROOT } from "../../tools/project_files.ts";
import { browserTest, openChromium } from "../support/chromium.ts";
import { startRendezvous } from "../support/rendezvous_server.ts";

const TYPES: Readonly<Record<string, string>> = { html: "text/html", js: "text/javascript" };

/** Serves the example as any static server does. */
function serveExample(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async ({ url }) => {
    const name = new URL(url).pathname.slice(1) || "index.html";
    const type = TYPES[name.split(".").at(-1)!];
    if (type === undefined) return new Response(null, { status: 404 });
    return new Response(await Deno.readTextFile(`${ROOT}examples/rendezvous/${name}`), {
      headers: { "content-type": type },
    });
  });
}

/** Only the tab in front draws, so what happens in others is looked for by a timer. */
const shows = (page: Page, state: string) =>
  page.waitForFunction(`document.getElementById("state").textContent === ${JSON.stringify(state)}`, {
    polling: 50,
  });

async function enter(page: Page, broker: string, name: string): Promise<void> {
  await page.bringToFront();
  await page.$eval(
    "#meet [name=broker]",
    (input, value) => (input as unknown as { value: string }).value = value,
    broker,
  );
  await page.type("#meet [name=name]", name);
  await page.click("#meet button");
}

const lines = (page: Page) => page.$$eval("#talk li", (items) => items.map((item) => item.textContent));

browserTest("two tabs meet by a name and talk without the broker", async () => {
  await using rendezvous = await startRendezvous();
  const broker = `http://127.0.0.1:${rendezvous.address!.port}`;
  await using server = serveExample();
  await using chromium = await openChromium("--disable-features=WebRtcHideLocalIpsWithMdns");
  const open = async () => {
    const page = await chromium.browser.newPage();
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    return page;
  };
  const [first, second] = [await open(), await open()];
  await enter(first, broker, "our secret");
  await enter(second, broker, "our secret");
  for (const page of [first, second]) {
    await shows(page, "Connected.");
  }
  await rendezvous.close(); // they do not need it any more
  await first.bringToFront();
  await first.type("#say [name=text]", "hello <b>you</b>");
  await first.click("#say button");
  await second.bringToFront();
  await second.waitForSelector("#talk li");
  await second.type("#say [name=text]", "hello back");
  await second.click("#say button");
  await first.bringToFront();
  await first.waitForSelector("#talk li:nth-child(2)");
  deepEqual(await lines(first), ["hello <b>you</b>", "hello back"]);
  deepEqual(await lines(second), ["hello <b>you</b>", "hello back"]);
});
