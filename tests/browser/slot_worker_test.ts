/** Tests of what a slot's Worker cannot do in a real browser: get out, flood the page, or wait where it cannot. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Page } from "puppeteer-core";
import { MAX_BLIND_OUTPUT_BYTES } from "../../core/provider/output_allowance.ts";
import { memoryOf } from "../support/child_processes.ts";
import { browserTest } from "../support/chromium.ts";
import { openSlotPage } from "../support/slot_page.ts";
import { ChunkSource, collectingIo, fileOf, guestTask, StuckSink } from "../support/slot_tasks.ts";
import type { EscapeReport } from "./scripts/escaping_worker.ts";

const MIB = 1024 * 1024;
const never = new AbortController().signal;
const NO_JSPI = "tests/browser/scripts/no_jspi_worker.js";
const WAITS = fileOf(Deno.readFileSync(new URL("../testdata/wasi/waits.wasm", import.meta.url)));

/** Memory of the processes that pages and their Workers run in, MiB. */
async function rendererMemory(page: Page): Promise<number> {
  const session = await page.browser().target().createCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  return renderers.reduce((sum, { id }) => sum + memoryOf(id).rss, 0) / MIB;
}

browserTest("a guest that floods a page which does not read is suspended in little memory", async () => {
  await using page = await openSlotPage();
  const slot = await page.startSlot();
  strictEqual((await slot.run(guestTask(["exit", "0"]), collectingIo(), never)).outcome.status, 0);
  const before = await rendererMemory(page.page);
  const io = { ...collectingIo(), stdout: new StuckSink() };
  const running = slot.run(guestTask(["flood"], { limits: { timeoutMs: 1_500 } }), io, never);
  running.catch(() => {}); // not before the assertions below
  await io.stdout.first.promise;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const grown = await rendererMemory(page.page) - before;
  ok(grown < 32, `the page grew by ${grown} MiB`);
  strictEqual((await running).outcome.reason, "timeout");
});

browserTest("the Worker of a slot has no network and no storage", async () => {
  await using page = await openSlotPage();
  const { attempts, names } = await page.page.evaluate(() =>
    new Promise<EscapeReport>((resolve, reject) => {
      const worker = new Worker("/tests/browser/scripts/escaping_worker.js", { type: "module" });
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }) => "attempts" in data && resolve(data);
    })
  );
  deepStrictEqual(Object.entries(attempts).filter(([, end]) => !/Error|^no answer$/.test(end)), []);
  strictEqual(Object.keys(attempts).length, 15);
  deepStrictEqual(page.requests.filter((path) => path.startsWith("/out")), []);
  const waysOut = [
    ..."fetch XMLHttpRequest WebSocket WebSocketStream EventSource WebTransport Worker importScripts".split(
      " ",
    ),
    ..."indexedDB caches navigator location BroadcastChannel FontFace fonts postMessage eval close".split(
      " ",
    ),
    ..."webkitRequestFileSystem webkitRequestFileSystemSync FileReaderSync Notification".split(" "),
  ];
  deepStrictEqual(names.filter((name) => waysOut.includes(name)), []);
  deepStrictEqual(names.filter((name) => name.startsWith("set") || name.startsWith("clear")).sort(), [
    ...["clearTimeout", "setTimeout"],
  ]);
});

browserTest("a slot without JSPI gives a guest its stdin once that is complete", async () => {
  await using page = await openSlotPage();
  const slot = await page.startSlot(NO_JSPI);
  const sent = new Uint8Array(MIB).map((_, index) => index * 7);
  const io = collectingIo(new ChunkSource([sent.subarray(0, 5), sent.subarray(5)]));
  strictEqual((await slot.run(guestTask(["echo"]), io, never)).outcome.status, 0);
  strictEqual(io.stdout.bytes.toBase64() === sent.toBase64(), true);
  const endless = function* () {
    for (;;) yield new Uint8Array(MIB);
  };
  const flooded = await slot.run(guestTask(["echo"]), collectingIo(new ChunkSource(endless())), never);
  deepStrictEqual([flooded.outcome.reason, flooded.outcome.status], ["limit", 125]);
  match(flooded.outcome.message, /^standard input of more than 16777216 bytes/);
});

browserTest(
  "a slot without JSPI lets a guest sleep, also in a deterministic world, and ends it in time",
  async () => {
    await using page = await openSlotPage();
    const slot = await page.startSlot(NO_JSPI);
    for (const deterministic of [false, true]) {
      const io = collectingIo();
      const task = { ...guestTask([], { deterministic }), module: WAITS };
      const { outcome, durationMs } = await slot.run(task, io, never);
      strictEqual(outcome.status, 0);
      const slept = Number(/^slept (\d+)/.exec(io.stdout.text)?.[1]);
      ok(slept >= 1.5e9 && slept < 2.5e9, `slept ${slept} ns`);
      strictEqual(durationMs >= 1_500, !deterministic);
    }
    const { outcome } = await slot.run(
      guestTask(["sleep"], { limits: { timeoutMs: 200 } }),
      collectingIo(),
      never,
    );
    strictEqual(outcome.reason, "timeout");
  },
);

browserTest("a slot without JSPI ends a guest that writes more than can wait, and lives on", async () => {
  await using page = await openSlotPage();
  const slot = await page.startSlot(NO_JSPI);
  const io = collectingIo();
  const { outcome } = await slot.run(guestTask(["flood"]), io, never);
  deepStrictEqual([outcome.reason, outcome.origin, outcome.status], ["limit", "provider", 125]);
  match(outcome.message, /^output of more than 16777216 bytes/);
  strictEqual(io.stdout.size, MAX_BLIND_OUTPUT_BYTES);
  strictEqual((await slot.run(guestTask(["exit", "5"]), collectingIo(), never)).outcome.status, 5);
});
