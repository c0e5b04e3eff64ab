/** What the script of a slot's Worker may do in a browser, as whoever serves it must say. */

/**
 * The value of the header Content-Security-Policy of that script, which is one file that loads no other. No
 * connections, no further scripts or Workers, no `eval`, no `import()`: compiling WebAssembly is all it may do.
 * No `sandbox`, which Chromium 156 knows for Workers but crashes with.
 */
export const SLOT_WORKER_POLICY = [
  "default-src 'none'",
  "script-src 'wasm-unsafe-eval'",
  "connect-src 'none'",
  "worker-src 'none'",
].join("; ");
