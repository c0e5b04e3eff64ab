/**
 * A server of the WebTransport bench, in a process of its own: `raw` QUIC, `ours`, Deno's `builtin` WebTransport, or a
 * `websocket`. Prints `{"port","hash"}`; for each line of its input it collects garbage and prints `{"bytes"}`, the
 * memory that it has. Ends with its input.
 */

// deno-lint-ignore-file no-console -- prints what the bench reads
import { QuicListener } from "../../core/host/quic_listener.ts";
import { quicStreamErrorCode } from "../../core/host/quic_stream_error.ts";
import { silent } from "../../core/log.ts";
import { WebTransportServer } from "../../core/webtransport/server.ts";
import { makeTestCertificate } from "./test_certificate.ts";

/** What all servers offer for each stream: its first eight bytes ask for so many, or for an echo when they are 0. */
interface Duplex {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array>;
}

interface Peer {
  readonly incomingBidirectionalStreams: ReadableStream<Duplex>;
  readonly datagrams: {
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<Uint8Array>;
  };
}

const HEADER_BYTES = 8;
const CHUNK = new Uint8Array(256 * 1024);
const hostname = "127.0.0.1";

async function serveStream({ readable, writable }: Duplex): Promise<void> {
  const reader = readable.getReader({ mode: "byob" });
  const { value: header } = await reader.read(new Uint8Array(HEADER_BYTES), { min: HEADER_BYTES });
  reader.releaseLock();
  if (header === undefined) return;
  const wanted = Number(new DataView(header.buffer).getBigUint64(0));
  if (wanted === 0) return await readable.pipeTo(writable);
  const writer = writable.getWriter();
  for (let left = wanted; left > 0; left -= CHUNK.length) {
    await writer.write(CHUNK.subarray(0, Math.min(left, CHUNK.length)));
  }
  await writer.close();
}

async function serveStreams(peer: Pick<Peer, "incomingBidirectionalStreams">): Promise<void> {
  for await (const stream of peer.incomingBidirectionalStreams) serveStream(stream).catch(() => {});
}

async function echoDatagrams({ datagrams }: Peer): Promise<void> {
  const writer = datagrams.writable.getWriter();
  for await (const datagram of datagrams.readable) await writer.write(datagram);
}

function serveSession(session: Peer): void {
  serveStreams(session).catch(() => {});
  echoDatagrams(session).catch(() => {});
}

const { cert, key, hash } = await makeTestCertificate();

/** Answers the port. */
const SERVERS: Readonly<Record<string, () => Promise<number> | number>> = {
  raw: () => {
    const endpoint = new Deno.QuicEndpoint({ hostname, port: 0 });
    const listener = endpoint.listen({ cert, key, alpnProtocols: ["raw"] });
    const accept = async () => {
      for (;;) serveStreams(await (await listener.incoming()).accept()).catch(() => {});
    };
    void accept();
    return endpoint.addr.port;
  },
  builtin: () => {
    const endpoint = new Deno.QuicEndpoint({ hostname, port: 0 });
    const listener = endpoint.listen({ cert, key, alpnProtocols: ["h3"] });
    const serve = async (incoming: Deno.QuicIncoming) => {
      const session = await Deno.upgradeWebTransport(await incoming.accept());
      await session.ready;
      serveSession(session as unknown as Peer);
    };
    const accept = async () => {
      for (;;) serve(await listener.incoming()).catch(() => {});
    };
    void accept();
    return endpoint.addr.port;
  },
  ours: async () => {
    const server = new WebTransportServer({
      routes: { "/": { handle: serveSession } },
      streamErrorCode: quicStreamErrorCode,
    });
    const listener = await QuicListener.listen({
      hostname,
      port: 0,
      credentials: { cert, key },
      alpnProtocols: ["h3"],
      onConnection: (connection) => void server.serve(connection),
      logger: silent,
    });
    return listener.address.port;
  },
  websocket: () =>
    Deno.serve({ hostname, port: 0, onListen() {} }, (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onmessage = ({ data }) => socket.send(data);
      return response;
    }).addr.port,
};

const port = await SERVERS[Deno.args[0] as string]?.();
console.log(JSON.stringify({ port, hash: hash.toHex() }));
for await (const _ of Deno.stdin.readable) {
  (globalThis as unknown as { gc(): void }).gc();
  console.log(JSON.stringify({ bytes: Deno.memoryUsage().rss }));
}
Deno.exit();
