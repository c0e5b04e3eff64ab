/** Gets one certificate from an ACME server (RFC 8555). */

import type { AcmeCache } from "./acme_cache.ts";
import type { AcmeChallenges } from "./acme_challenges.ts";
import type { Credentials } from "./http_server.ts";

export interface AcmeOrder {
  /** DNS names; the first one is the subject. */
  readonly hostnames: readonly string[];
  /** Where the authority may write to; null for nowhere. */
  readonly email: string | null;
  /** Of the authority; null for Let's Encrypt. */
  readonly directoryUrl: string | null;
  readonly cache: AcmeCache;
  readonly challenges: Pick<AcmeChallenges, "add" | "remove">;
}

/** Orders a certificate with a fresh key. Rejects with whatever the library or the authority says. */
export async function orderCertificate(order: AcmeOrder): Promise<Credentials> {
  const { hostnames, email, directoryUrl, cache, challenges } = order;
  const { default: acme } = await import("acme-client"); // only a broker with ACME needs it
  const client = new acme.Client({
    directoryUrl: directoryUrl ?? acme.directory.letsencrypt.production,
    accountKey: await accountKey(cache, () => acme.crypto.createPrivateEcdsaKey()),
  });
  const [key, csr] = await acme.crypto.createCsr(
    { commonName: hostnames[0]!, altNames: [...hostnames] },
    await acme.crypto.createPrivateEcdsaKey(),
  );
  const cert = await client.auto({
    csr,
    ...(email !== null && { email }),
    termsOfServiceAgreed: true,
    challengePriority: ["http-01"],
    // The library would ask itself first, which a router that does not turn packets around fails.
    skipChallengeVerification: true,
    challengeCreateFn: (_authorization, { type, token }, answer) => {
      if (type !== "http-01") throw new Error("the authority offers no HTTP-01 challenge for these names");
      challenges.add(token, answer);
      return Promise.resolve();
    },
    challengeRemoveFn: (_authorization, { token }) => Promise.resolve(challenges.remove(token)),
  });
  return { cert, key: key.toString() };
}

async function accountKey(cache: AcmeCache, create: () => Promise<{ toString(): string }>): Promise<string> {
  const known = await cache.accountKey();
  if (known !== null) return known;
  const pem = (await create()).toString();
  await cache.keepAccountKey(pem);
  return pem;
}
