//! Reads the files of a database as docs/FORMAT.md says, and panics at anything it does not say.

use crate::build::crc32;

/// Bytes that are taken off the front.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (front, rest) = self.0.split_at(count);
        self.0 = rest;
        front
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().unwrap())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take(8).try_into().unwrap())
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    pub(crate) fn int(&mut self) -> u64 {
        match self.byte() {
            251 => u64::from(u16::from_le_bytes(self.take(2).try_into().unwrap())),
            252 => u64::from(self.u32()),
            253 => self.u64(),
            small => u64::from(small),
        }
    }

    pub(crate) fn text(&mut self) -> Vec<u8> {
        let length = self.int() as usize;
        self.take(length).to_vec()
    }

    fn retention(&mut self) -> Vec<u64> {
        let variant = self.int();
        let fields = [0, 1, 2, 0][variant as usize];
        std::iter::once(variant).chain((0..fields).map(|_| self.int())).collect()
    }
}

#[derive(Debug, PartialEq)]
pub(crate) enum Operation {
    Set(u64, Vec<u8>, Vec<u8>),
    Remove(u64, Vec<u8>),
    CreateKeyspace(u64, Vec<u8>),
    DropKeyspace(u64),
    SetRetention(Vec<u64>),
}

pub(crate) fn set(keyspace: u64, key: &[u8], value: &[u8]) -> Operation {
    Operation::Set(keyspace, key.to_vec(), value.to_vec())
}

/// A commit.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) time: u64,
    pub(crate) operations: Vec<Operation>,
}

#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) database: u64,
    pub(crate) number: u64,
    pub(crate) epoch: u64,
    pub(crate) salt: u64,
    pub(crate) first_sequence: u64,
    pub(crate) previous_end: u64,
    pub(crate) commits: Vec<Frame>,
    /// Where the commits end.
    pub(crate) end: u64,
    /// The sequence that a closing frame carries.
    pub(crate) closed: Option<u64>,
}

pub(crate) fn database_file(bytes: &[u8]) -> u64 {
    let mut input = Input(bytes);
    assert_eq!(input.take(8), b"selkieDB");
    assert_eq!(input.u32(), 1);
    let database = input.u64();
    assert_eq!(input.u32(), crc32(&bytes[..20]));
    assert!(input.0.is_empty());
    database
}

pub(crate) fn segment(bytes: &[u8]) -> Segment {
    let mut input = Input(bytes);
    assert_eq!(input.take(8), b"selkieLG");
    assert_eq!([input.u32(), input.u32()], [1, 0]);
    let [database, number, epoch, salt, first_sequence, previous_end] = std::array::from_fn(|_| input.u64());
    assert_eq!(input.u32(), 0);
    assert_eq!(input.u32(), crc32(&bytes[..68]));
    let (mut commits, mut closed, mut end) = (Vec::new(), None, 72);
    while input.0.iter().any(|byte| *byte != 0) {
        let offset = (bytes.len() - input.0.len()) as u64;
        let salted = [&salt.to_le_bytes(), &input.0[..44]].concat();
        let (length, kind, sequence, time) = (input.u32() as usize, input.u32(), input.u64(), input.u64());
        assert!(input.u64() <= offset, "synced-to is not ahead of the frame");
        assert_eq!(input.u64(), epoch);
        let payload_checksum = input.u32();
        assert_eq!(input.u32(), crc32(&salted));
        let padded = input.take(length.next_multiple_of(8));
        assert_eq!(payload_checksum, crc32(padded));
        assert!(padded[length..].iter().all(|byte| *byte == 0));
        assert_eq!(sequence, first_sequence + commits.len() as u64);
        if kind == 2 {
            assert_eq!(length, 0);
            assert!(input.0.is_empty(), "nothing follows a closing frame");
            closed = Some(sequence);
        } else {
            assert_eq!(kind, 1);
            commits.push(Frame { time, operations: operations(&padded[..length]) });
            end = (bytes.len() - input.0.len()) as u64;
        }
    }
    Segment { database, number, epoch, salt, first_sequence, previous_end, commits, end, closed }
}

fn operations(payload: &[u8]) -> Vec<Operation> {
    let mut input = Input(payload);
    let count = input.int();
    let operations = (0..count).map(|_| match input.int() {
        0 => Operation::Set(input.int(), input.text(), input.text()),
        1 => Operation::Remove(input.int(), input.text()),
        2 => Operation::CreateKeyspace(input.int(), input.text()),
        3 => Operation::DropKeyspace(input.int()),
        4 => Operation::SetRetention(input.retention()),
        other => panic!("operation {other}"),
    });
    let operations = operations.collect();
    assert!(input.0.is_empty());
    operations
}

/// Keyspace, key, whether older revisions are gone, and the revisions: version, time, value.
pub(crate) type Entry = (u64, Vec<u8>, bool, Vec<(u64, u64, Option<Vec<u8>>)>);

#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) database: u64,
    pub(crate) segment: u64,
    pub(crate) version: u64,
    pub(crate) time: u64,
    pub(crate) retention: Vec<u64>,
    pub(crate) next_keyspace: u64,
    pub(crate) keyspaces: Vec<(u64, Vec<u8>)>,
    pub(crate) entries: Vec<Entry>,
    /// Whether any section was compressed.
    pub(crate) compressed: bool,
}

pub(crate) fn snapshot(bytes: &[u8]) -> Snapshot {
    let mut input = Input(bytes);
    assert_eq!(input.take(8), b"selkieSN");
    assert_eq!(input.u32(), 1);
    assert_eq!(input.u32(), crc32(&bytes[..12]));
    let (mut sections, mut checksums, mut compressed) = (Vec::new(), Vec::new(), false);
    while !input.0.is_empty() {
        let head = &input.0[..20];
        let [kind, number, raw_length, stored_length, checksum] = std::array::from_fn(|_| input.u32());
        assert_eq!(input.u32(), crc32(head));
        assert_eq!(number as usize, sections.len());
        let stored = input.take(stored_length as usize);
        assert_eq!(checksum, crc32(stored));
        compressed |= stored_length < raw_length;
        let payload = if stored_length < raw_length { unpack(stored, raw_length as usize) } else { stored.to_vec() };
        sections.push((kind, payload));
        checksums.extend_from_slice(&checksum.to_le_bytes());
    }
    let (kind, footer) = sections.pop().unwrap();
    assert_eq!(kind, 3);
    checksums.truncate(sections.len() * 4);
    let mut footer = Input(&footer);
    let counts: [u64; 3] = std::array::from_fn(|_| footer.int());
    assert_eq!([footer.int(), footer.int()], [0, 0], "nothing was forgotten");
    assert_eq!(footer.int(), u64::from(crc32(&checksums)));
    assert!(footer.0.is_empty());

    let mut snapshot = header(&sections[0]);
    snapshot.compressed = compressed;
    sections[1..].iter().for_each(|section| block(section, &mut snapshot.entries));
    let revisions: usize = snapshot.entries.iter().map(|(_, _, _, revisions)| revisions.len()).sum();
    assert_eq!(counts, [sections.len() - 1, snapshot.entries.len(), revisions].map(|count| count as u64));
    snapshot
}

fn header((kind, payload): &(u32, Vec<u8>)) -> Snapshot {
    assert_eq!(*kind, 1);
    let mut input = Input(payload);
    let [database, segment, version, time] = std::array::from_fn(|_| input.int());
    let (retention, next_keyspace, count) = (input.retention(), input.int(), input.int());
    let keyspaces = (0..count).map(|_| (input.int(), input.text())).collect();
    assert!(input.0.is_empty());
    let (entries, compressed) = (Vec::new(), false);
    Snapshot { database, segment, version, time, retention, next_keyspace, keyspaces, entries, compressed }
}

fn block((kind, payload): &(u32, Vec<u8>), entries: &mut Vec<Entry>) {
    assert_eq!(*kind, 2);
    let mut input = Input(payload);
    let (keyspace, count) = (input.int(), input.int());
    for _ in 0..count {
        let (key, revisions, collected) = (input.text(), input.int(), input.byte() == 1);
        let revision = |_| (input.int(), input.int(), (input.byte() == 1).then(|| input.text()));
        let revisions = (0..revisions).map(revision).collect();
        entries.push((keyspace, key, collected, revisions));
    }
    assert!(input.0.is_empty());
}

/// Decodes one LZ4 block.
fn unpack(stored: &[u8], raw_length: usize) -> Vec<u8> {
    fn length(input: &mut Input<'_>, nibble: u8) -> usize {
        let mut length = usize::from(nibble);
        let mut goes_on = nibble == 15;
        while goes_on {
            let more = input.byte();
            length += usize::from(more);
            goes_on = more == 255;
        }
        length
    }
    let (mut input, mut raw) = (Input(stored), Vec::new());
    loop {
        let token = input.byte();
        let literals = length(&mut input, token >> 4);
        raw.extend_from_slice(input.take(literals));
        if input.0.is_empty() {
            assert_eq!(raw.len(), raw_length);
            return raw;
        }
        let offset = usize::from(u16::from_le_bytes(input.take(2).try_into().unwrap()));
        for _ in 0..length(&mut input, token & 15) + 4 {
            raw.push(raw[raw.len() - offset]);
        }
    }
}
