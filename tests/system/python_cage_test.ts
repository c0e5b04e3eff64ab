/** Tests that Python programs reach nothing, by Python or by the JavaScript below it. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { createProcessSlotStarter } from "../../core/host/process_slot.ts";
import { readPyodide } from "../../core/host/pyodide_files.ts";
import { selfCommand } from "../../core/host/self_command.ts";
import { silent } from "../../core/log.ts";
import { exited } from "../../core/outcome.ts";
import { openRealPython, runPython } from "../support/real_python.ts";
import { openRealSlots } from "../support/real_slots.ts";

/** Each expression must raise; what gives something is printed. */
const ATTEMPTS = [
  'socket.create_connection(("127.0.0.1", PORT), 1)',
  'urllib.request.urlopen("http://127.0.0.1:PORT/")',
  'http.client.HTTPConnection("127.0.0.1", PORT).request("GET", "/")',
  'pyodide.http.open_url("http://127.0.0.1:PORT/")',
  "js.XMLHttpRequest.new()",
  'js.WebSocket.new("ws://127.0.0.1:PORT/")',
  'js.EventSource.new("http://127.0.0.1:PORT/")',
  'js.Worker.new("data:text/javascript,")',
  'js.importScripts("http://127.0.0.1:PORT/")',
  "js.Deno",
  "js.process",
  "js.navigator",
  "js.localStorage",
  "js.caches",
  "js.BroadcastChannel",
  'js.eval("Deno")',
  'js.eval("require")("fs")',
  'js.Object.constructor("return Deno")()',
  'js.Object.constructor("return process")()',
  "pyodide_js._api.config.jsglobals.Deno",
  'pyodide_js.mountNodeFS("/host", "/")',
  "pyodide_js._module.FS.filesystems.NODEFS.mount(None)",
  'open("/etc/passwd").read()',
  'open("HOST_FILE").read()',
  'open("/proc/self/environ").read()',
  'os.listdir("/etc")',
  'os.environ["PATH_OF_THE_HOST"]',
  'subprocess.run(["true"])',
  "os.fork()",
  'ctypes.CDLL("libc.so.6")',
];

const SCRIPT = `
import ctypes, http.client, js, os, pyodide.http, pyodide_js, socket, subprocess, urllib.request
for attempt in ATTEMPTS:
    try:
        print(attempt, "gave", eval(attempt))
    except BaseException as error:
        pass
print("done")`;

async function attemptAll(python: Parameters<typeof runPython>[0]): Promise<void> {
  let requests = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    requests += 1;
    return new Response("got out");
  });
  const file = await Deno.makeTempFile();
  const attempts = ATTEMPTS.map((attempt) =>
    attempt.replaceAll("PORT", String(server.addr.port)).replaceAll("HOST_FILE", file)
  );
  try {
    const script = SCRIPT.replace("ATTEMPTS", JSON.stringify(attempts));
    const { outcome, stdout, stderr } = await runPython(python, script);
    deepStrictEqual([outcome, stdout.text, stderr.text], [exited(0), "done\n", ""]);
    strictEqual(requests, 0);
  } finally {
    await Deno.remove(file);
    await server.shutdown();
  }
}

Deno.test("Python reaches no network, no file of the host, no process and no JavaScript of Deno", async () => {
  await using python = await openRealPython();
  await attemptAll(python);
});

Deno.test("nor when its slot was started with every permission, as in the compiled binary", async () => {
  await using slots = openRealSlots();
  const { files, lock } = await readPyodide();
  const boot = [...files, new TextEncoder().encode(JSON.stringify({ ...lock, packages: {} }))];
  const start = createProcessSlotStarter({
    command: selfCommand("python-slot", import.meta.resolve("../../commands/python_slot.ts"), ["-A"]),
    guard: slots.guard,
    logger: silent,
    slot: { boot, maxTasks: 1, startTimeoutMs: 60_000 },
  });
  await attemptAll({ start, pids: [], [Symbol.asyncDispose]: () => Promise.resolve() });
});

Deno.test("what a program leaves for later never runs, as its process ends with it", async () => {
  await using python = await openRealPython();
  const script = "import js\njs.setTimeout(js.Object.constructor('while (true);'), 0)\nprint('on')";
  const { outcome, stdout } = await runPython(python, script);
  deepStrictEqual([outcome, stdout.text], [exited(0), "on\n"]);
});
