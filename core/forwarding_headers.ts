/** The headers by which proxies tell for whom they speak. */

/** Besides all that begin with `x-forwarded-`. */
const FORWARDING_HEADERS: ReadonlySet<string> = new Set([
  "forwarded",
  "forwarded-for",
  "x-forwarded",
  "client-ip",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-original-forwarded-for",
  "true-client-ip",
  "cf-connecting-ip",
  "fastly-client-ip",
]);

/** Whether a header (lower case) tells whom a proxy speaks for. `via` does not: it names the proxies only. */
export function isForwardingHeader(name: string): boolean {
  return name.startsWith("x-forwarded-") || FORWARDING_HEADERS.has(name);
}
