import { deepStrictEqual } from "node:assert/strict";
import { OwnHosts } from "../../../../core/broker/identity/own_hosts.ts";

Deno.test("OwnHosts knows its names with any port and in any case, and loopback names on its own machine only", () => {
  const hosts = new OwnHosts(["broker.example.org", "192.0.2.1", "2001:db8::1"]);
  const asked: [host: string, address: string, own: boolean][] = [
    ["broker.example.org", "198.51.100.1", true],
    ["Broker.Example.org:443", "198.51.100.1", true],
    ["192.0.2.1:4080", "198.51.100.1", true],
    ["[2001:db8::1]:4080", "198.51.100.1", true],
    ["localhost:4080", "127.0.0.1", true],
    ["[::1]", "::1", true],
    ["localhost:4080", "198.51.100.1", false],
    ["localhost", "", false],
    ["evil.example", "127.0.0.1", false],
    ["broker.example.org.evil.example", "198.51.100.1", false],
    ["", "127.0.0.1", false],
  ];
  deepStrictEqual(asked.filter(([host, address, own]) => hosts.has({ host, address }) !== own), []);
});
