/** Tests of the program with all its processes: a broker, a provider, and commands that use them. */

import assert from "node:assert/strict";
import { temporaryDirectory } from "./temporary_directory.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const UPCASE = `${ROOT}examples/upcase/upcase.wasm`;
const TICKER = `${ROOT}examples/ticker/ticker.wasm`;
/** Nothing here takes longer, on a busy machine either. */
const PATIENCE_MS = 20_000;

function spawn(args: readonly string[], stdin: "piped" | "null" = "null"): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-prompt", `${ROOT}main.ts`, ...args],
    env: { HOME: "/nonexistent", XDG_CONFIG_HOME: "", XDG_STATE_HOME: "/dev/null", WASIMOFF_TOKEN: "" },
    stdin,
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).spawn();
}

async function wasimoff(args: readonly string[], input?: string) {
  const child = spawn(args, input === undefined ? "null" : "piped");
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Waits for a line of a stream, then lets the rest go by. */
async function awaitLine(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<RegExpExecArray> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const match = pattern.exec(text);
    if (match !== null) {
      await reader.cancel();
      return match;
    }
    const { done, value } = await reader.read();
    if (done) throw new Error(`ended without ${pattern}: ${text}`);
    text += value;
  }
}

/** A broker and a provider with one slot; told to leave, and gone, at the end. */
async function cluster() {
  const broker = spawn(["broker", "--http", "127.0.0.1:0"]);
  const [, url] = await awaitLine(broker.stderr, /broker is ready at (\S+)\n/);
  const provider = spawn(["provider", "--url", url!, "-j", "1", "--name", "here", "--label", "zone=a"]);
  await awaitLine(provider.stderr, /provider is ready.*\n/);
  const stop = async (child: Deno.ChildProcess) => {
    child.kill("SIGTERM");
    const [{ code }] = await Promise.all([child.status, child.stdout.cancel()]);
    assert.equal(code, 0);
  };
  return {
    url: url!,
    [Symbol.asyncDispose]: async () => {
      await stop(provider);
      await stop(broker);
    },
  };
}

Deno.test("submit runs a program on a provider as run does here, and files outlive a task", async () => {
  await using directory = await temporaryDirectory();
  await using broker = await cluster();
  const at = ["--url", broker.url];
  for (const command of [["run"], ["submit", ...at]]) {
    assert.deepEqual(await wasimoff([...command, UPCASE], "some text\n"), {
      code: 0,
      stdout: "SOME TEXT\n",
      stderr: "",
    });
  }
  const json = await wasimoff(["submit", ...at, "--json", "--require", "zone=a", UPCASE], "x");
  const lines = json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines[0], { schema: 1, stdout: "X" });
  const { origin, reason, status, provider, attempts } = lines[1].result;
  assert.deepEqual([origin, reason, status, provider, attempts], ["guest", "exit", 0, "here", 1]);

  const report = `${ROOT}examples/report`;
  const dir = ["--dir", `${report}/data::.`, "--artifact", "out", "-o", directory.path];
  assert.equal((await wasimoff(["submit", ...at, ...dir, `${report}/report.wasm`])).code, 0);
  assert.match(await Deno.readTextFile(`${directory.path}/out/summary.csv`), /temperature/);

  const uploaded = await wasimoff(["upload", ...at, UPCASE, "--name", "up"]);
  assert.match(uploaded.stdout, /^sha256:[0-9a-f]{64}\n$/);
  assert.equal((await wasimoff(["submit", ...at, "up"], "by name")).stdout, "BY NAME");
  assert.match((await wasimoff(["files", ...at, "ls"])).stdout, /^up +\d.* application\/wasm +sha256:/m);
  assert.match((await wasimoff(["providers", ...at, "ls"])).stdout, /^here +0 +1 +zone=a +p1$/m);
  assert.equal((await wasimoff(["files", ...at, "rm", "up"])).code, 0);
  assert.equal((await wasimoff(["submit", ...at, "up"])).code, 127);
});

Deno.test("submit cancels its task at Ctrl-C and when nobody reads its output", async () => {
  await using broker = await cluster();
  const submit = ["submit", "--url", broker.url];
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const child = spawn([...submit, TICKER, "--", "100", "50"]);
    await awaitLine(child.stdout, /tick 1 .*\n/);
    child.kill(signal);
    const [{ code }] = await Promise.all([child.status, child.stderr.cancel()]);
    assert.equal(code, signal === "SIGINT" ? 130 : 143);
  }
  const left = spawn([...submit, TICKER, "--", "100", "50"]);
  await awaitLine(left.stdout, /tick 2 .*\n/);
  const [{ code }] = await Promise.all([left.status, left.stderr.cancel()]);
  assert.equal(code, 143);
  // The only slot is free again.
  assert.equal((await wasimoff([...submit, "--immediate", UPCASE], "free")).stdout, "FREE");
});
