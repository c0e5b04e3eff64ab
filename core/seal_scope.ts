/** Takes away what the global scope of a Worker or a process offers and a slot does not need. */

/** Of the language. */
const LANGUAGE =
  "AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array Boolean DataView " +
  "Date DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity " +
  "Int16Array Int32Array Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError " +
  "ReferenceError Reflect RegExp Set String SuppressedError Symbol SyntaxError TypeError URIError Uint16Array " +
  "Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly decodeURI decodeURIComponent encodeURI " +
  "encodeURIComponent escape globalThis isFinite isNaN parseFloat parseInt undefined unescape";

/** Of the platform: bytes, text, streams, time, events; nothing that reaches out of the Worker or keeps anything. */
const PLATFORM =
  "AbortController AbortSignal Blob CompressionStream CountQueuingStrategy ByteLengthQueuingStrategy DOMException " +
  "DecompressionStream ErrorEvent Event EventTarget MessageChannel MessageEvent MessagePort ReadableStream " +
  "ReadableStreamBYOBReader ReadableStreamDefaultReader TextDecoder TextDecoderStream TextEncoder TextEncoderStream " +
  "TransformStream URL WritableStream WritableStreamDefaultWriter addEventListener atob btoa clearTimeout console " +
  "constructor crypto dispatchEvent performance queueMicrotask removeEventListener self setTimeout structuredClone";

const KEPT: ReadonlySet<PropertyKey> = new Set(`${LANGUAGE} ${PLATFORM}`.split(" "));

/**
 * Removes everything else from the global object and what it inherits, also what browsers will only invent. Guests see
 * none of it anyway: this is for the day when one finds a way out of its imports. `also` are further names to keep.
 * Returns the names that a browser does not let go.
 */
export function sealScope(scope: object, also: readonly string[] = []): string[] {
  const left: string[] = [];
  for (let level: object | null = scope; level !== null && level !== Object.prototype;) {
    for (const key of Reflect.ownKeys(level)) {
      if (
        typeof key === "symbol" || KEPT.has(key) || also.includes(key) || Reflect.deleteProperty(level, key)
      ) continue;
      left.push(key);
    }
    level = Reflect.getPrototypeOf(level);
  }
  return left;
}
