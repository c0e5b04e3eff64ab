import { deepEqual, equal } from "node:assert/strict";
import { Heartbeat, type HeartbeatOwner } from "../../../core/session/heartbeat.ts";
import { fakeClock } from "../../support/session_pair.ts";

/** Writes down what the heartbeat says and when. */
function recorder() {
  const start = performance.now();
  const events: string[] = [];
  const note = (event: string) => void events.push(`${Math.round(performance.now() - start)} ${event}`);
  const owner: HeartbeatOwner = {
    sendHeartbeat: () => note("beat"),
    suspected: (suspect) => note(suspect ? "suspect" : "trusted"),
    silent: () => note("silent"),
  };
  return { owner, events };
}

Deno.test("Heartbeat beats every 3 s, suspects after 5 s of silence, gives up after 10 s and stops", async () => {
  using clock = fakeClock();
  const { owner, events } = recorder();
  new Heartbeat(owner);
  await clock.tick(60_000);
  deepEqual(events, ["3000 beat", "5000 suspect", "6000 beat", "9000 beat", "10000 silent"]);
});

Deno.test("Heartbeat trusts a peer again that speaks, and counts the silence anew", async () => {
  using clock = fakeClock();
  const { owner, events } = recorder();
  const heartbeat = new Heartbeat(owner);
  await clock.tick(7_000);
  heartbeat.heard();
  await clock.tick(5_000);
  heartbeat.stop();
  deepEqual(events.filter((event) => !event.endsWith("beat")), [
    "5000 suspect",
    "7000 trusted",
    "12000 suspect",
  ]);
});

Deno.test("Heartbeat never suspects a peer that speaks every 4 s", async () => {
  using clock = fakeClock();
  const { owner, events } = recorder();
  const heartbeat = new Heartbeat(owner);
  for (let i = 0; i < 10; i++) {
    await clock.tick(4_000);
    heartbeat.heard();
  }
  heartbeat.stop();
  equal(events.length, 13);
  equal(events.every((event) => event.endsWith("beat")), true);
});

Deno.test("Heartbeat stays stopped when its owner stops it within a call", async () => {
  for (const within of ["sendHeartbeat", "suspected"] as const) {
    using clock = fakeClock();
    const { owner, events } = recorder();
    let heartbeat: Heartbeat | null = null;
    heartbeat = new Heartbeat({ ...owner, [within]: () => heartbeat?.stop() });
    await clock.tick(30_000);
    deepEqual(events, within === "suspected" ? ["3000 beat"] : []);
  }
});
