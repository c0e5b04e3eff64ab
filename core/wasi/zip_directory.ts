/** Finds the central directory of a ZIP: the list of its entries, at its end. */

import { END_LOCATOR_64, END_RECORD, END_RECORD_64, MAX_U16, MAX_U32 } from "./zip_format.ts";
import { refuseZip } from "./zip_names.ts";

/** Where the entries are, and how many. */
export interface CentralDirectory {
  readonly offset: number;
  readonly end: number;
  readonly entries: number;
}

/** Throws `invalid_argument` when there is none, or not where the end of the ZIP says. */
export function findCentralDirectory(view: DataView): CentralDirectory {
  const at = findEnd(view);
  const disks = view.getUint16(at + 4, true) | view.getUint16(at + 6, true);
  let entries = view.getUint16(at + 10, true);
  let bytes = view.getUint32(at + 12, true);
  let offset = view.getUint32(at + 16, true);
  let before = at;
  if (entries === MAX_U16 || bytes === MAX_U32 || offset === MAX_U32) {
    const end64 = findEnd64(view, at);
    if (end64 !== null) {
      entries = u64(view, end64 + 32);
      bytes = u64(view, end64 + 40);
      offset = u64(view, end64 + 48);
      before = end64;
    }
  } else if (disks !== 0) {
    throw refuseZip("it is one part of several");
  }
  if (offset + bytes !== before) throw refuseZip("its list of entries is not where it should be");
  return { offset, end: before, entries };
}

/** A number of 64 bits; those beyond 2^53 are larger than anything anyway. */
export function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** The last record, before a comment of up to 65,535 bytes. */
function findEnd(view: DataView): number {
  const last = view.byteLength - END_RECORD.bytes;
  for (let at = last; at >= Math.max(0, last - MAX_U16); at--) {
    if (view.getUint32(at, true) !== END_RECORD.signature) continue;
    if (at + END_RECORD.bytes + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  throw refuseZip("it is no ZIP, or its end is missing");
}

/** The record with 64-bit numbers; null when the limits of the other one were just met. */
function findEnd64(view: DataView, end: number): number | null {
  const locator = end - END_LOCATOR_64.bytes;
  if (locator < END_RECORD_64.bytes || view.getUint32(locator, true) !== END_LOCATOR_64.signature) {
    return null;
  }
  const at = u64(view, locator + 8);
  // Nothing but the locator comes after it: a longer one has fields that nobody knows.
  if (at !== locator - END_RECORD_64.bytes || view.getUint32(at, true) !== END_RECORD_64.signature) {
    throw refuseZip("its end is broken");
  }
  return at;
}
