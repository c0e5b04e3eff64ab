/** Fingerprints of bridges: SHA-1 or SHA-256 of their identity key, as hex (snowflake 3.3). */

/** Of the bridge that clients mean when they name none. */
export const DEFAULT_FINGERPRINT = "2B280B23E1107BB62ABFC40DDCC8824814F80A72";

/** 20 or 32 bytes of hex in upper case; null for anything else. */
export function parseFingerprint(text: string): string | null {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text) ? text.toUpperCase() : null;
}
