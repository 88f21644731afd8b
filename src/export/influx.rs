//! Lines for InfluxDB and what reads its line protocol
//! (<https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/>). In: samples. Out: a line for each twin, moment
//! and quality: `Pump,quality=good,twin=P-101 flow=12.5,runs=true 1700000000000000000`. The measurement is the twin's type;
//! times are source times in nanoseconds. What has no value of its own has no line. What was neither measured nor derived
//! from what was has a line of its own with a tag more: `origin=simulated`.
//!
//! A database keeps one value of a field for each time and set of tags, the last. Where a signal has several at one time,
//! each after the first is set a nanosecond later than the one before, and their number is told.
//!
//! A line that begins with `#` would be a comment, and a field called `time` is dropped: `#` becomes `/#`, `time` `time_`.

use std::collections::VecDeque;
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
    /// Of each signal.
    taken: Vec<Taken>,
    /// Values that were set later than they were, and those that may replace one that was written long before.
    moved: u64,
    doubtful: u64,
}

/// Times at which a signal has a value, the newest ones: sorted, with what makes another series of it.
#[derive(Clone, Default)]
struct Taken {
    points: VecDeque<(Timestamp, Grade, Option<Origin>)>,
    /// Some have been forgotten, all before the oldest that is kept.
    is_cut: bool,
}

/// Late values come within so many others of their signal.
const REMEMBERED: usize = 256;

impl Taken {
    /// The first free time from `time` on, and whether it can be known to be free.
    fn take(&mut self, time: Timestamp, grade: Grade, origin: Option<Origin>) -> (Timestamp, bool) {
        let mut point = (time, grade, origin);
        let is_known = !self.is_cut || self.points.front().is_none_or(|oldest| *oldest < point);
        let mut place = self.points.partition_point(|known| *known < point);
        while let Some(known) = self.points.get(place).filter(|known| known.0 <= point.0) {
            if *known == point {
                point.0 = Timestamp(point.0.0.saturating_add(1));
                if point.0 == Timestamp::MAX {
                    return (point.0, false);
                }
            }
            place += 1;
        }
        let place = self.points.partition_point(|known| *known < point);
        self.points.insert(place, point);
        if self.points.len() > REMEMBERED {
            self.points.pop_front();
            self.is_cut = true;
        }
        (point.0, is_known)
    }
}

impl Lines {
    pub fn new(file: File, scene: Arc<Scene>) -> Self {
        let out = BufWriter::with_capacity(1 << 20, file);
        let taken = vec![Taken::default(); scene.signals.len()];
        Self { out, scene, head: None, line: String::new(), fields: Vec::new(), count: 0, taken, moved: 0, doubtful: 0 }
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
        let (id, type_name, name) = (escaped(&twin.id), measurement(&twin.type_name), key(&signal.name));
        let (grade, origin) = (sample.quality.grade, sample.origin.mark());
        let Some(taken) = self.taken.get_mut(sample.signal.at()) else { return Ok(()) };
        let (time, is_known) = taken.take(sample.source_time, grade, origin);
        self.moved += u64::from(time != sample.source_time);
        self.doubtful += u64::from(!is_known);
        let head = (signal.twin, time, grade, origin);
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

    fn remark(&self) -> Option<String> {
        let moved = (self.moved > 0).then(|| {
            format!(
                "{} values have the time of another one of their signal: each is set a nanosecond later, as a database would \
                 keep the last one only",
                self.moved
            )
        });
        let doubtful = (self.doubtful > 0).then(|| {
            format!(
                "{} values lie far before others of their signal: a database may put them in the place of some",
                self.doubtful
            )
        });
        let told = [moved, doubtful].into_iter().flatten().collect::<Vec<_>>().join("; ");
        (!told.is_empty()).then_some(told)
    }
}

/// A line begins with it: what begins with `#` is a comment.
fn measurement(type_name: &str) -> String {
    let escaped = escaped(type_name);
    if escaped.starts_with('#') { format!("/{escaped}") } else { escaped }
}

/// Of a field.
fn key(signal: &str) -> String {
    if signal == "time" { "time_".to_owned() } else { escaped(signal) }
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
    fn a_line_is_no_comment_and_a_field_is_not_the_time() {
        assert_eq!(measurement("#1 Pump"), "/#1\\ Pump");
        assert_eq!((key("time"), key("times")), ("time_".to_owned(), "times".to_owned()));
    }

    #[test]
    fn no_two_values_of_a_signal_have_one_time_in_the_order_of_any_times() {
        let good = |taken: &mut Taken, at: i64| taken.take(Timestamp(at), Grade::Good, None);
        let mut taken = Taken::default();
        let given = [5, 5, 9, 5, 6, 1, 5, 8, 9].map(|at| good(&mut taken, at).0.0);
        assert_eq!(given, [5, 6, 9, 7, 8, 1, 10, 11, 12]);
        assert_eq!(taken.take(Timestamp(5), Grade::Uncertain, None).0.0, 5, "another series");
        for at in 100..1000 {
            assert_eq!(good(&mut taken, at), (Timestamp(at), true));
        }
        assert_eq!(good(&mut taken, 999), (Timestamp(1000), true));
        assert!(!good(&mut taken, 200).1, "forgotten");
    }

    #[test]
    fn names_and_texts_are_escaped_as_the_protocol_wants() {
        assert_eq!(escaped("P 1,a=b"), "P\\ 1\\,a\\=b");
        assert_eq!(escaped("a\\"), "a/");
        assert_eq!(field(&Value::Text("say \"hi\"\\\n".into())).as_deref(), Some("\"say \\\"hi\\\"\\\\ \""));
        assert_eq!(field(&Value::Number(f64::INFINITY)), None);
        assert_eq!(field(&Value::Number(5.0)).as_deref(), Some("5"), "a float without a decimal point");
    }
}
