/** A second host on this machine: a network namespace behind a pair of virtual Ethernet devices. Needs root. */

import { outputOf } from "../../tools/run_program.ts";

/** Why there can be none; null where there can. */
export async function whyNoNetworkLab(): Promise<string | null> {
  if (Deno.uid() !== 0) return "needs root for a network namespace";
  try {
    await using _lab = await NetworkLab.open();
    return null;
  } catch (error) {
    return `needs a network namespace: ${(error as Error).message.trim()}`;
  }
}

/** Last octets of this machine's two addresses and of the other host's one. */
const OURS = [1, 3];
const THEIRS = 2;

export class NetworkLab implements AsyncDisposable {
  readonly #name: string;
  readonly #network: string;

  private constructor(name: string, network: string) {
    this.#name = name;
    this.#network = network;
  }

  static async open(): Promise<NetworkLab> {
    const random = crypto.getRandomValues(new Uint8Array(2));
    const lab = new NetworkLab(`wsf${random.toHex()}`, `10.${100 + random[0]! % 100}.${random[1]}`);
    const { near, far } = lab;
    try {
      await ip("netns", "add", lab.#name);
      await ip("link", "add", near, "type", "veth", "peer", "name", far);
      await ip("link", "set", far, "netns", lab.#name);
      for (const last of OURS) await ip("addr", "add", `${lab.#network}.${last}/24`, "dev", near);
      await ip("link", "set", near, "up");
      await ip("-n", lab.#name, "addr", "add", `${lab.#network}.${THEIRS}/24`, "dev", far);
      await ip("-n", lab.#name, "link", "set", far, "up");
      await ip("-n", lab.#name, "link", "set", "lo", "up");
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Addresses of this machine that the other host reaches. */
  get addresses(): readonly [string, string] {
    return [`${this.#network}.${OURS[0]}`, `${this.#network}.${OURS[1]}`];
  }

  /** The words that run a program on the other host. */
  get inside(): readonly string[] {
    return ["ip", "netns", "exec", this.#name];
  }

  private get near(): string {
    return `${this.#name}a`;
  }

  private get far(): string {
    return `${this.#name}b`;
  }

  /** Takes both ends of the cable away, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    await ip("link", "del", this.near).catch(() => {}); // where it was not made
    await ip("netns", "del", this.#name).catch(() => {});
  }
}

async function ip(...args: string[]): Promise<void> {
  await outputOf("ip", args);
}
