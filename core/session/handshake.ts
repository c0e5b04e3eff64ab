/** The first frame of each side (core/protocol/README.md, "Hello"). */

import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { cutText } from "../cut_text.ts";
import { codeFromNumber, codeNumber, WasimoffError } from "../errors.ts";
import {
  type Hello,
  HelloSchema,
  RefusalSchema,
  type Welcome,
  WelcomeSchema,
} from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { HELLO_TIMEOUT_MS, MAX_HELLO_BYTES, MAX_REASON_BYTES, PROTOCOL_VERSION } from "../protocol/limits.ts";
import type { Connection } from "./connection.ts";
import { decodeFrame, encodeFrame, FRAME_HELLO, FRAME_REFUSAL, FRAME_WELCOME } from "./frame.ts";

/** The acceptor has answered the hello with a refusal. */
export class RefusedError extends WasimoffError {}

/**
 * Says hello and waits for the answer; `onWelcome` is called within the frame's delivery and takes over.
 * Rejects with RefusedError when the acceptor says no; the connection is closed after every failure.
 */
export function sayHello(
  connection: Connection,
  hello: MessageInitShape<typeof HelloSchema>,
  onWelcome: (welcome: Welcome) => void,
): Promise<void> {
  const frame = encodeFrame({ type: FRAME_HELLO, body: toBinary(HelloSchema, create(HelloSchema, hello)) });
  if (frame.length > MAX_HELLO_BYTES) {
    connection.close("invalid_argument", "hello is too long");
    return Promise.reject(new WasimoffError("invalid_argument", "hello is too long: use a shorter token"));
  }
  connection.send(frame);
  return firstFrame(connection, (bytes) => {
    const frame = decodeFrame(bytes);
    if (frame.type === FRAME_WELCOME) return onWelcome(decodeWelcome(frame.body));
    if (frame.type !== FRAME_REFUSAL) {
      throw new WasimoffError("invalid_argument", "broker did not answer the hello");
    }
    const { code, message } = fromBinary(RefusalSchema, frame.body);
    throw new RefusedError(codeFromNumber(code), message);
  });
}

/**
 * Waits for the hello of a peer that nobody knows yet. `onHello` is called within the frame's delivery and
 * sends the welcome; what it throws becomes the refusal.
 */
export function awaitHello(connection: Connection, onHello: (hello: Hello) => void): Promise<void> {
  return firstFrame(connection, (bytes) => {
    try {
      if (bytes.length > MAX_HELLO_BYTES) throw new WasimoffError("out_of_range", "hello is too long");
      const frame = decodeFrame(bytes);
      if (frame.type !== FRAME_HELLO) throw new WasimoffError("invalid_argument", "expected a hello");
      onHello(decodeHello(frame.body));
    } catch (error) {
      const cause = WasimoffError.from(error, "internal");
      sendRefusal(connection, cause);
      throw cause;
    }
  });
}

export function sendWelcome(connection: Connection, welcome: MessageInitShape<typeof WelcomeSchema>): void {
  const body = toBinary(WelcomeSchema, create(WelcomeSchema, welcome));
  connection.send(encodeFrame({ type: FRAME_WELCOME, body }));
}

function sendRefusal(connection: Connection, { code, message }: WasimoffError): void {
  const refusal = { code: codeNumber(code), message: cutText(message, MAX_REASON_BYTES) };
  const body = toBinary(RefusalSchema, create(RefusalSchema, refusal));
  connection.send(encodeFrame({ type: FRAME_REFUSAL, body }));
}

function decodeWelcome(body: Uint8Array): Welcome {
  const welcome = fromBinary(WelcomeSchema, body);
  if (welcome.version === PROTOCOL_VERSION) return welcome;
  throw new WasimoffError(
    "unimplemented",
    `broker speaks version ${welcome.version}: use ${PROTOCOL_VERSION}`,
  );
}

function decodeHello(body: Uint8Array): Hello {
  try {
    return fromBinary(HelloSchema, body);
  } catch (cause) {
    throw new WasimoffError("invalid_argument", "hello cannot be decoded", { cause });
  }
}

/** Closes the connection when no frame comes in time or `onFrame` throws. */
function firstFrame(connection: Connection, onFrame: (bytes: Uint8Array) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let done = false;
  const fail = (error: unknown) => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    const cause = WasimoffError.from(error, "invalid_argument");
    connection.close(cause.code, cause.message);
    reject(cause);
  };
  const timer = setTimeout(
    () =>
      fail(new WasimoffError("deadline_exceeded", `nothing was said within ${HELLO_TIMEOUT_MS / 1000} s`)),
    HELLO_TIMEOUT_MS,
  );
  connection.start({
    onFrame: (bytes) => {
      if (done) return;
      try {
        onFrame(bytes);
        done = true;
        clearTimeout(timer);
        resolve();
      } catch (error) {
        fail(error);
      }
    },
    onDrain: () => {},
    onClose: (cause) => fail(cause),
  });
  return promise;
}
