/** Two sessions joined in memory, whose connection a test can cut, stall and renew; and a peer made of raw frames. */

import FakeTimers from "@sinonjs/fake-timers";
import { WasimoffError } from "../../core/errors.ts";
import type { Connection } from "../../core/session/connection.ts";
import { decodeFrame, encodeFrame, type Frame } from "../../core/session/frame.ts";
import { Session } from "../../core/session/session.ts";
import { type MemoryPipe, memoryPipe } from "../../core/transport/memory.ts";
import { settle } from "./settle.ts";

const OVER = new WasimoffError("canceled", "test is over");

/** As `settle`, and until a goodbye that came meanwhile has ended its session, which takes a turn of its own. */
export async function settleGoodbye(): Promise<void> {
  await settle();
  await new Promise((resolve) => setTimeout(resolve, 0)); // due after the timer that was set before
  await settle();
}

/** A clock that stands still until a test moves it; `using` puts the true one back. */
export function fakeClock() {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  return { tick: (ms: number) => clock.tickAsync(ms), [Symbol.dispose]: () => clock.uninstall() };
}

export class SessionPair implements Disposable {
  readonly dialer: Session;
  readonly acceptor: Session;
  pipe!: MemoryPipe;

  constructor(leaseMs = 10_000) {
    this.dialer = new Session({ side: "dialer", leaseMs });
    this.acceptor = new Session({ side: "acceptor", leaseMs });
    this.connect();
  }

  /** Joins both by a fresh connection; what the old one still carries is lost. */
  connect(prepare: (pipe: MemoryPipe) => void = () => {}): void {
    this.pipe?.cut();
    this.pipe = memoryPipe();
    prepare(this.pipe);
    const { received } = this.dialer;
    this.dialer.attach(this.pipe.a, this.acceptor.received);
    this.acceptor.attach(this.pipe.b, received);
  }

  [Symbol.dispose](): void {
    this.pipe.cut();
    this.dialer.close(OVER);
    this.acceptor.close(OVER);
  }
}

/** What one end of a connection hears, and a way to say anything on it. */
export class RawPeer {
  readonly frames: Frame[] = [];
  closed: WasimoffError | null = null;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.start({
      onFrame: (bytes) => this.frames.push(decodeFrame(bytes)),
      onDrain: () => {},
      onClose: (cause) => this.closed = cause,
    });
  }

  /** Bytes that wait in the socket. */
  get buffered(): number {
    return this.#connection.buffered;
  }

  send(...frames: readonly Frame[]): void {
    for (const frame of frames) this.#connection.send(encodeFrame(frame));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#connection.send(bytes);
  }

  /** The frames of one type, as far as they have come. */
  of<T extends Frame["type"]>(type: T): Extract<Frame, { type: T }>[] {
    return this.frames.filter((frame) => frame.type === type) as Extract<Frame, { type: T }>[];
  }
}
