//! Takes the rows of a table, after its survey. In: records. Out: rows with their moment, signals and texts, numbers in the
//! one spelling that programs share. Every row that is not taken whole is kept with its reason.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;

use super::columns::{Layout, Shape};
use super::names::{Names, unguarded};
use super::numbers::{self, Style};
use super::rejected::Rejected;
use super::rows::{Rows, unreadable};
use super::survey::{Survey, time_text};
use super::table::{Content, Filled, Row, TableCounts};
use super::time::{self, Read};
use super::wall::Wall;
use super::{Encoder, ImportError, text};
use crate::scene::{Scene, ValueKind};
use crate::value::{Conversion, SignalIndex, Timestamp, Unit};

/// From a cell's number to the signal's, or why there is no way.
type Found = Result<Conversion, String>;

pub(super) struct Taker<'s> {
    pub rows: Rows<'s>,
    pub layout: Layout,
    pub survey: Survey,
    pub wall: Option<Wall>,
    pub names: Names<'s>,
    pub scene: &'s Scene,
    pub rejected: Rejected,
    /// Units of a long table.
    pub units: HashMap<(SignalIndex, String), Found>,
    pub file: String,
}

/// What became of a record.
enum Taken {
    Row(Row),
    /// Nothing stands in it, or nothing that is asked for.
    Nothing,
    Refused(String),
    /// These columns are refused.
    Part(Option<Row>, Vec<usize>, String),
}

impl Taker<'_> {
    pub fn next(&mut self, encoder: &Encoder, counts: &mut TableCounts) -> Result<Option<Row>, ImportError> {
        while let Some(judged) = self.rows.advance()? {
            counts.rows += 1;
            let taken = match judged {
                Ok(()) => self.take(encoder, counts),
                Err(reason) => Taken::Refused(reason),
            };
            match taken {
                Taken::Row(row) => return Ok(Some(row)),
                Taken::Nothing => {}
                Taken::Refused(reason) => self.reject(reason, None).map_err(|error| unreadable(&self.file, error))?,
                Taken::Part(row, columns, reason) => {
                    self.reject(reason, Some(&columns)).map_err(|error| unreadable(&self.file, error))?;
                    if row.is_some() {
                        return Ok(row);
                    }
                }
            }
        }
        counts.repeated = self.rows.repeated;
        Ok(None)
    }

    fn take(&mut self, encoder: &Encoder, counts: &mut TableCounts) -> Taken {
        let number = self.rows.number;
        if self.survey.cut == Some(number) {
            return Taken::Refused("a quote of it is not closed: the table was cut here".to_owned());
        }
        if self.survey.order.aside.contains(&number) {
            let time = time_text(&self.rows.record, &self.layout).trim().to_owned();
            return Taken::Refused(format!("its time {time} is far from those before and behind it"));
        }
        let at = match self.moment() {
            Ok(at) => at,
            Err(reason) => {
                counts.timeless += 1;
                counts.first_timeless.get_or_insert(self.rows.line);
                return Taken::Refused(reason);
            }
        };
        let row = |content| Row { at, number, content };
        let cell = |at: usize| text::cell(self.rows.record.get(at).unwrap_or_default()).0;
        match &self.layout.shape {
            Shape::Messages { topic, payload, .. } => Taken::Row(row(Content::Message {
                topic: cell(*topic).into_owned(),
                payload: cell(*payload).into_owned(),
            })),
            Shape::Wide { signals, .. } => {
                let (mut cells, mut refused, mut why) = (Vec::new(), Vec::new(), String::new());
                for (column, style) in signals.iter().zip(&self.survey.styles) {
                    match self.filled(column.signal, column.conversion, &cell(column.at), *style, counts) {
                        Ok(filled) => cells.extend(filled),
                        Err(reason) => {
                            refused.push(column.at);
                            if why.is_empty() {
                                why = reason;
                            }
                        }
                    }
                }
                let row = (!cells.is_empty()).then(|| row(Content::Cells(cells)));
                match (refused.is_empty(), row) {
                    (false, row) => Taken::Part(row, refused, why),
                    (true, Some(row)) => Taken::Row(row),
                    (true, None) => Taken::Nothing,
                }
            }
            Shape::Long { twin, signal, value, unit, quality, value_unit, .. } => {
                let name = cell(*signal);
                let twin = twin.map(cell);
                let found = match &twin {
                    Some(twin) => self.names.of(unguarded(twin), unguarded(&name)),
                    None => self.names.of_path(unguarded(&name)),
                };
                let Some(signal) = found.filter(|signal| encoder.is_bound(*signal)) else {
                    counts.unknown += 1;
                    let path = || twin.map_or_else(|| name.to_string(), |twin| format!("{twin}.{name}"));
                    counts.first_unknown.get_or_insert_with(path);
                    return Taken::Nothing;
                };
                let known = self.scene.signals.get(signal.at());
                let unit = match (unit, value_unit) {
                    (Some(unit), _) => cell(*unit),
                    (None, Some(unit)) => Cow::Borrowed(unit.as_str()),
                    (None, None) => Cow::Borrowed(""),
                };
                let conversion = match known.filter(|known| known.kind == ValueKind::Number && !unit.trim().is_empty())
                {
                    None => Ok(Conversion::IDENTITY),
                    Some(known) => {
                        let key = (signal, unit.trim().to_owned());
                        let found = self.units.entry(key).or_insert_with_key(|(_, unit)| {
                            Unit::parse(unit).ok().and_then(|unit| unit.conversion_to(&known.unit)).ok_or_else(|| {
                                format!("its unit {unit} does not fit the signal's {}", known.unit.symbol())
                            })
                        });
                        found.clone()
                    }
                };
                let conversion = match conversion {
                    Ok(conversion) => conversion,
                    Err(reason) => return Taken::Refused(reason),
                };
                let value = cell(*value);
                // Exports leave the cell of a Bad sample that has no value of its own empty.
                let is_bad = || quality.is_some_and(|quality| cell(quality).trim().eq_ignore_ascii_case("bad"));
                if value.trim().is_empty() && is_bad() {
                    return Taken::Row(row(Content::Cells(vec![Filled { signal, conversion, text: None }])));
                }
                let style = self.survey.styles.first().copied().unwrap_or(Style::Unclear);
                match self.filled(signal, conversion, &value, style, counts) {
                    Ok(Some(filled)) => Taken::Row(row(Content::Cells(vec![filled]))),
                    Ok(None) => Taken::Nothing,
                    Err(reason) => Taken::Refused(reason),
                }
            }
        }
    }

    fn moment(&mut self) -> Result<Timestamp, String> {
        let written = time_text(&self.rows.record, &self.layout);
        let read = time::read(&written, &self.survey.format)?;
        match (read, &mut self.wall) {
            (Read::Local(local), Some(wall)) => wall.moment(local),
            (read, _) => read.naive(),
        }
    }

    /// None for an empty cell. An empty text is written as an apostrophe.
    fn filled(
        &self,
        signal: SignalIndex,
        conversion: Conversion,
        text: &str,
        style: Style,
        counts: &mut TableCounts,
    ) -> Result<Option<Filled>, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let text = match self.scene.signals.get(signal.at()).map(|signal| signal.kind) {
            Some(ValueKind::Number) => {
                let plain = numbers::plain(text, style)?;
                if numbers::is_rounded(&plain) {
                    counts.rounded += 1;
                    counts.first_rounded.get_or_insert_with(|| (self.rows.line, text.to_owned()));
                }
                plain.into_owned()
            }
            Some(ValueKind::Text) => unguarded(text).to_owned(),
            _ => text.to_owned(),
        };
        Ok(Some(Filled { signal, conversion, text: Some(text) }))
    }

    /// Keeps the record, or only its time and these columns.
    fn reject(&mut self, reason: String, only: Option<&[usize]>) -> io::Result<()> {
        let (time, date) = (self.layout.shape.time(), self.layout.date);
        let is_kept = |at: usize| only.is_none_or(|only| at == time || Some(at) == date || only.contains(&at));
        let cells = self.rows.record.iter().enumerate();
        let cells = cells.map(|(at, cell)| if is_kept(at) { text::cell(cell).0 } else { Cow::Borrowed("") });
        self.rejected.add(self.rows.line, reason, cells, only.is_some())
    }
}
