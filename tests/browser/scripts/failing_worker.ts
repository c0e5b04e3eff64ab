/** The Worker of a slot that dies of the first message it gets. */

import "../../../web/slot_worker.ts";

addEventListener("message", () => {
  throw new RangeError("Array buffer allocation failed");
});
