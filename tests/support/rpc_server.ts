/** The broker's HTTP face with a bare route beside, as a process of its own: for figures that are no client's. */

// deno-lint-ignore-file no-console -- prints where it listens
import { serveHttp } from "../../core/host/http_server.ts";
import { silent } from "../../core/log.ts";
import { tasksApp } from "./tasks_app.ts";

/** Reads a body and answers it, behind the same checks as all routes. */
export const BARE_PATH = "/api/bare";

/** Ends when it is disposed of. */
export class RpcServer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, readonly url: string) {
    this.#child = child;
  }

  static async start(): Promise<RpcServer> {
    const args = ["run", "-A", "--quiet", import.meta.url];
    const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    const port = new TextDecoder().decode((await reader.read()).value).trim();
    reader.releaseLock();
    return new RpcServer(child, `http://127.0.0.1:${port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.stdout.cancel();
    await this.#child.status;
  }
}

if (import.meta.main) {
  using tasks = await tasksApp();
  const { app } = tasks;
  app.post(BARE_PATH, async (context) => context.body(await context.req.arrayBuffer()));
  const server = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, peer) => app.fetch(request, peer),
    logger: silent,
  });
  console.log(server.address.port);
  for await (const _ of Deno.stdin.readable);
  await server.close();
}
