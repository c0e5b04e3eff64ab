// status: 255
// What is not caught ends with what the shim's abort() gives: a line on standard error, and proc_exit.
console.log("before");
const numbers = new Array<i32>(3);
console.log(numbers[process.argv.length + 10].toString());
