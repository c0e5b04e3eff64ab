/** What a provider serves an existing broker with. */

import type { EncodingV1 } from "../protocol/envelope_v1.ts";
import type { MessagePipe } from "../protocol/messenger_v1.ts";
import type { FileStore } from "../storage/file_store.ts";

/** A connection on which a broker has chosen the first generation. */
export interface LinkV1 {
  readonly pipe: MessagePipe;
  readonly encoding: EncodingV1;
  /** What is listed, probed and uploaded. */
  readonly files: FileStore;
}
