//! Frames: one commit is one frame, whole or absent.
//!
//! A frame is a header of 48 bytes, the payload, and zeros up to a multiple of 8 bytes. All numbers are
//! little-endian.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | length of the payload in bytes, without the zeros |
//! | 4 | 4 | kind: 1 commit, 2 closing |
//! | 8 | 8 | sequence: the version of the commit; strictly consecutive |
//! | 16 | 8 | time of the commit, in nanoseconds since the Unix epoch |
//! | 24 | 8 | synced-to: the offset up to which this segment was known durable |
//! | 32 | 8 | epoch of the writer |
//! | 40 | 4 | CRC-32 of the payload and the zeros |
//! | 44 | 4 | CRC-32 of the segment's salt and the 44 bytes before |
//!
//! The salt makes stale bytes of another segment invalid; the header's own checksum makes a damaged length known as
//! such. A closing frame has no payload, and its time means nothing: it ends a segment whose successor exists, and
//! carries the sequence that the successor begins with.

use crate::Version;
use crate::checksum::{self, Hasher};

pub(crate) const HEADER_BYTES: usize = 48;
pub(crate) const ALIGNMENT: usize = 8;

const COMMIT: u32 = 1;
const CLOSING: u32 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Commit,
    Closing,
}

/// A frame's header, decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) kind: FrameKind,
    pub(crate) length: u32,
    pub(crate) sequence: Version,
    pub(crate) time: u64,
    pub(crate) synced_to: u64,
    pub(crate) epoch: u64,
    pub(crate) payload_checksum: u32,
}

/// A commit's frame, ready to be put into the log but for the header, which is known only then.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Room for the header, and the payload with its zeros.
    bytes: Vec<u8>,
    length: u32,
    checksum: u32,
}

impl Frame {
    /// Where a payload of about so many bytes is to be encoded: behind the room for the header.
    pub(crate) fn buffer(payload_bytes: usize) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(HEADER_BYTES + payload_bytes + ALIGNMENT);
        buffer.resize(HEADER_BYTES, 0);
        buffer
    }

    /// Pads and checksums the payload in a [`buffer`](Self::buffer). This is the costly part, done outside of every lock.
    pub(crate) fn new(mut buffer: Vec<u8>) -> Self {
        let length = (buffer.len() - HEADER_BYTES) as u32;
        buffer.resize(buffer.len().next_multiple_of(ALIGNMENT), 0);
        let checksum = checksum::hash(&buffer[HEADER_BYTES..]);
        Self { bytes: buffer, length, checksum }
    }

    pub(crate) fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Appends the frame to those before it. The first one is not copied.
    pub(crate) fn append(mut self, stamp: Stamp, salt: u64, frames: &mut Vec<u8>) {
        let header = FrameHeader {
            kind: FrameKind::Commit,
            length: self.length,
            sequence: stamp.sequence,
            time: stamp.time,
            synced_to: stamp.synced_to,
            epoch: stamp.epoch,
            payload_checksum: self.checksum,
        };
        self.bytes[..HEADER_BYTES].copy_from_slice(&header.encode(salt));
        if frames.is_empty() {
            *frames = self.bytes;
        } else {
            frames.extend_from_slice(&self.bytes);
        }
    }
}

/// What a frame carries beside its payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) sequence: Version,
    pub(crate) time: u64,
    pub(crate) synced_to: u64,
    pub(crate) epoch: u64,
}

/// A closing frame.
pub(crate) fn closing(stamp: Stamp, salt: u64) -> [u8; HEADER_BYTES] {
    FrameHeader {
        kind: FrameKind::Closing,
        length: 0,
        sequence: stamp.sequence,
        time: stamp.time,
        synced_to: stamp.synced_to,
        epoch: stamp.epoch,
        payload_checksum: 0,
    }
    .encode(salt)
}

impl FrameHeader {
    pub(crate) fn encode(&self, salt: u64) -> [u8; HEADER_BYTES] {
        let kind = match self.kind {
            FrameKind::Commit => COMMIT,
            FrameKind::Closing => CLOSING,
        };
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4..8].copy_from_slice(&kind.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.time.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.synced_to.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.payload_checksum.to_le_bytes());
        let checksum = header_checksum(&bytes, salt);
        bytes[44..48].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header at the beginning of `bytes`, when it is intact.
    pub(crate) fn decode(bytes: &[u8], salt: u64) -> Option<Self> {
        let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        let kind = match u32_at(bytes, 4) {
            COMMIT => FrameKind::Commit,
            CLOSING => FrameKind::Closing,
            _ => return None,
        };
        (u32_at(bytes, 44) == header_checksum(bytes, salt)).then(|| Self {
            kind,
            length: u32_at(bytes, 0),
            sequence: u64_at(bytes, 8),
            time: u64_at(bytes, 16),
            synced_to: u64_at(bytes, 24),
            epoch: u64_at(bytes, 32),
            payload_checksum: u32_at(bytes, 40),
        })
    }

    /// How many bytes the whole frame takes.
    pub(crate) fn frame_bytes(&self) -> usize {
        HEADER_BYTES + (self.length as usize).next_multiple_of(ALIGNMENT)
    }

    /// The payload that follows the header at the beginning of `bytes`, when it is there and intact.
    pub(crate) fn payload<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let padded = bytes.get(HEADER_BYTES..self.frame_bytes())?;
        (checksum::hash(padded) == self.payload_checksum).then(|| &padded[..self.length as usize])
    }
}

fn header_checksum(bytes: &[u8; HEADER_BYTES], salt: u64) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(&bytes[..44]);
    hasher.finalize()
}

pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut chunk = [0; 4];
    chunk.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(chunk)
}

pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut chunk = [0; 8];
    chunk.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(chunk)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// The frame of a payload.
    pub(crate) fn framed(payload: &[u8]) -> Frame {
        let mut buffer = Frame::buffer(payload.len());
        buffer.extend_from_slice(payload);
        Frame::new(buffer)
    }

    #[test]
    fn every_flipped_bit_of_a_frame_is_noticed() {
        let mut frame = Vec::new();
        let stamp = Stamp { sequence: 7, time: 8, synced_to: 72, epoch: 1 };
        framed(b"payload of a frame").append(stamp, 99, &mut frame);
        let intact = |bytes: &[u8]| {
            FrameHeader::decode(bytes, 99).and_then(|header| header.payload(bytes).map(<[u8]>::to_vec)).is_some()
        };
        assert!(intact(&frame));
        for bit in 0..frame.len() * 8 {
            frame[bit / 8] ^= 1 << (bit % 8);
            assert!(!intact(&frame), "bit {bit}");
            frame[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(FrameHeader::decode(&frame, 98).is_none(), "another segment's salt");
    }
}
