import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  type Exchange,
  ExchangeLog,
  MAX_EXCHANGES,
  MAX_KEPT_BODY_BYTES,
  MAX_KEPT_BYTES,
} from "../../../core/tunnel/exchange_log.ts";

const GET = { method: "GET", target: "/", headers: ["Host", "a"] };

Deno.test("ExchangeLog tells of each exchange from its beginning to its end", () => {
  let now = 1_000;
  const log = new ExchangeLog(() => now);
  const heard: [number, number | null, number | null][] = [];
  const stop = log.subscribe(({ id, answer, tookMs }) => heard.push([id, answer?.status ?? null, tookMs]));
  const recording = log.begin(GET);
  recording.answer(404, "Not Found", []);
  now = 1_250;
  recording.ended();
  stop();
  log.begin(GET);
  deepStrictEqual(heard, [[1, null, null], [1, 404, null], [1, 404, 250]]);
  deepStrictEqual([...log.exchanges].map(({ id, startedAt }) => [id, startedAt]), [[1, 1_000], [2, 1_250]]);
});

Deno.test("ExchangeLog keeps the beginnings of bodies and counts the rest", () => {
  const log = new ExchangeLog(() => 0);
  const recording = log.begin(GET);
  for (let i = 0; i < 20; i++) recording.requestBody(new Uint8Array(1_000));
  const { request } = [...log.exchanges][0]!;
  strictEqual(request.bodyBytes, 20_000);
  strictEqual(request.body.reduce((sum, { length }) => sum + length, 0), MAX_KEPT_BODY_BYTES);
});

Deno.test("ExchangeLog forgets the oldest beyond its bounds, in number and in bytes", () => {
  const log = new ExchangeLog(() => 0);
  const first = log.begin(GET);
  for (let i = 0; i < MAX_EXCHANGES; i++) log.begin(GET);
  const ids = () => [...log.exchanges].map(({ id }: Exchange) => id);
  deepStrictEqual([ids().length, ids()[0]], [MAX_EXCHANGES, 2]);
  first.requestBody(new Uint8Array(10)); // nobody's any more
  strictEqual(ids()[0], 2);
  for (let i = 0; i < MAX_EXCHANGES; i++) log.begin({ ...GET, headers: ["X", "y".repeat(60_000)] });
  ok(ids().length * 60_000 <= MAX_KEPT_BYTES && ids().length > 50, `${ids().length} are kept`);
});
