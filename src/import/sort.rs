//! Sorts rows by time, however many: in memory as long as they fit, then in files that are merged. In: rows. Out: the same
//! rows by time, those of one time as they came. Never holds more rows than its limit, and a block of each file.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use super::table::{Content, Filled, Row};
use crate::files;
use crate::value::{Conversion, SignalIndex, Timestamp};

/// Bytes of rows in memory.
const LIMIT: usize = 64 << 20;
/// Files that are merged at once.
const FAN: usize = 64;
/// Of a row, beside its texts.
const ROW_BYTES: usize = 96;

pub(super) struct Sorter {
    held: Vec<Row>,
    bytes: usize,
    limit: usize,
    runs: Vec<File>,
}

impl Default for Sorter {
    fn default() -> Self {
        Self::with_limit(LIMIT)
    }
}

impl Sorter {
    fn with_limit(limit: usize) -> Self {
        Self { held: Vec::new(), bytes: 0, limit, runs: Vec::new() }
    }

    pub fn push(&mut self, row: Row) -> io::Result<()> {
        self.bytes += ROW_BYTES
            + match &row.content {
                Content::Cells(cells) => cells.iter().map(|cell| 56 + cell.text.as_ref().map_or(0, String::len)).sum(),
                Content::Message { topic, payload } => topic.len() + payload.len(),
            };
        self.held.push(row);
        if self.bytes >= self.limit {
            let rows = std::mem::take(&mut self.held);
            self.runs.push(write(sorted(rows).map(Ok))?);
            self.bytes = 0;
            if self.runs.len() >= FAN {
                let runs = std::mem::take(&mut self.runs);
                self.runs.push(write(Sorted::of(runs, Vec::new())?)?);
            }
        }
        Ok(())
    }

    pub fn finish(self) -> io::Result<Sorted> {
        Sorted::of(self.runs, self.held)
    }
}

fn sorted(mut rows: Vec<Row>) -> impl Iterator<Item = Row> {
    rows.sort_unstable_by_key(|row| (row.at, row.number));
    rows.into_iter()
}

fn write(rows: impl Iterator<Item = io::Result<Row>>) -> io::Result<File> {
    let mut out = BufWriter::with_capacity(1 << 18, files::nameless()?);
    for row in rows {
        put(&mut out, &row?)?;
    }
    let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

enum Run {
    Held(std::vec::IntoIter<Row>),
    File(BufReader<File>),
}

impl Run {
    fn next(&mut self) -> io::Result<Option<Row>> {
        match self {
            Self::Held(rows) => Ok(rows.next()),
            Self::File(file) => take(file),
        }
    }
}

/// Rows in order.
pub(super) struct Sorted {
    runs: Vec<(Run, Option<Row>)>,
    first: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
}

impl Sorted {
    fn of(files: Vec<File>, held: Vec<Row>) -> io::Result<Self> {
        let files = files.into_iter().map(|file| Run::File(BufReader::with_capacity(1 << 16, file)));
        let held: Vec<Row> = sorted(held).collect();
        let mut this = Self { runs: Vec::new(), first: BinaryHeap::new() };
        for run in files.chain([Run::Held(held.into_iter())]) {
            this.runs.push((run, None));
            this.ahead(this.runs.len() - 1)?;
        }
        Ok(this)
    }

    fn ahead(&mut self, at: usize) -> io::Result<()> {
        if let Some((run, ahead)) = self.runs.get_mut(at) {
            *ahead = run.next()?;
            if let Some(row) = ahead {
                self.first.push(Reverse((row.at, row.number, at)));
            }
        }
        Ok(())
    }
}

impl Iterator for Sorted {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<io::Result<Row>> {
        let Reverse((_, _, at)) = self.first.pop()?;
        let row = self.runs.get_mut(at)?.1.take()?;
        match self.ahead(at) {
            Ok(()) => Some(Ok(row)),
            Err(error) => Some(Err(error)),
        }
    }
}

fn put(out: &mut impl Write, row: &Row) -> io::Result<()> {
    let size = |len: usize| u32::try_from(len).map_err(io::Error::other).map(u32::to_le_bytes);
    out.write_all(&row.at.0.to_le_bytes())?;
    out.write_all(&row.number.to_le_bytes())?;
    match &row.content {
        Content::Cells(cells) => {
            out.write_all(&size(cells.len())?)?;
            for Filled { signal, conversion, text } in cells {
                out.write_all(&size(signal.at())?)?;
                for part in conversion.parts() {
                    out.write_all(&part.to_le_bytes())?;
                }
                out.write_all(&[u8::from(text.is_some())])?;
                let text = text.as_deref().unwrap_or_default();
                out.write_all(&size(text.len())?)?;
                out.write_all(text.as_bytes())?;
            }
        }
        Content::Message { topic, payload } => {
            out.write_all(&u32::MAX.to_le_bytes())?;
            for text in [topic, payload] {
                out.write_all(&size(text.len())?)?;
                out.write_all(text.as_bytes())?;
            }
        }
    }
    Ok(())
}

fn take(file: &mut impl Read) -> io::Result<Option<Row>> {
    let mut eight = [0; 8];
    match file.read_exact(&mut eight) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let at = Timestamp(i64::from_le_bytes(eight));
    file.read_exact(&mut eight)?;
    let number = u64::from_le_bytes(eight);
    let content = match size(file)? {
        u32::MAX => Content::Message { topic: text(file)?, payload: text(file)? },
        count => {
            let mut cells = Vec::with_capacity(count as usize);
            for _ in 0..count {
                let signal = SignalIndex(size(file)?);
                let mut number = || -> io::Result<f64> {
                    file.read_exact(&mut eight)?;
                    Ok(f64::from_le_bytes(eight))
                };
                let conversion = Conversion::from_parts([number()?, number()?, number()?]);
                let mut has_text = [0];
                file.read_exact(&mut has_text)?;
                let text = text(file)?;
                cells.push(Filled { signal, conversion, text: (has_text != [0]).then_some(text) });
            }
            Content::Cells(cells)
        }
    };
    Ok(Some(Row { at, number, content }))
}

fn size(file: &mut impl Read) -> io::Result<u32> {
    let mut four = [0; 4];
    file.read_exact(&mut four)?;
    Ok(u32::from_le_bytes(four))
}

fn text(file: &mut impl Read) -> io::Result<String> {
    let mut bytes = vec![0; size(file)? as usize];
    file.read_exact(&mut bytes)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_the_same_in_memory_and_in_files() {
        let row = |number: u64| {
            let text = (!number.is_multiple_of(5)).then(|| number.to_string());
            let conversion = Conversion::from_parts([2.0, -1.0, 3.0]);
            let cell = Filled { signal: SignalIndex(3), conversion, text };
            let content = match number % 3 {
                0 => Content::Message { topic: "a/b".into(), payload: "é".repeat(number as usize % 50) },
                _ => Content::Cells(vec![cell; number as usize % 4]),
            };
            Row { at: Timestamp((number * 7_919 % 100) as i64 - 50), number, content }
        };
        let rows: Vec<Row> = (0..5_000).map(row).collect();
        let of = |limit| {
            let mut sorter = Sorter::with_limit(limit);
            rows.iter().for_each(|row| sorter.push(row.clone()).expect("a row"));
            sorter.finish().expect("files").map(|row| row.expect("a row")).collect::<Vec<_>>()
        };
        let mut expected = rows.clone();
        expected.sort_by_key(|row| row.at);
        assert_eq!(of(usize::MAX), expected);
        // Some 80 files, so that they are merged twice.
        assert_eq!(of(10_000), expected);
    }
}
