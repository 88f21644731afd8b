//! Keeps the rows that are not taken. In: rows, lines and reasons. Out: a table of the same columns, which imports once it
//! is mended. Never holds more than the first few in memory.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::files;

/// What stands before the columns of the table.
pub(super) const COLUMNS: [&str; 2] = ["rejected_line", "rejected_reason"];
/// So many bytes of them become an attachment; all of them stand in the file beside the recording.
const MOST_ATTACHED: u64 = 16 << 20;
/// Rows that are told with their reason.
const TOLD: usize = 5;

/// Rows that are not taken, or not all of whose cells are.
#[derive(Debug, Default)]
pub struct Rejected {
    pub rows: u64,
    /// Rows of which only some cells are not taken.
    pub parts: u64,
    /// Line and reason of the first ones.
    pub first: Vec<(u64, String)>,
    out: Option<csv::Writer<BufWriter<File>>>,
    separator: u8,
    header: Vec<String>,
}

impl Rejected {
    pub(super) fn new(separator: u8, header: &[String]) -> Self {
        Self { separator, header: header.to_vec(), ..Self::default() }
    }

    pub(super) fn add<'c>(
        &mut self,
        line: u64,
        reason: String,
        cells: impl Iterator<Item = std::borrow::Cow<'c, str>>,
        is_part: bool,
    ) -> io::Result<()> {
        let out = match &mut self.out {
            Some(out) => out,
            None => {
                let mut out = csv::WriterBuilder::new()
                    .delimiter(self.separator)
                    .flexible(true)
                    .from_writer(BufWriter::new(files::nameless()?));
                out.write_record(COLUMNS.into_iter().chain(self.header.iter().map(String::as_str)))?;
                self.out.insert(out)
            }
        };
        out.write_field(line.to_string())?;
        out.write_field(&reason)?;
        for cell in cells {
            out.write_field(cell.as_bytes())?;
        }
        out.write_record(None::<&[u8]>)?;
        *(if is_part { &mut self.parts } else { &mut self.rows }) += 1;
        if self.first.len() < TOLD {
            self.first.push((line, reason));
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0 && self.parts == 0
    }

    /// The first lines, each with its reason.
    pub fn told(&self) -> String {
        let mut told: Vec<String> = self.first.iter().map(|(line, reason)| format!("line {line}: {reason}")).collect();
        if self.rows + self.parts > told.len() as u64 {
            told.push("…".to_owned());
        }
        told.join("; ")
    }

    /// The same table for the recording's attachments, of long ones the first rows; none where there are no rows.
    pub fn attachment(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(out) = &mut self.out else { return Ok(None) };
        out.flush()?;
        let mut rows = out.get_ref().get_ref();
        rows.rewind()?;
        let mut bytes = Vec::new();
        rows.take(MOST_ATTACHED).read_to_end(&mut bytes)?;
        rows.seek(io::SeekFrom::End(0))?;
        if bytes.len() as u64 == MOST_ATTACHED {
            bytes.truncate(end_of_last_row(&bytes));
        }
        Ok(Some(bytes))
    }

    /// Writes them beside `recording`, under a name that nobody has. None where there are none.
    pub fn write_beside(&mut self, recording: &Path) -> io::Result<Option<PathBuf>> {
        let Some(out) = self.out.take() else { return Ok(None) };
        let mut rows = out.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        rows.flush()?;
        rows.rewind()?;
        let stem = recording.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for count in 1..10_000 {
            let number = if count == 1 { String::new() } else { format!("-{count}") };
            let path = recording.with_file_name(format!("{stem}.rejected{number}.csv"));
            match File::options().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    io::copy(rows.get_mut(), &mut file)?;
                    file.sync_all()?;
                    return Ok(Some(path));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many tables of rejected rows lie beside the recording"))
    }
}

/// Behind the last line end that is not within quotes.
fn end_of_last_row(table: &[u8]) -> usize {
    let (mut is_quoted, mut end) = (false, 0);
    for at in memchr::memchr2_iter(b'"', b'\n', table) {
        match table.get(at) {
            Some(b'"') => is_quoted = !is_quoted,
            _ if !is_quoted => end = at + 1,
            _ => {}
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_attached_ends_with_a_whole_row_and_all_of_it_stands_beside_the_recording() {
        let mut rejected = Rejected::new(b',', &["time".to_owned(), "P-1.mode".to_owned()]);
        // Each cell has many lines: most line ends end no row.
        let long = "quoted, \"twice\"\n".repeat(4_000);
        let count = MOST_ATTACHED / long.len() as u64 + 10;
        for line in 0..count {
            let cells = [line.to_string().into(), long.as_str().into()];
            rejected.add(line + 2, "it is too long".to_owned(), cells.into_iter(), false).unwrap();
        }
        let attached = rejected.attachment().unwrap().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let beside = rejected.write_beside(&folder.path().join("out.mcap")).unwrap().unwrap();
        let beside = std::fs::read(beside).unwrap();
        assert!(attached.len() as u64 <= MOST_ATTACHED && beside.len() as u64 > MOST_ATTACHED);
        assert!(beside.starts_with(&attached));
        let rows = |table: &[u8]| {
            let mut rows = csv::Reader::from_reader(table);
            rows.records().map(|row| row.unwrap()).inspect(|row| assert_eq!(row[3], long)).count() as u64
        };
        assert_eq!(rows(&beside), count);
        assert!(rows(&attached) < count && rows(&attached) > count / 2);
    }
}
