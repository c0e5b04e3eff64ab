/** Which relays a proxy lets itself be sent to (snowflake 4, "Relay patterns"). */

/** What stock proxies accept, so that they can be served without any configuration. */
export const DEFAULT_ALLOWED_RELAY_PATTERN = "snowflake.torproject.net$";

/** `^name` means exactly this host, otherwise every host that ends so; without a boundary at dots. */
export interface RelayPattern {
  readonly suffix: string;
  readonly exact: boolean;
}

/** Reads a pattern: `^` at its start and `$` at its end are optional, and `$` means nothing. */
export function parseRelayPattern(text: string): RelayPattern {
  const exact = text.startsWith("^");
  return { suffix: text.slice(exact ? 1 : 0).replace(/\$$/, ""), exact };
}

/** Whether a proxy with pattern `proxy` accepts every relay that `allowed` allows. */
export function covers(proxy: RelayPattern, allowed: RelayPattern): boolean {
  if (proxy.exact) return allowed.exact && proxy.suffix === allowed.suffix;
  return allowed.suffix.endsWith(proxy.suffix);
}
