/** Texts of others within a limit. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The longest front of a text that takes at most `maxBytes` as UTF-8; no character is broken. */
export function cutText(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text; // no character takes more than three bytes a code unit
  const target = new Uint8Array(maxBytes);
  const { written } = encoder.encodeInto(text, target);
  return decoder.decode(target.subarray(0, written));
}
