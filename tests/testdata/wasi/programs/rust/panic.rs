// status: 134
// A panic is a trap.
fn main() {
    println!("before");
    let numbers: Vec<u32> = std::env::args().skip(1).map(|arg| arg.len() as u32).collect();
    println!("{}", numbers[3]);
}
