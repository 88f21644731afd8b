//! One row for each moment. In: samples in order of their receipt. Out: rows with a cell for each chosen signal: what was
//! measured at that moment, and nothing carried over from before. Values that are Bad leave their cell empty.

use super::{Table, TableError};
use crate::scene::{Scene, ValueKind};
use crate::value::{Grade, Origin, Sample, SignalIndex, Timestamp, Value};

/// A chosen signal.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// `P-101.flow`.
    pub path: String,
    pub unit: String,
    pub kind: ValueKind,
}

/// Takes rows.
pub(super) trait Rows {
    /// With the least certain origin of its samples.
    fn row(&mut self, time: Timestamp, cells: &mut [Option<Value>], origin: Origin) -> Result<(), TableError>;

    fn finish(self) -> Result<(), TableError>;
}

/// Puts samples together that follow each other with the same source time.
pub(super) struct Wide<R> {
    rows: R,
    /// Signal → its column.
    places: Vec<Option<usize>>,
    time: Timestamp,
    cells: Vec<Option<Value>>,
    origin: Origin,
    is_begun: bool,
    count: u64,
}

/// The columns of a table: the chosen signals, in the order of the scene.
pub(super) fn columns(scene: &Scene, chosen: &[bool]) -> Vec<Column> {
    let signals = scene.signals.iter().filter(|signal| chosen.get(signal.index.at()) == Some(&true));
    let column = signals.map(|signal| Column {
        path: scene.signal_path(signal.index),
        unit: signal.unit.symbol().to_owned(),
        kind: signal.kind,
    });
    column.collect()
}

impl<R: Rows> Wide<R> {
    pub fn new(rows: R, chosen: &[bool]) -> Self {
        let mut next = 0;
        let mut place = |chosen: &bool| {
            chosen.then(|| {
                next += 1;
                next - 1
            })
        };
        let places: Vec<_> = chosen.iter().map(&mut place).collect();
        let (time, cells) = (Timestamp::MIN, vec![None; next]);
        Self { rows, places, time, cells, origin: Origin::default(), is_begun: false, count: 0 }
    }

    fn place(&self, signal: SignalIndex) -> Option<usize> {
        self.places.get(signal.at()).copied().flatten()
    }

    fn end_row(&mut self) -> Result<(), TableError> {
        if std::mem::take(&mut self.is_begun) {
            self.rows.row(self.time, &mut self.cells, std::mem::take(&mut self.origin))?;
            self.cells.fill(None);
            self.count += 1;
        }
        Ok(())
    }
}

impl<R: Rows> Table for Wide<R> {
    fn sample(&mut self, sample: &Sample) -> Result<(), TableError> {
        let Some(place) = self.place(sample.signal) else { return Ok(()) };
        let is_taken = self.cells.get(place).is_some_and(Option::is_some);
        if sample.source_time != self.time || is_taken {
            self.end_row()?;
        }
        (self.time, self.is_begun) = (sample.source_time, true);
        if let Some(cell) = self.cells.get_mut(place)
            && sample.quality.grade < Grade::Bad
        {
            *cell = Some(sample.value.clone());
            self.origin = self.origin.max(sample.origin);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, TableError> {
        self.end_row()?;
        self.rows.finish()?;
        Ok(self.count)
    }
}
