/** Listening on all addresses of the machine. */

/** Addresses of all interfaces: both families where the machine has IPv6. */
export const ALL_ADDRESSES: readonly string[] = ["::", "0.0.0.0"];

/** Starts something on a host, or on all addresses when that is null. */
export async function onAllAddresses<T>(
  host: string | null,
  start: (hostname: string) => Promise<T>,
): Promise<T> {
  return host === null
    ? await start(ALL_ADDRESSES[0]!).catch(() => start(ALL_ADDRESSES[1]!))
    : await start(host);
}
