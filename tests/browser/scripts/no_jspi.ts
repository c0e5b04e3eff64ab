/** Makes of this browser one that cannot suspend programs, as Firefox and Safari cannot: to be imported first. */

Reflect.deleteProperty(WebAssembly, "Suspending");
Reflect.deleteProperty(WebAssembly, "promising");
