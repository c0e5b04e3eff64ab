/** Checks that TCP reaches a server. */

import { WasimoffError } from "../../errors.ts";
import type { Verdict } from "./diagnosis.ts";

/** Milliseconds, as findings tell them. */
export function formatMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

export async function checkTcp(url: URL, signal: AbortSignal): Promise<Verdict<true>> {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const begunMs = performance.now();
  try {
    const connection = await Deno.connect({ hostname, port, signal });
    connection.close();
    const took = formatMs(performance.now() - begunMs);
    return { status: "ok", detail: `port ${port} answers in ${took}`, value: true };
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) {
      const detail = `nothing listens at ${url.host}`;
      return { status: "fail", detail, advice: 'start a broker there with "wasimoff broker"' };
    }
    const detail = signal.aborted ? `no answer from ${url.host}` : WasimoffError.from(error).message;
    return { status: "fail", detail, advice: "check the address and the firewalls on the way" };
  }
}
