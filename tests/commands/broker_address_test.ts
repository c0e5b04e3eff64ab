/** Tests of the broker's URL and of finding the token. */

import assert from "node:assert/strict";
import { parseBrokerUrl, readToken } from "../../commands/broker_address.ts";

Deno.test("parseBrokerUrl() gives both faces of the broker", () => {
  const cases: [string, string, string][] = [
    ["http://localhost:4080", "http://localhost:4080/", "ws://localhost:4080/"],
    ["https://broker.example/sub", "https://broker.example/sub/", "wss://broker.example/sub/"],
    ["ws://[::1]:1/", "http://[::1]:1/", "ws://[::1]:1/"],
    ["wss://broker.example", "https://broker.example/", "wss://broker.example/"],
  ];
  for (const [text, http, webSocket] of cases) {
    const address = parseBrokerUrl(text);
    assert.deepEqual([address.http.href, address.webSocket.href], [http, webSocket]);
  }
});

Deno.test("parseBrokerUrl() refuses other URLs and says what to write", () => {
  const cases: [string, RegExp][] = [
    ["localhost:4080", /did you mean "http:\/\/localhost:4080"\?$/],
    ["broker.example", /did you mean "http:\/\/broker\.example"\?$/],
    ["htp://x", /did you mean "http:"\?$/],
    ["", /write "http:\/\/localhost:4080"$/],
    ["ftp://x", /is no URL of a broker/],
    ["http://me:secret@x", /holds a secret: .*--token-file$/],
    ["http://x/?token=secret", /holds a secret/],
    ["http://x/?a=b", /leave "\?a=b" out$/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseBrokerUrl(text), { code: "invalid_argument", message }, text);
  }
});

Deno.test("parseBrokerUrl() never repeats a secret", () => {
  assert.throws(
    () => parseBrokerUrl("http://me:hunter2@x"),
    (error: Error) => !error.message.includes("hunter2"),
  );
});

Deno.test("readToken() prefers the file of a flag, then WASIMOFF_TOKEN, then another file", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const file = `${directory}/token`;
    await Deno.writeTextFile(file, "  from-file \nsecond\n");
    const variable = () => " from-variable\n";
    assert.equal(await readToken(file, "flag", variable), "from-file");
    assert.equal(await readToken(file, "environment", variable), "from-variable");
    assert.equal(await readToken(file, "config", () => undefined), "from-file");
    assert.equal(await readToken(null, "default", variable), "from-variable");
    assert.equal(await readToken(null, "default", () => undefined), null);
    await Deno.writeTextFile(file, "\nlate\n");
    await assert.rejects(readToken(file, "flag", variable), {
      code: "failed_precondition",
      message: /is empty/,
    });
    await assert.rejects(readToken(`${directory}/no`, "flag", variable), {
      code: "failed_precondition",
      message: `read token file "${directory}/no": there is no such file`,
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
