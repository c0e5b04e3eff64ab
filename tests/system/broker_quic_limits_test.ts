/** A QUIC face with many connections, and with peers that only connect. */

import { strictEqual } from "node:assert/strict";
import { BrokerQuic } from "../../core/host/broker_quic.ts";
import { connectQuic } from "../../core/host/dial_webtransport.ts";
import { createEphemeralCertificate } from "../../core/host/ephemeral_certificate.ts";
import { silent } from "../../core/log.ts";
import { within } from "../support/within.ts";

Deno.test("a QUIC face closes connections beyond its limit, and takes new ones when others have gone", async () => {
  const { hash, ...credentials } = await createEphemeralCertificate(["localhost"], Date.now());
  const face = await BrokerQuic.listen({
    ...{ hostnames: ["127.0.0.1"], port: 0, credentials, routes: {}, maxConnections: 2 },
    ownPages: (name) => name,
    logger: silent,
  });
  const url = new URL(`https://127.0.0.1:${face.address.port}`);
  const connect = () =>
    connectQuic(url, { certHashes: [Uint8Array.fromHex(hash)], signal: AbortSignal.timeout(10_000) });
  const first = await connect();
  const second = await connect();
  const third = await connect();
  strictEqual((await within(third.closed, "the end of a connection")).closeCode, 0x107);
  first.close({ closeCode: 0x100, reason: "" });
  second.close({ closeCode: 0x100, reason: "" });
  let taken = false;
  for (let attempt = 0; attempt < 50 && !taken; attempt++) {
    const fourth = await connect();
    taken = await Promise.race([
      fourth.closed.then(() => false),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 100)),
    ]);
    fourth.close({ closeCode: 0x100, reason: "" });
  }
  strictEqual(taken, true, "no connection was taken");
  await face.close({ graceMs: 0 });
});
