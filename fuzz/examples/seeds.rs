//! Writes the seeds of the corpora: the files of format 1 that the repository keeps, in the shapes of the targets, and
//! sequences of operations.

use std::fs;
use std::path::{Path, PathBuf};

const SEGMENT_HEADER_BYTES: usize = 72;
const FRAME_HEADER_BYTES: usize = 48;
const FILE_HEAD_BYTES: usize = 16;
const SECTION_HEAD_BYTES: usize = 24;
const SEQUENCES: u64 = 24;

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixture = |name: &str| fs::read(root.join("../tests/fixtures/format-1").join(name));
    let logs = [fixture("0000000000000002.log")?, fixture("0000000000000003.log")?];
    let (snapshot, database) = (fixture("0000000000000002.snapshot")?, fixture("database")?);
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder: PathBuf = root.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{name}")), bytes)
    };
    for (place, log) in logs.iter().enumerate() {
        for flags in [0, 7, 0x23] {
            write("log", &format!("{place}-{flags}"), &[&[flags], &log[..]].concat())?;
        }
        for (frame, payload) in payloads(log).enumerate() {
            write("codec", &format!("commit-{place}-{frame}"), &[&[6], payload].concat())?;
            write(
                "codec",
                &format!("operations-{place}-{frame}"),
                &[&[0], payload.get(1..).unwrap_or_default()].concat(),
            )?;
        }
    }
    for flags in [0, 1] {
        write("snapshot", &flags.to_string(), &[&[flags], &snapshot[..]].concat())?;
    }
    for (number, payload) in sections(&snapshot).enumerate() {
        for kind in 1..6 {
            write("codec", &format!("section-{number}-{kind}"), &[&[kind], payload].concat())?;
        }
    }
    for mended in [0, 0xC0] {
        let files =
            [(0, 0, &database), (3 | mended, 2, &snapshot), (1 | mended, 2, &logs[0]), (1 | mended, 3, &logs[1])];
        let listed: Vec<u8> = files.iter().flat_map(|(kind, number, bytes)| listed(*kind, *number, bytes)).collect();
        write("database", &mended.to_string(), &listed)?;
    }
    for seed in 1..=SEQUENCES {
        write("operations", &format!("{seed:02}"), &noise(seed, 20 + 4 * seed as usize))?;
    }
    Ok(())
}

fn payloads(log: &[u8]) -> impl Iterator<Item = &[u8]> {
    parts(log, SEGMENT_HEADER_BYTES, FRAME_HEADER_BYTES, 0, 8)
}

fn sections(snapshot: &[u8]) -> impl Iterator<Item = &[u8]> {
    parts(snapshot, FILE_HEAD_BYTES, SECTION_HEAD_BYTES, 12, 1)
}

/// What follows each head, whose length stands in it.
fn parts(bytes: &[u8], start: usize, head: usize, place: usize, alignment: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = &bytes[start..];
    std::iter::from_fn(move || {
        let length = u32::from_le_bytes(rest.get(place..place + 4)?.try_into().ok()?) as usize;
        let part = rest.get(head..head + length)?;
        rest = rest.get(head + length.next_multiple_of(alignment)..)?;
        Some(part)
    })
}

fn listed(kind: u8, number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[kind, number][..], &(bytes.len() as u16).to_le_bytes(), bytes].concat()
}

fn noise(mut state: u64, length: usize) -> Vec<u8> {
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}
