/** Bodies as existing clients send them, and as nobody should. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { MAX_HELD_BYTES_V1 } from "../../../../core/broker/tasks_v1.ts";
import {
  Task_Wasip1_RequestSchema,
  Task_Wasip1_ResponseSchema,
} from "../../../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { call, type CallOptions } from "../../../support/broker_app.ts";
import { type TasksApp, tasksApp } from "../../../support/tasks_app.ts";

const PATH = "/api/client/wasimoff.v1.Tasks/";
type Body = string | Uint8Array<ArrayBuffer>;

/** An RPC by hand. */
function post({ app }: TasksApp, type: string, body: Body, options: CallOptions & { method?: string } = {}) {
  const { headers, ...rest } = options;
  const init = { method: "POST", ...(options.method !== "GET" && { body }), ...rest };
  return call(app, `${PATH}RunWasip1`, { ...init, headers: { "content-type": type, ...headers } });
}

const requestOf = (stdin: string) =>
  toBinary(
    Task_Wasip1_RequestSchema,
    create(Task_Wasip1_RequestSchema, {
      info: { reference: "r" },
      params: { binary: { ref: "module" }, args: ["m"], stdin: new TextEncoder().encode(stdin) },
    }),
  );

async function honest(tasks: TasksApp): Promise<void> {
  const body = '{"params":{"binary":{"ref":"module"},"args":["m"],"stdin":"aGk="}}';
  const answer = await post(tasks, "application/json", body);
  const { result, ...rest } = await answer.json() as { result?: unknown; ok: { stdout: string } };
  deepStrictEqual([answer.status, result, rest.ok.stdout], [200, undefined, "aGk="]);
}

Deno.test("a recorded binary request is answered in binary", async () => {
  using tasks = await tasksApp();
  // info{reference: "r"} params{binary{ref: "module"} args: "m" stdin: "hi"}
  const body = Uint8Array.fromHex("0a032201721a110a080a066d6f64756c6512016d22026869");
  deepStrictEqual(body.toHex(), requestOf("hi").toHex());
  const answer = await post(tasks, "application/proto", body);
  strictEqual(answer.status, 200);
  strictEqual(answer.headers.get("content-type"), "application/proto");
  const { info, result } = fromBinary(Task_Wasip1_ResponseSchema, await answer.bytes());
  const { id, requester, provider, reference, trace } = info ?? {};
  deepStrictEqual([id, requester, provider, reference, trace], ["t1", "127.0.0.1:4711", "p", "r", undefined]);
  const ok = result.case === "ok" ? result.value : undefined;
  const { status, artifacts } = ok ?? {};
  deepStrictEqual([status, artifacts], [0, undefined]);
  deepStrictEqual([ok?.stdout, ok?.stderr].map((bytes) => new TextDecoder().decode(bytes)), ["hi", "err\n"]);
});

Deno.test("a recorded JSON request is answered in JSON, unknown fields are overlooked", async () => {
  using tasks = await tasksApp();
  const body = JSON.stringify({
    info: { reference: "r", later: { added: [1] } },
    qos: { priority: true, deadline: "2999-01-01T00:00:00Z" },
    params: { binary: { ref: "module" }, args: ["m"], stdin: "aGk=", artifacts: ["x"] },
    unknown: null,
  });
  for (const type of ["application/json", "application/json; charset=utf-8"]) {
    const answer = await post(tasks, type, body, { headers: { "connect-protocol-version": "1" } });
    const { info, ok } = await answer.json();
    deepStrictEqual([info.provider, info.reference], ["p", "r"]);
    deepStrictEqual(ok, {
      status: 0,
      stdout: "aGk=",
      stderr: "ZXJyCg==",
      artifacts: { blob: "A".repeat(40) },
    });
  }
});

Deno.test("recorded frames of gRPC-Web are answered with a message and trailers", async () => {
  using tasks = await tasksApp();
  const message = requestOf("web");
  const frame = new Uint8Array([0, 0, 0, 0, message.length, ...message]);
  const answer = await post(tasks, "application/grpc-web+proto", frame);
  strictEqual(answer.headers.get("content-type"), "application/grpc-web+proto");
  const bytes = await answer.bytes();
  const length = new DataView(bytes.buffer).getUint32(1);
  const { result } = fromBinary(Task_Wasip1_ResponseSchema, bytes.subarray(5, 5 + length));
  strictEqual(result.case, "ok");
  strictEqual(bytes[5 + length], 0x80);
  match(new TextDecoder().decode(bytes.subarray(10 + length)), /^grpc-status: 0\r\n/);
});

Deno.test("gzip is read and written", async () => {
  using tasks = await tasksApp();
  const packed = new Uint8Array(gzipSync(requestOf("x".repeat(5_000))));
  const headers = {
    ...{ "content-encoding": "gzip", "content-length": String(packed.length) },
    "accept-encoding": "gzip",
  };
  const answer = await post(tasks, "application/proto", packed, { headers });
  strictEqual(answer.headers.get("content-encoding"), "gzip");
  const plain = new Response(answer.body?.pipeThrough(new DecompressionStream("gzip")));
  const { result } = fromBinary(Task_Wasip1_ResponseSchema, await plain.bytes());
  strictEqual(result.case === "ok" ? result.value.stdout?.length : 0, 5_000);
});

Deno.test("what is unpacked is taken from the memory of all, and given back", async () => {
  using tasks = await tasksApp();
  const { budget } = tasks.tasks;
  const packed = new Uint8Array(gzipSync(requestOf("x".repeat(5_000_000))));
  budget.take(MAX_HELD_BYTES_V1 - 5_000_000);
  const gzip = { headers: { "content-encoding": "gzip" } };
  strictEqual((await post(tasks, "application/proto", packed, gzip)).status, 429);
  const lying = packed.slice();
  new DataView(lying.buffer).setUint32(lying.length - 4, 1_000, true);
  const refused = await post(tasks, "application/proto", lying, gzip);
  match(await refused.text(), /message is larger than 1000 bytes after decompression/);
  strictEqual(budget.taken, MAX_HELD_BYTES_V1 - 5_000_000);
  budget.give(budget.taken);
  strictEqual((await post(tasks, "application/proto", packed, gzip)).status, 200);
  strictEqual(budget.taken, 0);
});

const BOMB = new Uint8Array(gzipSync(new Uint8Array(129 * 1024 * 1024), { level: 9 }));
const leb = (n: number) => [(n & 127) | 128, (n >> 7 & 127) | 128, n >> 14];
/** Empty arguments. */
function manyArguments(): Uint8Array<ArrayBuffer> {
  const count = 150_000;
  const args = Uint8Array.from({ length: 2 * count }, (_, index) => index % 2 === 0 ? 0x12 : 0);
  return new Uint8Array([0x1a, ...leb(2 * count), ...args]);
}
const DEEP = '{"params":'.repeat(100_000);
const json = (body: string, code: number, headers: Record<string, string> = {}) =>
  ["application/json", body, code, headers] as const;

const HOSTILE: readonly (readonly [type: string, Body, status: number, headers?: Record<string, string>])[] =
  [
    ["text/plain", "{}", 415],
    ["", "{}", 415],
    ["application/jsonx", "{}", 415],
    ["application/connect+proto", "{}", 415],
    ["application/grpc", new Uint8Array(5), 415],
    json("", 400),
    json("{", 400),
    json("[]", 400),
    json("null", 400),
    json('{"params":[]}', 400),
    json('{"params":{"binary":{"blob":"%%%"}}}', 400),
    json('{"params":{"args":[1]}}', 400),
    json("{}", 400),
    json('{"params":{}}', 400),
    json('{"params":{"binary":{}}}', 400),
    json('{"params":{"binary":{"ref":"module","blob":""}}}', 400),
    json('{"params":{"binary":{"blob":"AAAA"}}}', 400),
    json('{"params":{"binary":{"ref":"nothing"}}}', 404),
    json(`{"params":{"binary":{"ref":"sha256:${"0".repeat(64)}"}}}`, 404),
    json('{"params":{"binary":{"ref":"module"},"args":["a\\u0000"]}}', 400),
    json(JSON.stringify({ params: { binary: { ref: "module" }, args: ["x".repeat(50_000)] } }), 400),
    json(DEEP, 400),
    json(DEEP + "1" + "}".repeat(100_000), 400),
    json("[".repeat(100_000) + "]".repeat(100_000), 400),
    json("{}", 400, { "connect-protocol-version": "2" }),
    json("{}", 400, { "connect-timeout-ms": "soon" }),
    json("{}", 501, { "content-encoding": "zip" }),
    json("{}", 400, { "content-encoding": "gzip" }),
    json("{}", 429, { "content-length": "999999999" }),
    // The library has no better code for these two.
    ["application/proto", Uint8Array.of(0xff, 0xff, 0xff), 500],
    ["application/proto", Uint8Array.of(0x1a, 0x7f), 500],
    ["application/proto", new Uint8Array(gzipSync(requestOf("x")).subarray(0, 20)), 400, {
      "content-encoding": "gzip",
    }],
    // A hundred thousand arguments, fields that nobody knows, and a number of many digits.
    [
      "application/proto",
      new Uint8Array([0x1a, ...leb(200_000), ...new Uint8Array(200_000).fill(0x12)]),
      400,
    ],
    ["application/proto", manyArguments(), 400],
    json(`{"params":{"args":[${'"",'.repeat(100_001)}""]}}`, 400),
    json(`{"info":{"trace":{"created":"${"9".repeat(100_000)}"}}}`, 400),
    ["application/proto", BOMB, 429, { "content-encoding": "gzip" }],
  ];

Deno.test("hostile requests get the right error, and an honest one works after each", async () => {
  using tasks = await tasksApp();
  for (const [type, body, status, headers = {}] of HOSTILE) {
    const answer = await post(tasks, type, body, { headers });
    const name = `${type} ${body.length} ${JSON.stringify(body.slice(0, 80))} ${JSON.stringify(headers)}`;
    strictEqual(answer.status, status, `${name}: ${await answer.text()}`);
    await honest(tasks);
  }
  strictEqual(tasks.tasks.budget.taken, 0);
});

Deno.test("other methods and unknown procedures are refused", async () => {
  using tasks = await tasksApp();
  const get = await post(tasks, "application/json", "", { method: "GET" });
  strictEqual(get.status, 405);
  strictEqual(get.headers.get("allow"), "POST");
  const unknown = await call(tasks.app, `${PATH}RunWasip1Job`, { method: "POST", body: "{}" });
  strictEqual(unknown.status, 404);
});

Deno.test("pages of allowed origins may call, read codes, and ask before", async () => {
  using tasks = await tasksApp(null, { allowedOrigins: ["page.example"], open: true });
  const { app } = tasks;
  const origin = "http://page.example";
  const asked = await call(app, `${PATH}RunWasip1`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "connect-protocol-version,X-Env-Path, x-evil",
    },
  });
  strictEqual(asked.headers.get("access-control-allow-origin"), origin);
  const allowed = new Set(asked.headers.get("access-control-allow-headers")?.split(", "));
  for (
    const name of ["connect-protocol-version", "connect-timeout-ms", "x-grpc-web", "x-env-path", "x-args"]
  ) {
    strictEqual(allowed.has(name), true, name);
  }
  strictEqual(allowed.has("x-evil"), false);
  const headers = { origin, "content-type": "application/json" };
  const answer = await call(app, `${PATH}RunWasip1`, { method: "POST", body: "{}", headers });
  strictEqual(answer.headers.get("access-control-allow-origin"), origin);
  match(answer.headers.get("access-control-expose-headers") ?? "", /x-wasimoff-ref.*Grpc-Status/);
  const foreign = { ...headers, origin: "http://other.example" };
  strictEqual(
    (await call(app, `${PATH}RunWasip1`, { method: "POST", body: "{}", headers: foreign })).status,
    403,
  );
});

Deno.test("the memory of all requests together is bounded", async () => {
  using tasks = await tasksApp(undefined, { maxHeldBytes: 1_000 });
  const answer = await post(tasks, "application/proto", requestOf("x".repeat(2_000)));
  strictEqual(answer.status, 429);
  strictEqual(answer.headers.get("retry-after"), "1");
  await answer.body?.cancel();
  await honest(tasks);
  strictEqual(tasks.tasks.budget.taken, 0);
});

Deno.test("who is not let in is told so as Connect has it", async () => {
  using tasks = await tasksApp();
  const answer = await post(tasks, "application/json", "{}", { remoteAddress: "192.0.2.1" });
  const { code, message } = await answer.json() as { code: string; message: string };
  deepStrictEqual([answer.status, code], [401, "unauthenticated"]);
  match(message, /token/);
});
