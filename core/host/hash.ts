/** SHA-256 over bytes that arrive in pieces. */

import { createHash } from "node:crypto";
import type { StartHash } from "../storage/file_store.ts";

export const startHash: StartHash = () => {
  const hash = createHash("sha256");
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.digest("hex"),
  };
};
