/** Starts servers of TCP. */

import type { Server } from "node:net";
import { WasimoffError } from "../errors.ts";

export interface ListenAddress {
  readonly hostname: string;
  /** 0 for any free one. */
  readonly port: number;
}

/** Resolves when it listens; rejects with `failed_precondition` when the address is taken or not ours. */
export async function listenOn(server: Server, { hostname, port }: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, hostname, resolve);
  try {
    await promise;
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    const reason = cause.code === "EADDRINUSE" ? "another program listens there" : cause.message;
    throw new WasimoffError("failed_precondition", `cannot listen on "${hostname}:${port}": ${reason}`, {
      cause,
    });
  } finally {
    server.off("error", reject);
  }
}
