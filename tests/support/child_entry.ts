/** Starts a hidden subcommand alone, as main.ts does, for tests of real processes. */

const [subcommand] = Deno.args;
if (subcommand === "slot") await (await import("../../commands/slot.ts")).runSlot();
else if (subcommand === "guard") await (await import("../../commands/guard.ts")).runGuard();
else throw new TypeError(`unknown subcommand "${subcommand}"`);
