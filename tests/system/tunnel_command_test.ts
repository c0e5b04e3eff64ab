/** `wasimoff tunnel` and `wasimoff connect` as people start them. */

import { equal, match, notEqual } from "node:assert/strict";
import { CommandRun, runCommand } from "../support/command_run.ts";
import { RealCluster } from "../support/real_cluster.ts";
import { freePorts, TcpClient, TcpService } from "../support/tcp_service.ts";
import { within } from "../support/within.ts";

const WAY = ["--transport", "websocket"];

Deno.test("wasimoff tunnel tcp and wasimoff connect bring a service to another machine", async () => {
  const home = await Deno.makeTempDir();
  const env = { XDG_CONFIG_HOME: home, XDG_STATE_HOME: "/dev/null" };
  try {
    const { first, last } = await freePorts();
    await using service = await TcpService.echo();
    await using cluster = await RealCluster.start("--quic", "off", "--tcp-ports", `${first}-${last}`);
    const broker = [...WAY, "--url", cluster.url];
    await using tunnel = new CommandRun(["tunnel", "tcp", String(service.port), "--name", "db", ...broker], {
      env,
    });
    const [, port] = await tunnel.said(/^tcp:\/\/localhost:(\d+)$/m);
    const [, line] = await tunnel.said(/^wasimoff (connect db -L 127.0.0.1:\d+ --url \S+)$/m);
    equal(line, `connect db -L 127.0.0.1:${service.port} --url ${cluster.url}`);
    using direct = (await TcpClient.connect(Number(port))).read();
    direct.socket.end("through the port");
    equal(await within(direct.ended, "the end of the visitor"), "end");
    equal(direct.text, "through the port");

    const piped = await runCommand(["connect", "db", "--stdio", ...broker], { stdin: "through stdio", env });
    equal(piped.stderr, "");
    equal(piped.stdout, "through stdio");
    equal(piped.code, 0);

    await using forward = new CommandRun(["connect", "db", "-L", "127.0.0.1:0", ...broker], { env });
    const [, local] = await forward.said(/"db" is at 127\.0\.0\.1:(\d+)/);
    using client = (await TcpClient.connect(Number(local))).read();
    client.socket.end("through a local port");
    equal(await within(client.ended, "the end of the client"), "end");
    equal(client.text, "through a local port");
    forward.kill("SIGINT");
    equal((await forward.end()).code, 0);

    const unknown = await runCommand(["connect", "nobody", "--stdio", ...broker], { env });
    equal(unknown.code, 1);
    match(unknown.stderr, /^wasimoff: no tunnel has this name/);
    tunnel.kill("SIGINT");
    equal((await tunnel.end()).code, 0);
    equal((await Deno.stat(`${home}/wasimoff/tunnel-key.pem`)).mode! & 0o777, 0o600);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("wasimoff tunnel says what is wrong with its command line", async () => {
  const cases: [string[], RegExp][] = [
    [["htp", "3000"], /"htp" is no kind of tunnel.*http/],
    [["tcp", "nowhere"], /"nowhere" is no place of a service/],
    [["tcp", "5432", "--auth", "f"], /--auth and --host-header are for HTTP/],
    [["http", "3000", "--port", "20000"], /--port is for TCP/],
  ];
  for (const [args, expected] of cases) {
    const { code, stderr } = await runCommand(["tunnel", ...args]);
    equal(code, 2, stderr);
    match(stderr, expected);
  }
  const none = await runCommand(["connect", "db"]);
  equal(none.code, 2);
  match(none.stderr, /give either -L ADDR or --stdio/);
  const home = await Deno.makeTempDir();
  try {
    const args = ["tunnel", "tcp", "5432", ...WAY, "--url", "http://127.0.0.1:9"];
    const { code, stderr } = await runCommand(args, {
      env: { XDG_CONFIG_HOME: home, XDG_STATE_HOME: "/dev/null" },
    });
    equal(code, 69);
    match(stderr, /wasimoff broker/);
    notEqual(await Deno.readTextFile(`${home}/wasimoff/tunnel-key.pem`), "");
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});
