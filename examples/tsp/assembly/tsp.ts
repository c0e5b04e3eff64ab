// Travelling salesman by many starts: tsp [--cities N] [--seed N] [--starts N]
// The same arguments give the same tour everywhere: only +, -, *, / and the square root are used.

let state: u64 = 1;

/** splitmix64, so that neighbouring seeds give unrelated maps. */
function random(): f64 {
  state += 0x9e3779b97f4a7c15;
  let z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return <f64> ((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

/** Distances between all cities on a square with a side of 1,000. */
function distances(cities: i32): StaticArray<f64> {
  const x = new StaticArray<f64>(cities);
  const y = new StaticArray<f64>(cities);
  for (let i = 0; i < cities; i++) {
    x[i] = random() * 1000;
    y[i] = random() * 1000;
  }
  const result = new StaticArray<f64>(cities * cities);
  for (let i = 0; i < cities; i++) {
    for (let j = 0; j < cities; j++) {
      const dx = x[i] - x[j];
      const dy = y[i] - y[j];
      result[i * cities + j] = Math.sqrt(dx * dx + dy * dy);
    }
  }
  return result;
}

function shuffle(tour: StaticArray<i32>): void {
  for (let i = tour.length - 1; i > 0; i--) {
    const j = <i32> (random() * <f64> (i + 1));
    const city = tour[i];
    tour[i] = tour[j];
    tour[j] = city;
  }
}

/** Turns pieces of the tour around until no turn makes it shorter (2-opt). */
function improve(tour: StaticArray<i32>, distance: StaticArray<f64>): void {
  const n = tour.length;
  for (let improved = true; improved;) {
    improved = false;
    for (let i = 0; i < n - 1; i++) {
      for (let j = i + 2; j < n; j++) {
        const a = tour[i], b = tour[i + 1], c = tour[j], d = tour[j + 1 === n ? 0 : j + 1];
        const gain = distance[a * n + b] + distance[c * n + d] - distance[a * n + c] - distance[b * n + d];
        if (gain <= 1e-9) continue;
        for (let left = i + 1, right = j; left < right; left++, right--) {
          const city = tour[left];
          tour[left] = tour[right];
          tour[right] = city;
        }
        improved = true;
      }
    }
  }
}

function lengthOf(tour: StaticArray<i32>, distance: StaticArray<f64>): f64 {
  const n = tour.length;
  let length = distance[tour[n - 1] * n + tour[0]];
  for (let i = 0; i + 1 < n; i++) length += distance[tour[i] * n + tour[i + 1]];
  return length;
}

function flag(name: string, fallback: i32): i32 {
  const position = process.argv.indexOf(name);
  if (position < 0) return fallback;
  const value = position + 1 < process.argv.length ? parseInt(process.argv[position + 1], 10) : NaN;
  if (value >= 1 && value <= 1000000) return <i32> value;
  process.stderr.write("usage: tsp [--cities 4..2000] [--seed N] [--starts N]\n");
  process.exit(2);
  return fallback;
}

const cities = flag("--cities", 100);
const seed = flag("--seed", 1);
const starts = flag("--starts", 500);
if (cities < 4 || cities > 2000) {
  process.stderr.write("tsp: --cities must be between 4 and 2000\n");
  process.exit(2);
}

state = <u64> seed;
const distance = distances(cities);
const tour = new StaticArray<i32>(cities);
for (let i = 0; i < cities; i++) tour[i] = i;
let best = f64.MAX_VALUE;
for (let start = 0; start < starts; start++) {
  shuffle(tour);
  improve(tour, distance);
  const length = lengthOf(tour, distance);
  if (length < best) best = length;
}
const hundredths = <i64> (best * 100 + 0.5);
const cents = hundredths % 100;
process.stdout.write(
  "seed " + seed.toString() + ": best of " + starts.toString() + " tours of " + cities.toString() +
    " cities is " +
    (hundredths / 100).toString() + (cents < 10 ? ".0" : ".") + cents.toString() + "\n",
);
