import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { install } from "@sinonjs/fake-timers";
import { brokerApp, call, OTHER_TOKEN, TOKEN } from "../../../support/broker_app.ts";
import { chunks, refOf, wasmLike } from "../../../support/chunks.ts";

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const error = async (answer: Response) => [answer.status, (await answer.json()).error.code];

Deno.test("POST /api/storage/upload answers the ref in body and header", async () => {
  const app = await brokerApp();
  const body = ReadableStream.from(chunks(wasmLike(1000), 3)); // the signature is split over two chunks
  const answer = await call(app, "/api/storage/upload", { method: "POST", body });
  const ref = refOf(wasmLike(1000));
  deepStrictEqual([answer.status, await answer.text()], [200, `${ref}\n`]);
  strictEqual(answer.headers.get("x-wasimoff-ref"), ref);
  strictEqual(answer.headers.get("content-type"), "text/plain; charset=UTF-8");
  const { files } = await (await call(app, "/api/storage")).json();
  deepStrictEqual(files, [{ ref, media: "application/wasm", size: 1000, names: [] }]);
});

Deno.test("POST /api/storage/upload takes ZIPs, the empty one too, and refuses the rest with 415", async () => {
  const app = await brokerApp();
  const status = async (...bytes: number[]) =>
    (await call(app, "/api/storage/upload", { method: "POST", body: Uint8Array.from(bytes) })).status;
  strictEqual(await status(0x50, 0x4b, 3, 4, 0), 200);
  strictEqual(await status(0x50, 0x4b, 5, 6), 200);
  strictEqual(await status(0, 0x61, 0x73), 415);
  strictEqual(await status(), 415);
  const text = await call(app, "/api/storage/upload", { method: "POST", body: "#!/bin/sh" });
  deepStrictEqual([text.status, await text.text()], [415, "unsupported filetype\n"]);
  strictEqual((await call(app, "/api/storage/upload", { method: "POST" })).status, 415);
  strictEqual((await (await call(app, "/api/storage")).json()).files.length, 2);
});

Deno.test("existing clients upload and download with a token in the URL", async () => {
  const app = await brokerApp();
  const remoteAddress = "192.0.2.7";
  const upload = (query: string, headers = {}) =>
    call(app, `/api/storage/upload?name=prog${query}`, {
      ...{ method: "POST", body: new Uint8Array(wasmLike(100)), remoteAddress, headers },
    });
  strictEqual((await upload("")).status, 401);
  strictEqual((await upload("&token=wrong")).status, 401);
  strictEqual((await upload(`&token=${TOKEN}`)).status, 200);
  const userinfo = (token: string) => ({ authorization: `Basic ${btoa(`:${token}`)}` });
  deepStrictEqual(await error(await upload("", userinfo(OTHER_TOKEN))), [403, "permission_denied"]);
  const download = (query: string) => call(app, `/api/storage/prog${query}`, { remoteAddress });
  strictEqual((await download("")).status, 401);
  const file = await download(`?token=${TOKEN}`);
  deepStrictEqual([file.status, (await file.bytes()).length], [200, 100]);
});

Deno.test("POST /api/storage/upload takes any text that is called Python", async () => {
  const app = await brokerApp();
  const upload = (type: string) =>
    call(app, "/api/storage/upload", { method: "POST", body: "print(1)", headers: { "content-type": type } });
  strictEqual(
    await (await upload("text/x-python")).text(),
    `${refOf(new TextEncoder().encode("print(1)"))}\n`,
  );
  strictEqual((await upload("text/plain")).status, 415);
});

Deno.test("POST /api/storage/upload stops at the limit, announced or not", async () => {
  const app = await brokerApp();
  const announced = await call(app, "/api/storage/upload", {
    method: "POST",
    headers: { "content-length": "600000" },
    body: new ReadableStream({ pull: () => Promise.reject(new Error("must not be read")) }, {
      highWaterMark: 0,
    }),
  });
  deepStrictEqual(await error(announced), [413, "out_of_range"]);
  let sent = 0;
  const endless = async function* () {
    for (yield wasmLike(4); sent < 1e8; sent += 1000) yield await Promise.resolve(wasmLike(1000));
  };
  const body = ReadableStream.from(endless());
  deepStrictEqual(await error(await call(app, "/api/storage/upload", { method: "POST", body })), [
    413,
    "out_of_range",
  ]);
  deepStrictEqual((await (await call(app, "/api/storage")).json()).files, []);
});

Deno.test("POST /api/storage/upload keeps names for the identity that made them", async () => {
  const app = await brokerApp();
  const upload = (name: string, headers: Record<string, string>, seed = 0) =>
    call(app, `/api/storage/upload?name=${name}`, { method: "POST", headers, body: wasmLike(100, seed) });
  strictEqual((await upload("prog", bearer(TOKEN))).status, 200);
  strictEqual((await upload("prog", bearer(TOKEN), 1)).status, 200);
  deepStrictEqual(await error(await upload("prog", bearer(OTHER_TOKEN), 2)), [403, "permission_denied"]);
  deepStrictEqual(await error(await upload("prog", {}, 2)), [403, "permission_denied"]);
  for (const name of ["..%2Fx", "a%2Fb", "sha256:x", refOf(wasmLike(5)), "%07", "x".repeat(256)]) {
    deepStrictEqual(await error(await upload(name, {}, 3)), [400, "invalid_argument"], name);
  }
  const stored = await call(app, "/api/storage/prog");
  strictEqual(stored.headers.get("x-wasimoff-ref"), refOf(wasmLike(100, 1)));
  strictEqual((await (await call(app, "/api/storage")).json()).files.length, 2);
});

Deno.test("POST /api/storage/upload gives up a body that stalls", async () => {
  const clock = install({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const app = await brokerApp();
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(wasmLike(100)),
      cancel: () => void (cancelled = true),
    });
    const answer = call(app, "/api/storage/upload", { method: "POST", body });
    for (let second = 0; second < 61; second++) await clock.tickAsync(1_000);
    deepStrictEqual(await error(await answer), [504, "deadline_exceeded"]);
    strictEqual(cancelled, true);
  } finally {
    clock.uninstall();
  }
});

Deno.test("DELETE /api/storage removes own names, and files with all of their names", async () => {
  const app = await brokerApp();
  const remove = async (name: string, headers: Record<string, string> = {}) =>
    (await call(app, `/api/storage/${name}`, { method: "DELETE", headers })).status;
  const ref = refOf(wasmLike(100));
  for (const name of ["a", "b"]) {
    await call(app, `/api/storage/upload?name=${name}`, {
      method: "POST",
      headers: bearer(TOKEN),
      body: wasmLike(100),
    });
  }
  strictEqual(await remove("a"), 403);
  strictEqual(await remove(ref, bearer(OTHER_TOKEN)), 403);
  strictEqual(await remove("a", bearer(TOKEN)), 204);
  strictEqual(await remove("a", bearer(TOKEN)), 404);
  strictEqual((await call(app, `/api/storage/${ref}`)).status, 200);
  strictEqual(await remove(ref, bearer(TOKEN)), 204);
  strictEqual(await remove(ref, bearer(TOKEN)), 404);
  strictEqual((await call(app, "/api/storage/b")).status, 404);
  strictEqual(await remove("..%2Fb", bearer(TOKEN)), 400);
});
