// args: one "two words" "" größer
// env: KEY=value with = in it
// env: EMPTY=
// stdin: first line
// stdin: zweite Zeile: größer
// stdin:
// stdin: last
// status: 7
// What std takes from outside: arguments, variables, lines of input, time; and the status it ends with.
use std::io::{BufRead, Read, Write};
use std::time::{Duration, Instant, SystemTime};

fn main() {
    println!("{:?}", std::env::args().skip(1).collect::<Vec<_>>());
    let mut variables: Vec<_> = std::env::vars().collect();
    variables.sort();
    println!("{variables:?}");
    std::env::set_var("NEW", "set");
    println!("{:?} {:?} {:?}", std::env::var("EMPTY"), std::env::var("NEW"), std::env::var("NONE").is_err());

    let mut lines = std::io::stdin().lock().lines();
    println!("{:?} {:?}", lines.next().unwrap().unwrap(), lines.next().unwrap().unwrap());
    drop(lines);
    let mut rest = String::new();
    println!("{:?} {rest:?}", std::io::stdin().read_to_string(&mut rest).unwrap());
    println!("{:?}", std::io::stdin().read(&mut [0; 10]).unwrap());

    let (before, wall) = (Instant::now(), SystemTime::now());
    std::thread::sleep(Duration::from_millis(30));
    let took = before.elapsed();
    println!("slept {}", took >= Duration::from_millis(30) && took < Duration::from_secs(5));
    println!("wall {}", wall.elapsed().unwrap() >= Duration::from_millis(25));
    std::thread::sleep(Duration::ZERO);
    std::thread::yield_now();
    let year = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() / 31_556_952 + 1970;
    println!("year {}", (2020..2100).contains(&year));

    // The seed of a map is random, its order does not matter here.
    let map: std::collections::HashMap<u32, u32> = (0..100).map(|i| (i, i * i)).collect();
    println!("{}", map.values().sum::<u32>());
    std::io::stdout().write_all(b"no line end").unwrap();
    std::process::exit(7);
}
