/**
 * A WebTransport session, of ours or of a browser, as a connection with lanes (core/protocol/README.md,
 * "WebTransport"): one bidirectional stream for everything, and one more for each large byte stream.
 */

import { cutText } from "../cut_text.ts";
import { closeCode, type Code, WasimoffError } from "../errors.ts";
import { joinChunks } from "../join_chunks.ts";
import { HELLO_TIMEOUT_MS, MAX_LANES } from "../protocol/limits.ts";
import type { Connection, ConnectionHandler, Lanes } from "../session/connection.ts";
import { OutgoingLanes } from "./outgoing_lanes.ts";
import { RecordReader } from "./record_reader.ts";
import { RecordWriter } from "./record_writer.ts";
import type { TransportCloseInfo, TransportSession, TransportStream } from "./webtransport_shape.ts";

/** How long a peer may take to end the session that we have ended. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Bytes of a reason that a close capsule carries. */
const MAX_CLOSE_REASON_BYTES = 1_024;

type Side = "dialer" | "acceptor";

/**
 * Takes over a session that is ready. The dialer opens the first stream, the acceptor waits for it, at most
 * HELLO_TIMEOUT_MS. Rejects with a WasimoffError, and has closed the session then. The transport buffers streams that
 * nobody reads, more than a peer may cost that is not known yet: therefore one that opens a second bidirectional
 * stream, or as a dialer a lane before its hello was accepted, is sent away.
 */
export async function openWebTransportConnection(
  transport: TransportSession,
  side: Side,
): Promise<Connection> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const lanes = new LaneQueue(transport, side);
  const timer = setTimeout(
    () => reject(new WasimoffError("deadline_exceeded", "peer did not open a stream in time")),
    HELLO_TIMEOUT_MS,
  );
  void lanes.early.then((cause) => cause && reject(cause));
  try {
    const first = await Promise.race([firstStream(transport, side), late]);
    return new WebTransportConnection(transport, first, lanes);
  } catch (error) {
    const cause = WasimoffError.from(error, "unavailable");
    closeTransport(transport, cause);
    transport.closed.catch(() => {}); // the cause is told already
    throw cause;
  } finally {
    clearTimeout(timer);
  }
}

async function firstStream(transport: TransportSession, side: Side): Promise<TransportStream> {
  if (side === "dialer") return await transport.createBidirectionalStream({ waitUntilAvailable: true });
  const streams = transport.incomingBidirectionalStreams.getReader();
  const { done, value } = await streams.read();
  streams.releaseLock();
  if (done) throw new WasimoffError("unavailable", "peer closed the session before it opened a stream");
  return value;
}

type NextLane = Promise<ReadableStreamReadResult<ReadableStream<Uint8Array>>>;

/** Lanes of the peer. The first is asked for at once, so that one that comes too early is seen. */
class LaneQueue {
  readonly #lanes: ReadableStreamDefaultReader<ReadableStream<Uint8Array>>;
  #first: NextLane | null;
  /** From the beginning at a dialer: the acceptor's lanes may overtake its welcome. */
  #wanted: boolean;
  /** Resolves at the first lane, with what is wrong when it came before `next` was called; null for nothing. */
  readonly early: Promise<WasimoffError | null>;

  constructor(transport: TransportSession, side: Side) {
    this.#wanted = side === "dialer";
    this.#lanes = transport.incomingUnidirectionalStreams.getReader();
    this.#first = this.#lanes.read();
    this.early = this.#first.then(
      ({ done }) => done || this.#wanted ? null : violation("a lane before its hello was accepted"),
      () => null, // told by the end of the session
    );
  }

  next(): NextLane {
    this.#wanted = true;
    const first = this.#first;
    this.#first = null;
    return first ?? this.#lanes.read();
  }
}

class WebTransportConnection implements Connection {
  readonly lanes: Lanes;
  readonly #transport: TransportSession;
  readonly #reader: RecordReader;
  readonly #writer: RecordWriter;
  readonly #outgoing: OutgoingLanes;
  readonly #incoming = new Set<RecordReader>();
  #handler: ConnectionHandler | null = null;
  readonly #laneQueue: LaneQueue;
  #acceptsLanes = false;
  /** Resolved when one of the MAX_LANES incoming ones has ended. */
  #laneEnded: PromiseWithResolvers<void> | null = null;
  /** Why it ends; the first cause wins. */
  #cause: WasimoffError | null = null;
  #closed = false;
  #closing: ReturnType<typeof setTimeout> | undefined;

  constructor(transport: TransportSession, { readable, writable }: TransportStream, lanes: LaneQueue) {
    this.#transport = transport;
    this.#laneQueue = lanes;
    void lanes.early.then((cause) => cause && this.#finish(cause));
    const owner = {
      drained: () => this.#handler?.onDrain(),
      failed: (cause: WasimoffError) => this.#finish(cause),
    };
    this.#reader = new RecordReader(readable);
    this.#writer = new RecordWriter(owner);
    this.#writer.open(writable);
    this.lanes = this.#outgoing = new OutgoingLanes({
      ...owner,
      openStream: (sendOrder) =>
        transport.createUnidirectionalStream({ sendOrder, waitUntilAvailable: true }),
      sendElsewhere: (frames) => {
        for (const [frame, number] of frames) this.#writer.send(frame, number);
      },
    });
    transport.closed.then(
      (info) => this.#finish(closeCause(info)),
      (error) => this.#finish(WasimoffError.from(error, "unavailable")),
    );
  }

  get buffered(): number {
    return this.#writer.buffered;
  }

  start(handler: ConnectionHandler): void {
    const first = this.#handler === null;
    this.#handler = handler;
    // A session that ended before anybody listened still tells its end, in a turn of its own.
    if (this.#closed) return queueMicrotask(() => handler.onClose(this.#cause!));
    if (first) {
      void this.#receive();
      void this.#refuseStreams();
    }
    if (handler.onLaneFrame === undefined || this.#acceptsLanes) return;
    this.#acceptsLanes = true;
    void this.#acceptLanes();
  }

  send(frame: Uint8Array, number = 0, body?: Uint8Array): void {
    if (this.#cause !== null) return;
    this.#writer.send(body === undefined ? frame : joinChunks([frame, body]), number);
  }

  /** What was sent still goes: the session itself, whose end would discard it, ends when the peer has seen ours. */
  close(code: Code, reason: string): void {
    if (this.#cause !== null) return;
    const cause = this.#cause = new WasimoffError(code, reason);
    this.#outgoing.end();
    void this.#writer.end();
    this.#closing = setTimeout(() => this.#finish(cause), CLOSE_TIMEOUT_MS);
  }

  /** The first stream. Its end is the end of the connection, and the peer may wait for us to say so. */
  async #receive(): Promise<void> {
    try {
      await this.#reader.run((frame, number) => {
        if (this.#cause === null) this.#handler!.onFrame(frame, number);
      });
      this.#finish(new WasimoffError("unavailable", "peer closed the connection"));
    } catch (error) {
      this.#finish(WasimoffError.from(error));
    }
  }

  async #refuseStreams(): Promise<void> {
    try {
      const { done } = await this.#transport.incomingBidirectionalStreams.getReader().read();
      if (!done) this.#finish(violation("a second bidirectional stream"));
    } catch (error) {
      this.#finish(WasimoffError.from(error, "unavailable"));
    }
  }

  /** More lanes than MAX_LANES wait in the transport, which bounds their number. */
  async #acceptLanes(): Promise<void> {
    try {
      while (!this.#closed) {
        const { done, value } = await this.#laneQueue.next();
        if (done) return;
        void this.#receiveLane(value);
        if (this.#incoming.size < MAX_LANES) continue;
        this.#laneEnded = Promise.withResolvers();
        await this.#laneEnded.promise;
      }
    } catch (error) {
      this.#finish(WasimoffError.from(error, "unavailable"));
    }
  }

  async #receiveLane(stream: ReadableStream<Uint8Array>): Promise<void> {
    const reader = new RecordReader(stream);
    if (this.#closed) return reader.cancel(this.#cause!);
    this.#incoming.add(reader);
    try {
      await reader.run((frame, number) => {
        if (this.#cause === null) this.#handler!.onLaneFrame?.(frame, number);
      });
    } catch (error) {
      this.#finish(WasimoffError.from(error));
    }
    this.#incoming.delete(reader);
    this.#laneEnded?.resolve();
  }

  #finish(cause: WasimoffError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cause ??= cause;
    clearTimeout(this.#closing);
    this.#outgoing.abandon();
    this.#writer.abandon();
    this.#reader.cancel(this.#cause);
    for (const reader of this.#incoming) reader.cancel(this.#cause);
    this.#laneEnded?.resolve();
    closeTransport(this.#transport, this.#cause);
    this.#handler?.onClose(this.#cause);
  }
}

/** The code is the one of a WebSocket's close. */
function closeTransport(transport: TransportSession, { code, message }: WasimoffError): void {
  try {
    transport.close({ closeCode: closeCode(code), reason: cutText(message, MAX_CLOSE_REASON_BYTES) });
  } catch {
    // It has ended already, which is what we want.
  }
}

function violation(what: string): WasimoffError {
  return new WasimoffError("invalid_argument", `peer opened ${what}`);
}

function closeCause({ closeCode = 0, reason = "" }: TransportCloseInfo): WasimoffError {
  const text = `peer closed the connection with ${closeCode}`;
  return new WasimoffError("unavailable", reason === "" ? text : `${text}: ${reason}`);
}
