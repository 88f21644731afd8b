//! Finds the meaning of each column of a table. In: the header, a scene, options of the user. Out: a [`Shape`]. Pure.

use super::{CsvOptions, Encoder, ImportError};
use crate::scene::Scene;
use crate::scene::nearest::nearest;
use crate::value::{SignalIndex, Unit};

const TIME: [&str; 9] = ["time", "timestamp", "ts", "date", "datetime", "date_time", "_time", "source_time", "t"];
const TWIN: [&str; 5] = ["twin", "asset", "device", "machine", "id"];
const SIGNAL: [&str; 7] = ["signal", "name", "tag", "metric", "variable", "field", "parameter"];
const VALUE: [&str; 4] = ["value", "val", "_value", "reading"];
const TOPIC: [&str; 1] = ["topic"];
const PAYLOAD: [&str; 2] = ["payload", "message"];

/// How the table is laid out. Numbers are positions of columns.
#[derive(Clone, PartialEq, Debug)]
pub enum Shape {
    /// A row is a moment, a column a signal: `time,P-101.flow,P-101.vibration`.
    Wide { time: usize, signals: Vec<Column> },
    /// A row is a value: `time,twin,signal,value`, or `time,tag,value` with `P-101.flow` as tag.
    Long { time: usize, twin: Option<usize>, signal: usize, value: usize },
    /// A row is a message: `time,topic,payload`.
    Messages { time: usize, topic: usize, payload: usize },
}

#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    pub at: usize,
    pub signal: SignalIndex,
    /// From the column's unit to the signal's: `x * scale + offset`.
    pub linear: (f64, f64),
}

/// A column that is not read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ignored {
    pub column: String,
    /// Its signal comes in no message: the scene computes it from other columns.
    pub is_computed: bool,
    /// The signal that was perhaps meant.
    pub near: Option<String>,
}

pub(super) fn shape(
    file: &str,
    header: &[String],
    scene: &Scene,
    encoder: &Encoder,
    options: &CsvOptions,
) -> Result<(Shape, Vec<Ignored>), ImportError> {
    let columns = || header.join(", ");
    let find = |names: &[&str]| {
        names.iter().find_map(|name| header.iter().position(|column| column.trim().eq_ignore_ascii_case(name)))
    };
    let time = match &options.time {
        Some(named) => header.iter().position(|column| column.trim() == named).ok_or_else(|| {
            ImportError::NoColumn { file: file.to_owned(), option: "time", column: named.clone(), columns: columns() }
        })?,
        None => find(&TIME).ok_or_else(|| ImportError::NoTime { file: file.to_owned(), columns: columns() })?,
    };
    if let (Some(topic), Some(payload)) = (find(&TOPIC), find(&PAYLOAD)) {
        return Ok((Shape::Messages { time, topic, payload }, Vec::new()));
    }
    if let (Some(signal), Some(value)) = (find(&SIGNAL), find(&VALUE)) {
        return Ok((Shape::Long { time, twin: find(&TWIN), signal, value }, Vec::new()));
    }

    let mapped = mapped(file, header, scene, encoder, options)?;
    let (mut signals, mut ignored) = (Vec::new(), Vec::new());
    for (at, column) in header.iter().enumerate().filter(|(at, _)| *at != time) {
        let (name, unit) = name_and_unit(column);
        let by_map = mapped.iter().find(|(mapped, _)| *mapped == at).map(|(_, signal)| *signal);
        match by_map.or_else(|| signal_named(scene, name)) {
            Some(signal) if encoder.is_bound(signal) => {
                signals.push(Column { at, signal, linear: linear(file, column, unit, scene, signal)? })
            }
            Some(_) => ignored.push(Ignored { column: column.clone(), is_computed: true, near: None }),
            None => ignored.push(Ignored { column: column.clone(), is_computed: false, near: near(scene, name) }),
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
    Ok((Shape::Wide { time, signals }, ignored))
}

/// What `--map` says: positions of columns and their signals.
fn mapped(
    file: &str,
    header: &[String],
    scene: &Scene,
    encoder: &Encoder,
    options: &CsvOptions,
) -> Result<Vec<(usize, SignalIndex)>, ImportError> {
    let pairs = options.map.iter().map(|(column, path)| {
        let at = header.iter().position(|known| known.trim() == column).ok_or_else(|| ImportError::NoColumn {
            file: file.to_owned(),
            option: "map",
            column: column.clone(),
            columns: header.join(", "),
        })?;
        let signal = signal_named(scene, path).ok_or_else(|| ImportError::NoSignal {
            column: column.clone(),
            signal: path.clone(),
            scene: scene.name.clone(),
            near: near(scene, path).map_or_else(String::new, |near| format!("; did you mean {near}?")),
        })?;
        if !encoder.is_bound(signal) {
            return Err(ImportError::Unbound { column: column.clone(), signal: path.clone() });
        }
        Ok((at, signal))
    });
    pairs.collect()
}

/// The signal that `P-101.flow` or `P-101/flow` names, however it is capitalised.
pub(super) fn signal_named(scene: &Scene, path: &str) -> Option<SignalIndex> {
    let split = |separator| path.trim().rsplit_once(separator);
    [split('.'), split('/')].into_iter().flatten().find_map(|(twin, signal)| signal_of(scene, twin, signal))
}

pub(super) fn signal_of(scene: &Scene, twin: &str, signal: &str) -> Option<SignalIndex> {
    if let Some(found) = scene.signal(twin, signal) {
        return Some(found.index);
    }
    let twin = scene.twins.iter().find(|known| known.id.eq_ignore_ascii_case(twin.trim()))?;
    scene.signals_of(twin).iter().find(|known| known.name.eq_ignore_ascii_case(signal.trim())).map(|found| found.index)
}

fn near(scene: &Scene, name: &str) -> Option<String> {
    let paths: Vec<String> = scene.signals.iter().map(|signal| scene.signal_path(signal.index)).collect();
    nearest(name, paths.iter().map(String::as_str)).map(str::to_owned)
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

fn linear(
    file: &str,
    column: &str,
    unit: Option<&str>,
    scene: &Scene,
    signal: SignalIndex,
) -> Result<(f64, f64), ImportError> {
    let (Some(unit), Some(signal)) = (unit, scene.signals.get(signal.at())) else { return Ok((1.0, 0.0)) };
    Unit::parse(unit).ok().and_then(|unit| unit.linear_to(&signal.unit)).ok_or_else(|| ImportError::Unit {
        file: file.to_owned(),
        column: column.to_owned(),
        found: unit.to_owned(),
        wanted: signal.unit.symbol().to_owned(),
    })
}
