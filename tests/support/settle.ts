/** Lets what has happened take effect. */

/** Passes some hundred microtasks: no chain of promises in a unit test is longer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await null;
}
