/** Where a broker has its certificate from, and that it may change while the broker runs. */

import type { Credentials } from "./http_server.ts";

export interface CertificateSource {
  /** `ephemeral` certificates are known by their hash, the others by who signed them. */
  readonly kind: "ephemeral" | "file" | "acme";
  /** What further handshakes get. */
  readonly credentials: Credentials;
  /**
   * SHA-256 (hex) of each certificate that a client may meet now or soon, the one that is served first. Empty when
   * clients are to trust the authority that signed it.
   */
  readonly hashes: readonly string[];
  /** DNS names and addresses that it is valid for, wildcards included; empty when clients know it by hash. */
  readonly names: readonly string[];
  /** The one that is told whenever `credentials` has changed. */
  onChange(listener: (credentials: Credentials) => void): void;
  /** Ends timers and servers; the credentials stay as they are. */
  close(): Promise<void>;
}
