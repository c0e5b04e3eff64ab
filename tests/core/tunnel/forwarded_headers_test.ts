import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { claimsOrigin, forwardedHeaders } from "../../../core/tunnel/forwarded_headers.ts";

const BY = { peer: "192.0.2.1", trusted: false, scheme: "http", host: "app.localhost:4080" } as const;
const FORGED = [
  ...["X-Forwarded-For", "10.0.0.1", "x-forwarded-for", "10.0.0.2", "X-Forwarded-Proto", "https"],
  ...["X-Forwarded-Host", "evil", "Forwarded", "for=10.0.0.1"],
];

Deno.test("forwardedHeaders() says who asks, whatever a stranger says", () => {
  const own = [
    ...[
      "X-Forwarded-For",
      "192.0.2.1",
      "X-Forwarded-Proto",
      "http",
      "X-Forwarded-Host",
      "app.localhost:4080",
    ],
    ...["Forwarded", 'for=192.0.2.1;host="app.localhost:4080";proto=http'],
  ];
  deepStrictEqual(forwardedHeaders([], BY), own);
  deepStrictEqual(forwardedHeaders(FORGED, BY), own);
});

Deno.test("forwardedHeaders() adds a trusted proxy to what it says", () => {
  deepStrictEqual(forwardedHeaders(FORGED, { ...BY, trusted: true, host: "app" }), [
    ...[
      "X-Forwarded-For",
      "10.0.0.1, 10.0.0.2, 192.0.2.1",
      "X-Forwarded-Proto",
      "https",
      "X-Forwarded-Host",
      "evil",
    ],
    ...["Forwarded", "for=10.0.0.1, for=192.0.2.1;host=app;proto=http"],
  ]);
});

const NODES: readonly (readonly [peer: string, forwardedFor: string, node: string])[] = [
  ["2001:db8::1", "2001:db8::1", 'for="[2001:db8::1]"'],
  ["::ffff:192.0.2.1", "192.0.2.1", "for=192.0.2.1"],
  ["fe80::1%eth0", "fe80::1", 'for="[fe80::1]"'],
  ["", "unknown", "for=unknown"],
];
for (const [peer, forwardedFor, node] of NODES) {
  Deno.test(`forwardedHeaders() writes the address "${peer}" as services read it`, () => {
    const headers = forwardedHeaders([], { ...BY, peer, host: "app" });
    deepStrictEqual([headers[1], headers[7]], [forwardedFor, `${node};host=app;proto=http`]);
  });
}

Deno.test("forwardedHeaders() quotes a Host that is no token", () => {
  strictEqual(
    forwardedHeaders([], { ...BY, host: 'a"\\;b' })[7],
    'for=192.0.2.1;host="a\\"\\\\;b";proto=http',
  );
});

Deno.test("claimsOrigin() finds headers by which a stranger would pass for somebody else", () => {
  const claims = [
    ...[
      "x-forwarded-for",
      "x-forwarded-port",
      "x-forwarded-anything",
      "forwarded",
      "x-real-ip",
      "true-client-ip",
    ],
    ...[
      "x_forwarded_for",
      "x-forwarded_host",
      "x_real_ip",
      "cf-connecting-ip",
      "client-ip",
      "forwarded-for",
      "x-forwarded",
    ],
  ];
  deepStrictEqual(claims.filter((name) => !claimsOrigin(name, false)), []);
  deepStrictEqual(
    ["via", "origin", "x-forward", "user-agent"].filter((name) => claimsOrigin(name, false)),
    [],
  );
});

Deno.test("claimsOrigin() believes a trusted proxy, but not twice", () => {
  deepStrictEqual(["x-real-ip", "x-forwarded-port"].filter((name) => claimsOrigin(name, true)), []);
  const ours = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "x_real_ip"];
  deepStrictEqual(ours.filter((name) => !claimsOrigin(name, true)), []);
});
