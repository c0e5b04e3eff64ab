import { deepStrictEqual } from "node:assert/strict";
import { checkCertificate } from "../../../../core/host/doctor/check_config.ts";
import { checkClock, judgeToken } from "../../../../core/host/doctor/check_http.ts";
import { isVersionNegotiation } from "../../../../core/host/doctor/check_udp.ts";
import { COMMON_TRUST } from "../../../../core/host/server_trust.ts";

const AT_MS = Date.parse("2026-11-21T12:00:00Z");

Deno.test("checkClock() warns when the clocks differ by more than 5 s", () => {
  const check = (differenceMs: number) => {
    const answer = { date: new Date(AT_MS).toUTCString(), askedAtMs: AT_MS + 500 - differenceMs };
    const { status, detail } = checkClock(answer);
    return [status, detail];
  };
  deepStrictEqual(check(0), ["ok", "the broker is 0.0 s ahead"]);
  deepStrictEqual(check(5_000), ["ok", "the broker is 5.0 s ahead"]);
  deepStrictEqual(check(5_100), ["warn", "the broker is 5.1 s ahead"]);
  deepStrictEqual(check(-3_600_000), ["warn", "the broker is 3600.0 s behind"]);
  for (const date of [null, "yesterday"]) {
    deepStrictEqual(checkClock({ date, askedAtMs: AT_MS }).status, "warn");
  }
});

Deno.test("judgeToken() tells a missing token from one that is not known", () => {
  deepStrictEqual(judgeToken(200, null), { status: "ok", detail: "none is needed from here" });
  deepStrictEqual(judgeToken(200, "secret"), { status: "ok", detail: "accepted" });
  deepStrictEqual(judgeToken(404, "secret").status, "ok");
  deepStrictEqual(judgeToken(401, null).advice, "give --token-file or WASIMOFF_TOKEN");
  deepStrictEqual(judgeToken(401, "secret").detail, "the broker does not know this token");
  deepStrictEqual(judgeToken(503, "secret").status, "warn");
});

Deno.test("checkCertificate() says by what the certificate is trusted, and what --cert-hash contradicts", () => {
  const [one, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const check = (announced: Uint8Array[], pinned: Uint8Array[], expires: Date | null = null) =>
    checkCertificate({ transport: new URL("https://x/"), certHashes: announced, expires }, {
      trust: { ...COMMON_TRUST, certHashes: pinned },
      now: AT_MS,
    });
  deepStrictEqual(check([], []).detail, "one to be trusted as any other");
  deepStrictEqual(check([], [one]).detail, "one to be trusted by --cert-hash");
  deepStrictEqual(check([one, other], [other]).status, "ok");
  const { status, advice, value } = check([one], [other]);
  deepStrictEqual([status, advice, value], [
    "fail",
    "take --cert-hash away, or give one of these",
    undefined,
  ]);
  const tomorrow = new Date(AT_MS + 86_400_000);
  deepStrictEqual(check([], [], tomorrow), {
    status: "warn",
    detail: "one to be trusted as any other, until 2026-11-22T12:00:00.000Z",
    advice: "renew it at the broker",
    value: true,
  });
  deepStrictEqual(check([one], [], tomorrow).status, "ok", "replaced by itself");
  deepStrictEqual(check([one], [], new Date(AT_MS)).status, "warn");
});

Deno.test("isVersionNegotiation() knows the answer of a QUIC server from other packets", () => {
  deepStrictEqual(isVersionNegotiation(Uint8Array.fromHex("dd0000000008725b48d967b31bc4")), true);
  deepStrictEqual(isVersionNegotiation(Uint8Array.fromHex("dd0000000108725b48d967b31bc4")), false);
  deepStrictEqual(isVersionNegotiation(Uint8Array.fromHex("5d0000000008725b48d967b31bc4")), false);
  deepStrictEqual(isVersionNegotiation(Uint8Array.fromHex("dd00000000")), false);
});
