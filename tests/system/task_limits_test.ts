/** How tasks end, from the guest to the exit status of submit, with every process in between. */

import { createHash } from "node:crypto";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { exited } from "../../core/outcome.ts";
import { memoryOf } from "../support/child_processes.ts";
import { runCommand } from "../support/command_run.ts";
import { GUEST } from "../support/host_cluster.ts";
import { commandModule } from "../support/module_builder.ts";
import { RealCluster } from "../support/real_cluster.ts";

const MIB = 1024 * 1024;
/** `for (;;) {}` */
const BUSY = commandModule({ body: [0x03, 0x40, 0x0c, 0x00, 0x0b] });
/** Grows its memory page by page until it is refused, then traps as allocators do. */
const GREEDY = commandModule({
  body: [0x03, 0x40, 0x41, 0x01, 0x40, 0x00, 0x41, 0x7f, 0x47, 0x0d, 0x00, 0x0b, 0x00],
});

Deno.test("submit exits as its guest does, or with the status of the limit that the guest met", async () => {
  await using cluster = await RealCluster.start();
  await cluster.provider("-j", "1");
  const [guest, busy, greedy] = [
    await cluster.upload(GUEST),
    await cluster.upload(BUSY),
    await cluster.upload(GREEDY),
  ];
  const submit = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCommand(["submit", "--url", cluster.url, "--json", ...args]);
    const { reason, origin } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!).result;
    return { ended: [code, reason, origin], stderr };
  };
  for (const status of [0, 1, 124, 255]) {
    const { ended } = await submit(guest, "--", "exit", String(status));
    deepStrictEqual(ended, [status, "exit", "guest"]);
  }
  const trapped = await submit(guest, "--", "trap");
  deepStrictEqual(trapped.ended, [134, "trap", "guest"]);
  match(trapped.stderr, /unreachable/);
  const late = await submit("--timeout", "200ms", busy);
  deepStrictEqual(late.ended.slice(0, 2), [124, "timeout"]);
  match(late.stderr, /limit: 200 ms/);
  const hungry = await submit("--memory", "8MiB", greedy);
  deepStrictEqual(hungry.ended.slice(0, 2), [137, "memory"]);
  match(hungry.stderr, /out of memory/);
  // The only slot is as good as new.
  deepStrictEqual((await submit("--immediate", guest, "--", "exit", "7")).ended, [7, "exit", "guest"]);
});

/** As many random bytes as a test asks for, and their hash. */
function randomBytes(total: number) {
  const hash = createHash("sha256");
  let left = total;
  const read = () => {
    if (left === 0) return Promise.resolve(null);
    const chunk = crypto.getRandomValues(new Uint8Array(Math.min(left, 60_000)));
    left -= chunk.length;
    hash.update(chunk);
    return Promise.resolve(chunk);
  };
  return { read, cancel: () => {}, hash };
}

/** Counts and hashes what it gets. */
function hashingSink() {
  const sink = {
    hash: createHash("sha256"),
    bytes: 0,
    write: (chunk: Uint8Array) => {
      sink.bytes += chunk.length;
      sink.hash.update(chunk);
    },
    end: () => {},
    abort: () => {},
  };
  return sink;
}

Deno.test("50 MB go through stdin and stdout byte for byte, and the broker keeps none of them", async () => {
  await using cluster = await RealCluster.start();
  await cluster.provider("-j", "1");
  const module = await cluster.upload(GUEST);
  const client = await cluster.client();
  const echo = async (bytes: number) => {
    const [stdin, stdout, stderr] = [randomBytes(bytes), hashingSink(), hashingSink()];
    const task = { module, args: ["guest", "echo"] };
    const { outcome, attempts } = await client.run(task, { stdin, stdout, stderr });
    deepStrictEqual([outcome, attempts, stdout.bytes, stderr.bytes], [exited(0), 1, bytes, 0]);
    strictEqual(stdout.hash.digest("hex"), stdin.hash.digest("hex"));
  };
  await echo(20_000_000); // the runtime takes some memory once, before it begins to collect
  const before = memoryOf(cluster.broker.pid).rss;
  await echo(50_000_000);
  const grown = (memoryOf(cluster.broker.pid).peak - before) / MIB;
  ok(grown < 60, `the broker has grown by ${grown} MiB`);
});
