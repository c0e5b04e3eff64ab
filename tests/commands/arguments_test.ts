/** Tests of splitting the words of a command line. */

import assert from "node:assert/strict";
import { readArguments } from "../../commands/arguments.ts";
import { count, repeated, text, toggle } from "../../commands/flag_kinds.ts";
import { flag } from "../../commands/flags.ts";

const TABLE = {
  jobs: flag(count(1), "", { short: "j", default: null }),
  env: flag(repeated, "", { short: "e", default: [] }),
  tokenFile: flag(text, "", { default: null }),
  quiet: flag(toggle, "", { short: "q", default: false }),
  verbose: flag(toggle, "", { short: "v", default: false }),
};
const FILE = { usage: "FILE", min: 1, max: 1 };
const MODULE = { usage: "MODULE [-- ARGS...]", min: 1, max: 1, guestArguments: true };

Deno.test("readArguments() reads every way to write a flag", () => {
  const cases: [string[], Record<string, string[]>][] = [
    [["-j4", "f"], { jobs: ["4"] }],
    [["-j", "4", "f"], { jobs: ["4"] }],
    [["-qvj4", "f"], { quiet: ["true"], verbose: ["true"], jobs: ["4"] }],
    [["--jobs=4", "f"], { jobs: ["4"] }],
    [["--jobs", "4", "--jobs", "5", "f"], { jobs: ["4", "5"] }],
    [["-e", "A=1", "f", "--env=B=2", "-eC=3"], { env: ["A=1", "B=2", "C=3"] }],
    [["--quiet=false", "f"], { quiet: ["false"] }],
    [["--token-file", "-", "f"], { "token-file": ["-"] }],
    [["--token-file=-x", "--", "f"], { "token-file": ["-x"] }],
  ];
  for (const [words, flags] of cases) {
    const given = readArguments(words, TABLE, FILE);
    assert.deepEqual(Object.fromEntries(given.flags), flags, words.join(" "));
    assert.deepEqual(given.operands, ["f"], words.join(" "));
  }
});

Deno.test("readArguments() ends the flags at -- and leaves the rest to the guest", () => {
  assert.deepEqual(readArguments(["--", "-q"], TABLE, FILE).operands, ["-q"]);
  const given = readArguments(["-q", "m.wasm", "--", "-v", "--jobs=1", "--", "x"], TABLE, MODULE);
  assert.deepEqual(given.operands, ["m.wasm"]);
  assert.deepEqual(given.guestArguments, ["-v", "--jobs=1", "--", "x"]);
  assert.deepEqual([...given.flags], [["quiet", ["true"]]]);
});

Deno.test("readArguments() keeps the guest's words exactly, whatever they look like", () => {
  const words = ["-n5", "-abc", "--a=b", "--quiet=no", "", "-", "é", "--no-x"];
  assert.deepEqual(readArguments(["m.wasm", "--", ...words], TABLE, MODULE).guestArguments, words);
});

Deno.test("readArguments() refuses what does not fit and says what to write", () => {
  const cases: [string[], typeof FILE, string][] = [
    [["--jbos", "4", "f"], FILE, 'unknown flag "--jbos": did you mean "--jobs"?'],
    [["--zzz", "f"], FILE, 'unknown flag "--zzz"'],
    [["--__proto__", "f"], FILE, 'unknown flag "--__proto__"'],
    [["-x", "f"], FILE, 'unknown flag "-x"'],
    [["f", "--token-file"], FILE, '"--token-file" needs a value: write "--token-file=VALUE"'],
    [["--jobs", "-q", "f"], FILE, '"--jobs" needs a value: write "--jobs=VALUE"'],
    [[], FILE, "an operand is missing: give FILE"],
    [["a", "b"], FILE, 'unexpected "b": this command takes only FILE'],
    [["--", "x"], MODULE, "an operand is missing: give MODULE [-- ARGS...]"],
    [
      ["m.wasm", "x"],
      MODULE,
      '"x" follows the module: put "--" before arguments of the guest, flags before it',
    ],
    [
      ["m.wasm", "--json", "--", "x"],
      MODULE,
      '"--json" follows the module: put "--" before arguments of the guest, flags before it',
    ],
  ];
  for (const [words, rule, message] of cases) {
    assert.throws(() => readArguments(words, TABLE, rule), { code: "invalid_argument", message });
  }
  assert.throws(() => readArguments(["x"], TABLE, { usage: "", min: 0, max: 0 }), {
    message: 'unexpected "x": this command takes no operands',
  });
});

Deno.test("readArguments() stops at a question for help", () => {
  assert.equal(readArguments(["--help"], TABLE, FILE).help, "");
  assert.equal(readArguments(["-qh", "--unknown"], TABLE, FILE).help, "");
  assert.equal(readArguments(["--help", "topic", "--unknown"], TABLE, FILE).help, "topic");
  assert.equal(readArguments(["file"], TABLE, FILE).help, null);
});
