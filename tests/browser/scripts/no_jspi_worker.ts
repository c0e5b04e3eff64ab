/** The Worker of a slot in a browser that cannot suspend programs. */

import "./no_jspi.ts";
import "../../../web/slot_worker.ts";
