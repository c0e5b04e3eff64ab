/** How a function of the interface fails: a thrown errno that the binding turns into its result. */

/** Not an Error on purpose: programs look up missing files by the thousand, and a stack trace costs 2 us. */
export class WasiFault {
  constructor(readonly errno: number) {}
}

/** Ends the running function of the interface with `errno`. */
export function fail(errno: number): never {
  throw new WasiFault(errno);
}
