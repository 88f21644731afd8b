//! Looks through a whole table before anything of it is taken. In: its rows. Out: the order of its times, how they and its
//! numbers are written, and where it ends. Never takes a row.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::columns::{Layout, Shape};
use super::names::Names;
use super::numbers::{self, Evidence, Style};
use super::order::{Order, RowTime, Verdict};
use super::rows::Rows;
use super::time::{self, Likeness, Read, TimeFormat};
use super::{CsvOptions, ImportError, text};
use crate::scene::{Scene, ValueKind};

pub(super) struct Survey {
    pub rows: u64,
    pub format: TimeFormat,
    pub order: Verdict,
    /// Of a wide table's signals, or of a long table's values.
    pub styles: Vec<Style>,
    /// The number of a last row whose quotes are not closed.
    pub cut: Option<u64>,
    /// Some times name their zone, others do not.
    pub has_mixed_clocks: bool,
    pub notes: Vec<String>,
}

/// The time of a row as text, of one column or of two.
pub(super) fn time_text<'r>(record: &'r csv::ByteRecord, layout: &Layout) -> std::borrow::Cow<'r, str> {
    let cell = |at: usize| text::cell(record.get(at).unwrap_or_default()).0;
    let time = cell(layout.shape.time());
    match layout.date {
        Some(date) => format!("{} {}", cell(date).trim(), time.trim()).into(),
        None => time,
    }
}

pub(super) fn survey(
    file: &str,
    rows: &mut Rows,
    layout: &Layout,
    scene: &Scene,
    names: &Names,
    options: &CsvOptions,
    separator: u8,
) -> Result<Survey, ImportError> {
    let format = match (&options.format, layout.time_unit) {
        (TimeFormat::Auto, Some(unit)) => TimeFormat::Count(unit),
        (format, _) => format.clone(),
    };
    let columns = match &layout.shape {
        Shape::Wide { signals, .. } => signals.len(),
        Shape::Long { .. } => 1,
        Shape::Messages { .. } => 0,
    };
    let is_number: Vec<bool> = match &layout.shape {
        Shape::Wide { signals, .. } => {
            let kind = |at: usize| scene.signals.get(at).map(|signal| signal.kind);
            signals.iter().map(|column| kind(column.signal.at()) == Some(ValueKind::Number)).collect()
        }
        _ => Vec::new(),
    };
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let mut evidence = vec![Evidence::default(); columns];
    let (mut order, mut count, mut last) = (Order::default(), 0, 0);
    let (mut times, mut compact, mut days, mut day) = (0_u64, 0_u64, 0_u64, None);
    let (mut foreign, mut first_foreign) = (0_u64, None);
    let mut has_broken_cell = false;
    let mut locals = 0_u64;
    while let Some(judged) = rows.advance()? {
        count += 1;
        last = rows.number;
        let record = &rows.record;
        if std::str::from_utf8(record.as_slice()).is_err() {
            foreign += 1;
            first_foreign.get_or_insert(rows.line);
        }
        has_broken_cell = record.as_slice().contains(&b'\n');
        if judged.is_err() {
            continue;
        }
        let mut series = 0;
        match &layout.shape {
            Shape::Wide { signals, .. } => {
                for ((column, evidence), _) in
                    signals.iter().zip(&mut evidence).zip(&is_number).filter(|(_, is_number)| **is_number)
                {
                    evidence.add(&text::cell(record.get(column.at).unwrap_or_default()).0);
                }
            }
            Shape::Long { twin, signal, value, .. } => {
                let cell = |at: usize| record.get(at).unwrap_or_default();
                series = hasher.hash_one((twin.map(cell), cell(*signal)));
                let name = text::cell(cell(*signal)).0;
                let found = match twin {
                    Some(twin) => names.of(&text::cell(cell(*twin)).0, &name),
                    None => names.of_path(&name),
                };
                let kind = found.and_then(|signal| scene.signals.get(signal.at())).map(|signal| signal.kind);
                if kind == Some(ValueKind::Number) {
                    evidence[0].add(&text::cell(cell(*value)).0);
                }
            }
            Shape::Messages { topic, .. } => series = hasher.hash_one(record.get(*topic)),
        }
        let written = time_text(record, layout);
        if format == TimeFormat::Auto {
            let likeness = time::likeness(&written);
            times += u64::from(!written.trim().is_empty());
            compact += u64::from(likeness == Some(Likeness::Compact));
            if likeness == Some(Likeness::Day) {
                days += 1;
                day.get_or_insert_with(|| written.trim().to_owned());
            }
        }
        let Ok(read) = time::read(&written, &format) else { continue };
        let is_local = matches!(read, Read::Local(_));
        locals += u64::from(is_local);
        if let Ok(at) = read.naive() {
            order.add(RowTime { number: rows.number, line: rows.line, at: at.0, is_local, series });
        }
    }

    let mut notes = Vec::new();
    if foreign > 0 {
        let line = first_foreign.unwrap_or_default();
        notes.push(format!(
            "{foreign} rows, the first in line {line}, are not all UTF-8; what is not is read as Windows-1252 (Latin-1)"
        ));
    }
    let most = |part: u64| part > 0 && part * 10 >= times * 9;
    let format = if format == TimeFormat::Auto && most(compact) {
        let column = rows.column(layout.shape.time());
        notes.push(format!("the times of the column `{column}` are read as dates like 20260131 (year, month, day)"));
        TimeFormat::Compact
    } else if format == TimeFormat::Auto && most(days) {
        let day = day.unwrap_or_default();
        let shown = time::read(&day, &TimeFormat::Days).and_then(Read::naive).map(|at| at.to_string());
        return Err(ImportError::Days {
            file: file.to_owned(),
            column: rows.column(layout.shape.time()).to_owned(),
            found: day,
            day: shown.unwrap_or_default(),
        });
    } else {
        format
    };
    let order = order.verdict();
    if let (Some(line), None) = (order.repeated, &options.zone) {
        return Err(ImportError::RepeatedHour { file: file.to_owned(), line });
    }
    if locals > 0 && options.zone.is_none() {
        notes.push(format!("{locals} times name no zone and are read as UTC; --zone says otherwise"));
    }
    let (mut styles, is_by_separator) = numbers::styles(&evidence, separator == b';');
    if let Some(mark) = options.decimal {
        styles.fill(Style::Known(mark));
    } else if is_by_separator {
        notes.push(
            "commas in numbers are read as decimal commas, as semicolons part the columns; --decimal point says otherwise"
                .to_owned(),
        );
    }
    let source = rows.source();
    let is_open = !matches!(source.last, b'\n' | b'\r');
    let cut = (source.has_open_quote && (is_open || has_broken_cell)).then_some(last);
    if is_open && cut.is_none() && count > 0 {
        notes.push(
            "the last line has no end: if the file was copied while it was written, its last cell may be cut"
                .to_owned(),
        );
    }
    let has_mixed_clocks = locals > 0 && locals < count;
    Ok(Survey { rows: count, format, order, styles, cut, has_mixed_clocks, notes })
}
