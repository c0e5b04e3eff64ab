/** What a Worker is offered, kept from before it is sealed: to be imported first. */

export const unsealed: Readonly<Record<string, unknown>> = keepAll();

function keepAll(): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (let level: object | null = globalThis; level !== null; level = Reflect.getPrototypeOf(level)) {
    for (const name of Object.getOwnPropertyNames(level)) kept[name] ??= Reflect.get(globalThis, name);
  }
  return kept;
}
