/** The real command line of a broker with a rendezvous. */

import { deepEqual, equal, match } from "node:assert/strict";
import { CommandRun, runCommand } from "../support/command_run.ts";
import { makeTestCertificate } from "../support/test_certificate.ts";

const POLL = JSON.stringify({
  Sid: "s",
  Version: "1.3",
  Type: "standalone",
  NAT: "unknown",
  AcceptedRelayPattern: "",
});
const OFFER = `1.0\n${JSON.stringify({ offer: "o", nat: "unrestricted" })}`;

Deno.test("broker --rendezvous introduces peers under any Host, and keeps its own paths", async () => {
  await using broker = new CommandRun(["broker", "--http", "127.0.0.1:0", "--quic", "off", "--rendezvous"]);
  const [, url] = await broker.said(/ready at (\S+)/);
  const polling = fetch(`${url}/proxy`, { method: "POST", body: POLL });
  const debug = async () => await (await fetch(`${url}/debug`)).text();
  while (!(await debug()).startsWith("current snowflakes available: 1")) {
    await new Promise((done) => setTimeout(done, 10));
  }
  // As from a client that is fronted: by another Host, without a token, from a page.
  const headers = { host: "front.example", origin: "https://elsewhere.example" };
  const asking = fetch(`${url}/client`, { method: "POST", body: OFFER, headers });
  equal((await (await polling).json()).Status, "client match");
  const answer = JSON.stringify({ Version: "1.3", Sid: "s", Answer: "a" });
  deepEqual(await (await fetch(`${url}/answer`, { method: "POST", body: answer })).json(), {
    Status: "success",
  });
  deepEqual(await (await asking).json(), { answer: "a" });
  match(await (await fetch(`${url}/metrics`)).text(), /^wasimoff_conn_providers 0$/m);
  match(await (await fetch(`${url}/prometheus`)).text(), /^# TYPE snowflake_available_proxies gauge$/m);
  equal(await (await fetch(`${url}/healthz`)).text(), "OK\n");
  broker.kill("SIGTERM");
  equal((await broker.end()).code, 0);
});

Deno.test("broker --rendezvous-addr serves it there, over TLS, and not at its own address", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const { cert, key } = await makeTestCertificate();
    await Promise.all([
      Deno.writeTextFile(`${directory}/cert`, cert),
      Deno.writeTextFile(`${directory}/key`, key),
    ]);
    const files = ["--cert", `${directory}/cert`, "--key", `${directory}/key`];
    const args = ["broker", "--http", "127.0.0.1:0", "--quic", "off", "--rendezvous-addr", "127.0.0.1:0"];
    await using broker = new CommandRun([...args, ...files]);
    const [, url] = await broker.said(/ready at (\S+)/);
    const [, port] = await broker.said(/rendezvous is served.* port=(\d+)/);
    using client = Deno.createHttpClient({ caCerts: [cert] });
    const robots = await fetch(`https://localhost:${port}/robots.txt`, { client }).catch((error) => error);
    // The certificate is its own authority, which not every TLS library takes: that TLS is spoken is what counts.
    if (robots instanceof Response) equal(await robots.text(), "User-agent: *\nDisallow: /\n");
    else match(String(robots.cause ?? robots), /certificate|CaUsedAsEndEntity/i);
    const plain = await fetch(`http://127.0.0.1:${port}/robots.txt`).catch(() => null);
    equal(plain, null);
    const own = await fetch(`${url}/proxy`, { method: "POST", body: POLL });
    equal(own.status, 404);
    await own.body?.cancel();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("broker refuses flags of the rendezvous that do not fit together", async () => {
  const table: [args: string[], message: RegExp][] = [
    [["--bridge-list-path", "x"], /--bridge-list-path is given alone: give --rendezvous, too/],
    [["--rendezvous", "--disable-tls"], /--disable-tls is given alone: give --rendezvous-addr, too/],
    [["--rendezvous-addr", ":0"], /--rendezvous-addr needs a certificate: give --cert and --key/],
    [["--rendezvous", "--rendezvous-polls", "0"], /rendezvous-polls/],
  ];
  for (const [args, message] of table) {
    const { code, stderr } = await runCommand(["broker", "--http", "127.0.0.1:0", "--quic", "off", ...args]);
    equal(code, 2, args.join(" "));
    match(stderr, message);
  }
  const missing = [
    "broker",
    "--http",
    "127.0.0.1:0",
    "--quic",
    "off",
    "--rendezvous",
    "--bridge-list-path",
    "/dev/null/missing",
  ];
  const { code, stderr } = await runCommand(missing);
  equal(code, 78);
  match(stderr, /read bridge list "\/dev\/null\/missing": /);
});
