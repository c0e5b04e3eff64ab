/** Port 80 without the permission to have it. */

import { match, strictEqual } from "node:assert/strict";
import { temporaryDirectory } from "../commands/temporary_directory.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const SETTING = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
/** Containers may let everybody have port 80. */
const guarded = await Deno.readTextFile(SETTING).then((first) => Number(first) > 80, () => false);
/** Root without this capability is like anybody else. */
const WITHOUT = ["setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"];

Deno.test({
  name: "a broker that may not listen on port 80 says how to allow it",
  ignore: !guarded,
  async fn() {
    await using directory = await temporaryDirectory();
    const acme = ["--acme-hostnames", "broker.example", "--acme-cert-cache", directory.path];
    const words = ["run", "-A", "--no-prompt", "--quiet", MAIN, "broker", "--http", "localhost:0", ...acme];
    const [program, ...args] = [...(Deno.uid() === 0 ? WITHOUT : []), Deno.execPath(), ...words];
    const { code, stderr } = await new Deno.Command(program!, {
      args,
      env: { XDG_CONFIG_HOME: "/nonexistent", NO_COLOR: "1" },
      signal: AbortSignal.timeout(20_000),
    }).output();
    match(
      new TextDecoder().decode(stderr),
      /^wasimoff: cannot listen on port 80, .* allow it by "sudo setcap cap_net_bind_service=\+ep \/\S+"\n$/,
    );
    strictEqual(code, 78);
  },
});
