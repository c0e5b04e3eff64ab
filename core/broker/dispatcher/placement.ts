/** Brings tasks and slots together, from either side. */

import { cancel, deadlinePassed, start } from "./attempts.ts";
import { isAvailable, publish } from "./availability.ts";
import { chooseProvider } from "./choose.ts";
import { dequeue, nextFor } from "./lanes.ts";
import type { Provider, Task } from "./records.ts";
import type { Step } from "./state.ts";

// After every transition no waiting task could run on an available provider. So a task that comes looks only
// for a provider, and a slot that frees looks only for a task.

/** Starts a task that does not wait on the best available provider, if there is one. */
export function place(step: Step, task: Task): boolean {
  const provider = chooseProvider(step.state, task);
  if (provider === null) return false;
  start(step, task, provider);
  publish(step.state, provider);
  return true;
}

/** Gives waiting tasks to a provider until it is full or none is left that it may take. */
export function fill(step: Step, provider: Provider): void {
  while (isAvailable(provider)) {
    const task = nextFor(step.state, provider);
    if (task === null) break;
    if (isOver(step, task)) {
      cancel(step, task, deadlinePassed());
      continue;
    }
    dequeue(step.state, task);
    start(step, task, provider);
  }
  publish(step.state, provider);
}

/** Whether the task's deadline has come, be its tick handled or not. */
export function isOver({ nowMs }: Step, task: Task): boolean {
  return task.spec.deadline !== null && task.spec.deadline <= nowMs;
}
