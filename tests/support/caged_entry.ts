/** Starts as a slot does; where that would take its first task, this tries to get out and prints what came of it. */

import { runSlot } from "../../commands/slot.ts";
import { SlotLoop } from "../../core/provider/slot_loop.ts";

/** Each resolves with something if it got out. */
const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  "Deno.open": () => Deno.open("/etc/hostname"),
  "Deno.readTextFile": () => Deno.readTextFile("/etc/passwd"),
  "Deno.readTextFile of /proc/self/environ": () => Deno.readTextFile("/proc/self/environ"),
  "Deno.readTextFile of /proc/self/status": () => Deno.readTextFile("/proc/self/status"),
  "Deno.readFile of /proc/self/fd/0": () => Deno.readFile("/proc/self/fd/0"),
  "Deno.readFile of /dev/stdin": () => Deno.readFile("/dev/stdin"),
  "Deno.readFile of /dev/null": () => Deno.readFile("/dev/null"),
  "Deno.readFile of our own source": () => Deno.readFile(new URL(import.meta.url)),
  "Deno.readDir": () => Array.fromAsync(Deno.readDir("/")),
  "Deno.stat": () => Deno.stat("/"),
  "Deno.realPath": () => Deno.realPath("."),
  "Deno.writeTextFile": () => Deno.writeTextFile("/tmp/escaped", "x"),
  "Deno.makeTempDir": () => Deno.makeTempDir(),
  "Deno.remove": () => Deno.remove("/tmp/nothing-there"),
  "Deno.symlink": () => Deno.symlink("/etc", "/tmp/escaped"),
  "Deno.link": () => Deno.link("/etc/hostname", "/tmp/escaped"),
  "Deno.chmod": () => Deno.chmod("/tmp/nothing-there", 0o777),
  "Deno.watchFs": () => Deno.watchFs("/"),
  "Deno.chdir": () => Deno.chdir("/"),
  "Deno.connect": () => Deno.connect({ hostname: "127.0.0.1", port: 1 }),
  "Deno.connect to a Unix socket": () => Deno.connect({ transport: "unix", path: "/tmp/nothing-there" }),
  "Deno.connectTls": () => Deno.connectTls({ hostname: "127.0.0.1", port: 1 }),
  "Deno.listen": () => Deno.listen({ port: 0 }),
  "Deno.serve": () => Deno.serve({ port: 0, onListen() {} }, () => new Response()),
  "Deno.resolveDns": () => Deno.resolveDns("localhost", "A"),
  fetch: () => fetch("http://127.0.0.1:1024/"),
  "fetch of a file": () => fetch("file:///etc/hostname"),
  WebSocket: () => new WebSocket("ws://127.0.0.1:1/"),
  EventSource: () => fromEventSource("http://127.0.0.1:1024/"),
  "a Worker": () => new Worker("data:text/javascript,", { type: "module" }),
  localStorage: () => localStorage.setItem("escaped", "x"),
  caches: () => caches.open("escaped"),
  "navigator.gpu": () => navigator.gpu.requestAdapter(),
  "Deno.env.get": () => Deno.env.get("HOME"),
  "Deno.env.toObject": () => Deno.env.toObject(),
  "Deno.env.set": () => Deno.env.set("ESCAPED", "x"),
  "Deno.Command": () => new Deno.Command("/bin/true").output(),
  "Deno.kill": () => Deno.kill(Deno.ppid, "SIGCONT"),
  "Deno.dlopen": () => Deno.dlopen("libc.so.6", { getpid: { parameters: [], result: "i32" } }),
  "Deno.hostname": () => Deno.hostname(),
  "Deno.osRelease": () => Deno.osRelease(),
  "Deno.networkInterfaces": () => Deno.networkInterfaces(),
  "Deno.systemMemoryInfo": () => Deno.systemMemoryInfo(),
  "Deno.uid": () => Deno.uid(),
  "Deno.loadavg": () => Deno.loadavg(),
  "import of a file": () => import(dynamic("file:///etc/hostname")),
  "import of data that reads": async () => (await import(dynamic(`data:text/javascript,${READ}`))).default,
  "import from the network": () => import(dynamic("http://127.0.0.1:1/x.js")),
  "import of a package": () => import(dynamic("npm:escaped@0.0.0")),
  "node:fs": async () => (await import("node:fs")).readFileSync("/etc/hostname"),
  "node:fs promises": async () => (await import("node:fs/promises")).readdir("/"),
  "node:fs write": async () => (await import("node:fs")).writeFileSync("/tmp/escaped", "x"),
  "node:fs by descriptor": async () => readAnyDescriptor(await import("node:fs")),
  "node:net": async () => {
    const { connect } = await import("node:net");
    return await new Promise((resolve, reject) =>
      connect(1, "127.0.0.1").once("connect", resolve).once("error", reject)
    );
  },
  "node:dns": async () => (await import("node:dns/promises")).lookup("localhost"),
  "node:http": async () => {
    const { get } = await import("node:http");
    return await new Promise((resolve, reject) => get("http://127.0.0.1:1/", resolve).once("error", reject));
  },
  "node:child_process": async () => (await import("node:child_process")).execFileSync("/bin/true"),
  "node:worker_threads": async () =>
    new (await import("node:worker_threads")).Worker(new URL("file:///etc/hostname")),
  "node:os": async () => (await import("node:os")).hostname(),
  "node:process env": async () => (await import("node:process")).env.HOME ?? missing(),
  "node:process dlopen": async () =>
    (await import("node:process")).default.dlopen({ exports: {} }, "/lib/x86_64-linux-gnu/libc.so.6"),
  "node:module": async () => (await import("node:module")).createRequire(import.meta.url)("/etc/hostname.js"),
  "node:sqlite": async () => new (await import("node:sqlite")).DatabaseSync("/tmp/escaped.db"),
  "node:wasi": async () =>
    new (await import("node:wasi")).WASI({ version: "preview1", preopens: { "/": "/" } }),
};

const READ = "export default Deno.readTextFileSync('/etc/hostname')";
/** Behind some are the caches of Deno, and what the provider may have inherited; not stdin, stdout and stderr. */
function readAnyDescriptor({ readSync, fstatSync }: typeof import("node:fs")): unknown {
  for (let descriptor = 3; descriptor < 300; descriptor++) {
    try {
      fstatSync(descriptor);
      return `${descriptor}: ${readSync(descriptor, new Uint8Array(10), 0, 10, 0)}`;
    } catch {
      // That one cannot be read.
    }
  }
  throw new Error("nothing to read");
}

function fromEventSource(url: string): Promise<unknown> {
  const source = new EventSource(url);
  return new Promise((resolve, reject) => {
    source.onopen = resolve;
    source.onerror = (event) =>
      reject((event as ErrorEvent).error ?? new Error((event as ErrorEvent).message));
  }).finally(() => source.close());
}

/** Hides a specifier from what is loaded before the start. */
function dynamic(specifier: string): string {
  return [...specifier].join("");
}

function missing(): never {
  throw new TypeError("there is nothing");
}

SlotLoop.prototype.serve = async () => {
  const outcomes: Record<string, string> = { directory: Deno.cwd() };
  for (const [name, attempt] of Object.entries(ATTEMPTS)) outcomes[name] = await outcomeOf(attempt);
  for (const name of ["run", "read", "write", "net", "env", "sys", "ffi", "import"] as const) {
    outcomes[`permission ${name}`] = (await Deno.permissions.request({ name })).state;
  }
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(outcomes) + "\n"));
  await Deno.stdin.read(new Uint8Array(1)); // until the test has looked at us
};

async function outcomeOf(attempt: () => unknown): Promise<string> {
  try {
    return `got ${Deno.inspect(await attempt())}`;
  } catch (error) {
    return error instanceof Error ? error.name + ": " + error.message.split("\n")[0] : String(error);
  }
}

await runSlot();
