import { match, strictEqual } from "node:assert/strict";
import { Metrics } from "../../../core/host/metrics.ts";

const counters = { streams: 1, activeStreams: 2, requests: 3, bytesIn: 4, bytesOut: 5 };

Deno.test("Metrics.page() shows the numbers of the moment and those of the process", async () => {
  let providers = 0;
  const metrics = new Metrics(() => ({
    providers: ++providers,
    slots: 4,
    tasksQueued: 5,
    tasksRunning: 6,
    throughput: 1.2,
    tasksEnded: { exit: 7, timeout: 1 },
    slotDeaths: 3,
    modulesRejected: 1,
    files: 2,
    fileBytes: 300,
    tunnels: [{ name: "db", counters }],
  }));
  await metrics.page();
  const { contentType, text } = await metrics.page();
  match(contentType, /^text\/plain; version=0\.0\.4/);
  const lines = new Set(text.split("\n"));
  for (
    const line of [
      "wasimoff_tasks_throughput 1.2",
      "wasimoff_conn_providers 2",
      "wasimoff_conn_providers_workers 4",
      "wasimoff_tasks_queued 5",
      "wasimoff_tasks_running 6",
      "wasimoff_storage_files 2",
      "wasimoff_storage_bytes 300",
      "wasimoff_slot_deaths_total 3",
      "wasimoff_modules_rejected_total 1",
      'wasimoff_tasks_total{reason="exit"} 7',
      "wasimoff_tunnels 1",
      'wasimoff_tunnel_streams_active{tunnel="db"} 2',
      'wasimoff_tunnel_streams_total{tunnel="db"} 1',
      'wasimoff_tunnel_requests_total{tunnel="db"} 3',
      'wasimoff_tunnel_received_bytes_total{tunnel="db"} 4',
      'wasimoff_tunnel_sent_bytes_total{tunnel="db"} 5',
      'wasimoff_tasks_total{reason="timeout"} 1',
    ]
  ) strictEqual(lines.has(line), true, line);
  match(text, /^process_resident_memory_bytes \d+$/m);
});
