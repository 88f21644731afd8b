//! Tables as CSV (RFC 4180). In: samples. Out: text. Times are RFC 3339 in UTC. A text that a spreadsheet would take for a
//! formula gets a leading apostrophe: it comes from devices, and may run no code where somebody opens the table
//! (OWASP, "CSV Injection"). So does a text that begins as such a guarded one does, and an empty text, as an empty cell
//! says that there is no value: whoever takes one apostrophe off where a formula, another apostrophe or nothing follows it
//! has the text again. Samples that have no value of their own leave their cell empty.

use std::borrow::Cow;
use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

use super::wide::{self, Rows, Wide};
use super::{Columns, Table, TableError};
use crate::scene::Scene;
use crate::value::{Origin, Reason, Sample, Timestamp, Value};

/// The name of the last column, where there is one.
const ORIGIN: &str = "origin";

type Out = csv::Writer<BufWriter<File>>;

fn writer(file: File) -> Out {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(BufWriter::with_capacity(1 << 20, file))
}

/// One row for each sample.
pub(super) struct Long {
    out: Out,
    scene: Arc<Scene>,
    columns: Columns,
    count: u64,
}

impl Long {
    pub fn new(file: File, scene: Arc<Scene>, columns: Columns) -> Result<Self, TableError> {
        let mut out = writer(file);
        let names = ["time", "receive_time", "twin", "signal", "value", "unit", "quality", "reason"];
        out.write_record(names.into_iter().chain(columns.origin.then_some(ORIGIN)))?;
        Ok(Self { out, scene, columns, count: 0 })
    }
}

impl Table for Long {
    fn sample(&mut self, sample: &Sample) -> Result<(), TableError> {
        let Some(signal) = self.scene.signals.get(sample.signal.at()) else { return Ok(()) };
        let Some(twin) = self.scene.twins.get(signal.twin.at()) else { return Ok(()) };
        let grade = format!("{:?}", sample.quality.grade).to_lowercase();
        let reason = if sample.quality.reason == Reason::None { "" } else { sample.quality.reason.text() };
        let (time, received) = (sample.source_time.to_string(), sample.receive_time.to_string());
        let value = cell(sample.quality.has_value().then_some(&sample.value));
        let (twin, name) = (plain(&twin.id), plain(&signal.name));
        let cells = [time.as_str(), &received, &twin, &name, &value, signal.unit.symbol(), &grade, reason];
        self.out.write_record(cells.into_iter().chain(self.columns.origin.then(|| sample.origin.name())))?;
        self.count += 1;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, TableError> {
        self.out.flush()?;
        Ok(self.count)
    }
}

/// One row for each moment, one column for each chosen signal: `P-101.flow [m3/h]`.
pub(super) fn wide(file: File, scene: &Scene, chosen: &[bool], columns: Columns) -> Result<Wide<WideRows>, TableError> {
    let mut out = writer(file);
    let signals = wide::columns(scene, chosen);
    let name = |column: &wide::Column| match column.unit.as_str() {
        "" => plain(&column.path).into_owned(),
        unit => format!("{} [{unit}]", plain(&column.path)),
    };
    let origin = columns.origin.then(|| ORIGIN.to_owned());
    out.write_record(std::iter::once("time".to_owned()).chain(signals.iter().map(name)).chain(origin))?;
    Ok(Wide::new(WideRows { out, columns }, chosen))
}

pub(super) struct WideRows {
    out: Out,
    columns: Columns,
}

impl Rows for WideRows {
    fn row(&mut self, time: Timestamp, cells: &mut [Option<Value>], origin: Origin) -> Result<(), TableError> {
        self.out.write_field(time.to_string())?;
        for value in cells {
            self.out.write_field(&*cell(value.as_ref()))?;
        }
        if self.columns.origin {
            self.out.write_field(origin.name())?;
        }
        self.out.write_record(None::<&[u8]>)?;
        Ok(())
    }

    fn finish(mut self) -> Result<(), TableError> {
        self.out.flush()?;
        Ok(())
    }
}

/// What has no number of its own is empty.
fn cell(value: Option<&Value>) -> Cow<'_, str> {
    match value {
        Some(Value::Number(x)) if x.is_finite() => x.to_string().into(),
        None | Some(Value::Number(_)) => "".into(),
        Some(Value::Bool(true)) => "true".into(),
        Some(Value::Bool(false)) => "false".into(),
        Some(Value::Text(text)) => plain(text),
    }
}

fn plain(text: &str) -> Cow<'_, str> {
    const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
    let looks_guarded = |rest: &str| rest.is_empty() || rest.starts_with(FORMULA) || rest.starts_with('\'');
    match text.is_empty() || text.starts_with(FORMULA) || text.strip_prefix('\'').is_some_and(looks_guarded) {
        true => format!("'{text}").into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_numbers_and_texts_are_no_formulas() {
        assert_eq!(cell(Some(&Value::Number(-0.1))), "-0.1");
        assert_eq!(cell(Some(&Value::Number(f64::NAN))), "");
        assert_eq!(cell(Some(&Value::Text("=cmd()".into()))), "'=cmd()");
        assert_eq!(cell(Some(&Value::Text("-5".into()))), "'-5");
        assert_eq!(cell(Some(&Value::Bool(true))), "true");
    }

    #[test]
    fn what_is_guarded_is_read_again_as_it_was() {
        let unguarded = |cell: &str| match cell.strip_prefix('\'') {
            Some("") => String::new(),
            Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) => rest.to_owned(),
            _ => cell.to_owned(),
        };
        // Every text of up to five characters of these.
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            let longer = texts.iter().flat_map(|text| ['\'', '=', '-', 'x', '"'].map(|c| format!("{text}{c}")));
            let longer: Vec<String> = longer.collect();
            texts.extend(longer);
        }
        for text in &texts {
            let cell = plain(text);
            assert_eq!(unguarded(&cell), *text);
            assert!(!cell.is_empty() && !cell.starts_with(['=', '-']), "{cell}");
        }
        assert_eq!(plain("'tis"), "'tis", "no more than is needed");
    }
}
