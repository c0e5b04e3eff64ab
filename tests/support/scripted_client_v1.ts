/** A client of the existing programs on a WebSocket: it does what wasimoff-v1 5.2 says, and what a test tells it. */

import { create, fromBinary, fromJsonString, toBinary, toJson } from "@bufbuild/protobuf";
import { createRegistry, type DescMessage, type Message } from "@bufbuild/protobuf";
import { anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type Envelope,
  Envelope_MessageType as Type,
  EnvelopeSchema,
  file_wasimoff_v1_messages as schema,
} from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";

export const BINARY_V1 = "wasimoff_provider_v1_protobuf";
export const JSON_V1 = "wasimoff_provider_v1_json";

const registry = createRegistry(schema);

export interface AnswerV1 {
  readonly sequence: bigint | undefined;
  readonly type: Type | undefined;
  readonly error: string | undefined;
  readonly payload: Message | undefined;
}

export class ScriptedClientV1 implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #answers: AnswerV1[] = [];
  #arrived = Promise.withResolvers<void>();
  /** Code and reason of the end. */
  readonly closed: Promise<{ code: number; reason: string }>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    const closed = Promise.withResolvers<{ code: number; reason: string }>();
    this.closed = closed.promise;
    socket.onclose = ({ code, reason }) => {
      closed.resolve({ code, reason });
      this.#arrived.reject(new Error(`closed with ${code} ${reason}`));
    };
    this.#arrived.promise.catch(() => {});
    socket.onmessage = ({ data }) => {
      this.#answers.push(decode(data));
      this.#arrived.resolve();
    };
  }

  /** Offers these subprotocols, as existing clients do both, binary first. */
  static async open(port: number, offered = [BINARY_V1, JSON_V1], query = ""): Promise<ScriptedClientV1> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/client/ws${query}`, offered);
    const client = new ScriptedClientV1(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("connection was refused"));
    await promise;
    return client;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  /** A request with the payload as the programs pack it. */
  request<D extends DescMessage>(sequence: bigint, desc: D, payload: Message): void {
    if (this.protocol === JSON_V1) {
      const fields = toJson(desc, payload as never, { registry }) as Record<string, unknown>;
      const any = { "@type": `wasimoff/${desc.typeName}`, ...fields };
      return this.send(JSON.stringify({ sequence: String(sequence), type: "Request", payload: any }));
    }
    const packed = { ...anyPack(desc, payload as never), typeUrl: `wasimoff/${desc.typeName}` };
    const envelope = create(EnvelopeSchema, { sequence, type: Type.Request, payload: packed });
    this.send(toBinary(EnvelopeSchema, envelope));
  }

  /** Anything at all. */
  send(message: string | Uint8Array): void {
    this.#socket.send(message as string | Uint8Array<ArrayBuffer>);
  }

  /** The next answer; rejects when the connection ends before. */
  async next(): Promise<AnswerV1> {
    if (this.#answers.length === 0) await this.#arrived.promise;
    const answer = this.#answers.shift()!;
    if (this.#answers.length === 0 && this.#socket.readyState === WebSocket.OPEN) {
      this.#arrived = Promise.withResolvers();
      this.#arrived.promise.catch(() => {});
    }
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.closed;
  }
}

function decode(data: string | ArrayBuffer): AnswerV1 {
  const envelope: Envelope = typeof data === "string"
    ? fromJsonString(EnvelopeSchema, data, { registry })
    : fromBinary(EnvelopeSchema, new Uint8Array(data));
  const { sequence, type, error, payload } = envelope;
  return {
    ...{ sequence, type, error },
    payload: payload === undefined ? undefined : anyUnpack(payload, registry),
  };
}
