/** `wasimoff connect`: reaches a service behind a TCP tunnel by its name. */

import { WasimoffError } from "../core/errors.ts";
import { ConnectForward } from "../core/host/connect_forward.ts";
import { VisitorSession } from "../core/host/connect_tunnels.ts";
import { pump } from "../core/pump.ts";
import { endDuplex } from "../core/tunnel/join_duplexes.ts";
import { nameBroker } from "./broker_access.ts";
import { type Call, defineCommand } from "./command.ts";
import { BROKER_FLAGS, BROKER_NOTE, COMMON_FLAGS } from "./common_flags.ts";
import { stdioDuplex } from "./connect_stdio.ts";
import { listenAddress, toggle } from "./flag_kinds.ts";
import { flag } from "./flags.ts";
import { formatListenAddress } from "./listen_address.ts";
import { usageError } from "./usage_error.ts";
import { VERSION } from "./version.ts";

const FLAGS = {
  listen: flag(listenAddress, "listen there for connections", { short: "L", default: null }),
  stdio: flag(toggle, "one connection, over stdin and stdout", { default: false }),
  ...BROKER_FLAGS,
  ...COMMON_FLAGS,
};

export const command = defineCommand({
  name: "connect",
  summary: "reach a service behind a tunnel",
  operands: { usage: "NAME", min: 1, max: 1 },
  examples: [
    "wasimoff connect db -L 127.0.0.1:5432 --url https://broker",
    "ssh -o ProxyCommand='wasimoff connect %h --stdio' user@box",
  ],
  flags: FLAGS,
  notes: [BROKER_NOTE],
  run: connect,
});

async function connect({ options, sources, operands, log, signal }: Call<typeof FLAGS>): Promise<number> {
  const name = operands[0]!;
  const { listen, stdio } = options;
  if (stdio === (listen !== null)) throw usageError("give either -L ADDR or --stdio");
  const named = await nameBroker({ options, sources }, log);
  using session = new VisitorSession({ ...named, agent: `wasimoff/${VERSION}`, logger: log }, signal);
  if (listen === null) return await overStdio(session, name, signal);
  await session.get();
  await using forward = await ConnectForward.start({
    name,
    listen: { hostname: listen.host ?? "::", port: listen.port },
    session,
    logger: log,
  });
  log.info(`"${name}" is at ${formatListenAddress({ host: listen.host, port: forward.address.port })}`);
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  return 0;
}

/** Resolves when both directions have ended. */
async function overStdio(session: VisitorSession, name: string, signal: AbortSignal): Promise<number> {
  const stdio = stdioDuplex();
  const { duplex, reached } = await (await session.get()).connect(name, signal);
  const upstream = pump(stdio.readable, duplex.writable);
  const onAbort = () => endDuplex(duplex, WasimoffError.from(signal.reason));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const broken = await pump(duplex.readable, stdio.writable);
    await reached;
    if (broken !== null) throw broken.cause;
    await upstream;
    return 0;
  } finally {
    endDuplex({ ...duplex, readable: stdio.readable }, new WasimoffError("canceled", "connect is over"));
  }
}
