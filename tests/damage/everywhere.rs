//! Damage in every place: every byte flipped, every length cut to, every page zeroed.

use std::ops::Range;

use crate::common::Random;
use crate::subject::Subject;

const PAGES_BYTES: [usize; 3] = [4096, 512, 64];

impl Subject {
    fn flip_every_bit(&mut self, bits: impl Fn(usize) -> Range<u32>) {
        let mut random = Random(7);
        for (file, bytes) in self.files.clone() {
            for place in 0..bytes.len() {
                for bit in bits(place) {
                    let files = self.with(&file, |bytes| bytes[place] ^= 1 << bit);
                    self.try_with(true, &files, || format!("bit {bit} of byte {place} of {file}"));
                }
                let flipped = 1 + random.below(255) as u8;
                let files = self.with(&file, |bytes| bytes[place] ^= flipped);
                self.try_with(false, &files, || format!("byte {place} of {file} flipped by {flipped}"));
            }
        }
    }

    fn truncate_everywhere(&mut self) {
        for (file, bytes) in self.files.clone() {
            for length in 0..bytes.len() {
                let files = self.with(&file, |bytes| bytes.truncate(length));
                self.try_with(false, &files, || format!("{file} cut to {length}"));
            }
        }
    }

    fn zero_every_page(&mut self, page_bytes: usize) {
        for (file, bytes) in self.files.clone() {
            for start in (0..bytes.len()).step_by(page_bytes) {
                let end = bytes.len().min(start + page_bytes);
                let files = self.with(&file, |bytes| bytes[start..end].fill(0));
                self.try_with(false, &files, || format!("{file} zeroed from {start} to {end}"));
            }
        }
    }

    pub(crate) fn damage_everything(mut self, name: &str, bits: impl Fn(usize) -> Range<u32>) {
        self.flip_every_bit(bits);
        self.truncate_everywhere();
        for page_bytes in PAGES_BYTES {
            self.zero_every_page(page_bytes);
        }
        self.lose_every_file();
        self.swap_every_pair();
        self.put_back_every_file();
        self.report(name);
    }
}

pub(crate) fn every_bit(_place: usize) -> Range<u32> {
    0..8
}

pub(crate) fn one_bit(place: usize) -> Range<u32> {
    let bit = place as u32 % 8;
    bit..bit + 1
}
