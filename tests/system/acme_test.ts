/** A broker that gets its certificate from a real ACME authority. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { AcmeCache } from "../../core/host/acme_cache.ts";
import { dialWebTransport } from "../../core/host/dial_webtransport.ts";
import { createEphemeralCertificate } from "../../core/host/ephemeral_certificate.ts";
import { SUBPROTOCOL_V2 } from "../../core/protocol/limits.ts";
import { temporaryDirectory } from "../commands/temporary_directory.ts";
import { CommandRun } from "../support/command_run.ts";
import { type Pebble, pebbleTest, startPebble } from "../support/pebble.ts";

const SERVING = /serving the certificate of the authority names=.*localhost.* until=2\S+\n/;
const DAY_MS = 24 * 3_600_000;

function startBroker(pebble: Pebble, cache: string, directoryUrl = pebble.directoryUrl): CommandRun {
  const acme = ["--acme-hostnames", "localhost", "--acme-email", "somebody@example.org"];
  const test = ["--acme-cert-cache", cache, "--acme-directory", directoryUrl];
  const ask = ["--acme-http", `127.0.0.1:${pebble.httpPort}`];
  const listen = ["--http", "localhost:0", "--https", "--quic", "localhost:0"];
  return new CommandRun(["broker", ...listen, ...acme, ...test, ...ask], {
    env: { NODE_EXTRA_CA_CERTS: pebble.caFile },
  });
}

/** Fails unless HTTPS and QUIC have a certificate of this authority. */
async function checkServed(url: string, root: string): Promise<void> {
  using client = Deno.createHttpClient({ caCerts: [root] });
  const response = await fetch(`${url}/api/broker/v1/config`, { client });
  const { transport, certhash } = await response.json();
  strictEqual(certhash, undefined);
  const session = await dialWebTransport(`${transport}/client`, {
    caCerts: [root],
    protocols: [SUBPROTOCOL_V2],
  });
  session.close();
  await session.closed;
}

async function stop(broker: CommandRun): Promise<void> {
  broker.kill("SIGTERM");
  strictEqual((await broker.end()).code, 0);
}

pebbleTest(
  "a broker gets a certificate by HTTP-01, serves it without a restart, and keeps it for the next",
  async () => {
    await using directory = await temporaryDirectory();
    await using pebble = await startPebble();
    await using broker = startBroker(pebble, directory.path);
    const [, url] = await broker.said(/broker is ready at (https:\S+)\n/);
    await broker.said(SERVING);
    const root = await pebble.root();
    await checkServed(url!, root);
    await stop(broker);

    // This authority is nowhere: what is served must come from the cache.
    await using again = startBroker(pebble, directory.path, "https://localhost:1/dir");
    const [, next] = await again.said(/broker is ready at (https:\S+)\n/);
    await again.said(/WebTransport is served .* certificate=acme\n/);
    await checkServed(next!, root);
    await stop(again);
  },
);

pebbleTest("a certificate of the cache that is due is renewed without a restart", async () => {
  await using directory = await temporaryDirectory();
  const old = await createEphemeralCertificate(["localhost"], Date.now() - 10 * DAY_MS);
  await (await AcmeCache.open(directory.path)).keepCertificate("localhost", old);
  await using pebble = await startPebble();
  await using broker = startBroker(pebble, directory.path);
  const [, url] = await broker.said(/broker is ready at (https:\S+)\n/);
  await broker.said(SERVING);
  await checkServed(url!, await pebble.root());
  const kept = await (await AcmeCache.open(directory.path)).certificate("localhost");
  strictEqual(kept!.cert === old.cert, false);
  await stop(broker);
});

pebbleTest("a broker serves a certificate of its own until the authority answers, and says so", async () => {
  await using directory = await temporaryDirectory();
  await using pebble = await startPebble();
  await using broker = startBroker(pebble, directory.path, `${pebble.directoryUrl}/nowhere`);
  await broker.said(/WebTransport is served .* certificate=ephemeral hash=/);
  const [line] = await broker.said(/cannot get a certificate, next attempt in .*\n/);
  match(line!, /next attempt in [3-5] min: .*404/);
  await stop(broker);
});

pebbleTest("the port where an authority asks is no other program's", async () => {
  await using directory = await temporaryDirectory();
  await using pebble = await startPebble();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: pebble.httpPort });
  const end = await startBroker(pebble, directory.path).end();
  const { port } = taken.addr as Deno.NetAddr;
  deepStrictEqual([end.code, end.stderr], [
    78,
    `wasimoff: cannot listen on "127.0.0.1:${port}": another program listens there\n`,
  ]);
});
