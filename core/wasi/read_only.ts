/** The one check of calls that change a volume. */

import { ERRNO } from "./abi.ts";
import { fail } from "./fault.ts";
import type { Volume } from "./volume.ts";

/** Fails with EROFS when nothing on the volume may be changed. */
export function requireWritable(volume: Volume): void {
  if (volume.readOnly) fail(ERRNO.ROFS);
}
