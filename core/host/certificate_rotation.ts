/** Ephemeral certificates, one after the other: each is announced long before it is served, and long after. */

import type { Logger } from "../log.ts";
import type { CertificateSource } from "./certificate_source.ts";
import { createEphemeralCertificate, type EphemeralCertificate } from "./ephemeral_certificate.ts";
import type { Credentials } from "./http_server.ts";

export interface CertificateRotationOptions {
  /** DNS names and addresses of the certificates. */
  readonly names: readonly string[];
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly create?: (names: readonly string[], nowMs: number) => Promise<EphemeralCertificate>;
  readonly logger: Logger;
}

const DAY_MS = 24 * 3_600_000;
/** The next one is made and announced when the one that is served has this age. */
const ANNOUNCE_AGE_MS = 8 * DAY_MS;
/** It is served a day later: by then whoever asked before has connected, or has asked again. */
const SERVE_AGE_MS = 9 * DAY_MS;
/** The clock is looked at this often, since timers stand still while a machine sleeps. */
const CHECK_INTERVAL_MS = 10 * 60_000;

export class CertificateRotation implements CertificateSource {
  readonly kind = "ephemeral";
  readonly names: readonly string[] = [];
  readonly #options: CertificateRotationOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #previous: EphemeralCertificate | null = null;
  #current: EphemeralCertificate;
  #next: EphemeralCertificate | null = null;
  #checking = false;
  #listener: (credentials: Credentials) => void = () => {};

  private constructor(options: CertificateRotationOptions, first: EphemeralCertificate) {
    this.#options = options;
    this.#current = first;
    this.#timer = setInterval(() => void this.#check(), CHECK_INTERVAL_MS);
  }

  /** Makes the first certificate. */
  static async start(options: CertificateRotationOptions): Promise<CertificateRotation> {
    const { names, now, create = createEphemeralCertificate } = options;
    return new CertificateRotation(options, await create(names, now()));
  }

  get credentials(): Credentials {
    const { cert, key } = this.#current;
    return { cert, key };
  }

  get hashes(): readonly string[] {
    return [this.#current, this.#next, this.#previous].flatMap((one) => one === null ? [] : [one.hash]);
  }

  onChange(listener: (credentials: Credentials) => void): void {
    this.#listener = listener;
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    this.#listener = () => {}; // one may be in the making
    return Promise.resolve();
  }

  async #check(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      await this.#advance(this.#options.now());
    } catch (error) {
      this.#options.logger.error("cannot make a certificate", { error });
    } finally {
      this.#checking = false;
    }
  }

  async #advance(nowMs: number): Promise<void> {
    const { names, create = createEphemeralCertificate, logger } = this.#options;
    if (this.#previous !== null && nowMs >= this.#previous.notAfterMs) this.#previous = null;
    const ageMs = nowMs - this.#current.createdMs;
    if (this.#next === null && ageMs >= ANNOUNCE_AGE_MS) this.#next = await create(names, nowMs);
    if (this.#next === null || ageMs < SERVE_AGE_MS) return;
    this.#previous = this.#current;
    this.#current = this.#next;
    this.#next = null;
    this.#listener(this.credentials);
    logger.info("serving a new certificate", { hash: this.#current.hash });
  }
}
