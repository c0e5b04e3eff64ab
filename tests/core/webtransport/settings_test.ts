import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import {
  decodeSettings,
  encodeSettings,
  ourSettings,
  SETTING,
  speaksWebTransport,
} from "../../../core/webtransport/settings.ts";
import { encodeVarints } from "../../../core/webtransport/varint.ts";
import { http3Failure } from "../../support/http3_failure.ts";

/** What Chromium 156 sends, with a setting of no meaning as it adds one. */
const CHROMIUM = "01800100000680004000074064330180ffd27701ab60374201" + "c0000000fa22d15c05";

Deno.test("decodeSettings() reads those of Chromium, with unknown ones", () => {
  deepEqual([...decodeSettings(Uint8Array.fromHex(CHROMIUM))], [
    [SETTING.QPACK_MAX_TABLE_CAPACITY, 65_536n],
    [SETTING.MAX_FIELD_SECTION_SIZE, 16_384n],
    [SETTING.QPACK_BLOCKED_STREAMS, 100n],
    [SETTING.H3_DATAGRAM, 1n],
    [SETTING.H3_DATAGRAM_DRAFT_04, 1n],
    [SETTING.ENABLE_WEBTRANSPORT_DRAFT_02, 1n],
    [0xfa22d15cn, 5n],
  ]);
});

Deno.test("encodeSettings() writes pairs, and ours come back", () => {
  equal(
    encodeSettings(new Map([[SETTING.ENABLE_CONNECT_PROTOCOL, 1n], [SETTING.H3_DATAGRAM, 1n]])).toHex(),
    "08013301",
  );
  const ours = ourSettings(16_384);
  deepEqual(decodeSettings(encodeSettings(ours)), ours);
  equal(ours.get(SETTING.MAX_FIELD_SECTION_SIZE), 16_384n);
  equal(ours.has(SETTING.QPACK_MAX_TABLE_CAPACITY), false);
});

const BAD: readonly [string, string, string][] = [
  ["half a pair", "08", "H3_FRAME_ERROR"],
  ["half a value", "0840", "H3_FRAME_ERROR"],
  ["half an identifier", "0801ff", "H3_FRAME_ERROR"],
  ["a known setting twice", "08010801", "H3_SETTINGS_ERROR"],
  ["an unknown setting twice", "21012102", "H3_SETTINGS_ERROR"],
  ["one setting in two lengths", "08014008" + "01", "H3_SETTINGS_ERROR"],
  ["setting 0", "0000", "H3_SETTINGS_ERROR"],
  ["setting 2 of HTTP/2", "0200", "H3_SETTINGS_ERROR"],
  ["setting 5 of HTTP/2", "0500", "H3_SETTINGS_ERROR"],
  ["extended CONNECT that is 2", "0802", "H3_SETTINGS_ERROR"],
  ["datagrams that are 2", "3302", "H3_SETTINGS_ERROR"],
];

for (const [what, hex, name] of BAD) {
  Deno.test(`decodeSettings() refuses ${what}`, () => {
    deepEqual(http3Failure(() => decodeSettings(Uint8Array.fromHex(hex))), [name, "connection"]);
  });
}

Deno.test("speaksWebTransport() takes every draft, and wants datagrams", () => {
  const ids = [0x2b603742n, 0xc671706an, 0x14e9cd29n, 0x2c7cf000n];
  deepEqual(
    ids.map((id) => speaksWebTransport(new Map([[id, 1n], [SETTING.H3_DATAGRAM, 1n]]))),
    ids.map(() => true),
  );
  deepEqual(ids.map((id) => speaksWebTransport(new Map([[id, 1n]]))), ids.map(() => false));
  deepEqual(ids.map((id) => speaksWebTransport(new Map([[id, 0n], [0x33n, 1n]]))), ids.map(() => false));
  equal(speaksWebTransport(new Map([[0x2b603742n, 1n], [SETTING.H3_DATAGRAM_DRAFT_04, 1n]])), true);
  equal(speaksWebTransport(new Map()), false);
  equal(speaksWebTransport(ourSettings(1)), true);
});

Deno.test("decodeSettings() survives any bytes", () => {
  const names: readonly string[] = ["H3_SETTINGS_ERROR", "H3_FRAME_ERROR"];
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    const failure = http3Failure(() => decodeSettings(bytes));
    if (failure !== undefined) equal(names.includes(failure[0]), true);
  }));
});

Deno.test("decodeSettings() reads any pairs with different identifiers", () => {
  const value = fc.bigInt({ min: 0n, max: (1n << 62n) - 1n });
  const id = fc.bigInt({ min: 0x34n, max: (1n << 62n) - 1n });
  fc.assert(fc.property(fc.uniqueArray(fc.tuple(id, value), { selector: ([id]) => id }), (pairs) => {
    deepEqual([...decodeSettings(encodeVarints(...pairs.flat()))], pairs);
  }));
});
