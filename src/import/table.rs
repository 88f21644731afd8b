//! Reads tables of values (RFC 4180, and the variants of spreadsheets) as messages. In: text, row by row. Out: messages
//! as a plant would have sent them. Never holds more than one moment, however long the table.

use std::io::{BufRead, BufReader, Read};

use csv::StringRecord;

use super::columns::{self, Ignored};
use super::{Cell, Encoder, ImportError, Sent, time};
use crate::scene::Scene;
use crate::value::Timestamp;

pub use super::columns::Shape;

/// What the user said about a table.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CsvOptions {
    /// The column that is the time; found by its name if none is given.
    pub time: Option<String>,
    /// (column, `TWIN.SIGNAL`).
    pub map: Vec<(String, String)>,
}

/// What has been read so far.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TableCounts {
    pub rows: u64,
    pub messages: u64,
    /// Rows that lie before the one above them: they are taken as having come late.
    pub late: u64,
    /// Rows whose time cannot be read, and the line of the first one.
    pub timeless: u64,
    pub first_timeless: Option<u64>,
    /// Rows of a long table that name no bound signal, and the first such name.
    pub unknown: u64,
    pub first_unknown: Option<String>,
}

/// Reads a table, a moment at a time.
pub struct CsvReader<'s> {
    file: String,
    rows: csv::Reader<Box<dyn Read + 's>>,
    scene: &'s Scene,
    encoder: Encoder<'s>,
    shape: Shape,
    /// Columns that are not read.
    pub ignored: Vec<Ignored>,
    pub counts: TableCounts,
    /// Where messages of a plain table come from.
    broker: String,
    newest: Timestamp,
    /// The first row of the next moment.
    ahead: Option<(Timestamp, StringRecord)>,
    ended: bool,
}

impl<'s> CsvReader<'s> {
    /// `file` is its name for messages. The separator (comma, semicolon or tab) is the one that the header has most of.
    pub fn new(file: &str, input: impl Read + 's, scene: &'s Scene, options: &CsvOptions) -> Result<Self, ImportError> {
        let unreadable = |cause| ImportError::Unreadable { file: file.to_owned(), cause };
        let mut input = BufReader::with_capacity(1 << 16, input);
        // Peeked at, not taken: a header that is longer than the buffer has shown its separator by then.
        let start = input.fill_buf().map_err(unreadable)?;
        let header = start.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        let count = |separator| header.iter().filter(|byte| **byte == separator).count();
        let separator = [b',', b';', b'\t'].into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(b',');
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .trim(csv::Trim::Headers)
            .from_reader(Box::new(input) as Box<dyn Read + 's>);
        let header: Vec<String> = rows
            .headers()
            .map_err(|error| malformed(file, &error))?
            .iter()
            .map(|column| column.trim_start_matches('\u{feff}').to_owned())
            .collect();
        let encoder = Encoder::new(scene);
        let (shape, ignored) = columns::shape(file, &header, scene, &encoder, options)?;
        Ok(Self {
            file: file.to_owned(),
            rows,
            scene,
            encoder,
            shape,
            ignored,
            counts: TableCounts::default(),
            broker: scene.brokers.keys().next().cloned().unwrap_or_else(|| "broker".to_owned()),
            newest: Timestamp::MIN,
            ahead: None,
            ended: false,
        })
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The messages of the next moment; none at the end.
    pub fn next_moment(&mut self) -> Result<Option<Vec<Sent>>, ImportError> {
        let Some((at, first)) = self.next_row()? else { return Ok(None) };
        let mut rows = vec![first];
        if matches!(self.shape, Shape::Long { .. }) {
            // Values of one moment belong into one message.
            while let Some((time, row)) = self.next_row()? {
                if time != at {
                    self.ahead = Some((time, row));
                    break;
                }
                rows.push(row);
            }
        }
        self.counts.late += u64::from(at < self.newest);
        self.newest = self.newest.max(at);
        let mut sent = self.messages(at, &rows);
        // Nothing is received before what came before it.
        sent.iter_mut().for_each(|sent| sent.time = self.newest);
        self.counts.messages += sent.len() as u64;
        Ok(Some(sent))
    }

    fn messages(&mut self, at: Timestamp, rows: &[StringRecord]) -> Vec<Sent> {
        let cell = |row: &'_ StringRecord, at: usize| row.get(at).unwrap_or_default().to_owned();
        match &self.shape {
            Shape::Messages { topic, payload, .. } => rows
                .iter()
                .map(|row| Sent {
                    time: at,
                    broker: self.broker.clone(),
                    topic: cell(row, *topic),
                    payload: cell(row, *payload).into_bytes(),
                    qos: 1,
                    retained: false,
                })
                .collect(),
            Shape::Wide { signals, .. } => {
                let cells = rows.iter().flat_map(|row| {
                    signals.iter().map(|column| Cell {
                        signal: column.signal,
                        text: row.get(column.at).unwrap_or_default(),
                        linear: column.linear,
                    })
                });
                self.encoder.encode(at, &cells.collect::<Vec<_>>())
            }
            Shape::Long { twin, signal, value, .. } => {
                let mut cells = Vec::with_capacity(rows.len());
                for row in rows {
                    let name = row.get(*signal).unwrap_or_default();
                    let found = match twin.and_then(|twin| row.get(twin)) {
                        Some(twin) => columns::signal_of(self.scene, twin, name),
                        None => columns::signal_named(self.scene, name),
                    };
                    match found.filter(|signal| self.encoder.is_bound(*signal)) {
                        Some(signal) => {
                            let text = row.get(*value).unwrap_or_default();
                            cells.push(Cell { signal, text, linear: (1.0, 0.0) });
                        }
                        None => {
                            self.counts.unknown += 1;
                            let twin = twin.and_then(|twin| row.get(twin)).map(|twin| format!("{twin}."));
                            let path = || format!("{}{name}", twin.unwrap_or_default());
                            self.counts.first_unknown.get_or_insert_with(path);
                        }
                    }
                }
                self.encoder.encode(at, &cells)
            }
        }
    }

    /// The next row that has a time.
    fn next_row(&mut self) -> Result<Option<(Timestamp, StringRecord)>, ImportError> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        let (Shape::Wide { time: column, .. }
        | Shape::Long { time: column, .. }
        | Shape::Messages { time: column, .. }) = self.shape;
        let mut row = StringRecord::new();
        while !self.ended {
            if !self.rows.read_record(&mut row).map_err(|error| malformed(&self.file, &error))? {
                self.ended = true;
                break;
            }
            self.counts.rows += 1;
            match row.get(column).and_then(time::parse) {
                Some(at) => return Ok(Some((at, row))),
                None => {
                    self.counts.timeless += 1;
                    let line = row.position().map_or(0, csv::Position::line);
                    self.counts.first_timeless.get_or_insert(line);
                }
            }
        }
        Ok(None)
    }
}

fn malformed(file: &str, error: &csv::Error) -> ImportError {
    match error.kind() {
        csv::ErrorKind::Io(cause) => ImportError::Unreadable {
            file: file.to_owned(),
            cause: std::io::Error::new(cause.kind(), cause.to_string()),
        },
        _ => ImportError::Malformed {
            file: file.to_owned(),
            line: error.position().map_or(1, csv::Position::line),
            cause: error.to_string(),
        },
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
