/** `wasimoff tunnel` at Brickchain servers, as people start it. */

import { equal, match } from "node:assert/strict";
import { BrickchainService } from "../support/brickchain_tunnel.ts";
import { CommandRun, runCommand } from "../support/command_run.ts";
import { RealCluster } from "../support/real_cluster.ts";
import { RECORDED_ID, ScriptedBrickchainServer } from "../support/scripted_brickchain_server.ts";

/** The environment of a user of their own. */
async function withHome(run: (env: Record<string, string>) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir();
  try {
    await run({ XDG_CONFIG_HOME: home, XDG_STATE_HOME: "/dev/null" });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

Deno.test("wasimoff tunnel http --url brickchain+http://… publishes a service at an existing server", () =>
  withHome(async (env) => {
    await using server = await ScriptedBrickchainServer.start();
    await using service = await BrickchainService.start((_request, response) => response.end("hello\n"));
    const args = [
      "tunnel",
      "http",
      String(service.port),
      "--url",
      `brickchain+${server.url}`,
      "--name",
      "two",
    ];
    await using tunnel = new CommandRun(args, { env });
    const link = await server.link();
    equal((await link.register()).session, "two");
    await tunnel.said(new RegExp(`^http://${RECORDED_ID}\\.proxy\\.test$`, "m"));
    equal(atob((await link.ask({})).body as string), "hello\n");
    tunnel.kill("SIGINT");
    await link.expect("disconnect");
    equal((await tunnel.end()).code, 0);
  }));

Deno.test("the same works at a broker of ours, whose public finds it at once", () =>
  withHome(async (env) => {
    await using cluster = await RealCluster.start("--quic", "off");
    await using service = await BrickchainService.start((_request, response) => response.end("hello\n"));
    const args = ["tunnel", "http", String(service.port), "--url", `brickchain+${cluster.url}`];
    await using tunnel = new CommandRun(args, { env });
    const [, id, port] = await tunnel.said(/^http:\/\/([a-z2-7]{52})\.localhost:(\d+)$/m);
    equal(await (await fetch(`http://127.0.0.1:${port}/proxy/request/${id}/`)).text(), "hello\n");
    tunnel.kill("SIGINT");
    equal((await tunnel.end()).code, 0);
  }));

Deno.test("wasimoff tunnel says what a Brickchain server cannot do", () =>
  withHome(async (env) => {
    const url = ["--url", "brickchain+http://127.0.0.1:9"];
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [["tcp", "5432", ...url], 2, /Brickchain servers carry HTTP only/],
      [["http", "3000", "--allow-cidr", "10.0.0.0/8", ...url], 2, /leave --auth and --allow-cidr out/],
      [["http", "3000", "--url", "brickchain+http://a/path"], 2, /is no Brickchain server/],
      [["http", "3000", ...url], 69, /cannot reach/],
    ];
    for (const [args, status, text] of cases) {
      const { code, stderr } = await runCommand(["tunnel", ...args], { env });
      equal(code, status, stderr);
      match(stderr, text);
    }
  }));
