/** A service for benches, in a process of its own: prints its port. The first byte of a connection says what it does. */

// deno-lint-ignore-file no-console -- prints its port
const CHUNK = new Uint8Array(256 * 1024);

/** Sends back what comes. */
export const ECHO = 0x65;
/** Reads to the end, then sends one byte. */
export const SINK = 0x73;
/** Sends until the other side closes. */
export const SOURCE = 0x64;

async function serve(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(CHUNK.length);
  try {
    const length = await connection.read(buffer);
    if (length === null) return;
    if (buffer[0] === ECHO) {
      await writeAll(connection, buffer.subarray(0, length));
      for (let more; (more = await connection.read(buffer)) !== null;) {
        await writeAll(connection, buffer.subarray(0, more));
      }
    } else if (buffer[0] === SINK) {
      while (await connection.read(buffer) !== null);
      await connection.write(Uint8Array.of(SINK));
    } else for (;;) await connection.write(CHUNK);
  } catch {
    // The other side has closed.
  } finally {
    connection.close();
  }
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log(listener.addr.port);
  for await (const connection of listener) void serve(connection);
}
