/** Tests that the process of a slot reaches nothing: for the day when a guest finds a way out of its imports. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { selfCommand } from "../../core/host/self_command.ts";
import { SlotChild } from "../../core/host/slot_child.ts";

const ENTRY = import.meta.resolve("../support/caged_entry.ts");
/** In the compiled binary a slot starts with every permission and has to give them up. */
const STARTS: readonly [string, readonly string[]][] = [["without permissions", []], [
  "with every permission",
  ["-A"],
]];
/** Names that may be in the environment of a slot: where Deno finds its cache. */
const PASSED = ["DENO_DIR", "HOME", "XDG_CACHE_HOME"];
const PERMISSIONS = ["run", "read", "write", "net", "env", "sys", "ffi", "import"];
const MIN_ATTEMPTS = 55;

/** What other errors than that of a missing permission say. */
const OTHER_ENDS: Readonly<Record<string, RegExp>> = {
  "import of a file": /^TypeError: Requires read access/,
  "import from the network": /^TypeError: Requires import access/,
  "import of a package": /^TypeError: Failed loading/,
  "node:dns": /EPERM/,
  "node:wasi": /failed to open preopen/,
  EventSource: /^Error: /,
  "a Worker": /is not defined$/,
  "node:fs by descriptor": /^Error: nothing to read$/,
  localStorage: /is not defined$/,
  caches: /is not defined$/,
  "navigator.gpu": /is not defined$/,
};

interface Caged {
  readonly pid: number;
  /** What became of each attempt to get out. */
  readonly outcomes: Record<string, string>;
}

/** Starts a process as slots are started, lets it try everything, and looks at it while it is there. */
async function withCaged(permissions: readonly string[], look: (caged: Caged) => void): Promise<void> {
  const child = new SlotChild(selfCommand("slot", ENTRY, permissions), () => null);
  try {
    let text = "";
    const decoder = new TextDecoder();
    while (!text.endsWith("\n")) {
      const bytes = await child.read();
      if (bytes === null) throw new Error(`the caged program died: ${await child.lastWords}`);
      text += decoder.decode(bytes, { stream: true });
    }
    look({ pid: child.pid, outcomes: JSON.parse(text) });
  } finally {
    await child.kill();
  }
}

/** What the open descriptors of a process are, by number. */
function descriptorsOf(pid: number | "self"): Map<number, string> {
  const descriptors = new Map<number, string>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      descriptors.set(Number(name), Deno.readLinkSync(`/proc/${pid}/fd/${name}`));
    } catch {
      // The one that lists the directory.
    }
  }
  return descriptors;
}

for (const [how, permissions] of STARTS) {
  Deno.test(`a slot started ${how} has no network, no files, no environment, and cannot ask`, async () => {
    await withCaged(permissions, ({ outcomes }) => {
      const { directory, ...attempts } = outcomes;
      strictEqual(directory, "/");
      for (const permission of PERMISSIONS) {
        strictEqual(attempts[`permission ${permission}`], "denied");
        delete attempts[`permission ${permission}`];
      }
      for (const [name, outcome] of Object.entries(attempts)) {
        match(outcome, OTHER_ENDS[name] ?? /^NotCapable: /, name);
      }
      ok(Object.keys(attempts).length >= MIN_ATTEMPTS);
    });
  });
}

Deno.test({
  name: "a slot inherits no descriptor, no directory and no secret of its provider",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const file = await Deno.makeTempFile();
    using opened = await Deno.open(file);
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    Deno.env.set("WASIMOFF_TOKEN", "a-secret-of-the-provider");
    try {
      const ours = new Set(descriptorsOf("self").values());
      ok(opened && listener && ours.has(file));
      const startersOwn = new Set(descriptorsOf(Deno.ppid).values());
      await withCaged([], ({ pid }) => {
        const lines = Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0").filter((line) => line !== "");
        deepStrictEqual(
          lines.map((line) => line.split("=")[0]!).filter((name) => !PASSED.includes(name)),
          [],
        );
        strictEqual(Deno.readLinkSync(`/proc/${pid}/cwd`), "/");
        const all = descriptorsOf(pid);
        const pipes = new Set([0, 1, 2].map((number) => all.get(number)!));
        const inherited = [...all.values()].filter((link) =>
          (link === file || /^(socket|pipe):/.test(link)) && ours.has(link) && !pipes.has(link)
        );
        deepStrictEqual([pipes.size, inherited.filter((link) => !startersOwn.has(link))], [3, []]);
      });
    } finally {
      Deno.env.delete("WASIMOFF_TOKEN");
      await Deno.remove(file);
    }
  },
});

Deno.test("a slot does not even ask a registry for a package, which Deno does without any permission", async () => {
  let requests = 0;
  const answer = () => {
    requests += 1;
    return new Response(null, { status: 404 });
  };
  const registry = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  const env = { NPM_CONFIG_REGISTRY: `http://127.0.0.1:${registry.addr.port}/` };
  const { path, args } = selfCommand("slot", ENTRY);
  const child = new Deno.Command(path, { args: [...args], env, stdin: "null", stderr: "null" });
  const outcomes = JSON.parse(new TextDecoder().decode((await child.output()).stdout));
  match(outcomes["import of a package"], /^TypeError: Failed loading http:\/\/127\.0\.0\.1/);
  strictEqual(requests, 0);
  await registry.shutdown();
});
