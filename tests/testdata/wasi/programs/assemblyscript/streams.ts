// stdin: first line
// stdin: zweite Zeile: größer
// status: 33
// Streams, randomness, clocks, and an exit with a status, down to the interface where the shim has nothing for it.
import { clock_time_get, clockid, errno, fd_write, random_get } from "bindings/wasi_snapshot_preview1";

const result = memory.data(8);
const piece = memory.data(8);

const chunk = new ArrayBuffer(7);
let input = "";
for (let got = process.stdin.read(chunk); got > 0; got = process.stdin.read(chunk)) {
  // Taken byte by byte, as a piece may end inside of a character.
  for (let i = 0; i < got; i++) input += String.fromCharCode(load<u8>(changetype<usize>(chunk) + i));
}
console.log(input.length.toString() + " bytes, " + input.split("\n").length.toString() + " lines");
console.log("größer 日本🦕");
process.stdout.write("no line end");
process.stdout.write("\n");
process.stderr.write("this goes to standard error\n");

const text = String.UTF8.encode("unheard");
store<u32>(piece, changetype<usize>(text));
store<u32>(piece, text.byteLength, 4);
console.log((fd_write(500, piece, 1, result) == errno.BADF).toString());
console.log((fd_write(0, piece, 1, result) == errno.BADF).toString());
console.log((fd_write(1, piece, 0, result) == errno.SUCCESS && load<u32>(result) == 0).toString());

const bytes = new Uint8Array(300);
console.log((random_get(bytes.dataStart, 0) == errno.SUCCESS && bytes[0] == 0).toString());
console.log((random_get(bytes.dataStart, 300) == errno.SUCCESS).toString());
let set = 0;
for (let i = 0; i < 300; i++) set += i32(bytes[i] != 0);
console.log((set > 200).toString());
// The shim takes the seed of Math.random() from random_get.
console.log((Math.random() != Math.random()).toString());

const before = process.hrtime();
console.log((process.hrtime() >= before).toString());
console.log((clock_time_get(clockid.REALTIME, 0, result) == errno.SUCCESS).toString());
console.log((Date.now() - load<i64>(result) / 1000000 < 60000).toString());
console.log((new Date(Date.now()).getUTCFullYear() >= 2020).toString());
process.exit(33);
console.log("not reached");
