/** What the metrics page says of a broker. */

import type { Broker } from "../broker/broker.ts";
import type { Throughput } from "../broker/throughput.ts";
import type { FileStore } from "../storage/file_store.ts";
import type { TunnelRegistry } from "../tunnel/tunnel_registry.ts";
import type { BrokerNumbers } from "./metrics.ts";

/** Where the numbers are. */
export interface BrokerParts {
  readonly broker: Broker;
  readonly files: FileStore;
  readonly throughput: Throughput;
  readonly tunnels: TunnelRegistry;
}

export async function brokerNumbers(
  { broker, files, throughput, tunnels }: BrokerParts,
): Promise<BrokerNumbers> {
  const { queued, running, providers, totals } = broker.stats;
  const stored = await files.list();
  return {
    providers,
    slots: broker.providers().reduce((sum, { slots }) => sum + slots, 0),
    tasksQueued: queued,
    tasksRunning: running,
    throughput: throughput.rate,
    tasksEnded: totals.finished,
    slotDeaths: totals.slotDeaths,
    modulesRejected: totals.modulesRejected,
    files: stored.length,
    fileBytes: stored.reduce((sum, { size }) => sum + size, 0),
    tunnels: tunnels.tunnels,
  };
}
