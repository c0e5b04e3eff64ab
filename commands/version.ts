/** The version of this program, as `deno.json` has it. */

import configuration from "../deno.json" with { type: "json" };

export const VERSION: string = configuration.version;
