/** `wasimoff broker`: the meeting point of providers and clients. */

import { isLoopbackName } from "../core/broker/identity/loopback_rule.ts";
import { generateToken, Tokens } from "../core/broker/identity/tokens.ts";
import { BrokerHost } from "../core/host/broker_host.ts";
import { PROTOCOLS } from "../core/host/broker_routes.ts";
import { startHash } from "../core/host/hash.ts";
import type { ListenAddress as BoundAddress } from "../core/host/listen_on.ts";
import { readOperatorFile } from "../core/host/operator_file.ts";
import { ALL_ADDRESSES, onAllAddresses } from "./all_addresses.ts";
import { type BrokerCertificates, checkCertificateFlags, openCertificates } from "./broker_certificates.ts";
import { BROKER_COMMAND_FLAGS, CERTIFICATE_FLAGS, RENDEZVOUS_FLAGS, TUNNEL_FLAGS } from "./broker_flags.ts";
import { checkRendezvousFlags, rendezvousOptions } from "./broker_rendezvous.ts";
import { type Call, defineCommand } from "./command.ts";
import { formatListenAddress, type ListenAddress } from "./listen_address.ts";
import { VERSION } from "./version.ts";

export const command = defineCommand({
  name: "broker",
  summary: "bring clients and providers together",
  operands: { usage: "", min: 0, max: 0 },
  examples: [
    "wasimoff broker",
    "wasimoff broker --http :4080 --token-file tokens --storage /var/lib/wasimoff",
  ],
  flags: BROKER_COMMAND_FLAGS,
  topics: { certificates: CERTIFICATE_FLAGS, tunnels: TUNNEL_FLAGS, rendezvous: RENDEZVOUS_FLAGS },
  notes: [
    "Also read: WASIMOFF_HTTP_LISTEN, _HTTP_CERT, _HTTP_KEY, _HTTPS, _QUIC_LISTEN,",
    "  _QUIC_CERT, _QUIC_KEY, _TRANSPORT_URL, _ALLOWED_ORIGINS, _FILESTORAGE",
  ],
  server: true,
  run: serve,
});

type BrokerCall = Call<typeof BROKER_COMMAND_FLAGS>;

async function serve(call: BrokerCall): Promise<number> {
  const { options, sources, log } = call;
  checkCertificateFlags(options);
  checkRendezvousFlags(options, sources);
  // The existing broker serves HTTPS as soon as it has these files for it.
  const https = options.https || (sources.https === "default" && Boolean(Deno.env.get("WASIMOFF_HTTP_CERT")));
  await using certificates = await openCertificates(options, { https, log });
  return await serveWith(call, { certificates, https });
}

interface Encrypted {
  readonly certificates: BrokerCertificates | null;
  readonly https: boolean;
}

async function serveWith(
  { options, sources, log, signal }: BrokerCall,
  { certificates, https }: Encrypted,
): Promise<number> {
  const access = await admission(options);
  const { host, port } = options.http;
  const start = (hostname: string) =>
    BrokerHost.start({
      listen: { hostname, port },
      grpc: options.grpc && boundAddress(options.grpc, hostname),
      storage: options.storage === ":memory:" ? null : options.storage,
      maxQueue: options.maxQueue,
      tokens: access.tokens,
      open: options.open,
      allowedOrigins: options.allowedOrigins,
      trustedProxies: options.trustedProxies,
      tunnelDomain: options.tunnelDomain,
      tcpPorts: options.tcpPorts,
      publicUrls: options.publicUrl,
      rendezvous: rendezvousOptions(options, (address) => boundAddress(address, hostname)),
      encryption: certificates && {
        certificates: certificates.source,
        https,
        quic: options.quic && { ...options.quic, required: sources.quic !== "default" },
        transportUrl: options.transportUrl,
      },
      version: {
        version: VERSION,
        revision: "devel",
        runtime: `deno ${Deno.version.deno}`,
        protocols: PROTOCOLS,
      },
      logger: log,
    });
  const broker = await onAllAddresses(host, start);
  const url = publicUrl(options.http, { address: broker.address, https });
  const hash = certificates?.source.hashes[0];
  const trust = https && hash !== undefined ? ` --cert-hash ${hash}` : "";
  if (access.token !== null) {
    log.warn("others than this machine need the token of this run; to let them in, paste there:");
    log.warn(`  WASIMOFF_TOKEN=${access.token} wasimoff provider --url ${url}${trust}`);
    log.warn(`  WASIMOFF_TOKEN=${access.token} wasimoff submit --url ${url}${trust} task.wasm`);
  }
  log.info(`broker is ready at ${url}`);
  if (broker.quicAddress !== null) {
    const certificate = { certificate: certificates!.source.kind, ...(hash !== undefined && { hash }) };
    log.info("WebTransport is served", { ...broker.quicAddress, ...certificate });
  }
  if (broker.grpcAddress !== null) log.info("gRPC is served", { ...broker.grpcAddress });
  if (broker.rendezvousAddress !== null) log.info("rendezvous is served", { ...broker.rendezvousAddress });
  try {
    await aborted(signal);
    const { running, queued } = broker.broker.stats;
    if (running + queued > 0) log.info("draining: a second signal leaves at once", { running, queued });
    await broker.drain(AbortSignal.timeout(options.drain));
  } finally {
    await broker.close();
  }
  return 0;
}

/** Whom the broker lets in besides this machine; a token of its own when it would be open to the network otherwise. */
async function admission(
  { http, grpc, quic, open, tokenFile }: BrokerCall["options"],
): Promise<{ tokens: Tokens | null; token: string | null }> {
  if (tokenFile !== null) {
    return {
      tokens: Tokens.parse(await readOperatorFile(tokenFile, { what: "token file" }), startHash),
      token: null,
    };
  }
  if (open || [http, grpc ?? http, quic ?? http].every(isLoopbackHost)) return { tokens: null, token: null };
  const token = generateToken((bytes) => void crypto.getRandomValues(bytes));
  return { tokens: new Tokens([token], startHash), token };
}

function isLoopbackHost({ host }: ListenAddress): boolean {
  return host !== null && isLoopbackName(host);
}

/** Without a host of its own all interfaces, of the family that the rest of the broker got. */
function boundAddress({ host, port }: ListenAddress, hostname: string): BoundAddress {
  const all = ALL_ADDRESSES.find((address) => address === hostname) ?? ALL_ADDRESSES[0]!;
  return { hostname: host ?? all, port };
}

/** The URL to give to others: a name that is ours to choose, with the port that was taken. */
function publicUrl(
  { host }: ListenAddress,
  { address: { port }, https }: { readonly address: BoundAddress; readonly https: boolean },
): string {
  const name = host === null || ALL_ADDRESSES.includes(host) ? Deno.hostname() : host;
  return `${https ? "https" : "http"}://${formatListenAddress({ host: name, port })}`;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
