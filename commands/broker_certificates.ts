/** Where `wasimoff broker` has its certificate from, by its flags. */

import { AcmeCache } from "../core/host/acme_cache.ts";
import { AcmeCertificates } from "../core/host/acme_certificates.ts";
import { AcmeChallenges } from "../core/host/acme_challenges.ts";
import { orderCertificate } from "../core/host/acme_order.ts";
import { CertificateFiles } from "../core/host/certificate_files.ts";
import { CertificateRotation } from "../core/host/certificate_rotation.ts";
import type { CertificateSource } from "../core/host/certificate_source.ts";
import { alternativeNames } from "../core/host/ephemeral_certificate.ts";
import type { Logger } from "../core/log.ts";
import { TunnelDomain } from "../core/tunnel/tunnel_host_name.ts";
import { onAllAddresses } from "./all_addresses.ts";
import type { BROKER_COMMAND_FLAGS } from "./broker_flags.ts";
import { rendezvousTls } from "./broker_rendezvous.ts";
import type { OptionsOf } from "./flags.ts";
import { usageError } from "./usage_error.ts";

type BrokerOptions = OptionsOf<typeof BROKER_COMMAND_FLAGS>;

export interface BrokerCertificates extends AsyncDisposable {
  readonly source: CertificateSource;
}

/** Throws for flags that do not fit together; tells nothing of files and authorities. */
export function checkCertificateFlags(
  { cert, key, acmeHostnames, acmeEmail, transportUrl }: BrokerOptions,
): void {
  if ((cert === null) !== (key === null)) {
    throw usageError(
      `--${cert === null ? "key" : "cert"} is given alone: give both --cert and --key, or none`,
    );
  }
  if (cert !== null && acmeHostnames.length > 0) {
    throw usageError("--cert and --acme-hostnames exclude each other: give one of them");
  }
  if (acmeEmail !== null && acmeHostnames.length === 0) {
    throw usageError("--acme-email is given alone: give --acme-hostnames, too");
  }
  for (const name of acmeHostnames) {
    const [checked] = alternativeNames([name]);
    if (checked?.type !== "dns" || name.startsWith("*.")) {
      throw usageError(
        `--acme-hostnames: "${name}" is no host name: authorities of ACME need one, no wildcard`,
      );
    }
  }
  if (transportUrl !== null && URL.parse(transportUrl)?.protocol !== "https:") {
    throw usageError(
      `--transport-url: "${transportUrl}" is no URL: write "https://example.org:4443/transport"`,
    );
  }
}

/** Opens what the flags say: files, ACME, or certificates of our own; null when nothing needs one. */
export async function openCertificates(
  options: BrokerOptions,
  { https, log }: { readonly https: boolean; readonly log: Logger },
): Promise<BrokerCertificates | null> {
  const { cert, key, quic, acmeHostnames, transportUrl } = options;
  if (quic === null && transportUrl !== null) log.warn("--transport-url is of no use without --quic");
  if (quic === null && !https && !rendezvousTls(options)) {
    if (cert !== null || acmeHostnames.length > 0) {
      log.warn("the certificate is of no use: give --https or --quic");
    }
    return null;
  }
  if (cert !== null && key !== null) {
    return await openFiles(await CertificateFiles.open({ certPath: cert, keyPath: key, logger: log }));
  }
  if (acmeHostnames.length > 0) return await openAcme(options, log);
  return owned(await startRotation(options, log));
}

/** Reads the files again at SIGHUP. Without files that signal keeps its meaning: the terminal is gone. */
function openFiles(files: CertificateFiles): BrokerCertificates {
  const onHangup = () => void files.reload();
  Deno.addSignalListener("SIGHUP", onHangup);
  return owned(files, () => Deno.removeSignalListener("SIGHUP", onHangup));
}

async function openAcme(options: BrokerOptions, log: Logger): Promise<BrokerCertificates> {
  const { acmeHostnames, acmeEmail: email, acmeDirectory: directoryUrl, acmeCertCache, acmeHttp } = options;
  const hostnames = acmeHostnames.map((name) => name.toLowerCase());
  const cache = await AcmeCache.open(acmeCertCache);
  const challenges = await onAllAddresses(
    acmeHttp.host,
    (hostname) => AcmeChallenges.listen({ hostname, port: acmeHttp.port }, log),
  );
  try {
    const source = await AcmeCertificates.start({
      hostnames,
      cache,
      order: () => orderCertificate({ hostnames, email, directoryUrl, cache, challenges }),
      fallback: () => startRotation(options, log),
      now: Date.now,
      logger: log,
    });
    return owned(source, () => challenges.close());
  } catch (error) {
    await challenges.close();
    throw error;
  }
}

/** For all the names under which somebody may know this broker. */
function startRotation(options: BrokerOptions, logger: Logger) {
  const { http, quic, acmeHostnames, transportUrl, publicUrl, tunnelDomain } = options;
  const urls = [...publicUrl, ...(transportUrl === null ? [] : [transportUrl])];
  const hosts = [http.host, quic?.host, ...urls.map((url) => URL.parse(url)?.hostname)];
  const tunnels = tunnelDomain === null ? [] : new TunnelDomain(tunnelDomain).certificateNames;
  const names = ["localhost", "127.0.0.1", "::1", Deno.hostname(), ...hosts, ...acmeHostnames, ...tunnels];
  return CertificateRotation.start({
    names: names.filter((name) => typeof name === "string"),
    now: Date.now,
    logger,
  });
}

function owned(source: CertificateSource, close: () => void | Promise<void> = () => {}): BrokerCertificates {
  return {
    source,
    async [Symbol.asyncDispose]() {
      await source.close();
      await close();
    },
  };
}
