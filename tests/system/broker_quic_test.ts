/** The broker's face over QUIC: who gets in, and what becomes of sessions when certificates and brokers go. */

import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { Client } from "../../core/client/client.ts";
import { anyAccess } from "../../core/host/dial_broker.ts";
import { connectQuic, dialWebTransport } from "../../core/host/dial_webtransport.ts";
import { BrokerHost } from "../../core/host/broker_host.ts";
import { quicStreamErrorCode } from "../../core/host/quic_stream_error.ts";
import { QuicListener } from "../../core/host/quic_listener.ts";
import { Logger, silent } from "../../core/log.ts";
import { SUBPROTOCOL_V2 } from "../../core/protocol/limits.ts";
import { openWebTransportConnection } from "../../core/transport/webtransport_connection.ts";
import { connectWebTransport } from "../../core/webtransport/client.ts";
import { dial, fetchConfig, startEncrypted, TestCertificates } from "../support/encrypted_cluster.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { TextSink } from "../support/memory_cluster.ts";
import { within } from "../support/within.ts";

const SEALED = { headers: { origin: "https://elsewhere.example" } };

/** A client of this broker over WebTransport. */
function connect(cluster: HostCluster, headers: Record<string, string> = {}): Promise<Client> {
  return Client.connect({
    dial: async () => await openWebTransportConnection(await dial(cluster, "client", { headers }), "dialer"),
    token: "",
  });
}

Deno.test("a task runs with provider and client over WebTransport", async () => {
  await using cluster = await startEncrypted();
  await cluster.provider({ access: { ...anyAccess(), transport: "webtransport" } });
  const client = await connect(cluster);
  const io = { stdout: new TextSink(), stderr: new TextSink() };
  const { outcome } = await client.run({ module: await cluster.store(), args: ["guest", "exit", "7"] }, io);
  deepStrictEqual([outcome.origin, outcome.status], ["guest", 7]);
  client.close();
});

Deno.test("localhost is served on both of its addresses, and announced with the real port", async () => {
  await using cluster = await startEncrypted();
  const { transport, certhash, certhashes } = await fetchConfig(cluster);
  const { port } = cluster.host.quicAddress!;
  strictEqual(transport, `https://localhost:${port}/transport`);
  deepStrictEqual(certhashes, [certhash]);
  for (const host of ["127.0.0.1", "[::1]"]) {
    const url = `https://${host}:${port}/transport/client`;
    const session = await dialWebTransport(url, { certHashes: [Uint8Array.fromHex(certhash!)] });
    session.close();
    await session.closed;
  }
});

Deno.test("a replaced certificate is announced beside the old one, and sessions go on", async () => {
  const certificates = await TestCertificates.make();
  await using cluster = await startEncrypted({ certificates });
  const client = await connect(cluster);
  const before = await fetchConfig(cluster);
  await certificates.replace();
  const after = await fetchConfig(cluster);
  deepStrictEqual(after.certhashes, [after.certhash, before.certhash]);
  const hash = (text?: string) => ({ certHashes: [Uint8Array.fromHex(text!)] });
  const session = await dial(cluster, "client", hash(after.certhash));
  session.close();
  await session.closed;
  await rejects(dial(cluster, "client", hash(before.certhash)), { name: "WasimoffError" });
  // The session from before still gets answers.
  await rejects(
    client.run({ module: "nowhere", args: [] }, { stdout: new TextSink(), stderr: new TextSink() }),
    {
      code: "not_found",
    },
  );
  client.close();
});

Deno.test("over WebTransport the rules for strangers are those of the HTTP face", async () => {
  await using cluster = await startEncrypted();
  for (
    const headers of [
      { "x-forwarded-for": "192.0.2.1" }, // a proxy in between
      { origin: "https://elsewhere.example" },
      { origin: `http://localhost:${cluster.host.quicAddress!.port}` }, // we serve no pages there
    ] as Record<string, string>[]
  ) {
    await rejects(connect(cluster, headers), { code: "unauthenticated" }, JSON.stringify(headers));
  }
  // A page of our own HTTP face.
  const client = await connect(cluster, { origin: `http://localhost:${cluster.port}` });
  client.close();
});

Deno.test("a page that rebinds its name to this machine is a stranger", async () => {
  await using cluster = await startEncrypted();
  const { transport, certhash } = await fetchConfig(cluster);
  const quic = await connectQuic(new URL(transport), {
    certHashes: [Uint8Array.fromHex(certhash!)],
    signal: AbortSignal.timeout(10_000),
  });
  const session = await connectWebTransport(quic, {
    ...{ authority: "rebound.example:4443", path: "/transport/client", protocols: [SUBPROTOCOL_V2] },
    streamErrorCode: quicStreamErrorCode,
  });
  const connection = await openWebTransportConnection(session, "dialer");
  await rejects(Client.connect({ dial: () => Promise.resolve(connection), token: "" }), {
    code: "unauthenticated",
  });
});

Deno.test("pages elsewhere may not provide, and are told why; programs get an HTTP status", async () => {
  await using cluster = await startEncrypted();
  const refused = await dial(cluster, "provider", SEALED);
  deepStrictEqual(await refused.closed, {
    closeCode: 1008,
    reason: "pages of this origin may not provide: see --allowed-origins",
  });
  await rejects(dial(cluster, "nowhere"), /404/);
  await rejects(dial(cluster, "client", { protocols: ["wasimoff_v9"] }), /400/);
  const own = await dial(cluster, "provider", { headers: { origin: `http://localhost:${cluster.port}` } });
  own.close();
  await own.closed;
});

Deno.test("a broker that ends says goodbye over WebTransport", async () => {
  const cluster = await startEncrypted();
  const client = await connect(cluster);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  client.signal.addEventListener("abort", () => resolve(), { once: true });
  await within(cluster[Symbol.asyncDispose](), "the end of the broker");
  await within(ended, "the end of the client");
  strictEqual(client.signal.reason.code, "unavailable");
  strictEqual(client.signal.reason.message, "broker is shutting down");
});

Deno.test("a busy port is an error when it was asked for, and else a warning", async () => {
  const certificates = await TestCertificates.make();
  const other = await QuicListener.listen({
    ...{ hostname: "127.0.0.1", port: 0, credentials: certificates.credentials, alpnProtocols: ["h3"] },
    onConnection: () => {},
    logger: silent,
  });
  const quic = { host: "localhost", port: other.address.port };
  await rejects(startEncrypted({ certificates, quic: { ...quic, required: true } }), {
    code: "failed_precondition",
    message: `cannot listen for QUIC on "127.0.0.1:${quic.port}": another program listens there`,
  });
  const lines: string[] = [];
  const logger = new Logger((level, message) => void lines.push(`${level}: ${message}`));
  await using cluster = await startEncrypted({ certificates, quic: { ...quic, required: false } }, {
    logger,
  });
  match(lines[0]!, /^warn: no QUIC, WebSockets only: cannot listen for QUIC on "127\.0\.0\.1:/);
  strictEqual(cluster.host.quicAddress, null);
  deepStrictEqual(await fetchConfig(cluster), { transport: "" });
  const client = await cluster.client();
  client.close();
  await other.close();
});

Deno.test("a broker without encryption announces nothing", async () => {
  await using cluster = await HostCluster.start();
  strictEqual(cluster.host instanceof BrokerHost, true);
  deepStrictEqual(await fetchConfig(cluster), { transport: "" });
});
