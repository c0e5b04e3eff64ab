/** The real programs of Snowflake and a STUN server, as Debian has them. */

import { within } from "./within.ts";

export const SNOWFLAKE_PACKAGES = ["snowflake-client", "snowflake-proxy", "coturn", "iproute2"] as const;
const PROGRAMS = ["snowflake-client", "snowflake-proxy", "turnserver", "ip"] as const;

/** Whether they are all here. */
export async function haveSnowflake(): Promise<boolean> {
  const directories = ["/usr/bin", "/usr/sbin", "/sbin", "/bin"];
  const found = await Promise.all(PROGRAMS.map(async (program) => {
    const tries = directories.map((directory) =>
      Deno.stat(`${directory}/${program}`).then(() => true, () => false)
    );
    return (await Promise.all(tries)).includes(true);
  }));
  return found.every(Boolean);
}

/** A program that runs until the end of its scope; what it says is kept. */
export class RunningProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  #text = "";
  #said = Promise.withResolvers<void>();

  constructor([program = "", ...args]: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = new Deno.Command(program, { args, env, stdin: "null", stdout: "piped", stderr: "piped" })
      .spawn();
    this.#reading = Promise.all([this.#read(this.#child.stdout), this.#read(this.#child.stderr)]);
  }

  get text(): string {
    return this.#text;
  }

  /** Resolves with the match as soon as it has said so. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) return match;
      await within(this.#said.promise, `${pattern} (until now: ${this.#text})`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
    await this.#reading;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.#text += decoder.decode(chunk, { stream: true });
      this.#said.resolve();
      this.#said = Promise.withResolvers();
    }
  }
}

/** Polls `broker`, sends what it gets to `relay`, and takes addresses of this machine for reachable ones. */
export function proxyCommand(broker: string, relay: string, stun: string): readonly string[] {
  return [
    ...["snowflake-proxy", "-broker", broker, "-relay", relay, "-stun", stun, "-allow-non-tls-relay"],
    ...["-allowed-relay-hostname-pattern", `${new URL(relay).hostname}$`],
    ...["-keep-local-addresses", "-unsafe-logging", "-verbose"],
  ];
}

/** A pluggable transport of Tor: says `CMETHOD snowflake socks5 ADDRESS` when it is ready. */
export function clientCommand(broker: string, stun: string, log: string): readonly string[] {
  return [
    "snowflake-client",
    "-url",
    broker,
    "-ice",
    stun,
    "-keep-local-addresses",
    "-unsafe-logging",
    "-log",
    log,
  ];
}

export function clientEnvironment(state: string): Readonly<Record<string, string>> {
  return {
    TOR_PT_MANAGED_TRANSPORT_VER: "1",
    TOR_PT_CLIENT_TRANSPORTS: "snowflake",
    TOR_PT_STATE_LOCATION: state,
    TOR_PT_EXIT_ON_STDIN_CLOSE: "0",
  };
}

/** A STUN server with two addresses, without which a client cannot tell its kind of NAT; on any free pair of ports. */
export function stunCommand(
  [first, second]: readonly [string, string],
  port: number,
  directory: string,
): readonly string[] {
  return [
    ...["turnserver", "-n", "-L", first, "-L", second, "--listening-port", `${port}`],
    ...[
      "--alt-listening-port",
      `${port + 1}`,
      "--no-auth",
      "--no-tls",
      "--no-dtls",
      "--no-cli",
      "--stun-only",
    ],
    ...["--simple-log", "--log-file", `${directory}/stun.log`, "--pidfile", `${directory}/stun.pid`],
    ...["--db", `${directory}/stun.db`],
  ];
}
