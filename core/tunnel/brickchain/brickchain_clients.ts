/** Which control connection stands for which client id. */

import { WasimoffError } from "../../errors.ts";

/** A control connection. */
export interface ClientLink {
  /** It has been silent for a while. */
  readonly suspect: boolean;
}

/** Ids that are registered at once. */
export const MAX_CLIENTS = 10_000;
/** Connections that are remembered for one id: the newest serves, the others stand by until it ends. */
export const MAX_LINKS_PER_CLIENT = 4;

export class BrickchainClients<T extends ClientLink> {
  /** The newest last. */
  readonly #links = new Map<string, T[]>();

  get size(): number {
    return this.#links.size;
  }

  has(id: string): boolean {
    return this.#links.has(id);
  }

  /** The newest connection of the id, unless that is silent and another is not; null when there is none. */
  find(id: string): T | null {
    const links = this.#links.get(id);
    return links?.findLast(({ suspect }) => !suspect) ?? links?.at(-1) ?? null;
  }

  /** Takes over from connections that have registered the id before. Throws `resource_exhausted`. */
  add(id: string, link: T): void {
    const links = this.#links.get(id);
    if (links === undefined && this.#links.size >= MAX_CLIENTS) {
      throw new WasimoffError("resource_exhausted", "server has too many clients: try again later");
    }
    const others = links?.filter((other) => other !== link) ?? [];
    this.#links.set(id, [...others.slice(1 - MAX_LINKS_PER_CLIENT), link]);
  }

  remove(id: string, link: T): void {
    const others = this.#links.get(id)?.filter((other) => other !== link) ?? [];
    if (others.length === 0) this.#links.delete(id);
    else this.#links.set(id, others);
  }
}
