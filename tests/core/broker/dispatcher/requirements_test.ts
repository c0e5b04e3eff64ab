/** Tests of requirements and of the words for missing ones. */

import assert from "node:assert/strict";
import { requiredGeneration, requirementsKey } from "../../../../core/broker/dispatcher/requirements.ts";
import { MIB, ref, spec, TestDispatcher } from "./test_dispatcher.ts";

const SCRIPT = { kind: "script", packages: [] } as const;

Deno.test("requirementsKey() does not depend on the order of labels", () => {
  const key = (changes: Parameters<typeof spec>[0]) => requirementsKey(spec(changes), 1);
  const one = key({ require: { a: "1", b: "2" } });
  assert.equal(one, key({ require: { b: "2", a: "1" } }));
  assert.notEqual(one, key({ require: { a: "1", b: "3" } }));
  assert.notEqual(one, key({ require: { a: "1", b: "2" }, memoryBytes: 1 }));
  assert.notEqual(one, key({ require: { a: '1","b":"2' } }));
  assert.notEqual(one, requirementsKey(spec({ require: { a: "1", b: "2" } }), 2));
  assert.notEqual(one, key({ require: { a: "1", b: "2" }, python: SCRIPT }));
});

Deno.test("Python runs only where it is offered, by old providers, too", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("plain", { slots: 9 });
  const why = 'no provider runs Python: it is offered by "wasimoff provider --python"';
  assert.deepEqual(dispatcher.submit("t1", { python: SCRIPT }), [`queued t1: ${why}`]);
  assert.deepEqual(dispatcher.join("snake", { python: "0.27.2" }), ["start t1 as a1 on snake"]);
  assert.deepEqual(dispatcher.submit("t2"), ["start t2 as a2 on plain"]);
  dispatcher.join("old", { generation: 1, python: "" });
  assert.deepEqual(dispatcher.submit("t3", { python: SCRIPT }), ["start t3 as a3 on old"]);
});

Deno.test("a task runs only where its labels, memory and timeout are met", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("plain", { slots: 9 });
  dispatcher.join("gpu", { labels: { gpu: "yes", os: "linux" } });
  dispatcher.join("large", { taskMemoryBytes: 1024 * MIB });
  dispatcher.join("patient", { taskTimeoutMs: 700_000 });
  assert.deepEqual(dispatcher.submit("t1", { require: { gpu: "yes" } }), ["start t1 as a1 on gpu"]);
  assert.deepEqual(dispatcher.submit("t2", { memoryBytes: 513 * MIB }), ["start t2 as a2 on large"]);
  assert.deepEqual(dispatcher.submit("t3", { timeoutMs: 600_001 }), ["start t3 as a3 on patient"]);
  assert.deepEqual(dispatcher.submit("t4", { timeoutMs: 600_000 }), ["start t4 as a4 on plain"]);
});

Deno.test("what is missing is said", () => {
  const dispatcher = new TestDispatcher();
  dispatcher.join("p", { labels: { gpu: "no" }, slots: 0 });
  const whys: [Parameters<typeof spec>[0], string][] = [
    [{ require: { gpu: "yes" } }, "no provider has label gpu=yes"],
    [{ require: { constructor: "x" } }, "no provider has label constructor=x"],
    [{ require: { gpu: "no", os: "x" } }, "no provider has labels gpu=no os=x"],
    [{ memoryBytes: 513 * MIB }, "no provider allows 513 MiB of memory: at most 512 MiB"],
    [
      { memoryBytes: 513 * MIB, require: { gpu: "no" } },
      "no provider with label gpu=no allows 513 MiB of memory: at most 512 MiB",
    ],
    [{ timeoutMs: 601_000 }, "no provider allows a timeout of 601 s: at most 600 s"],
    [{}, "every matching provider is draining"],
  ];
  for (const [index, [changes, why]] of whys.entries()) {
    assert.deepEqual(dispatcher.submit(`t${index}`, changes), [`queued t${index}: ${why}`]);
  }
});

const ZIP = ref(9);
const GENERATIONS: readonly [what: string, changes: Parameters<typeof spec>[0], generation: 1 | 2][] = [
  ["nothing", {}, 1],
  ["what the broker's clock enforces", { timeoutMs: 1_000, deadline: 1e13, outputBytes: 1 }, 1],
  ["an empty directory", { preopens: [{ guest: ".", zip: null, readOnly: false }] }, 1],
  ["one ZIP at the root", { preopens: [{ guest: "/", zip: ZIP, readOnly: false }] }, 1],
  ["an artifact", { artifacts: ["out/result.txt"] }, 1],
  ["a name with a star, from a client without patterns", { artifacts: ["*"], lenientArtifacts: true }, 1],
  ["Python with a ZIP", { python: SCRIPT, preopens: [{ guest: "/mnt", zip: ZIP, readOnly: false }] }, 1],
  ["Python with its name only", { python: SCRIPT, args: ["script.py"] }, 1],
  ["Python with arguments", { python: SCRIPT, args: ["script.py", "x"] }, 2],
  ["Python with a root", { python: SCRIPT, preopens: [{ guest: "/", zip: ZIP, readOnly: false }] }, 2],
  ["memory", { memoryBytes: 1 }, 2],
  ["determinism", { deterministic: true }, 2],
  ["CPU time", { cpuMs: 1 }, 2],
  ["disk", { diskBytes: 1 }, 2],
  ["a pattern", { artifacts: ["out/*.txt"] }, 2],
  ["a ZIP elsewhere", { preopens: [{ guest: "data", zip: ZIP, readOnly: false }] }, 2],
  ["an empty root", { preopens: [{ guest: "/", zip: null, readOnly: false }] }, 2],
  ["a directory that is read-only", { preopens: [{ guest: "/", zip: ZIP, readOnly: true }] }, 2],
  ["two directories", {
    preopens: [{ guest: "/", zip: ZIP, readOnly: false }, { guest: ".", zip: null, readOnly: false }],
  }, 2],
];

for (const [what, changes, generation] of GENERATIONS) {
  Deno.test(`a task that asks for ${what} needs generation ${generation}`, () => {
    assert.equal(requiredGeneration(spec(changes)), generation);
  });
}
