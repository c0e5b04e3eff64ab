/**
 * The server of the bench of sessions over WebTransport, in a process of its own. It answers each message with the
 * same bytes; one that begins with 1 makes it also send FLOOD_BYTES on its next stream. Prints where it is reached,
 * ends with its input.
 */

// deno-lint-ignore-file no-console -- prints what the bench reads
import type { Session } from "../../core/session/session.ts";
import { SessionServer } from "./session_server.ts";

export const FLOOD_BYTES = 1024 * 1024 * 1024;
const CHUNK = new Uint8Array(64 * 1024);

async function flood(session: Session): Promise<void> {
  const out = session.streams.openSend();
  for (let sent = 0; sent < FLOOD_BYTES; sent += CHUNK.length) await out.write(CHUNK);
  out.end();
}

if (import.meta.main) {
  await using server = await SessionServer.open((session) => {
    session.receiveMessages((body) => {
      session.send(body);
      if (body[0] === 1) flood(session).catch(() => {});
    });
  });
  console.log(JSON.stringify(server.address));
  for await (const _ of Deno.stdin.readable);
}
