/** One WebSocket at an existing broker, played as the specification has it (wasimoff-v1 2 and 3). */

import { create, fromBinary, fromJsonString, type Message, toBinary, toJsonString } from "@bufbuild/protobuf";
import { createRegistry, type DescMessage } from "@bufbuild/protobuf";
import { type Any, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
// @ts-types="npm:@types/ws@8.18.2"
import type { WebSocket } from "ws";
import {
  type Envelope,
  Envelope_MessageType as Type,
  EnvelopeSchema,
  file_wasimoff_v1_messages,
} from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { within } from "./within.ts";

export const REGISTRY = createRegistry(file_wasimoff_v1_messages);
/** What Go allows a close reason to have; longer ones become empty (wasimoff-v1 3.4). */
const MAX_REASON_BYTES = 123;

/** Answers a request; null says nothing at all. */
export type Answer = (request: Message, sequence: bigint, peer: ScriptedPeer) => Promise<Message | null>;

export class ScriptedPeer {
  /** Payloads of events, in order. */
  readonly events: Message[] = [];
  /** Payloads of requests, in order. */
  readonly requests: Message[] = [];
  /** Envelopes of answers, in order. */
  readonly responses: Envelope[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #pending = new Map<bigint, PromiseWithResolvers<Envelope>>();
  #last = 0n;
  #lastEvent = 0n;
  #changed = Promise.withResolvers<void>();

  constructor(readonly socket: WebSocket, readonly json: boolean, answer: Answer) {
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        resolve({ code, reason: reason.toString() });
        for (const { reject } of this.#pending.values()) reject(new Error("connection lost"));
        this.#notify();
      });
    });
    socket.on("message", (data, isBinary) => {
      if (isBinary === json) {
        const kind = isBinary ? "MessageBinary" : "MessageText";
        return socket.close(1003, `sent ${kind} to a ${json ? "json" : "protobuf"} transport`);
      }
      try {
        this.#receive(decode(data as Uint8Array, json), answer);
      } catch (error) {
        this.fail(String(error));
      }
    });
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Closes as the existing broker does with a cause. */
  fail(cause: string): void {
    this.socket.close(1011, new TextEncoder().encode(cause).length > MAX_REASON_BYTES ? "" : cause);
  }

  /** Sends a request and resolves with the whole envelope of the answer. */
  async request(desc: DescMessage, payload: Message): Promise<Envelope> {
    const sequence = ++this.#last;
    const pending = Promise.withResolvers<Envelope>();
    this.#pending.set(sequence, pending);
    this.#send({ type: Type.Request, sequence, payload: pack(desc, payload) });
    return await within(pending.promise, `an answer to ${payload.$typeName}`);
  }

  /** The payload of an answer that must be no error. */
  async ask(desc: DescMessage, payload: Message): Promise<Message> {
    const envelope = await this.request(desc, payload);
    if (envelope.error !== undefined) throw new Error(envelope.error);
    return anyUnpack(envelope.payload!, REGISTRY)!;
  }

  emit(desc: DescMessage, payload: Message): void {
    this.#send({ type: Type.Event, sequence: ++this.#lastEvent, payload: pack(desc, payload) });
  }

  /** Any envelope at all, for those that no broker would send. */
  sendEnvelope(envelope: Partial<Envelope>): void {
    this.#send(envelope);
  }

  /** Resolves with the first value that is not undefined, looked for after each message. */
  async until<T>(find: (peer: this) => T | undefined, what: string): Promise<T> {
    for (;;) {
      const found = find(this);
      if (found !== undefined) return found;
      await within(this.#changed.promise, what);
    }
  }

  #send(envelope: Partial<Envelope>): void {
    const { $typeName: _, ...fields } = envelope as Envelope;
    const message = create(EnvelopeSchema, fields);
    if (!this.open) return;
    if (this.json) this.socket.send(toJsonString(EnvelopeSchema, message, { registry: REGISTRY }));
    else this.socket.send(toBinary(EnvelopeSchema, message));
  }

  #receive(envelope: Envelope, answer: Answer): void {
    const { type, sequence = 0n, payload } = envelope;
    if (type === Type.Response) {
      this.responses.push(envelope);
      this.#pending.get(sequence)?.resolve(envelope);
      this.#pending.delete(sequence);
    } else if (type === Type.Event) {
      this.events.push(unpack(payload));
    } else if (type === Type.Request) {
      if (envelope.sequence === undefined) throw new Error("the whole Go process dies: no sequence");
      const request = unpack(payload);
      this.requests.push(request);
      void this.#answer(request, sequence, answer);
    } else throw new Error(`unknown message type: ${type}`);
    this.#notify();
  }

  async #answer(request: Message, sequence: bigint, answer: Answer): Promise<void> {
    try {
      const response = await answer(request, sequence, this);
      if (response === null) return;
      const desc = REGISTRY.getMessage(response.$typeName)!;
      this.#send({ type: Type.Response, sequence, payload: pack(desc, response) });
    } catch (error) {
      this.#send({ type: Type.Response, sequence, error: (error as Error).message });
    }
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function decode(data: Uint8Array, json: boolean): Envelope {
  if (!json) return fromBinary(EnvelopeSchema, data);
  return fromJsonString(EnvelopeSchema, new TextDecoder().decode(data), { registry: REGISTRY });
}

/** Go writes this prefix. */
function pack(desc: DescMessage, payload: Message): Any {
  const any = anyPack(desc, payload);
  return { ...any, typeUrl: `wasimoff/${payload.$typeName}` };
}

function unpack(payload: Any | undefined): Message {
  const message = payload && anyUnpack(payload, REGISTRY);
  if (message === undefined) throw new Error(`unknown payload: ${payload?.typeUrl}`);
  return message;
}
