import { deepEqual, equal, match, ok } from "node:assert/strict";
import { connect } from "node:net";
import type { RendezvousHost } from "../../core/host/rendezvous_host.ts";
import { waitUntil } from "../support/open_server.ts";
import { startRendezvous } from "../support/rendezvous_server.ts";

const OFFER = JSON.stringify({
  type: "offer",
  sdp: "v=0\r\na=candidate:1 1 udp 1 10.0.0.5 5 typ host\r\n<&>",
});
const ANSWER = JSON.stringify({ type: "answer", sdp: "v=0\r\n" });
const CLIENT = `1.0\n${JSON.stringify({ offer: OFFER, nat: "restricted" })}`;
const RELAY = "wss://snowflake.torproject.net/";

const poll = (sid: string, fields: Record<string, unknown> = {}) =>
  JSON.stringify({
    Sid: sid,
    Version: "1.3",
    Type: "standalone",
    NAT: "unrestricted",
    AcceptedRelayPattern: "",
    ...fields,
  });
const answer = (sid: string) => JSON.stringify({ Version: "1.3", Sid: sid, Answer: ANSWER });

interface Scene {
  readonly host: RendezvousHost;
  readonly url: string;
  post(path: string, body: string, init?: RequestInit): Promise<Response>;
}

function rendezvousTest(name: string, run: (scene: Scene) => Promise<void>, options = {}): void {
  Deno.test(`rendezvous ${name}`, async () => {
    await using host = await startRendezvous(options);
    const url = `http://127.0.0.1:${host.address!.port}`;
    await run({
      host,
      url,
      post: (path, body, init) => fetch(url + path, { method: "POST", body, ...init }),
    });
  });
}

/** Waits until so many proxies are there. */
async function untilWaiting({ url }: Scene, count: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const text = await (await fetch(`${url}/debug`)).text();
    if (text.startsWith(`current snowflakes available: ${count}\n`)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`there are not ${count} proxies`);
}

rendezvousTest("carries an offer and an answer untouched, in three requests", async (scene) => {
  const { post } = scene;
  const polling = post("/proxy", poll("s1"));
  await untilWaiting(scene, 1);
  const asking = post("/client", CLIENT);
  const matched = await polling;
  equal(matched.status, 200);
  equal(matched.headers.get("content-type"), "text/plain; charset=utf-8");
  equal(matched.headers.get("access-control-allow-origin"), "*");
  equal(matched.headers.get("access-control-allow-headers"), "Origin, X-Session-ID");
  deepEqual(await matched.json(), {
    Status: "client match",
    Offer: OFFER,
    NAT: "restricted",
    RelayURL: RELAY,
  });
  deepEqual(await (await post("/answer", answer("s1"))).json(), { Status: "success" });
  deepEqual(await (await asking).json(), { answer: ANSWER });
  deepEqual(await (await post("/answer", answer("s1"))).json(), { Status: "client gone" });
});

rendezvousTest("serves legacy clients by status and body", async (scene) => {
  const { post } = scene;
  const denied = await post("/client", OFFER, { headers: { "snowflake-nat-type": "restricted" } });
  equal(denied.status, 503);
  equal(await denied.text(), "");
  const bad = await post("/client", OFFER, { headers: { "snowflake-nat-type": "nonsense" } });
  equal(bad.status, 400);
  await bad.body?.cancel();
  const polling = post("/proxy", poll("s1"));
  await untilWaiting(scene, 1);
  const asking = post("/client", OFFER);
  equal((await (await polling).json()).Offer, OFFER);
  await (await post("/answer", answer("s1"))).body?.cancel();
  equal(await (await asking).text(), ANSWER);
});

rendezvousTest("answers offers in the path with a page", async (scene) => {
  const encoded = new TextEncoder().encode(CLIENT).toBase64({ alphabet: "base64url", omitPadding: true });
  const read = async (response: Response) => {
    equal(response.status, 200);
    equal(response.headers.get("content-type"), "text/html");
    equal(response.headers.get("cache-control"), "max-age=15");
    const text = /<pre>([^<]*)<\/pre>/.exec(await response.text())![1]!.replace(/\s/g, "");
    return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(text.slice(1))));
  };
  const path = `${scene.url}/amp/client/0AbCdEfGhIjKl/${encoded}`;
  deepEqual(await read(await fetch(path)), { error: "no snowflake proxies currently available" });
  deepEqual(await read(await fetch(`${scene.url}/amp/client/nonsense`)), { error: "cannot decode URL path" });
  const polling = scene.post("/proxy", poll("s1"));
  await untilWaiting(scene, 1);
  const asking = fetch(path);
  await (await polling).body?.cancel();
  await (await scene.post("/answer", answer("s1"))).body?.cancel();
  deepEqual(await read(await asking), { answer: ANSWER });
});

rendezvousTest("refuses what is malformed and says why where the protocol can", async ({ post, url }) => {
  const table: [path: string, body: string, status: number, text: string][] = [
    ["/proxy", "", 400, ""],
    ["/proxy", "{}", 400, ""],
    ["/proxy", poll("s", { Clients: 1.5 }), 400, ""],
    ["/proxy", poll("s", { NAT: 7 }), 400, ""],
    [
      "/proxy",
      poll("s", { AcceptedRelayPattern: "^" }),
      200,
      `{"Status":"incorrect relay pattern","Offer":"","NAT":"","RelayURL":""}`,
    ],
    ["/answer", "{}", 400, ""],
    ["/answer", answer("never seen"), 200, `{"Status":"client gone"}`],
    ["/client", "", 200, `{"error":"unsupported message version"}`],
    ["/client", `1.0\r\n{"offer":"o"}`, 200, `{"error":"unsupported message version"}`],
    ["/client", "1.0\n{}", 200, `{"error":"no supplied offer"}`],
    [
      "/client",
      `1.0\n{"offer":"o","fingerprint":"${"a".repeat(41)}"}`,
      200,
      `{"error":"cannot decode fingerprint"}`,
    ],
    [
      "/client",
      `1.0\n{"offer":"o","fingerprint":"${"a".repeat(40)}"}`,
      200,
      `{"error":"unknown bridge fingerprint"}`,
    ],
    ["/proxy", "x".repeat(100_001), 400, ""],
    ["/answer", "x".repeat(100_001), 400, ""],
    ["/client", "x".repeat(1_000_000), 400, ""],
    [
      "/client",
      `1.0\n{"offer":"${"x".repeat(100_000 - 4 - 12)}"}`,
      200,
      `{"error":"no snowflake proxies currently available"}`,
    ],
  ];
  for (const [path, body, status, text] of table) {
    const response = await post(path, body);
    equal(response.status, status, `${path} ${body.slice(0, 40)}`);
    equal(await response.text(), text, `${path} ${body.slice(0, 40)}`);
  }
  const get = await fetch(`${url}/client`);
  equal(await get.text(), `{"error":"unsupported message version"}`);
});

rendezvousTest("counts a body without a length, too", async ({ url }) => {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let i = 0; i < 11; i++) controller.enqueue(new Uint8Array(10_000).fill(32));
      controller.close();
    },
  });
  const response = await fetch(`${url}/proxy`, { method: "POST", body });
  equal(response.status, 400);
  await response.body?.cancel();
});

rendezvousTest("serves the small paths, preflights and 404", async ({ url }) => {
  const text = async (path: string, init?: RequestInit) => {
    const response = await fetch(url + path, init);
    return [response.status, await response.text()];
  };
  deepEqual(await text("/robots.txt"), [200, "User-agent: *\nDisallow: /\n"]);
  deepEqual(await text("/nothing"), [404, "404 page not found\n"]);
  deepEqual(await text("/metrics"), [404, "404 page not found\n"]);
  deepEqual(await text("/proxy", { method: "OPTIONS" }), [200, ""]);
  match(
    String((await text("/debug"))[1]),
    /^current snowflakes available: 0\n\tunknown proxies: 0\nNAT Types available:/,
  );
  const prometheus = String((await text("/prometheus"))[1]);
  match(prometheus, /^# TYPE snowflake_available_proxies gauge$/m);
  ok(!/^(go|process)_/m.test(prometheus));
});

rendezvousTest("never matches a proxy that has hung up", async (scene) => {
  const leaving = new AbortController();
  const polling = scene.post("/proxy", poll("s1"), { signal: leaving.signal }).catch(() => "gone");
  await untilWaiting(scene, 1);
  leaving.abort();
  equal(await polling, "gone");
  await untilWaiting(scene, 0);
  deepEqual(await (await scene.post("/client", CLIENT)).json(), {
    error: "no snowflake proxies currently available",
  });
});

rendezvousTest("tells a proxy that its client has hung up", async (scene) => {
  const polling = scene.post("/proxy", poll("s1"));
  await untilWaiting(scene, 1);
  const leaving = new AbortController();
  const asking = scene.post("/client", CLIENT, { signal: leaving.signal }).catch(() => "gone");
  await (await polling).body?.cancel();
  leaving.abort();
  equal(await asking, "gone");
  await untilWaiting(scene, 0);
  deepEqual(await (await scene.post("/answer", answer("s1"))).json(), { Status: "client gone" });
});

rendezvousTest("gives an address no more polls than its share, and takes them back", async (scene) => {
  const from = (address: string, signal?: AbortSignal) => ({
    headers: { "x-forwarded-for": address },
    ...(signal && { signal }),
  });
  const leaving = new AbortController();
  const held = ["a", "b", "c", "d"].map((sid) =>
    scene.post("/proxy", poll(sid), from("192.0.2.1", leaving.signal)).catch(() => "gone")
  );
  await untilWaiting(scene, 4);
  const refused = await scene.post("/proxy", poll("e"), from("192.0.2.1"));
  equal(refused.status, 429);
  await refused.body?.cancel();
  const stop = new AbortController();
  const others = ["f", "g"].map((sid) =>
    scene.post("/proxy", poll(sid), from("192.0.2.2", stop.signal)).catch(() => "gone")
  );
  const unbounded = ["h", "i", "j", "k", "l"].map((sid) =>
    scene.post("/proxy", poll(sid), { signal: stop.signal }).catch(() => "gone")
  );
  await untilWaiting(scene, 11);
  leaving.abort();
  deepEqual(await Promise.all(held), ["gone", "gone", "gone", "gone"]);
  await untilWaiting(scene, 7);
  const again = scene.post("/proxy", poll("e"), from("192.0.2.1", stop.signal)).catch(() => "gone");
  await untilWaiting(scene, 8);
  stop.abort();
  await Promise.all([...others, ...unbounded, again]);
});

rendezvousTest("goes on after requests that break off at every place", async (scene) => {
  const whole = `POST /proxy HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"Sid":"x"`;
  let closed = 0;
  for (let length = 1; length < whole.length; length += 7) {
    const socket = connect(scene.host.address!.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => closed++);
    socket.write(whole.slice(0, length), () => socket.destroy());
  }
  await waitUntil(() => closed === Math.ceil((whole.length - 1) / 7));
  equal(closed, Math.ceil((whole.length - 1) / 7));
  await untilWaiting(scene, 0);
});

rendezvousTest("cuts off a request whose body does not come", async (scene) => {
  const socket = connect(scene.host.address!.port, "127.0.0.1");
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => {});
  socket.resume();
  socket.write(`POST /proxy HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"Sid":`);
  const startedMs = performance.now();
  await closed;
  const tookMs = performance.now() - startedMs;
  ok(tookMs > 9_000 && tookMs < 15_000, `${tookMs} ms`);
});

rendezvousTest("introduces two peers that know a name", async ({ post }) => {
  const first = post("/rendezvous/our-secret", "offer of the first");
  // The first must be there before the second; nothing says so from outside.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { offer, id } = await (await post("/rendezvous/our-secret", "offer of the second")).json();
  equal(offer, "offer of the first");
  const wrong = await post("/rendezvous/our-secret/0000", "nobody");
  equal(wrong.status, 404);
  await wrong.body?.cancel();
  const told = await post(`/rendezvous/our-secret/${id}`, "answer");
  deepEqual([told.status, await told.json()], [200, {}]);
  deepEqual(await (await first).json(), { answer: "answer" });
});

rendezvousTest("refuses names and bodies that are none", async ({ post, url }) => {
  const table: [path: string, body: string, status: number][] = [
    ["/rendezvous/", "offer", 400],
    [`/rendezvous/${"n".repeat(129)}`, "offer", 400],
    ["/rendezvous/a/b/c", "offer", 400],
    ["/rendezvous/name", "", 400],
    ["/rendezvous/name", "x".repeat(100_001), 400],
  ];
  for (const [path, body, status] of table) {
    const response = await post(path, body);
    equal(response.status, status, path);
    await response.body?.cancel();
  }
  const get = await fetch(`${url}/rendezvous/name`);
  equal(get.status, 405);
  await get.body?.cancel();
});

Deno.test("rendezvous shows its metrics log on its own listener", async () => {
  const metricsLog = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(metricsLog, "snowflake-stats-end 2026-11-21 00:00:00 (86400 s)\n");
    await using host = await startRendezvous({ metricsLog });
    const response = await fetch(`http://127.0.0.1:${host.address!.port}/metrics`);
    equal(await response.text(), "snowflake-stats-end 2026-11-21 00:00:00 (86400 s)\n");
  } finally {
    await Deno.remove(metricsLog);
  }
});

Deno.test("rendezvous refuses a bridge list that it cannot read, and uses one that it can", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "nonsense\n");
    await startRendezvous({ bridgeListPath: path }).then(
      () => ok(false),
      (error) => match(error.message, /line 1 of the bridge list/),
    );
    await startRendezvous({ bridgeListPath: `${path}.missing` }).then(
      () => ok(false),
      (error) => match(error.message, /there is no such file/),
    );
  } finally {
    await Deno.remove(path);
  }
});
