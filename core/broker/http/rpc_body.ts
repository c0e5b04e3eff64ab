/** Looks at the body of a remote call before the library makes messages of it. */

import type { DescMessage } from "@bufbuild/protobuf";
import type { Compression } from "@connectrpc/connect/protocol";
import { WasimoffError } from "../../errors.ts";
import { checkBinary, checkIntegers, checkText, UNCHECKED_BYTES } from "../../protocol/envelope_bounds_v1.ts";

/** A request or response, unpacked: a module with its files. */
export const MAX_RPC_BYTES = 128 * 1024 * 1024;
/** Flags and length before each message of gRPC and gRPC-Web. */
const FRAME_HEADER_BYTES = 5;
const FLAG_COMPRESSED = 1;

export interface RpcBodyOptions {
  readonly desc: DescMessage;
  readonly header: Headers;
  readonly compression: readonly Compression[];
}

/** Throws `out_of_range` for what would take much more memory or time than its bytes, `invalid_argument` for nonsense. */
export async function checkRpcBody(body: Uint8Array, options: RpcBodyOptions): Promise<void> {
  const { header, desc } = options;
  const type = header.get("content-type") ?? "";
  for (const message of await messagesIn(body, type, options)) {
    if (message.length <= UNCHECKED_BYTES) continue;
    if (type.includes("json")) checkJson(new TextDecoder().decode(message));
    else checkProto(desc, message);
  }
}

async function messagesIn(body: Uint8Array, type: string, options: RpcBodyOptions): Promise<Uint8Array[]> {
  const { header, compression } = options;
  const unpack = async (bytes: Uint8Array, encoding: string | null) => {
    // One that is not known is refused by the library before it reads on.
    const known = compression.find(({ name }) => name === encoding);
    return known === undefined
      ? bytes
      : await known.decompress(bytes as Uint8Array<ArrayBuffer>, MAX_RPC_BYTES);
  };
  if (!type.startsWith("application/grpc")) return [await unpack(body, header.get("content-encoding"))];
  const messages: Uint8Array[] = [];
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  for (let at = 0; at + FRAME_HEADER_BYTES <= body.length;) {
    const start = at + FRAME_HEADER_BYTES;
    const message = body.subarray(start, start + view.getUint32(at + 1));
    const compressed = (view.getUint8(at) & FLAG_COMPRESSED) !== 0;
    messages.push(compressed ? await unpack(message, header.get("grpc-encoding")) : message);
    at = start + message.length;
    if (messages.length > 1) throw invalid("more than one message"); // what follows need not be looked at
  }
  return messages;
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
