//! Finds the meaning of each column of a table. In: the header, a scene, options of the user. Out: a [`Layout`]. Pure.

use std::collections::HashMap;

use super::dialect::Fit;
use super::names::{Names, unguarded};
use super::{CsvOptions, Encoder, ImportError, rejected, time};
use crate::scene::Scene;
use crate::value::{Conversion, SignalIndex, Unit};

const TIME: [&str; 16] = [
    "time",
    "timestamp",
    "ts",
    "date",
    "datetime",
    "date_time",
    "_time",
    "source_time",
    "t",
    "date time",
    "date/time",
    "time_utc",
    "local_time",
    "zeit",
    "zeitstempel",
    "datum",
];
/// Columns of dates that may stand beside a column of times of day.
const DATE: [&str; 3] = ["date", "datum", "day"];
const CLOCK: [&str; 5] = ["time", "zeit", "uhrzeit", "clock", "time_of_day"];
const TWIN: [&str; 6] = ["twin", "asset", "device", "machine", "id", "_measurement"];
const SIGNAL: [&str; 8] = ["signal", "name", "tag", "metric", "variable", "field", "parameter", "_field"];
const VALUE: [&str; 4] = ["value", "val", "_value", "reading"];
const UNIT: [&str; 4] = ["unit", "units", "uom", "unit_of_measurement"];
const QUALITY: [&str; 1] = ["quality"];
const TOPIC: [&str; 1] = ["topic"];
const PAYLOAD: [&str; 2] = ["payload", "message"];
/// Columns that are not read, for which a near name is looked for.
const NEAR: usize = 20;

/// How the table is laid out. Numbers are positions of columns.
#[derive(Clone, PartialEq, Debug)]
pub enum Shape {
    /// A row is a moment, a column a signal: `time,P-101.flow,P-101.vibration`.
    Wide { time: usize, signals: Vec<Column> },
    /// A row is a value: `time,twin,signal,value`, or `time,tag,value` with `P-101.flow` as tag.
    Long {
        time: usize,
        twin: Option<usize>,
        signal: usize,
        value: usize,
        unit: Option<usize>,
        quality: Option<usize>,
        /// Of all values: `value [l/s]`.
        value_unit: Option<String>,
    },
    /// A row is a message: `time,topic,payload`.
    Messages { time: usize, topic: usize, payload: usize },
}

impl Shape {
    pub(super) fn time(&self) -> usize {
        let (Self::Wide { time, .. } | Self::Long { time, .. } | Self::Messages { time, .. }) = self;
        *time
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    pub at: usize,
    pub signal: SignalIndex,
    /// From the column's unit to the signal's.
    pub conversion: Conversion,
}

/// A column that is not read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ignored {
    pub column: String,
    /// Its signal comes in no message: the scene computes it from other columns.
    pub is_computed: bool,
    /// The signal that was perhaps meant; looked for in the first columns only.
    pub near: Option<String>,
}

pub(super) struct Layout {
    pub shape: Shape,
    /// The date, where the time is a time of day.
    pub date: Option<usize>,
    /// Nanoseconds that the time counts, where its column says so: `time [ms]`.
    pub time_unit: Option<u64>,
    pub ignored: Vec<Ignored>,
}

/// Whether the column is called by one of these names, with or without a unit.
fn is_called(column: &str, names: &[&str]) -> bool {
    let name = name_and_unit(column).0;
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The first of the names that a column has.
fn find(header: &[String], names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| header.iter().position(|column| is_called(column, &[name])))
}

fn time_column(header: &[String], options: &CsvOptions) -> Option<usize> {
    match &options.time {
        Some(named) => header.iter().position(|column| column.trim() == named),
        None => find(header, &TIME),
    }
}

/// How well a line will do as a header.
pub(super) fn fit(header: &[String], names: &Names, options: &CsvOptions) -> Fit {
    let Some(time) = time_column(header, options) else { return Fit::Nothing };
    if (find(header, &TOPIC).is_some() && find(header, &PAYLOAD).is_some())
        || (find(header, &SIGNAL).is_some() && find(header, &VALUE).is_some())
    {
        return Fit::Whole(header.len());
    }
    let is_known = |(at, column): &(usize, &String)| {
        *at != time
            && (names.of_path(unguarded(name_and_unit(column).0)).is_some()
                || options.map.iter().any(|(mapped, _)| is_named(column, mapped)))
    };
    match header.iter().enumerate().filter(is_known).count() {
        0 => Fit::Time,
        count => Fit::Whole(count),
    }
}

/// `first` is the first row.
pub(super) fn layout(
    file: &str,
    header: &[String],
    first: &[String],
    scene: &Scene,
    (encoder, names): (&Encoder, &Names),
    options: &CsvOptions,
) -> Result<Layout, ImportError> {
    let columns = || shortened(header);
    let mut time = time_column(header, options).ok_or_else(|| match &options.time {
        Some(named) => {
            ImportError::NoColumn { file: file.to_owned(), option: "time", column: named.clone(), columns: columns() }
        }
        None => ImportError::NoTime { file: file.to_owned(), columns: columns() },
    })?;
    let is_clock = |at: usize| first.get(at).is_some_and(|cell| time::is_time_of_day(cell));
    let mut date = None;
    if let Some(day) = find(header, &DATE).filter(|day| !is_clock(*day)) {
        let clock = if options.time.is_some() && time != day { Some(time) } else { find(header, &CLOCK) };
        if let Some(clock) = clock.filter(|clock| *clock != day && is_clock(*clock)) {
            (time, date) = (clock, Some(day));
        }
    }
    let time_unit = match name_and_unit(&header[time]).1 {
        Some("s" | "sec" | "seconds") => Some(1_000_000_000),
        Some("ms" | "milliseconds") => Some(1_000_000),
        Some("us" | "µs" | "μs" | "microseconds") => Some(1_000),
        Some("ns" | "nanoseconds") => Some(1),
        Some("min" | "minutes") => Some(60_000_000_000),
        Some("h" | "hours") => Some(3_600_000_000_000),
        _ => None,
    };
    let once = |at: usize| match header.iter().filter(|column| **column == header[at]).count() {
        1 => Ok(at),
        _ => Err(ImportError::Twice { file: file.to_owned(), column: header[at].clone() }),
    };
    once(time)?;
    let plain = |shape| Ok(Layout { shape, date, time_unit, ignored: Vec::new() });
    if let (Some(topic), Some(payload)) = (find(header, &TOPIC), find(header, &PAYLOAD)) {
        return plain(Shape::Messages { time, topic: once(topic)?, payload: once(payload)? });
    }
    if let (Some(signal), Some(value)) = (find(header, &SIGNAL), find(header, &VALUE)) {
        let (twin, unit, quality) = (find(header, &TWIN), find(header, &UNIT), find(header, &QUALITY));
        let value_unit = name_and_unit(&header[value]).1.map(str::to_owned);
        for at in [Some(signal), Some(value), twin, unit].into_iter().flatten() {
            once(at)?;
        }
        return plain(Shape::Long { time, twin, signal, value, unit, quality, value_unit });
    }

    let mapped = mapped(file, header, scene, (encoder, names), options)?;
    let (mut signals, mut ignored) = (Vec::<Column>::new(), Vec::new());
    let mut taken: HashMap<SignalIndex, usize> = HashMap::new();
    for (at, column) in header.iter().enumerate().filter(|(at, _)| *at != time && Some(*at) != date) {
        if column.is_empty() || rejected::COLUMNS.contains(&column.as_str()) {
            continue;
        }
        let (name, unit) = name_and_unit(column);
        let name = unguarded(name);
        match mapped.get(&at).copied().or_else(|| names.of_path(name)) {
            Some(signal) if encoder.is_bound(signal) => {
                if let Some(other) = taken.insert(signal, at) {
                    return Err(ImportError::OneSignal {
                        file: file.to_owned(),
                        signal: scene.signal_path(signal),
                        first: format!("{} (`{}`)", other + 1, header[other]),
                        second: format!("{} (`{column}`)", at + 1),
                    });
                }
                signals.push(Column { at, signal, conversion: conversion(file, column, unit, scene, signal)? })
            }
            Some(_) => ignored.push(Ignored { column: column.clone(), is_computed: true, near: None }),
            None => {
                let near = if ignored.len() < NEAR { names.near(name) } else { None };
                ignored.push(Ignored { column: column.clone(), is_computed: false, near });
            }
        }
    }
    if signals.is_empty() {
        let example = scene.signals.iter().find(|signal| encoder.is_bound(signal.index));
        let near = ignored
            .iter()
            .find_map(|Ignored { column, near, .. }| Some(format!("; `{column}` looks like {}", near.as_ref()?)));
        return Err(ImportError::NothingFits {
            file: file.to_owned(),
            scene: scene.name.clone(),
            example: example.map_or_else(|| "P-101.flow".to_owned(), |signal| scene.signal_path(signal.index)),
            near: near.unwrap_or_default(),
        });
    }
    Ok(Layout { shape: Shape::Wide { time, signals }, date, time_unit, ignored })
}

/// The names of the first columns, and how many more there are.
fn shortened(header: &[String]) -> String {
    const SHOWN: usize = 20;
    match header.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} more", header[..SHOWN].join(", ")),
        None => header.join(", "),
    }
}

/// What `--map` says: positions of columns and their signals.
fn mapped(
    file: &str,
    header: &[String],
    scene: &Scene,
    (encoder, names): (&Encoder, &Names),
    options: &CsvOptions,
) -> Result<HashMap<usize, SignalIndex>, ImportError> {
    let pairs = options.map.iter().map(|(column, path)| {
        let at = header.iter().position(|known| is_named(known, column)).ok_or_else(|| ImportError::NoColumn {
            file: file.to_owned(),
            option: "map",
            column: column.clone(),
            columns: shortened(header),
        })?;
        if header.iter().filter(|known| is_named(known, column)).count() > 1 {
            return Err(ImportError::Twice { file: file.to_owned(), column: column.clone() });
        }
        let signal = names.of_path(path).ok_or_else(|| ImportError::NoSignal {
            column: column.clone(),
            signal: path.clone(),
            scene: scene.name.clone(),
            near: names.near(path).map_or_else(String::new, |near| format!("; did you mean {near}?")),
        })?;
        if !encoder.is_bound(signal) {
            return Err(ImportError::Unbound { column: column.clone(), signal: path.clone() });
        }
        Ok((at, signal))
    });
    pairs.collect()
}

/// Whether a column is called so, with its unit or without.
fn is_named(column: &str, name: &str) -> bool {
    column.trim() == name || name_and_unit(column).0 == name
}

/// `P-101.flow [m3/h]` or `P-101.flow (m3/h)`: the name, and the unit if there is one.
fn name_and_unit(column: &str) -> (&str, Option<&str>) {
    let column = column.trim();
    let split = [('[', ']'), ('(', ')')].into_iter().find_map(|(open, close)| {
        let (name, unit) = column.strip_suffix(close)?.rsplit_once(open)?;
        Some((name.trim_end(), unit.trim()))
    });
    split.map_or((column, None), |(name, unit)| (name, Some(unit).filter(|unit| !unit.is_empty())))
}

fn conversion(
    file: &str,
    column: &str,
    unit: Option<&str>,
    scene: &Scene,
    signal: SignalIndex,
) -> Result<Conversion, ImportError> {
    let (Some(unit), Some(signal)) = (unit, scene.signals.get(signal.at())) else { return Ok(Conversion::IDENTITY) };
    Unit::parse(unit).ok().and_then(|unit| unit.conversion_to(&signal.unit)).ok_or_else(|| ImportError::Unit {
        file: file.to_owned(),
        column: column.to_owned(),
        found: unit.to_owned(),
        wanted: signal.unit.symbol().to_owned(),
    })
}
