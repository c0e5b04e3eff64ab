/** `wasimoff broker` with certificates, as people start it. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { CommandRun, runCommand } from "../support/command_run.ts";
import { temporaryDirectory } from "../commands/temporary_directory.ts";

const UPCASE = new URL("../../examples/upcase/upcase.wasm", import.meta.url).pathname;
const BROKER = ["broker", "--http", "localhost:0", "--quic", "localhost:0", "--drain", "1s"];

/** Files of `wasimoff cert new` for localhost. */
async function certificate(directory: string) {
  const { code, stdout } = await runCommand(["cert", "new", "--json", "-o", directory, "localhost"]);
  strictEqual(code, 0);
  const { cert, key, ca }: Record<"cert" | "key" | "ca", string> = JSON.parse(stdout);
  return { cert, key, ca };
}

/** The hash of what a server of TLS shows now. */
async function shownHash(url: string): Promise<string> {
  const { stdout } = await runCommand(["cert", "show", "--json", url]);
  return JSON.parse(stdout).hash;
}

Deno.test("a certificate of cert new serves HTTPS and QUIC, and another one takes its place at SIGHUP", async () => {
  await using directory = await temporaryDirectory();
  const files = await certificate(directory.path);
  await using broker = new CommandRun([...BROKER, "--https", "--cert", files.cert, "--key", files.key]);
  const [, url] = await broker.said(/broker is ready at (https:\S+)\n/);
  const [, quicPort] = await broker.said(/WebTransport is served .*port=(\d+) certificate=file\n/);
  const first = await shownHash(url!);
  strictEqual(first, (await showFile(files.cert)).hash);

  const caCerts = [await Deno.readTextFile(files.ca)];
  using client = Deno.createHttpClient({ caCerts });
  const response = await fetch(`${url}/api/broker/v1/config`, { client });
  const { transport, certhash } = await response.json();
  deepStrictEqual([transport, certhash], [`https://localhost:${quicPort}/transport`, undefined]);
  using connection = await Deno.connectTls({
    hostname: "localhost",
    port: Number(new URL(url!).port),
    caCerts,
  });
  match(await ask(connection), /^HTTP\/1\.1 200/);

  await Deno.remove(files.cert);
  await Deno.remove(files.key);
  await certificate(directory.path);
  broker.kill("SIGHUP");
  await broker.said(/serving the certificate as read anew/);
  strictEqual(await shownHash(url!), (await showFile(files.cert)).hash);
  match(await ask(connection), /^HTTP\/1\.1 200/); // it was open before
  broker.kill("SIGTERM");
  strictEqual((await broker.end()).code, 0);
});

Deno.test("programs reach a broker with an ephemeral certificate over QUIC without being told of it", async () => {
  await using broker = new CommandRun(BROKER);
  const [, url] = await broker.said(/broker is ready at (http:\S+)\n/);
  const [, hash] = await broker.said(/WebTransport is served .*certificate=ephemeral hash=([0-9a-f]{64})\n/);
  const config = await (await fetch(`${url}/api/broker/v1/config`)).json();
  strictEqual(config.certhash, hash);
  deepStrictEqual(await runCommand(["cert", "show", url!]), {
    code: 0,
    stdout: `transport  ${config.transport}/\nhash       ${hash}\n`,
    stderr: "",
  });
  const at = ["--url", url!, "--transport", "webtransport"];
  await using provider = new CommandRun(["provider", ...at, "-j", "1"]);
  await provider.said(/provider is ready/);
  const { code, stdout } = await runCommand(["submit", ...at, UPCASE], { stdin: "over quic" });
  deepStrictEqual([code, stdout], [0, "OVER QUIC"]);
});

Deno.test("a broker whose QUIC is open to the network asks for a token", async () => {
  await using open = new CommandRun(["broker", "--http", "localhost:0", "--quic", ":0"]);
  await open.said(/others than this machine need the token of this run/);
  await using closed = new CommandRun(BROKER);
  await closed.said(/broker is ready/);
  strictEqual(/token/.test(closed.stderr), false);
});

Deno.test("the variables of the existing brokers mean the same", async () => {
  await using directory = await temporaryDirectory();
  const { cert, key } = await certificate(directory.path);
  const url = "https://wt.example:4443/transport";
  const listen = { WASIMOFF_HTTP_LISTEN: "localhost:0", WASIMOFF_QUIC_LISTEN: "localhost:0" };
  const old = { ...listen, WASIMOFF_QUIC_CERT: cert, WASIMOFF_QUIC_KEY: key, WASIMOFF_TRANSPORT_URL: url };
  await using plain = new CommandRun(["broker"], { env: old });
  const [, http] = await plain.said(/broker is ready at (http:\S+)\n/);
  const { transport, certhash } = await (await fetch(`${http}/api/broker/v1/config`)).json();
  deepStrictEqual([transport, certhash], [url, undefined]);
  const fresh = { ...listen, WASIMOFF_HTTP_CERT: cert, WASIMOFF_HTTP_KEY: key };
  await using secure = new CommandRun(["broker"], { env: fresh });
  const [, https] = await secure.said(/broker is ready at (https:\S+)\n/);
  strictEqual(await shownHash(https!), (await showFile(cert)).hash);
});

for (
  const [flags, code, message] of [
    [["--cert", "c.pem"], 2, "--cert is given alone: give both --cert and --key, or none"],
    [["--key", "k.pem"], 2, "--key is given alone: give both --cert and --key, or none"],
    [["--cert", "/none.pem", "--key", "/none.pem"], 78, 'read "/none.pem": there is no such file'],
    [["--acme-email", "a@b.example"], 2, "--acme-email is given alone: give --acme-hostnames, too"],
    [["--acme-hostnames", "10.0.0.1"], 2, '--acme-hostnames: "10.0.0.1" is no host name: .*'],
    [["--acme-hostnames", "*.example"], 2, '--acme-hostnames: "\\*.example" is no host name: .*'],
    [["--transport-url", "http://a"], 2, '--transport-url: "http://a" is no URL: .*'],
    [["--quic", "nowhere"], 2, '--quic: "nowhere" is no address to listen on: .*'],
  ] as const
) {
  Deno.test(`broker ${flags.join(" ")} ends with ${code}`, async () => {
    const end = await runCommand(["broker", "--http", "localhost:0", ...flags]);
    match(end.stderr, new RegExp(`^wasimoff: ${message}\n$`));
    strictEqual(end.code, code);
  });
}

async function showFile(path: string): Promise<{ hash: string }> {
  return JSON.parse((await runCommand(["cert", "show", "--json", path])).stdout);
}

/** One request on a connection that stays. */
async function ask(connection: Deno.TlsConn): Promise<string> {
  await connection.write(new TextEncoder().encode("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"));
  const buffer = new Uint8Array(4096);
  const length = await connection.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
}

Deno.test("flags that do nothing without QUIC or HTTPS are told of", async () => {
  await using directory = await temporaryDirectory();
  const { cert, key } = await certificate(directory.path);
  const files = ["--cert", cert, "--key", key, "--transport-url", "https://wt.example/transport"];
  await using broker = new CommandRun(["broker", "--http", "localhost:0", "--quic", "off", ...files]);
  const [, url] = await broker.said(/broker is ready at (http:\S+)\n/);
  match(broker.stderr, /--transport-url is of no use without --quic\n/);
  match(broker.stderr, /the certificate is of no use: give --https or --quic\n/);
  deepStrictEqual(await (await fetch(`${url}/api/broker/v1/config`)).json(), { transport: "" });
});

Deno.test("an ephemeral certificate is made out to the tunnels and the public URLs, too", async () => {
  const names = ["--tunnel-domain", "t.example.org", "--public-url", "https://broker.example.org"];
  await using broker = new CommandRun([...BROKER, "--https", ...names]);
  const [, url] = await broker.said(/broker is ready at (https:\S+)\n/);
  const shown = await runCommand(["cert", "show", "--json", url!]);
  const { names: own }: { names: string[] } = JSON.parse(shown.stdout);
  const expected = ["broker.example.org", "t.example.org", "*.t.example.org", "localhost"];
  deepStrictEqual(expected.filter((name) => !own.includes(name)), []);
});
