/** Tests of writing log events. */

import assert from "node:assert/strict";
import { createLogSink, type LogSinkOptions, wantsColour } from "../../commands/log_sink.ts";
import { Logger } from "../../core/log.ts";

function log(options: Partial<LogSinkOptions> = {}) {
  const lines: string[] = [];
  const logger = new Logger(createLogSink({
    form: "text",
    level: "info",
    fields: false,
    colour: false,
    write: (line) => lines.push(line),
    now: () => new Date(0),
    ...options,
  }));
  return { logger, lines };
}

Deno.test("createLogSink() writes one line an event and hides fields unless asked", () => {
  const { logger, lines } = log();
  logger.info("ready", { url: "http://x" });
  logger.debug("hidden");
  assert.deepEqual(lines, ["wasimoff: ready\n"]);
});

Deno.test("createLogSink() appends fields as key=value, quoted where they are no word", () => {
  const { logger, lines } = log({ fields: true });
  logger.with({ provider: "p1" }).warn("lost", {
    why: 'it "left"',
    n: 3,
    cause: new Error("a b"),
    none: undefined,
  });
  assert.deepEqual(lines, [
    'wasimoff: lost provider=p1 why="it \\"left\\"" n=3 cause="a b" none=undefined\n',
  ]);
});

Deno.test("createLogSink() makes control characters harmless", () => {
  const { logger, lines } = log({ fields: true });
  logger.error("a\nb\x1b[31m", { name: "\x1b]0;x\x07" });
  assert.deepEqual(lines, ['wasimoff: a\\nb\\x1b[31m name="\\u001b]0;x\\u0007"\n']);
});

Deno.test("createLogSink() writes JSON lines with all fields", () => {
  const { logger, lines } = log({ form: "json", level: "warn" });
  logger.info("hidden");
  logger.error("failed", { code: "internal", level: "fake", cause: new Error("x"), size: 1n });
  assert.deepEqual(lines.map((line) => JSON.parse(line)), [
    {
      code: "internal",
      level: "error",
      cause: "x",
      size: "1",
      time: "1970-01-01T00:00:00.000Z",
      message: "failed",
    },
  ]);
});

Deno.test("createLogSink() colours only the prefix of warnings and errors", () => {
  const { logger, lines } = log({ colour: true });
  logger.info("a");
  logger.error("b");
  assert.deepEqual(lines, ["wasimoff: a\n", "\x1b[31mwasimoff:\x1b[0m b\n"]);
});

Deno.test("wantsColour() needs a terminal and no NO_COLOR", () => {
  assert.equal(wantsColour(true, undefined), true);
  assert.equal(wantsColour(true, ""), true);
  assert.equal(wantsColour(true, "1"), false);
  assert.equal(wantsColour(false, undefined), false);
});
