//! Where arguments and results lie in the module's memory.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use wasm_bindgen::prelude::wasm_bindgen;

use crate::index::Record;
use crate::{Error, Result};

/// Buffers that a single large value made longer than this are given back with the next call.
const KEEP_BYTES: usize = 1 << 20;

/// The length that stands for nothing.
const NOTHING: u32 = u32::MAX;

static REGISTERS: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static OUTPUT: RefCell<Output> = const { RefCell::new(Output::new()) };
    /// The value that the registers point to.
    static VALUE: RefCell<Option<Record>> = const { RefCell::new(None) };
}

/// Entries packed one after the other, with a table of their lengths.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    pub(super) lengths: Vec<u32>,
}

/// Space for so many bytes of arguments. Returns its address, or 0 where there is no memory; what it held is lost.
#[wasm_bindgen]
pub fn input(bytes: u32) -> u32 {
    INPUT.with_borrow_mut(|input| {
        let bytes = bytes as usize;
        if input.len() > KEEP_BYTES && bytes < KEEP_BYTES {
            *input = Vec::new();
        }
        if input.len() < bytes {
            let length = if bytes < KEEP_BYTES { bytes.next_power_of_two().max(4096) } else { bytes };
            if input.try_reserve_exact(length - input.len()).is_err() {
                *input = Vec::new();
                return 0;
            }
            input.resize(length, 0);
        }
        input.as_ptr() as u32
    })
}

/// Arguments of any number, of which some may be nothing: a table of their lengths, and then all of them in a row.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    lengths: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(super) fn new(input: &'a [u8], count: u32) -> Result<Self> {
        let (lengths, bytes) = input.split_at_checked(count as usize * 4).ok_or_else(unfit)?;
        Ok(Self { lengths, bytes })
    }

    pub(super) fn next(&mut self) -> Result<Option<&'a [u8]>> {
        let (length, lengths) = self.lengths.split_first_chunk().ok_or_else(unfit)?;
        self.lengths = lengths;
        let length = u32::from_le_bytes(*length);
        if length == NOTHING {
            return Ok(None);
        }
        let (part, bytes) = self.bytes.split_at_checked(length as usize).ok_or_else(unfit)?;
        self.bytes = bytes;
        Ok(Some(part))
    }

    pub(super) fn next_present(&mut self) -> Result<&'a [u8]> {
        self.next()?.ok_or_else(unfit)
    }
}

fn unfit() -> Error {
    Error::invalid("arguments that do not fit")
}

/// The address of the registers, which never changes.
#[wasm_bindgen]
pub fn registers() -> u32 {
    REGISTERS.as_ptr() as u32
}

/// Sets the registers.
pub(super) fn set_registers(values: [u32; 4]) {
    for (register, value) in REGISTERS.iter().zip(values) {
        register.store(value, Ordering::Relaxed);
    }
}

/// Runs `action` on the arguments.
pub(super) fn with_input<R>(action: impl FnOnce(&[u8]) -> R) -> R {
    INPUT.with_borrow(|input| action(input))
}

/// Points the registers to a value, and keeps it there.
pub(super) fn point_to(record: Record) {
    let value = record.bytes();
    set_registers([value.as_ptr() as u32, value.len() as u32, 0, 0]);
    VALUE.replace(Some(record));
}

impl Output {
    const fn new() -> Self {
        Self { bytes: Vec::new(), lengths: Vec::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.lengths.push(bytes.len() as u32);
    }

    pub(super) fn push_none(&mut self) {
        self.lengths.push(NOTHING);
    }
}

/// Lets `pack` fill the output, and points the registers to it: bytes, their number, lengths, their number.
///
/// Returns what `pack` does, and whether all bytes are ASCII.
pub(super) fn with_output<R>(pack: impl FnOnce(&mut Output) -> R) -> (R, bool) {
    OUTPUT.with_borrow_mut(|output| {
        if output.bytes.capacity() > KEEP_BYTES {
            *output = Output::new();
        }
        output.bytes.clear();
        output.lengths.clear();
        let result = pack(output);
        let Output { bytes, lengths } = output;
        set_registers([bytes.as_ptr() as u32, bytes.len() as u32, lengths.as_ptr() as u32, lengths.len() as u32]);
        (result, bytes.is_ascii())
    })
}
