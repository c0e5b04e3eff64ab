/** Names of tunnels: each belongs to the key, and the token, that took it first. */

import { WasimoffError } from "../errors.ts";
import { MAX_TUNNEL_NAMES, MAX_TUNNEL_NAMES_PER_OWNER } from "../protocol/limits.ts";
import { checkTunnelName } from "./tunnel_name.ts";

export interface TunnelNameEntry {
  readonly name: string;
  /** Id of the key. */
  readonly key: string;
  /** Digest of the token; empty for an owner without one, whose key alone counts. */
  readonly token: string;
}

/** Where names outlive the process; every call replaces all that was saved before. */
export interface TunnelNameStorage {
  load(): Promise<readonly TunnelNameEntry[]>;
  save(entries: readonly TunnelNameEntry[]): Promise<void>;
}

/** For brokers that forget everything anyway. */
export const UNSAVED_TUNNEL_NAMES: TunnelNameStorage = {
  load: () => Promise.resolve([]),
  save: () => Promise.resolve(),
};

export type TunnelOwner = Omit<TunnelNameEntry, "name">;

export class TunnelNames {
  readonly #storage: TunnelNameStorage;
  readonly #entries = new Map<string, TunnelNameEntry>();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(storage: TunnelNameStorage, entries: readonly TunnelNameEntry[]) {
    this.#storage = storage;
    for (const entry of entries) this.#entries.set(entry.name, entry);
  }

  static async open(storage: TunnelNameStorage): Promise<TunnelNames> {
    return new TunnelNames(storage, await storage.load());
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * Resolves when the name is the owner's, and saved. Rejects with `invalid_argument`, `permission_denied` for
   * somebody else's name, `resource_exhausted` for too many.
   */
  claim(name: string, owner: TunnelOwner): Promise<void> {
    checkTunnelName(name);
    const result = this.#turn.then(() => this.#claim({ name, ...owner }));
    this.#turn = result.catch(() => {}); // its caller hears of it
    return result;
  }

  async #claim(entry: TunnelNameEntry): Promise<void> {
    const { name, key, token } = entry;
    const known = this.#entries.get(name);
    if (known !== undefined) {
      if (known.key === key && (known.token === "" || known.token === token)) return;
      throw new WasimoffError(
        "permission_denied",
        `tunnel name "${name}" belongs to somebody else: use another`,
      );
    }
    this.#checkRoom(entry);
    this.#entries.set(name, entry);
    try {
      await this.#storage.save([...this.#entries.values()]);
    } catch (error) {
      this.#entries.delete(name);
      throw error;
    }
  }

  #checkRoom({ key, token }: TunnelOwner): void {
    if (this.#entries.size >= MAX_TUNNEL_NAMES) {
      throw new WasimoffError("resource_exhausted", `there are ${MAX_TUNNEL_NAMES} tunnel names already`);
    }
    let own = 0; // by the token where there is one: its owner can make any number of keys
    for (const entry of this.#entries.values()) {
      if (token === "" ? entry.key === key : entry.token === token) own++;
    }
    if (own < MAX_TUNNEL_NAMES_PER_OWNER) return;
    const message = `you have ${MAX_TUNNEL_NAMES_PER_OWNER} tunnel names already: use one of them`;
    throw new WasimoffError("resource_exhausted", message);
  }
}
