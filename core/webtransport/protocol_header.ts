/** Agreeing on an application protocol: `wt-available-protocols` and `wt-protocol` (draft-ietf-webtrans-http3 3.4). */

/** Offers of which a server looks at no more. */
const MAX_PROTOCOLS = 64;

/** An item of a structured field (RFC 8941 3.3.3) that is a string, its parameters, and what follows it. */
const STRING_ITEM = /^ *"((?:[ !#-[\]-~]|\\["\\])*)"((?: *;[^,";]*(?:"(?:[ !#-[\]-~]|\\["\\])*")?)*)[ \t]*/;

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
  for (let rest = field;;) {
    const item = STRING_ITEM.exec(rest);
    if (item === null || protocols.length === MAX_PROTOCOLS) return [];
    protocols.push((item[1] as string).replace(/\\(.)/g, "$1"));
    rest = rest.slice(item[0].length);
    if (rest === "") return protocols;
    if (!rest.startsWith(",")) return [];
    rest = rest.slice(1).trimStart();
  }
}

/** The first that both sides know, in the order of the server; "" for none. */
export function chooseProtocol(offered: readonly string[], known: readonly string[]): string {
  return known.find((protocol) => offered.includes(protocol)) ?? "";
}
