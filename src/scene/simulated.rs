//! How a scene's plant is simulated, resolved: what signals see of models, how messages go out, what happens.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::expression::Compiled;
use super::span::Span;
use crate::model::OutputKind;
use crate::network::Adjustment;
use crate::value::{Conversion, SignalIndex, TwinIndex, Unit, Value};

/// What a signal sees of the models, and by what instrument.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    pub of: Seen,
    /// From the unit of what is seen to the signal's.
    pub conversion: Conversion,
    pub instrument: Instrument,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// An output of a machine, by their places in the blueprint and in the model's description.
    Output {
        machine: usize,
        output: usize,
    },
    Formula(Formula),
}

/// An expression over outputs, each by machine and output.
#[derive(Clone, Debug)]
pub struct Formula {
    pub source: String,
    pub inputs: Vec<(usize, usize)>,
    /// Of each input.
    pub kinds: Vec<OutputKind>,
    pub compiled: Arc<Compiled>,
}

impl Formula {
    /// Its value, from outputs in the units of their models; none if it has none.
    pub fn value(&self, outputs: impl Iterator<Item = f64>) -> Option<Value> {
        let each = self.kinds.iter().zip(outputs).map(|(kind, x)| output_value(*kind, x));
        self.compiled.eval(&each.collect::<Option<Vec<Value>>>()?).ok()
    }
}

/// An output as a value: the number of a word is that word.
pub fn output_value(kind: OutputKind, x: f64) -> Option<Value> {
    Some(match kind {
        OutputKind::Number => Value::Number(x),
        OutputKind::Flag => Value::Bool(x != 0.0),
        OutputKind::Words(words) => Value::Text((*words.get(x as usize)?).into()),
    })
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, &self.inputs) == (&other.source, &other.inputs)
    }
}

/// What an instrument does to what it sees, in the signal's unit. It acts in this order: dead time, lag, bias, noise,
/// resolution, range.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Instrument {
    /// Nanoseconds by which readings come late.
    pub dead_time: u64,
    /// Time constant of the first order; 0 for none.
    pub lag_secs: f64,
    pub bias: f64,
    /// Standard deviation.
    pub noise: f64,
    /// Standard deviation as a share of the value, on top.
    pub relative_noise: f64,
    /// Readings are multiples of it; 0 for none.
    pub resolution: f64,
    /// Readings stop at these ends.
    pub range: Option<(f64, f64)>,
    /// Nanoseconds from reading to reading; none for one with each message.
    pub period: Option<u64>,
}

/// The signal that an input follows where its source is not simulated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Follow {
    /// By its place in the blueprint.
    pub machine: usize,
    /// By its place in the model's description.
    pub input: usize,
    pub signal: SignalIndex,
    /// From the signal's unit to the input's.
    pub conversion: Conversion,
}

impl Follow {
    /// What the input gets of a value of the signal; none of a text.
    pub fn of(&self, value: &Value) -> Option<f64> {
        let x = match value {
            Value::Number(x) => *x,
            Value::Bool(flag) => f64::from(u8::from(*flag)),
            Value::Text(_) => return None,
        };
        Some(self.conversion.apply(x)).filter(|x| x.is_finite())
    }
}

/// A column of a table, or a signal of a recording, that an input follows.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileOf {
    /// The input, for messages: `P-101.speed`.
    pub item: String,
    /// Where the file is named.
    pub span: Span,
    pub file: PathBuf,
    /// The name of the column, or the path of the signal.
    pub of: String,
    pub is_recording: bool,
    /// Of the column.
    pub unit: Unit,
    pub input_unit: Unit,
    /// From the column's unit, or from the input's for a recorded signal, to what the input gets.
    pub to_input: Conversion,
    /// Nanoseconds after which it begins again.
    pub repeats: Option<u64>,
}

/// How the messages of a topic go out.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub twin: TwinIndex,
    pub topic: String,
    /// From message to message; none for what is usual.
    pub every: Option<Duration>,
    /// At once when a value has changed; `every` tells when it is said again.
    pub on_change: bool,
    pub retain: bool,
    /// 0, 1 or 2.
    pub qos: u8,
    /// The JSON around the values, with `{sequence}` and `{time}` to be filled; null for none.
    pub payload: serde_json::Value,
    pub waveforms: Vec<WaveformOf>,
}

/// A list of samples in a message.
#[derive(Clone, Debug, PartialEq)]
pub struct WaveformOf {
    /// A JSON pointer.
    pub pointer: String,
    pub machine: usize,
    pub waveform: usize,
    /// Samples in a second.
    pub rate: f64,
    /// Samples in a message.
    pub count: usize,
    /// Samples are multiples of it, in the unit of the model; 0 for none.
    pub resolution: f64,
}

/// What happens in the plant, in nanoseconds from its start.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Story {
    /// It begins again after this time.
    pub repeats: Option<u64>,
    pub happenings: Vec<Happening>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Happening {
    pub from: u64,
    /// None: until the story begins again.
    pub until: Option<u64>,
    pub deed: Deed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    /// Until it ends, a parameter or an input is another one.
    Adjust(Adjustment),
    /// At once: a machine, and the number of a repair of its model.
    Repair { machine: usize, repair: usize },
    /// Until it ends, a signal is not reported.
    Silence(SignalIndex),
}
