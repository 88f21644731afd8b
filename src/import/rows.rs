//! Reads the records of a table below its header. In: text and its dialect. Out: one record after the other, with its line
//! and what is wrong with its shape. Never looks at what a cell means.

use std::io;

use csv::ByteRecord;

use super::ImportError;
use super::dialect::Dialect;
use super::text::Source;

/// Annotations of InfluxDB, which stand above every header.
const ANNOTATIONS: [&[u8]; 3] = [b"#group", b"#datatype", b"#default"];

pub(super) struct Rows<'s> {
    file: String,
    reader: csv::Reader<Source<'s>>,
    columns: usize,
    /// How many columns of the header have a name, up to the last one that has.
    named: usize,
    header: ByteRecord,
    dialect: Dialect,
    pub record: ByteRecord,
    /// Counts records, those that are skipped too.
    pub number: u64,
    pub line: u64,
    /// Headers and annotations that come again, as in tables that were put together.
    pub repeated: u64,
    /// Below the header of another table, in this line.
    other: Option<u64>,
    is_annotated: bool,
}

impl<'s> Rows<'s> {
    pub fn new(file: &str, mut source: Source<'s>, dialect: &Dialect) -> Result<Self, ImportError> {
        source.rewind(dialect.offset).map_err(|cause| unreadable(file, cause))?;
        let reader = csv::ReaderBuilder::new()
            .delimiter(dialect.separator)
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(1 << 16)
            .from_reader(source);
        let columns = dialect.header.len();
        let named = dialect.header.iter().rposition(|name| !name.is_empty()).map_or(columns, |last| last + 1);
        let mut rows = Self {
            file: file.to_owned(),
            reader,
            columns,
            named,
            header: ByteRecord::new(),
            dialect: dialect.clone(),
            record: ByteRecord::new(),
            number: 0,
            line: 0,
            repeated: 0,
            other: None,
            is_annotated: false,
        };
        let mut header = ByteRecord::new();
        rows.reader.read_byte_record(&mut header).map_err(|error| rows.malformed(&error))?;
        rows.header = header;
        Ok(rows)
    }

    /// The text, to read it again.
    pub fn into_source(self) -> Source<'s> {
        self.reader.into_inner()
    }

    pub fn source(&self) -> &Source<'s> {
        self.reader.get_ref()
    }

    pub fn has_foreign_header(&self) -> bool {
        std::str::from_utf8(self.header.as_slice()).is_err()
    }

    pub fn column(&self, at: usize) -> &str {
        self.dialect.header.get(at).map_or("", String::as_str)
    }

    /// Goes to the next record that says anything; false at the end. The inner error says why its cells cannot be told
    /// apart by the header.
    pub fn advance(&mut self) -> Result<Option<Result<(), String>>, ImportError> {
        loop {
            let read = self.reader.read_byte_record(&mut self.record);
            if !read.map_err(|error| self.malformed(&error))? {
                return Ok(None);
            }
            self.number += 1;
            let line = self.record.position().map_or(0, csv::Position::line);
            self.line = match self.dialect.has_only_returns {
                true => self.dialect.line + self.number,
                false => self.dialect.line - 1 + line,
            };
            let first = self.record.get(0).unwrap_or_default().trim_ascii();
            if ANNOTATIONS.contains(&first) {
                self.repeated += u64::from(!self.is_annotated);
                self.is_annotated = true;
                continue;
            }
            if self.record == self.header {
                self.repeated += u64::from(!self.is_annotated);
                (self.is_annotated, self.other) = (false, None);
                continue;
            }
            if self.record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            if std::mem::take(&mut self.is_annotated) {
                self.other = Some(self.line);
            }
            return Ok(Some(self.judged()));
        }
    }

    fn judged(&self) -> Result<(), String> {
        if let Some(line) = self.other {
            return Err(format!("it is of another table, whose header is line {line}: import that by itself"));
        }
        let count = self.record.len();
        let has_more = || self.record.iter().skip(self.columns).any(|cell| !cell.trim_ascii().is_empty());
        if count < self.named || (count > self.columns && has_more()) {
            return Err(format!("it has {count} cells, and the header {}", self.columns));
        }
        Ok(())
    }

    fn malformed(&self, error: &csv::Error) -> ImportError {
        match error.kind() {
            csv::ErrorKind::Io(cause) => unreadable(&self.file, io::Error::new(cause.kind(), cause.to_string())),
            _ => ImportError::Malformed {
                file: self.file.clone(),
                line: self.dialect.line - 1 + error.position().map_or(1, csv::Position::line),
                cause: error.to_string(),
            },
        }
    }
}

pub(super) fn unreadable(file: &str, cause: io::Error) -> ImportError {
    ImportError::Unreadable { file: file.to_owned(), cause }
}
