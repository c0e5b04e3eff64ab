/** A rendezvous in a process of its own, for the bench: says its port, then serves until it is killed. */

// deno-lint-ignore-file no-console -- says where it listens
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startRendezvous } from "./rendezvous_server.ts";

const SID = "bench";

/** Reads each body and answers with a constant: what three requests cost without any matching. */
function startFloor(): Promise<number> {
  const answer = JSON.stringify({ Status: "success" });
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    incoming.on("end", () => {
      outgoing.writeHead(200, { "content-length": answer.length, "content-type": "text/plain" });
      outgoing.end(answer);
    });
  });
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port))
  );
}

if (Deno.args[0] === "floor") console.log(await startFloor());
else {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(
    path,
    `{"displayName":"${SID}","webSocketAddress":"ws://127.0.0.1/","fingerprint":"2B280B23E1107BB62ABFC40DDCC8824814F80A72"}\n`,
  );
  const host = await startRendezvous({ bridgeListPath: path, allowedRelayPattern: "", pollsPerAddress: 1e6 });
  await Deno.remove(path);
  console.log(host.address!.port);
}
