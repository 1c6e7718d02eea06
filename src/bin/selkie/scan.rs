//! Ranges: printing and counting them.

use std::io::Write;
use std::ops::Bound;

use bytes::Bytes;
use selkie::{KeyspaceView, Readable};

use crate::arguments::{Bounds, Count, Scan};
use crate::failure::Result;
use crate::output::with_output;
use crate::{database, tsv};

type Item = selkie::Result<(Bytes, Option<Bytes>)>;

pub(crate) fn run(arguments: &Scan) -> Result<bool> {
    database::read(&arguments.source, |view| {
        let entries = entries(view, arguments).skip(arguments.skip).take(arguments.limit.unwrap_or(usize::MAX));
        with_output(|output| {
            for entry in entries {
                let (key, value) = entry?;
                let mut line = Vec::new();
                tsv::escape(&key, &mut line);
                if let Some(value) = value {
                    line.push(b'\t');
                    tsv::escape(&value, &mut line);
                }
                line.push(b'\n');
                output.write_all(&line)?;
            }
            Ok(true)
        })
    })
}

pub(crate) fn count(arguments: &Count) -> Result<bool> {
    let count = database::read(&arguments.source, |view| Ok(view.count_range(bounds(&arguments.bounds))?))?;
    with_output(|output| {
        writeln!(output, "{count}")?;
        Ok(true)
    })
}

fn entries<'a>(view: &'a KeyspaceView<'_>, arguments: &Scan) -> Box<dyn Iterator<Item = Item> + 'a> {
    let bounds = bounds(&arguments.bounds);
    let with_value = |entry: selkie::Result<(Bytes, Bytes)>| entry.map(|(key, value)| (key, Some(value)));
    let without_value = |key: selkie::Result<Bytes>| key.map(|key| (key, None));
    match (arguments.keys_only, arguments.reverse) {
        (false, false) => Box::new(view.range(bounds).map(with_value)),
        (false, true) => Box::new(view.range(bounds).rev().map(with_value)),
        (true, false) => Box::new(view.keys(bounds).map(without_value)),
        (true, true) => Box::new(view.keys(bounds).rev().map(without_value)),
    }
}

/// The keys that satisfy all of the bounds.
fn bounds(bounds: &Bounds) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let text = |text: &Option<String>| text.as_ref().map(|text| text.clone().into_bytes());
    let prefix = text(&bounds.prefix);
    let low = prefix.clone().max(text(&bounds.from));
    let after_prefix = prefix.and_then(after_prefix);
    let high = match (after_prefix, text(&bounds.to)) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    (low.map_or(Bound::Unbounded, Bound::Included), high.map_or(Bound::Unbounded, Bound::Excluded))
}

/// The least key after all that begin with a prefix; none when there is no such key.
fn after_prefix(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = prefix.pop() {
        if last < u8::MAX {
            prefix.push(last + 1);
            return Some(prefix);
        }
    }
    None
}
