//! Lines for InfluxDB and what reads its line protocol
//! (<https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/>). In: samples. Out: a line for each twin, moment
//! and quality: `Pump,quality=good,twin=P-101 flow=12.5,runs=true 1700000000000000000`. The measurement is the twin's type;
//! times are source times in nanoseconds. What has no value of its own has no line. What was neither measured nor derived
//! from what was has a line of its own with a tag more: `origin=simulated`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use super::{Table, TableError};
use crate::scene::Scene;
use crate::value::{Grade, Origin, Sample, Timestamp, TwinIndex, Value};

pub(super) struct Lines {
    out: BufWriter<File>,
    scene: Arc<Scene>,
    /// Whose line is begun.
    head: Option<(TwinIndex, Timestamp, Grade, Option<Origin>)>,
    /// The begun line without its time.
    line: String,
    /// Fields in it: a field stands once in a line.
    fields: Vec<u32>,
    count: u64,
}

impl Lines {
    pub fn new(file: File, scene: Arc<Scene>) -> Self {
        let out = BufWriter::with_capacity(1 << 20, file);
        Self { out, scene, head: None, line: String::new(), fields: Vec::new(), count: 0 }
    }

    fn end_line(&mut self) -> Result<(), TableError> {
        if let Some((_, time, ..)) = self.head.take() {
            writeln!(self.out, "{} {}", self.line, time.0)?;
            self.count += 1;
        }
        self.line.clear();
        self.fields.clear();
        Ok(())
    }
}

impl Table for Lines {
    fn sample(&mut self, sample: &Sample) -> Result<(), TableError> {
        let Some(signal) = self.scene.signals.get(sample.signal.at()) else { return Ok(()) };
        let Some(twin) = self.scene.twins.get(signal.twin.at()) else { return Ok(()) };
        let Some(value) = field(&sample.value).filter(|_| sample.quality.grade < Grade::Bad) else { return Ok(()) };
        let (id, type_name, name) = (escaped(&twin.id), escaped(&twin.type_name), escaped(&signal.name));
        let head = (signal.twin, sample.source_time, sample.quality.grade, sample.origin.mark());
        if self.head != Some(head) || self.fields.contains(&sample.signal.0) {
            self.end_line()?;
            let grade = format!("{:?}", sample.quality.grade).to_lowercase();
            let origin = sample.origin.mark().map(|origin| format!(",origin={}", origin.name())).unwrap_or_default();
            let _ = write!(self.line, "{type_name}{origin},quality={grade},twin={id} ");
            self.head = Some(head);
        } else {
            self.line.push(',');
        }
        let _ = write!(self.line, "{name}={value}");
        self.fields.push(sample.signal.0);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, TableError> {
        self.end_line()?;
        self.out.flush()?;
        Ok(self.count)
    }
}

/// A field's value; the protocol knows no NaN and no infinity.
fn field(value: &Value) -> Option<String> {
    match value {
        Value::Number(x) => x.is_finite().then(|| x.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Text(text) => {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ");
            Some(format!("\"{text}\""))
        }
    }
}

/// A measurement, tag or key. A line ends at a line break, and a backslash at the end would escape what follows.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ',' | '=' | ' ' => out.extend(['\\', c]),
            '\n' | '\r' | '\t' => out.push_str("\\ "),
            '\\' => out.push('/'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_escaped_as_the_protocol_wants() {
        assert_eq!(escaped("P 1,a=b"), "P\\ 1\\,a\\=b");
        assert_eq!(escaped("a\\"), "a/");
        assert_eq!(field(&Value::Text("say \"hi\"\\\n".into())).as_deref(), Some("\"say \\\"hi\\\"\\\\ \""));
        assert_eq!(field(&Value::Number(f64::INFINITY)), None);
        assert_eq!(field(&Value::Number(5.0)).as_deref(), Some("5"), "a float without a decimal point");
    }
}
