import assert from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { RIGHTS } from "../../../core/wasi/abi.ts";
import { OpenDirectory, OpenFile } from "../../../core/wasi/descriptors.ts";
import { File } from "../../../core/wasi/file.ts";
import { emptyDirectory } from "../../../core/wasi/inode.ts";
import type { GuestInput, Program } from "../../../core/wasi/program.ts";
import { GuestCalls } from "./guest_calls.ts";
import { Collected, EPOCH_NS, runFixture, VirtualClock } from "./guest_fixture.ts";

const BADF = 8;
const INVAL = 28;
const IO = 29;
const NOTCAPABLE = 76;
const REALTIME = 0;
const MONOTONIC = 1;
const EVENTS_AT = 8192;
const COUNT_AT = 16;

/** Input that becomes ready when told to, and then gives one byte. `asked` hears of every question. */
function lateInput(readiness: Promise<void>, asked: () => void = () => {}): GuestInput {
  let settled = false;
  readiness.then(() => settled = true);
  return {
    ready() {
      asked();
      return settled || readiness;
    },
    read: () => new Uint8Array(1),
  };
}

Deno.test("poll_oneoff sleeps with the clock of the program and reports what became ready", async () => {
  const stdout = new Collected();
  const clock = new VirtualClock();
  const arrival = Promise.withResolvers<void>();
  let questions = 0;
  // The program asks along with its output, then for 250 ms, then until there is something.
  const stdin = lateInput(arrival.promise, () => {
    questions += 1;
    if (questions === 3) queueMicrotask(arrival.resolve);
  });
  const { ending } = await runFixture("waits", [], { stdout, clock, stdin });
  assert.deepEqual(ending, { kind: "exit", status: 0 });
  // The zero lets input arrive, as output was ready at once and input was not.
  assert.deepEqual(clock.sleeps, [1500, 0, 250]);
  assert.deepEqual(stdout.text.split("\n"), [
    "slept 1500000000",
    "realtime 1700000001500000000",
    "resolution 1000",
    // Output is ready at once, input is not.
    "both 1 0 2",
    "input 0 after 250000000",
    "input 1 read 1",
    "random 4 4 4 4",
    "",
  ]);
});

Deno.test("poll_oneoff wakes for input before its time is over and gives the sleep up", async () => {
  const stdout = new Collected();
  const clock = new VirtualClock();
  const signals: AbortSignal[] = [];
  const arrival = Promise.withResolvers<void>();
  clock.sleep = (ms: number, signal?: AbortSignal) => {
    clock.sleeps.push(ms);
    if (ms !== 250) return Promise.resolve();
    signals.push(signal!);
    queueMicrotask(arrival.resolve);
    return new Promise((resolve) => signal!.addEventListener("abort", () => resolve()));
  };
  await runFixture("waits", [], { stdout, clock, stdin: lateInput(arrival.promise) });
  assert.deepEqual(clock.sleeps, [1500, 0, 250]);
  assert.equal(signals[0]!.aborted, true);
  assert.match(stdout.text, /^input 1 after 0$/m);
});

Deno.test("poll_oneoff counts input that cannot be asked as ready", async () => {
  const stdout = new Collected();
  await runFixture("waits", [], { stdout });
  assert.match(stdout.text, /^both 2 1 2$/m);
  assert.match(stdout.text, /^input 1 read 0$/m);
});

type Wish =
  | { clock: number; timeoutNs: bigint; absolute?: boolean }
  | { read: number }
  | { write: number }
  | { type: number };

/** Where `poll_oneoff` of each namespace wants the parts of a subscription. */
const LAYOUTS = {
  wasi_snapshot_preview1: { bytes: 48, clock: 16, timeout: 24, flags: 40 },
  wasi_unstable: { bytes: 56, clock: 24, timeout: 32, flags: 48 },
} as const;

/** A guest whose `poll_oneoff` is called from here, with `userdata` 1, 2, ... */
class Poller extends GuestCalls {
  readonly clock: VirtualClock;

  constructor(parts: Partial<Program> = {}) {
    const clock = new VirtualClock();
    super({ clock, ...parts });
    this.clock = clock;
  }

  /** Events as [userdata, errno, type, nbytes, flags]; everything around them must stay as it was. */
  async poll(wishes: readonly Wish[], namespace: keyof typeof LAYOUTS = "wasi_snapshot_preview1") {
    const { view } = this;
    this.bytes.fill(0xaa);
    wishes.forEach((wish, index) => this.#write(view, wish, { index, layout: LAYOUTS[namespace] }));
    const args = [1024, EVENTS_AT, wishes.length, COUNT_AT];
    assert.equal(await this.callIn(namespace, "poll_oneoff", args), 0);
    const count = view.getUint32(COUNT_AT, true);
    assert.equal(view.getUint8(EVENTS_AT + count * 32), 0xaa, "something behind the last event was written");
    return Array.from({ length: count }, (_, index) => {
      const at = EVENTS_AT + index * 32;
      const bytes = view.getBigUint64(at + 16, true);
      return [
        Number(view.getBigUint64(at, true)),
        ...[
          view.getUint16(at + 8, true),
          view.getUint8(at + 10),
          Number(bytes),
          view.getUint16(at + 24, true),
        ],
      ];
    });
  }

  #write(
    view: DataView,
    wish: Wish,
    { index, layout }: { index: number; layout: typeof LAYOUTS[keyof typeof LAYOUTS] },
  ): void {
    const at = 1024 + index * layout.bytes;
    view.setBigUint64(at, BigInt(index + 1), true);
    if ("clock" in wish) {
      view.setUint8(at + 8, 0);
      view.setUint32(at + layout.clock, wish.clock, true);
      view.setBigUint64(at + layout.timeout, BigInt.asUintN(64, wish.timeoutNs), true);
      view.setUint16(at + layout.flags, wish.absolute === true ? 1 : 0, true);
    } else if ("type" in wish) {
      view.setUint8(at + 8, wish.type);
    } else {
      view.setUint8(at + 8, "read" in wish ? 1 : 2);
      view.setUint32(at + 16, "read" in wish ? wish.read : wish.write, true);
    }
  }
}

for (const namespace of ["wasi_snapshot_preview1", "wasi_unstable"] as const) {
  Deno.test(`poll_oneoff of ${namespace} wakes for the soonest of its clocks`, async () => {
    const poller = new Poller();
    const wishes = [
      { clock: MONOTONIC, timeoutNs: 7_000_000n },
      { clock: REALTIME, timeoutNs: EPOCH_NS + 3_000_000n, absolute: true },
      { clock: MONOTONIC, timeoutNs: 2_000_001n },
      { clock: MONOTONIC, timeoutNs: 2_500_000n, absolute: true },
    ];
    assert.deepEqual(await poller.poll(wishes, namespace), [[2, 0, 0, 0, 0], [3, 0, 0, 0, 0], [
      4,
      0,
      0,
      0,
      0,
    ]]);
    assert.deepEqual(poller.clock.sleeps, [3]);
  });
}

Deno.test("poll_oneoff takes a time that has passed for due, and a negative one for very long", async () => {
  const poller = new Poller();
  const past = { clock: REALTIME, timeoutNs: EPOCH_NS - 1n, absolute: true };
  const negative = { clock: MONOTONIC, timeoutNs: -1n };
  assert.deepEqual(await poller.poll([negative, past]), [[2, 0, 0, 0, 0]]);
  assert.deepEqual(await poller.poll([negative, { clock: MONOTONIC, timeoutNs: 0n }]), [[2, 0, 0, 0, 0]]);
  assert.deepEqual(poller.clock.sleeps, []);
});

Deno.test("poll_oneoff sleeps in pieces that a timer can count, until the time is over", async () => {
  const poller = new Poller();
  const days30 = BigInt(30 * 24 * 3600) * 1_000_000_000n;
  assert.deepEqual(await poller.poll([{ clock: MONOTONIC, timeoutNs: days30 }]), [[1, 0, 0, 0, 0]]);
  assert.deepEqual(poller.clock.sleeps, [2 ** 31 - 1, 30 * 24 * 3600 * 1000 - (2 ** 31 - 1)]);
});

Deno.test("poll_oneoff answers a wrong subscription with an event and the others beside it", async () => {
  const poller = new Poller();
  const wishes: Wish[] = [
    ...[{ read: 99 }, { write: -1 }, { read: 1 }, { write: 0 }, { read: 3 }],
    ...[{ type: 3 }, { clock: 4, timeoutNs: 1n }, { clock: 2, timeoutNs: 1n }, { write: 1 }],
    { clock: MONOTONIC, timeoutNs: 5n },
  ];
  assert.deepEqual(await poller.poll(wishes), [
    ...[[1, BADF, 1, 0, 0], [2, BADF, 2, 0, 0], [3, BADF, 1, 0, 0], [4, BADF, 2, 0, 0]],
    ...[[5, NOTCAPABLE, 1, 0, 0], [6, INVAL, 3, 0, 0], [7, INVAL, 0, 0, 0], [8, INVAL, 0, 0, 0]],
    [9, 0, 2, 1, 0],
  ]);
});

Deno.test("poll_oneoff says how much of a file is left, and that writing to it never waits", async () => {
  const poller = new Poller();
  const directory = emptyDirectory();
  const file = new OpenFile(File.of(directory.volume, 1n, new Uint8Array(10)), 2 ** 30 - 1, 0, 0);
  const readOnly = new OpenFile(file.inode, RIGHTS.FD_READ | RIGHTS.POLL_FD_READWRITE, 0, 0);
  const fd = poller.guest.descriptors.add(file);
  const second = poller.guest.descriptors.add(readOnly);
  const folder = poller.guest.descriptors.add(OpenDirectory.preopen(directory, "x"));
  file.position = 4;
  readOnly.position = 12;
  const wishes = [{ read: fd }, { write: fd }, { read: second }, { write: second }, { write: folder }];
  assert.deepEqual(await poller.poll(wishes), [
    ...[[1, 0, 1, 6, 0], [2, 0, 2, 1, 0], [3, 0, 1, 0, 0], [4, BADF, 2, 0, 0], [5, NOTCAPABLE, 2, 0, 0]],
  ]);
});

Deno.test("poll_oneoff reports that input hangs up once its end has been read", async () => {
  const poller = new Poller();
  assert.equal(await poller.call("fd_read", 0, 0, 0, 64), 0);
  assert.deepEqual(await poller.poll([{ read: 0 }]), [[1, 0, 1, 1, 0]]);
  poller.guest.memory.setU32(0, 0);
  poller.guest.memory.setU32(4, 8);
  assert.equal(await poller.call("fd_read", 0, 0, 1, 64), 0);
  assert.deepEqual(await poller.poll([{ read: 0 }]), [[1, 0, 1, 0, 1]]);
  // A read of nothing does not change that.
  assert.equal(await poller.call("fd_read", 0, 0, 0, 64), 0);
  assert.deepEqual(await poller.poll([{ read: 0 }]), [[1, 0, 1, 0, 1]]);
});

Deno.test("poll_oneoff lets input arrive that is polled without waiting", async () => {
  let arrived = false;
  const poller = new Poller({
    stdin: { ready: () => arrived || new Promise(() => {}), read: () => new Uint8Array(1) },
  });
  const now = { clock: MONOTONIC, timeoutNs: 0n };
  assert.deepEqual(await poller.poll([{ read: 0 }, now]), [[2, 0, 0, 0, 0]]);
  assert.deepEqual(poller.clock.sleeps, [0]);
  arrived = true;
  assert.deepEqual(await poller.poll([{ read: 0 }, now]), [[1, 0, 1, 1, 0], [2, 0, 0, 0, 0]]);
  assert.deepEqual(poller.clock.sleeps, [0]);
});

Deno.test("poll_oneoff reports no clock when input ends the wait, even if the sleep ends with it", async () => {
  const arrival = Promise.withResolvers<void>();
  const poller = new Poller({ stdin: { ready: () => arrival.promise, read: () => new Uint8Array(1) } });
  poller.clock.sleep = (_ms: number, signal?: AbortSignal) =>
    new Promise((resolve) => signal!.addEventListener("abort", () => resolve()));
  queueMicrotask(arrival.resolve);
  const wishes = [{ clock: MONOTONIC, timeoutNs: 1_000_000n }, { read: 0 }, { read: 0 }];
  assert.deepEqual(await poller.poll(wishes), [[2, 0, 1, 1, 0], [3, 0, 1, 1, 0]]);
});

Deno.test("poll_oneoff leaves one reaction behind for input that never comes, not one for each call", async () => {
  const never = new Promise<void>(() => {});
  let reactions = 0;
  never.then = (...handlers) => {
    reactions += 1;
    return Promise.prototype.then.apply(never, handlers) as Promise<never>;
  };
  const poller = new Poller({ stdin: { ready: () => never, read: () => new Uint8Array(1) } });
  for (let call = 0; call < 20; call++) {
    const wishes = [{ read: 0 }, { read: 0 }, { clock: MONOTONIC, timeoutNs: 5_000_000n }];
    assert.deepEqual(await poller.poll(wishes), [[3, 0, 0, 0, 0]]);
  }
  assert.equal(reactions, 1);
});

Deno.test("poll_oneoff counts failed input as ready", async () => {
  const failed = () => Promise.reject(new WasimoffError("aborted", "gone"));
  const poller = new Poller({ stdin: { ready: failed, read: failed } });
  assert.deepEqual(await poller.poll([{ read: 0 }]), [[1, 0, 1, 1, 0]]);
  poller.guest.memory.setU32(0, 0);
  poller.guest.memory.setU32(4, 8);
  assert.equal(await poller.call("fd_read", 0, 0, 1, 64), IO);
});

Deno.test("poll_oneoff refuses no subscriptions and more than there can be descriptors", async () => {
  const poller = new Poller();
  for (const count of [0, 4097, -1]) {
    assert.equal(await poller.call("poll_oneoff", 0, EVENTS_AT, count, COUNT_AT), INVAL);
  }
});

Deno.test("poll_oneoff may write its events over its subscriptions", async () => {
  const poller = new Poller();
  poller.guest.memory.setU8(8, 2);
  poller.guest.memory.setU32(16, 1);
  assert.equal(await poller.call("poll_oneoff", 0, 0, 1, 8), 0);
  assert.equal(poller.guest.memory.u32(8), 1);
});

Deno.test("the CPU-time clocks leave out the time a guest sleeps", async () => {
  const poller = new Poller();
  await poller.poll([{ clock: MONOTONIC, timeoutNs: 9_000_000n }]);
  assert.equal(poller.clock.monotonicNs(), 9_000_000n);
  for (const clock of [2, 3]) {
    assert.equal(await poller.call("clock_time_get", clock, 0n, 64), 0);
    assert.equal(poller.guest.memory.u64(64), 0n);
  }
});

Deno.test("poll_oneoff blocks by the clock where guests cannot be suspended", async () => {
  const stdout = new Collected();
  const blocked: number[] = [];
  class BlockingClock extends VirtualClock {
    block = (ms: number) => {
      blocked.push(ms);
      void this.sleep(ms);
    };
  }
  const { ending } = await runFixture("waits", [], { stdout, clock: new BlockingClock() });
  assert.deepEqual(ending, { kind: "exit", status: 0 });
  // Its input is complete, so it is ready at once.
  assert.deepEqual(blocked, [1500]);
  assert.deepEqual(stdout.text.split("\n").slice(0, 2), ["slept 1500000000", "realtime 1700000001500000000"]);
});
