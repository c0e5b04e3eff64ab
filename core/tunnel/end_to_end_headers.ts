/** Which headers a proxy passes on, and which are for the next hop only (RFC 9110 7.6.1). */

/** Headers as they came: names and values in turn. */
export type RawHeaders = readonly string[];

/** Lower case. Framing is among them: each side says it anew. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** What nobody may take away by naming it in Connection: a message without it would mean another one. */
const KEPT: ReadonlySet<string> = new Set(["host", "content-length"]);

/** What would change the meaning of a message whose headers were read already (RFC 9110 6.5.1). */
const NO_TRAILERS: ReadonlySet<string> = new Set([
  "authorization",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "host",
  "set-cookie",
  "trailer",
  "www-authenticate",
]);

/** All values of a header (lower case), in order. */
export function valuesOf(raw: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.length === name.length && raw[i]!.toLowerCase() === name) values.push(raw[i + 1]!);
  }
  return values;
}

/** The headers that go on, in order, without those that `drops` says (it is given lower case). */
export function endToEndHeaders(raw: RawHeaders, drops: (name: string) => boolean = () => false): string[] {
  const named = new Set(
    valuesOf(raw, "connection").flatMap((value) => value.toLowerCase().split(/[ \t]*,[ \t]*/)),
  );
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (HOP_BY_HOP.has(name) || (named.has(name) && !KEPT.has(name)) || drops(name)) continue;
    kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}

/** Trailers that go on, as pairs. */
export function endToEndTrailers(
  raw: RawHeaders,
  drops: (name: string) => boolean = () => false,
): [string, string][] {
  const flat = endToEndHeaders(raw, (name) => NO_TRAILERS.has(name) || drops(name));
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}
