/** Tests of the config file. */

import assert from "node:assert/strict";
import { commandConfig, defaultConfigPath, loadConfig } from "../../commands/config_file.ts";
import { keyValues, text } from "../../commands/flag_kinds.ts";
import { flag } from "../../commands/flags.ts";

const OPTIONS = {
  command: "provider",
  commands: ["broker", "provider"],
  table: {
    config: flag(text, "", { default: null }),
    taskMemory: flag(text, "", { default: null }),
    label: flag(keyValues, "", { default: {} }),
  },
};

Deno.test("defaultConfigPath() follows XDG_CONFIG_HOME, then HOME", () => {
  const path = (variables: Record<string, string>) => defaultConfigPath((name) => variables[name]);
  assert.equal(path({ XDG_CONFIG_HOME: "/x", HOME: "/h" }), "/x/wasimoff/config.json");
  assert.equal(path({ XDG_CONFIG_HOME: "", HOME: "/h" }), "/h/.config/wasimoff/config.json");
  assert.equal(path({}), null);
});

Deno.test("commandConfig() turns JSON values into what a flag would have been given", () => {
  const document = {
    broker: { anything: 1 },
    provider: { "task-memory": 4096, label: { gpu: true, zone: "b" } },
  };
  assert.deepEqual(
    [...commandConfig(document, OPTIONS)],
    [["task-memory", ["4096"]], ["label", ["gpu=true", "zone=b"]]],
  );
  assert.deepEqual([...commandConfig({ provider: { label: ["a=1", "b=2"] } }, OPTIONS)], [["label", [
    "a=1",
    "b=2",
  ]]]);
  assert.deepEqual([...commandConfig({}, OPTIONS)], []);
});

Deno.test("commandConfig() refuses unknown keys and wrong shapes", () => {
  const cases: [unknown, RegExp][] = [
    [{ provder: {} }, /^unknown key "provder" in the config file: did you mean "provider"\?$/],
    [
      { provider: { "task-memroy": 1 } },
      /^unknown key "task-memroy" in "provider" in .*: did you mean "task-memory"/,
    ],
    [{ provider: { config: "x" } }, /^unknown key "config"/],
    [{ provider: { taskMemory: 1 } }, /^unknown key "taskMemory"/],
    [[], /no JSON object/],
    [null, /no JSON object/],
    [{ provider: "x" }, /no JSON object/],
    [{ provider: { "task-memory": null } }, /wrong type/],
    [{ provider: { label: [{}] } }, /wrong type/],
  ];
  for (const [document, message] of cases) {
    assert.throws(() => commandConfig(document, OPTIONS), { code: "invalid_argument", message });
  }
});

Deno.test("loadConfig() misses only a file that was asked for, and names a file that is no JSON", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/config.json`;
    assert.deepEqual(await loadConfig(path, { mustExist: false }), {});
    await assert.rejects(loadConfig(path, { mustExist: true }), {
      code: "failed_precondition",
      message: `read config file "${path}": there is no such file`,
    });
    await Deno.writeTextFile(path, "{");
    await assert.rejects(loadConfig(path, { mustExist: false }), {
      code: "failed_precondition",
      message: /config\.json": /,
    });
    await Deno.writeTextFile(path, '{"provider": {"jobs": 2}}');
    assert.deepEqual(await loadConfig(path, { mustExist: true }), { provider: { jobs: 2 } });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
