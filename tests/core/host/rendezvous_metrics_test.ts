import { deepEqual } from "node:assert/strict";
import { RendezvousMetrics } from "../../../core/host/rendezvous_metrics.ts";
import { silent } from "../../../core/log.ts";
import { DEFAULT_BRIDGES } from "../../../core/rendezvous/bridge_list.ts";
import { Rendezvous } from "../../../core/rendezvous/rendezvous.ts";

Deno.test("RendezvousMetrics has the names, labels and roundings of the reference broker, however often it is read", async () => {
  let now = 0;
  const rendezvous = new Rendezvous({
    bridges: DEFAULT_BRIDGES,
    ...{ allowedRelayPattern: "", defaultRelayPattern: "", pollsPerAddress: 100, maxPolls: 100 },
    ...{ now: () => now, logger: silent },
  });
  const metrics = new RendezvousMetrics(rendezvous);
  const poll = (sid: string, fields: Record<string, unknown>) =>
    rendezvous.poll(
      JSON.stringify({ Sid: sid, Version: "1.3", ...fields }),
      { address: "one", share: null },
      () => {},
    );
  for (let i = 0; i < 9; i++) poll(`a${i}`, { NAT: "restricted", Type: "webext", AcceptedRelayPattern: "" });
  now += 10_000;
  rendezvous.expire();
  poll("b", { NAT: "unrestricted", Type: "badge" });
  poll("c", { AcceptedRelayPattern: "^" });
  const offer = () => rendezvous.offer(`1.0\n{"offer":"o","nat":"restricted"}`, "", () => {});
  offer();
  offer();
  rendezvous.answer(JSON.stringify({ Version: "1.3", Sid: "b", Answer: "a" }), () => {});
  poll("d", { NAT: "unknown", Type: "standalone" });
  const lines = async () => (await metrics.page()).text.split("\n").filter((line) => /^[^#]/.test(line));
  const expected = [
    `snowflake_rounded_proxy_poll_total{nat="restricted",status="idle"} 16`,
    `snowflake_rounded_proxy_poll_total{nat="unrestricted",status="matched"} 8`,
    `snowflake_rounded_client_poll_total{nat="restricted",status="denied"} 8`,
    `snowflake_rounded_client_poll_total{nat="restricted",status="matched"} 8`,
    `snowflake_rounded_proxy_poll_with_relay_url_extension_total{nat="restricted",type="webext"} 16`,
    `snowflake_rounded_proxy_poll_with_relay_url_extension_total{nat="unknown",type="unknown"} 8`,
    `snowflake_rounded_proxy_poll_without_relay_url_extension_total{nat="unrestricted",type="badge"} 8`,
    `snowflake_rounded_proxy_poll_without_relay_url_extension_total{nat="unknown",type="standalone"} 8`,
    `snowflake_rounded_proxy_poll_rejected_relay_url_extension_total{nat="unknown",type="unknown"} 8`,
    `snowflake_available_proxies{nat="unknown",type="standalone"} 1`,
  ];
  deepEqual(await lines(), expected);
  deepEqual(await lines(), expected);
  rendezvous.close();
  deepEqual((await lines()).filter((line) => line.startsWith("snowflake_available")), []);
});
