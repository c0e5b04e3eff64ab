// args: one "two words" "" größer 日本🦕
// env: KEY=value with = in it
// env: EMPTY=
// What process.argv and process.env make of the lists, and the sizes that the interface gives for them.
import { args_sizes_get, environ_sizes_get, errno } from "bindings/wasi_snapshot_preview1";

const sizes = memory.data(8);

for (let i = 1; i < process.argv.length; i++) console.log(process.argv[i]);
const names = process.env.keys();
for (let i = 0; i < names.length; i++) console.log(names[i] + " is " + process.env.get(names[i]));

if (args_sizes_get(sizes, sizes + 4) == errno.SUCCESS) {
  const others = load<u32>(sizes + 4) - String.UTF8.byteLength(process.argv[0], true);
  console.log(load<u32>(sizes).toString() + " arguments, the others with " + others.toString() + " bytes");
}
if (environ_sizes_get(sizes, sizes + 4) == errno.SUCCESS) {
  console.log(load<u32>(sizes).toString() + " variables, " + load<u32>(sizes + 4).toString() + " bytes");
}
