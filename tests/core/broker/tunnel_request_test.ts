import { deepEqual, doesNotThrow, equal, throws } from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { checkOpenTunnel, tunnelSpec } from "../../../core/broker/tunnel_request.ts";
import {
  OpenTunnel_Kind as Kind,
  OpenTunnelSchema,
} from "../../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { MAX_TUNNEL_RULES } from "../../../core/protocol/limits.ts";

type Fields = Parameters<typeof create<typeof OpenTunnelSchema>>[1];

const request = (fields: Fields) =>
  create(OpenTunnelSchema, {
    kind: Kind.HTTP,
    audience: "broker:4080",
    instance: new Uint8Array(16),
    ...fields,
  });

Deno.test("checkOpenTunnel() takes a registration for this host, whatever port and case it has", () => {
  for (const host of ["broker", "broker:443", "BROKER:4080"]) {
    doesNotThrow(() => checkOpenTunnel(request({}), host));
  }
  doesNotThrow(() => checkOpenTunnel(request({ audience: "[::1]:4080" }), "[::1]"));
  for (const host of ["", "other:4080", "broker.evil", "xbroker"]) {
    throws(() => checkOpenTunnel(request({}), host), { code: "permission_denied" }, host);
  }
});

Deno.test("checkOpenTunnel() refuses fields that no honest client sends", () => {
  const bad: Fields[] = [
    { kind: Kind.KIND_UNSPECIFIED },
    { instance: new Uint8Array(7) },
    { instance: new Uint8Array(65) },
    { basicAuth: [new Uint8Array(31)] },
    { basicAuth: new Array(MAX_TUNNEL_RULES + 1).fill(new Uint8Array(32)) },
    { allowCidrs: new Array(MAX_TUNNEL_RULES + 1).fill("::1") },
    { hostHeader: "a b" },
    { hostHeader: "a\r\nx: y" },
    { hostHeader: "a".repeat(261) },
    { port: 20_000 },
    { kind: Kind.TCP, hostHeader: "a" },
    { kind: Kind.TCP, basicAuth: [new Uint8Array(32)] },
    { kind: Kind.TCP, port: 65_536 },
  ];
  for (const fields of bad) {
    throws(
      () => checkOpenTunnel(request(fields), "broker"),
      { code: "invalid_argument" },
      JSON.stringify(fields),
    );
  }
});

Deno.test("tunnelSpec() is called by the key unless it has a name, and lets in what it allows", () => {
  const spec = tunnelSpec(
    request({ allowCidrs: ["10.0.0.0/8", "::1"], basicAuth: [new Uint8Array(32)] }),
    "key",
  );
  deepEqual([spec.name, spec.key, spec.kind, spec.hostHeader], ["key", "key", "http", null]);
  deepEqual(["10.1.2.3", "::1", "11.0.0.1", "nonsense"].map(spec.allows), [true, true, false, false]);
  equal(spec.basicAuth.has("00".repeat(32)), true);
  const open = tunnelSpec(request({ kind: Kind.TCP, name: "db", hostHeader: "" }), "key");
  deepEqual([open.name, open.kind, open.allows("anything")], ["db", "tcp", true]);
  throws(() => tunnelSpec(request({ allowCidrs: ["10.0.0.0/33"] }), "key"), { code: "invalid_argument" });
});
