import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import { encodeFrame, FRAME_TYPE, FrameReader } from "../../../core/webtransport/http3_frame.ts";
import { encodeVarints } from "../../../core/webtransport/varint.ts";
import { http3Failure } from "../../support/http3_failure.ts";

type Kind = "control" | "request";

/** All frames in some bytes, to the end of the stream. */
function read(kind: Kind, hex: string): [bigint, string][] {
  const reader = new FrameReader(kind);
  const frames = [...reader.push(Uint8Array.fromHex(hex))];
  reader.end();
  return frames.map(({ type, payload }) => [type, payload.toHex()]);
}

Deno.test("encodeFrame() writes type and length in front", () => {
  equal(encodeFrame(FRAME_TYPE.HEADERS, Uint8Array.of(1, 2)).toHex(), "01020102");
  equal(encodeFrame(FRAME_TYPE.DATA, new Uint8Array(64)).toHex().slice(0, 6), "004040");
});

Deno.test("FrameReader reads a request: fields, data, and unknown frames between them", () => {
  deepEqual(read("request", "2100" + "0101aa" + "2102ffff" + "0002bbcc" + "0000" + "0101dd"), [
    [FRAME_TYPE.HEADERS, "aa"],
    [FRAME_TYPE.DATA, "bbcc"],
    [FRAME_TYPE.HEADERS, "dd"],
  ]);
});

Deno.test("FrameReader reads a control stream: settings first, goaway, nothing about pushes", () => {
  deepEqual(read("control", "0402" + "0801" + "0d0105" + "030105" + "2101ff" + "070104"), [
    [FRAME_TYPE.SETTINGS, "0801"],
    [FRAME_TYPE.GOAWAY, "04"],
  ]);
});

const BAD: readonly [string, Kind, string, readonly string[]][] = [
  ["a control stream that begins otherwise", "control", "070100", ["H3_MISSING_SETTINGS", "connection"]],
  ["a control stream that begins with an unknown frame", "control", "2100", [
    "H3_MISSING_SETTINGS",
    "connection",
  ]],
  ["settings twice", "control", "04000400", ["H3_FRAME_UNEXPECTED", "connection"]],
  ["data on the control stream", "control", "04000000", ["H3_FRAME_UNEXPECTED", "connection"]],
  ["fields on the control stream", "control", "04000100", ["H3_FRAME_UNEXPECTED", "connection"]],
  ["data before the fields", "request", "000101", ["H3_FRAME_UNEXPECTED", "connection"]],
  ["settings in a request", "request", "0400", ["H3_FRAME_UNEXPECTED", "connection"]],
  ["goaway in a request", "request", "070100", ["H3_FRAME_UNEXPECTED", "connection"]],
  ["a push", "request", "05020000", ["H3_FRAME_UNEXPECTED", "connection"]],
  ["the priority of HTTP/2", "request", "0200", ["H3_FRAME_UNEXPECTED", "connection"]],
  ["the ping of HTTP/2", "control", "04000600", ["H3_FRAME_UNEXPECTED", "connection"]],
  ["a session's stream that is none", "request", "01004041" + "00", ["H3_FRAME_ERROR", "connection"]],
  ["an end inside of a header", "request", "01", ["H3_FRAME_ERROR", "connection"]],
  ["an end inside of a frame", "request", "0102aa", ["H3_FRAME_ERROR", "connection"]],
  ["an end inside of an unknown frame", "request", "2102aa", ["H3_FRAME_ERROR", "connection"]],
];

for (const [what, kind, hex, failure] of BAD) {
  Deno.test(`FrameReader refuses ${what}`, () => deepEqual(http3Failure(() => read(kind, hex)), failure));
}

Deno.test("FrameReader refuses frames beyond its limit as soon as it knows their length", () => {
  const announce = (kind: Kind, type: bigint, length: number | bigint, limit?: number) =>
    http3Failure(() => [...new FrameReader(kind, limit).push(encodeVarints(type, length))]);
  equal(announce("request", FRAME_TYPE.HEADERS, 16_384), undefined);
  deepEqual(announce("request", FRAME_TYPE.HEADERS, 16_385), ["H3_EXCESSIVE_LOAD", "stream"]);
  equal(announce("control", FRAME_TYPE.SETTINGS, 4096), undefined);
  deepEqual(announce("control", FRAME_TYPE.SETTINGS, 1n << 40n), ["H3_EXCESSIVE_LOAD", "connection"]);
  deepEqual(announce("request", FRAME_TYPE.HEADERS, 11, 10), ["H3_EXCESSIVE_LOAD", "stream"]);
});

Deno.test("FrameReader hands on data of any length", () => {
  const reader = new FrameReader("request");
  equal([...reader.push(Uint8Array.fromHex("0100" + "00ffffffffffffffff"))].length, 1);
  const chunk = new Uint8Array(100_000);
  deepEqual([...reader.push(chunk)].map(({ payload }) => payload.length), [100_000]);
});

Deno.test("FrameReader survives any bytes, in any chunks", () => {
  const kind = fc.constantFrom<Kind>("control", "request");
  fc.assert(
    fc.property(kind, fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }), (kind, chunks) => {
      const failure = http3Failure(() => {
        const reader = new FrameReader(kind);
        for (const chunk of chunks) {
          for (const { payload } of reader.push(chunk)) equal(payload.length <= 300, true);
        }
        reader.end();
      });
      if (failure !== undefined) equal(failure[0].startsWith("H3_"), true);
    }),
  );
});
