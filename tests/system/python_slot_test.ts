/** Tests of Python programs in real slots. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { silent } from "../../core/log.ts";
import { openPythonSlots } from "../../core/host/python_slots.ts";
import { exited } from "../../core/outcome.ts";
import { openRealPython, pythonTask, runPython } from "../support/real_python.ts";
import { ChunkSource, collectingIo, CollectingSink, fileOf } from "../support/slot_tasks.ts";
import { PLAIN_CLOUDPICKLE, wheelDirectory } from "../support/wheel_directory.ts";
import { isAlive } from "../support/real_slots.ts";
import { zipFiles } from "../support/zip_files.ts";

const never = new AbortController().signal;
const encode = (text: string) => new TextEncoder().encode(text);

/** Protocol 0 is text: a call of `builtins.NAME(argument)`, as `[callable, args, kwargs]`. */
const pickledCall = (name: string, argument: string) =>
  encode(`(lp0\ncbuiltins\n${name}\na(V${argument}\nta(da.`);

Deno.test("a script has arguments, environment, stdin, files, packages, and all of its output and artifacts come back", async () => {
  await using wheels = await wheelDirectory({
    cloudpickle: PLAIN_CLOUDPICKLE,
    greeting: "def greet(name): return f'hello {name}'",
    named: "VALUE = 7",
  });
  await using python = await openRealPython(wheels.path);
  const script = `
import os, sys, greeting
sys.path.append("/mnt")
import inside
name = sys.stdin.readline().strip()
rest = sys.stdin.buffer.read()
print(greeting.greet(name), len(rest), rest[-1], sys.argv[1:], os.environ["KEY"], inside.VALUE)
print("told", file=sys.stderr)
sys.stdout.buffer.write(bytes([255, 0]))
os.makedirs("out/deep")
open("out/deep/file.txt", "w").write(__import__("named").VALUE * "x")
open("/tmp/other", "wb").write(bytes(3))
[1, "two"]`;
  const zip = fileOf(await zipFiles({ "inside.py": "VALUE = 42", "a/b.txt": "c" }));
  const rest = new Uint8Array(1_000_000).fill(9);
  const { outcome, stdout, stderr, result, artifacts } = await runPython(python, script, {
    args: ["job.py", "--size", "ü"],
    env: ["KEY=a=b"],
    packages: ["Named"],
    preopens: [{ guest: "/mnt", zip, readOnly: false }],
    artifacts: ["out", "/tmp/other"],
    stdin: new ChunkSource([encode("wörld\n"), rest]),
  });
  deepStrictEqual(outcome, exited(0));
  const line = encode("hello wörld 1000000 9 ['--size', 'ü'] a=b 42\n");
  deepStrictEqual(stdout.bytes, new Uint8Array([...line, 255, 0]));
  strictEqual(stderr.text, "told\n");
  for (const sink of [stdout, stderr, result, artifacts]) strictEqual(sink.ending, "end");
  // Another interpreter reads what this one has written; nothing of ours ever looks inside.
  const { stdout: read } = await runPython(
    python,
    `
import io, pickle, sys, zipfile
data = sys.stdin.buffer.read()
at = data.index(b"PK")
print(pickle.loads(data[:at]))
with zipfile.ZipFile(io.BytesIO(data[at:])) as archive:
    print({name: archive.read(name) for name in archive.namelist()})`,
    { stdin: new ChunkSource([result.bytes, artifacts.bytes]) },
  );
  strictEqual(
    read.text,
    "[1, 'two']\n{'out/': b'', 'out/deep/': b'', 'out/deep/file.txt': b'xxxxxxx', 'tmp/other': b'\\x00\\x00\\x00'}\n",
  );
});

Deno.test("a pickled call is made, and its result returned as a pickle", async () => {
  await using python = await openRealPython();
  const [{ outcome, result }, printed] = await Promise.all([
    runPython(python, pickledCall("len", "four"), { kind: "pickle" }),
    runPython(python, pickledCall("print", "hi"), { kind: "pickle" }),
  ]);
  deepStrictEqual(outcome, exited(0));
  deepStrictEqual([...result.bytes], [0x80, 4, 0x4b, 4, 0x2e]); // PROTO 4, BININT1 4, STOP
  deepStrictEqual([printed.outcome, printed.stdout.text, printed.result.size], [exited(0), "hi\n", 0]);
});

Deno.test("exceptions and exits are told as Python tells them", async () => {
  await using python = await openRealPython();
  const [raised, left] = await Promise.all([
    runPython(python, "print('before')\ndef f():\n  raise ValueError('no')\nf()"),
    runPython(python, "import sys; sys.exit('bye')"),
  ]);
  const { reason, origin, status, message } = raised.outcome;
  deepStrictEqual([reason, origin, status, raised.stdout.text], ["trap", "guest", 1, "before\n"]);
  match(message, /^Traceback \(most recent call last\):\n {2}File "script.py", line 4, in <module>\n/);
  match(message, /raise ValueError\('no'\)\nValueError: no$/);
  deepStrictEqual([left.outcome, left.stderr.text], [exited(1), "bye\n"]);
});

Deno.test("what cannot be had ends the task before the program starts, and says what it is", async () => {
  await using python = await openRealPython();
  const [missing, odd, artifact, unpicklable] = await Promise.all([
    runPython(python, "print(1)", { packages: ["nothing-like-it"] }),
    runPython(python, "print(1)", { env: ["ODD"] }),
    runPython(python, "pass", { artifacts: ["out"] }),
    runPython(python, "lambda: 1"),
  ]);
  deepStrictEqual([missing.outcome.reason, missing.outcome.origin, missing.stdout.size], [
    "rejected",
    "provider",
    0,
  ]);
  strictEqual(missing.outcome.message, 'cannot prepare python: package not found: "nothing-like-it"');
  strictEqual(odd.outcome.message, 'cannot prepare python: environment "ODD" has no "="');
  strictEqual(artifact.outcome.message, 'artifact not found: "out"');
  match(unpicklable.outcome.message, /^RuntimeError: cannot return this result: .* no wheel of cloudpickle$/);
});

Deno.test("a Python slot takes one task, and its process is gone afterwards", async () => {
  await using python = await openRealPython();
  const slot = await python.start();
  const { outcome } = await slot.run(pythonTask("lambda: 'nobody wants it'"), collectingIo(), never);
  deepStrictEqual(outcome, exited(0));
  strictEqual(slot.usable, false);
  await slot.close();
  strictEqual(isAlive(python.pids[0]!), false);
});

Deno.test("endless programs end at their limits of time and CPU time, also while they compute in one call", async () => {
  await using python = await openRealPython();
  for (
    const [program, limits] of [
      ["while True: pass", { timeoutMs: 300 }],
      ["9 ** 9 ** 9", { timeoutMs: 300 }],
      ["while True: pass", { cpuMs: 300 }],
    ] as const
  ) {
    const slot = await python.start();
    const startedMs = performance.now();
    const { outcome } = await slot.run(pythonTask(program, { limits }), collectingIo(), never);
    deepStrictEqual([outcome.reason, outcome.origin], ["timeout", "provider"]);
    ok(performance.now() - startedMs < 5_000);
    await slot.close();
  }
});

Deno.test("memory is limited for Python, and for JavaScript that a program reaches through it", async () => {
  await using python = await openRealPython();
  const script = "import js\nx = []\nwhile True: x.append(js.Uint8Array.new(10_000_000).fill(1))";
  const [hog, other, small] = await Promise.all([
    runPython(python, "x = []\nwhile True: x.append(bytes(10_000_000))"),
    runPython(python, script),
    runPython(python, "pass", { limits: { memoryBytes: 1_000_000 } }),
  ]);
  deepStrictEqual([hog.outcome.reason, hog.outcome.origin, hog.outcome.status], ["memory", "guest", 137]);
  match(hog.outcome.message, /\nMemoryError$/);
  deepStrictEqual([other.outcome.reason, other.outcome.origin], ["memory", "guest"]);
  match(other.outcome.message, /^guest made its process larger than its limits explain/);
  match(small.outcome.message, /^python needs more memory than the task may have/);
});

Deno.test("output beyond its limit ends a program, and a task can be cancelled", async () => {
  await using python = await openRealPython();
  const much = await runPython(python, "while True: print('x' * 1000)", { limits: { outputBytes: 100_000 } });
  deepStrictEqual([much.outcome.reason, much.stdout.size], ["limit", 100_000]);
  const slot = await python.start();
  const cancel = new AbortController();
  const io = { ...collectingIo(), stdout: new CollectingSink() };
  const ran = slot.run(pythonTask("print('on')\nwhile True: pass"), io, cancel.signal);
  await io.stdout.first.promise; // it comes while the program runs
  cancel.abort();
  strictEqual((await ran).outcome.reason, "cancelled");
  await slot.close();
});

Deno.test("Python cannot be offered with a directory of wheels that is not there", async () => {
  const guard = { watch: () => Promise.resolve(), unwatch() {} };
  const parts = { command: { path: "/bin/false", args: [] }, guard, logger: silent };
  await rejects(openPythonSlots({ ...parts, wheels: "/nowhere/at/all" }), {
    code: "failed_precondition",
    message: /^cannot read the wheels in "\/nowhere\/at\/all"/,
  });
});
