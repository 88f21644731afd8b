//! Deliberate defects, as data and as pure transforms: of a process, a sensor, a link.
//!
//! In: [`Fault`]s, and what they act on: the time of a plant, samples, messages. Out: adjustments of a network, samples
//! and messages as they are with the faults. Knows no scene, no broker and no clock: time comes with what passes, and
//! randomness from a seed, the fault's id and a count, so that the same faults on the same data give the same bits, however
//! the data are cut into batches.
//!
//! ```text
//!                        ┌── process: ProcessFaults ─► adjustments ─► network
//! Fault (target, effect, ├── sensor:  sample  ─► SensorFaults ─► samples
//!        course)         └── link:    message ─► LinkFaults   ─► messages
//! ```
//!
//! A fault as it is written:
//!
//! ```text
//! (id: "wet cable", defect: sensor(signal: "P-101.flow", effect: spike(share: 0.1, height: 20)),
//!  course: (onset: 120000000000, ramp: 0, duration: Some(60000000000)))
//! ```
//!
//! # Several at once
//!
//! Faults act in the order of their list: what the first one makes is what the second one gets. Several may stand on one
//! target. A list is set as a whole; a fault that stays, by its id, keeps what it remembers. Faults that are taken off
//! the list, or whose bout ends, leave nothing behind: what follows is the truth at once, and what one of them held back
//! comes at once too. In a simulated plant, an instrument that reads seldom shows its last reading then as it read it; where
//! another fault is still on it, the next reading comes without the fault that is gone.
//!
//! # Time
//!
//! Samples and messages meet the fault as it is when they come: by their receive time, not by the time that they say of
//! themselves. So a fault acts on what comes while it is active, as an operator expects who switches it on, and what is
//! held back has a place in the one order. Its [`Course`] says when it is active, and how much.
//!
//! What a fault does depends on its data and on what came while it was active, never on when it became known. So a fault
//! that somebody sets by hand does what it does in a scenario that knew of it from the beginning: for a plant, who sets it
//! carries the plant on by `Plant::run_before`.
//!
//! # Whether it has acted
//!
//! Each layer counts what its faults have changed (`acted`): a fault with a count of 0 has made no difference, such as a bias
//! on a text, or a lost link on topics on which nothing is sent.
//!
//! # Kinds
//!
//! [`kinds()`] lists all. The exact effect of each stands with its variant: [`ProcessEffect`], [`SensorEffect`],
//! [`LinkEffect`]; of signals that are swapped at [`Defect::Swapped`]. i stands for the intensity of the course, from 0 to
//! 1. A kind that does not grow with a ramp has its full effect from its onset on.

mod chain;
mod check;
mod course;
mod kind;
mod link;
mod process;
mod sensor;
mod store;
#[cfg(test)]
mod testing;

use serde::{Deserialize, Serialize};

use crate::network::Target;
use crate::value::SignalIndex;

pub use check::{Problem, check};
pub use course::{Bout, Course, Recurrence};
pub use kind::{Kind, Layer, Measure, Parameter};
pub use link::{LinkEffect, LinkFaults, Message};
pub use process::{ProcessEffect, ProcessFaults};
pub use sensor::{Downstream, SensorEffect, SensorFaults};
pub use store::RestoreError;

/// A deliberate defect. Its targets are resolved indices; in files and messages they are paths ([`WrittenFault`]).
///
/// New fields come with a default, and unknown ones are refused: an older program says so, and does not act wrongly.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault<T = Target, S = SignalIndex> {
    /// What it is called; no two of a world have the same. What is random in it follows from it and a seed.
    pub id: String,
    pub defect: Defect<T, S>,
    /// From time 0 on, unless it says more.
    #[serde(default)]
    pub course: Course,
}

/// Where a fault acts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// On live data, beside the truth: nothing goes to the wire.
    Overlay,
    /// In a simulated plant, and what it sends.
    Plant,
    /// In a real test rig, by a command to it.
    Rig,
}

impl Site {
    /// As in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Site::Overlay => "overlay",
            Site::Plant => "plant",
            Site::Rig => "rig",
        }
    }
}

/// As files and messages have it: parameters, inputs (`P-101.bearing.growth_rate`) and signals (`P-101.flow`) by paths.
pub type WrittenFault = Fault<String, String>;

impl WrittenFault {
    /// What it is on, in words: `P-101.flow`, `hall/#`.
    pub fn on(&self) -> String {
        match &self.defect {
            Defect::Process { target: one, .. } | Defect::Sensor { signal: one, .. } => one.clone(),
            Defect::Swapped { signals: (one, other) } => format!("{one} and {other}"),
            Defect::Link { broker: Some(broker), topics, .. } => format!("{} of {broker}", topics.join(", ")),
            Defect::Link { broker: None, topics, .. } => topics.join(", "),
        }
    }
}

impl<T, S> Fault<T, S> {
    /// Whether it is a fault of a link, and on this topic of a broker.
    pub fn is_on_topic(&self, broker: &str, topic: &str) -> bool {
        match &self.defect {
            Defect::Link { broker: only, topics, .. } => link::is_on_topic((only.as_deref(), topics), broker, topic),
            Defect::Process { .. } | Defect::Sensor { .. } | Defect::Swapped { .. } => false,
        }
    }
}

/// What a fault does to what.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Defect<T = Target, S = SignalIndex> {
    /// A machine is other than it was built, or does other than it is told.
    Process { target: T, effect: ProcessEffect },
    /// A signal says other than what is true.
    Sensor { signal: S, effect: SensorEffect },
    /// Two signals stand for each other, as after sensors were connected the wrong way round. What comes of one is taken
    /// for the other, value, quality and times as they are: each comes as often as the other did, and numbers are not
    /// converted. Acts on values of all types. Takes no ramp.
    Swapped { signals: (S, S) },
    /// Messages do not arrive as they were sent.
    Link {
        /// None: at all brokers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        broker: Option<String>,
        /// MQTT filters with `+` and `#`; it acts on topics that match any.
        topics: Vec<String>,
        effect: LinkEffect,
    },
}

static SWAPPED: Kind = Kind {
    layer: Layer::Sensor,
    name: "swapped",
    page: "Two signals stand for each other, as after sensors were connected the wrong way round.\n\nWhat comes of one is \
           taken for the other, value, quality and times as they are: each comes as often as the other did, and numbers \
           are not converted. Acts on values of all types.\n",
    ramps: false,
    parameters: &[],
};

/// All kinds of faults, by layer.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    ProcessEffect::KINDS.iter().chain(SensorEffect::KINDS).chain([&SWAPPED]).chain(LinkEffect::KINDS)
}

impl<T, S> Fault<T, S> {
    pub fn kind(&self) -> &'static Kind {
        match &self.defect {
            Defect::Process { effect, .. } => effect.kind(),
            Defect::Sensor { effect, .. } => effect.kind(),
            Defect::Swapped { .. } => &SWAPPED,
            Defect::Link { effect, .. } => effect.kind(),
        }
    }

    pub fn layer(&self) -> Layer {
        self.kind().layer
    }

    /// Its parameters, in the order of its kind; flags are 0 and 1.
    pub fn values(&self) -> Vec<f64> {
        match &self.defect {
            Defect::Process { effect, .. } => effect.values(),
            Defect::Sensor { effect, .. } => effect.values(),
            Defect::Swapped { .. } => Vec::new(),
            Defect::Link { effect, .. } => effect.values(),
        }
    }

    /// The signals that it is on; none of a process or a link.
    pub fn signals(&self) -> impl Iterator<Item = &S> {
        let (one, other) = match &self.defect {
            Defect::Sensor { signal, .. } => (Some(signal), None),
            Defect::Swapped { signals: (one, other) } => (Some(one), Some(other)),
            Defect::Process { .. } | Defect::Link { .. } => (None, None),
        };
        one.into_iter().chain(other)
    }

    /// The same with other names for its targets, such as indices for paths; or the first that has none.
    pub fn resolve<U, R, E>(
        &self,
        target: impl FnOnce(&T) -> Result<U, E>,
        mut signal: impl FnMut(&S) -> Result<R, E>,
    ) -> Result<Fault<U, R>, E> {
        let defect = match &self.defect {
            Defect::Process { target: path, effect } => Defect::Process { target: target(path)?, effect: *effect },
            Defect::Sensor { signal: path, effect } => Defect::Sensor { signal: signal(path)?, effect: *effect },
            Defect::Swapped { signals: (one, other) } => Defect::Swapped { signals: (signal(one)?, signal(other)?) },
            Defect::Link { broker, topics, effect } => {
                Defect::Link { broker: broker.clone(), topics: topics.clone(), effect: *effect }
            }
        };
        Ok(Fault { id: self.id.clone(), defect, course: self.course })
    }

    /// Whether the memory of one is of use to the other: the same id, kind and place, whatever their sizes and courses.
    fn continues(&self, other: &Self) -> bool
    where
        T: PartialEq,
        S: PartialEq,
    {
        let same_place = match (&self.defect, &other.defect) {
            (Defect::Process { target, .. }, Defect::Process { target: was, .. }) => target == was,
            (Defect::Sensor { signal, .. }, Defect::Sensor { signal: was, .. }) => signal == was,
            (Defect::Swapped { signals }, Defect::Swapped { signals: was }) => signals == was,
            (Defect::Link { broker, topics, .. }, Defect::Link { broker: was, topics: old, .. }) => {
                (broker, topics) == (was, old)
            }
            _ => false,
        };
        self.id == other.id && self.kind() == other.kind() && same_place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_page_a_sentence_and_defaults_within_its_bounds() {
        let mut names = std::collections::BTreeSet::new();
        for kind in kinds() {
            assert!(names.insert((kind.layer, kind.name)), "{} twice", kind.name);
            assert!(kind.about().ends_with('.') && !kind.effect().is_empty(), "{}: {}", kind.name, kind.page);
            for one in kind.parameters {
                let (low, high) = one.bounds;
                for x in [one.default, one.usual.0, one.usual.1] {
                    assert!((low..=high).contains(&one.in_unit(x, 1.0)), "{}: {} {x}", kind.name, one.name);
                }
                assert!((one.usual.0..=one.usual.1).contains(&one.default), "{}: {}", kind.name, one.name);
                assert!(!one.about.trim().is_empty() && !one.about.ends_with('.'), "{}: {}", kind.name, one.name);
                if let Measure::Unit(unit) = one.measure {
                    assert!(crate::value::Unit::parse(unit).is_ok(), "{}: {unit}", kind.name);
                }
            }
        }
        let count = |layer| names.iter().filter(|(of, _)| *of == layer).count();
        assert_eq!([Layer::Process, Layer::Sensor, Layer::Link].map(count), [5, 10, 10]);
    }

    #[test]
    fn every_kind_is_written_by_its_name_and_read_again() {
        for kind in kinds() {
            let values = kind.defaults(3.0);
            let defect: Defect<String, String> = match kind.layer {
                Layer::Process => {
                    let effect = ProcessEffect::of(kind.name, &values).expect("a process effect");
                    Defect::Process { target: "P-101.bearing.growth_rate".into(), effect }
                }
                Layer::Sensor if kind.name == "swapped" => {
                    Defect::Swapped { signals: ("P-101.flow".into(), "P-102.flow".into()) }
                }
                Layer::Sensor => {
                    let effect = SensorEffect::of(kind.name, &values).expect("a sensor effect");
                    Defect::Sensor { signal: "P-101.flow".into(), effect }
                }
                Layer::Link => {
                    let effect = LinkEffect::of(kind.name, &values).expect("a link effect");
                    Defect::Link { broker: None, topics: vec!["hall/#".into()], effect }
                }
            };
            let course = Course { onset: -5, ramp: 7, duration: Some(9), recurrence: None };
            let fault = WrittenFault { id: "F-1".into(), defect, course };
            assert_eq!((fault.kind(), fault.values()), (kind, values));
            let json = serde_json::to_string(&fault).expect("JSON");
            assert_eq!(serde_json::from_str::<WrittenFault>(&json).expect("the same"), fault, "{json}");
            let ron = ron::to_string(&fault).expect("RON");
            assert_eq!(ron::from_str::<WrittenFault>(&ron).expect("the same"), fault, "{ron}");
            assert!(ron.contains(&format!("{}(", kind.name)), "{ron} has the name {}", kind.name);
        }
    }

    #[test]
    fn a_fault_reads_as_people_write_it() {
        let text = r#"(
            id: "wet cable",
            defect: sensor(signal: "P-101.flow", effect: spike(share: 0.1, height: 20)),
            course: (onset: 120000000000, duration: Some(60000000000)),
        )"#;
        let fault: WrittenFault = ron::from_str(text).expect("a fault");
        let effect = SensorEffect::Spike { share: 0.1, height: 20.0 };
        assert_eq!(fault.defect, Defect::Sensor { signal: "P-101.flow".into(), effect });
        for (wrong, field) in [
            (text.replace("height", "hight"), "hight"),
            (text.replace("duration", "lasts"), "lasts"),
            (text.replace("signal:", "signals:"), "signals"),
            (text.replace("spike", "spikes"), "spikes"),
        ] {
            let error = ron::from_str::<WrittenFault>(&wrong).expect_err("an unknown field").to_string();
            assert!(error.contains(field), "{error}");
        }
    }

    #[test]
    fn paths_are_resolved_to_what_they_name() {
        let effect = SensorEffect::Stuck {};
        let defect = Defect::Sensor { signal: "P-101.flow".to_owned(), effect };
        let fault = WrittenFault { id: "F-1".into(), defect, course: Course::default() };
        let target = |path: &String| Err(format!("{path} is no target"));
        let found = fault.resolve::<Target, _, _>(target, |path| match path.as_str() {
            "P-101.flow" => Ok(SignalIndex(4)),
            other => Err(format!("{other} is no signal")),
        });
        assert_eq!(found.map(|fault| fault.defect), Ok(Defect::Sensor { signal: SignalIndex(4), effect }));
        let none = fault.resolve::<Target, SignalIndex, _>(target, |path| Err(format!("{path} is no signal")));
        assert_eq!(none.unwrap_err(), "P-101.flow is no signal");
    }
}
