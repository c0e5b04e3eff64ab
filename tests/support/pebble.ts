/** A real ACME authority, for tests: Debian's pebble. */

import { createEphemeralCertificate } from "../../core/host/ephemeral_certificate.ts";
import { freePorts } from "./free_ports.ts";
import { within } from "./within.ts";

const PROGRAM = "/usr/bin/pebble";
const INSTALL = "apt-get install pebble";

const missing = await Deno.stat(PROGRAM).then(({ isFile }) => !isFile, () => true);
const inCi = Deno.env.get("CI") === "true";

/** A test with pebble; ignored where that is missing, except in CI. */
export function pebbleTest(name: string, run: () => Promise<void>): void {
  Deno.test({ name: missing ? `${name} (${INSTALL})` : name, ignore: missing && !inCi, fn: run });
}

export interface Pebble extends AsyncDisposable {
  readonly directoryUrl: string;
  /** Where it asks for challenges. */
  readonly httpPort: number;
  /** A file with the certificate of its API, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  /** PEM of the authority that signs what it issues. */
  root(): Promise<string>;
}

/** Starts one that knows the name localhost. */
export async function startPebble(): Promise<Pebble> {
  if (missing) throw new Error(`there is no ${PROGRAM}: ${INSTALL}`);
  const directory = await Deno.makeTempDir({ prefix: "wasimoff-pebble-" });
  const [apiPort, managementPort, httpPort, tlsPort] = freePorts(4) as [number, number, number, number];
  const { cert, key } = await createEphemeralCertificate(["localhost", "127.0.0.1"], Date.now());
  const caFile = `${directory}/api.pem`;
  await Deno.writeTextFile(caFile, cert);
  await Deno.writeTextFile(`${directory}/api-key.pem`, key);
  const pebble = {
    listenAddress: `127.0.0.1:${apiPort}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: caFile,
    privateKey: `${directory}/api-key.pem`,
    httpPort,
    tlsPort,
    retryAfter: { authz: 1, order: 1 },
  };
  await Deno.writeTextFile(`${directory}/config.json`, JSON.stringify({ pebble }));
  const child = new Deno.Command(PROGRAM, {
    args: ["-config", `${directory}/config.json`],
    env: { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const client = Deno.createHttpClient({ caCerts: [cert] });
  const get = (url: string) => fetch(url, { client, signal: AbortSignal.timeout(2_000) });
  const dispose = async () => {
    client.close();
    child.kill("SIGKILL");
    await child.status;
    await Deno.remove(directory, { recursive: true });
  };
  const directoryUrl = `https://localhost:${apiPort}/dir`;
  try {
    await within(answers(() => get(directoryUrl)), "the start of pebble");
  } catch (error) {
    await dispose();
    throw error;
  }
  const root = async () => await (await get(`https://localhost:${managementPort}/roots/0`)).text();
  return { directoryUrl, httpPort, caFile, root, [Symbol.asyncDispose]: dispose };
}

/** Resolves when a server answers; the caller limits the wait. */
async function answers(get: () => Promise<Response>): Promise<void> {
  for (const endMs = performance.now() + 20_000; performance.now() < endMs;) {
    try {
      await (await get()).body?.cancel();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
