import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { MAX_BODY_BYTES } from "../../core/tunnel/brickchain/brickchain_document.ts";
import { MAX_REQUESTS_PER_WINDOW } from "../../core/tunnel/brickchain/brickchain_rate_limit.ts";
import { generateTunnelKey } from "../../core/tunnel/tunnel_key.ts";
import { BrickchainBroker } from "../support/brickchain_broker.ts";
import { exchange, netTest, type TestNet, waitUntil } from "../support/open_server.ts";
import { closeCodeOf, TEXT, upgradeByHand, webSocketFrame } from "../support/raw_websocket.ts";
import { ScriptedBrickchainClient } from "../support/scripted_brickchain_client.ts";

const key = await generateTunnelKey();

async function registered(net: TestNet) {
  const stack = new AsyncDisposableStack();
  const broker = stack.use(await BrickchainBroker.start(net));
  const client = stack.use(await ScriptedBrickchainClient.connect(broker.url));
  const { keyID } = await client.register(key, broker.url);
  return { broker, client, id: keyID as string, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const bytes = (length: number) =>
  crypto.getRandomValues(new Uint8Array(65_536)).toBase64().repeat(12).slice(0, length);

netTest("the largest body passes whole, both ways", async (net) => {
  await using all = await registered(net);
  const { broker, client, id } = all;
  const body = bytes(MAX_BODY_BYTES);
  const asking = fetch(broker.at(id, "/"), { method: "POST", body });
  const request = await client.answer({ body: btoa(body) });
  strictEqual(atob(request.body as string), body);
  strictEqual(await (await asking).text(), body);
});

netTest(
  "a body in chunks is told with its length, so that its client does not take it for a cut one",
  async (net) => {
    await using all = await registered(net);
    const { broker, client, id } = all;
    const piece = `${MAX_BODY_BYTES.toString(16)}\r\n${bytes(MAX_BODY_BYTES)}\r\n0\r\n\r\n`;
    const head =
      `POST /proxy/request/${id}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const asking = exchange(broker.port, [head, piece]);
    deepStrictEqual((await client.answer({})).headers, { "Content-Length": String(MAX_BODY_BYTES) });
    match(await asking, /^HTTP\/1\.1 200 /);
  },
);

netTest(
  "one byte more is 413 for a request, announced or not, and the client does not see it",
  async (net) => {
    await using all = await registered(net);
    const { broker, client, id } = all;
    const head = `POST /proxy/request/${id}/ HTTP/1.1\r\nHost: a\r\n`;
    const announced = await exchange(broker.port, [
      `${head}Content-Length: ${MAX_BODY_BYTES + 1}\r\nExpect: 100-continue\r\n\r\n`,
    ]);
    match(announced, /^HTTP\/1\.1 413 /);
    const piece = `${(MAX_BODY_BYTES + 1).toString(16)}\r\n${bytes(MAX_BODY_BYTES + 1)}\r\n0\r\n\r\n`;
    match(
      await exchange(broker.port, [`${head}Transfer-Encoding: chunked\r\n\r\n${piece}`]),
      /^HTTP\/1\.1 413 /,
    );
    const asking = fetch(broker.at(id, "/after"));
    strictEqual((await client.answer({ body: "aGVsbG8K" })).url, "/after");
    strictEqual(await (await asking).text(), "hello\n");
  },
);

netTest(
  "one byte more is 502 for an answer, and so is much more; the client stays connected",
  async (net) => {
    await using all = await registered(net);
    const { broker, client, id } = all;
    for (const length of [MAX_BODY_BYTES + 1, 3_000_000]) {
      const asking = fetch(broker.at(id, "/"));
      await client.answer({ body: btoa("x".repeat(length)) });
      const answer = await asking;
      strictEqual(answer.status, 502);
      match(await answer.text(), /^answer of the tunnel client /);
    }
    const asking = fetch(broker.at(id, "/"));
    await client.answer({ status: 204 });
    strictEqual((await asking).status, 204);
  },
);

netTest("answers that are none are 500, or 502, and hurt nobody else", async (net) => {
  await using all = await registered(net);
  const { broker, client, id } = all;
  const bad: readonly (readonly [number, Record<string, unknown>])[] = [
    [500, { body: "no base64!" }],
    [500, { status: "200" }],
    [500, { status: 0 }],
    [500, { status: 101 }],
    [500, { status: 1000 }],
    [500, { headers: { "X-Bad": "a\r\nSet-Cookie: b" } }],
    [500, { headers: { "X Bad": "a" } }],
    [500, { headers: { "X-Bad": ["a"] } }],
  ];
  for (const [status, fields] of bad) {
    const asking = fetch(broker.at(id, "/"));
    await client.answer(fields);
    const answer = await asking;
    strictEqual(answer.status, status);
    match(await answer.text(), /^answer of the tunnel client /);
  }
  const asking = fetch(broker.at(id, "/"));
  await client.answer({
    headers: { "Connection": "close, x-hop", "X-Hop": "1", "Transfer-Encoding": "chunked" },
  });
  const answer = await asking;
  strictEqual(answer.headers.get("x-hop"), null);
  strictEqual(answer.headers.get("transfer-encoding"), null);
  strictEqual(await answer.text(), "");
});

netTest("the client gets the first value of each header, no hop-by-hop and no forged ones", async (net) => {
  await using all = await registered(net);
  const { broker, client, id } = all;
  const asking = exchange(broker.port, [
    `GET /proxy/request/${id}/ HTTP/1.1\r\nHost: a\r\nx-two: 1\r\nX-Two: 2\r\nconnection: close, x-hop\r\n` +
    "X-Hop: 1\r\nX-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\nTE: trailers\r\naccept-language: de\r\n\r\n",
  ]);
  const { headers } = await client.answer({});
  strictEqual(JSON.stringify(headers), '{"X-Two":"1","Accept-Language":"de"}');
  await asking;
});

netTest("the 501st request within five minutes is 429, for this client alone", async (net) => {
  await using all = await registered(net);
  const { broker, client, id } = all;
  const { keyID: other } = await client.register(await generateTunnelKey(), broker.url);
  for (let i = 0; i < MAX_REQUESTS_PER_WINDOW; i += 50) {
    const asking = Array.from({ length: 50 }, () => fetch(broker.at(id, "/")));
    for (const _ of asking) await client.answer({});
    for (const answer of await Promise.all(asking)) await answer.body?.cancel();
  }
  const answer = await fetch(broker.at(id, "/"));
  strictEqual(answer.status, 429);
  strictEqual(await answer.text(), "Too many requests\n");
  const asking = fetch(broker.at(other, "/"));
  await client.answer({ body: "aGVsbG8K" });
  strictEqual(await (await asking).text(), "hello\n");
});

netTest("requests of broken form are refused before any client sees them", async (net) => {
  await using all = await registered(net);
  const { broker, id } = all;
  const status = async (head: string) => (await exchange(broker.port, [`${head}\r\n\r\n`])).split("\r\n")[0];
  const path = `/proxy/request/${id}`;
  match((await status(`GET ${path}/%FF HTTP/1.1\r\nHost: a\r\nConnection: close`))!, / 400 /);
  match((await status(`GET ${path}/%zz HTTP/1.1\r\nHost: a\r\nConnection: close`))!, / 400 /);
  match((await status(`GET ${path}/ HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close`))!, / 400 /);
  match(
    (await status(`GET ${path}/ HTTP/1.1\r\nHost: a\r\nHost: ${id}.proxy.test\r\nConnection: close`))!,
    / 400 /,
  );
  const smuggled =
    `POST ${path}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close`;
  match((await status(smuggled))!, / 400 /);
});

netTest("a frame beyond what is read ends the connection before it is buffered", async (net) => {
  await using broker = await BrickchainBroker.start(net);
  const { socket, status } = await upgradeByHand(broker.port, "/proxy/subscribe");
  match(status, / 101 /);
  await socket.write(webSocketFrame(TEXT, new Uint8Array(10), 9 * 1024 * 1024));
  strictEqual(await closeCodeOf(socket), 1009);
  socket.close();
});

netTest("a dead socket gives way within seconds, one without registration after ten", async (net) => {
  await using broker = await BrickchainBroker.start(net);
  await using nobody = await ScriptedBrickchainClient.connect(broker.url);
  await using dead = await ScriptedBrickchainClient.connect(broker.url, { deaf: true });
  const { keyID: id } = await dead.register(key, broker.url);
  const begin = performance.now();
  for (const end = begin + 15_000; broker.server.size > 0 && performance.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  strictEqual(broker.server.size, 0);
  ok(performance.now() - begin < 12_000);
  strictEqual((await fetch(broker.at(id, "/")).then((answer) => answer.text())).startsWith("failed"), true);
  strictEqual(await nobody.closed, 1008);
  await waitUntil(() => broker.server.connections === 0);
  strictEqual(broker.server.connections, 0);
});

netTest(
  "a page on our host gets an origin of its own where this machine would be trusted, others do not",
  async (net) => {
    await using all = await registered(net);
    const { broker, client, id } = all;
    const policyOf = async (path: string, headers = {}, fields = {}) => {
      const lines = Object.entries({ host: "a", connection: "close", ...headers }).map((pair) =>
        pair.join(": ")
      );
      const asking = exchange(broker.port, [`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`]);
      await client.answer({ headers: { "Content-Type": "text/html", ...fields } });
      return /\r\ncontent-security-policy: ([^\r]*)\r\n/i.exec(await asking)?.[1] ?? null;
    };
    const path = `/proxy/request/${id}/`;
    match((await policyOf(path))!, /^sandbox (?!.*allow-same-origin)/);
    const own = { "content-security-policy": "default-src 'self'" };
    match((await policyOf(path, {}, own))!, /^default-src 'self', sandbox /);
    strictEqual(await policyOf(path, { "x-forwarded-for": "192.0.2.1" }), null);
    strictEqual(await policyOf("/", { host: `${id}.proxy.test` }), null);
  },
);

netTest("one remote address has a bound of connections, and frees it as they end", async (net) => {
  await using broker = await BrickchainBroker.start(net, { clientAddress: () => "192.0.2.1" });
  const clients: ScriptedBrickchainClient[] = [];
  for (let i = 0; i < 64; i++) clients.push(await ScriptedBrickchainClient.connect(broker.url));
  const { socket, status } = await upgradeByHand(broker.port, "/proxy/subscribe");
  strictEqual(status, "HTTP/1.1 429 Too Many Requests");
  socket.close();
  await clients[0]![Symbol.asyncDispose]();
  await waitUntil(() => broker.server.connections === 63);
  clients.push(await ScriptedBrickchainClient.connect(broker.url));
  for (const client of clients) await client[Symbol.asyncDispose]();
});
