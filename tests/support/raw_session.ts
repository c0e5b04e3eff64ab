/** Connections to a broker that a test fills with frames of its own. */

import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { dialWebSocket } from "../../core/host/websocket_dialer.ts";
import { HelloSchema, MessageSchema } from "../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { SUBPROTOCOL_V2 } from "../../core/protocol/limits.ts";
import type { EventInit, MethodInit } from "../../core/protocol/messenger.ts";
import { encodeFrame, FRAME_HELLO, FRAME_MESSAGE, FRAME_WELCOME } from "../../core/session/frame.ts";
import { until } from "./real_slots.ts";
import { RawPeer } from "./session_pair.ts";

/** What any wait here may take. */
const LIMIT_MS = 10_000;

/** A connection on which nothing was said yet. */
export async function dialRaw(url: string, headers: Record<string, string> = {}): Promise<RawPeer> {
  return new RawPeer((await dialWebSocket(url, { protocols: [SUBPROTOCOL_V2], headers })).connection);
}

export function helloFrame(hello: MessageInitShape<typeof HelloSchema> = {}): Uint8Array {
  const body = toBinary(HelloSchema, create(HelloSchema, { version: 2, ...hello }));
  return encodeFrame({ type: FRAME_HELLO, body });
}

export function requestFrame(id: number, method: MethodInit): Uint8Array {
  return messageFrame({ case: "request", value: { id, method } });
}

export function eventFrame(kind: EventInit): Uint8Array {
  return messageFrame({ case: "event", value: { kind } });
}

function messageFrame(body: NonNullable<MessageInitShape<typeof MessageSchema>["body"]>): Uint8Array {
  return encodeFrame({ type: FRAME_MESSAGE, body: toBinary(MessageSchema, create(MessageSchema, { body })) });
}

/** A connection whose hello was accepted. */
export async function greetRaw(url: string): Promise<RawPeer> {
  const peer = await dialRaw(url);
  peer.sendBytes(helloFrame());
  await until(() => peer.of(FRAME_WELCOME).length === 1, LIMIT_MS);
  return peer;
}

/** Resolves when the broker has closed the connection. */
export async function closedByBroker(peer: RawPeer): Promise<void> {
  await until(() => peer.closed !== null, LIMIT_MS);
}
