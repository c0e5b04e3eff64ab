/** What the script of a slot's Worker may do in a browser, as whoever serves it must say. */

/**
 * The value of the header Content-Security-Policy of that script, which is one file that loads no other. No
 * connections, no further scripts or Workers, no `eval`; compiling WebAssembly is what it is for. Compiled with
 * `'wasm-unsafe-eval'` alone, `script-src` has no source, so that `import()` finds nothing either.
 */
export const SLOT_WORKER_POLICY = [
  "default-src 'none'",
  "script-src 'wasm-unsafe-eval'",
  "connect-src 'none'",
  "worker-src 'none'",
  "sandbox allow-scripts",
].join("; ");
