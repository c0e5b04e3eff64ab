/** A broker that serves everything with a certificate, and who takes it for what it is. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { startHash } from "../../core/host/hash.ts";
import { createAuthority, issueCertificate } from "../../core/host/certificate_authority.ts";
import type { CertificateSource } from "../../core/host/certificate_source.ts";
import { connectClient } from "../../core/host/connect_client.ts";
import { anyAccess, type BrokerAccess, type BrokerUrls } from "../../core/host/dial_broker.ts";
import { COMMON_TRUST, type ServerTrust } from "../../core/host/server_trust.ts";
import { openFetch } from "../../core/host/trusted_fetch.ts";
import { silent } from "../../core/log.ts";
import { exited } from "../../core/outcome.ts";
import type { Transport } from "../../core/transport/transport_choice.ts";
import { startEncrypted } from "../support/encrypted_cluster.ts";
import { type HostCluster } from "../support/host_cluster.ts";
import { liveIo } from "../support/live_streams.ts";
import { within } from "../support/within.ts";

const NAMES = ["localhost", "127.0.0.1"];
const TRANSPORTS: readonly Transport[] = ["websocket", "webtransport"];
const { signal } = new AbortController();

interface Setup {
  readonly cluster: HostCluster;
  readonly urls: BrokerUrls;
  /** The certificate of the authority, PEM. */
  readonly ca: string;
  /** SHA-256 of the broker's own. */
  readonly hash: Uint8Array;
}

async function setup(): Promise<Setup & AsyncDisposable> {
  const authority = await createAuthority(NAMES, Date.now());
  const credentials = await issueCertificate(authority, NAMES, Date.now());
  const certificates: CertificateSource = {
    ...{ kind: "file", credentials, hashes: [], names: NAMES },
    onChange: () => {},
    close: () => Promise.resolve(),
  };
  const cluster = await startEncrypted({ certificates, https: true });
  const sha256 = startHash();
  sha256.update(Uint8Array.fromBase64(credentials.cert.replaceAll(/-----[A-Z ]+-----|\s/g, "")));
  return {
    cluster,
    urls: {
      http: new URL(`https://127.0.0.1:${cluster.port}/`),
      webSocket: new URL(`wss://127.0.0.1:${cluster.port}/`),
    },
    ca: authority.cert,
    hash: Uint8Array.fromHex(sha256.digest()),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

function trusting(trust: Partial<ServerTrust>, transport: Transport): BrokerAccess {
  return { ...anyAccess(), transport, trust: { ...COMMON_TRUST, ...trust } };
}

async function connect(broker: BrokerUrls, access: BrokerAccess): Promise<void> {
  const options = { broker, token: null, agent: "test", access, logger: silent, signal };
  (await within(connectClient(options), "a connection")).close();
}

for (const by of ["authority", "hash"] as const) {
  Deno.test(`a broker known by its ${by} serves clients and providers over HTTPS, wss and QUIC`, async () => {
    await using made = await setup();
    const { cluster, urls } = made;
    const trust = by === "hash" ? { certHashes: [made.hash] } : { caCerts: [made.ca] };
    for (const transport of TRANSPORTS) {
      const access = trusting(trust, transport);
      const provider = await cluster.provider({ broker: urls, access });
      const options = { broker: urls, token: null, agent: "test", access, logger: silent, signal };
      const client = await within(connectClient(options), "a connection");
      // The provider fetches the module over HTTPS.
      const { outcome } = await client.run({ module: await cluster.store(), args: ["guest", "exit", "7"] }, {
        ...liveIo(undefined),
      });
      deepStrictEqual(outcome, exited(7), transport);
      client.close();
      await provider.leave();
    }
  });

  Deno.test(`a broker known by its ${by} takes uploads and gives files`, async () => {
    await using made = await setup();
    const trust = by === "hash" ? { certHashes: [made.hash] } : { caCerts: [made.ca] };
    using trusted = openFetch({ ...COMMON_TRUST, ...trust });
    const bytes = new Uint8Array(300_000).fill(7);
    bytes.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const body = new Blob([bytes]).stream();
    const upload = new URL("api/storage/upload?name=a.wasm", made.urls.http);
    const stored = await trusted.fetch(upload, { method: "POST", body, signal });
    strictEqual(stored.status, 200);
    const file = new URL(`api/storage/${(await stored.text()).trim()}`, made.urls.http);
    deepStrictEqual(await (await trusted.fetch(file, { signal })).bytes(), bytes);
    const head = await trusted.fetch(file, { method: "HEAD", signal });
    deepStrictEqual([head.status, head.headers.get("content-length"), head.body], [200, "300000", null]);
    const missing = await trusted.fetch(new URL("api/nowhere", made.urls.http), { signal });
    strictEqual(missing.status, 404);
    await missing.body?.cancel();
    const leave = new AbortController();
    const begun = await trusted.fetch(file, { signal: leave.signal });
    leave.abort(new Error("enough"));
    await rejects(begun.bytes());
    await rejects(trusted.fetch(file, { signal: leave.signal }));
  });
}

Deno.test("a broker whose certificate is not trusted is told nothing, and the error says what to do", async () => {
  await using made = await setup();
  const { urls, hash } = made;
  const wrong = { certHashes: [new Uint8Array(32)] };
  const shown = `another certificate than --cert-hash says: its SHA-256 is "${hash.toHex()}"`;
  await rejects(connect(urls, trusting(wrong, "websocket")), (error: Error) => error.message.includes(shown));
  using pinned = openFetch({ ...COMMON_TRUST, ...wrong });
  await rejects(pinned.fetch(urls.http), (error: Error) => error.message.includes(shown));
  await rejects(connect(urls, trusting({}, "websocket")), {
    code: "unavailable",
    message: /its certificate is not trusted \(.+\), give its CA by --ca or its SHA-256 by --cert-hash$/,
  });
  for (const trust of [wrong, {}]) {
    await rejects(connect(urls, trusting(trust, "webtransport")), (error: Error) => {
      ok(/certificate|--cert-hash/.test(error.message), error.message);
      return true;
    });
  }
  strictEqual(made.cluster.host.sessions, 0);
});
