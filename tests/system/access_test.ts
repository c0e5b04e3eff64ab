/** Whom a broker lets in, asked by real commands and by hand. */

import { fromBinary } from "@bufbuild/protobuf";
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { codeFromNumber } from "../../core/errors.ts";
import { RefusalSchema } from "../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { FRAME_GOODBYE, FRAME_REFUSAL, FRAME_WELCOME } from "../../core/session/frame.ts";
import { temporaryDirectory } from "../commands/temporary_directory.ts";
import { CommandRun, runCommand } from "../support/command_run.ts";
import { clientUrl, providerUrl } from "../support/host_cluster.ts";
import { dialRaw, helloFrame } from "../support/raw_session.ts";
import { upgradeByHand } from "../support/raw_websocket.ts";
import { CommandProcess } from "../support/real_cluster.ts";
import { until } from "../support/real_slots.ts";

const UPCASE = new URL("../../examples/upcase/upcase.wasm", import.meta.url).pathname;
const TOKEN = "correct-horse-battery-staple";

/** A broker that listens on all addresses and knows one token. */
async function guarded() {
  const stack = new AsyncDisposableStack();
  const directory = stack.use(await temporaryDirectory());
  await Deno.writeTextFile(`${directory.path}/tokens`, `# for tests\n${TOKEN}\n`);
  const args = ["broker", "--http", "0.0.0.0:0", "--token-file", `${directory.path}/tokens`];
  const broker = stack.use(new CommandProcess(args));
  const [, port] = await broker.said(/ready at http:\S+:(\d+)/);
  // Loopback, but under a name that the broker does not know: not local.
  const url = `http://127.0.0.2:${port}`;
  return { port: Number(port), url, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The answer to a hello: "welcome" or the code of the refusal. */
async function greet(url: string, token: string, headers: Record<string, string> = {}): Promise<string> {
  const peer = await dialRaw(url, headers);
  peer.sendBytes(helloFrame({ token }));
  await until(() => peer.frames.length > 0, 10_000);
  const [refusal] = peer.of(FRAME_REFUSAL);
  if (refusal !== undefined) return codeFromNumber(fromBinary(RefusalSchema, refusal.body).code);
  strictEqual(peer.of(FRAME_WELCOME).length, 1);
  peer.send({ type: FRAME_GOODBYE, code: "canceled", reason: "enough" });
  return "welcome";
}

Deno.test("who is not local needs a token: commands exit with 4, submit with 125", async () => {
  await using broker = await guarded();
  const at = ["--url", broker.url];
  for (const WASIMOFF_TOKEN of ["", "wrong"]) {
    const env = { WASIMOFF_TOKEN };
    const listing = await runCommand(["providers", "ls", ...at], { env });
    strictEqual(listing.code, 4);
    match(listing.stderr, /^wasimoff: .*token/);
    strictEqual((await runCommand(["provider", "-j", "1", ...at], { env })).code, 4);
    const submitted = await runCommand(["submit", ...at, UPCASE], { env, stdin: "x" });
    deepStrictEqual([submitted.code, submitted.stdout], [125, ""]);
    match(submitted.stderr, /token/);
  }
  const env = { WASIMOFF_TOKEN: TOKEN };
  await using provider = new CommandRun(["provider", "-j", "1", ...at], { env });
  await provider.said(/provider is ready/);
  deepStrictEqual(await runCommand(["submit", ...at, UPCASE], { env, stdin: "let in" }), {
    code: 0,
    stdout: "LET IN",
    stderr: "",
  });
});

Deno.test("a foreign Host or Origin, or a forwarding header, makes a local peer a stranger", async () => {
  await using broker = await guarded();
  const { port } = broker;
  strictEqual(await greet(clientUrl(port), ""), "welcome");
  strictEqual(await greet(providerUrl(port), ""), "welcome");
  const strange: Record<string, string>[] = [
    { host: "rebound.example" },
    { host: `rebound.example:${port}` },
    { "x-forwarded-for": "203.0.113.9" },
    { origin: "https://elsewhere.example" },
  ];
  for (const headers of strange) {
    strictEqual(await greet(clientUrl(port), "", headers), "unauthenticated", JSON.stringify(headers));
    strictEqual(await greet(clientUrl(port), "wrong", headers), "unauthenticated");
    strictEqual(await greet(clientUrl(port), TOKEN, headers), "welcome");
  }
  const { socket, status } = await upgradeByHand(port, "/api/provider/ws", {
    Origin: "https://elsewhere.example",
  });
  socket.close();
  strictEqual(status, "HTTP/1.1 403 Forbidden");
});
