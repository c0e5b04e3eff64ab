import { deepEqual, equal, ok } from "node:assert/strict";
import { EventEmitter } from "node:events";
import fc from "fast-check";
import { FrameReader } from "../../../core/host/websocket_frame_reader.ts";
import { joinChunks } from "../../../core/join_chunks.ts";

const MAX_BYTES = 70_000;
const BINARY = 0x82;
const PING = 0x89;
const CLOSE = 0x88;
const TEXT = 0x81;

interface WireFrame {
  readonly type: number;
  readonly payload: Uint8Array;
  readonly mask?: readonly number[];
}

/** A frame of RFC 6455 5.2; the mask is only said, not applied. */
function wire({ type, payload, mask = [] }: WireFrame): Uint8Array<ArrayBuffer> {
  const { length } = payload;
  const masked = mask.length > 0 ? 0x80 : 0;
  const size = length < 126
    ? [length | masked]
    : length < 65_536
    ? [126 | masked, length >> 8, length & 255]
    : [127 | masked, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255];
  return joinChunks([Uint8Array.of(type, ...size, ...mask), payload]);
}

const bytes = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 255);

/** A reader on a source that is the test, in the place of a listener that notes what it gets. */
function fixture(masked = false) {
  const source = new EventEmitter();
  const foreign: Uint8Array[] = [];
  const messages: Uint8Array[] = [];
  const pieces: number[] = [];
  source.on("data", (chunk: Uint8Array) => {
    ok(reader.forwarding);
    foreign.push(chunk.slice());
  });
  const reader: FrameReader = new FrameReader(source, {
    masked,
    maxBytes: MAX_BYTES,
    onMessage: (first, rest) => {
      ok(!reader.forwarding);
      pieces.push(rest === null ? 1 : 2);
      if (rest !== null) ok(first.length >= 64);
      messages.push(rest === null ? first.slice() : joinChunks([first, rest]));
    },
  });
  const hear = (chunk: Uint8Array) => source.emit("data", chunk);
  return { source, reader, hear, messages, pieces, foreign: () => joinChunks(foreign) };
}

Deno.test("FrameReader gives whole binary messages, as views where they came whole", () => {
  const { hear, messages, pieces } = fixture();
  const sent = [bytes(0), bytes(5), bytes(125), bytes(126), bytes(65_535), bytes(65_536)];
  hear(joinChunks(sent.map((payload) => wire({ type: BINARY, payload }))));
  deepEqual(messages, sent);
  deepEqual(pieces, [1, 1, 1, 1, 1, 1]);
});

Deno.test("FrameReader gives a message in two pieces when it came so, and joins more of them", () => {
  const { hear, messages, pieces } = fixture();
  const frame = wire({ type: BINARY, payload: bytes(1_000) });
  for (const cuts of [[500], [500, 600], [40], [1], [4], [68]]) {
    let from = 0;
    for (const to of [...cuts, frame.length]) {
      hear(frame.subarray(from, to));
      from = to;
    }
  }
  deepEqual(messages, Array(6).fill(bytes(1_000)));
  deepEqual(pieces, [2, 1, 1, 1, 1, 2]);
});

Deno.test("FrameReader leaves other frames to ws, and everything behind what it does not know", () => {
  const { hear, messages, foreign } = fixture();
  const ping = wire({ type: PING, payload: bytes(3) });
  const close = wire({ type: CLOSE, payload: bytes(2) });
  const text = wire({ type: TEXT, payload: bytes(9) });
  const binary = wire({ type: BINARY, payload: bytes(4) });
  hear(joinChunks([ping, binary, close, binary, text, binary, ping]));
  deepEqual(messages, [bytes(4), bytes(4)]);
  deepEqual(foreign(), joinChunks([ping, close, text, binary, ping]));
});

Deno.test("FrameReader leaves what no peer of ours sends to ws: masks, fragments, reserved bits, great lengths", () => {
  const hostile = [
    wire({ type: BINARY, payload: bytes(4), mask: [0, 0, 0, 0] }), // servers do not mask
    wire({ type: 0x02, payload: bytes(4) }),
    wire({ type: 0x00, payload: bytes(4) }),
    wire({ type: BINARY | 0x40, payload: bytes(4) }),
    wire({ type: PING, payload: bytes(126) }),
    wire({ type: BINARY, payload: bytes(MAX_BYTES + 1) }),
    Uint8Array.of(BINARY, 127, 255, 255, 255, 255, 255, 255, 255, 255, 1),
  ];
  for (const frame of hostile) {
    const { hear, messages, foreign } = fixture();
    const rest = wire({ type: BINARY, payload: bytes(4) });
    hear(joinChunks([frame, rest]));
    deepEqual([messages, foreign()], [[], joinChunks([frame, rest])]);
  }
});

Deno.test("FrameReader takes masks that change nothing, and leaves the others to ws, of a client", () => {
  const { hear, messages, foreign } = fixture(true);
  const plain = wire({ type: BINARY, payload: bytes(200), mask: [0, 0, 0, 0] });
  const masked = wire({ type: BINARY, payload: bytes(200), mask: [0, 0, 0, 9] });
  hear(joinChunks([plain, masked, plain]));
  deepEqual(messages, [bytes(200), bytes(200)]);
  deepEqual(foreign(), masked);
  const bare = wire({ type: BINARY, payload: bytes(200) });
  hear(bare);
  hear(plain);
  equal(messages.length, 2);
  deepEqual(foreign(), joinChunks([masked, bare, plain]));
});

Deno.test("FrameReader gives the same however the bytes are cut", () => {
  const kinds = fc.oneof(
    fc.record({
      type: fc.constant(BINARY),
      size: fc.oneof(fc.nat(300), fc.nat(MAX_BYTES)),
      seed: fc.nat(255),
    }),
    fc.record({ type: fc.constant(PING), size: fc.nat(125), seed: fc.nat(255) }),
  );
  fc.assert(
    fc.property(fc.array(kinds, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
      const { hear, messages, foreign } = fixture();
      const wires = frames.map(({ type, size, seed }) => wire({ type, payload: bytes(size, seed) }));
      const all = joinChunks(wires);
      const places = cuts.map((cut) => cut % (all.length + 1)).sort((a, b) => a - b);
      let from = 0;
      for (const to of [...places, all.length]) {
        if (to > from) hear(all.slice(from, to));
        from = to;
      }
      const binary = frames.filter(({ type }) => type === BINARY);
      deepEqual(messages, binary.map(({ size, seed }) => bytes(size, seed)));
      deepEqual(foreign(), joinChunks(wires.filter((_, i) => frames[i]!.type === PING)));
    }),
    { numRuns: 40 },
  );
});

Deno.test("FrameReader frees a large buffer when every byte of it was released, and not before", () => {
  const payload = bytes(60_000);
  const chunk = joinChunks([wire({ type: BINARY, payload }), wire({ type: BINARY, payload: bytes(10) })]);
  const { reader, hear, messages } = fixture();
  hear(chunk);
  reader.release(chunk.buffer, 60_000);
  reader.release(new ArrayBuffer(10), 10);
  equal(chunk.length, 60_000 + 4 + 2 + 10);
  reader.release(chunk.buffer, 9);
  equal(chunk.length, 60_000 + 4 + 2 + 10);
  reader.release(chunk.buffer, 1);
  equal(chunk.length, 0);
  deepEqual(messages, [payload, bytes(10)]);
});

Deno.test("FrameReader frees what it has joined itself, and never a part of a buffer or one that ws has a part of", () => {
  const frame = wire({ type: BINARY, payload: bytes(65_000) });
  const [first, second, third] = [frame.slice(0, 20), frame.slice(20, 40_000), frame.slice(40_000)];
  const joining = fixture();
  for (const chunk of [first, second, third]) joining.hear(chunk);
  deepEqual([first.length, second.length, third.length], [20, 0, 65_004 - 40_000]);
  deepEqual(joining.messages, [bytes(65_000)]);

  const part = new Uint8Array(frame.length + 1).subarray(1);
  part.set(frame);
  const mixed = joinChunks([frame, wire({ type: PING, payload: bytes(1) })]);
  for (const chunk of [part, mixed]) {
    const { reader, hear } = fixture();
    hear(chunk);
    reader.release(chunk.buffer, 65_000);
    equal(chunk.length > 65_000, true);
  }
});
