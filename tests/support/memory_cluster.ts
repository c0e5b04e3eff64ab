/** A broker with providers and clients in one process, joined by memory pipes: the true protocol, no sockets. */

import { createHash } from "node:crypto";
import { Broker, type BrokerOptions } from "../../core/broker/broker.ts";
import { MemoryTaskLog } from "../../core/broker/dispatcher/memory_task_log.ts";
import { serveClient } from "../../core/broker/endpoint_v2_client.ts";
import { serveProvider } from "../../core/broker/endpoint_v2_provider.ts";
import type { ByteSink } from "../../core/byte_stream.ts";
import { Client } from "../../core/client/client.ts";
import type { TaskRequest } from "../../core/client/task_request.ts";
import { WasimoffError } from "../../core/errors.ts";
import { silent } from "../../core/log.ts";
import { exited } from "../../core/outcome.ts";
import { CLIENT_LEASE_MS, PROVIDER_LEASE_MS } from "../../core/protocol/limits.ts";
import { runProvider } from "../../core/provider/provider.ts";
import type { ProviderOptions, RunInSlot } from "../../core/provider/provider_options.ts";
import { type AcceptOptions, SessionAcceptor } from "../../core/session/acceptor.ts";
import type { Connection } from "../../core/session/connection.ts";
import { openSession } from "../../core/session/dialer.ts";
import { type FileRef, isFileRef } from "../../core/storage/file_store.ts";
import { type MemoryPipe, memoryPipe } from "../../core/transport/memory.ts";

/** Stands for the module of every test task. */
export const MODULE: FileRef = `sha256:${"0".repeat(64)}`;

export interface TestProvider {
  /** Connections so far, the last one is the live one. */
  readonly pipes: MemoryPipe[];
  /** Tells it to drain; resolves when it has left. */
  leave(): Promise<void>;
}

export interface TestClient {
  readonly client: Client;
  readonly pipes: MemoryPipe[];
}

export class MemoryCluster implements AsyncDisposable {
  readonly broker: Broker;
  readonly #acceptor = new SessionAcceptor({ agent: "test", capabilities: [], logger: silent });
  readonly #leaving: (() => Promise<void> | void)[] = [];

  constructor(options: Partial<BrokerOptions> = {}) {
    this.broker = new Broker({
      idPrefix: "t",
      log: new MemoryTaskLog(),
      now: () => performance.timeOrigin + performance.now(),
      startHash: () => {
        const hash = createHash("sha256");
        return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest("hex") };
      },
      logger: silent,
      ...options,
    });
  }

  /** Starts a provider and resolves when it is seated. */
  async provider(runInSlot: RunInSlot, options: Partial<ProviderOptions> = {}): Promise<TestProvider> {
    const pipes: MemoryPipe[] = [];
    const stop = new AbortController();
    const ready = Promise.withResolvers<string>();
    const done = runProvider({
      name: "p",
      labels: {},
      slots: 1,
      taskMemoryBytes: 512 * 1024 * 1024,
      taskTimeoutMs: 600_000,
      taskDiskBytes: 64 * 1024 * 1024,
      once: false,
      drainMs: 1_000,
      openSession: (signal) =>
        openSession({
          dial: () => this.#dial(this.#asProvider, pipes),
          token: "",
          agent: "test",
          logger: silent,
          signal,
        }),
      runInSlot,
      loadFile: () => Promise.reject(new WasimoffError("not_found", "no file is stored here")),
      cached: () => Promise.resolve([]),
      onReady: ready.resolve,
      logger: silent,
      signal: stop.signal,
      ...options,
    });
    const leave = () => {
      stop.abort();
      return done;
    };
    this.#leaving.push(leave);
    await ready.promise;
    return { pipes, leave };
  }

  async client(): Promise<TestClient> {
    const pipes: MemoryPipe[] = [];
    const client = await Client.connect({ dial: () => this.#dial(this.#asClient, pipes) });
    this.#leaving.push(() => client.close());
    return { client, pipes };
  }

  /** A raw connection to the client endpoint, for peers that misbehave. */
  connect(role: "client" | "provider"): MemoryPipe {
    const pipes: MemoryPipe[] = [];
    void this.#dial(role === "client" ? this.#asClient : this.#asProvider, pipes);
    return pipes[0]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#leaving.map((leave) => leave()));
    this.#acceptor.close(new WasimoffError("unavailable", "broker is shutting down"));
    this.broker.close();
  }

  #dial(options: AcceptOptions, pipes: MemoryPipe[]): Promise<Connection> {
    const pipe = memoryPipe();
    pipes.push(pipe);
    void this.#acceptor.accept(pipe.b, options);
    return Promise.resolve(pipe.a);
  }

  readonly #asProvider: AcceptOptions = {
    endpoint: "provider",
    leaseMs: PROVIDER_LEASE_MS,
    peer: null,
    authenticate: () => {},
    opened: (session) =>
      serveProvider(session, { broker: this.broker, storagePath: "/api/storage/", logger: silent }),
  };

  readonly #asClient: AcceptOptions = {
    endpoint: "client",
    leaseMs: CLIENT_LEASE_MS,
    peer: null,
    authenticate: () => {},
    opened: (session) =>
      serveClient(session, {
        broker: this.broker,
        resolve: (name) =>
          isFileRef(name)
            ? Promise.resolve(name)
            : Promise.reject(new WasimoffError("not_found", `file "${name}" is not stored`)),
        pin: () => () => {},
      }),
  };
}

/** A task without arguments or files. */
export function task(fields: Partial<TaskRequest> = {}): TaskRequest {
  return { module: MODULE, args: ["test"], ...fields };
}

/** Collects an output as text. */
export class TextSink implements ByteSink {
  readonly #decoder = new TextDecoder();
  text = "";
  state: "open" | "ended" | WasimoffError = "open";

  write(chunk: Uint8Array): void {
    this.text += this.#decoder.decode(chunk, { stream: true });
  }

  end(): void {
    this.state = "ended";
  }

  abort(reason: WasimoffError): void {
    this.state = reason;
  }
}

/** A slot whose guest copies stdin to stdout and exits with the number in its first argument. */
export const copyingSlot: RunInSlot = async ({ args }, { stdin, stdout, stderr, artifacts }) => {
  let bytes = 0;
  for (let chunk = await stdin?.read(); chunk; chunk = await stdin?.read()) {
    bytes += chunk.length;
    await stdout.write(chunk);
  }
  stdout.end();
  stderr.end();
  artifacts.end();
  return { outcome: exited(Number(args[1] ?? 0)), durationMs: bytes / 1e6, memoryBytes: 65536 };
};
