//! The versions of a key.

use std::io::Write;

use crate::arguments::History;
use crate::failure::Result;
use crate::output::{timestamp, with_output};
use crate::{database, record, tsv};

pub(crate) fn run(arguments: &History) -> Result<bool> {
    let key = record::argument(&arguments.key, arguments.base64)?;
    let versions = database::read(&arguments.source, |view| Ok(view.history(key)?))?;
    with_output(|output| {
        for version in &versions {
            let mut line = format!("{}\t{}\t", version.version, timestamp(version.time)).into_bytes();
            match &version.value {
                Some(value) => {
                    line.extend_from_slice(b"set\t");
                    tsv::escape(value, &mut line);
                }
                None => line.extend_from_slice(b"removed"),
            }
            line.push(b'\n');
            output.write_all(&line)?;
        }
        Ok(!versions.is_empty())
    })
}
