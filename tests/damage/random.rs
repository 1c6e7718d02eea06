//! Random shapes with random damage.

use selkie::{Compression, Durability};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::common::Random;
use crate::common::campaign::{Campaign, count, variable};
use crate::random_damage::incident;
use crate::subject::Subject;
use crate::workshop::{Settings, Workshop};

const SHAPES: u64 = 60;
const INCIDENTS_OF_SHAPE: u64 = 100;
const NAMES: [&str; 3] = ["users", "gone", "later"];

fn shape(random: &mut Random) -> Subject {
    let durability = if random.below(3) == 0 { Durability::Buffered } else { Durability::Immediate };
    let compression = if random.below(2) == 0 { Compression::None } else { Compression::Lz4 };
    let retained_snapshots = 1 + random.below(2) as usize;
    let mut workshop = Workshop::with(Settings { durability, compression, retained_snapshots });
    for _ in 0..2 + random.below(12) {
        workshop = step(workshop, random);
    }
    if random.below(2) == 0 { workshop.closed() } else { workshop.crashed() }
}

fn step(workshop: Workshop, random: &mut Random) -> Workshop {
    let name = NAMES[random.below(3) as usize];
    let key = format!("key {}", random.below(4));
    let value_bytes = [0, 5, 30, 300, 3000][random.below(5) as usize];
    let value: Vec<u8> = (0..value_bytes).map(|_| random.next() as u8 & 3).collect();
    match random.below(12) {
        0 => workshop.snapshot(),
        1 => workshop.crash(),
        2 => workshop.close_and_open(),
        3 => workshop.drop_keyspace(name),
        4 | 5 => workshop.set_in(name, &key, value),
        6 => workshop.commit(|tx| selkie::Writable::remove(tx, &key)),
        _ => workshop.set(&key, value),
    }
}

#[test]
fn random_damage_is_never_read() {
    let campaign = Campaign::of(SHAPES);
    let mut seed = variable("SELKIE_SEED", 1);
    let (mut shapes, mut total) = (0, 0);
    while campaign.goes_on(shapes) {
        let mut random = Random(seed);
        let mut subject = shape(&mut random);
        for _ in 0..INCIDENTS_OF_SHAPE {
            let (files, told) = incident(&subject, &mut random);
            let read_only = random.below(2) == 0;
            subject.try_with(read_only, &files, || format!("{told}; again: SELKIE_SEED={seed}"));
        }
        total += subject.tally.total();
        shapes += 1;
        seed += 1;
    }
    count(total, "damaged files");
}
