/** The kinds of values that flags take: how each is read and how a default is shown. */

import { formatDuration, parseDuration } from "./duration.ts";
import { parseKeyValue } from "./key_value.ts";
import { formatListenAddress, type ListenAddress, parseListenAddress } from "./listen_address.ts";
import { formatSize, parseSize } from "./size.ts";
import { formatTime, parseTime } from "./time.ts";
import { didYouMean } from "./suggest.ts";
import { usageError } from "./usage_error.ts";

export interface FlagKind<T> {
  /** `none`: a switch. `one`: the last value wins. `many`: every value counts. */
  readonly values: "none" | "one" | "many";
  /** How a value is written, for help. */
  readonly placeholder: string;
  /** Reads the values given in one place (at least one; a switch gets `true` or `false`). */
  parse(texts: readonly string[]): T;
  /** The default as help shows it; empty when there is nothing to show. */
  format(value: T): string;
}

function one<T>(placeholder: string, parse: (text: string) => T, format: (value: T) => string): FlagKind<T> {
  return { values: "one", placeholder, parse: (texts) => parse(texts.at(-1)!), format };
}

export const text: FlagKind<string> = one("TEXT", (value) => value, (value) => value);

export const size: FlagKind<number> = one("SIZE", atLeast(1, parseSize, "1B"), formatSize);

/** Milliseconds; zero is allowed. */
export const duration: FlagKind<number> = one("TIME", parseDuration, formatDuration);

/** Milliseconds; zero is refused. */
export const limit: FlagKind<number> = one("TIME", atLeast(1, parseDuration, "1ms"), formatDuration);

export const listenAddress: FlagKind<ListenAddress> = one("ADDR", parseListenAddress, formatListenAddress);

/** `off` is null. */
export const listenAddressOrOff: FlagKind<ListenAddress | null> = one(
  "ADDR|off",
  (value) => value === "off" ? null : parseListenAddress(value),
  (address) => address === null ? "off" : formatListenAddress(address),
);

/** Unix milliseconds, to come. */
export const time: FlagKind<number> = one("TIME", (value) => {
  const now = Date.now();
  const at = parseTime(value, now);
  if (at <= now) throw usageError(`"${value}" is in the past: give a time to come, such as "+10m"`);
  return at;
}, formatTime);

/** A whole number from `least` on. */
export function count(least: number): FlagKind<number> {
  return one("N", (value) => {
    const number = Number(value);
    if (!/^\d{1,15}$/.test(value) || number < least) {
      throw usageError(`"${value}" is no whole number from ${least} on`);
    }
    return number;
  }, String);
}

/** Ports from the first to the last. */
export const portRange: FlagKind<{ readonly first: number; readonly last: number }> = one(
  "N-N",
  (value) => {
    const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(value)?.map(Number) ?? [];
    if (first === undefined || last === undefined || first < 1 || first > last || last > 65_535) {
      throw usageError(`"${value}" is no range of ports: write it like "20000-20999"`);
    }
    return { first, last };
  },
  ({ first, last }) => `${first}-${last}`,
);

/** One word of a few. */
export function choice<const W extends string>(...words: readonly W[]): FlagKind<W> {
  return one(words.join("|"), (value) => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) {
      throw usageError(`"${value}" is none of ${words.join(", ")}${didYouMean(value, words)}`);
    }
    return word;
  }, (word) => word);
}

const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["yes", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["0", false],
]);

export const toggle: FlagKind<boolean> = {
  values: "none",
  placeholder: "",
  parse(texts) {
    const value = SWITCH.get(texts.at(-1)!.toLowerCase());
    if (value === undefined) throw usageError(`"${texts.at(-1)}" is neither true nor false`);
    return value;
  },
  format: () => "",
};

export const repeated: FlagKind<readonly string[]> = {
  values: "many",
  placeholder: "TEXT",
  parse: (texts) => [...texts],
  format: (values) => values.join(","),
};

/** Several values in one, with commas between them. */
export const commaList: FlagKind<readonly string[]> = {
  values: "many",
  placeholder: "A,B",
  parse: (texts) => texts.flatMap((value) => value.split(",")).map((part) => part.trim()).filter(Boolean),
  format: (values) => values.join(","),
};

export const keyValues: FlagKind<Readonly<Record<string, string>>> = {
  values: "many",
  placeholder: "K=V",
  parse: (texts) => Object.fromEntries(texts.map(parseKeyValue)),
  format: (pairs) => Object.entries(pairs).map(([key, value]) => `${key}=${value}`).join(","),
};

function atLeast(least: number, parse: (text: string) => number, shown: string): (text: string) => number {
  return (value) => {
    const number = parse(value);
    if (number < least) throw usageError(`"${value}" is too small: give at least ${shown}`);
    return number;
  };
}
