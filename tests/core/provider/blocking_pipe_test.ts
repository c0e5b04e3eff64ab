/** Tests of the end of a pipe where everything blocks. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { BlockingPipe } from "../../../core/provider/blocking_pipe.ts";
import { encodeRun } from "../../../core/provider/slot_headers.ts";
import { MAX_FILE_BYTES } from "../../../core/provider/slot_intake.ts";
import {
  CHUNK_BYTES,
  encodeFrame,
  encodeNumber,
  FRAME,
  FrameDecoder,
  STDIN_WINDOW_BYTES,
} from "../../../core/provider/slot_protocol.ts";
import { guestTask } from "../../support/slot_tasks.ts";

/** A pipe that has been sent all of this, and then ends; `said` are the types of what it writes. */
function pipeOf(...sent: readonly Uint8Array[]) {
  const waiting = [...sent];
  const said: number[] = [];
  const decoder = new FrameDecoder();
  const pipe = new BlockingPipe({
    readSync: () => waiting.shift() ?? null,
    write: (bytes) => void said.push(...decoder.push(bytes).map(({ type }) => type)),
  });
  return { pipe, said };
}

const RUN = encodeRun(guestTask(["x"]), { stdin: true, result: false });
const file = (...bytes: number[]) => [
  encodeNumber(FRAME.FILE, bytes.length),
  encodeFrame(FRAME.FILE_CHUNK, new Uint8Array(bytes)),
];
const stdin = (text: string) => encodeFrame(FRAME.STDIN, new TextEncoder().encode(text));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("BlockingPipe gives files, the task and stdin in the order in which they are asked for", () => {
  const end = encodeFrame(FRAME.STDIN_END);
  const { pipe, said } = pipeOf(...file(1, 2), RUN, stdin("abc"), ...file(3), stdin("d"), end);
  deepStrictEqual(pipe.file(), new Uint8Array([1, 2]));
  deepStrictEqual(pipe.task().args, ["guest", "x"]);
  deepStrictEqual(pipe.need("sha256:x"), new Uint8Array([3]));
  deepStrictEqual([pipe.read(2), pipe.read(9), pipe.read(9)].map(text), ["ab", "c", "d"]);
  deepStrictEqual([pipe.read(9).length, pipe.read(9).length], [0, 0]);
  deepStrictEqual(said, [FRAME.NEED]);
});

Deno.test("BlockingPipe grants stdin as it is read, so that any amount passes", () => {
  const chunk = encodeFrame(FRAME.STDIN, new Uint8Array(STDIN_WINDOW_BYTES / 2));
  const { pipe, said } = pipeOf(RUN, chunk, chunk, chunk, encodeFrame(FRAME.STDIN_END));
  pipe.task();
  let bytes = 0;
  for (let part = pipe.read(CHUNK_BYTES); part.length > 0; part = pipe.read(CHUNK_BYTES)) {
    bytes += part.length;
  }
  deepStrictEqual([bytes, new Set(said)], [1.5 * STDIN_WINDOW_BYTES, new Set([FRAME.CREDIT])]);
});

Deno.test("BlockingPipe tells of a file that cannot be had", () => {
  strictEqual(pipeOf(encodeFrame(FRAME.FILE_FAILED)).pipe.need("x"), null);
});

Deno.test("BlockingPipe cuts what is larger than a chunk, and sends what is empty", () => {
  const { pipe, said } = pipeOf();
  pipe.send(FRAME.RESULT, new Uint8Array(CHUNK_BYTES + 1));
  pipe.send(FRAME.STARTED, new Uint8Array());
  deepStrictEqual(said, [FRAME.RESULT, FRAME.RESULT, FRAME.STARTED]);
});

Deno.test("BlockingPipe throws when the other side does not keep to the protocol, or has ended", () => {
  const broken = /cannot understand the other side of a slot/;
  throws(() => pipeOf().pipe.task(), broken);
  throws(() => pipeOf(stdin("x")).pipe.task(), broken);
  throws(() => pipeOf(...file(1)).pipe.task(), broken);
  throws(() => pipeOf().pipe.read(1), broken);
  throws(() => pipeOf(RUN).pipe.file(), broken);
  throws(() => pipeOf(encodeNumber(FRAME.FILE, MAX_FILE_BYTES + 1)).pipe.file(), broken);
  throws(() => pipeOf(encodeNumber(FRAME.FILE, 1), RUN).pipe.file(), broken);
  throws(
    () => pipeOf(...file(1)).pipe.need("x")!.length + pipeOf(file(1, 2)[1]!).pipe.file()!.length,
    broken,
  );
  const second = pipeOf(RUN, RUN).pipe;
  second.task();
  throws(() => second.read(1), broken);
});
