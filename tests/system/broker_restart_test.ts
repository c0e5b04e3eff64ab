/** A broker that is killed and started anew under providers and clients. */

import { match, strictEqual } from "node:assert/strict";
import { CommandRun, runCommand } from "../support/command_run.ts";
import { CommandProcess } from "../support/real_cluster.ts";
import { until } from "../support/real_slots.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url).pathname;
const UPCASE = `${EXAMPLES}upcase/upcase.wasm`;
const TICKER = `${EXAMPLES}ticker/ticker.wasm`;

async function startBroker(listen: string): Promise<{ broker: CommandProcess; url: string }> {
  const broker = new CommandProcess(["broker", "--http", listen, "--drain", "1s"]);
  const [, url] = await broker.said(/ready at (http:\S+)/);
  return { broker, url: url! };
}

Deno.test("after a broker's kill -9 and restart its providers serve again, and a running submit ends with 125", async () => {
  await using processes = new AsyncDisposableStack();
  const { broker: first, url } = await startBroker("127.0.0.1:0");
  processes.use(first);
  const provider = processes.use(new CommandProcess(["provider", "--url", url, "-j", "1"]));
  await provider.said(/provider is ready/);
  const running = processes.use(new CommandRun(["submit", "--url", url, TICKER, "--", "1000", "50"]));
  await running.said(/tick 1 /);

  first.kill("SIGKILL");
  await first.status;
  const { broker: second } = await startBroker(new URL(url).host);
  processes.use(second);

  const { code, stderr } = await running.end();
  strictEqual(code, 125);
  match(stderr, /^wasimoff: session is unknown: it has ended, or the broker was started anew\n$/);
  await until(() => provider.log.split("provider is ready").length === 3, 30_000);
  const after = await runCommand(["submit", "--url", url, UPCASE], { stdin: "served again" });
  strictEqual(after.stdout, "SERVED AGAIN");
  strictEqual(after.code, 0);
});

Deno.test("submit says that no broker is there, and what to do", async () => {
  const { code, stderr, stdout } = await runCommand(["submit", "--url", "http://127.0.0.1:1", UPCASE]);
  strictEqual(code, 125);
  strictEqual(stdout, "");
  match(stderr, /127\.0\.0\.1:1.*wasimoff broker/);
});
