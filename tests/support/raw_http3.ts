/** One side of HTTP/3 written by hand, for peers that break its rules. */

import { CapsuleReader } from "../../core/webtransport/capsule.ts";
import { encodeFrame, FRAME_TYPE, FrameReader } from "../../core/webtransport/http3_frame.ts";
import { decodeFieldSection, encodeFieldSection } from "../../core/webtransport/qpack.ts";
import type { HeaderField } from "../../core/webtransport/qpack_static_table.ts";
import type { QuicBidirectionalStream, QuicSendStream } from "../../core/webtransport/quic_connection.ts";
import { encodeSettings, ourSettings } from "../../core/webtransport/settings.ts";
import { encodeVarints } from "../../core/webtransport/varint.ts";

/** Bytes of numbers, one behind the other. */
export function bytesOf(...parts: readonly (Uint8Array | number)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => typeof part === "number" ? [part] : [...part]));
}

/** The SETTINGS frame that we send. */
export const SETTINGS_FRAME = encodeFrame(FRAME_TYPE.SETTINGS, encodeSettings(ourSettings(16_384)));

/** Writes and keeps the stream open. */
export async function put(stream: QuicSendStream, ...parts: readonly (Uint8Array | number)[]): Promise<void> {
  const writer = stream.getWriter();
  await writer.write(bytesOf(...parts));
  writer.releaseLock();
}

/** A unidirectional stream that begins with this. */
export async function openUnidirectional<S extends QuicSendStream>(
  quic: { createUnidirectionalStream(): Promise<S> },
  ...parts: readonly (Uint8Array | number)[]
): Promise<S> {
  const stream = await quic.createUnidirectionalStream();
  await put(stream, ...parts);
  return stream;
}

/** A good control stream. */
export const openControl = <S extends QuicSendStream>(
  quic: { createUnidirectionalStream(): Promise<S> },
) => openUnidirectional(quic, 0, SETTINGS_FRAME);

/** The fields of a good request for a session. */
export function sessionFields(path: string, ...more: readonly HeaderField[]): HeaderField[] {
  return [
    [":method", "CONNECT"],
    [":protocol", "webtransport"],
    [":scheme", "https"],
    [":authority", "test"],
    [":path", path],
    ...more,
  ];
}

export const headersFrame = (fields: readonly HeaderField[]) =>
  encodeFrame(FRAME_TYPE.HEADERS, encodeFieldSection(fields));

/** Sends a request; its stream stays open. */
export async function request<S extends QuicBidirectionalStream>(
  quic: { createBidirectionalStream(): Promise<S> },
  fields: readonly HeaderField[],
): Promise<S> {
  const stream = await quic.createBidirectionalStream();
  await put(stream.writable, headersFrame(fields));
  return stream;
}

/** The fields of the answer. Leaves the stream to others; what came in the same chunk is lost. */
export async function readAnswer(stream: QuicBidirectionalStream): Promise<Map<string, string>> {
  const reader = stream.readable.getReader();
  const frames = new FrameReader("request");
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error("stream ended before its answer");
      for (const { type, payload } of frames.push(value)) {
        if (type === FRAME_TYPE.HEADERS) return new Map(decodeFieldSection(payload));
      }
    }
  } finally {
    reader.releaseLock();
  }
}

/** All capsules of the rest of a CONNECT stream. */
export async function readCapsules(stream: QuicBidirectionalStream): Promise<unknown[]> {
  const capsules = new CapsuleReader();
  const frames = new FrameReader("request");
  [...frames.push(headersFrame([]))];
  const found: unknown[] = [];
  for await (const chunk of stream.readable) {
    for (const { payload } of frames.push(chunk)) found.push(...capsules.push(payload));
  }
  return found;
}

/** The header of a stream of a session. */
export const streamHeader = (type: number, sessionId: bigint | number) => encodeVarints(type, sessionId);
