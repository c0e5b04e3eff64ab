/** A throw-away sshd on a free port of this machine, and clients that it lets in. */

import { freePorts, TcpClient } from "./tcp_service.ts";

const SSHD = "/usr/sbin/sshd";
const INSTALL = "apt-get install openssh-server openssh-client";
const missing = !exists(SSHD) || !exists("/usr/bin/ssh");
const inCi = Deno.env.get("CI") === "true";

/** A test that needs sshd: without it ignored, with the command that installs it, except in CI. */
export function sshTest(name: string, run: () => Promise<void>): void {
  Deno.test({ name: missing ? `${name} (${INSTALL})` : name, ignore: missing && !inCi, fn: run });
}

export class SshServer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(readonly directory: string, readonly port: number, child: Deno.ChildProcess) {
    this.#child = child;
  }

  static async start(): Promise<SshServer> {
    const directory = await Deno.makeTempDir({ prefix: "wasimoff-ssh-" });
    for (const name of ["host", "user"]) {
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${directory}/${name}`]);
    }
    await Deno.copyFile(`${directory}/user.pub`, `${directory}/authorized`);
    if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true }); // sshd as root insists on it
    const { first: port } = await freePorts(1);
    const config = [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${directory}/host`,
      `AuthorizedKeysFile ${directory}/authorized`,
      "PidFile none",
      "UsePAM no",
      "StrictModes no",
      "PasswordAuthentication no",
      "Ciphers aes128-gcm@openssh.com",
    ];
    await Deno.writeTextFile(`${directory}/config`, config.join("\n"));
    const child = new Deno.Command(SSHD, {
      args: ["-D", "-e", "-f", `${directory}/config`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const server = new SshServer(directory, port, child);
    await server.#listening();
    return server;
  }

  /** The start of every command line of ssh or scp for this server; its host is called `box`. */
  get clientArgs(): string[] {
    return [
      ...["-F", "none", "-i", `${this.directory}/user`, "-o", "StrictHostKeyChecking=no"],
      ...["-o", `UserKnownHostsFile=${this.directory}/known`, "-o", "LogLevel=ERROR", "-o", "BatchMode=yes"],
      ...["-c", "aes128-gcm@openssh.com"],
    ];
  }

  async #listening(): Promise<void> {
    for (let tries = 0;; tries++) {
      try {
        using _client = await TcpClient.connect(this.port);
        return;
      } catch (error) {
        if (tries > 200) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await Deno.remove(this.directory, { recursive: true });
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
