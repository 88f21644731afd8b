//! The scenario file as it is written: plain data. In: nothing but serde. Out: the same. Knows no rules beyond the shape;
//! [`load`](super::load()) checks what the values mean.

use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::scene::Spanned;
use crate::scene::format::{QuantityDef, Table};

/// The newest format version that this program reads and writes.
pub const VERSION: (u32, u32) = (1, 1);

/// An experiment on a simulated plant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Scenario", deny_unknown_fields)]
pub struct ScenarioFile {
    pub format: Spanned<(u32, u32)>,
    /// What it shows, as a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The scene, from the folder of this file on.
    pub scene: Spanned<String>,
    /// Of the plant, of its noise and of what is random in faults; 1 unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// With how many seeds it is carried out, from that one on; 1 unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Spanned<u64>>,
    /// It is carried out with every combination of these values: `{"size": ["5 cm", "20 cm"]}`. Each stands for `{size}` in
    /// the texts below.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub matrix: Table<Spanned<Vec<QuantityDef>>>,
    /// How things stand when it begins: as in a recording at a moment; from rest unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Spanned<StartDef>>,
    /// How long it lasts, in simulated time.
    pub duration: Spanned<String>,
    /// Whether what the scene tells happens too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub story: bool,
    /// Whether all that the plant says goes through encoded messages. Without that, a reading is a sample at once wherever the
    /// same comes of it; what comes of the experiment is the same either way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wire: bool,
    /// What somebody else's program drives with `--against`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<AgainstDef>,
    /// What must be true before anything is broken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady: Option<SteadyDef>,
    /// What is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Spanned<StepDef>>,
    /// Conditions under which it ends at once: all faults are taken back, and it has failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub abort: Vec<Spanned<String>>,
    /// What must come of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Spanned<ExpectDef>>,
}

impl ScenarioFile {
    /// The files that it names beside its scene, from its folder on.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        let curves = self.expect.iter().filter_map(|one| match &one.value {
            ExpectDef::Follows { file, .. } => Some(file.value.as_str()),
            _ => None,
        });
        self.start.iter().map(|start| start.recording.value.as_str()).chain(curves)
    }
}

/// `(recording: "evening.mcap", at: "12min")`: a recording that holds the state of its simulated plant, as those of
/// `pollux live --plant --record` and of failed scenarios do. What somebody did between its last keyframe and that moment is
/// not done again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Start", deny_unknown_fields)]
pub struct StartDef {
    /// From the folder of this file on.
    pub recording: Spanned<String>,
    /// From its beginning on; at its end unless it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Spanned<String>>,
}

/// `(commands: ["LIC-100.output"], step: "1s")`: with `--against` the inputs that name these signals as their `command`
/// follow what a controller under test says, in the place of the scene's own; without, this changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Against", default, deny_unknown_fields)]
pub struct AgainstDef {
    /// All inputs with a fixed value and a `command` unless it is said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Spanned<String>>,
    /// Simulated time from one tick to the next with `--lockstep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Spanned<String>>,
}

/// `(by: "1min", holds: ["signal(\"P-101.flow\") > 5"])`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Steady", deny_unknown_fields)]
pub struct SteadyDef {
    /// When it is looked at.
    pub by: Spanned<String>,
    pub holds: Vec<Spanned<String>>,
}

/// One thing that is done: `(at: "1min", fault: "bias", on: "P-101.flow", with: {"by": "2 m3/h"}, ramp: "10s", lasts: "5min")`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Step", default, deny_unknown_fields)]
pub struct StepDef {
    /// From the start on; at the start unless it is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Spanned<String>>,
    /// It waits from then on until this is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Spanned<String>>,
    /// How long it waits: the experiment fails after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Spanned<String>>,
    /// A kind of fault: `pollux faults` lists them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Spanned<String>>,
    /// A parameter or an input, a signal, or topics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Spanned<OnDef>>,
    /// How much: the parameters of the fault; or of the command.
    #[serde(skip_serializing_if = "is_empty")]
    pub with: Table<Spanned<QuantityDef>>,
    /// From nothing to its full size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramp: Option<Spanned<String>>,
    /// Until it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Spanned<String>>,
    /// It comes again after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Spanned<String>>,
    /// How many times in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<Spanned<u64>>,
    /// What the fault is called, or the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Spanned<String>>,
    /// A fault that is taken back, or `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear: Option<Spanned<String>>,
    /// Damage that is made good: `P-101.bearing.replace_bearing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<Spanned<String>>,
    /// An alarm that is acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledge: Option<Spanned<String>>,
    /// A command of the scene that the plant gets: `P-101.set_speed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Spanned<String>>,
    /// A remark in the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Spanned<String>>,
}

/// What a fault is on: `"P-101.flow"`, or several topics or signals: `["hall/P-101/#", "hall/T-100/#"]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OnDef(pub Vec<String>);

impl Serialize for OnDef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [one] => serializer.serialize_str(one),
            several => serializer.collect_seq(several),
        }
    }
}

impl<'de> Deserialize<'de> for OnDef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = OnDef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text such as \"P-101.flow\", or a list of texts")
            }

            fn visit_str<E: Error>(self, one: &str) -> Result<OnDef, E> {
                Ok(OnDef(vec![one.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OnDef, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = seq.next_element()? {
                    all.push(one);
                }
                Ok(OnDef(all))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// What must come of an experiment. Times count from its start; a stretch begins there and lasts to the end unless it is
/// said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ExpectDef {
    /// An alarm is raised.
    Raised {
        alarm: Spanned<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Spanned<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<Spanned<String>>,
    },
    /// An alarm goes back to normal.
    Cleared {
        alarm: Spanned<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Spanned<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<Spanned<String>>,
    },
    /// An alarm is never raised.
    NotRaised { alarm: Spanned<String> },
    /// No alarm is raised that no other expectation names.
    NothingElse {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        but: Vec<Spanned<String>>,
    },
    /// These alarms are raised for the first time in this order.
    Order { raised: Vec<Spanned<String>> },
    /// A signal stays within bounds.
    Within {
        signal: Spanned<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        low: Option<Spanned<QuantityDef>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        high: Option<Spanned<QuantityDef>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Spanned<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Spanned<String>>,
    },
    /// A signal is near a curve of a table or a recording, whose times count from the start.
    Follows {
        signal: Spanned<String>,
        /// From the folder of this file on: a table, or a recording.
        file: Spanned<String>,
        /// The column, or the path of the recorded signal; the path of the signal itself unless it is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Spanned<String>>,
        /// Of the column; that of the signal unless it is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<Spanned<String>>,
        /// How far a value may lie off.
        by: Spanned<QuantityDef>,
        /// How much sooner or later it may come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shift: Option<Spanned<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Spanned<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Spanned<String>>,
    },
    /// A command of a step, by its `id` or path, is seen to be obeyed, by the `verify` of the scene.
    Verified {
        command: Spanned<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Spanned<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<Spanned<String>>,
    },
    /// A command of a step is not given, as a constraint of the scene does not hold.
    Refused { command: Spanned<String> },
    /// A condition is true all the time.
    Holds {
        that: Spanned<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Spanned<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Spanned<String>>,
    },
    /// A condition becomes true.
    Becomes {
        that: Spanned<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Spanned<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<Spanned<String>>,
    },
    /// A number that is made of a signal over a stretch of time.
    Figure {
        of: Spanned<String>,
        by: Spanned<FigureKind>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        low: Option<Spanned<QuantityDef>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        high: Option<Spanned<QuantityDef>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Spanned<String>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Spanned<String>>,
    },
}

/// How a figure is made of a signal, whose values hold until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FigureKind {
    /// Over time.
    Mean,
    Least,
    Most,
    /// The value at the end.
    Last,
    /// What it grew by.
    Growth,
}

fn is_empty<T>(table: &Table<T>) -> bool {
    table.0.is_empty()
}
