/** Calls functions of the interface without a module. */

import { bindFunction } from "../../../core/wasi/function_binding.ts";
import { Guest } from "../../../core/wasi/guest.ts";
import { NAMESPACES } from "../../../core/wasi/preview1.ts";
import type { Program } from "../../../core/wasi/program.ts";
import { makeProgram } from "./guest_fixture.ts";
import { moduleOf } from "./module_bytes.ts";

export class GuestCalls {
  readonly guest: Guest;
  readonly #memory: WebAssembly.Memory;

  constructor(parts: Partial<Program> = {}, pages = 1) {
    this.guest = new Guest(makeProgram(moduleOf(), parts));
    this.#memory = new WebAssembly.Memory({ initial: pages });
    this.guest.memory.attach(this.#memory);
  }

  /** The memory as it is now. */
  get bytes(): Uint8Array {
    return new Uint8Array(this.#memory.buffer);
  }

  get view(): DataView {
    return new DataView(this.#memory.buffer);
  }

  call(name: string, ...args: unknown[]): number | Promise<number> {
    return this.callIn("wasi_snapshot_preview1", name, args);
  }

  callIn(namespace: string, name: string, args: readonly unknown[]): number | Promise<number> {
    return bindFunction(NAMESPACES.get(namespace)!.get(name)!, this.guest, true)(...args);
  }
}
