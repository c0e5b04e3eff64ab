/** Listening for QUIC: addresses, certificates that change, clients that say nothing. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { QuicListener } from "../../core/host/quic_listener.ts";
import { silent } from "../../core/log.ts";
import { makeTestCertificate } from "../support/test_certificate.ts";
import { openWebTransportPair } from "../support/webtransport_pair.ts";
import { within } from "../support/within.ts";

const route = { handle() {} };

Deno.test("QuicListener.listen() rejects with failed_precondition for a busy address and for no certificate", async () => {
  await using pair = await openWebTransportPair({ "/": route });
  const { cert, key } = await makeTestCertificate();
  const options = { hostname: "127.0.0.1", alpnProtocols: ["h3"], onConnection() {}, logger: silent };
  const { port } = pair.listener.address;
  await rejects(QuicListener.listen({ ...options, port, credentials: { cert, key } }), {
    code: "failed_precondition",
    message: `cannot listen for QUIC on "127.0.0.1:${port}": another program listens there`,
  });
  await rejects(QuicListener.listen({ ...options, port: 0, credentials: { cert: "x", key } }), {
    code: "failed_precondition",
  });
});

Deno.test("a new certificate is for new connections, and sessions live on", async () => {
  await using pair = await openWebTransportPair({ "/": route });
  const old = await pair.dial("/");
  const { cert, key, hash } = await makeTestCertificate();
  for (let round = 0; round < 2; round++) pair.listener.setCredentials({ cert, key });
  await rejects(pair.dial("/"), { code: "unauthenticated" });
  // Connections go to any of the accept loops.
  for (let round = 0; round < 6; round++) {
    const session = await pair.dial("/", { certHashes: [hash] });
    session.close({ closeCode: round });
    strictEqual((await within(session.closed, "end")).closeCode, round);
  }
  old.close({ closeCode: 7, reason: "" });
  deepStrictEqual(await within(old.closed, "end"), { closeCode: 7, reason: "" });
});

Deno.test("clients that never finish their handshake delay nobody", async () => {
  await using pair = await openWebTransportPair({ "/": route });
  const { port } = pair.listener.address;
  const silentClient = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  try {
    // A first packet of QUIC version 1 that nobody can read: header, two connection ids, noise.
    const packet = crypto.getRandomValues(new Uint8Array(1200));
    packet.set([0xc3, 0, 0, 0, 1, 8]);
    packet[14] = 0;
    for (let n = 0; n < 50; n++) {
      packet[7] = n;
      await silentClient.send(packet, { transport: "udp", hostname: "127.0.0.1", port });
    }
    // And real ones that are given up at once.
    for (let n = 0; n < 20; n++) {
      const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
      const attempt = Deno.connectQuic({ endpoint, hostname: "127.0.0.1", port, alpnProtocols: ["h3"] });
      endpoint.close();
      await rejects(Promise.resolve(attempt));
    }
    const start = performance.now();
    await pair.dial("/");
    ok(performance.now() - start < 2_000);
  } finally {
    silentClient.close();
  }
});
