/** Tests of the help of every command. */

import assert from "node:assert/strict";
import { command as broker } from "../../commands/broker.ts";
import { BROKER_COMMAND_FLAGS } from "../../commands/broker_flags.ts";
import { command as cert } from "../../commands/cert.ts";
import { command as doctor } from "../../commands/doctor.ts";
import { command as files } from "../../commands/files.ts";
import { command as provider } from "../../commands/provider.ts";
import { PROVIDER_COMMAND_FLAGS } from "../../commands/provider_flags.ts";
import { command as providers } from "../../commands/providers.ts";
import { command as run } from "../../commands/run.ts";
import { command as submit } from "../../commands/submit.ts";
import { SUBMIT_COMMAND_FLAGS } from "../../commands/submit_flags.ts";
import { command as upload } from "../../commands/upload.ts";
import { flagName, flagVariable } from "../../commands/flags.ts";

/** Lines of a classic terminal; what describes a task or a broker needs a few more. */
const MAX_LINES = {
  broker: 28,
  cert: 24,
  doctor: 24,
  provider: 27,
  upload: 24,
  files: 24,
  providers: 24,
  run: 28,
  submit: 39,
};
const COMMANDS = { broker, cert, doctor, provider, upload, files, providers, run, submit };

for (const [name, command] of Object.entries(COMMANDS)) {
  Deno.test(`help of ${name} fits one screen and starts with usage and examples`, () => {
    const lines = command.help().split("\n");
    assert.ok(lines.length <= MAX_LINES[name as keyof typeof COMMANDS], `${lines.length} lines`);
    for (const line of lines) assert.ok([...line].length <= 80, `${[...line].length} columns: ${line}`);
    assert.match(lines[0]!, new RegExp(`^Usage: wasimoff ${name} `));
    assert.match(lines[3]!, new RegExp(`^  wasimoff ${name} ?`));
  });
}

Deno.test("help lists every flag with its variable and its default", () => {
  const tables = {
    broker: BROKER_COMMAND_FLAGS,
    provider: PROVIDER_COMMAND_FLAGS,
    submit: SUBMIT_COMMAND_FLAGS,
  };
  for (const [name, table] of Object.entries(tables)) {
    const command = COMMANDS[name as keyof typeof tables];
    const topics = name === "broker" ? ["certificates", "tunnels", "rendezvous"] : [];
    const help = [command.help(), ...topics.map((topic) => command.help(topic))].join("\n");
    const prefix = flagVariable(name, "");
    assert.match(help, new RegExp(`Environment: ${prefix}\\.\\.\\.$`, "m"));
    for (const option of Object.keys(table)) {
      const variable = flagVariable(name, option).slice(prefix.length);
      assert.match(help, new RegExp(`^  (-\\w, )?--${flagName(option)} .* ${variable}$`, "m"));
    }
  }
  assert.match(broker.help(), /--http ADDR +where to listen \[localhost:4080\] +HTTP$/m);
  assert.match(provider.help(), /--task-memory SIZE +most memory of a task \[512MiB\] +TASK_MEMORY$/m);
});

Deno.test("help of a topic has the flags that the command's own leaves out, and nothing else", () => {
  for (const topic of ["certificates", "tunnels", "rendezvous"]) {
    const lines = broker.help(topic).split("\n");
    assert.match(lines[0]!, /^Flags +Environment: WASIMOFF_BROKER_\.\.\.$/);
    for (const line of lines) assert.ok([...line].length <= 80, line);
  }
  assert.match(broker.help("rendezvous"), /--rendezvous-polls N +polls of an address \[64\]/);
  assert.doesNotMatch(broker.help(), /--rendezvous-polls|--cert|--tcp-ports/);
  assert.throws(() => broker.help("nonsense"), /no help about "nonsense": --help certificates/);
});
