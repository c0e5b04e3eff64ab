import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type Clock, install } from "@sinonjs/fake-timers";
import { CertificateRotation } from "../../../core/host/certificate_rotation.ts";
import type { EphemeralCertificate } from "../../../core/host/ephemeral_certificate.ts";
import { Logger, silent } from "../../../core/log.ts";

const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;

/** Makes certificates with the hashes 1, 2 and so on. */
function counter() {
  let made = 0;
  return (_names: readonly string[], nowMs: number): Promise<EphemeralCertificate> => {
    const hash = String(++made);
    const notAfterMs = nowMs + 12.75 * DAY_MS;
    return Promise.resolve({ cert: `cert ${hash}`, key: `key ${hash}`, hash, createdMs: nowMs, notAfterMs });
  };
}

async function withClock(run: (clock: Clock) => Promise<void>): Promise<void> {
  const clock = install({ now: Date.UTC(2026, 0, 1), toFake: ["setInterval", "clearInterval", "Date"] });
  try {
    await run(clock);
  } finally {
    clock.uninstall();
  }
}

Deno.test("an ephemeral certificate is announced a day before it is served, and until its predecessor ends", () =>
  withClock(async (clock) => {
    const now = () => Date.now();
    const source = await CertificateRotation.start({ names: [], now, create: counter(), logger: silent });
    const served: string[] = [];
    source.onChange(({ cert }) => served.push(cert));
    deepStrictEqual(source.hashes, ["1"]);
    await clock.tickAsync(8 * DAY_MS - HOUR_MS);
    deepStrictEqual(source.hashes, ["1"]);
    await clock.tickAsync(2 * HOUR_MS); // 8 days
    deepStrictEqual(source.hashes, ["1", "2"]);
    deepStrictEqual(served, []);
    await clock.tickAsync(DAY_MS); // 9 days
    deepStrictEqual(source.hashes, ["2", "1"]);
    deepStrictEqual(served, ["cert 2"]);
    deepStrictEqual(source.credentials, { cert: "cert 2", key: "key 2" });
    await clock.tickAsync(4 * DAY_MS); // 13 days
    deepStrictEqual(source.hashes, ["2"]);
    await clock.tickAsync(4 * DAY_MS); // 17 days: the second one is 9 days old
    deepStrictEqual(served, ["cert 2", "cert 3"]);
    deepStrictEqual(source.hashes, ["3", "2"]);
    await source.close();
    strictEqual(clock.countTimers(), 0);
  }));

Deno.test("a machine that slept past the end of its certificate serves a new one at the next look", () =>
  withClock(async (clock) => {
    const now = () => Date.now();
    const source = await CertificateRotation.start({ names: [], now, create: counter(), logger: silent });
    clock.setSystemTime(Date.now() + 30 * DAY_MS);
    await clock.tickAsync(10 * 60_000);
    deepStrictEqual(source.credentials, { cert: "cert 2", key: "key 2" });
    await clock.tickAsync(10 * 60_000);
    deepStrictEqual(source.hashes, ["2"]);
    await source.close();
  }));

Deno.test("a certificate that cannot be made is an error in the log, and tried again", () =>
  withClock(async (clock) => {
    const create = counter();
    let failures = 0;
    const errors: string[] = [];
    const source = await CertificateRotation.start({
      names: [],
      now: () => Date.now(),
      create: (names, nowMs) => {
        if (nowMs < Date.UTC(2026, 0, 9, 1) && nowMs > Date.UTC(2026, 0, 2)) {
          failures++;
          return Promise.reject(new Error("no entropy"));
        }
        return create(names, nowMs);
      },
      logger: new Logger((level, message) => void errors.push(`${level}: ${message}`)),
    });
    await clock.tickAsync(8 * DAY_MS + 30 * 60_000);
    strictEqual(failures, 4);
    deepStrictEqual(errors, new Array(4).fill("error: cannot make a certificate"));
    await clock.tickAsync(HOUR_MS);
    deepStrictEqual(source.hashes, ["1", "2"]);
    await source.close();
  }));
