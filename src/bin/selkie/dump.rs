//! Writing all records as lines of text.

use std::io::Write;
use std::ops::ControlFlow;

use selkie::Readable;

use crate::arguments::Dump;
use crate::failure::Result;
use crate::output::with_output;
use crate::{database, record};

pub(crate) fn run(arguments: &Dump) -> Result<bool> {
    database::read(&arguments.source, |view| {
        with_output(|output| {
            let mut written = Ok(());
            view.scan::<&[u8]>(.., |key, value| {
                let mut line = record::format(key, value, arguments.format);
                line.push(b'\n');
                written = output.write_all(&line);
                if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            written?;
            Ok(true)
        })
    })
}
