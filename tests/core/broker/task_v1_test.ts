import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { TaskResult } from "../../../core/broker/task.ts";
import {
  decodeTaskV1,
  encodeResponseV1,
  MAX_TEXT_BYTES_V1,
  originOf,
  rpcFailure,
} from "../../../core/broker/task_v1.ts";
import type { Code } from "../../../core/errors.ts";
import { exited, failed, type Outcome } from "../../../core/outcome.ts";
import {
  Task_MetadataSchema,
  Task_QoSSchema,
  Task_Wasip1_ParamsSchema,
} from "../../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { refOf } from "../../support/chunks.ts";

const MODULE = refOf(Uint8Array.of(1));
const ZIP = refOf(Uint8Array.of(2));

const decode = (
  params: MessageInitShape<typeof Task_Wasip1_ParamsSchema>,
  qos: MessageInitShape<typeof Task_QoSSchema> = {},
  rootfs: typeof ZIP | null = null,
) =>
  decodeTaskV1(create(Task_Wasip1_ParamsSchema, params), create(Task_QoSSchema, qos), {
    module: MODULE,
    rootfs,
  });

Deno.test("decodeTaskV1() takes over everything that the existing clients can ask for", () => {
  const spec = decode(
    { args: ["a", ""], envs: ["K=v", "odd"], artifacts: ["/x"] },
    { priority: true, deadline: { seconds: 1_800_000_000n, nanos: 500_000_000 }, immediate: true },
    ZIP,
  );
  deepStrictEqual(spec, {
    module: MODULE,
    args: ["a", ""],
    env: ["K=v", "odd"],
    artifacts: ["/x"],
    lenientArtifacts: true,
    preopens: [{ guest: "/", zip: ZIP, readOnly: false }],
    timeoutMs: null,
    memoryBytes: null,
    cpuMs: null,
    diskBytes: null,
    outputBytes: 64 * 1024 * 1024,
    deterministic: false,
    priority: true,
    deadline: 1_800_000_000_500,
    immediate: true,
    require: {},
    attempts: 3,
  });
});

Deno.test("decodeTaskV1() opens an empty directory without a rootfs, and takes no time for none", () => {
  const { preopens, deadline, priority, immediate } = decode({}, { deadline: {} });
  deepStrictEqual(preopens, [{ guest: ".", zip: null, readOnly: false }]);
  deepStrictEqual([deadline, priority, immediate], [null, false, false]);
});

Deno.test("decodeTaskV1() refuses texts that no guest can get, or that are too long together", () => {
  for (const params of [{ args: ["\0"] }, { envs: ["A=\0"] }, { artifacts: ["a\0"] }]) {
    throws(() => decode(params), { code: "invalid_argument" });
  }
  const most = MAX_TEXT_BYTES_V1 - 4;
  strictEqual(decode({ args: ["x".repeat(most)] }).args[0]?.length, most);
  throws(() => decode({ args: ["x".repeat(most + 1)] }), { code: "invalid_argument" });
  throws(() => decode({ args: ["ü".repeat(most / 2 + 1)] }), { code: "invalid_argument" });
  throws(() => decode({ args: Array.from({ length: 20_000 }, () => "") }), { code: "invalid_argument" });
});

const result = (outcome: Outcome, code: Code | null = null): TaskResult => (
  { task: "t1", outcome, code, provider: "p", attempts: 1, queuedMs: 0, durationMs: 0 }
);

/** The end of a task, and what the request fails with; null for a response. */
const ENDS: readonly (readonly [outcome: Outcome, code: Code | null, failure: string | null])[] = [
  [exited(0), null, null],
  [exited(1), null, null],
  [failed("trap", "guest", "unreachable"), null, null],
  [failed("trap", "provider", "slot died"), null, null],
  [failed("memory", "guest", "x"), null, null],
  [failed("limit", "provider", "x"), null, null],
  [failed("timeout", "provider", "x"), null, null],
  [failed("timeout", "broker", "late"), null, "deadline_exceeded late"],
  [failed("cancelled", "client", "gone"), null, "canceled gone"],
  [failed("lost", "broker", "gave up"), null, "unavailable gave up"],
  [failed("rejected", "provider", "zip not found"), "invalid_argument", null],
  [failed("rejected", "broker", "module is rejected"), "failed_precondition", null],
  [
    failed("rejected", "broker", "queue is full: 9"),
    "resource_exhausted",
    "resource_exhausted 429: Queue Full",
  ],
  [failed("rejected", "broker", "no provider"), "unavailable", "unavailable no provider"],
];

Deno.test("rpcFailure() tells the ends of tasks from requests that could not be carried out", () => {
  for (const [outcome, code, failure] of ENDS) {
    const error = rpcFailure(result(outcome, code), false);
    strictEqual(error && `${error.code} ${error.message}`, failure, JSON.stringify(outcome));
  }
  const immediate = rpcFailure(result(failed("rejected", "broker", "no idle provider"), "unavailable"), true);
  strictEqual(immediate?.message, "qos: no idle provider");
});

const NOTHING = { stdout: new Uint8Array(), stderr: new Uint8Array(), artifacts: null };

Deno.test("encodeResponseV1() enforces what the broker knows, and echoes what it was told", () => {
  const info = create(Task_MetadataSchema, {
    id: "own",
    requester: "forged",
    provider: "x",
    reference: "ref",
  });
  const origin = originOf(info, { requester: "192.0.2.7:1", now: () => 0 });
  const response = encodeResponseV1(result(exited(0xffffffff)), NOTHING, origin);
  const { $typeName: _, ...told } = response.info ?? { $typeName: "" };
  deepStrictEqual(told, { id: "t1", requester: "192.0.2.7:1", provider: "p", reference: "ref" });
  strictEqual(response.result.case === "ok" ? response.result.value.status : null, -1);
});

Deno.test("encodeResponseV1() fills metadata that was not asked for, and traces only on request", () => {
  const none = encodeResponseV1(
    result(exited(0)),
    NOTHING,
    originOf(undefined, { requester: "", now: () => 0 }),
  );
  deepStrictEqual([none.info?.id, none.info?.requester, none.info?.reference], ["t1", "", ""]);
  strictEqual(none.info?.trace, undefined);
  const info = create(Task_MetadataSchema, { trace: {} });
  const traced = encodeResponseV1(
    result(exited(0)),
    NOTHING,
    originOf(info, { requester: "", now: () => 0 }),
  );
  deepStrictEqual([traced.info?.trace?.created, traced.info?.trace?.events], [0n, []]);
});

Deno.test("encodeResponseV1() says why a task failed", () => {
  const origin = originOf(undefined, { requester: "", now: () => 0 });
  const text = (outcome: Outcome) => encodeResponseV1(result(outcome), NOTHING, origin).result.value;
  strictEqual(text(failed("trap", "guest", "unreachable")), "trap: unreachable");
  strictEqual(text(failed("limit", "provider", "")), "limit");
});
