/** Agreeing on an application protocol: `wt-available-protocols` and `wt-protocol` (draft-ietf-webtrans-http3 3.4). */

/** Offers of which a server looks at no more. */
const MAX_PROTOCOLS = 64;

/** An item of a structured field (RFC 8941 3.3.3) that is a string, and what follows it up to the next comma. */
const STRING_ITEM = /^"((?:[ !#-[\]-~]|\\["\\])*)"((?:[^,"]|"(?:[ !#-[\]-~]|\\["\\])*")*)/;

/** As a list of strings (RFC 8941 3.1). RangeError for what such a string cannot hold. */
export function formatProtocols(protocols: readonly string[]): string {
  return protocols.map((protocol) => {
    if (!/^[ -~]+$/.test(protocol)) throw new RangeError(`"${protocol}" is no name of a protocol`);
    return `"${protocol.replace(/["\\]/g, "\\$&")}"`;
  }).join(", ");
}

/** The strings of such a list. Empty for anything else, because an invalid field counts as missing. */
export function parseProtocols(field: string): readonly string[] {
  const protocols: string[] = [];
  for (let rest = field.trim();; rest = rest.slice(1).trimStart()) {
    const [item, text, parameters] = STRING_ITEM.exec(rest) ?? [];
    if (item === undefined || !/^\s*(;|$)/.test(parameters as string)) return [];
    if (protocols.length === MAX_PROTOCOLS) return [];
    protocols.push((text as string).replace(/\\(.)/g, "$1"));
    rest = rest.slice(item.length);
    if (rest === "") return protocols;
    if (!rest.startsWith(",")) return [];
  }
}

/** The first that both sides know, in the order of the server; "" for none. */
export function chooseProtocol(offered: readonly string[], known: readonly string[]): string {
  return known.find((protocol) => offered.includes(protocol)) ?? "";
}
