import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { WasimoffError } from "../../../core/errors.ts";
import type { Connection } from "../../../core/session/connection.ts";
import { Session } from "../../../core/session/session.ts";
import { memoryPipe } from "../../../core/transport/memory.ts";
import { openWebTransportConnection } from "../../../core/transport/webtransport_connection.ts";
import { receiveAll, sendAll, traffic } from "../../support/session_traffic.ts";
import { TransportPair, type TransportPairOptions } from "../../support/transport_pair.ts";
import { within } from "../../support/within.ts";

const OVER = new WasimoffError("canceled", "test is over");

/** Connections of both ends, and a way to break them without a word. */
interface Wire {
  readonly ends: readonly [Connection, Connection];
  cut(): void;
}

async function lanes(options: TransportPairOptions): Promise<Wire & { pair: TransportPair }> {
  const pair = new TransportPair(options);
  const ends = await Promise.all([
    openWebTransportConnection(pair.a, "dialer"),
    openWebTransportConnection(pair.b, "acceptor"),
  ]);
  return { ends, pair, cut: () => pair.cut() };
}

function pipe(): Wire {
  const { a, b, cut } = memoryPipe();
  return { ends: [a, b], cut };
}

class Sessions implements Disposable {
  readonly dialer = new Session({ side: "dialer", leaseMs: 60_000 });
  readonly acceptor = new Session({ side: "acceptor", leaseMs: 60_000 });
  #wire: Wire | null = null;

  join(wire: Wire): void {
    this.#wire?.cut();
    this.#wire = wire;
    const { received } = this.dialer;
    this.dialer.attach(wire.ends[0], this.acceptor.received);
    this.acceptor.attach(wire.ends[1], received);
  }

  [Symbol.dispose](): void {
    this.#wire?.cut();
    this.dialer.close(OVER);
    this.acceptor.close(OVER);
  }
}

/** Streams and sizes of pieces in an order that a seed decides. */
function disorder(seed: number, onStep = () => {}): TransportPairOptions {
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
  return {
    pick: (streams) => {
      onStep();
      return below(streams);
    },
    cut: (bytes) => below(8) === 0 ? 1 + below(bytes) : bytes,
    byob: seed % 2 === 0,
  };
}

interface Stage {
  readonly lanes: boolean;
  readonly seed: number;
  /** After so many deliveries it breaks. */
  readonly steps: number;
}

/** Resolves when the wire of a stage has broken, or `done` is. */
async function runStage(sessions: Sessions, stage: Stage, done: Promise<unknown>): Promise<void> {
  const broken = Promise.withResolvers<void>();
  let left = stage.steps;
  const step = () => {
    if (left-- === 0) broken.resolve();
  };
  const wire = stage.lanes ? await lanes(disorder(stage.seed, step)) : counted(pipe(), step);
  sessions.join(wire);
  await Promise.race([broken.promise, done]);
}

/** A pipe that counts the frames it delivers. */
function counted(wire: Wire, step: () => void): Wire {
  for (const connection of wire.ends) {
    const start = connection.start.bind(connection);
    connection.start = (handler) =>
      start({
        onFrame: (frame) => {
          handler.onFrame(frame);
          step();
        },
        onDrain: () => handler.onDrain(),
        onClose: (cause) => handler.onClose(cause),
      });
  }
  return wire;
}

Deno.test("every message and byte arrives once and in order, whatever overtakes what, whatever breaks, with lanes or without", async () => {
  const stage = fc.record({ lanes: fc.boolean(), seed: fc.nat(), steps: fc.nat(120) });
  await fc.assert(
    fc.asyncProperty(
      traffic,
      traffic,
      fc.array(stage, { maxLength: 6 }),
      fc.nat(),
      async (up, down, stages, seed) => {
        using sessions = new Sessions();
        const { dialer, acceptor } = sessions;
        const ended: unknown[] = [];
        for (const { signal } of [dialer, acceptor]) {
          signal.addEventListener("abort", () => ended.push(signal.reason));
        }
        const done = Promise.all([
          sendAll(dialer, up),
          sendAll(acceptor, down),
          receiveAll(acceptor, up, 2),
          receiveAll(dialer, down, 1),
        ]);
        for (const stage of stages) await runStage(sessions, stage, done);
        sessions.join(await lanes(disorder(seed)));
        const [, , atAcceptor, atDialer] = await within(done, "all traffic");
        deepEqual(ended, []);
        deepEqual(atAcceptor, up);
        deepEqual(atDialer, down);
        deepEqual([dialer.streams.size, acceptor.streams.size], [0, 0]);
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("a goodbye does not overtake a large stream that has ended, though its connection would let it", async () => {
  using sessions = new Sessions();
  const { dialer, acceptor } = sessions;
  let held = false;
  const wire = await lanes({ hold: (stream) => held && stream >= 2 });
  sessions.join(wire);
  const out = dialer.streams.openSend();
  const source = acceptor.streams.acceptReceive(out.id);
  const goodbye = new Promise((resolve) =>
    acceptor.signal.addEventListener("abort", resolve, { once: true })
  );
  const read = async () => {
    let bytes = 0;
    for (let chunk = await source.read(); chunk !== null; chunk = await source.read()) bytes += chunk.length;
    return bytes;
  };
  const reading = read();
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  for (let i = 0; i < 40; i++) await out.write(new Uint8Array(50_000));
  held = true;
  out.end();
  while (dialer.streams.sending > 0) await turn();
  equal(dialer.flushed, false);
  dialer.close(OVER);
  await turn();
  equal(acceptor.signal.aborted, false);
  held = false;
  wire.pair.resume();
  equal(await within(reading, "the end of the stream"), 2_000_000);
  await within(goodbye, "the goodbye");
  equal(acceptor.signal.reason.message, "test is over");
  equal(wire.pair.opened, 1);
});

Deno.test("a small request is answered while a large stream waits in its lane", async () => {
  using sessions = new Sessions();
  const { dialer, acceptor } = sessions;
  let held = true;
  const wire = await lanes({ hold: (stream) => held && stream >= 2 });
  sessions.join(wire);
  const out = dialer.streams.openSend();
  const source = acceptor.streams.acceptReceive(out.id);
  const heard: number[] = [];
  acceptor.receiveMessages((body) => heard.push(body[0]!));
  let read = 0;
  const reading = (async () => {
    for (let chunk = await source.read(); chunk !== null; chunk = await source.read()) read += chunk.length;
  })();
  const writing = (async () => {
    for (let i = 0; i < 100; i++) await out.write(new Uint8Array(50_000));
    out.end();
  })();
  for (let i = 0; i < 20; i++) {
    dialer.send(Uint8Array.of(i));
    await new Promise((resolve) => setTimeout(resolve, 0));
    equal(heard.length, i + 1, "nothing is before it");
  }
  equal(read, 65_536);
  held = false;
  wire.pair.resume();
  await within(Promise.all([reading, writing]), "the stream");
  equal(read, 5_000_000);
});
