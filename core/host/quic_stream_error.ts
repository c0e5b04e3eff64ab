/** Which code a peer gave when it ended a stream of QUIC. Deno has it only in the text of the error. */

/**
 * For `streamErrorCode` of WebTransport: the code of a reset (an error of a read) or of a peer that does not read
 * on (an error of a write); undefined for other errors.
 */
export function quicStreamErrorCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const match = /^(?:stream reset by peer|sending stopped by peer): error (\d+)$/.exec(error.message);
  return match === null ? undefined : Number(match[1]);
}
