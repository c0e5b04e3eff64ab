/** A real nginx with the configuration of docs/nginx.md. */

import { freePorts } from "./free_ports.ts";
import { waitUntil } from "./open_server.ts";

const PROGRAM = "/usr/sbin/nginx";
const INSTALL = "apt-get install nginx";
const GUIDE = new URL("../../docs/nginx.md", import.meta.url);

const missing = await Deno.stat(PROGRAM).then(({ isFile }) => !isFile, () => true);
const inCi = Deno.env.get("CI") === "true";

/** A test behind nginx; ignored where that is missing, except in CI. */
export function nginxTest(name: string, run: () => Promise<void>): void {
  Deno.test({ name: missing ? `${name} (${INSTALL})` : name, ignore: missing && !inCi, fn: run });
}

export interface NginxOptions {
  /** PEM files. */
  readonly cert: string;
  readonly key: string;
  /** Port of the broker. */
  readonly port: number;
}

/** Starts one before a broker, as the guide says. */
export async function startNginx(
  options: NginxOptions,
): Promise<{ readonly port: number } & AsyncDisposable> {
  if (missing) throw new Error(`there is no ${PROGRAM}: ${INSTALL}`);
  const directory = await Deno.makeTempDir({ prefix: "wasimoff-nginx-" });
  const [port] = freePorts(1) as [number];
  await Deno.writeTextFile(`${directory}/nginx.conf`, await configuration(directory, port, options));
  const child = new Deno.Command(PROGRAM, {
    args: ["-p", directory, "-e", `${directory}/error.log`, "-c", `${directory}/nginx.conf`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const dispose = async () => {
    child.kill("SIGTERM");
    await child.status;
    await Deno.remove(directory, { recursive: true });
  };
  let up = false;
  const probe = async () => {
    for (; !up; await new Promise((resolve) => setTimeout(resolve, 10))) {
      await Deno.connect({ hostname: "127.0.0.1", port }).then((it) => {
        it.close();
        up = true;
      }, () => {});
    }
  };
  const probing = probe();
  await waitUntil(() => up);
  if (!up) {
    up = true; // ends the probe
    await probing;
    const log = await Deno.readTextFile(`${directory}/error.log`);
    await dispose();
    throw new Error(`nginx does not start: ${log}`);
  }
  await probing;
  return { port, [Symbol.asyncDispose]: dispose };
}

/** The guide's server with the places of this test, in one process that needs no directory of the system. */
async function configuration(directory: string, port: number, options: NginxOptions): Promise<string> {
  const [, guide] = /```nginx\n([^]*?)```/.exec(await Deno.readTextFile(GUIDE))!;
  const server = replaceEach(guide!, [
    [/listen 443 ssl/, `listen 127.0.0.1:${port} ssl`],
    [/(ssl_certificate) .*;/, `$1 ${options.cert};`],
    [/(ssl_certificate_key) .*;/, `$1 ${options.key};`],
    [/http:\/\/127\.0\.0\.1:4080/, `http://127.0.0.1:${options.port}`],
  ]);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) =>
    `${what}_temp_path ${directory}/${what};`
  );
  return [
    `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;`,
    "events {}",
    `http { access_log off; ${temporary.join(" ")}`,
    server,
    "}",
  ].join("\n");
}

function replaceEach(text: string, replacements: readonly (readonly [RegExp, string])[]): string {
  return replacements.reduce((done, [pattern, by]) => {
    if (!pattern.test(done)) throw new Error(`the guide lacks ${pattern}`);
    return done.replace(pattern, by);
  }, text);
}
