/** Tests of the program as a whole: exit statuses, and where its words go. */

import assert from "node:assert/strict";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const NOOP = new URL("../../examples/noop/noop.wasm", import.meta.url).pathname;

async function wasimoff(args: readonly string[], env: Record<string, string> = {}) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-prompt", MAIN, ...args],
    env: { HOME: "/nonexistent", XDG_CONFIG_HOME: "", XDG_STATE_HOME: "/dev/null", NO_COLOR: "1", ...env },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("wasimoff says what is wrong with a command line in one line, with status 2", async () => {
  const cases: [string[], string][] = [
    [["sumbit"], 'unknown command "sumbit": did you mean "submit"?'],
    [["--vresion"], 'unknown flag "--vresion": see "wasimoff --help"'],
    [["submit"], "an operand is missing: give MODULE [-- ARGS...]"],
    [["run", "--memroy", "1MiB", "x"], 'unknown flag "--memroy": did you mean "--memory"?'],
    [
      ["upload", "--url", "localhost:1", "x"],
      '"localhost:1" is no URL of a broker: did you mean "http://localhost:1"?',
    ],
    [["files", "lss"], 'unknown action "lss" of "files": did you mean "ls"?'],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    assert.deepEqual(await wasimoff(args), { code: 2, stdout: "", stderr: `wasimoff: ${message}\n` });
  }));
});

Deno.test("wasimoff without a command explains itself on stderr, and on stdout when asked", async () => {
  const [nothing, help, version] = await Promise.all([
    wasimoff([]),
    wasimoff(["--help"]),
    wasimoff(["--version"]),
  ]);
  assert.equal(nothing.code, 2);
  assert.equal(nothing.stdout, "");
  assert.deepEqual(help, { code: 0, stdout: nothing.stderr, stderr: "" });
  assert.match(help.stdout, /^ {2}submit +run a program on a provider$/m);
  assert.match(version.stdout, /^wasimoff \d+\.\d+\.\d+\n$/);
});

Deno.test("wasimoff gives a broker that cannot be reached the status of its command", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}/`;
  listener.close();
  const message = `wasimoff: cannot reach the broker at "${url}": start one with "wasimoff broker"\n`;
  const [files, submit, run] = await Promise.all([
    wasimoff(["files", "ls", "--url", url]),
    wasimoff(["submit", "--url", url, NOOP]),
    wasimoff(["run", "/nonexistent/task.wasm"], { WASIMOFF_RUN_JSON: "1" }),
  ]);
  assert.deepEqual(files, { code: 69, stdout: "", stderr: message });
  assert.deepEqual(submit, { code: 125, stdout: "", stderr: message });
  assert.equal(run.code, 127);
  const { result } = JSON.parse(run.stdout);
  assert.deepEqual([result.origin, result.reason, result.status], ["client", "rejected", 127]);
});

Deno.test("wasimoff ends at Ctrl-C while it waits for a module on its input, also in its result", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-prompt", MAIN, "run", "--json", "-"],
    env: { HOME: "/nonexistent", XDG_CONFIG_HOME: "", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(20_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  // More than a pipe holds: when all of it is taken, the program is reading.
  await writer.write(new Uint8Array(1024 * 1024));
  child.kill("SIGINT");
  const { code, stdout, stderr } = await child.output();
  await writer.abort();
  assert.equal(code, 130);
  assert.equal(new TextDecoder().decode(stderr), "wasimoff: interrupted\n");
  assert.equal(JSON.parse(new TextDecoder().decode(stdout)).result.status, 130);
});
