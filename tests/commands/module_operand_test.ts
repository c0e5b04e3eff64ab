/** Tests of finding the module. */

import assert from "node:assert/strict";
import { readModuleOperand } from "../../commands/module_operand.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

const MODULE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
const COMPONENT = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00);
const REF = `sha256:${"0".repeat(64)}`;

const from = (bytes: Uint8Array, broker = true) => ({ stdin: () => ReadableStream.from([bytes]), broker });
const noInput = from(new Uint8Array());

Deno.test("readModuleOperand() reads a file and names the guest after it", async () => {
  await using directory = await temporaryDirectory();
  await Deno.writeFile(`${directory.path}/task.wasm`, MODULE);
  assert.deepEqual(await readModuleOperand(`${directory.path}/task.wasm`, noInput), {
    module: { bytes: MODULE },
    name: "task.wasm",
  });
});

Deno.test("readModuleOperand() reads - from the input", async () => {
  assert.deepEqual(await readModuleOperand("-", from(MODULE)), { module: { bytes: MODULE }, name: "-" });
});

Deno.test("readModuleOperand() leaves references and unknown names to the broker", async () => {
  for (const operand of [REF, "no-such-file.wasm"]) {
    assert.deepEqual(await readModuleOperand(operand, noInput), {
      module: { stored: operand },
      name: operand,
    });
    assert.deepEqual(await readModuleOperand(operand, { ...noInput, broker: false }), {
      reason: "rejected",
      origin: "client",
      status: 127,
      message: `there is no file "${operand}", and no broker to ask: see "wasimoff submit"`,
    });
  }
});

Deno.test("readModuleOperand() does not ask the broker for what is a path", async () => {
  const outcome = await readModuleOperand("./no-such-file.wasm", noInput);
  assert.deepEqual(outcome, {
    reason: "rejected",
    origin: "client",
    status: 127,
    message: 'there is no file "./no-such-file.wasm"',
  });
});

Deno.test("readModuleOperand() names what is no module", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/x.wasm`;
  const cases: [Uint8Array, RegExp][] = [
    [COMPONENT, /x\.wasm": .*it is a component, which is not supported/],
    [new TextEncoder().encode("#!/bin/sh\n"), /it is a script/],
    [new Uint8Array(), /it is empty/],
    [MODULE.slice(0, 5), /it is damaged/],
  ];
  for (const [bytes, message] of cases) {
    await Deno.writeFile(path, bytes);
    const outcome = await readModuleOperand(path, noInput);
    assert.ok("reason" in outcome);
    assert.deepEqual([outcome.reason, outcome.status], ["rejected", 126]);
    assert.match(outcome.message, message);
  }
  const outcome = await readModuleOperand(directory.path, noInput);
  assert.ok("reason" in outcome);
  assert.deepEqual([outcome.status, outcome.message], [
    126,
    `cannot run "${directory.path}": it is a directory`,
  ]);
});
