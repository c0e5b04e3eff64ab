/** SETTINGS of HTTP/3 (RFC 9114 7.2.4), and how the drafts of WebTransport say that they are spoken. */

import { Http3Error } from "./http3_error.ts";
import { encodeVarints, readVarint } from "./varint.ts";

/** Identifiers that mean something here or were seen; README.md tells who sent them. */
export const SETTING = {
  QPACK_MAX_TABLE_CAPACITY: 0x1n,
  MAX_FIELD_SECTION_SIZE: 0x6n,
  QPACK_BLOCKED_STREAMS: 0x7n,
  ENABLE_CONNECT_PROTOCOL: 0x8n,
  H3_DATAGRAM: 0x33n,
  H3_DATAGRAM_DRAFT_04: 0xffd277n,
  ENABLE_WEBTRANSPORT_DRAFT_02: 0x2b603742n,
  WEBTRANSPORT_MAX_SESSIONS_DRAFT_07: 0xc671706an,
  WT_MAX_SESSIONS_DRAFT_13: 0x14e9cd29n,
  WT_ENABLED_DRAFT_15: 0x2c7cf000n,
} as const;

/** Of HTTP/2, with no meaning in HTTP/3: refused (RFC 9114 7.2.4.1). */
const RESERVED: ReadonlySet<bigint> = new Set([0x0n, 0x2n, 0x3n, 0x4n, 0x5n]);
/** Switches: any other value than 0 and 1 is an error (RFC 9220 3, RFC 9297 2.1.1). */
const SWITCHES: ReadonlySet<bigint> = new Set([SETTING.ENABLE_CONNECT_PROTOCOL, SETTING.H3_DATAGRAM]);

const IN_USE = [
  SETTING.ENABLE_WEBTRANSPORT_DRAFT_02,
  SETTING.WEBTRANSPORT_MAX_SESSIONS_DRAFT_07,
  SETTING.WT_MAX_SESSIONS_DRAFT_13,
  SETTING.WT_ENABLED_DRAFT_15,
] as const;

export type Settings = ReadonlyMap<bigint, bigint>;

/**
 * What both sides of ours announce. One session for peers of the later drafts: more than one would switch on
 * their flow control, which we do not speak; those of draft-02 may have many. No dynamic table of QPACK: zero is
 * the default.
 */
export function ourSettings(maxFieldSectionBytes: number): Settings {
  return new Map<bigint, bigint>([
    [SETTING.MAX_FIELD_SECTION_SIZE, BigInt(maxFieldSectionBytes)],
    [SETTING.ENABLE_CONNECT_PROTOCOL, 1n],
    [SETTING.H3_DATAGRAM, 1n],
    [SETTING.ENABLE_WEBTRANSPORT_DRAFT_02, 1n],
    [SETTING.WEBTRANSPORT_MAX_SESSIONS_DRAFT_07, 1n],
    [SETTING.WT_MAX_SESSIONS_DRAFT_13, 1n],
    [SETTING.WT_ENABLED_DRAFT_15, 1n],
  ]);
}

/** Whether a peer with these settings speaks any draft of WebTransport, and datagrams with it. */
export function speaksWebTransport(settings: Settings): boolean {
  const isOn = (id: bigint) => (settings.get(id) ?? 0n) > 0n;
  const datagrams = isOn(SETTING.H3_DATAGRAM) || isOn(SETTING.H3_DATAGRAM_DRAFT_04);
  return datagrams && IN_USE.some(isOn);
}

/** The payload of a SETTINGS frame. */
export function encodeSettings(settings: Settings): Uint8Array<ArrayBuffer> {
  return encodeVarints(...[...settings].flat());
}

/**
 * Reads the payload of a SETTINGS frame; unknown settings are kept. Throws an Http3Error for the connection when
 * it is cut short, and for duplicates, reserved identifiers and switches that are neither on nor off.
 */
export function decodeSettings(payload: Uint8Array): Settings {
  const settings = new Map<bigint, bigint>();
  for (let at = 0; at < payload.length;) {
    const id = readVarint(payload, at);
    const value = id && readVarint(payload, id.next);
    if (id === undefined || value === undefined) {
      throw new Http3Error("H3_FRAME_ERROR", "read settings: they are cut short");
    }
    check(settings, id.value, value.value);
    settings.set(id.value, value.value);
    at = value.next;
  }
  return settings;
}

function check(settings: Settings, id: bigint, value: bigint): void {
  if (settings.has(id)) throw wrong(`setting ${id} is there twice`);
  if (RESERVED.has(id)) throw wrong(`setting ${id} is one of HTTP/2`);
  if (SWITCHES.has(id) && value > 1n) throw wrong(`setting ${id} is ${value}, neither 0 nor 1`);
}

function wrong(detail: string): Http3Error {
  return new Http3Error("H3_SETTINGS_ERROR", `read settings: ${detail}`);
}
