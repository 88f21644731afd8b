//! An experiment, resolved: what is done to which plant, and what must come of it. In: [`load`](super::load()) makes it. Out:
//! data for [`run`](super::run()). Times are nanoseconds from the start.

use std::path::PathBuf;
use std::sync::Arc;

use super::format::FigureKind;
use crate::fault::Fault;
use crate::instruction::Arguments;
use crate::plant::Profile;
use crate::record::format::Keyframe;
use crate::scene::rule::AlarmPath;
use crate::scene::{Condition, Scene};
use crate::value::{SignalIndex, Timestamp};

#[derive(Clone, Debug)]
pub struct Experiment {
    pub path: PathBuf,
    pub title: String,
    pub scene_path: PathBuf,
    pub scene: Arc<Scene>,
    /// What the files of the scene hold that inputs follow.
    pub profiles: Vec<Profile>,
    /// The values of the matrix that it was made with, by name.
    pub case: Vec<(String, String)>,
    /// It is carried out once with each.
    pub seeds: Vec<u64>,
    /// How things stand when it begins; none: from rest.
    pub start: Option<Start>,
    pub duration: u64,
    pub story: bool,
    /// Whether every reading is encoded and decoded, where the same comes of it without.
    pub wire: bool,
    pub against: Against,
    pub steady: Option<Steady>,
    pub steps: Vec<Step>,
    pub aborts: Vec<Condition>,
    pub expectations: Vec<Expectation>,
}

/// A plant that was recorded, as it stood at a moment.
#[derive(Clone, Debug)]
pub struct Start {
    /// Its portrait, as [`Plant::taken_up`](crate::plant::Plant::taken_up) reads it.
    pub plant: Arc<[u8]>,
    /// Ids of the faults that stand there.
    pub standing: Vec<String>,
    /// What the twin knew then.
    pub known: Arc<Keyframe>,
    /// The moment, in the time of the recording: from the keyframe to it the plant runs by itself.
    pub at: Timestamp,
}

/// What a controller under test drives, where there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Against {
    /// Signals that bring commands; none: all that inputs with a fixed value may follow.
    pub commands: Vec<SignalIndex>,
    /// From one tick to the next.
    pub step: Option<u64>,
}

/// What must be true before anything is broken.
#[derive(Clone, Debug, PartialEq)]
pub struct Steady {
    pub by: u64,
    pub holds: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub at: u64,
    /// It waits from then on until this is true.
    pub when: Option<Condition>,
    /// How long it waits; none: to the end.
    pub within: Option<u64>,
    pub kind: StepKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// Its onset is when the step comes.
    Fault(Fault),
    /// By its id; none: all.
    Clear(Option<String>),
    Repair {
        /// For people: `P-101.bearing.replace_bearing`.
        path: String,
        machine: usize,
        repair: usize,
    },
    Acknowledge(AlarmPath),
    Command(Ordered),
    Note(String),
}

/// A command with its arguments, for the simulated plant.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordered {
    /// Its path, unless the step has an id.
    pub id: String,
    /// By its place among the commands of the scene.
    pub command: usize,
    pub arguments: Arguments,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Line in the file, from 1.
    pub line: u32,
    /// As a sentence: `P-101/vibration.high is raised within 2m`.
    pub text: String,
    pub expect: Expect,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    Raised { alarm: AlarmPath, stretch: Stretch },
    Cleared { alarm: AlarmPath, stretch: Stretch },
    NotRaised { alarm: AlarmPath },
    NothingElse { but: Vec<AlarmPath> },
    Order { raised: Vec<AlarmPath> },
    Within { signal: SignalIndex, bounds: Bounds, stretch: Stretch },
    Verified { command: String, stretch: Stretch },
    Refused { command: String },
    Holds { that: Condition, stretch: Stretch },
    Becomes { that: Condition, stretch: Stretch },
    Follows { signal: SignalIndex, reference: Reference, stretch: Stretch },
    Figure { of: SignalIndex, by: FigureKind, bounds: Bounds, stretch: Stretch },
}

/// Both ends are within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from: u64,
    pub until: u64,
}

impl Stretch {
    pub fn has(&self, time: u64) -> bool {
        (self.from..=self.until).contains(&time)
    }
}

/// A curve with a tolerance, in the unit of the signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// A value holds until the next one.
    pub curve: Profile,
    /// How far a value may lie off.
    pub by: f64,
    /// How much sooner or later it may come, in nanoseconds.
    pub shift: u64,
    pub unit: String,
}

impl Reference {
    /// What a value at a time must lie within.
    pub fn bounds(&self, time: u64) -> Bounds {
        let (least, most) = self.curve.span(time.saturating_sub(self.shift), time.saturating_add(self.shift));
        Bounds { low: Some(least - self.by), high: Some(most + self.by), unit: self.unit.clone() }
    }
}

/// Both ends are within.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Of the signal.
    pub unit: String,
}

impl Bounds {
    pub fn have(&self, x: f64) -> bool {
        self.low.is_none_or(|low| x >= low) && self.high.is_none_or(|high| x <= high)
    }

    /// A value with its unit, in five digits where these tell whether it is within.
    pub fn told(&self, x: f64) -> String {
        let rounded: f64 = format!("{x:.4e}").parse().unwrap_or(x);
        self.short(if self.have(rounded) == self.have(x) { rounded } else { x })
    }

    /// A number with the unit.
    pub fn short(&self, x: f64) -> String {
        if self.unit.is_empty() { x.to_string() } else { format!("{x} {}", self.unit) }
    }
}

impl Expect {
    /// What a value must lie within.
    pub fn bounds(&self) -> Option<&Bounds> {
        match self {
            Self::Within { bounds, .. } | Self::Figure { bounds, .. } => Some(bounds),
            Self::Raised { .. }
            | Self::Cleared { .. }
            | Self::NotRaised { .. }
            | Self::NothingElse { .. }
            | Self::Order { .. }
            | Self::Verified { .. }
            | Self::Refused { .. }
            | Self::Holds { .. }
            | Self::Becomes { .. }
            | Self::Follows { .. } => None,
        }
    }

    /// The time that it is about; none where that is the whole experiment.
    pub fn stretch(&self) -> Option<Stretch> {
        match self {
            Self::Raised { stretch, .. }
            | Self::Cleared { stretch, .. }
            | Self::Verified { stretch, .. }
            | Self::Within { stretch, .. }
            | Self::Holds { stretch, .. }
            | Self::Follows { stretch, .. }
            | Self::Becomes { stretch, .. }
            | Self::Figure { stretch, .. } => Some(*stretch),
            Self::NotRaised { .. } | Self::NothingElse { .. } | Self::Order { .. } | Self::Refused { .. } => None,
        }
    }
}
