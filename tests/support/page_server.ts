/** Serves a page and the scripts of tests, bundled as they would be for users. */

import { SLOT_WORKER_POLICY } from "../../core/slot_worker_policy.ts";
import { bundle } from "../../tools/bundle_web.ts";
import { ROOT } from "../../tools/project_files.ts";

const documentOf = (script: string) =>
  `<!doctype html><title>test</title><script type="module" src="/tests/browser/scripts/${script}.js"></script>`;

/** Each entry is bundled once in a process. */
const bundles = new Map<string, Promise<string>>();

async function bundleText(entry: string): Promise<string> {
  const output = await Deno.makeTempFile({ prefix: "wasimoff-bundle-", suffix: ".js" });
  try {
    await bundle(entry, output);
    return await Deno.readTextFile(output);
  } finally {
    await Deno.remove(output);
  }
}

export interface PageServer extends AsyncDisposable {
  readonly origin: string;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
}

/** A server: `/` is the page with a script of the browser tests, `/PATH.js` the bundle of `PATH.ts` in the project. */
export function openPageServer(script = "slot_page"): PageServer {
  const requests: string[] = [];
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  const server = Deno.serve(options, async ({ url }) => {
    const { pathname } = new URL(url);
    requests.push(pathname);
    if (pathname === "/") {
      return new Response(documentOf(script), { headers: { "content-type": "text/html" } });
    }
    if (!pathname.endsWith(".js")) return new Response(null, { status: 404 });
    const entry = ROOT + pathname.slice(1).replace(/\.js$/, ".ts");
    if (!bundles.has(entry)) bundles.set(entry, bundleText(entry));
    // As for the script of a real slot; the page does not mind, as it counts for Workers only.
    const headers = { "content-type": "text/javascript", "content-security-policy": SLOT_WORKER_POLICY };
    return new Response(await bundles.get(entry)!, { headers });
  });
  const { port } = server.addr as Deno.NetAddr;
  return { origin: `http://127.0.0.1:${port}`, requests, [Symbol.asyncDispose]: () => server.shutdown() };
}
