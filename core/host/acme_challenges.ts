/** Answers the question of an ACME server whether a name is ours (HTTP-01, RFC 8555 8.3). */

import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { type HttpServer, serveHttp } from "./http_server.ts";
import type { ListenAddress } from "./listen_on.ts";

const PREFIX = "/.well-known/acme-challenge/";
/** ACME servers ask from a few places at once; everybody else is a scanner. */
const MAX_CONNECTIONS = 256;

export class AcmeChallenges implements AsyncDisposable {
  readonly #server: HttpServer;
  readonly #answers: Map<string, string>;

  private constructor(server: HttpServer, answers: Map<string, string>) {
    this.#server = server;
    this.#answers = answers;
  }

  /** Listens where ACME servers ask: on port 80, unless a proxy there passes these requests on. */
  static async listen(listen: ListenAddress, logger: Logger): Promise<AcmeChallenges> {
    const answers = new Map<string, string>();
    const fetch = (request: Request): Response => {
      const { pathname } = new URL(request.url);
      const answer = pathname.startsWith(PREFIX) ? answers.get(pathname.slice(PREFIX.length)) : undefined;
      if (answer === undefined) {
        return new Response("only challenges of ACME are answered here\n", { status: 404 });
      }
      return new Response(answer, { headers: { "content-type": "application/octet-stream" } });
    };
    const limits = { bodyBytes: 0, maxConnections: MAX_CONNECTIONS };
    try {
      return new AcmeChallenges(await serveHttp({ ...listen, fetch, limits, logger }), answers);
    } catch (error) {
      throw withHint(error, listen);
    }
  }

  get address(): ListenAddress {
    return this.#server.address;
  }

  /** Answers for one token while an order waits. */
  add(token: string, answer: string): void {
    this.#answers.set(token, answer);
  }

  remove(token: string): void {
    this.#answers.delete(token);
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Ports below 1024 are for root, or for a program with one capability. */
function withHint(error: unknown, { port }: ListenAddress): unknown {
  const cause = error instanceof WasimoffError ? error.cause as NodeJS.ErrnoException : undefined;
  if (cause?.code !== "EACCES") return error;
  const hint = `allow it by "sudo setcap cap_net_bind_service=+ep ${Deno.execPath()}"`;
  const message = `cannot listen on port ${port}, where ACME servers ask, without permission: ${hint}`;
  return new WasimoffError("failed_precondition", message, { cause: error });
}
