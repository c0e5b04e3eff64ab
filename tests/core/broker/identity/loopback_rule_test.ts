import { equal } from "node:assert/strict";
import { hostName } from "../../../../core/broker/identity/loopback_rule.ts";

Deno.test("hostName() takes port and brackets away, and leaves bare IPv6 addresses whole", () => {
  const table: [host: string, name: string][] = [
    ["Example.org", "example.org"],
    ["localhost:4080", "localhost"],
    ["192.0.2.1:80", "192.0.2.1"],
    ["[2001:DB8::1]:443", "2001:db8::1"],
    ["[::1]", "::1"],
    ["2001:db8::1", "2001:db8::1"],
    ["::1", "::1"],
    ["::", "::"],
    ["", ""],
  ];
  for (const [host, name] of table) equal(hostName(host), name, host);
});
