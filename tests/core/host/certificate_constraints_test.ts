import { strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { encodeConstraints, permits } from "../../../core/host/certificate_constraints.ts";
import { WasimoffError } from "../../../core/errors.ts";

Deno.test("encodeConstraints() writes what RFC 5280 says", () => {
  const lan = "3005" + "82036c616e";
  const address = "300a" + "87080a000001ffffffff";
  strictEqual(encodeConstraints(["*.lan", "10.0.0.1"]).toHex(), `3015a013${lan}${address}`);
});

Deno.test("an authority may sign for its names, for names below them, and for nothing else", () => {
  const constraints = encodeConstraints(["localhost", "*.lan", "10.0.0.1", "2001:db8::1"]);
  for (const name of ["localhost", "a.localhost", "lan", "A.B.LAN", "*.lan", "10.0.0.1", "2001:DB8:0::1"]) {
    strictEqual(permits(constraints, name), true, name);
  }
  for (const name of ["example", "xlan", "lan.example", "10.0.0.2", "::1", "invalid.example"]) {
    strictEqual(permits(constraints, name), false, name);
  }
});

Deno.test("an authority for names only may not sign for addresses, and the other way round", () => {
  strictEqual(permits(encodeConstraints(["localhost"]), "127.0.0.1"), false);
  strictEqual(permits(encodeConstraints(["127.0.0.1"]), "localhost"), false);
});

Deno.test("long lists of names are written and read", () => {
  const names = Array.from({ length: 300 }, (_, i) => `host-${i}.example`);
  strictEqual(permits(encodeConstraints(names), "host-299.example"), true);
  strictEqual(permits(encodeConstraints(names.slice(0, 6)), "host-5.example"), true);
});

Deno.test("permits() answers or refuses constraints of others, whatever they are", () => {
  throws(() => permits(new Uint8Array(), "localhost"), { code: "failed_precondition" });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    try {
      permits(bytes, "localhost");
    } catch (error) {
      strictEqual(error instanceof WasimoffError, true);
    }
  }));
});
