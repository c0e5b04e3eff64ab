/** Tests of a slot's Worker, seen from the page, against one that is scripted. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { silent } from "../../core/log.ts";
import { MAX_WAITING_BYTES } from "../../web/message_pipe.ts";
import { WorkerProcess } from "../../web/worker_process.ts";
import { createWorkerSlotStarter } from "../../web/worker_slot.ts";

class ScriptedWorker extends EventTarget {
  readonly posted: unknown[] = [];
  terminated = false;

  postMessage(message: unknown): void {
    this.posted.push(message);
  }

  terminate(): void {
    this.terminated = true;
  }

  say(data: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  asWorker(): Worker {
    return this as unknown as Worker;
  }
}

function openProcess() {
  const worker = new ScriptedWorker();
  return { worker, process: new WorkerProcess(worker.asWorker()) };
}

Deno.test("WorkerProcess passes bytes in both directions", async () => {
  const { worker, process } = openProcess();
  worker.say(Uint8Array.of(1, 2));
  deepStrictEqual(await process.read(), Uint8Array.of(1, 2));
  await process.write(Uint8Array.of(3));
  deepStrictEqual(worker.posted, [Uint8Array.of(3)]);
});

Deno.test("WorkerProcess.kill() terminates the Worker and ends the reader", async () => {
  const { worker, process } = openProcess();
  const reading = process.read();
  await process.kill();
  strictEqual(worker.terminated, true);
  strictEqual(await reading, null);
  deepStrictEqual([await process.exited, await process.lastWords], ["terminated", ""]);
  await process.write(Uint8Array.of(1));
  deepStrictEqual(worker.posted, []);
});

Deno.test("WorkerProcess ends with a Worker that fails, and keeps what it said for the log", async () => {
  const { worker, process } = openProcess();
  const event = new ErrorEvent("error", { message: "Uncaught RangeError: no room", cancelable: true });
  worker.dispatchEvent(event);
  strictEqual(event.defaultPrevented, true);
  strictEqual(worker.terminated, true);
  deepStrictEqual([await process.exited, await process.lastWords, await process.read()], [
    ...["uncaught error", "Uncaught RangeError: no room", null],
  ]);
});

Deno.test("WorkerProcess ends with a script that cannot be loaded", async () => {
  const { worker, process } = openProcess();
  worker.dispatchEvent(new Event("error"));
  strictEqual(await process.exited, "its script cannot be loaded");
});

Deno.test("WorkerProcess terminates a Worker that does not keep to the protocol", async () => {
  const lies: [string, (worker: ScriptedWorker) => void][] = [
    ["a message that is no part of the protocol", (worker) => worker.say("text")],
    ["a message that is no part of the protocol", (worker) => worker.say(1)],
    [
      "a message that is no part of the protocol",
      (worker) => worker.say(new Uint8Array(MAX_WAITING_BYTES + 1)),
    ],
    ["a message that cannot be read", (worker) => worker.dispatchEvent(new Event("messageerror"))],
  ];
  for (const [how, lie] of lies) {
    const { worker, process } = openProcess();
    lie(worker);
    strictEqual(await process.exited, how);
    deepStrictEqual([worker.terminated, await process.read()], [true, null]);
  }
});

Deno.test("createWorkerSlotStarter() rejects with unavailable where no Worker can be made", async () => {
  const openWorker = () => {
    throw new DOMException("not allowed here", "SecurityError");
  };
  await rejects(createWorkerSlotStarter({ openWorker, logger: silent })(), { code: "unavailable" });
});

Deno.test("createWorkerSlotStarter() terminates a Worker whose start is aborted", async () => {
  const worker = new ScriptedWorker();
  const stop = new AbortController();
  const starting = createWorkerSlotStarter({ openWorker: () => worker.asWorker(), logger: silent })(
    stop.signal,
  );
  stop.abort(new Error("no longer needed"));
  await rejects(starting, /no longer needed/);
  strictEqual(worker.terminated, true);
});
