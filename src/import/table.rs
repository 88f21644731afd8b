//! Reads tables of values (RFC 4180, and the variants of spreadsheets) as messages. In: text, which is read twice. Out:
//! messages as a plant would have sent them, in order of time. Never holds a long table: what has to be sorted goes to
//! files that nobody sees.

use std::collections::{HashMap, HashSet};
use std::io::{Read, Seek};

use super::columns::{self, Ignored};
use super::names::Names;
use super::numbers::Mark;
use super::order::Class;
use super::rejected::Rejected;
use super::rows::{Rows, unreadable};
use super::sort::{Sorted, Sorter};
use super::survey::survey;
use super::take::Taker;
use super::text::{self, Encoding, Source};
use super::time::{self, TimeFormat};
use super::wall::Wall;
use super::{Cell, Encoder, ImportError, Sent, dialect};
use crate::scene::Scene;
use crate::value::{Conversion, SignalIndex, Timestamp};

pub use super::columns::Shape;

/// Of the text, to find the header in.
const HEAD: u64 = 4 << 20;
/// Values of one moment that go into messages together.
const GATHERED: usize = 10_000;

/// What the user said about a table.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CsvOptions {
    /// The column that is the time; found by its name if none is given.
    pub time: Option<String>,
    /// (column, `TWIN.SIGNAL`).
    pub map: Vec<(String, String)>,
    /// How times are written.
    pub format: TimeFormat,
    /// Where times are from that name no zone: `Europe/Berlin`, `+02:00`.
    pub zone: Option<String>,
    /// What parts decimals, where the columns do not tell it.
    pub decimal: Option<Mark>,
}

/// What has been read so far.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TableCounts {
    pub rows: u64,
    pub messages: u64,
    /// Rows that lie before the one above them.
    pub late: u64,
    /// Rows whose time cannot be read, and the line of the first one.
    pub timeless: u64,
    pub first_timeless: Option<u64>,
    /// Rows of a long table that name no bound signal, and the first such name.
    pub unknown: u64,
    pub first_unknown: Option<String>,
    /// Whole numbers with more digits than a value keeps; line and text of the first one.
    pub rounded: u64,
    pub first_rounded: Option<(u64, String)>,
    /// Headers among the rows.
    pub repeated: u64,
}

/// A row, as far as it is taken.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Row {
    pub at: Timestamp,
    /// Its place in the table.
    pub number: u64,
    pub content: Content,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Content {
    Cells(Vec<Filled>),
    Message { topic: String, payload: String },
}

/// A cell that says something.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Filled {
    pub signal: SignalIndex,
    pub conversion: Conversion,
    /// None: its source had no value.
    pub text: Option<String>,
}

impl Filled {
    fn cell(&self) -> Cell<'_> {
        Cell { signal: self.signal, text: self.text.as_deref(), conversion: self.conversion }
    }
}

/// Reads a table, a moment at a time.
pub struct CsvReader<'s> {
    encoder: Encoder<'s>,
    taker: Taker<'s>,
    /// The rows, where they had to be sorted.
    sorted: Option<Sorted>,
    /// Columns that are not read.
    pub ignored: Vec<Ignored>,
    pub counts: TableCounts,
    /// What was concluded about the table, for the user.
    pub notes: Vec<String>,
    /// Where messages of a plain table come from.
    broker: String,
    newest: Timestamp,
    /// The first row of the next moment.
    ahead: Option<Row>,
    first: Option<Vec<Sent>>,
}

impl<'s> CsvReader<'s> {
    /// Looks through the table. `file` is its name for messages. Fails where nothing of the table can be taken.
    pub fn new(
        file: &str,
        mut input: impl Read + Seek + 's,
        scene: &'s Scene,
        options: &CsvOptions,
    ) -> Result<Self, ImportError> {
        let unread = |cause| unreadable(file, cause);
        let mut magic = Vec::new();
        input.by_ref().take(16).read_to_end(&mut magic).map_err(unread)?;
        if let Some(what) = text::foreign(&magic) {
            return Err(ImportError::NoText { file: file.to_owned(), what });
        }
        let zone = options.zone.as_deref().map(time::zone).transpose();
        let zone = zone.map_err(|cause| ImportError::Zone { cause })?;
        let (encoder, names) = (Encoder::new(scene), Names::new(scene));
        let mut source = Source::open(input).map_err(unread)?;
        let mut head = Vec::new();
        source.by_ref().take(HEAD).read_to_end(&mut head).map_err(unread)?;
        let dialect = dialect::find(&head, |header| columns::fit(header, &names, options));
        let dialect = dialect.ok_or_else(|| ImportError::Empty { file: file.to_owned() })?;
        let encoding = source.encoding;
        drop(head);

        let mut rows = Rows::new(file, source, &dialect)?;
        let mut notes = about(encoding, &dialect, rows.has_foreign_header());
        let first: Vec<String> = match rows.advance()? {
            Some(_) => rows.record.iter().map(|cell| text::cell(cell).0.into_owned()).collect(),
            None => Vec::new(),
        };
        let layout = columns::layout(file, &dialect.header, &first, scene, (&encoder, &names), options)?;
        let mut rows = Rows::new(file, rows.into_source(), &dialect)?;
        let survey = survey(file, &mut rows, &layout, scene, &names, options, dialect.separator)?;
        if survey.rows == 0 {
            return Err(ImportError::NoRows { file: file.to_owned(), line: dialect.line });
        }
        notes.extend(survey.notes.iter().cloned());
        let order = &survey.order;
        let counts = TableCounts { late: order.late, ..TableCounts::default() };
        if order.class == Class::Descending {
            notes.push("the newest row stands first: the table is turned".to_owned());
        } else if order.class == Class::Unsorted {
            notes.push(format!("{} rows lie before the one above them: the table is sorted by time", order.late));
        }
        let is_sorted = order.class == Class::Ascending && !(zone.is_some() && survey.has_mixed_clocks);
        let taker = Taker {
            rows: Rows::new(file, rows.into_source(), &dialect)?,
            wall: zone.map(|zone| Wall::new(zone, order.way)),
            layout,
            survey,
            names,
            scene,
            rejected: Rejected::new(dialect.separator, &dialect.header),
            units: HashMap::new(),
            file: file.to_owned(),
        };
        let mut reader = Self {
            encoder,
            ignored: taker.layout.ignored.clone(),
            taker,
            sorted: None,
            counts,
            notes,
            broker: scene.brokers.keys().next().cloned().unwrap_or_else(|| "broker".to_owned()),
            newest: Timestamp::MIN,
            ahead: None,
            first: None,
        };
        if !is_sorted {
            let mut sorter = Sorter::default();
            while let Some(row) = reader.taker.next(&reader.encoder, &mut reader.counts)? {
                sorter.push(row).map_err(unread)?;
            }
            reader.sorted = Some(sorter.finish().map_err(unread)?);
        }
        reader.first = reader.read_moment()?;
        match reader.first {
            Some(_) => Ok(reader),
            None => Err(reader.nothing(file)),
        }
    }

    /// The first time of the table, whether its row says anything or not.
    pub fn start(&self) -> Option<Timestamp> {
        self.taker.survey.order.earliest.map(Timestamp)
    }

    pub fn shape(&self) -> &Shape {
        &self.taker.layout.shape
    }

    /// What was not taken so far.
    pub fn rejected(&mut self) -> &mut Rejected {
        &mut self.taker.rejected
    }

    /// The messages of the next moment; none at the end.
    pub fn next_moment(&mut self) -> Result<Option<Vec<Sent>>, ImportError> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.read_moment(),
        }
    }

    fn read_moment(&mut self) -> Result<Option<Vec<Sent>>, ImportError> {
        while let Some(Row { at, content, .. }) = self.next_row()? {
            let mut sent = match content {
                Content::Message { topic, payload } => vec![Sent {
                    time: at,
                    broker: self.broker.clone(),
                    topic,
                    payload: payload.into_bytes(),
                    qos: 1,
                    retained: false,
                }],
                Content::Cells(mut cells) => {
                    if matches!(self.shape(), Shape::Long { .. }) {
                        self.gather(at, &mut cells)?;
                    }
                    self.encoder.encode(at, &cells.iter().map(Filled::cell).collect::<Vec<_>>())
                }
            };
            if sent.is_empty() {
                continue;
            }
            // Nothing is received before what came before it.
            self.newest = self.newest.max(at);
            sent.iter_mut().for_each(|sent| sent.time = self.newest);
            self.counts.messages += sent.len() as u64;
            return Ok(Some(sent));
        }
        Ok(None)
    }

    /// Values of one moment belong into one message, as long as none is of a signal that has one already.
    fn gather(&mut self, at: Timestamp, cells: &mut Vec<Filled>) -> Result<(), ImportError> {
        let mut known: HashSet<SignalIndex> = cells.iter().map(|cell| cell.signal).collect();
        while let Some(row) = self.next_row()? {
            match row.content {
                Content::Cells(more)
                    if row.at == at
                        && cells.len() < GATHERED
                        && more.iter().all(|cell| !known.contains(&cell.signal)) =>
                {
                    known.extend(more.iter().map(|cell| cell.signal));
                    cells.extend(more);
                }
                content => {
                    self.ahead = Some(Row { content, ..row });
                    break;
                }
            }
        }
        Ok(())
    }

    fn next_row(&mut self) -> Result<Option<Row>, ImportError> {
        if let Some(ahead) = self.ahead.take() {
            return Ok(Some(ahead));
        }
        match &mut self.sorted {
            Some(sorted) => sorted.next().transpose().map_err(|cause| unreadable(&self.taker.file, cause)),
            None => self.taker.next(&self.encoder, &mut self.counts),
        }
    }

    /// Why nothing was taken.
    fn nothing(&self, file: &str) -> ImportError {
        let unknown = self.counts.first_unknown.as_ref();
        let unknown =
            unknown.map(|name| format!("{} values are of no bound signal, the first of `{name}`", self.counts.unknown));
        let told = Some(self.taker.rejected.told()).filter(|told| !told.is_empty());
        let causes: Vec<String> = told.into_iter().chain(unknown).collect();
        let cause = if causes.is_empty() { "all cells of signals are empty".to_owned() } else { causes.join("; ") };
        ImportError::NothingRead { file: file.to_owned(), rows: self.counts.rows, cause }
    }
}

fn about(encoding: Encoding, dialect: &dialect::Dialect, has_foreign_header: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if matches!(encoding, Encoding::Utf16 { .. }) {
        notes.push("the text is UTF-16, and is read as such".to_owned());
    }
    if has_foreign_header {
        notes.push("the header is no UTF-8, and is read as Windows-1252 (Latin-1)".to_owned());
    }
    if dialect.line > 1 && !dialect.is_announced {
        notes.push(format!("the header is line {}; what stands above it is not read", dialect.line));
    }
    notes
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
