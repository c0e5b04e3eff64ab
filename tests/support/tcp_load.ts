/** Load on the service of `stream_service.ts`, by whatever way it is reached. */

import { ECHO, SINK, SOURCE } from "./stream_service.ts";

const REQUEST = new Uint8Array(128).fill(ECHO);
const CHUNK = new Uint8Array(256 * 1024).fill(SINK);

/** The time that a part of all did not exceed; `sorted` in order of size. */
export const percentile = (sorted: readonly number[], part: number) =>
  sorted[Math.floor((sorted.length - 1) * part)]!;

export async function open(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  return connection;
}

async function exchange(connection: Deno.TcpConn, buffer: Uint8Array): Promise<void> {
  await connection.write(REQUEST);
  for (let got = 0; got < REQUEST.length;) {
    const length = await connection.read(buffer);
    if (length === null) throw new Error("connection has ended");
    got += length;
  }
}

/** Small requests over so many connections: how many a second, and their milliseconds in order of size. */
export async function requests(port: number, connections: number, seconds: number) {
  const times: number[] = [];
  const all = await Promise.all(Array.from({ length: connections }, () => open(port)));
  for (const connection of all) await exchange(connection, new Uint8Array(1024));
  const start = performance.now();
  const end = start + seconds * 1_000;
  await Promise.all(all.map(async (connection) => {
    const buffer = new Uint8Array(1024);
    for (let before = performance.now(); before < end;) {
      await exchange(connection, buffer);
      const now = performance.now();
      times.push(now - before);
      before = now;
    }
    connection.close();
  }));
  const rate = times.length / ((performance.now() - start) / 1_000);
  return { rate, times: times.sort((a, b) => a - b) };
}

/** Megabytes a second of one stream towards the service. */
export async function upload(port: number, seconds: number): Promise<number> {
  using connection = await open(port);
  const start = performance.now();
  let sent = 0;
  while (performance.now() - start < seconds * 1_000) sent += await connection.write(CHUNK);
  await connection.closeWrite();
  await connection.read(new Uint8Array(1)); // all have arrived
  return sent / 1e6 / ((performance.now() - start) / 1_000);
}

/** Megabytes a second of one stream from the service. */
export async function download(port: number, seconds: number): Promise<number> {
  using connection = await open(port);
  const start = performance.now();
  await connection.write(Uint8Array.of(SOURCE));
  const buffer = new Uint8Array(CHUNK.length);
  let received = 0;
  while (performance.now() - start < seconds * 1_000) received += await connection.read(buffer) ?? 0;
  return received / 1e6 / ((performance.now() - start) / 1_000);
}

/** Milliseconds from connect to the first byte back, one after the other, in order of size. */
export async function connects(port: number, count: number): Promise<number[]> {
  const times: number[] = [];
  const buffer = new Uint8Array(1024);
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    using connection = await open(port);
    await exchange(connection, buffer);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}
