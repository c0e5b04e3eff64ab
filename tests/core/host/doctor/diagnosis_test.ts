import { deepStrictEqual } from "node:assert/strict";
import { WasimoffError } from "../../../../core/errors.ts";
import { Diagnosis, type Finding, type Verdict } from "../../../../core/host/doctor/diagnosis.ts";
import { fakeClock } from "../../../support/session_pair.ts";

const LIMIT = { needs: [], limitMs: 1_000 } as const;
const never = new AbortController().signal;

async function read(diagnosis: Diagnosis): Promise<string[]> {
  const lines = [];
  for await (const { status, name, detail } of diagnosis.findings()) {
    lines.push(`${status} ${name}: ${detail}`);
  }
  return lines;
}

Deno.test("Diagnosis tells findings in the order of the checks, which run at once", async () => {
  using clock = fakeClock();
  const diagnosis = new Diagnosis(never);
  const slow = Promise.withResolvers<void>();
  diagnosis.check("slow", LIMIT, async () => {
    await slow.promise;
    return { status: "ok", detail: "late" };
  });
  diagnosis.check("quick", LIMIT, () => Promise.resolve({ status: "warn", detail: "early" }));
  const lines = read(diagnosis);
  await clock.tick(10);
  slow.resolve();
  deepStrictEqual(await lines, ["ok slow: late", "warn quick: early"]);
});

Deno.test("Diagnosis gives a check what it needs, and skips it when that is not there", async () => {
  const diagnosis = new Diagnosis(never);
  const seven = diagnosis.check(
    "seven",
    LIMIT,
    () => Promise.resolve({ status: "ok", detail: "7", value: 7 }),
  );
  const bad = diagnosis.check(
    "bad",
    LIMIT,
    (): Promise<{ status: "fail"; detail: string; value?: string }> =>
      Promise.reject(new WasimoffError("unavailable", "nothing there")),
  );
  diagnosis.check(
    "sum",
    { ...LIMIT, needs: [seven, seven] },
    (_, a, b) => Promise.resolve({ status: "ok", detail: `${a + b}` }),
  );
  const after = diagnosis.check("after", { ...LIMIT, needs: [seven, bad] }, () => {
    throw new TypeError("must not run");
  });
  diagnosis.check("last", { ...LIMIT, needs: [after] }, () => {
    throw new TypeError("must not run");
  });
  deepStrictEqual(await read(diagnosis), [
    "ok seven: 7",
    "fail bad: nothing there",
    "ok sum: 14",
    "skipped after: needs bad",
    "skipped last: needs after",
  ]);
});

Deno.test("Diagnosis ends a check at its limit, and all of them at the end of its signal", async () => {
  using clock = fakeClock();
  const stop = new AbortController();
  const diagnosis = new Diagnosis(stop.signal);
  const reasons: unknown[] = [];
  const hang = (signal: AbortSignal) => {
    signal.addEventListener("abort", () => reasons.push(signal.reason.message));
    return new Promise<never>(() => {});
  };
  diagnosis.check("hung", LIMIT, hang);
  diagnosis.check("long", { needs: [], limitMs: 60_000 }, hang);
  const lines = read(diagnosis);
  diagnosis.check(
    "wordy",
    LIMIT,
    (signal) =>
      new Promise<Verdict<never>>((resolve) =>
        signal.addEventListener("abort", () => resolve({ status: "fail", detail: "a wall" }))
      ),
  );
  await clock.tick(1_100);
  deepStrictEqual(reasons, ["no answer within 1 s"]);
  stop.abort();
  await clock.tick(100);
  deepStrictEqual(await lines, [
    "fail hung: no answer within 1 s",
    "fail long: was interrupted",
    "fail wordy: a wall",
  ]);
  const late: Finding[] = [];
  const ended = new Diagnosis(stop.signal);
  ended.check("never", LIMIT, hang);
  const done = (async () => {
    for await (const finding of ended.findings()) late.push(finding);
  })();
  await clock.tick(100);
  await done;
  deepStrictEqual(late.map(({ status }) => status), ["fail"]);
});
