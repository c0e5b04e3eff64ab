import { deepEqual, equal } from "node:assert/strict";
import { Logger } from "../../../core/log.ts";
import { scrub, scrubbed } from "../../../core/rendezvous/scrub.ts";

Deno.test("scrub() takes out addresses of both kinds, with ports, brackets and zones", () => {
  const table: [text: string, clean: string][] = [
    ["from 192.0.2.7", "from [scrubbed]"],
    ["from 192.0.2.7:443 to 10.0.0.1:80", "from [scrubbed] to [scrubbed]"],
    ["from [2001:db8::1]:443", "from [scrubbed]"],
    ["from 2001:db8:0:0:0:0:0:1 now", "from [scrubbed] now"],
    ["from ::1", "from [scrubbed]"],
    ["from ::ffff:192.0.2.7", "from [scrubbed]"],
    ["from fe80::1%eth0", "from [scrubbed]"],
    ["GET /x?ip=2001%3Adb8%3A%3A1", "GET /x?ip=[scrubbed]"],
    ["GET /x?ip%3D2001%3Adb8%3A%3A1", "GET /x?ip%3D[scrubbed]"],
    ["GET /x?ip%3D192.0.2.7%3A443", "GET /x?ip%3D[scrubbed]"],
    ["to %5B2001%3Adb8%3A%3A1%5D%3A443", "to [scrubbed]"],
    ["at http://[2001:db8::1]:80/x", "at http://[scrubbed]/x"],
    ["at 12:34:56 all is well", "at 12:34:56 all is well"],
    ["error: no such file", "error: no such file"],
    ["version 1.2.3", "version 1.2.3"],
  ];
  for (const [text, clean] of table) equal(scrub(text), clean, text);
});

Deno.test("scrub() takes out session descriptions however they are escaped", () => {
  const sdp = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\na=candidate:1 1 udp 1 host.local 5 typ host\r\n";
  const offer = JSON.stringify({ type: "offer", sdp });
  const nested = JSON.stringify(JSON.stringify({ offer }));
  for (const text of [sdp, offer, JSON.stringify({ offer }), nested, sdp.slice(sdp.indexOf("a=candidate"))]) {
    const clean = scrub(`got ${text}`);
    equal(/candidate|IP4|host/.test(clean), false, clean);
    equal(clean.startsWith("got "), true);
  }
});

Deno.test("scrubbed() cleans messages, fields and errors on their way to the log", () => {
  const lines: unknown[] = [];
  const logger = scrubbed(new Logger((level, message, fields) => lines.push([level, message, fields])));
  logger.warn("refused 192.0.2.7", {
    peer: "[2001:db8::1]:9",
    count: 3,
    error: new Error("read 10.1.2.3:4 failed"),
  });
  deepEqual(lines, [["warn", "refused [scrubbed]", {
    peer: "[scrubbed]",
    count: 3,
    error: "Error: read [scrubbed] failed",
  }]]);
});
