/** The WebSocket door for existing clients, without a WebSocket (wasimoff-v1 2 and 5.2). */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { serveClientV1 } from "../../../core/broker/endpoint_v1_client.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { Logger, silent } from "../../../core/log.ts";
import type { EncodingV1 } from "../../../core/protocol/envelope_v1.ts";
import { MAX_SERVED_REQUESTS_V1 } from "../../../core/protocol/messenger_v1.ts";
import { type EnvelopeJson, fromWire, toWire } from "../../support/envelope_json.ts";
import { MemoryMessages, type Message } from "../../support/message_pipes.ts";
import { echo, type TasksApp, tasksApp } from "../../support/tasks_app.ts";
import { settle } from "../../support/settle.ts";

const RUN = "wasimoff/wasimoff.v1.Task.Wasip1.Request";
const UPLOAD = "wasimoff/wasimoff.v1.Filesystem.Upload.Request";

class TestClient {
  readonly pipe: MemoryMessages;
  readonly #broker: MemoryMessages;

  constructor(tasks: TasksApp, readonly encoding: EncodingV1, logger = silent) {
    [this.pipe, this.#broker] = MemoryMessages.pair();
    serveClientV1(this.#broker, encoding, { tasks: tasks.tasks, identity: "local", logger });
  }

  /** Sends an envelope and gives all answers so far. */
  async say(envelope: EnvelopeJson): Promise<EnvelopeJson[]> {
    return await this.raw(toWire(this.encoding, envelope));
  }

  async raw(message: Message): Promise<EnvelopeJson[]> {
    this.pipe.send(message);
    await settle();
    return this.answers;
  }

  get answers(): EnvelopeJson[] {
    return this.#broker.sent.map(fromWire);
  }
}

const request = (sequence: string, type: string, fields = {}): EnvelopeJson => (
  { sequence, type: "Request", payload: { "@type": type, ...fields } }
);
const run = (sequence: string, params: object = {}) =>
  request(sequence, RUN, { params: { binary: { ref: "module" }, args: ["m"], ...params } });

for (const encoding of ["binary", "json"] as const) {
  Deno.test(`requests are answered under their own number, in ${encoding}`, async () => {
    using tasks = await tasksApp();
    const client = new TestClient(tasks, encoding);
    const [answer] = await client.say(run("18446744073709551615", { stdin: "aGk=" }));
    deepStrictEqual(answer, {
      sequence: "18446744073709551615",
      type: "Response",
      payload: {
        "@type": "wasimoff/wasimoff.v1.Task.Wasip1.Response",
        info: { id: "t1", requester: "", provider: "p", reference: "" },
        ok: { status: 0, stdout: "aGk=", stderr: "ZXJyCg==" },
      },
    });
  });

  Deno.test(`what a client may not say is answered or overlooked, in ${encoding}`, async () => {
    using tasks = await tasksApp();
    const client = new TestClient(tasks, encoding);
    const errors: [envelope: EnvelopeJson, error: RegExp][] = [
      [
        request("1", "wasimoff/wasimoff.v1.Ping"),
        /^expecting only Task_Request\/Upload messages on this socket$/,
      ],
      [request("2", "x/wasimoff.v1.Task.Cancel", { id: "t1" }), /^expecting only/],
      [request("3", "wasimoff/wasimoff.v1.Filesystem.Listing.Request"), /^expecting only/],
      [request("4", "wasimoff/wasimoff.v1.Nothing"), /^unknown payload type$/],
      [{ sequence: "5", type: "Request" }, /^cannot unpack empty payload$/],
      [request("6", RUN), /^file cannot be nil/],
      [request("7", RUN, { params: {} }), /^file cannot be nil/],
      [run("8", { binary: { ref: "none" } }), /^Ref not found in storage$/],
      [run("9", { binary: { ref: "module", blob: "" } }), /^don't use both Blob and Ref together$/],
      [run("10", { binary: {} }), /^both Blob and Ref are nil$/],
      [run("11", { rootfs: { blob: "AAAA", media: "x" } }), /^invalid Media type$/],
      [request("12", "wasimoff/wasimoff.v1.Task.Pyodide.Request"), /^task has no params$/],
      [request("13", UPLOAD), /^file cannot be nil$/],
    ];
    for (const [envelope, error] of errors) {
      const answer = (await client.say(envelope)).at(-1);
      deepStrictEqual([answer?.sequence, answer?.type, answer?.payload], [
        envelope.sequence,
        "Response",
        undefined,
      ]);
      match(answer?.error ?? "", error);
    }
    const before = client.answers.length;
    for (
      const odd of [
        { sequence: "1", type: "Event", payload: { "@type": "wasimoff/wasimoff.v1.Event.GenericMessage" } },
        { sequence: "1", type: "Event", payload: { "@type": "wasimoff/unheard.of" } },
        { type: "Event" },
        { sequence: "7", type: "Response", error: "" },
      ]
    ) await client.say(odd);
    strictEqual(client.answers.length, before);
    strictEqual(client.pipe.closed, null);
    const { type, payload } = run("0").payload === undefined ? { type: "" } : run("0");
    const unnumbered = (await client.say({ type: type ?? "", payload: payload ?? {} })).at(-1);
    deepStrictEqual([unnumbered?.sequence, unnumbered?.error], ["0", undefined]);
  });
}

Deno.test("every prefix of a type is taken, and none", async () => {
  using tasks = await tasksApp();
  const client = new TestClient(tasks, "binary");
  for (const prefix of ["", "/", "type.googleapis.com/", "a/b/c/"]) {
    const { payload } = run("1");
    const typed = { ...payload, "@type": `${prefix}wasimoff.v1.Task.Wasip1.Request` };
    strictEqual((await client.say({ ...run("1"), payload: typed })).at(-1)?.error, undefined, prefix);
  }
});

Deno.test("what is no envelope ends its connection, and no other", async () => {
  using tasks = await tasksApp();
  const honest = new TestClient(tasks, "json");
  const table: [EncodingV1, Message, code: number][] = [
    ["json", "{", 1011],
    ["json", "[]", 1011],
    ["json", "[".repeat(100_000), 1011],
    ["json", '{"a":'.repeat(50_000) + "1" + "}".repeat(50_000), 1011],
    ["json", "{}", 1011],
    ["json", '{"type":"Later","sequence":"1"}', 1011],
    ["json", new Uint8Array(3), 1003],
    ["binary", "{}", 1003],
    ["binary", Uint8Array.of(0xff), 1011],
    ["binary", new Uint8Array(0), 1011],
    ["binary", Uint8Array.of(0x10, 0x07), 1011],
  ];
  for (const [encoding, message, code] of table) {
    const client = new TestClient(tasks, encoding);
    await client.raw(message);
    strictEqual(client.pipe.closed?.code, code, `${encoding} ${String(message).slice(0, 40)}`);
  }
  strictEqual((await honest.say(run("1"))).at(-1)?.error, undefined);
});

Deno.test("uploads name files for who made them, and tasks find them", async () => {
  using tasks = await tasksApp();
  const client = new TestClient(tasks, "json");
  const upload = { blob: "AGFzbQ==", media: "application/wasm", ref: "new" };
  const [answer] = await client.say(request("1", UPLOAD, { upload }));
  match(String(answer?.payload?.ref), /^sha256:[0-9a-f]{64}$/);
  strictEqual((await client.say(run("2", { binary: { ref: "new" } }))).at(-1)?.error, undefined);
  const forged = { ...upload, ref: `sha256:${"0".repeat(64)}` };
  match(
    (await client.say(request("3", UPLOAD, { upload: forged }))).at(-1)?.error ?? "",
    /looks like a reference/,
  );
});

Deno.test("a full queue is told in the words that clients know", async () => {
  using tasks = await tasksApp(null, { maxQueue: 1 });
  const client = new TestClient(tasks, "json");
  await client.say(run("1"));
  strictEqual((await client.say(run("2"))).at(-1)?.error, "429: Queue Full");
  client.pipe.close(1000, "");
  await settle();
  strictEqual(tasks.broker.stats.queued, 0);
});

Deno.test("any number of requests may be in flight, up to what we serve", async () => {
  using tasks = await tasksApp(null, { maxQueue: 10_000 });
  const client = new TestClient(tasks, "binary");
  for (let i = 1; i <= MAX_SERVED_REQUESTS_V1 + 1; i++) client.pipe.send(toWire("binary", run(String(i))));
  await settle();
  deepStrictEqual(client.answers, [
    { sequence: String(MAX_SERVED_REQUESTS_V1 + 1), type: "Response", error: "429: Queue Full" },
  ]);
  client.pipe.close(1000, "");
  await settle();
});

Deno.test("the end of the connection cancels what runs", async () => {
  const reasons: unknown[] = [];
  using tasks = await tasksApp((attempt) =>
    new Promise((_, reject) => {
      attempt.signal.addEventListener("abort", () => {
        reasons.push(WasimoffError.from(attempt.signal.reason).code);
        reject(new WasimoffError("canceled", "stopped"));
      });
    })
  );
  const client = new TestClient(tasks, "binary");
  for (const sequence of ["1", "2"]) await client.say(run(sequence));
  strictEqual(tasks.broker.stats.running, 2);
  client.pipe.close(1000, "bye");
  await settle();
  strictEqual(reasons.length, 2);
  strictEqual(tasks.broker.stats.running, 0);
});

Deno.test("a defect of ours is logged, and its text stays here", async () => {
  const lines: string[] = [];
  using tasks = await tasksApp(echo);
  tasks.tasks.runWasip1 = () => Promise.reject(new TypeError("secret detail"));
  const client = new TestClient(
    tasks,
    "json",
    new Logger((level, message) => lines.push(`${level}: ${message}`)),
  );
  strictEqual((await client.say(run("1")))[0]?.error, "request failed inside the broker: see its log");
  deepStrictEqual(lines, ["error: request of a client failed"]);
});
