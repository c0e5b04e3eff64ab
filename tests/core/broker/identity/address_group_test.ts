import { equal, notEqual } from "node:assert/strict";
import { addressGroup } from "../../../../core/broker/identity/address_group.ts";

Deno.test("addressGroup() is null for this machine only", () => {
  for (const local of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"]) equal(addressGroup(local), null);
  for (const other of ["10.0.0.1", "fd00::1", "", "unknown"]) notEqual(addressGroup(other), null);
});

Deno.test("addressGroup() tells IPv4 addresses apart, however they are written", () => {
  equal(addressGroup("192.0.2.7"), addressGroup("::ffff:192.0.2.7"));
  notEqual(addressGroup("192.0.2.7"), addressGroup("192.0.2.8"));
});

Deno.test("addressGroup() is the same within an IPv6 /64", () => {
  equal(addressGroup("2001:db8:1:2::1"), addressGroup("2001:db8:1:2:ffff:1:2:3"));
  notEqual(addressGroup("2001:db8:1:2::1"), addressGroup("2001:db8:1:3::1"));
});
