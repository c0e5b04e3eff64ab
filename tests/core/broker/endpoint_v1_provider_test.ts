/** What becomes of a provider of wasimoff_v1 over time: listed, told, pinged, suspected, dropped. */

import assert from "node:assert/strict";
import { type Clock, install } from "@sinonjs/fake-timers";
import { ClusterV1 } from "../../../core/broker/cluster_v1.ts";
import {
  LISTING_TIMEOUT_MS,
  PING_INTERVAL_MS,
  PING_TIMEOUT_MS,
  serveProviderV1,
} from "../../../core/broker/endpoint_v1_provider.ts";
import { Logger } from "../../../core/log.ts";
import { fromWire, kindOf } from "../../support/envelope_json.ts";
import { MemoryCluster } from "../../support/memory_cluster.ts";
import { MemoryMessages } from "../../support/message_pipes.ts";
import { ref } from "./dispatcher/test_dispatcher.ts";

/** A broker on a fake clock with one provider, whose messages the test writes. */
class Stage {
  readonly memory = new MemoryCluster();
  readonly logged: Record<string, unknown>[] = [];
  readonly cluster = new ClusterV1(() => ({
    providers: this.memory.broker.stats.providers,
    throughput: 2.5,
  }));
  readonly peer: MemoryMessages;
  readonly pipe: MemoryMessages;
  answersPings = true;

  constructor(readonly clock: Clock, name = "old") {
    [this.pipe, this.peer] = MemoryMessages.pair();
    serveProviderV1(this.pipe, {
      broker: this.memory.broker,
      encoding: "json",
      name,
      cluster: this.cluster,
      files: { bytes: () => Promise.resolve(null) },
      inlineFiles: null,
      logger: new Logger((level, message, fields) => this.logged.push({ level, message, ...fields })),
    });
    this.peer.start({
      onMessage: (message) => {
        const { type, sequence } = fromWire(message);
        if (type === "Request" && kindOf(fromWire(message)) === "Ping" && this.answersPings) {
          this.say(`{"sequence":"${sequence}","type":"Response","payload":{"@type":"wasimoff.v1.Ping"}}`);
        }
      },
      onClose: () => {},
    });
  }

  say(text: string): void {
    this.peer.send(text);
  }

  event(kind: string, fields: string): void {
    this.say(`{"type":"Event","payload":{"@type":"wasimoff.v1.Event.${kind}",${fields}}}`);
  }

  list(files: readonly string[] = []): Promise<number> {
    const payload = { "@type": "wasimoff.v1.Filesystem.Listing.Response", files };
    this.say(JSON.stringify({ sequence: "1", type: "Response", payload }));
    return this.clock.tickAsync(0);
  }

  kinds(): string[] {
    return this.pipe.sent.map((message) => kindOf(fromWire(message)));
  }
}

function staged(run: (stage: Stage, clock: Clock) => Promise<void>, name?: string): () => Promise<void> {
  return async () => {
    const clock = install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const stage = new Stage(clock, name);
      await run(stage, clock);
      stage.peer.close(1000, "over");
      await clock.tickAsync(0);
      stage.cluster.close();
      await stage.memory[Symbol.asyncDispose]();
      assert.deepEqual([stage.memory.broker.providers(), clock.countTimers()], [[], 0]);
    } finally {
      clock.uninstall();
    }
  };
}

Deno.test(
  "a provider is seated when it has listed its files, with what it announced before",
  staged(async (stage, clock) => {
    const { broker } = stage.memory;
    stage.event("ProviderResources", '"concurrency":4');
    await clock.tickAsync(1_000);
    assert.deepEqual([broker.providers(), stage.kinds()], [[], ["Filesystem.Listing.Request"]]);
    await stage.list([ref(1), "task.wasm"]);
    const [view] = broker.providers();
    assert.deepEqual([view!.name, view!.slots, view!.generation], ["anonymous", 4, 1]);
    stage.event("ProviderResources", '"tasks":1');
    stage.event("ProviderResources", '"concurrency":0');
    await clock.tickAsync(0);
    assert.equal(broker.providers()[0]!.slots, 0);
    await clock.tickAsync(100);
    assert.deepEqual(stage.kinds().slice(1), ["Event.ClusterInfo"]);
  }, ""),
);

Deno.test(
  "a provider that does not list its files is closed",
  staged(async (stage, clock) => {
    await clock.tickAsync(LISTING_TIMEOUT_MS);
    assert.deepEqual(stage.pipe.closed, {
      code: 1011,
      reason: "peer did not answer a Filesystem.Listing.Request within 10 s",
    });
  }),
);

Deno.test(
  "a provider that leaves with its listing is not seated",
  staged(async (stage, clock) => {
    const listed = stage.list();
    stage.peer.close(1000, "leaving");
    await listed;
    await clock.tickAsync(100);
    assert.deepEqual(stage.memory.broker.providers(), []);
  }),
);

for (const answer of ['"error":"no"', '"payload":{"@type":"wasimoff.v1.Ping"}', '"new":1']) {
  Deno.test(
    `a provider that answers the listing with ${answer} is closed`,
    staged(async (stage, clock) => {
      stage.say(`{"sequence":"1","type":"Response",${answer}}`);
      await clock.tickAsync(0);
      assert.equal(stage.pipe.closed?.code, 1011);
    }),
  );
}

Deno.test(
  "a provider is pinged 5 s after each answer, and dropped when it gives none",
  staged(async (stage, clock) => {
    await stage.list();
    await clock.tickAsync(3 * PING_INTERVAL_MS);
    assert.equal(stage.kinds().filter((kind) => kind === "Ping").length, 3);
    stage.answersPings = false;
    await clock.tickAsync(PING_INTERVAL_MS + PING_TIMEOUT_MS - 1);
    assert.deepEqual([stage.pipe.closed, stage.memory.broker.providers().length], [null, 1]);
    await clock.tickAsync(1);
    assert.deepEqual(stage.pipe.closed, { code: 1011, reason: "peer did not answer a Ping within 30 s" });
    assert.equal(stage.memory.broker.providers().length, 0);
  }),
);

Deno.test(
  "an error as the answer to a ping is an answer",
  staged(async (stage, clock) => {
    stage.answersPings = false;
    await stage.list();
    await clock.tickAsync(PING_INTERVAL_MS);
    stage.say('{"sequence":"2","type":"Response","error":"not implemented yet"}');
    await clock.tickAsync(PING_INTERVAL_MS);
    assert.equal(stage.kinds().filter((kind) => kind === "Ping").length, 2);
    assert.equal(stage.pipe.closed, null);
  }),
);

Deno.test(
  "a silent provider is suspected, before it is seated, too",
  staged(async (stage) => {
    stage.pipe.suspect(true);
    await stage.list();
    const suspect = () => stage.memory.broker.providers()[0]!.suspect;
    assert.equal(suspect(), true);
    stage.pipe.suspect(false);
    assert.equal(suspect(), false);
  }),
);

Deno.test(
  "what a provider has to say is logged, in part and a hundred times",
  staged(async (stage, clock) => {
    for (let i = 0; i < 150; i++) stage.event("GenericMessage", `"message":"${"x".repeat(5_000)}"`);
    await clock.tickAsync(0);
    assert.equal(stage.logged.length, 100);
    const { message } = stage.logged[0] as { message: string };
    assert.equal(message, "x".repeat(1_024));
  }),
);

Deno.test(
  "all are told each second how much is done, and soon how many they are, once for many",
  staged(async (stage, clock) => {
    await stage.list();
    const others = Array.from({ length: 50 }, () => {
      const [pipe, peer] = MemoryMessages.pair();
      serveProviderV1(pipe, {
        broker: stage.memory.broker,
        encoding: "json",
        name: "",
        cluster: stage.cluster,
        files: { bytes: () => Promise.resolve(null) },
        inlineFiles: null,
        logger: new Logger(() => {}),
      });
      const payload = '{"@type":"wasimoff.v1.Filesystem.Listing.Response"}';
      peer.send(`{"sequence":"1","type":"Response","payload":${payload}}`);
      return peer;
    });
    await clock.tickAsync(100);
    stage.cluster.tick();
    const events = stage.pipe.sent.map((message) => fromWire(message)).slice(1);
    assert.deepEqual(events.map(({ payload }) => payload), [
      { "@type": "wasimoff/wasimoff.v1.Event.ClusterInfo", "providers": 51 },
      { "@type": "wasimoff/wasimoff.v1.Event.Throughput", "overall": 2.5 },
    ]);
    for (const peer of others) peer.close(1000, "leaving");
    await clock.tickAsync(100);
    assert.deepEqual(fromWire(stage.pipe.sent.at(-1)!).payload!["providers"], 1);
  }),
);
