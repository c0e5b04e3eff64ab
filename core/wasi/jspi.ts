/** JavaScript Promise Integration, where the runtime has it: how a synchronous guest waits for a promise. */

/** An import whose promise suspends the guest. */
type Suspending = new (implementation: unknown) => WebAssembly.ImportValue;

export interface Jspi {
  readonly Suspending: Suspending;
  /** Makes an export return a promise; needed around every call in which an import may suspend. */
  promising(exported: WebAssembly.ExportValue): () => Promise<unknown>;
}

/** Null where the runtime has no JSPI. */
export function findJspi(): Jspi | null {
  const candidate = WebAssembly as unknown as Partial<Jspi>;
  return typeof candidate.Suspending === "function" && typeof candidate.promising === "function"
    ? candidate as Jspi
    : null;
}
