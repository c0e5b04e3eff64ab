/** Whom we believe to be the broker: the servers of which certificates. */

import { rootCertificates } from "node:tls";

export interface ServerTrust {
  /** Certificates of CAs (PEM) that count besides those that every program trusts. */
  readonly caCerts: readonly string[];
  /**
   * SHA-256 of certificates (of their DER bytes). With any, a server must show one of them, and neither names nor
   * CAs count, nor, except over QUIC, dates.
   */
  readonly certHashes: readonly Uint8Array[];
}

/** What every program trusts. */
export const COMMON_TRUST: ServerTrust = { caCerts: [], certHashes: [] };

/** What `node:tls` is told of CAs. */
export function trustedCas({ caCerts }: ServerTrust): { readonly ca?: string[] } {
  return caCerts.length === 0 ? {} : { ca: [...rootCertificates, ...caCerts] };
}

/** What to do about a certificate that is not trusted. */
export const TRUST_ADVICE = "give its CA by --ca or its SHA-256 by --cert-hash";
