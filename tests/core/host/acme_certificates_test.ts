import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { type Clock, install } from "@sinonjs/fake-timers";
import { AcmeCertificates } from "../../../core/host/acme_certificates.ts";
import type { CertificateSource } from "../../../core/host/certificate_source.ts";
import { createEphemeralCertificate } from "../../../core/host/ephemeral_certificate.ts";
import type { Credentials } from "../../../core/host/http_server.ts";
import { Logger } from "../../../core/log.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Nothing here takes longer, on a busy machine either; of the real clock. */
const PATIENCE_MS = 10_000;
const NAMES = ["broker.example", "b.example"];

/** An authority, a cache and a log that the test looks into; certificates live for 13 days. */
class Scene {
  readonly lines: string[] = [];
  readonly served: string[] = [];
  readonly kept: Credentials[] = [];
  orders = 0;
  failures = 0;
  fallbackClosed = false;
  cached: Credentials | null = null;

  constructor(readonly clock: Clock) {}

  async start(): Promise<AcmeCertificates> {
    const source = await AcmeCertificates.start({
      hostnames: NAMES,
      cache: {
        certificate: () => Promise.resolve(this.cached),
        keepCertificate: (_name, credentials) => Promise.resolve(void this.kept.push(credentials)),
      },
      order: () => this.#order(),
      fallback: () => Promise.resolve(this.#fallback()),
      now: () => Date.now(),
      logger: new Logger((level, message) => void this.lines.push(`${level}: ${message}`)),
    });
    source.onChange(({ cert }) => this.served.push(cert));
    return source;
  }

  async #order(): Promise<Credentials> {
    this.orders++;
    if (this.failures-- > 0) throw new Error("no such name");
    const { cert, key } = await createEphemeralCertificate(NAMES, Date.now());
    return { cert, key };
  }

  #fallback(): CertificateSource {
    return {
      kind: "ephemeral",
      credentials: { cert: "fallback", key: "" },
      hashes: ["12"],
      names: [],
      onChange: () => {},
      close: () => Promise.resolve(void (this.fallbackClosed = true)),
    };
  }
}

function acmeTest(name: string, run: (scene: Scene) => Promise<void>): void {
  Deno.test(name, async () => {
    const toFake = ["setTimeout", "clearTimeout", "Date"] as const;
    const clock = install({ now: Date.UTC(2026, 0, 1), toFake: [...toFake] });
    try {
      await run(new Scene(clock));
      strictEqual(clock.countTimers(), 0);
    } finally {
      clock.uninstall();
    }
  });
}

/** Keys and signatures are made outside of the clock. */
async function until(condition: () => boolean): Promise<void> {
  for (const endMs = performance.now() + PATIENCE_MS; !condition() && performance.now() < endMs;) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  strictEqual(condition(), true);
}

acmeTest(
  "a certificate is ordered at the start, kept, and renewed after two thirds of its life",
  async (scene) => {
    const source = await scene.start();
    strictEqual(source.kind, "ephemeral");
    deepStrictEqual(source.hashes, ["12"]);
    await until(() => scene.kept.length === 1);
    strictEqual(source.kind, "acme");
    deepStrictEqual(source.hashes, []);
    deepStrictEqual(source.names, NAMES);
    strictEqual(scene.fallbackClosed, true);
    deepStrictEqual(scene.served, [source.credentials.cert]);
    // Two thirds of 13 days are 8 days and 16 hours, of which 6 hours are gone.
    await scene.clock.tickAsync(8 * DAY_MS + 9 * HOUR_MS);
    strictEqual(scene.orders, 1);
    await scene.clock.tickAsync(2 * HOUR_MS);
    await until(() => scene.kept.length === 2);
    strictEqual(scene.served.length, 2);
    strictEqual(scene.served[1], source.credentials.cert);
    await source.close();
  },
);

acmeTest("a failed order is a warning, and tried again later each time", async (scene) => {
  scene.failures = 3;
  const source = await scene.start();
  await until(() => scene.lines.length === 1);
  match(scene.lines[0]!, /^warn: cannot get a certificate, next attempt in [3-5] min: no such name$/);
  await scene.clock.tickAsync(6 * 60_000);
  await until(() => scene.lines.length === 2);
  match(scene.lines[1]!, /next attempt in ([5-9]|10) min: no such name$/);
  await scene.clock.tickAsync(11 * 60_000);
  await until(() => scene.lines.length === 3);
  strictEqual(source.kind, "ephemeral");
  await scene.clock.tickAsync(21 * 60_000);
  await until(() => scene.kept.length === 1);
  strictEqual(source.kind, "acme");
  strictEqual(scene.orders, 4);
  await source.close();
});

acmeTest("a certificate in the cache is served without an order", async (scene) => {
  scene.cached = await createEphemeralCertificate(NAMES, Date.now());
  const source = await scene.start();
  strictEqual(source.kind, "acme");
  await scene.clock.tickAsync(8 * DAY_MS);
  strictEqual(scene.orders, 0);
  await scene.clock.tickAsync(12 * HOUR_MS);
  await until(() => scene.kept.length === 1);
  await source.close();
});

for (
  const [what, make] of [
    ["has expired", () => createEphemeralCertificate(NAMES, Date.now() - 20 * DAY_MS)],
    ["lacks a name", () => createEphemeralCertificate(NAMES.slice(1), Date.now())],
    ["is damaged", () => Promise.resolve({ cert: "no", key: "no" })],
  ] as const
) {
  acmeTest(`a certificate in the cache that ${what} is replaced at once`, async (scene) => {
    scene.cached = await make();
    const source = await scene.start();
    strictEqual(source.kind, "ephemeral");
    await until(() => scene.kept.length === 1);
    strictEqual(source.kind, "acme");
    await source.close();
  });
}
