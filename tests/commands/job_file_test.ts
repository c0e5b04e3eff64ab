import { deepStrictEqual, rejects, throws } from "node:assert/strict";
import { parseJob, readJobFile } from "../../commands/job_file.ts";

const parse = (value: unknown) => parseJob(JSON.stringify(value));
const BYTES = new Uint8Array([1, 2, 3]);
const NOTHING = new Uint8Array(0);
const EMPTY = [{ guest: ".", readOnly: false, zip: null }];
const REF = `sha256:${"a".repeat(64)}`;

/** Every form, and the tasks that it stands for. */
const FORMS: Readonly<Record<string, readonly [value: unknown, tasks: readonly unknown[]]>> = {
  "a request": [
    {
      info: { id: "x", trace: {} },
      qos: { priority: true, immediate: false, deadline: "2030-01-01T00:00:00Z" },
      params: {
        binary: { ref: REF.toUpperCase().replace("SHA", "sha") },
        args: ["a", "b"],
        envs: ["K=v"],
        stdin: "AQID",
        rootfs: { ref: "root.zip" },
        artifacts: ["/out", "b"],
      },
    },
    [{
      module: { stored: REF },
      ...{ args: ["a", "b"], env: ["K=v"], stdin: BYTES },
      directories: [{ guest: "/", readOnly: false, zip: { stored: "root.zip" } }],
      artifacts: ["/out", "/b"],
      wishes: { trace: true, priority: true, immediate: false, deadline: Date.UTC(2030, 0, 1) },
    }],
  ],
  "bare parameters": [
    { binary: { blob: "AQID" }, args: ["a"], artifacts: ["/out"] },
    [{
      module: { bytes: BYTES },
      ...{ args: ["a"], env: [], stdin: NOTHING, directories: EMPTY, artifacts: ["out"], wishes: {} },
    }],
  ],
  "a parent and its tasks": [
    {
      parent: { binary: { ref: "p.wasm" }, args: ["p"], envs: ["P=1"], stdin: "AQID" },
      tasks: [
        { args: ["p", "1"] },
        { params: { binary: { ref: "other.wasm" }, envs: ["T=1"] } },
        { wasip1: { stdin: null } },
      ],
    },
    [
      { module: { stored: "p.wasm" }, args: ["p", "1"], env: ["P=1"], stdin: BYTES },
      { module: { stored: "other.wasm" }, args: ["p"], env: ["T=1"], stdin: BYTES },
      { module: { stored: "p.wasm" }, args: ["p"], env: ["P=1"], stdin: BYTES },
    ].map((task) => ({ ...task, directories: EMPTY, artifacts: [], wishes: {} })),
  ],
  "the oldest": [
    {
      bin: "t.wasm",
      envs: ["ALL=1"],
      trace: true,
      exec: [{ args: ["1"], envs: ["OWN=1"], stdin: "häh" }, { args: ["2"], datafile: "out.bin" }],
    },
    [
      {
        args: ["t.wasm", "1"],
        env: ["OWN=1", "ALL=1"],
        stdin: new TextEncoder().encode("häh"),
        artifacts: [],
      },
      { args: ["t.wasm", "2"], env: ["ALL=1"], stdin: NOTHING, artifacts: ["out.bin"] },
    ].map((task) => ({ ...task, module: { stored: "t.wasm" }, directories: EMPTY, wishes: { trace: true } })),
  ],
};

for (const [name, [value, tasks]] of Object.entries(FORMS)) {
  Deno.test(`parseJob() reads ${name}`, () => deepStrictEqual(parse(value), tasks));
}

/** What is no task file, and what is said of it. */
const WRONG: Readonly<Record<string, readonly [value: unknown, message: RegExp]>> = {
  "a list": [[], /write an object/],
  "nothing": [{}, /"binary" needs either "ref" or "blob"/],
  "a file that is both": [{ binary: { ref: "a", blob: "AQID" } }, /either "ref" or "blob"/],
  "a file that is neither": [{ binary: { ref: "a" }, rootfs: {} }, /"rootfs" needs either/],
  "an unknown field": [{ binary: { ref: "a" }, arg: ["x"] }, /arg/],
  "a wrong type": [{ binary: { ref: "a" }, args: "x" }, /args/],
  "no tasks": [{ tasks: [] }, /it has no tasks/],
  "tasks that are no list": [{ tasks: {} }, /"tasks" is no list/],
  "a wrong task": [{ tasks: [{ binary: { ref: "a" } }, { args: [] }] }, /^task 2: "binary" needs/],
  "something beside tasks": [{ tasks: [{}], task: 1 }, /nobody knows "task"/],
  "a program without tasks": [{ bin: "a" }, /"exec" no list/],
  "files of the oldest": [
    { bin: "a", exec: [{ args: [], loadfs: ["x"] }] },
    /"loadfs" is not spoken any more/,
  ],
  "Python": [{ script: "1 + 1" }, /Python task \("script"\)/],
  "parameters of Python": [{ params: { packages: [] } }, /Python task \("packages"\)/],
  "input of the oldest that is no text": [{ bin: "a", exec: [{ stdin: {} }] }, /"stdin" is no text/],
  "no parent": [{ parent: null, tasks: [{}] }, /"binary" needs/],
  "too many tasks": [{ bin: "a", exec: Array.from({ length: 10_001 }, () => ({})) }, /more than 10000 tasks/],
};

for (const [name, [value, message]] of Object.entries(WRONG)) {
  Deno.test(`parseJob() refuses ${name}`, () => {
    throws(() => parse(value), { name: "WasimoffError", code: "invalid_argument", message });
  });
}

Deno.test("parseJob() refuses what is no JSON, however deep", () => {
  throws(() => parseJob("{"), { code: "invalid_argument", message: /^it is no JSON/ });
  const deep = `{"params":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  throws(() => parseJob(deep), { code: "invalid_argument" });
});

Deno.test("readJobFile() reads no more than a task file may have, of whatever it is", async () => {
  const message = 'task file "/dev/zero": it is too large for a task file';
  await rejects(() => readJobFile("/dev/zero"), { code: "invalid_argument", message });
});
