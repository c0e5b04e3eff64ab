/** Checks that the name of a host has addresses. */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { WasimoffError } from "../../errors.ts";
import type { Verdict } from "./diagnosis.ts";

/** Addresses that are told; names of large sites have more. */
const MAX_TOLD = 4;

/** The addresses of the host of a URL, in the order in which the system would try them. */
export async function checkName({ hostname }: URL): Promise<Verdict<readonly string[]>> {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0) return { status: "ok", detail: `${host} is an address`, value: [host] };
  try {
    const addresses = (await lookup(host, { all: true })).map(({ address }) => address);
    const told = [...new Set(addresses)].slice(0, MAX_TOLD);
    return { status: "ok", detail: `${host} is ${told.join(", ")}`, value: told };
  } catch (error) {
    const { code = WasimoffError.from(error).message } = error as NodeJS.ErrnoException;
    const detail = `the name "${host}" has no address (${code})`;
    return { status: "fail", detail, advice: "check the name in --url, or the DNS of this machine" };
  }
}
