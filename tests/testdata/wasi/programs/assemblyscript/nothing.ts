// No arguments but the name, no environment, no input.
import { environ_sizes_get, errno } from "bindings/wasi_snapshot_preview1";

const sizes = memory.data(8);
store<u64>(sizes, -1);

console.log(process.argv.length.toString());
console.log(process.env.size.toString());
if (environ_sizes_get(sizes, sizes + 4) == errno.SUCCESS) console.log(load<u64>(sizes).toString());
console.log(process.stdin.read(new ArrayBuffer(10)).toString());
