/** Writes core/protocol/gen from proto/: `deno task generate`. */

import { filesBelow, ROOT } from "./project_files.ts";
import { outputOf } from "./run_program.ts";

/** The generator's version must be the one of @bufbuild/protobuf in deno.json. */
const PLUGIN = "npm:@bufbuild/protoc-gen-es@2.17.0";
const OPTIONS = "target=ts,import_extension=ts";
export const GENERATED = "core/protocol/gen";

/** How to get what generating needs; null when it is there. */
export async function missingProtoc(): Promise<string | null> {
  try {
    await outputOf("protoc", ["--version"]);
    return null;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "protoc is missing: apt-get install protobuf-compiler";
  }
}

/** Generates all messages into an existing, empty directory. */
export async function generate(directory: string): Promise<void> {
  const temporary = await Deno.makeTempDir({ prefix: "wasimoff-generate-" });
  try {
    const plugin = `${temporary}/protoc-gen-es`;
    await Deno.writeTextFile(plugin, `#!/bin/sh\nexec '${Deno.execPath()}' run -A --no-lock ${PLUGIN}\n`, {
      mode: 0o755,
    });
    await outputOf("protoc", [
      "--proto_path=proto",
      `--plugin=protoc-gen-es=${plugin}`,
      `--es_out=${directory}`,
      `--es_opt=${OPTIONS}`,
      ...await filesBelow(`${ROOT}proto`, ".proto"),
    ]);
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

if (import.meta.main) {
  const missing = await missingProtoc();
  if (missing) throw new Error(missing);
  await Deno.remove(`${ROOT}${GENERATED}`, { recursive: true });
  await Deno.mkdir(`${ROOT}${GENERATED}`);
  await generate(`${ROOT}${GENERATED}`);
}
