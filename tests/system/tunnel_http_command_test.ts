/** `wasimoff tunnel http` as people start it. */

import { match, ok, strictEqual } from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CommandRun, runCommand } from "../support/command_run.ts";
import { ask, RawVisitor } from "../support/raw_http.ts";
import { RealCluster } from "../support/real_cluster.ts";

Deno.test("wasimoff tunnel http prints a URL that works, and --inspect shows what comes", async () => {
  const service = createServer((request, response) => void response.end(`service ${request.headers.host}`));
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  const { port } = service.address() as AddressInfo;
  const home = await Deno.makeTempDir();
  try {
    const env = { XDG_CONFIG_HOME: home, XDG_STATE_HOME: "/dev/null" };
    await Deno.writeTextFile(`${home}/users`, "ann:s3cret\n");
    await using cluster = await RealCluster.start("--quic", "off");
    await using tunnel = new CommandRun([
      ...[
        "tunnel",
        "http",
        String(port),
        "--name",
        "shop",
        "--auth",
        `${home}/users`,
        "--inspect",
        "127.0.0.1:0",
      ],
      ...["--host-header", "intranet", "--transport", "websocket", "--url", cluster.url],
    ], { env });
    const [, url] = await tunnel.said(/^(http:\/\/shop\.localhost:\d+)$/m);
    const [, page] = await tunnel.said(/requests are shown at http:\/\/127\.0\.0\.1:(\d+)/);
    using inspect = new RawVisitor(Number(page));
    inspect.send(`GET /events HTTP/1.1\r\nHost: localhost:${page}\r\n\r\n`);
    const { host, port: broker } = new URL(url!);
    const get = `GET /a?b HTTP/1.1\nHost: ${host}`;
    match(await ask(Number(broker), get), /^HTTP\/1.1 401 [^]*www-authenticate: Basic/);
    match(
      await ask(Number(broker), `${get}\nAuthorization: Basic ${btoa("ann:s3cret")}`),
      /service intranet/,
    );
    await inspect.until(/<span>\/a\?b<\/span><em class="s2">200<\/em>/);
    ok(!inspect.text.includes("uthorization"), inspect.text);
    tunnel.kill("SIGINT");
    strictEqual((await tunnel.end()).code, 0);
  } finally {
    const closed = new Promise((resolve) => service.close(resolve));
    service.closeAllConnections();
    await closed;
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("--inspect is for HTTP on this machine", async () => {
  const cases: [string[], RegExp][] = [
    [["http", "3000", "--inspect", ":4040"], /--inspect shows .* to this machine only/],
    [["http", "3000", "--inspect", "0.0.0.0:4040"], /--inspect shows .* to this machine only/],
    [["tcp", "5432", "--inspect", "4040"], /--inspect is for HTTP/],
  ];
  for (const [args, expected] of cases) {
    const { code, stderr } = await runCommand(["tunnel", ...args]);
    strictEqual(code, 2, stderr);
    match(stderr, expected);
  }
});
