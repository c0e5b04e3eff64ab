/** The processes that a process has started. */

/** Process ids of the slots of a provider. */
export function slotsOf(provider: number): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) =>
    isSlot(pid, provider)
  );
}

function isSlot(pid: number, provider: number): boolean {
  if (!Number.isInteger(pid)) return false;
  try {
    const [command, status] = ["cmdline", "status"].map((file) =>
      Deno.readTextFileSync(`/proc/${pid}/${file}`)
    );
    return command!.endsWith("\0slot\0") && new RegExp(`^PPid:\\s*${provider}$`, "m").test(status!);
  } catch {
    return false; // it has ended meanwhile
  }
}

/** Memory of a process now and at its highest, in bytes. */
export function memoryOf(pid: number): { readonly rss: number; readonly peak: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(status)![1]) * 1024;
  return { rss: field("VmRSS"), peak: field("VmHWM") };
}
