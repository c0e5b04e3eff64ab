/** Kinds of NAT that peers say they sit behind (snowflake 3.1). */

export type Nat = "unknown" | "restricted" | "unrestricted";

export const NATS: readonly Nat[] = ["restricted", "unknown", "unrestricted"];

/** Reads what a peer says; nothing at all means `unknown`, and null is the answer to anything else. */
export function parseNat(text: string): Nat | null {
  return text === "" ? "unknown" : NATS.find((nat) => nat === text) ?? null;
}
