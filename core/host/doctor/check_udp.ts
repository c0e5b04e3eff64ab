/** Checks that UDP reaches a QUIC server. */

import { lookup } from "node:dns/promises";
import { formatMs } from "./check_tcp.ts";
import type { Verdict } from "./diagnosis.ts";

/** Servers drop shorter first packets (RFC 9000 14.1). */
const PROBE_BYTES = 1_200;
/** A version of the form that is reserved so that no server ever speaks it (RFC 9000 15). */
const UNKNOWN_VERSION = [0x1a, 0x2a, 0x3a, 0x4a];
/** UDP loses packets: the probe is sent so often until something comes. */
const RESEND_MS = 300;
/** Addresses of a name that are asked, all at once. */
const MAX_ADDRESSES = 4;

/** Asks for a version that nobody speaks: a QUIC server must say which it does, before any TLS. */
export async function checkUdp(url: URL, signal: AbortSignal): Promise<Verdict<true>> {
  const port = Number(url.port || 443);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = (await lookup(host, { all: true })).map(({ address }) => address).slice(0, MAX_ADDRESSES);
  const begunMs = performance.now();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  try {
    const address = await Promise.any(addresses.map((address) => probe(address, port, either)));
    const took = formatMs(performance.now() - begunMs);
    return { status: "ok", detail: `QUIC at ${address}, port ${port} answers in ${took}`, value: true };
  } catch {
    const detail = `nothing comes back from port ${port} of ${addresses.join(", ")}`;
    const advice = `let UDP port ${port} through firewalls and NAT, and check the broker's --quic`;
    return { status: "fail", detail, advice };
  } finally {
    stop.abort();
  }
}

/** Resolves with the address when it answers; rejects when the signal ends or the address cannot be reached. */
async function probe(address: string, port: number, signal: AbortSignal): Promise<string> {
  const hostname = address.includes(":") ? "::" : "0.0.0.0";
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const leave = () => socket.close();
  signal.addEventListener("abort", leave, { once: true });
  const send = () =>
    socket.send(probePacket(), { transport: "udp", hostname: address, port }).catch(() => {});
  const timer = setInterval(send, RESEND_MS);
  try {
    signal.throwIfAborted();
    await send();
    for (;;) {
      const [packet] = await socket.receive();
      if (isVersionNegotiation(packet)) return address;
    }
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", leave);
    if (!signal.aborted) socket.close();
  }
}

/** A long header with two random connection ids of 8 bytes (RFC 9000 17.2). */
function probePacket(): Uint8Array {
  const packet = new Uint8Array(PROBE_BYTES);
  packet[0] = 0xc0;
  packet.set(UNKNOWN_VERSION, 1);
  for (const at of [5, 14]) {
    packet[at] = 8;
    crypto.getRandomValues(packet.subarray(at + 1, at + 9));
  }
  return packet;
}

/** A long header of version 0 (RFC 9000 17.2.1). */
export function isVersionNegotiation(packet: Uint8Array): boolean {
  return packet.length > 7 && packet[0]! >= 0x80 && packet.subarray(1, 5).every((byte) => byte === 0);
}
