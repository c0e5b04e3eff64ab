/** All tunnels of a broker: who may open which, and who takes over from whom. */

import { WasimoffError } from "../errors.ts";
import { MAX_TUNNELS, MAX_TUNNELS_PER_SESSION } from "../protocol/limits.ts";
import type { TunnelDirectory } from "./public_tunnel.ts";
import {
  RegisteredTunnel,
  type TunnelLink,
  type TunnelSpec,
  type VisitorGroup,
} from "./registered_tunnel.ts";
import type { TunnelNames } from "./tunnel_names.ts";

export interface TunnelRegistryOptions {
  readonly names: TunnelNames;
  readonly groupOf: VisitorGroup;
}

export interface OpenTunnelOptions {
  /** Digest of the client's token, empty for none. */
  readonly token: string;
  readonly link: TunnelLink;
}

/** Ids of keys that had a tunnel without a name, remembered to tell "gone" from "unknown". */
const MAX_GONE = 1_024;

/** A tunnel is the pair of key and name; the newest session that opens it has it. */
export class TunnelRegistry implements TunnelDirectory {
  readonly #options: TunnelRegistryOptions;
  readonly #tunnels = new Map<string, RegisteredTunnel>();
  readonly #perLink = new Map<TunnelLink, number>();
  readonly #gone = new Set<string>();
  #lastId = 0;

  constructor(options: TunnelRegistryOptions) {
    this.#options = options;
  }

  /** Tunnels that are open, for numbers and tests. */
  get tunnels(): Iterable<RegisteredTunnel> {
    return this.#tunnels.values();
  }

  get size(): number {
    return this.#tunnels.size;
  }

  find(name: string): RegisteredTunnel | "gone" | null {
    const tunnel = this.#tunnels.get(name);
    if (tunnel !== undefined) return tunnel;
    return this.#options.names.has(name) || this.#gone.has(name) ? "gone" : null;
  }

  /**
   * Opens a tunnel for the client of `link`. Rejects with `already_exists` for a second unnamed tunnel of a key that is
   * live from another process, with `resource_exhausted` for too many, and as `TunnelNames.claim` does.
   */
  async open(spec: TunnelSpec, { token, link }: OpenTunnelOptions): Promise<RegisteredTunnel> {
    this.#check(spec, link);
    if (spec.name !== spec.key) await this.#options.names.claim(spec.name, { key: spec.key, token });
    link.signal.throwIfAborted();
    this.#check(spec, link); // others may have come in the meantime
    return this.#place(spec, link);
  }

  /** Ends a tunnel that could not be finished by its face. */
  drop(tunnel: RegisteredTunnel, cause: WasimoffError): void {
    if (this.#tunnels.get(tunnel.name) === tunnel) this.#tunnels.delete(tunnel.name);
    this.#leave(tunnel, cause);
  }

  #check({ name, key }: TunnelSpec, link: TunnelLink): void {
    const holder = this.#tunnels.get(name)?.link;
    if (name === key && holder !== undefined && holder.live && holder.instance !== link.instance) {
      const message = "this key has a tunnel without a name already: give --name, or another --identity";
      throw new WasimoffError("already_exists", message);
    }
    if (holder === undefined && this.#tunnels.size >= MAX_TUNNELS) {
      throw new WasimoffError("resource_exhausted", "broker has too many tunnels: try again later");
    }
    if (holder !== link && (this.#perLink.get(link) ?? 0) >= MAX_TUNNELS_PER_SESSION) {
      const message = `session has ${MAX_TUNNELS_PER_SESSION} tunnels already: open another session`;
      throw new WasimoffError("resource_exhausted", message);
    }
  }

  #place(spec: TunnelSpec, link: TunnelLink): RegisteredTunnel {
    const old = this.#tunnels.get(spec.name);
    const tunnel = new RegisteredTunnel(String(++this.#lastId), spec, link, this.#options.groupOf);
    this.#tunnels.set(spec.name, tunnel);
    this.#perLink.set(link, (this.#perLink.get(link) ?? 0) + 1);
    this.#gone.delete(spec.name);
    const onEnd = () => this.#end(tunnel);
    link.signal.addEventListener("abort", onEnd, { once: true });
    tunnel.signal.addEventListener("abort", () => link.signal.removeEventListener("abort", onEnd), {
      once: true,
    });
    if (old !== undefined) this.#takeOver(old);
    return tunnel;
  }

  #takeOver(old: RegisteredTunnel): void {
    const cause = new WasimoffError(
      "aborted",
      `tunnel "${old.name}" goes on from another session of its key`,
    );
    this.#leave(old, cause);
    old.link.tunnelClosed(old.id, cause);
  }

  #end(tunnel: RegisteredTunnel): void {
    this.drop(tunnel, new WasimoffError("unavailable", `client of tunnel "${tunnel.name}" is gone`));
    if (tunnel.name !== tunnel.spec.key) return; // names are remembered anyway
    this.#gone.add(tunnel.name);
    if (this.#gone.size > MAX_GONE) this.#gone.delete(this.#gone.values().next().value!);
  }

  #leave(tunnel: RegisteredTunnel, cause: WasimoffError): void {
    if (tunnel.signal.aborted) return;
    const left = this.#perLink.get(tunnel.link)! - 1;
    if (left === 0) this.#perLink.delete(tunnel.link);
    else this.#perLink.set(tunnel.link, left);
    tunnel.close(cause);
  }
}
