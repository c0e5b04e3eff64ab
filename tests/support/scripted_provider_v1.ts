/** An existing provider that does step by step what wasimoff-v1 4.1 says, but for the quirks that a test wants. */

import type { Buffer } from "node:buffer";
import type { JsonObject } from "@bufbuild/protobuf";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { SUBPROTOCOL_V1_BINARY, SUBPROTOCOL_V1_JSON } from "../../core/protocol/envelope_v1.ts";
import { type EnvelopeJson, fromWire, kindOf, toWire } from "./envelope_json.ts";
import { within } from "./within.ts";

/** A task as it arrived. */
export interface ScriptedTask {
  readonly info: JsonObject;
  readonly params: JsonObject;
  /** The whole request, as an object of JSON. */
  readonly request: JsonObject;
  readonly args: readonly string[];
  /** Sends any answer, or further ones. */
  answer(rest: Partial<EnvelopeJson>): void;
  readonly provider: ScriptedProviderV1;
}

export interface ScriptOptions {
  readonly encoding?: "binary" | "json";
  readonly name?: string;
  readonly slots?: number;
  readonly files?: readonly string[];
  /** What stands before the names of messages. */
  readonly prefix?: string;
  /** Whether answers repeat `info`. */
  readonly echoInfo?: boolean;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests that are not answered, by kind. */
  readonly deaf?: readonly string[];
  /** Runs a task; gives the Response's `result`, or null to answer in another way. */
  readonly run?: (task: ScriptedTask) => JsonObject | null | Promise<JsonObject | null>;
  /** Waits for the answer to the listing and for ClusterInfo before it counts as open. */
  readonly seated?: boolean;
}

/** The result of a guest that wrote and exited. */
export function ok(status: number, stdout = "", stderr = ""): JsonObject {
  return { ok: { status, stdout: btoa(stdout), stderr: btoa(stderr) } };
}

export class ScriptedProviderV1 implements AsyncDisposable {
  /** Everything that the broker has sent, in order. */
  readonly received: EnvelopeJson[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #socket: WebSocket;
  readonly #options: ScriptOptions;
  /** Upstream providers count from 0. */
  #lastEvent = -1;
  #wake = Promise.withResolvers<void>();

  private constructor(socket: WebSocket, options: ScriptOptions) {
    this.#socket = socket;
    this.#options = options;
    const closed = Promise.withResolvers<{ code: number; reason: string }>();
    this.closed = closed.promise;
    socket.on("close", (code, reason) => closed.resolve({ code, reason: reason.toString() }));
    socket.on("message", (data, isBinary) => {
      const envelope = fromWire(isBinary ? data as Uint8Array : (data as Buffer).toString());
      this.received.push(envelope);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
      void this.#onEnvelope(envelope);
    });
  }

  static async open(port: number, options: ScriptOptions = {}): Promise<ScriptedProviderV1> {
    const { encoding = "binary", name = "old", slots = 1, query = "", headers = {}, seated = true } = options;
    const url = `ws://127.0.0.1:${port}/api/provider/ws?id=${encodeURIComponent(name)}${query}`;
    const protocol = encoding === "json" ? SUBPROTOCOL_V1_JSON : SUBPROTOCOL_V1_BINARY;
    const socket = new WebSocket(url, [protocol], { headers: { "user-agent": "scripted", ...headers } });
    socket.binaryType = "nodebuffer";
    const provider = new ScriptedProviderV1(socket, options);
    const opened = Promise.withResolvers<void>();
    socket.on("open", opened.resolve);
    socket.on("error", opened.reject);
    await within(opened.promise, "opening");
    provider.event("Event.ProviderResources", { concurrency: slots, tasks: 0 });
    if (seated) await provider.until((envelope) => kindOf(envelope) === "Event.ClusterInfo");
    return provider;
  }

  /** Resolves with the first envelope that was or is received and fits. */
  async until(fits: (envelope: EnvelopeJson) => boolean): Promise<EnvelopeJson> {
    for (;;) {
      const found = this.received.find(fits);
      if (found !== undefined) return found;
      await within(this.#wake.promise, "a further envelope");
    }
  }

  send(envelope: EnvelopeJson): void {
    this.sendRaw(toWire(this.#options.encoding ?? "binary", envelope));
  }

  sendRaw(data: Uint8Array | string): void {
    this.#socket.send(data, { binary: typeof data !== "string" });
  }

  event(kind: string, fields: JsonObject): void {
    this.send({ sequence: String(++this.#lastEvent), type: "Event", payload: this.payload(kind, fields) });
  }

  payload(kind: string, fields: JsonObject): JsonObject {
    return { "@type": `${this.#options.prefix ?? "wasimoff/"}wasimoff.v1.${kind}`, ...fields };
  }

  /** Ends the connection as upstream providers do. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close(1000, "leaving");
    await within(this.closed, "the end of a connection");
  }

  async #onEnvelope(envelope: EnvelopeJson): Promise<void> {
    if (envelope.type !== "Request") return;
    const kind = kindOf(envelope);
    if (this.#options.deaf?.includes(kind)) return;
    const respond = (kind: string, fields: JsonObject) =>
      this.send({ sequence: envelope.sequence!, type: "Response", payload: this.payload(kind, fields) });
    const { "@type": _type, ...fields } = envelope.payload!;
    if (kind === "Filesystem.Listing.Request") {
      respond("Filesystem.Listing.Response", { files: [...this.#options.files ?? []] });
    } else if (kind === "Ping" || kind === "Task.Cancel") respond(kind, fields);
    else if (kind === "Task.Wasip1.Request") {
      const result = await this.#run(envelope, fields);
      const info = this.#options.echoInfo === false ? {} : { info: fields["info"]! };
      if (result !== null) respond("Task.Wasip1.Response", { ...info, ...result });
    }
  }

  #run(envelope: EnvelopeJson, request: JsonObject) {
    const params = request["params"] as JsonObject;
    const args = (params["args"] ?? []) as string[];
    const answer = (rest: Partial<EnvelopeJson>) =>
      this.send({ sequence: envelope.sequence!, type: "Response", ...rest });
    const info = request["info"] as JsonObject;
    const task = { info, params, request, args, answer, provider: this };
    const { run } = this.#options;
    return run === undefined ? ok(Number(args[2] ?? 0), args.join(" ")) : run(task);
  }
}
