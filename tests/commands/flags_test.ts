/** Tests of flag tables: names, precedence, types and messages. */

import assert from "node:assert/strict";
import {
  choice,
  commaList,
  count,
  keyValues,
  repeated,
  size,
  text,
  toggle,
} from "../../commands/flag_kinds.ts";
import { flag, flagName, type FlagSources, flagVariable, resolveFlags } from "../../commands/flags.ts";

const TABLE = {
  jobs: flag(count(1), "", { default: 2 }),
  taskMemory: flag(size, "", { default: null }),
  url: flag(text, "", {
    default: "http://default",
    environment: ["WASIMOFF_URL"],
    legacyEnvironment: ["OLD_URL"],
  }),
  open: flag(toggle, "", { default: false }),
  label: flag(keyValues, "", { default: {} }),
  artifact: flag(repeated, "", { default: [] }),
  origins: flag(commaList, "", { default: [] }),
  log: flag(choice("text", "json"), "", { default: "text" }),
};

function resolve(sources: Partial<Omit<FlagSources, "variable">> & { variables?: Record<string, string> }) {
  const { variables = {}, ...rest } = sources;
  const none = { command: "provider", given: new Map(), config: new Map() };
  return resolveFlags(TABLE, { ...none, ...rest, variable: (name) => variables[name] });
}

Deno.test("flagName() and flagVariable() derive the other two names of an option", () => {
  assert.equal(flagName("taskMemory"), "task-memory");
  assert.equal(flagVariable("provider", "taskMemory"), "WASIMOFF_PROVIDER_TASK_MEMORY");
});

Deno.test("resolveFlags() prefers flag, own variable, common variable, config, old variable, default in this order", () => {
  const given = new Map([["url", ["http://first", "http://flag"]]]);
  const config = new Map([["url", ["http://config"]]]);
  const variables: Record<string, string> = {
    WASIMOFF_PROVIDER_URL: "http://own",
    WASIMOFF_URL: "http://common",
    OLD_URL: "http://old",
  };
  const found = (sources: Parameters<typeof resolve>[0]) => {
    const { options, sources: from } = resolve(sources);
    return [options.url, from.url];
  };
  assert.deepEqual(found({ given, config, variables }), ["http://flag", "flag"]);
  assert.deepEqual(found({ config, variables }), ["http://own", "environment"]);
  delete variables["WASIMOFF_PROVIDER_URL"];
  assert.deepEqual(found({ config, variables }), ["http://common", "environment"]);
  variables["WASIMOFF_URL"] = "";
  assert.deepEqual(found({ config, variables }), ["http://config", "config"]);
  assert.deepEqual(found({ variables }), ["http://old", "environment"]);
  assert.deepEqual(found({}), ["http://default", "default"]);
});

Deno.test("resolveFlags() gives every kind its type", () => {
  const given = new Map([
    ["jobs", ["3", "4"]],
    ["task-memory", ["64MiB"]],
    ["open", ["true"]],
    ["label", ["a=1", "b=x=y"]],
    ["artifact", ["out", "log"]],
    ["origins", ["https://a, https://b", "https://c"]],
    ["log", ["json"]],
  ]);
  const { options } = resolve({ given });
  const jobs: number = options.jobs;
  const memory: number | null = options.taskMemory;
  const log: "text" | "json" = options.log;
  assert.deepEqual([jobs, memory, log, options.open], [4, 64 * 1024 * 1024, "json", true]);
  assert.deepEqual(options.label, { a: "1", b: "x=y" });
  assert.deepEqual(options.artifact, ["out", "log"]);
  assert.deepEqual(options.origins, ["https://a", "https://b", "https://c"]);
});

Deno.test("resolveFlags() takes one value a line from the variable of a repeated flag", () => {
  const variables = { WASIMOFF_PROVIDER_LABEL: "a=1,2\nb=3\n", WASIMOFF_PROVIDER_OPEN: "yes" };
  const { options } = resolve({ variables });
  assert.deepEqual(options.label, { a: "1,2", b: "3" });
  assert.equal(options.open, true);
});

Deno.test("resolveFlags() names the place of a wrong value", () => {
  const cases: [Parameters<typeof resolve>[0], string][] = [
    [{ given: new Map([["jobs", ["0"]]]) }, '--jobs: "0" is no whole number from 1 on'],
    [
      { variables: { WASIMOFF_PROVIDER_OPEN: "maybe" } },
      'WASIMOFF_PROVIDER_OPEN: "maybe" is neither true nor false',
    ],
    [
      { variables: { WASIMOFF_PROVIDER_OPEN: "constructor" } },
      'WASIMOFF_PROVIDER_OPEN: "constructor" is neither true nor false',
    ],
    [
      { config: new Map([["log", ["jsno"]]]) },
      '"provider.log" in the config file: "jsno" is none of text, json: did you mean "json"?',
    ],
  ];
  for (const [sources, message] of cases) {
    assert.throws(() => resolve(sources), { code: "invalid_argument", message });
  }
});
