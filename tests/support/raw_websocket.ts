/** A WebSocket of which a test decides about every byte. */

const MASK = 0x80;

/** The bytes of a client's frame, masked by zeros; `announced` may differ from the payload's length. */
export function webSocketFrame(first: number, payload: Uint8Array, announced = payload.length): Uint8Array {
  const header = new DataView(new ArrayBuffer(14));
  header.setUint8(0, first);
  header.setUint8(1, MASK | 127);
  header.setBigUint64(2, BigInt(announced));
  const frame = new Uint8Array(14 + payload.length);
  frame.set(new Uint8Array(header.buffer));
  frame.set(payload, 14);
  return frame;
}

/** First bytes of frames: the last bit of a message, and what it is. */
export const BINARY = 0x82;
export const TEXT = 0x81;
/** A binary message that goes on in a further frame, and such a frame. */
export const BINARY_BEGIN = 0x02;
export const CONTINUATION = 0x00;

/** Sends an upgrade request and returns the socket with the first line of the answer. */
export async function upgradeByHand(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ socket: Deno.TcpConn; status: string }> {
  const lines = Object.entries({
    "Host": `127.0.0.1:${port}`,
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "wasimoff_v2",
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  await socket.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`));
  const answer = new Uint8Array(4_096);
  const length = await socket.read(answer) ?? 0;
  return { socket, status: new TextDecoder().decode(answer.subarray(0, length)).split("\r\n")[0]! };
}

/** Reads to the end of the connection; gives the code of the last close frame, or null when there was none. */
export async function closeCodeOf(socket: Deno.TcpConn): Promise<number | null> {
  const bytes: number[] = [];
  for (const buffer = new Uint8Array(4_096);;) {
    const length = await socket.read(buffer).catch(() => null); // a reset is an end, too
    if (length === null) break;
    bytes.push(...buffer.subarray(0, length));
    if (bytes.length > 1 && bytes[0] === 0x88) await socket.closeWrite().catch(() => {});
  }
  const at = bytes.lastIndexOf(0x88);
  return at < 0 ? null : bytes[at + 2]! << 8 | bytes[at + 3]!;
}
