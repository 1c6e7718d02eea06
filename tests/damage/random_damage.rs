//! What becomes of one file, or of two that change places, by chance.

use crate::Files;
use crate::common::Random;
use crate::subject::Subject;
use crate::whole_files::swapped;

/// The files after one incident, and what it was.
pub(crate) fn incident(subject: &Subject, random: &mut Random) -> (Files, String) {
    let file = pick(&subject.files, random);
    match random.below(12) {
        0 => {
            let other = pick(&subject.files, random);
            (swapped(&subject.files, &file, &other), format!("{file} and {other} are swapped"))
        }
        1 => older(subject, random),
        2 => {
            let other = pick(&subject.files, random);
            let contents = subject.files[&other].clone();
            (subject.with(&file, |bytes| *bytes = contents), format!("{file} is a copy of {other}"))
        }
        _ => {
            let mut told = file.clone();
            let files = subject.with(&file, |bytes| {
                for _ in 0..=random.below(3) {
                    told += &change(bytes, &subject.files, random);
                }
            });
            (files, told)
        }
    }
}

fn older(subject: &Subject, random: &mut Random) -> (Files, String) {
    let moment = &subject.moments[random.below(subject.moments.len() as u64) as usize];
    let file = pick(&moment.files, random);
    let mut files = subject.files.clone();
    files.insert(file.clone(), moment.files[&file].clone());
    (files, format!("{file} is that of version {}", moment.contents.version))
}

fn pick(files: &Files, random: &mut Random) -> String {
    files.keys().nth(random.below(files.len() as u64) as usize).unwrap().clone()
}

/// Changes the bytes of one file, and says how.
fn change(bytes: &mut Vec<u8>, files: &Files, random: &mut Random) -> String {
    let length = bytes.len() as u64;
    let start = random.below(length + 1) as usize;
    let most = [8, 64, 512, 5000][random.below(4) as usize];
    let aligned = if random.below(2) == 0 { 8 } else { 1 };
    let start = start - start % aligned;
    let size = 1 + random.below(most) as usize;
    let end = (start + size).min(bytes.len());
    match random.below(9) {
        0 => bytes.truncate(start),
        1 => bytes[start..end].fill(0),
        2 => bytes[start..end].fill(u8::MAX),
        3 => bytes[start..end].fill_with(|| random.next() as u8),
        4 => {
            let inserted: Vec<u8> = (0..size).map(|_| random.next() as u8).collect();
            bytes.splice(start..start, inserted).for_each(drop);
        }
        5 => bytes.drain(start..end).for_each(drop),
        6 => {
            let repeated = bytes[start..end].to_vec();
            bytes.splice(end..end, repeated).for_each(drop);
        }
        7 => {
            let from = files[&pick(files, random)].clone();
            let place = random.below(from.len() as u64 + 1) as usize;
            let moved = &from[place - place % aligned..];
            let count = moved.len().min(end - start);
            bytes[start..start + count].copy_from_slice(&moved[..count]);
        }
        _ => {
            if let Some(byte) = bytes.get_mut(start) {
                *byte ^= 1 << random.below(8);
            }
        }
    }
    format!(", changed from {start} to {end}")
}
