/** A real ssh session through `wasimoff connect --stdio`, whose connections are cut. */

import { equal, ok } from "node:assert/strict";
import { SshServer, sshTest } from "../support/ssh_server.ts";
import { TunnelCluster } from "../support/tunnel_cluster.ts";
import { within } from "../support/within.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const USER = Deno.env.get("USER") ?? "root";

/** The program and its arguments as one line of a shell. */
function proxyCommand(port: number): string {
  const words = [Deno.execPath(), "run", "-A", "--no-prompt", "--quiet", MAIN, "connect", "%h", "--stdio"];
  return [...words, "--transport", "websocket", "--url", `http://127.0.0.1:${port}`].join(" ");
}

sshTest("ssh goes on over cut connections of the tunnel and of its own", async () => {
  await using sshd = await SshServer.start();
  await using cluster = await TunnelCluster.start();
  await using toClient = await cluster.cluster.proxy();
  await using toVisitor = await cluster.cluster.proxy();
  await cluster.tunnel({ service: sshd.port, name: "box", port: toClient.port });
  const ssh = new Deno.Command("ssh", {
    args: [
      ...sshd.clientArgs,
      "-o",
      `ProxyCommand=${proxyCommand(toVisitor.port)}`,
      `${USER}@box`,
      "cat; exit 7",
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { XDG_CONFIG_HOME: "/nonexistent", XDG_STATE_HOME: "/dev/null", WASIMOFF_TOKEN: "" },
  }).spawn();
  const errors = new Response(ssh.stderr).text();
  const writer = ssh.stdin.getWriter();
  const reader = ssh.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const line = async (text: string) => {
    await writer.write(new TextEncoder().encode(text));
    let echoed = "";
    while (echoed.length < text.length) {
      const { done, value } = await within(reader.read(), "a line of ssh");
      if (done) throw new Error(`ssh has ended: ${await errors}`);
      echoed += value;
    }
    return echoed;
  };
  equal(await line("one\n"), "one\n");
  toClient.cut();
  equal(await line("two\n"), "two\n");
  toVisitor.cut();
  equal(await line("three\n"), "three\n");
  toClient.cut();
  toVisitor.cut();
  equal(await line("x".repeat(100_000)), "x".repeat(100_000));
  await writer.close();
  equal((await within(ssh.status, "the end of ssh")).code, 7);
  await reader.cancel();
  await errors;
  ok(toClient.accepted >= 2 && toVisitor.accepted >= 2);
});
