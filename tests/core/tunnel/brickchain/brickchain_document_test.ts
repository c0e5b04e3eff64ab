import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import {
  decodeDocument,
  MAX_DOCUMENT_CHARACTERS,
} from "../../../../core/tunnel/brickchain/brickchain_decode.ts";
import {
  type BrickchainDocument,
  encodeDocument,
  TYPE_PREFIX,
} from "../../../../core/tunnel/brickchain/brickchain_document.ts";

const NOW = Date.parse("2026-11-21T02:27:59.975Z");
const ID = "ed4519a3-5b9b-45c2-8e73-43621ab4e523";
const STAMP = '"@timestamp":"2026-11-21T02:27:59.975Z"';
const KEY_ID = "ypayov4c7eilxhu6zmyq4zzeerselyc7ssymxhbsqaijd3l5e72q";

/** The frames of the specification, section 8, in the order of their fields there, and the other kinds. */
const TABLE: readonly (readonly [string, BrickchainDocument])[] = [
  [
    `{"@type":"${TYPE_PREFIX}registration-request.json",${STAMP},"@id":"${ID}","mandateToken":"eyJhbGci.e30.KzUUQ"}`,
    { kind: "registration-request", id: ID, mandateToken: "eyJhbGci.e30.KzUUQ", session: "" },
  ],
  [
    `{"@type":"${TYPE_PREFIX}registration-request.json",${STAMP},"@id":"${ID}","mandateToken":"a.b.c","session":"s"}`,
    { kind: "registration-request", id: ID, mandateToken: "a.b.c", session: "s" },
  ],
  [
    `{"@type":"${TYPE_PREFIX}registration-response.json",${STAMP},"@id":"${ID}",` +
    `"keyID":"${KEY_ID}","hostname":"${KEY_ID}.proxy.test"}`,
    { kind: "registration-response", id: ID, keyID: KEY_ID, hostname: `${KEY_ID}.proxy.test` },
  ],
  [
    `{"@type":"${TYPE_PREFIX}registration-response.json",${STAMP},"@id":"${ID}","keyID":"${KEY_ID}"}`,
    { kind: "registration-response", id: ID, keyID: KEY_ID, hostname: "" },
  ],
  [
    `{"@type":"${TYPE_PREFIX}http-request.json",${STAMP},"@id":"${ID}","url":"/",` +
    `"headers":{"Accept":"*/*","User-Agent":"curl/7.88.1"},"method":"GET","body":""}`,
    {
      kind: "http-request",
      id: ID,
      url: "/",
      query: "",
      headers: { "Accept": "*/*", "User-Agent": "curl/7.88.1" },
      method: "GET",
      body: "",
    },
  ],
  [
    `{"@type":"${TYPE_PREFIX}http-request.json",${STAMP},"@id":"${ID}","url":"/a b","query":"x=1&y=%20",` +
    `"headers":{},"method":"POST","body":"aGVsbG8K"}`,
    {
      kind: "http-request",
      id: ID,
      url: "/a b",
      query: "x=1&y=%20",
      headers: {},
      method: "POST",
      body: "aGVsbG8K",
    },
  ],
  [
    `{"@type":"${TYPE_PREFIX}http-response.json",${STAMP},"@id":"${ID}",` +
    `"headers":{"Content-Length":"6","Content-Type":"text/plain"},` +
    `"contentType":"text/plain","status":200,"body":"aGVsbG8K"}`,
    {
      kind: "http-response",
      id: ID,
      headers: { "Content-Length": "6", "Content-Type": "text/plain" },
      contentType: "text/plain",
      status: 200,
      body: "aGVsbG8K",
    },
  ],
  [
    `{"@type":"${TYPE_PREFIX}ws-request.json",${STAMP},"@id":"${ID}","url":"/ws","headers":{"Origin":"http://a"}}`,
    { kind: "ws-request", id: ID, url: "/ws", query: "", headers: { "Origin": "http://a" } },
  ],
  [
    `{"@type":"${TYPE_PREFIX}ws-response.json",${STAMP},"@id":"${ID}","ok":true}`,
    { kind: "ws-response", id: ID, ok: true, error: "" },
  ],
  [
    `{"@type":"${TYPE_PREFIX}ws-response.json",${STAMP},"@id":"${ID}","ok":false,"error":"refused"}`,
    { kind: "ws-response", id: ID, ok: false, error: "refused" },
  ],
  [
    `{"@type":"${TYPE_PREFIX}ws-message.json",${STAMP},"@id":"${ID}","messageType":2,"body":"\\u0000\\udc80ü"}`,
    { kind: "ws-message", id: ID, messageType: 2, body: "\0\udc80ü" },
  ],
  [
    `{"@type":"${TYPE_PREFIX}ws-teardown.json",${STAMP},"@id":"${ID}"}`,
    { kind: "ws-teardown", id: ID },
  ],
  [`{"@type":"${TYPE_PREFIX}ping.json"}\n`, { kind: "ping" }],
  [
    `{"@type":"${TYPE_PREFIX}disconnect.json",${STAMP},"@id":"${ID}"}`,
    { kind: "disconnect", id: ID },
  ],
];
for (const [index, [frame, document]] of TABLE.entries()) {
  Deno.test(`document ${index}, a ${document.kind}, is written and read as the specification has it`, () => {
    strictEqual(encodeDocument(document, NOW), frame);
    deepStrictEqual(decodeDocument(frame), document);
  });
}

const frame = (kind: string, fields: Record<string, unknown>) =>
  JSON.stringify({ "@type": `${TYPE_PREFIX}${kind}.json`, "@id": ID, ...fields });
const reasonOf = (text: string) => {
  const document = decodeDocument(text);
  return document.kind === "invalid" ? document.reason : `${document.kind} was taken`;
};

Deno.test("decodeDocument() takes what is absent or null for empty, as Go does", () => {
  const document = { kind: "http-response", id: ID, headers: {}, contentType: "", status: 204, body: "" };
  deepStrictEqual(decodeDocument(frame("http-response", { status: 204 })), document);
  deepStrictEqual(
    decodeDocument(frame("http-response", { status: 204, headers: null, body: null, contentType: null })),
    document,
  );
});

Deno.test("decodeDocument() leaves fields out that it does not know", () => {
  const text = frame("ws-teardown", { "@certificate": "c", "@realm": "r", code: 4000, deep: [[[1]]] });
  deepStrictEqual(decodeDocument(text), { kind: "ws-teardown", id: ID });
});

Deno.test("decodeDocument() compares types exactly", () => {
  const types = [
    `${TYPE_PREFIX}ping.json#x`,
    `${TYPE_PREFIX}ping`,
    `${TYPE_PREFIX}Ping.json`,
    `${TYPE_PREFIX}toString.json`,
    `${TYPE_PREFIX}__proto__.json`,
    "https://proxy.brickchain.com/v2/ping.json",
    "ping",
    "",
    5,
    null,
  ];
  for (const type of types) {
    deepStrictEqual(decodeDocument(JSON.stringify({ "@type": type })), { kind: "unknown" });
  }
});

Deno.test("decodeDocument() says which field has the wrong type, and whose document it is", () => {
  const wrong: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ["http-response", { status: "200" }, "status"],
    ["http-response", { status: 200.5 }, "status"],
    ["http-response", { headers: [] }, "headers"],
    ["http-response", { headers: "a" }, "headers"],
    ["http-response", { headers: { a: ["b"] } }, "headers"],
    ["http-response", { body: 5 }, "body"],
    ["ws-response", { ok: "yes" }, "ok"],
    ["ws-message", { messageType: "1" }, "messageType"],
    ["registration-request", { mandateToken: {} }, "mandateToken"],
  ];
  for (const [kind, fields, name] of wrong) {
    deepStrictEqual(decodeDocument(frame(kind, fields)), {
      kind: "invalid",
      id: ID,
      reason: `field "${name}" of a ${kind} has the wrong type`,
    });
  }
});

Deno.test("decodeDocument() refuses what is no document", () => {
  for (const text of ["", "failed to verify", "null", "5", "[]", '"x"', "{", `${frame("ping", {})}x`]) {
    strictEqual(reasonOf(text), "frame is no JSON document");
  }
  strictEqual(reasonOf(frame("ping", { "@id": 5 })), "document has no proper @id");
  strictEqual(reasonOf(frame("ping", { "@id": "x".repeat(129) })), "document has no proper @id");
});

Deno.test("decodeDocument() does not parse frames that nest deeply, brackets in strings do not count", () => {
  strictEqual(reasonOf(`{"a":${"[".repeat(300_000)}`), "frame is no JSON document");
  strictEqual(reasonOf(frame("ping", { x: [[[[[[[[1]]]]]]]] })), "frame is no JSON document");
  strictEqual(decodeDocument(frame("ping", { x: [[[[[[[1]]]]]]] })).kind, "ping");
  strictEqual(decodeDocument(frame("ping", { x: '[[[[[[[[[["[[[[[[[[[\\' })).kind, "ping");
});

Deno.test("decodeDocument() finds the id of a frame that is too large to be parsed", () => {
  const large = frame("http-response", { status: 200, body: "A".repeat(MAX_DOCUMENT_CHARACTERS) });
  deepStrictEqual(decodeDocument(large), {
    kind: "invalid",
    id: ID,
    reason: `document has more than ${MAX_DOCUMENT_CHARACTERS} characters`,
  });
});

Deno.test("decodeDocument() gives an answer for any frame", () => {
  const fields = fc.dictionary(
    fc.constantFrom("url", "headers", "status", "body", "ok", "@id", "messageType", "mandateToken", "x"),
    fc.jsonValue(),
  );
  const kinds = fc.constantFrom("http-response", "ws-message", "registration-request", "ws-response");
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.json(), fc.tuple(kinds, fields).map((all) => frame(...all))),
      (text) => {
        const document = decodeDocument(text);
        if (document.kind === "http-response") {
          strictEqual(Number.isInteger(document.status), true);
          strictEqual(Object.values(document.headers).every((value) => typeof value === "string"), true);
        }
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("decodeDocument() parses no frame with more in it than any document has", () => {
  const many = (count: number) => `{"@type":"x","a":[${Array(count).fill("{}").join()}]}`;
  deepStrictEqual(decodeDocument(many(1_000)), { kind: "unknown" });
  strictEqual(decodeDocument(many(10_000)).kind, "invalid");
});

Deno.test("encodeDocument() leaves an empty @id out", () => {
  deepStrictEqual(Object.keys(JSON.parse(encodeDocument({ kind: "disconnect", id: "" }, 0))), [
    "@type",
    "@timestamp",
  ]);
});
