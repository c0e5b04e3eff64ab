import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { generateTunnelKey } from "../../core/tunnel/tunnel_key.ts";
import { BrickchainBroker } from "../support/brickchain_broker.ts";
import { signedToken } from "../support/brickchain_token.ts";
import { exchange, netTest, type TestNet } from "../support/open_server.ts";
import { mandate, ScriptedBrickchainClient } from "../support/scripted_brickchain_client.ts";

const key = await generateTunnelKey();

async function registered(net: TestNet) {
  const broker = await BrickchainBroker.start(net);
  const client = await ScriptedBrickchainClient.connect(broker.url);
  const { keyID } = await client.register(key, broker.url);
  const stack = new AsyncDisposableStack();
  stack.use(broker);
  stack.use(client);
  return { broker, client, id: keyID as string, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

netTest("the version line is for who does not ask for a page", async (net) => {
  await using broker = await BrickchainBroker.start(net);
  const line = await fetch(broker.url);
  strictEqual(line.status, 200);
  match(line.headers.get("content-type")!, /^text\/plain/);
  strictEqual(await line.text(), "proxy-server/1.2.3");
  const page = await fetch(broker.url, { headers: { accept: "text/html,application/xhtml+xml" } });
  strictEqual(await page.text(), "broker's own");
});

netTest(
  "a registration is answered as recorded, and the public reaches the client by its id",
  async (net) => {
    await using broker = await BrickchainBroker.start(net);
    await using client = await ScriptedBrickchainClient.connect(broker.url, {
      headers: { origin: "https://any" },
    });
    strictEqual(client.upgraded["access-control-allow-origin"], "https://any");
    strictEqual(client.upgraded["sec-websocket-protocol"], undefined);
    const registration = await client.register(key, broker.url);
    deepStrictEqual(Object.keys(registration), ["@type", "@timestamp", "@id", "keyID", "hostname"]);
    const id = registration.keyID as string;
    match(id, /^[a-z2-7]{52}$/);
    strictEqual(registration.hostname, `${id}.proxy.test`);

    const asking = exchange(broker.port, [
      `GET /proxy/request/${id}/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n` +
      "Connection: close\r\n\r\n",
    ]);
    const request = await client.answer({
      headers: { "Content-Length": "6", "Content-Type": "text/plain" },
      body: "aGVsbG8K",
    });
    const { "@id": requestId, "@timestamp": timestamp, ...rest } = request;
    match(requestId as string, /^[0-9a-f-]{36}$/);
    match(timestamp as string, /^\d{4}-.*Z$/);
    deepStrictEqual(rest, {
      "@type": "https://proxy.brickchain.com/v1/http-request.json",
      url: "/",
      headers: { "User-Agent": "curl/7.88.1", "Accept": "*/*" },
      method: "GET",
      body: "",
    });
    const answer = await asking;
    match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    match(answer, /\r\ncontent-type: text\/plain\r\n/i);
    match(answer, /\r\n\r\nhello\n$/);
  },
);

netTest("a request reaches the client by Host, before any path of the broker", async (net) => {
  await using all = await registered(net);
  const { broker, client, id } = all;
  const asking = exchange(broker.port, [
    `GET /proxy/subscribe?x=1 HTTP/1.1\r\nHost: ${id}.proxy.test:80\r\nConnection: close\r\n\r\n`,
  ]);
  const request = await client.answer({ body: "aGVsbG8K" });
  strictEqual(request.url, "/proxy/subscribe");
  strictEqual(request.query, "x=1");
  match(await asking, /hello\n$/);
});

for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"]) {
  netTest(`${method} passes, with path, query, body and status`, async (net) => {
    await using all = await registered(net);
    const { broker, client, id } = all;
    const hasBody = ["POST", "PUT", "PATCH"].includes(method);
    const asking = fetch(broker.at(id, "/a%20b/%C3%BC?q=%20&r"), {
      method,
      body: hasBody ? "hello\n" : null,
    });
    const request = await client.answer({
      status: 404,
      headers: { "X-Own": "yes", "Content-Type": "text/plain", "Content-Length": "6" },
      body: method === "HEAD" ? "" : "aGVsbG8K",
    });
    strictEqual(request.method, method);
    strictEqual(request.url, "/a b/ü");
    strictEqual(request.query, "q=%20&r");
    strictEqual(request.body, hasBody ? "aGVsbG8K" : "");
    const answer = await asking;
    strictEqual(answer.status, 404);
    strictEqual(answer.headers.get("x-own"), "yes");
    strictEqual(answer.headers.get("content-length"), "6");
    strictEqual(await answer.text(), method === "HEAD" ? "" : "hello\n");
  });
}

netTest("other methods have no route", async (net) => {
  await using all = await registered(net);
  const answer = await exchange(all.broker.port, [
    `TRACE /proxy/request/${all.id}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
  ]);
  match(answer, /^HTTP\/1\.1 405 /);
});

netTest("an id that nobody has is refused as existing servers do", async (net) => {
  await using broker = await BrickchainBroker.start(net);
  const answer = await fetch(broker.at("x".repeat(52), "/"));
  strictEqual(answer.status, 502);
  match(answer.headers.get("content-type")!, /^text\/plain/);
  strictEqual(await answer.text(), "failed to get client: failed to get client from cache: Key not found\n");
});

netTest("several keys and sessions register on one socket, each with an id of its own", async (net) => {
  await using all = await registered(net);
  const { broker, client, id } = all;
  const other = await client.register(await generateTunnelKey(), broker.url);
  const session = await client.register(key, broker.url, { session: "one" });
  strictEqual(new Set([id, other.keyID, session.keyID]).size, 3);
  for (const known of [id, other.keyID, session.keyID]) {
    const asking = fetch(broker.at(known, "/"));
    await client.answer({ body: "aGVsbG8K" });
    strictEqual(await (await asking).text(), "hello\n");
  }
  strictEqual(broker.server.size, 3);
});

netTest("tokens that prove nothing are answered in plain text, and the socket stays open", async (net) => {
  await using broker = await BrickchainBroker.start(net);
  await using client = await ScriptedBrickchainClient.connect(broker.url);
  const at = (ms: number) => ({ "@timestamp": new Date(Date.now() + ms).toISOString() });
  const payloads: readonly (readonly [RegExp, Record<string, unknown>])[] = [
    [/another server/, { uri: "http://localhost:1" }],
    [/another server/, { uri: `${broker.url}.evil.test/x` }],
    [/another server/, { uri: broker.url.replace("http", "https") }],
    [/expired/, at(-3_600_000)],
    [/future/, at(3_600_000)],
    [/ttl/, { ttl: 1e9 }],
  ];
  for (const [reason, changes] of payloads) {
    const payload = { ...mandate(broker.url), ...changes };
    client.tell("registration-request", "1", { mandateToken: await signedToken(key, { payload }) });
    match(await client.next(), reason);
  }
  const good = await signedToken(key, { payload: mandate(broker.url) });
  const [head, body, signature] = good.split(".") as [string, string, string];
  const stolen = await signedToken(await generateTunnelKey(), { payload: mandate(broker.url) });
  for (
    const token of [
      "garbage",
      "",
      `${head}.${body}.${signature.toLowerCase()}`,
      `${head}.${stolen.split(".")[1]}.${stolen.split(".")[2]}`,
    ]
  ) {
    client.tell("registration-request", "1", { mandateToken: token });
    match(await client.next(), /^failed to register: mandate token /);
  }
  client.send("no json at all");
  match(await client.next(), /^failed to read message/);
  strictEqual(broker.server.size, 0);
  await client.register(key, broker.url);
  strictEqual(broker.server.size, 1);
});

netTest("a token is no good for a Host that is not ours, whatever it says", async (net) => {
  await using broker = await BrickchainBroker.start(net);
  const uri = `http://evil.test:${broker.port}`;
  await using client = await ScriptedBrickchainClient.connect(broker.url, {
    headers: { host: `evil.test:${broker.port}` },
  });
  client.tell("registration-request", "1", {
    mandateToken: await signedToken(key, { payload: mandate(uri) }),
  });
  match(await client.next(), /another server/);
});

netTest("disconnect ends the socket and the id at once", async (net) => {
  await using all = await registered(net);
  const { broker, client, id } = all;
  client.tell("disconnect", crypto.randomUUID());
  strictEqual(await client.closed, 1000);
  strictEqual(broker.server.size, 0);
  strictEqual(
    (await fetch(broker.at(id, "/")).then((answer) => answer.text())).startsWith("failed to get"),
    true,
  );
});

netTest("a client that vanishes under a request is a 502 at once", async (net) => {
  await using all = await registered(net);
  const { broker, client, id } = all;
  const asking = fetch(broker.at(id, "/"));
  await client.expect("http-request");
  client.vanish();
  const answer = await asking;
  strictEqual(answer.status, 502);
  strictEqual(await answer.text(), "tunnel client is gone\n");
});

netTest("a newer socket of the same key takes over, and the older one when that ends", async (net) => {
  await using all = await registered(net);
  const { broker, client: older, id } = all;
  await using newer = await ScriptedBrickchainClient.connect(broker.url);
  await newer.register(key, broker.url);
  for (let i = 0; i < 4; i++) {
    const asking = fetch(broker.at(id, "/"));
    await newer.answer({ body: "bmV3ZXI=" });
    strictEqual(await (await asking).text(), "newer");
  }
  newer.tell("disconnect", "1");
  await newer.closed;
  const asking = fetch(broker.at(id, "/"));
  await older.answer({ body: "b2xkZXI=" });
  strictEqual(await (await asking).text(), "older");
});

netTest("a token that was overheard is of no use on another connection", async (net) => {
  await using all = await registered(net);
  const { broker, client } = all;
  const mandateToken = await signedToken(key, { payload: mandate(broker.url) });
  client.tell("registration-request", "1", { mandateToken });
  await client.expect("registration-response");
  client.tell("registration-request", "2", { mandateToken, session: "again" });
  await client.expect("registration-response");
  await using thief = await ScriptedBrickchainClient.connect(broker.url);
  thief.tell("registration-request", "1", { mandateToken });
  match(await thief.next(), /^failed to register: mandate token was used/);
});
