/** The real programs of Snowflake, unmodified, introduced by our rendezvous. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { DEFAULT_FINGERPRINT } from "../../core/rendezvous/fingerprint.ts";
import { NetworkLab, whyNoNetworkLab } from "../support/network_lab.ts";
import { startRendezvous } from "../support/rendezvous_server.ts";
import {
  clientCommand,
  clientEnvironment,
  haveSnowflake,
  proxyCommand,
  RunningProgram,
  SNOWFLAKE_PACKAGES,
  stunCommand,
} from "../support/snowflake_programs.ts";
import { within } from "../support/within.ts";

const installed = await haveSnowflake();
const inCi = Deno.env.get("CI") === "true";
const noLab = installed ? await whyNoNetworkLab() : null;

function snowflakeTest(
  name: string,
  run: (directory: string) => Promise<void>,
  reason: string | null = null,
): void {
  const why = installed ? reason : `apt-get install ${SNOWFLAKE_PACKAGES.join(" ")}`;
  Deno.test({
    name: why === null ? name : `${name} (${why})`,
    ignore: installed ? reason !== null : !inCi,
    async fn() {
      const directory = await Deno.makeTempDir({ prefix: "wasimoff-snowflake-" });
      try {
        await run(directory);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

const bridges = (relay: string) =>
  `{"displayName":"test","webSocketAddress":"${relay}","fingerprint":"${DEFAULT_FINGERPRINT}"}\n`;

/** Sends something through the client, which looks for a proxy only then; what becomes of it shows elsewhere. */
async function useClient(inside: readonly string[], socks: string, signal: AbortSignal): Promise<void> {
  const [program = "", ...args] = [...inside, "curl", "-s", "--socks5", socks, "http://192.0.2.1/"];
  const child = new Deno.Command(program, { args, signal, stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
  await child.status;
}

snowflakeTest("a real proxy polls, and a real client gets an answer", async (directory) => {
  const list = `${directory}/bridges`;
  await Deno.writeTextFile(list, bridges("ws://127.0.0.1:9/"));
  await using host = await startRendezvous({ bridgeListPath: list, allowedRelayPattern: "127.0.0.1$" });
  const broker = `http://127.0.0.1:${host.address!.port}/`;
  const debug = async () => await (await fetch(`${broker}debug`)).text();
  await using _proxy = new RunningProgram(proxyCommand(broker, "ws://127.0.0.1:9/", "stun:127.0.0.1:9"));
  const polled = async () => {
    while (!(await debug()).includes("standalone proxies: 1")) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await within(polled(), "the poll of the proxy");
  await using client = new RunningProgram(
    clientCommand(broker, "stun:127.0.0.1:9", `${directory}/client.log`),
    clientEnvironment(directory),
  );
  const [, socks] = await client.said(/CMETHOD snowflake socks5 (\S+)/);
  const done = new AbortController();
  const curling = useClient([], socks!, done.signal);
  // Without STUN the client knows nothing of its NAT, and the proxy only with the Internet: else they do not suit.
  const told = async () => {
    const log = () => Deno.readTextFile(`${directory}/client.log`).catch(() => "");
    const end = /no snowflake proxies currently available|Received answer: \{"answer":/;
    while (!end.test(await log())) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await within(told(), "the answer to the client");
  done.abort();
  await curling;
});

snowflakeTest(
  "a real client reaches its relay through a real proxy that we introduced",
  async (directory) => {
    await using lab = await NetworkLab.open();
    const [address] = lab.addresses;
    const arrived = Promise.withResolvers<number>();
    await using relay = Deno.serve({ hostname: address, port: 0, onListen() {} }, (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.binaryType = "arraybuffer";
      socket.onmessage = ({ data }) => {
        socket.send(data);
        arrived.resolve(data.byteLength);
      };
      return response;
    });
    const relayUrl = `ws://${address}:${relay.addr.port}/`;
    const list = `${directory}/bridges`;
    await Deno.writeTextFile(list, bridges(relayUrl));
    await using host = await startRendezvous({
      listen: { hostname: address, port: 0, tls: false },
      bridgeListPath: list,
      allowedRelayPattern: `${address}$`,
    });
    const broker = `http://${address}:${host.address!.port}/`;
    const stunPort = 20_000 + crypto.getRandomValues(new Uint16Array(1))[0]! % 20_000; // the namespace is ours alone
    const stun = `stun:${address}:${stunPort}`;
    await using _stun = new RunningProgram(stunCommand(lab.addresses, stunPort, directory));
    await using proxy = new RunningProgram([...lab.inside, ...proxyCommand(broker, relayUrl, stun)]);
    await proxy.said(/NAT type: unknown/);
    await using client = new RunningProgram(
      [...lab.inside, ...clientCommand(broker, stun, `${directory}/client.log`)],
      clientEnvironment(directory),
    );
    const [, socks] = await client.said(/CMETHOD snowflake socks5 (\S+)/);
    const done = new AbortController();
    const curling = useClient(lab.inside, socks!, done.signal);
    try {
      ok(await within(arrived.promise, "the first bytes at the relay", 60_000) > 0);
      await proxy.said(/Connection successful/);
      const log = await Deno.readTextFile(`${directory}/client.log`);
      equal(/NAT Type: unrestricted/.test(log), true, "the client knew its NAT");
      const counts = await (await fetch(`${broker}prometheus`)).text();
      const lines = counts.split("\n").filter((line) =>
        /^snowflake_rounded_client_poll_total.*matched/.test(line)
      );
      deepEqual(lines, ['snowflake_rounded_client_poll_total{nat="unrestricted",status="matched"} 8']);
    } finally {
      done.abort();
      await curling;
    }
  },
  noLab,
);
