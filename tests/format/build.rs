//! Builds the files of a database byte by byte, as docs/FORMAT.md says.

/// CRC-32 as in zlib, bit by bit.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// Bytes that grow.
#[derive(Default, Clone)]
pub(crate) struct Buffer(pub(crate) Vec<u8>);

impl Buffer {
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn u32(self, number: u32) -> Self {
        self.raw(&number.to_le_bytes())
    }

    pub(crate) fn u64(self, number: u64) -> Self {
        self.raw(&number.to_le_bytes())
    }

    /// The CRC-32 of everything so far.
    pub(crate) fn crc(self) -> Self {
        let crc = crc32(&self.0);
        self.u32(crc)
    }

    /// An integer of a payload.
    pub(crate) fn int(self, number: u64) -> Self {
        match number {
            0..251 => self.raw(&[number as u8]),
            251..0x1_0000 => self.raw(&[251]).raw(&(number as u16).to_le_bytes()),
            0x1_0000..0x1_0000_0000 => self.raw(&[252]).u32(number as u32),
            _ => self.raw(&[253]).u64(number),
        }
    }

    /// A byte string or a text of a payload.
    pub(crate) fn text(self, bytes: &[u8]) -> Self {
        self.int(bytes.len() as u64).raw(bytes)
    }
}

pub(crate) fn database_file(format: u32, database: u64) -> Vec<u8> {
    Buffer::default().raw(b"selkieDB").u32(format).u64(database).crc().0
}

pub(crate) fn set(keyspace: u64, key: &[u8], value: &[u8]) -> Vec<u8> {
    Buffer::default().int(0).int(keyspace).text(key).text(value).0
}

pub(crate) fn remove(keyspace: u64, key: &[u8]) -> Vec<u8> {
    Buffer::default().int(1).int(keyspace).text(key).0
}

pub(crate) fn create_keyspace(keyspace: u64, name: &str) -> Vec<u8> {
    Buffer::default().int(2).int(keyspace).text(name.as_bytes()).0
}

pub(crate) fn drop_keyspace(keyspace: u64) -> Vec<u8> {
    Buffer::default().int(3).int(keyspace).0
}

/// The retention as the fields after the operation's number.
pub(crate) fn set_retention(retention: &[u64]) -> Vec<u8> {
    retention.iter().fold(Buffer::default().int(4), |buffer, field| buffer.int(*field)).0
}

/// A segment that grows by frames.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) bytes: Vec<u8>,
    salt: u64,
    epoch: u64,
}

impl Segment {
    pub(crate) fn new(database: u64, number: u64, epoch: u64, first_sequence: u64, previous_end: u64) -> Self {
        Self::of_format(1, database, number, epoch, first_sequence, previous_end)
    }

    pub(crate) fn of_format(
        format: u32,
        database: u64,
        number: u64,
        epoch: u64,
        first_sequence: u64,
        previous_end: u64,
    ) -> Self {
        let salt = 0x5A17 + number;
        let bytes = Buffer::default().raw(b"selkieLG").u32(format).u32(0);
        let bytes = bytes.u64(database).u64(number).u64(epoch).u64(salt);
        let bytes = bytes.u64(first_sequence).u64(previous_end).u32(0).crc().0;
        assert_eq!(bytes.len(), 72);
        Self { bytes, salt, epoch }
    }

    pub(crate) fn end(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn frame(mut self, kind: u32, sequence: u64, time: u64, synced_to: u64, payload: &[u8]) -> Self {
        let mut padded = payload.to_vec();
        padded.resize(payload.len().next_multiple_of(8), 0);
        let header = Buffer::default().u32(payload.len() as u32).u32(kind).u64(sequence).u64(time);
        let header = header.u64(synced_to).u64(self.epoch).u32(crc32(&padded)).0;
        let salted = Buffer::default().u64(self.salt).raw(&header);
        let frame = Buffer(header).u32(crc32(&salted.0)).raw(&padded).0;
        assert_eq!(frame.len(), 48 + padded.len());
        self.bytes.extend_from_slice(&frame);
        self
    }

    pub(crate) fn commit(self, sequence: u64, synced_to: u64, operations: &[Vec<u8>]) -> Self {
        self.commit_at(time(sequence), sequence, synced_to, operations)
    }

    pub(crate) fn commit_at(self, time: u64, sequence: u64, synced_to: u64, operations: &[Vec<u8>]) -> Self {
        let payload = Buffer::default().int(operations.len() as u64).raw(&operations.concat());
        self.frame(1, sequence, time, synced_to, &payload.0)
    }

    /// As short as a closing frame.
    pub(crate) fn empty_frame(self, sequence: u64) -> Self {
        self.frame(1, sequence, time(sequence), 72, &[])
    }

    pub(crate) fn closing(self, next_sequence: u64) -> Self {
        let end = self.end();
        self.frame(2, next_sequence, 0, end, &[])
    }
}

/// The time of a commit: every commit here comes a microsecond after the one before.
pub(crate) fn time(version: u64) -> u64 {
    1_700_000_000_000_000_000 + version * 1000
}

/// A revision of a snapshot: none is a removal.
pub(crate) fn revision(version: u64, value: Option<&[u8]>) -> Vec<u8> {
    let buffer = Buffer::default().int(version).int(time(version));
    match value {
        Some(value) => buffer.raw(&[1]).text(value).0,
        None => buffer.raw(&[0]).0,
    }
}

pub(crate) fn entry(key: &[u8], collected: bool, revisions: &[Vec<u8>]) -> Vec<u8> {
    let buffer = Buffer::default().text(key).int(revisions.len() as u64).raw(&[u8::from(collected)]);
    buffer.raw(&revisions.concat()).0
}

pub(crate) fn block(keyspace: u64, entries: &[Vec<u8>]) -> Vec<u8> {
    Buffer::default().int(keyspace).int(entries.len() as u64).raw(&entries.concat()).0
}

/// One LZ4 block: `before`, then the last byte of it `repeated` times more, then `after`.
pub(crate) fn lz4(before: &[u8], repeated: usize, after: &[u8]) -> Vec<u8> {
    assert!(before.len() < 15 && (5..15).contains(&after.len()) && (19..19 + 255).contains(&repeated));
    let first = [(before.len() as u8) << 4 | 15];
    let offset_and_length = [1, 0, (repeated - 19) as u8];
    let last = [(after.len() as u8) << 4];
    [&first[..], before, &offset_and_length, &last, after].concat()
}

/// A snapshot that grows by sections.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) bytes: Vec<u8>,
    sections: u32,
    checksums: Vec<u8>,
}

impl Snapshot {
    pub(crate) fn new(format: u32) -> Self {
        let bytes = Buffer::default().raw(b"selkieSN").u32(format).crc().0;
        Self { bytes, sections: 0, checksums: Vec::new() }
    }

    pub(crate) fn section(self, kind: u32, payload: &[u8]) -> Self {
        self.stored_section(kind, payload.len(), payload)
    }

    pub(crate) fn stored_section(mut self, kind: u32, raw_length: usize, stored: &[u8]) -> Self {
        let checksum = crc32(stored);
        let head = Buffer::default().u32(kind).u32(self.sections).u32(raw_length as u32).u32(stored.len() as u32);
        self.bytes.extend_from_slice(&head.u32(checksum).crc().raw(stored).0);
        self.checksums.extend_from_slice(&checksum.to_le_bytes());
        self.sections += 1;
        self
    }

    /// The footer: numbers of blocks, keys and revisions, and the newest removal that was forgotten.
    pub(crate) fn footer(self, counts: [u64; 3], forgotten: u64) -> Vec<u8> {
        let counts = counts.into_iter().fold(Buffer::default(), Buffer::int);
        let forgotten_time = if forgotten == 0 { 0 } else { time(forgotten) };
        let payload = counts.int(forgotten).int(forgotten_time).int(u64::from(crc32(&self.checksums)));
        self.section(3, &payload.0).bytes
    }
}
