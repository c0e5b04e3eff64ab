import { deepEqual, equal } from "node:assert/strict";
// @ts-types="npm:@types/ws@8.18.2"
import type { WebSocket } from "ws";
import { FrameWriter, type Masking } from "../../../core/host/websocket_frame_writer.ts";
import { maskingOf } from "../../../core/host/websocket_masking.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A writer whose socket and transport note what they are given, in order. */
function fixture(masking: Masking = "none") {
  const events: string[] = [];
  const socket = {
    OPEN: 1,
    readyState: 1,
    send: (bytes: Uint8Array, sent?: () => void) => {
      events.push(`ws ${bytes.length}`);
      sent?.();
    },
  };
  const transport = {
    cork: () => {},
    uncork: () => {},
    write: (bytes: Uint8Array, written?: () => void) => {
      events.push(
        bytes.length > 40 ? `raw ${bytes.subarray(0, 4).toHex()} ${bytes.length}` : `raw ${bytes.toHex()}`,
      );
      written?.();
    },
  };
  return { events, socket, writer: new FrameWriter(socket as unknown as WebSocket, transport, masking) };
}

Deno.test("FrameWriter.send() writes the first message of a turn at once, and the others together", async () => {
  const { events, writer } = fixture();
  for (const byte of [1, 2, 3]) writer.send(Uint8Array.of(byte));
  deepEqual(events, ["raw 820101"]);
  equal(writer.held, 6);
  await turn();
  deepEqual(events, ["raw 820101", "raw 820102820103"]);
  equal(writer.held, 0);
  writer.send(Uint8Array.of(4));
  deepEqual(events.slice(2), ["raw 820104"]);
  await turn();
});

Deno.test("FrameWriter.send() writes lengths and masks as RFC 6455 has them", async () => {
  for (const [masking, header] of [["none", "827e007e"], ["zeros", "82fe007e"]] as const) {
    const { events, writer } = fixture(masking);
    writer.send(new Uint8Array(126));
    deepEqual(events, [`raw ${header} ${126 + (masking === "none" ? 4 : 8)}`]);
    await turn();
  }
  const { events, writer } = fixture("zeros");
  writer.send(Uint8Array.of(7));
  deepEqual(events, ["raw 82810000000007"]);
  await turn();
});

Deno.test("FrameWriter.send() gives bodies and large messages as they are and random masks to ws, behind what is held", async () => {
  const { events, writer } = fixture();
  writer.send(Uint8Array.of(1));
  writer.send(Uint8Array.of(2));
  writer.send(new Uint8Array(8 * 1024 + 1));
  deepEqual(events, ["raw 820101", "raw 820102", "raw 827e2001", "raw 00000000 8193"]);
  writer.send(Uint8Array.of(5), undefined, new Uint8Array(65_536));
  deepEqual(events.slice(4), ["raw 827f000000000001000105", "raw 00000000 65536"]);
  const zeros = fixture("zeros");
  zeros.writer.send(Uint8Array.of(5), undefined, new Uint8Array(9_000));
  deepEqual(zeros.events, ["raw 82fe23290000000005", "raw 00000000 9000"]);
  const masked = fixture("random");
  masked.writer.send(Uint8Array.of(1));
  masked.writer.send(Uint8Array.of(1), undefined, new Uint8Array(9_000));
  deepEqual(masked.events, ["ws 1", "ws 9001"]);
  await turn();
});

Deno.test("FrameWriter holds a bounded number of bytes, and tells of those that somebody waits for", async () => {
  const { events, writer } = fixture();
  writer.send(Uint8Array.of(1));
  for (let i = 0; i < 8; i++) writer.send(new Uint8Array(8 * 1024));
  equal(events.length, 2);
  equal(writer.held, 0);
  let sent = 0;
  writer.send(Uint8Array.of(2));
  writer.send(Uint8Array.of(3), () => sent++);
  deepEqual([events.at(-1), sent], ["raw 820102820103", 1]);
  await turn();
});

Deno.test("FrameWriter drops what is held when its socket has closed meanwhile", async () => {
  const { events, socket, writer } = fixture();
  writer.send(Uint8Array.of(1));
  writer.send(Uint8Array.of(2));
  socket.readyState = 3;
  await turn();
  deepEqual([events, writer.held], [["raw 820101"], 0]);
});

Deno.test("maskingOf() masks only where a proxy may mistake a payload for a request", () => {
  equal(maskingOf(undefined), "none");
  for (const url of ["wss://broker/x", "ws://localhost:1/", "ws://127.0.0.1/", "ws://[::1]:4080/"]) {
    equal(maskingOf(url), "zeros", url);
  }
  for (const url of ["ws://broker/x", "ws://127.0.0.1.evil/", "ws://10.0.0.1/"]) {
    equal(maskingOf(url), "random", url);
  }
});
