/** Sends a slot the file that it has asked for. */

import { WasimoffError } from "../errors.ts";
import type { SlotFile } from "./slot.ts";
import { MAX_FILE_BYTES } from "./slot_intake.ts";
import { encodeFrame, encodeNumber, FRAME, MAX_FRAME_BYTES } from "./slot_protocol.ts";

/** Loads and sends one file. Resolves with why it could not be had, which the slot was told; null when it was sent. */
export async function sendFile(
  file: SlotFile,
  write: (frame: Uint8Array) => Promise<void>,
): Promise<WasimoffError | null> {
  const bytes = await load(file);
  if (bytes instanceof WasimoffError) {
    await write(encodeFrame(FRAME.FILE_FAILED));
    return bytes;
  }
  await write(encodeNumber(FRAME.FILE, bytes.length));
  for (let at = 0; at < bytes.length; at += MAX_FRAME_BYTES) {
    await write(encodeFrame(FRAME.FILE_CHUNK, bytes.subarray(at, at + MAX_FRAME_BYTES)));
  }
  return null;
}

async function load(file: SlotFile): Promise<Uint8Array | WasimoffError> {
  try {
    const bytes = await file.load();
    if (bytes.length <= MAX_FILE_BYTES) return bytes;
    return new WasimoffError("out_of_range", `cannot load "${file.ref}": more than ${MAX_FILE_BYTES} bytes`);
  } catch (error) {
    return WasimoffError.from(error);
  }
}
