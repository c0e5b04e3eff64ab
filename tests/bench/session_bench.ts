/**
 * A session in memory: round trip of a small request, alone and beside a large stream, and the throughput of
 * a stream, each beside its floor. Ends with 1 when the round trip beside the stream misses its target.
 */

// deno-lint-ignore-file no-console -- prints what it measures
import { WasimoffError } from "../../core/errors.ts";
import { Messenger, type MessengerHandler, type ResultInit } from "../../core/protocol/messenger.ts";
import { Session } from "../../core/session/session.ts";
import { memoryPipe } from "../../core/transport/memory.ts";

const ROUND_TRIPS = 10_000;
const STREAM_BYTES = 512 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** Issue 2: a small message beside a large stream. */
const TARGET_P99_MS = 20;

const DONE = new WasimoffError("canceled", "bench is over");
const RESULT: ResultInit = { case: "announced", value: {} };
const handler: MessengerHandler = { request: () => Promise.resolve(RESULT), event: () => {} };

function joined() {
  const dialer = new Session({ side: "dialer", leaseMs: 10_000 });
  const acceptor = new Session({ side: "acceptor", leaseMs: 10_000 });
  const { a, b } = memoryPipe();
  dialer.attach(a, 0);
  acceptor.attach(b, 0);
  new Messenger(acceptor, handler);
  const messenger = new Messenger(dialer, handler);
  const close = () => {
    dialer.close(DONE);
    acceptor.close(DONE);
  };
  return { dialer, acceptor, messenger, close };
}

/** Times of one call after another until `more` says no, in milliseconds, in order of size. */
async function times(call: () => Promise<unknown>, more: (count: number) => boolean): Promise<number[]> {
  const times: number[] = [];
  while (more(times.length)) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

const at = (sorted: readonly number[], part: number) => sorted[Math.floor((sorted.length - 1) * part)]!;

function report(what: string, sorted: readonly number[]): void {
  const ms = (part: number) => `${at(sorted, part).toFixed(4)} ms`;
  console.log(`${what}: p50 ${ms(0.5)}, p99 ${ms(0.99)} (${sorted.length} times)`);
}

/** Sends STREAM_BYTES from the acceptor to the dialer; resolves when all were read. */
async function flood({ dialer, acceptor }: ReturnType<typeof joined>): Promise<void> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  const out = acceptor.streams.openSend();
  const source = dialer.streams.acceptReceive(out.id);
  const write = async () => {
    for (let sent = 0; sent < STREAM_BYTES; sent += CHUNK_BYTES) await out.write(chunk);
    out.end();
  };
  const writing = write();
  while (await source.read() !== null);
  await writing;
}

async function roundTrips(): Promise<boolean> {
  const pair = joined();
  const request = () => pair.messenger.request({ case: "announce", value: {} });
  await times(request, (count) => count < ROUND_TRIPS); // warm
  report(
    "direct call (floor)",
    await times(() => handler.request({} as never, {} as never), (n) => n < ROUND_TRIPS),
  );
  report("request", await times(request, (count) => count < ROUND_TRIPS));
  let flooding = true;
  const flooded = flood(pair).then(() => flooding = false);
  const beside = await times(request, () => flooding);
  await flooded;
  report("request beside a large stream", beside);
  pair.close();
  return at(beside, 0.99) < TARGET_P99_MS;
}

async function throughput(): Promise<void> {
  const mibPerS = (start: number) =>
    (STREAM_BYTES / 1024 / 1024 / ((performance.now() - start) / 1_000)).toFixed(0);
  const [from, to] = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
  let start = performance.now();
  for (let copied = 0; copied < STREAM_BYTES; copied += CHUNK_BYTES) to.set(from);
  console.log(`memcpy of 64 KiB chunks (floor): ${mibPerS(start)} MiB/s`);
  const pair = joined();
  await flood(pair);
  start = performance.now();
  await flood(pair);
  console.log(`stream: ${mibPerS(start)} MiB/s`);
  pair.close();
}

const fast = await roundTrips();
await throughput();
if (!fast) {
  console.error(`a request beside a large stream must take less than ${TARGET_P99_MS} ms at p99`);
  Deno.exit(1);
}
