/** Files that are missing, wrong, rotten or too many, as the people see it who use them. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { brokerRoutes } from "../../core/host/broker_routes.ts";
import { startHash } from "../../core/host/hash.ts";
import { OpenPipes } from "../../core/host/open_pipes.ts";
import { silent } from "../../core/log.ts";
import { exited } from "../../core/outcome.ts";
import { SessionAcceptor } from "../../core/session/acceptor.ts";
import { FileNames, UNSAVED } from "../../core/storage/file_names.ts";
import { MemoryStore } from "../../core/storage/memory_store.ts";
import { ClusterV1 } from "../../core/broker/cluster_v1.ts";
import { STORAGE_PATH } from "../../core/broker/http/storage_path.ts";
import { TasksV1 } from "../../core/broker/tasks_v1.ts";
import { temporaryDirectory } from "../commands/temporary_directory.ts";
import { brokerApp } from "../support/broker_app.ts";
import { chunks, refOf, wasmLike } from "../support/chunks.ts";
import { RealCluster } from "../support/real_cluster.ts";
import { runCommand } from "../support/command_run.ts";
import { GUEST, HostCluster } from "../support/host_cluster.ts";
import { liveIo } from "../support/live_streams.ts";
import { netTest } from "../support/open_server.ts";
import { until } from "../support/real_slots.ts";
import { smallDiskTest } from "../support/small_disk.ts";

const UPCASE = new URL("../../examples/upcase/upcase.wasm", import.meta.url).pathname;
const MIB = 1024 * 1024;

Deno.test("submit of what is no module exits with 126, of what nobody has with 127", async () => {
  await using cluster = await RealCluster.start();
  await cluster.provider("-j", "1");
  await using directory = await temporaryDirectory();
  const file = async (name: string, content: Uint8Array) => {
    await Deno.writeFile(`${directory.path}/${name}`, content);
    return `${directory.path}/${name}`;
  };
  const text = await file("notes.txt", new TextEncoder().encode("These are my notes."));
  const component = await file("c.wasm", Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0));
  const broken = await cluster.upload(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 99, 1, 0));
  const submit = (module: string) => runCommand(["submit", "--url", cluster.url, module]);
  const cases: [string, number, RegExp][] = [
    [text, 126, /notes\.txt.*text file/],
    [component, 126, /c\.wasm.*component/],
    [broken, 126, /./],
    ["nobody-has-this", 127, /"nobody-has-this".*upload/],
    [`sha256:${"0".repeat(64)}`, 127, /not stored/],
    [`${directory.path}/absent.wasm`, 127, /absent\.wasm/],
  ];
  for (const [module, status, message] of cases) {
    const { code, stdout, stderr } = await submit(module);
    deepStrictEqual([code, stdout], [status, ""], module);
    match(stderr, message);
  }
  strictEqual((await runCommand(["submit", "--url", cluster.url, UPCASE], { stdin: "x" })).stdout, "X");
});

smallDiskTest("a full disk refuses what is too much, keeps no half of it, and serves on", async (disk) => {
  await using directory = await temporaryDirectory();
  await Deno.writeFile(`${directory.path}/large`, wasmLike(12 * MIB));
  await using cluster = await RealCluster.start("--storage", disk);
  await cluster.provider("-j", "1");
  const at = ["--url", cluster.url];
  const refused = await runCommand(["upload", ...at, `${directory.path}/large`]);
  deepStrictEqual([refused.code, refused.stdout], [75, ""]);
  match(refused.stderr, /is full/);
  deepStrictEqual([...Deno.readDirSync(`${disk}/tmp`)], []);
  strictEqual((await runCommand(["files", ...at, "ls", "--json"])).stdout, `{"schema":1,"files":[]}\n`);
  const { code, stdout } = await runCommand(["submit", ...at, UPCASE], { stdin: "serves on" });
  deepStrictEqual([code, stdout], [0, "SERVES ON"]);
});

smallDiskTest("a provider whose disk is full leaves its tasks to others, or says why", async (disk) => {
  await using cluster = await HostCluster.start();
  await cluster.provider({ name: "full", storage: disk });
  await Deno.writeFile(`${disk}/ballast`, wasmLike(9 * MIB)).catch(() => {});
  const [module, client] = [await cluster.store(), await cluster.client()];
  const task = { module, args: ["guest", "exit", "2"] };
  const alone = await client.run({ ...task, attempts: 1 }, liveIo(undefined));
  deepStrictEqual([alone.outcome.reason, alone.outcome.status], ["lost", 125]);
  match(alone.outcome.message, /is full: ENOSPC/);
  await cluster.provider({ name: "other" });
  const together = await client.run(task, liveIo(undefined));
  deepStrictEqual([together.outcome, together.provider], [exited(2), "other"]);
});

Deno.test("broker and provider do not start on a directory that they cannot use", async () => {
  await using directory = await temporaryDirectory();
  await Deno.writeTextFile(`${directory.path}/file`, "");
  const storage = `${directory.path}/file/below`;
  for (const command of [["broker", "--http", "127.0.0.1:0"], ["provider", "-j", "1"]]) {
    const { code, stderr } = await runCommand([...command, "--storage", storage]);
    strictEqual(code, 78, stderr);
    match(stderr, /^wasimoff: directory ".*\/file\/below" cannot be used: ENOTDIR/);
  }
});

Deno.test("a file that has rotted at the broker runs nowhere, and is as good as new when it comes again", async () => {
  await using storage = await temporaryDirectory();
  await using cluster = await RealCluster.start("--storage", storage.path);
  await cluster.provider("-j", "1");
  const ref = await cluster.upload(GUEST);
  const rotten = GUEST.slice();
  rotten[rotten.length - 1]! ^= 1;
  await Deno.writeFile(`${storage.path}/sha256/${ref.slice(7, 9)}/${ref.slice(7)}`, rotten);
  const submit = (...args: string[]) =>
    runCommand(["submit", "--url", cluster.url, "--attempts", "1", ...args, "--", "exit", "3"]);
  const first = await submit(ref);
  strictEqual(first.code, 125, first.stderr);
  strictEqual((await submit(ref)).code, 127);
  strictEqual(await cluster.upload(GUEST), ref);
  strictEqual((await submit(ref)).code, 3);
});

netTest("a file with another content than its hash says never gets into a slot", async (net) => {
  await using cluster = await HostCluster.start();
  const other = wasmLike(GUEST.length);
  await using liar = await net.serve({ fetch: () => new Response(other) });
  const module = await cluster.store();
  await cluster.provider({
    name: "deceived",
    broker: {
      http: new URL(`http://127.0.0.1:${liar.address.port}/`),
      webSocket: new URL(`ws://127.0.0.1:${cluster.port}/`),
    },
  });
  const client = await cluster.client();
  const task = { module, args: ["guest", "exit", "2"], attempts: 1 };
  const { outcome } = await client.run(task, liveIo(undefined));
  deepStrictEqual([outcome.reason, outcome.status], ["lost", 125]);
  match(outcome.message, /file has another hash than expected/);
});

netTest("files that tasks wait for stay, however much is uploaded meanwhile", async (net) => {
  const files = new MemoryStore({ maxTotalBytes: MIB, startHash });
  const names = await FileNames.open(UNSAVED);
  await using cluster = await HostCluster.start();
  const { broker } = cluster.host;
  const app = await brokerApp({ files, names, open: true });
  const acceptor = new SessionAcceptor({ agent: "test", capabilities: [], logger: silent });
  const everybody = { identify: () => "local" as const, allowsOrigin: () => true };
  await using server = await net.serve({
    fetch: (request, peer) => app.fetch(request, peer),
    webSocketRoutes: brokerRoutes({
      broker,
      acceptor,
      files,
      names,
      storagePath: STORAGE_PATH,
      clientAddress: (address) => address,
      requestedHost: (_, headers) => headers.get("host") ?? "",
      tunnels: cluster.host.tunnels,
      tasks: new TasksV1({ broker, files, names, startHash, now: Date.now }),
      cluster: new ClusterV1(() => ({ providers: 0, throughput: 0 })),
      pipes: new OpenPipes(),
      logger: silent,
      ...everybody,
    }),
  });
  const { port } = server.address;
  const flood = async () => {
    for (let seed = 0; seed < 8; seed++) await files.put(chunks(wasmLike(MIB / 4, seed), 65_536));
  };
  const { ref: module } = await files.put(chunks(GUEST, 65_536));
  const client = await cluster.client({ port });
  const run = client.run({ module, args: ["guest", "exit", "8"] }, liveIo(undefined));
  await until(() => broker.stats.queued === 1, 10_000);
  await flood();
  const provider = await cluster.provider({ port });
  deepStrictEqual((await run).outcome, exited(8));
  strictEqual((await files.stat(refOf(GUEST)))?.ref, module);
  await flood();
  strictEqual(await files.stat(module), null);
  client.close();
  await provider.leave();
  await until(() => acceptor.size === 0, 10_000);
});
