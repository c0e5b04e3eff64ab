/** The domain whose sub-domains are tunnels. */

import { WasimoffError } from "../errors.ts";

const DOMAIN =
  /^(?:(https?):\/\/)?((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63})(?::(\d{1,5}))?$/;
/** Host names have no more characters. */
const MAX_DOMAIN_CHARS = 253;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** How visitors reach the broker itself: what a domain is taken to mean that does not say otherwise. */
export interface PublicEndpoint {
  readonly scheme: "http" | "https";
  readonly port: number;
}

const DEFAULT_PORTS = { http: 80, https: 443 };

export class TunnelDomain {
  readonly #domain: string;
  readonly #scheme: "http" | "https" | null;
  readonly #port: number | null;

  /**
   * Takes `tunnels.example.org`, and `https://tunnels.example.org[:PORT]` where another server in front of the broker
   * speaks TLS. Throws `invalid_argument` for anything else.
   */
  constructor(text: string) {
    const [, scheme, domain, port] = DOMAIN.exec(text.toLowerCase()) ?? [];
    if (domain === undefined || domain.length > MAX_DOMAIN_CHARS || Number(port ?? 0) > 65_535) {
      const message = `tunnel domain "${text}" is no domain: write it like "tunnels.example.org"`;
      throw new WasimoffError("invalid_argument", message);
    }
    this.#domain = domain;
    this.#scheme = scheme === "http" || scheme === "https" ? scheme : null;
    this.#port = port !== undefined
      ? Number(port)
      : this.#scheme !== null
      ? DEFAULT_PORTS[this.#scheme]
      : null;
  }

  /**
   * The name of the tunnel that a Host (with or without port) means: empty for what lies under the domain and is no
   * name, null for what does not lie under it.
   */
  nameOf(host: string): string | null {
    const bare = host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
    if (!bare.endsWith(`.${this.#domain}`)) return null;
    const name = bare.slice(0, -this.#domain.length - 1);
    return LABEL.test(name) ? name : "";
  }

  /** What a certificate for all tunnels is made out to; the host above them is the broker's. */
  get certificateNames(): string[] {
    return [this.#domain, `*.${this.#domain}`];
  }

  /** Where visitors find a tunnel. */
  urlOf(name: string, own: PublicEndpoint): string {
    const scheme = this.#scheme ?? own.scheme;
    const port = this.#port ?? own.port;
    return `${scheme}://${name}.${this.#domain}${port === DEFAULT_PORTS[scheme] ? "" : `:${port}`}`;
  }
}
