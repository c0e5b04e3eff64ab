/** Tests of the guard with real processes: nothing is left behind, however the provider ends. */

import { strictEqual } from "node:assert/strict";
import { Guard } from "../../core/host/guard.ts";
import { Logger } from "../../core/log.ts";
import { gone, guardOf, isAlive, openRealSlots } from "../support/real_slots.ts";
import { collectingIo, guestTask } from "../support/slot_tasks.ts";

const never = new AbortController().signal;

/** Starts `doomed_provider.ts` and learns what it has started. */
async function startDoomed(): Promise<{ provider: Deno.ChildProcess; slot: number; guard: number }> {
  const args = ["run", "-A", "--quiet", "--no-lock", import.meta.resolve("../support/doomed_provider.ts")];
  const provider = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "inherit" }).spawn();
  const reader = provider.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let line = "";
  while (!line.endsWith("\n")) line += (await reader.read()).value ?? "\n";
  await reader.cancel();
  const [slot, guard] = JSON.parse(line);
  return { provider, slot, guard };
}

Deno.test("a slot in an endless loop is gone within a second of its provider's kill -9, and so is the guard", async () => {
  const { provider, slot, guard } = await startDoomed();
  strictEqual(isAlive(slot) && isAlive(guard), true);
  provider.kill("SIGKILL");
  await provider.status;
  await gone(slot);
  await gone(guard);
});

Deno.test("Guard.close() kills what is still watched, and ends the guard", async () => {
  const slots = openRealSlots();
  const slot = await slots.start();
  const guard = await guardOf(Deno.pid);
  const run = slot.run(guestTask(["loop"]), collectingIo(), never);
  await slots.guard.close();
  strictEqual((await run).outcome.message, "slot died under the task: signal SIGKILL");
  strictEqual(isAlive(slots.pids[0]!), false);
  strictEqual(isAlive(guard), false);
});

Deno.test("a guard that was killed is replaced, and its successor knows the slots", async () => {
  await using slots = openRealSlots();
  const slot = await slots.start();
  const first = await guardOf(Deno.pid);
  Deno.kill(first, "SIGKILL");
  await gone(first);
  let second = first;
  for (const untilMs = performance.now() + 2_000; second === first && performance.now() < untilMs;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    second = await guardOf(Deno.pid).catch(() => first);
  }
  strictEqual(isAlive(second), true);
  const io = collectingIo();
  const run = slot.run(guestTask(["loop"]), io, never);
  await io.stdout.first.promise;
  await slots.guard.close();
  strictEqual((await run).outcome.message, "slot died under the task: signal SIGKILL");
});

Deno.test("a guard that cannot be replaced at once is replaced later", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/guard`;
  const script = `#!/bin/sh\necho $$ > ${directory}/pid\nexec cat\n`;
  const install = () => Deno.writeTextFile(path, script, { mode: 0o755 });
  const pid = async (after = 0) => {
    for (const untilMs = performance.now() + 5_000; performance.now() < untilMs;) {
      const pid = Number(await Deno.readTextFile(`${directory}/pid`).catch(() => ""));
      if (pid > 0 && pid !== after) return pid;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error("no guard has started");
  };
  const failed = Promise.withResolvers<string>();
  const logger = new Logger((level, message) => level === "error" && failed.resolve(message));
  await install();
  const guard = new Guard({ command: { path, args: [] }, logger });
  const first = await pid();
  await Deno.remove(path);
  Deno.kill(first, "SIGKILL");
  strictEqual(await failed.promise, "cannot start another guard, trying again");
  await install();
  const second = await pid(first);
  strictEqual(isAlive(second), true);
  await guard.close();
  strictEqual(isAlive(second), false);
  await Deno.remove(directory, { recursive: true });
});
