/** Unpacks the body of a remote call and looks at it before the library makes messages of it. */

import type { DescMessage } from "@bufbuild/protobuf";
import type { Compression } from "@connectrpc/connect/protocol";
import { WasimoffError } from "../../errors.ts";
import { checkBinary, checkIntegers, checkText, UNCHECKED_BYTES } from "../../protocol/envelope_bounds_v1.ts";

/** A request or response, unpacked: a module with its files. */
export const MAX_RPC_BYTES = 128 * 1024 * 1024;
/** Flags and length before each message of gRPC and gRPC-Web. */
const FRAME_HEADER_BYTES = 5;
const FLAG_COMPRESSED = 1;

/** Where gzip has the length of what it holds (RFC 1952 2.3.1). */
const LENGTH_AT_END_BYTES = 4;

export interface RpcBodyOptions {
  readonly desc: DescMessage;
  readonly header: Headers;
  readonly compression: readonly Compression[];
  /** Called with the bytes that unpacking will take; throws when there are no more to have. */
  readonly reserve: (bytes: number) => void;
}

/** Without what `readRpcBody` undoes; unknown encodings stay, as the library refuses them. */
export function headerOfUnpacked(header: Headers, compression: readonly Compression[]): Headers {
  const encoding = header.get("content-encoding");
  if (encoding === null || isGrpc(header) || !compression.some(({ name }) => name === encoding)) {
    return header;
  }
  const rest = new Headers(header);
  rest.delete("content-encoding");
  rest.delete("content-length"); // of the packed body: the library would hold the other one to it
  return rest;
}

/**
 * Resolves with the body unpacked. Throws `out_of_range` for what would take much more memory or time than its bytes,
 * `invalid_argument` for nonsense.
 */
export async function readRpcBody(body: Uint8Array, options: RpcBodyOptions): Promise<Uint8Array> {
  const { header } = options;
  if (isGrpc(header)) return await readFrames(body, options);
  const message = await unpack(body, header.get("content-encoding"), options);
  checkMessage(message, options);
  return message;
}

async function readFrames(body: Uint8Array, options: RpcBodyOptions): Promise<Uint8Array> {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  if (body.length < FRAME_HEADER_BYTES) return body;
  const end = FRAME_HEADER_BYTES + view.getUint32(1);
  if (body.length > end) throw invalid("more than one message");
  const packed = body.subarray(FRAME_HEADER_BYTES);
  if ((view.getUint8(0) & FLAG_COMPRESSED) === 0 || body.length < end) {
    checkMessage(packed, options);
    return body;
  }
  const message = await unpack(packed, options.header.get("grpc-encoding"), options);
  if (message === packed) return body;
  checkMessage(message, options);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, FRAME_HEADER_BYTES);
  return frame;
}

/** Gives no more than the bytes say that they hold; those of an encoding that is not known as they are. */
async function unpack(
  bytes: Uint8Array,
  encoding: string | null,
  { compression, reserve }: RpcBodyOptions,
): Promise<Uint8Array> {
  const known = compression.find(({ name }) => name === encoding);
  if (known === undefined) return bytes;
  const length = Math.min(lengthAtEnd(bytes), MAX_RPC_BYTES);
  reserve(length);
  return await known.decompress(bytes as Uint8Array<ArrayBuffer>, Math.max(length, 1)); // 0 is no limit
}

function lengthAtEnd(bytes: Uint8Array): number {
  const at = bytes.length - LENGTH_AT_END_BYTES;
  return at < 0 ? 0 : new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true);
}

function isGrpc(header: Headers): boolean {
  return header.get("content-type")?.startsWith("application/grpc") ?? false;
}

function checkMessage(message: Uint8Array, { header, desc }: RpcBodyOptions): void {
  if (message.length <= UNCHECKED_BYTES) return;
  if (header.get("content-type")?.includes("json")) checkJson(new TextDecoder().decode(message));
  else checkProto(desc, message);
}

function checkJson(text: string): void {
  checkText(text);
  try {
    checkIntegers(JSON.parse(text));
  } catch (error) {
    if (error instanceof WasimoffError) throw error;
    throw invalid("it is no JSON, or nested too deeply", error);
  }
}

function checkProto(desc: DescMessage, message: Uint8Array): void {
  try {
    checkBinary(desc, message);
  } catch (error) {
    if (error instanceof WasimoffError) throw error;
    throw invalid("it is no message", error);
  }
}

function invalid(why: string, cause?: unknown): WasimoffError {
  return new WasimoffError("invalid_argument", `cannot read the request: ${why}`, { cause });
}
