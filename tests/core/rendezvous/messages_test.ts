import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  encodeOfferAnswer,
  encodeOfferError,
  isLegacyOffer,
  parseClientOffer,
  parseLegacyOffer,
} from "../../../core/rendezvous/client_messages.ts";
import { DEFAULT_FINGERPRINT, parseFingerprint } from "../../../core/rendezvous/fingerprint.ts";
import { MessageError } from "../../../core/rendezvous/message_error.ts";
import {
  encodeAnswerReceipt,
  encodePollAnswer,
  parseProxyAnswer,
  parseProxyPoll,
} from "../../../core/rendezvous/proxy_messages.ts";

const POLL =
  `{"Sid":"PleYvF0FQ7F/F3jdJBy4Hg","Version":"1.3","Type":"standalone","NAT":"unknown","Clients":0,"AcceptedRelayPattern":"127.0.0.1$"}`;

Deno.test("parseProxyPoll() reads what real proxies send", () => {
  deepEqual(parseProxyPoll(POLL), {
    sid: "PleYvF0FQ7F/F3jdJBy4Hg",
    type: "standalone",
    nat: "unknown",
    clients: 0,
    relayPattern: "127.0.0.1$",
  });
});

Deno.test("parseProxyPoll() is as lenient as Go: any case, nulls, unknown fields, absent ones", () => {
  const read = (text: string) => parseProxyPoll(text);
  const base = { sid: "x", type: "unknown", nat: "unknown", clients: 0, relayPattern: null };
  deepEqual(read(`{"sID":"x","VERSION":"1.0","more":{"deep":[1.5]}}`), base);
  deepEqual(read(`{"Sid":"x","Version":"1.7.9","Type":null,"NAT":null,"Clients":null}`), base);
  deepEqual(read(`{"Sid":"x","Version":"1","AcceptedRelayPattern":""}`), { ...base, relayPattern: "" });
  deepEqual(read(`{"Sid":"x","Version":"1.2","Type":"mobile","NAT":"restricted","Clients":8}`), {
    ...base,
    nat: "restricted",
    clients: 8,
  });
  deepEqual(read(`{"Sid":"x","Version":"1.2","Clients":-3}`), { ...base, clients: -3 });
});

Deno.test("parseProxyPoll() refuses what Go refuses", () => {
  const bad = [
    "",
    "{}",
    "null",
    "[]",
    `"text"`,
    `{"Sid":"x"}`,
    `{"Version":"1.3"}`,
    `{"Sid":"","Version":"1.3"}`,
    `{"Sid":"x","Version":"2.0"}`,
    `{"Sid":"x","Version":"10"}`,
    `{"Sid":"x","Version":1.3}`,
    `{"Sid":5,"Version":"1.3"}`,
    `{"Sid":"x","Version":"1.3","Clients":1.0}`,
    `{"Sid":"x","Version":"1.3","Clients":1e2}`,
    `{"Sid":"x","Version":"1.3","Clients":"8"}`,
    `{"Sid":"x","Version":"1.3","Clients":99999999999999999999}`,
    `{"Sid":"x","Version":"1.3","NAT":"symmetric"}`,
    `{"Sid":"x","Version":"1.3","NAT":false}`,
    `{"Sid":"x","Version":"1.3","Type":[]}`,
    `{"Sid":"x","Version":"1.3","AcceptedRelayPattern":{}}`,
    `{"Sid":"x","Version":"1.3"} trailing`,
    `{"Sid":"${"x".repeat(257)}","Version":"1.3"}`,
    "[".repeat(99_000),
    `{"a":`.repeat(19_000),
  ];
  for (const text of bad) throws(() => parseProxyPoll(text), MessageError, text.slice(0, 80));
});

Deno.test("parseProxyAnswer() wants all three fields", () => {
  deepEqual(parseProxyAnswer(`{"Version":"1.3","Sid":"s","Answer":"a"}`), { sid: "s", answer: "a" });
  for (
    const text of [
      `{"Version":"1.3","Sid":"s"}`,
      `{"Version":"1.3","Answer":"a"}`,
      `{"Sid":"s","Answer":"a"}`,
    ]
  ) {
    throws(() => parseProxyAnswer(text), MessageError, text);
  }
});

Deno.test("encodePollAnswer() and encodeAnswerReceipt() write all fields always", () => {
  equal(
    encodePollAnswer({ offer: `{"sdp":"v=0"}`, nat: "unrestricted", relayUrl: "ws://127.0.0.1:17902/" }),
    `{"Status":"client match","Offer":"{\\"sdp\\":\\"v=0\\"}","NAT":"unrestricted","RelayURL":"ws://127.0.0.1:17902/"}`,
  );
  equal(encodePollAnswer("no match"), `{"Status":"no match","Offer":"","NAT":"","RelayURL":""}`);
  equal(
    encodePollAnswer("incorrect relay pattern"),
    `{"Status":"incorrect relay pattern","Offer":"","NAT":"","RelayURL":""}`,
  );
  equal(encodeAnswerReceipt(true), `{"Status":"success"}`);
  equal(encodeAnswerReceipt(false), `{"Status":"client gone"}`);
});

Deno.test("parseClientOffer() reads versioned offers, with defaults", () => {
  const fingerprint = "2b280b23e1107bb62abfc40ddcc8824814f80a72";
  deepEqual(parseClientOffer(`1.0\n{"offer":"o","nat":"unrestricted","fingerprint":"${fingerprint}"}`), {
    offer: "o",
    nat: "unrestricted",
    fingerprint: DEFAULT_FINGERPRINT,
  });
  deepEqual(parseClientOffer(`1.0\n{"offer":"o"}`), {
    offer: "o",
    nat: "unknown",
    fingerprint: DEFAULT_FINGERPRINT,
  });
  equal(parseClientOffer(`1.0\n{"offer":"o","fingerprint":"${"a".repeat(64)}"}`).fingerprint, "A".repeat(64));
});

Deno.test("parseClientOffer() says in the words of the reference what is wrong", () => {
  const table: [body: string, message: string][] = [
    ["", "unsupported message version"],
    ["1.0", "unsupported message version"],
    ["1.1\n{}", "unsupported message version"],
    [`1.0\r\n{"offer":"o"}`, "unsupported message version"],
    ["1.0\n{}", "no supplied offer"],
    [`1.0\n{"offer":""}`, "no supplied offer"],
    [`1.0\n{"offer":"o","fingerprint":"abc"}`, "cannot decode fingerprint"],
    [`1.0\n{"offer":"o","fingerprint":"${"0".repeat(39)}"}`, "cannot decode fingerprint"],
    [`1.0\n{"offer":"o","fingerprint":"${"g".repeat(40)}"}`, "cannot decode fingerprint"],
    [`1.0\n{"offer":"o","nat":"x"}`, "invalid NAT type"],
    ["1.0\nnope", "message is no JSON"],
  ];
  for (const [body, message] of table) throws(() => parseClientOffer(body), new MessageError(message), body);
});

Deno.test("parseLegacyOffer() takes the body as it is and the NAT from its header", () => {
  equal(isLegacyOffer(`{"type":"offer"}`), true);
  equal(isLegacyOffer("1.0\n{}"), false);
  deepEqual(parseLegacyOffer("{}", "restricted"), {
    offer: "{}",
    nat: "restricted",
    fingerprint: DEFAULT_FINGERPRINT,
  });
  throws(() => parseLegacyOffer("{}", "nonsense"), new MessageError("invalid NAT type"));
});

Deno.test("answers to clients have one key", () => {
  equal(encodeOfferAnswer({ answer: "a" }), `{"answer":"a"}`);
  equal(encodeOfferAnswer("denied"), `{"error":"no snowflake proxies currently available"}`);
  equal(encodeOfferAnswer("timeout"), `{"error":"timed out waiting for answer!"}`);
  equal(encodeOfferError("x"), `{"error":"x"}`);
});

Deno.test("parsers answer random input with a message or a MessageError", () => {
  const texts = fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.json().map((json) => `1.0\n${json}`));
  fc.assert(
    fc.property(texts, (text) => {
      for (const parse of [parseProxyPoll, parseProxyAnswer, parseClientOffer]) {
        try {
          parse(text);
        } catch (error) {
          equal(error instanceof MessageError, true, String(error));
        }
      }
      parseFingerprint(text);
    }),
    { numRuns: 500 },
  );
});
