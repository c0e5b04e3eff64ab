/** A broker behind nginx, both as docs/nginx.md says. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { temporaryDirectory } from "../commands/temporary_directory.ts";
import { CommandRun, runCommand } from "../support/command_run.ts";
import { type NginxOptions, nginxTest, startNginx } from "../support/nginx.ts";

const UPCASE = new URL("../../examples/upcase/upcase.wasm", import.meta.url).pathname;
const TOKEN = "a-token-of-some-length";
const TRANSPORT = "https://localhost:4443/transport";

interface Scene {
  readonly port: number;
  /** File with the CA of nginx's certificate. */
  readonly ca: string;
  readonly client: Deno.HttpClient;
}

/** A broker and an nginx before it. */
async function behindNginx(run: (scene: Scene) => Promise<void>): Promise<void> {
  await using directory = await temporaryDirectory();
  const made = await runCommand(["cert", "new", "--json", "-o", directory.path, "localhost"]);
  const { cert, key, ca }: Omit<NginxOptions, "port"> & { ca: string } = JSON.parse(made.stdout);
  const tokens = `${directory.path}/tokens`;
  await Deno.writeTextFile(tokens, `${TOKEN}\n`);
  const access = ["--trusted-proxies", "127.0.0.1,::1", "--token-file", tokens];
  const quic = ["--quic", "localhost:0", "--transport-url", TRANSPORT];
  await using broker = new CommandRun(["broker", "--http", "127.0.0.1:0", ...access, ...quic]);
  const [, port] = await broker.said(/broker is ready at http:\S+:(\d+)\n/);
  await using nginx = await startNginx({ cert, key, port: Number(port) });
  using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(ca)] });
  await run({ port: nginx.port, ca, client });
}

nginxTest(
  "behind nginx the API asks everybody for a token, and believes no address",
  () =>
    behindNginx(async ({ port, client }) => {
      const status = async (path: string, headers: Record<string, string> = {}) => {
        const response = await fetch(`https://localhost:${port}${path}`, { client, headers });
        await response.body?.cancel();
        return response.status;
      };
      strictEqual(await status("/healthz"), 200);
      strictEqual(await status("/api/providers"), 401);
      strictEqual(await status("/api/providers", { "x-forwarded-for": "127.0.0.1" }), 401);
      strictEqual(await status("/api/providers", { authorization: `Bearer ${TOKEN}` }), 200);
      const config = await fetch(`https://localhost:${port}/api/broker/v1/config`, { client });
      strictEqual((await config.json()).transport, TRANSPORT);
    }),
);

nginxTest("behind nginx files larger than 1 MB are stored", () =>
  behindNginx(async ({ port, client }) => {
    // A module with nothing but a custom section of 2 MiB.
    const module = new Uint8Array(8 + 1 + 5 + (2 << 20));
    module.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, 0x80, 0x80, 0x80, 0x81, 0x00]);
    const response = await fetch(`https://localhost:${port}/api/storage/upload`, {
      client,
      method: "POST",
      body: module,
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/wasm" },
    });
    match(await response.text(), /^sha256:[0-9a-f]{64}/);
    strictEqual(response.status, 200);
  }));

nginxTest(
  "behind nginx WebSockets are upgraded, for pages of the broker too, and tasks run over them",
  () =>
    behindNginx(async ({ port, ca }) => {
      const caCerts = [await Deno.readTextFile(ca)];
      const upgrade = async (origin: string) => {
        using connection = await Deno.connectTls({ hostname: "localhost", port, caCerts });
        const lines = [
          ...["GET /api/provider/ws HTTP/1.1", `Host: localhost:${port}`, `Origin: ${origin}`],
          ...["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
          ...["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol: wasimoff_v2"],
        ];
        await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
        const buffer = new Uint8Array(4096);
        const length = await connection.read(buffer);
        return new TextDecoder().decode(buffer.subarray(9, 12)) + (length === null ? " and no more" : "");
      };
      deepStrictEqual([
        await upgrade(`https://localhost:${port}`),
        await upgrade("https://elsewhere.example"),
      ], [
        "101",
        "403",
      ]);

      const at = ["--url", `https://localhost:${port}`, "--ca", ca, "--transport", "websocket"];
      const env = { WASIMOFF_TOKEN: TOKEN };
      await using provider = new CommandRun(["provider", ...at, "-j", "1"], { env });
      await provider.said(/provider is ready/);
      const { code, stdout } = await runCommand(["submit", ...at, UPCASE], { env, stdin: "through nginx" });
      deepStrictEqual([code, stdout], [0, "THROUGH NGINX"]);
    }),
);
