//! Loading records from lines of text.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use selkie::{Database, Keyspace, Transaction, TransactionOptions, Writable};

use crate::arguments::{Format, Load};
use crate::failure::{self, Result};
use crate::output::{grouped, rate, span};
use crate::{database, record};

/// A transaction is committed early when it has grown to this size.
const BATCH_BYTES: u64 = 16 << 20;

pub(crate) fn run(arguments: &Load) -> Result<bool> {
    // A file that cannot be read is not to leave an empty database behind.
    let (input, length) = open(&arguments.file)?;
    let (db, keyspace) = database::open_or_create(&arguments.target)?;
    let started = Instant::now();
    let mut loader = Loader::new(&db, &keyspace, arguments.batch, progress(length));
    let outcome = loader.load(input, format_of(arguments));
    loader.progress.finish_and_clear();
    let records = loader.loaded;
    if let Err(error) = outcome {
        let line = failure::line(error.as_ref());
        let place = format!("{}:{}", arguments.file.display(), loader.line);
        return Err(format!("{place}: {line}; {} records were loaded before", grouped(records)).into());
    }
    db.close()?;
    let elapsed = started.elapsed();
    eprintln!("loaded {} records in {}, {}", grouped(records), span(elapsed), rate(records, elapsed));
    Ok(true)
}

fn open(file: &Path) -> Result<(Box<dyn BufRead>, Option<u64>)> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin().lock()), None));
    }
    let failed = |error| format!("cannot open `{}`: {error}", file.display());
    let input = File::open(file).map_err(failed)?;
    let length = input.metadata().map_err(failed)?.len();
    Ok((Box::new(BufReader::with_capacity(1 << 18, input)), Some(length)))
}

fn format_of(arguments: &Load) -> Format {
    let is_tsv = arguments.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv"));
    arguments.format.unwrap_or(if is_tsv { Format::Tsv } else { Format::Jsonl })
}

/// A bar by bytes where the length is known, hidden where nobody looks.
fn progress(length: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match length {
        Some(length) => (ProgressBar::new(length), "{bar:30} {percent:>3}%  {msg}  {bytes_per_sec}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}  {msg}  {bytes_per_sec}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Loads lines in transactions of so many records.
pub(crate) struct Loader<'a> {
    db: &'a Database,
    keyspace: &'a Keyspace,
    batch: u64,
    progress: ProgressBar,
    started: Instant,
    /// How many records are committed.
    pub(crate) loaded: u64,
    /// The number of the line that was read last.
    line: u64,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(db: &'a Database, keyspace: &'a Keyspace, batch: u64, progress: ProgressBar) -> Self {
        Self { db, keyspace, batch, progress, started: Instant::now(), loaded: 0, line: 0 }
    }

    pub(crate) fn load(&mut self, mut input: impl BufRead, format: Format) -> Result<()> {
        let mut line = Vec::new();
        let mut transaction = self.begin()?;
        let mut waiting = 0;
        while input.read_until(b'\n', &mut line)? > 0 {
            self.line += 1;
            self.progress.inc(line.len() as u64);
            let text = without_end(&line);
            if !text.is_empty() {
                let (key, value) = record::parse(text, format)?;
                transaction.keyspace_mut(self.keyspace).insert(key, value)?;
                waiting += 1;
            }
            line.clear();
            if waiting == self.batch || transaction.size_bytes() >= BATCH_BYTES {
                self.commit(transaction, waiting)?;
                transaction = self.begin()?;
                waiting = 0;
            }
        }
        self.commit(transaction, waiting)
    }

    fn begin(&self) -> Result<Transaction> {
        Ok(self.db.begin_with(TransactionOptions::new().write_only())?)
    }

    fn commit(&mut self, transaction: Transaction, records: u64) -> Result<()> {
        transaction.commit()?;
        self.loaded += records;
        let rate = rate(self.loaded, self.started.elapsed());
        self.progress.set_message(format!("{} records, {rate}", grouped(self.loaded)));
        Ok(())
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
