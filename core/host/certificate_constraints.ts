/** Name constraints (RFC 5280 4.2.1.10): for which names an authority may sign. */

import { parseIpAddress } from "../broker/identity/ip_address.ts";
import { WasimoffError } from "../errors.ts";

export const NAME_CONSTRAINTS_OID = "2.5.29.30";

const SEQUENCE = 0x30;
/** `permittedSubtrees` of NameConstraints. */
const PERMITTED = 0xa0;
/** `dNSName` and `iPAddress` of GeneralName. */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** Stand in where no name of a kind is given: without any, all of that kind would be permitted. */
const NO_DNS_NAME = "invalid"; // RFC 6761 6.4
const NO_ADDRESS = "0.0.0.0";

/** DER of constraints to these DNS names, the names below them, and addresses. */
export function encodeConstraints(names: readonly string[]): Uint8Array<ArrayBuffer> {
  const addresses = names.filter((name) => parseIpAddress(name) !== null);
  const domains = names.filter((name) => parseIpAddress(name) === null).map((name) =>
    name.replace(/^\*\./, "")
  );
  const subtrees = [
    ...(domains.length > 0 ? domains : [NO_DNS_NAME]).map((name) =>
      element(DNS_NAME, [...new TextEncoder().encode(name)])
    ),
    ...(addresses.length > 0 ? addresses : [NO_ADDRESS]).map((address) => {
      const bytes = [...parseIpAddress(address)!];
      return element(IP_ADDRESS, [...bytes, ...bytes.map(() => 255)]); // the address and its mask
    }),
  ].map((name) => element(SEQUENCE, name));
  return Uint8Array.from(element(SEQUENCE, element(PERMITTED, subtrees.flat())));
}

/** Whether an authority with these constraints may sign for a name. Throws `failed_precondition` for others than ours. */
export function permits(constraints: Uint8Array, name: string): boolean {
  const address = parseIpAddress(name);
  const host = name.toLowerCase().replace(/^\*\./, "");
  const [permitted, ...more] = elements(elements(constraints)[0]?.content ?? new Uint8Array());
  if (permitted?.tag !== PERMITTED || more.length > 0) throw foreign();
  return elements(permitted.content).flatMap(({ content }) => elements(content)).some(({ tag, content }) => {
    if (tag === IP_ADDRESS) {
      const half = content.length / 2;
      if (content.subarray(half).some((byte) => byte !== 255)) throw foreign();
      return address !== null && content.subarray(0, half).toHex() === address.toHex();
    }
    if (tag !== DNS_NAME) throw foreign();
    const domain = new TextDecoder().decode(content).toLowerCase();
    return address === null && (host === domain || host.endsWith(`.${domain}`));
  });
}

/** One element of DER (X.690 8.1); the content has less than 64 KiB. */
function element(tag: number, content: readonly number[]): number[] {
  const { length } = content;
  if (length < 0x80) return [tag, length, ...content];
  if (length < 0x100) return [tag, 0x81, length, ...content];
  return [tag, 0x82, length >> 8, length & 0xff, ...content];
}

/** The elements that follow each other in DER of that size. */
function elements(bytes: Uint8Array): { readonly tag: number; readonly content: Uint8Array }[] {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at++]!;
    let length = bytes[at++] ?? 0;
    if (length >= 0x80) {
      const end = at + (length & 0x7f);
      if (end - at > 2) throw foreign();
      for (length = 0; at < end; at++) length = length << 8 | bytes[at]!;
    }
    if (at + length > bytes.length) throw foreign();
    found.push({ tag, content: bytes.subarray(at, at += length) });
  }
  return found;
}

function foreign(): WasimoffError {
  const message = 'the authority was not made by "wasimoff cert new": use another directory';
  return new WasimoffError("failed_precondition", message);
}
