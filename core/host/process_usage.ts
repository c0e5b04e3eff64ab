/** CPU time and memory of other processes, as Linux tells them. */

import type { ProcessUsage } from "../provider/slot_process.ts";

/** Takes some 15 us; null for a process that is gone, and everywhere where the host cannot tell. */
export type ReadUsage = (pid: number) => ProcessUsage | null;

/** What the numbers in /proc/PID/stat stand for. */
interface Units {
  readonly ticksPerSecond: number;
  readonly pageBytes: number;
}

/** Keys in the auxiliary vector (getauxval(3)). */
const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;
/** Fields of /proc/PID/stat (proc_pid_stat(5)), counted from the state on, which is the third. */
const STATE = 0;
const UTIME = 11;
const STIME = 12;
const RSS = 21;

/** A reader for this host: on Linux it reads /proc, elsewhere it always gives null. */
export function openUsageReader(): ReadUsage {
  const units = Deno.build.os === "linux" ? readUnits() : null;
  if (units === null) return () => null;
  return (pid) => {
    try {
      return parseStat(Deno.readTextFileSync(`/proc/${pid}/stat`), units);
    } catch {
      return null; // it is gone
    }
  };
}

/** The usage in a line of /proc/PID/stat; null for a process that has ended already. */
export function parseStat(line: string, { ticksPerSecond, pageBytes }: Units): ProcessUsage | null {
  // The name of the program stands in parentheses and may hold anything, parentheses and spaces too.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  if (fields[STATE] === "Z" || fields[STATE] === "X") return null;
  const cpuMs = (Number(fields[UTIME]) + Number(fields[STIME])) * 1000 / ticksPerSecond;
  const rssBytes = Number(fields[RSS]) * pageBytes;
  return Number.isFinite(cpuMs + rssBytes) ? { cpuMs, rssBytes } : null;
}

/** From the vector of our own process, pairs of 64 bits; null where it may not be read. */
function readUnits(): Units | null {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Deno.readFileSync("/proc/self/auxv");
  } catch {
    return null; // Deno lets only programs read it that may do everything
  }
  const words = new BigUint64Array(bytes.slice(0, bytes.length - bytes.length % 16).buffer);
  const value = (key: bigint) => {
    for (let at = 0; at + 1 < words.length; at += 2) if (words[at] === key) return Number(words[at + 1]);
    return null;
  };
  const [ticksPerSecond, pageBytes] = [value(AT_CLKTCK), value(AT_PAGESZ)];
  return ticksPerSecond && pageBytes ? { ticksPerSecond, pageBytes } : null;
}
