import { equal, notDeepEqual, rejects } from "node:assert/strict";
import fc from "fast-check";
import { OpenTunnel_Kind as Kind } from "../../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import {
  registrationBytes,
  type SignedFields,
  verifyRegistration,
} from "../../../core/tunnel/registration.ts";
import { generateTunnelKey, tunnelIdentity } from "../../../core/tunnel/tunnel_key.ts";

const FIELDS: SignedFields = {
  nonce: Uint8Array.of(1, 2),
  kind: Kind.TCP,
  name: "db",
  audience: "b:1",
  instance: Uint8Array.of(9),
};

Deno.test("registrationBytes() are each field after its length", () => {
  const domain = new TextEncoder().encode("wasimoff_v2 open_tunnel").toHex();
  const rest = "000000020102" + "0000000102" + "000000026462" + "00000003623a31" + "0000000109";
  equal(registrationBytes(FIELDS).toHex(), `00000017${domain}${rest}`);
});

Deno.test("registrationBytes() differ when any field does", () => {
  const fields = fc.record({
    nonce: fc.uint8Array({ maxLength: 3 }),
    kind: fc.constantFrom(Kind.HTTP, Kind.TCP),
    name: fc.string({ maxLength: 3 }),
    audience: fc.string({ maxLength: 3 }),
    instance: fc.uint8Array({ maxLength: 3 }),
  });
  const text = ({ nonce, kind, name, audience, instance }: SignedFields) =>
    JSON.stringify([[...nonce], kind, name, audience, [...instance]]);
  fc.assert(fc.property(fields, fields, (a, b) => {
    fc.pre(text(a) !== text(b));
    notDeepEqual(registrationBytes(a), registrationBytes(b));
  }));
});

Deno.test("verifyRegistration() gives the id of the key that has signed", async () => {
  const identity = await tunnelIdentity(await generateTunnelKey());
  const signature = await identity.sign(registrationBytes(FIELDS));
  const registration = { ...FIELDS, key: identity.publicKey, signature };
  equal(await verifyRegistration(registration), identity.id);
  const denied = { code: "permission_denied" };
  await rejects(verifyRegistration({ ...registration, name: "other" }), denied);
  await rejects(verifyRegistration({ ...registration, kind: Kind.HTTP }), denied);
  await rejects(verifyRegistration({ ...registration, audience: "c:1" }), denied);
  await rejects(verifyRegistration({ ...registration, nonce: Uint8Array.of(1) }), denied);
  await rejects(verifyRegistration({ ...registration, instance: Uint8Array.of(8) }), denied);
});
