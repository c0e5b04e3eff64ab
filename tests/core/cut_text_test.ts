import { equal } from "node:assert/strict";
import fc from "fast-check";
import { cutText } from "../../core/cut_text.ts";

Deno.test("cutText() keeps whole characters within the limit", () => {
  equal(cutText("abc", 3), "abc");
  equal(cutText("abcd", 3), "abc");
  equal(cutText("aü", 2), "a");
  equal(cutText("a€", 3), "a");
  equal(cutText("😀😀", 7), "😀");
  equal(cutText("\ufeffx", 3), "\ufeff");
  equal(cutText("x", 0), "");
});

Deno.test("cutText() gives the longest front that fits", () => {
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), fc.nat(30), (text, max) => {
    const cut = cutText(text, max);
    equal(text.startsWith(cut) && bytes(cut) <= max, true);
    const next = [...text.slice(cut.length)][0] ?? "";
    equal(next === "" || bytes(cut + next) > max, true);
  }));
});
