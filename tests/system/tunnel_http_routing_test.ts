/** Which requests go to which tunnel, and who may go there. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { startHash } from "../../core/host/hash.ts";
import { ask, RawVisitor } from "../support/raw_http.ts";
import { type SiteOptions, TunnelSite } from "../support/tunnel_site.ts";

async function openSite(options: SiteOptions = {}): Promise<TunnelSite> {
  const site = await TunnelSite.open(options);
  await site.http("app", (request, response) => {
    response.end(`service ${request.url} ${JSON.stringify(request.headers)}`);
  });
  return site;
}

const TO_SERVICE: readonly (readonly [what: string, head: string, path: string])[] = [
  ["its host", "GET /api/tasks HTTP/1.1\nHost: app.localhost", "/api/tasks"],
  ["its host with a port", "GET / HTTP/1.1\nHost: app.localhost:4080", "/"],
  ["its host in capitals with a dot", "GET / HTTP/1.1\nHost: APP.LocalHost.:80", "/"],
  ["an absolute target", "GET http://app.localhost/x?y HTTP/1.1\nHost: app.localhost", "/x?y"],
  ["an absolute target without a path", "GET http://app.localhost HTTP/1.1\nHost: app.localhost", "/"],
  ["an absolute target with a query only", "GET http://app.localhost?a HTTP/1.1\nHost: app.localhost", "/?a"],
  ["all of the service", "OPTIONS * HTTP/1.1\nHost: app.localhost", "*"],
  ["HTTP/1.0", "GET / HTTP/1.0\nHost: app.localhost", "/"],
];

for (const [what, head, path] of TO_SERVICE) {
  Deno.test(`a request goes to the tunnel by ${what}`, async () => {
    await using site = await openSite();
    const answer = await ask(site.port, head);
    match(answer, /^HTTP\/1.1 200 /);
    ok(answer.includes(`service ${path} {`), answer);
  });
}

Deno.test("other hosts are the broker's", async () => {
  await using site = await openSite();
  for (const host of ["localhost", "127.0.0.1:80", "example.org", "app.localhost.example", "applocalhost"]) {
    match(await ask(site.port, `GET / HTTP/1.1\nHost: ${host}`), /broker$/);
  }
});

const REFUSED: readonly (readonly [what: string, status: number, head: string])[] = [
  ["an unknown name", 404, "GET / HTTP/1.1\nHost: other.localhost"],
  ["a name of two labels", 404, "GET / HTTP/1.1\nHost: a.app.localhost"],
  ["a name that is none", 404, "GET / HTTP/1.1\nHost: x, app.localhost"],
  ["a TCP tunnel", 404, "GET / HTTP/1.1\nHost: db.localhost"],
  ["a tunnel whose client is away", 502, "GET / HTTP/1.1\nHost: away.localhost"],
  ["two hosts, ours first", 400, "GET / HTTP/1.1\nHost: app.localhost\nHost: localhost"],
  ["two hosts, ours last", 400, "GET / HTTP/1.1\nHost: localhost\nhost: app.localhost"],
  ["the same host twice", 400, "GET / HTTP/1.1\nHost: app.localhost\nHost: app.localhost"],
  ["a target for the broker in disguise", 400, "GET http://localhost/api HTTP/1.1\nHost: app.localhost"],
  ["a target for a tunnel in disguise", 400, "GET http://app.localhost/ HTTP/1.1\nHost: localhost"],
  ["a target with a user", 400, "GET http://a@app.localhost/ HTTP/1.1\nHost: app.localhost"],
  ["a target without a Host", 400, "GET http://app.localhost/ HTTP/1.0"],
  ["a fragment", 400, "GET /#a HTTP/1.1\nHost: app.localhost"],
];

for (const [what, status, head] of REFUSED) {
  Deno.test(`${status} for ${what}`, async () => {
    await using site = await openSite();
    site.tunnels.set("away", "gone");
    site.add("db", 1, { kind: "tcp" });
    const answer = await ask(site.port, head);
    ok(answer.startsWith(`HTTP/1.1 ${status} `), answer);
    match(answer, new RegExp(`\r\n\r\n${status} [A-Z][^\n]*\\.\n$`));
  });
}

Deno.test("CONNECT is refused", async () => {
  await using site = await openSite();
  ok(!(await ask(site.port, "CONNECT app.localhost:80 HTTP/1.1\nHost: app.localhost")).includes("200"));
});

Deno.test("browsers get a page that says what to do", async () => {
  await using site = await openSite();
  const answer = await ask(site.port, "GET / HTTP/1.1\nHost: <b>.localhost\nAccept: text/html,*/*;q=0.8");
  match(answer, /^HTTP\/1.1 404 [^]*content-type: text\/html[^]*content-security-policy: default-src 'none'/);
  match(answer, /<h1>No such tunnel<\/h1>/);
});

Deno.test("a tunnel with passwords asks for one, and the service does not see it", async () => {
  await using site = await openSite();
  const digest = (text: string) => {
    const hash = startHash();
    hash.update(new TextEncoder().encode(text));
    return hash.digest();
  };
  const tunnel = site.tunnels.get("app");
  ok(tunnel !== undefined && tunnel !== "gone");
  const basicAuth = new Set([digest("ann:s3cret"), digest("ben:p:ä")]);
  site.tunnels.set("app", { ...tunnel, open: tunnel.open, basicAuth });
  const status = async (...authorization: string[]) => {
    const lines = authorization.map((value) => `\nAuthorization: ${value}`).join("");
    const answer = await ask(site.port, `GET / HTTP/1.1\nHost: app.localhost${lines}`);
    ok(!answer.includes('"authorization"'), answer);
    return answer.slice(9, 12);
  };
  const basic = (text: string) => `Basic ${new TextEncoder().encode(text).toBase64()}`;
  strictEqual(await status(basic("ann:s3cret")), "200");
  strictEqual(await status(`basic ${new TextEncoder().encode("ben:p:ä").toBase64()}`), "200");
  for (
    const wrong of [
      basic("ann:s3cre"),
      basic("ann:s3cret "),
      basic(""),
      "Basic !",
      "Basic",
      "Bearer ann:s3cret",
      "x",
    ]
  ) strictEqual(await status(wrong), "401", wrong);
  strictEqual(await status(), "401");
  strictEqual(await status(basic("ann:s3cret"), basic("ann:s3cret")), "401");
  match(
    await ask(site.port, "GET / HTTP/1.1\nHost: app.localhost\nConnection: Upgrade\nUpgrade: websocket"),
    /^HTTP\/1.1 401 [^]*www-authenticate: Basic realm="tunnel", charset="UTF-8"\r\n/,
  );
});

Deno.test("Authorization that we did not ask for is the service's", async () => {
  await using site = await openSite();
  match(
    await ask(site.port, "GET / HTTP/1.1\nHost: app.localhost\nAuthorization: Basic eDp5"),
    /"authorization":"Basic eDp5"/,
  );
});

Deno.test("only allowed addresses get in, and behind a trusted proxy it is the visitor's that counts", async () => {
  await using site = await openSite({ trustedProxies: ["127.0.0.1"] });
  const tunnel = site.tunnels.get("app");
  ok(tunnel !== undefined && tunnel !== "gone");
  const asked: string[] = [];
  const allows = (address: string) => asked.push(address) > 0 && address === "192.0.2.7";
  site.tunnels.set("app", { ...tunnel, open: tunnel.open, allows });
  const status = async (forwardedFor: string) =>
    (await ask(site.port, `GET / HTTP/1.1\nHost: app.localhost${forwardedFor}`)).slice(9, 12);
  strictEqual(await status("\nX-Forwarded-For: 192.0.2.7"), "200");
  strictEqual(await status("\nX-Forwarded-For: 192.0.2.7\nX-Forwarded-For: 192.0.2.8"), "403");
  strictEqual(await status(""), "403");
  deepStrictEqual(asked, ["192.0.2.7", "192.0.2.8", "127.0.0.1"]);
});

Deno.test("strangers cannot say for whom they ask, trusted proxies can", async () => {
  const said =
    "\nX-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: https\nX-Real-IP: 192.0.2.7\nX_Forwarded_For: 1" +
    "\nForwarded: for=192.0.2.7\nX-Forwarded-Port: 1\nVia: 1.1 x";
  for (const trusted of [false, true]) {
    await using site = await openSite(trusted ? { trustedProxies: ["127.0.0.0/8"] } : {});
    const answer = await ask(site.port, `GET / HTTP/1.1\nHost: app.localhost${said}`);
    const headers = JSON.parse(/\{.*\}/.exec(answer)![0]);
    const names = [
      "x-forwarded-for",
      "x-forwarded-proto",
      "x-real-ip",
      "x_forwarded_for",
      "x-forwarded-port",
      "via",
    ];
    deepStrictEqual(
      names.map((name) => headers[name] ?? null),
      trusted
        ? ["192.0.2.7, 127.0.0.1", "https", "192.0.2.7", null, "1", "1.1 x"]
        : ["127.0.0.1", "http", null, null, null, "1.1 x"],
    );
    strictEqual(headers.forwarded.startsWith("for=192.0.2.7"), trusted);
  }
});

Deno.test("requests sent ahead are answered in order, one at a time, and few of them", async () => {
  await using site = await TunnelSite.open();
  let now = 0, most = 0;
  await site.http("app", async (request, response) => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 2));
    now--;
    response.end(`<${request.url}>`);
  });
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: app.localhost\r\n\r\n`;
  using visitor = new RawVisitor(site.port);
  visitor.send([1, 2, 3, 4, 5].map((i) => get(`/${i}`)).join(""));
  await visitor.until(/<\/1>[^]*<\/2>[^]*<\/3>[^]*<\/4>[^]*<\/5>/);
  strictEqual(most, 1);
  using flood = new RawVisitor(site.port);
  flood.send(get("/x").repeat(5_000));
  ok((await flood.end()).split("</x>").length < 20);
});
