/** A certificate of an ACME authority, renewed while the broker runs. */

import { Backoff } from "../backoff.ts";
import { delay } from "../delay.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { unlessAborted } from "../unless_aborted.ts";
import type { AcmeCache } from "./acme_cache.ts";
import { type CertificateDetails, checkPair, readCertificate } from "./certificate_details.ts";
import type { CertificateSource } from "./certificate_source.ts";
import type { Credentials } from "./http_server.ts";

export interface AcmeCertificatesOptions {
  readonly hostnames: readonly string[];
  readonly cache: Pick<AcmeCache, "certificate" | "keepCertificate">;
  /** Gets a certificate for the host names. */
  readonly order: () => Promise<Credentials>;
  /** Serves until there is a certificate of the authority; closed then. */
  readonly fallback: () => Promise<CertificateSource>;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly logger: Logger;
}

/** An order takes seconds; an authority that is silent so long is asked again later. */
const ORDER_TIMEOUT_MS = 5 * 60_000;
/** Authorities allow five failed orders an hour. */
const FIRST_RETRY_MS = 5 * 60_000;
const MAX_RETRY_MS = 6 * 3_600_000;
/** The clock is looked at this often, since timers stand still while a machine sleeps. */
const MAX_SLEEP_MS = 3_600_000;
/** Part of its life after which a certificate is renewed: 60 of 90 days. */
const RENEW_AT = 2 / 3;

interface Issued {
  readonly credentials: Credentials;
  readonly details: CertificateDetails;
}

export class AcmeCertificates implements CertificateSource {
  readonly #options: AcmeCertificatesOptions;
  readonly #stop = new AbortController();
  readonly #renewing: Promise<void>;
  #current: Issued | CertificateSource;
  #listener: (credentials: Credentials) => void = () => {};

  private constructor(options: AcmeCertificatesOptions, current: Issued | CertificateSource) {
    this.#options = options;
    this.#current = current;
    if (!isIssued(current)) current.onChange((credentials) => this.#listener(credentials));
    this.#renewing = this.#renew(this.#stop.signal);
  }

  /** Serves what is in the cache, or what stands in for it, and orders what is missing. */
  static async start(options: AcmeCertificatesOptions): Promise<AcmeCertificates> {
    const cached = await readCached(options);
    return new AcmeCertificates(options, cached ?? await options.fallback());
  }

  get kind(): "acme" | "ephemeral" {
    return isIssued(this.#current) ? "acme" : "ephemeral";
  }

  get credentials(): Credentials {
    return this.#current.credentials;
  }

  get hashes(): readonly string[] {
    return isIssued(this.#current) ? [] : this.#current.hashes;
  }

  get names(): readonly string[] {
    return isIssued(this.#current) ? this.#current.details.names : this.#current.names;
  }

  onChange(listener: (credentials: Credentials) => void): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    this.#listener = () => {};
    this.#stop.abort(new WasimoffError("canceled", "broker is closing"));
    await this.#renewing;
    if (!isIssued(this.#current)) await this.#current.close();
  }

  /** Resolves at the abort. */
  async #renew(signal: AbortSignal): Promise<void> {
    let backoff = new Backoff({ firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS });
    try {
      for (;;) {
        await this.#untilDue(signal);
        try {
          await this.#order(signal);
          backoff = new Backoff({ firstMs: FIRST_RETRY_MS, maxMs: MAX_RETRY_MS });
          await delay(FIRST_RETRY_MS, signal); // also when what came is due at once
        } catch (error) {
          signal.throwIfAborted();
          const waitMs = backoff.next();
          this.#warn(error, waitMs);
          await delay(waitMs, signal);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #untilDue(signal: AbortSignal): Promise<void> {
    for (;;) {
      const leftMs = isIssued(this.#current) ? renewalMs(this.#current.details) - this.#options.now() : 0;
      if (leftMs <= 0) return;
      await delay(Math.min(leftMs, MAX_SLEEP_MS), signal);
    }
  }

  async #order(signal: AbortSignal): Promise<void> {
    const { order, cache, hostnames, logger } = this.#options;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ORDER_TIMEOUT_MS)]);
    const credentials = await unlessAborted(order(), limit);
    checkPair(credentials);
    const details = readCertificate(credentials.cert);
    this.#listener(credentials);
    const before = this.#current;
    this.#current = { credentials, details };
    logger.info("serving the certificate of the authority", {
      names: details.names,
      until: details.notAfter.toISOString(),
    });
    if (!isIssued(before)) await before.close();
    await cache.keepCertificate(hostnames[0]!, credentials).catch((error) => {
      logger.warn("cannot keep the certificate: it is ordered again at the next start", { error });
    });
  }

  #warn(error: unknown, waitMs: number): void {
    const { message } = WasimoffError.from(error);
    const minutes = Math.round(waitMs / 60_000);
    const until = isIssued(this.#current) ? { until: this.#current.details.notAfter.toISOString() } : {};
    this.#options.logger.warn(`cannot get a certificate, next attempt in ${minutes} min: ${message}`, until);
  }
}

const isIssued = (current: Issued | CertificateSource): current is Issued => "details" in current;

function renewalMs({ notBefore, notAfter }: CertificateDetails): number {
  return notBefore.getTime() + RENEW_AT * (notAfter.getTime() - notBefore.getTime());
}

/** What is in the cache when it can be served: for all the names, and not at its end. */
async function readCached(
  { hostnames, cache, now, logger }: AcmeCertificatesOptions,
): Promise<Issued | null> {
  const credentials = await cache.certificate(hostnames[0]!);
  if (credentials === null) return null;
  try {
    checkPair(credentials);
    const details = readCertificate(credentials.cert);
    const covered = hostnames.every((name) => details.names.includes(name.toLowerCase()));
    return covered && details.notAfter.getTime() > now() ? { credentials, details } : null;
  } catch (error) {
    logger.warn("the certificate in the cache is damaged, getting another", { error });
    return null;
  }
}
