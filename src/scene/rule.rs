//! What an alarm watches and how it annunciates: one rule of one twin, resolved from the scene.
//!
//! Comes from [`scene::load`](crate::scene::load()); immutable once made. Terms after ISA-18.2-2016 and IEC 62682:2014.

mod path;
mod text;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::expression::Compiled;
use crate::value::{SignalIndex, TwinIndex, Value};

pub use path::{AlarmPath, UnknownAlarmPath};
pub use text::{condition_text, duration, message, quantity, told_per};

/// The dense index of an alarm in the loaded [`Scene`](crate::scene::Scene): `scene.alarms[index]`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub struct AlarmIndex(pub u32);

impl AlarmIndex {
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// One alarm of one twin (or of one broker): what it watches, when it annunciates, what the operator should do.
#[derive(Clone, Debug)]
pub struct Rule {
    pub index: AlarmIndex,
    pub subject: Subject,
    /// Unique within its subject: `vibration.high` for an alarm of a signal, `cavitation` for one of the twin itself.
    pub name: String,
    pub condition: Condition,
    /// The condition must hold this long, in source time, before the alarm becomes active.
    pub on_delay: Duration,
    /// The condition must be gone this long before the alarm returns to normal.
    pub off_delay: Duration,
    /// The condition counts as true only while so many of the latest samples fulfil it.
    pub count: Option<Count>,
    /// After the condition has gone, the alarm stays until an operator resets it.
    pub latching: bool,
    pub priority: Priority,
    /// While true, the alarm is suppressed by design: evaluated, but not annunciated.
    pub suppressed_when: Option<Formula>,
    /// Alarms of a group can be filtered, shelved and taken out of service together. Empty: none.
    pub group: String,
    pub guidance: Guidance,
}

impl Rule {
    /// A rule without delays, of medium priority and in no group. Its index is that of the first.
    pub fn new(subject: Subject, name: impl Into<String>, condition: Condition) -> Self {
        Self {
            index: AlarmIndex(0),
            subject,
            name: name.into(),
            condition,
            on_delay: Duration::ZERO,
            off_delay: Duration::ZERO,
            count: None,
            latching: false,
            priority: Priority::default(),
            suppressed_when: None,
            group: String::new(),
            guidance: Guidance::default(),
        }
    }
}

/// What an alarm is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    Signal(SignalIndex),
    Twin(TwinIndex),
    /// The connection to a broker, by its name.
    Broker(String),
}

/// When an alarm is due. Numbers are in the unit of the signal. Conditions on values hold their last verdict while the
/// signal's quality is Bad: a broken sensor neither raises nor clears them, which [`Condition::Bad`] is for. Only
/// [`Condition::Limit`] reads values beyond the range of the signal, which are Bad too.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Beyond `limit`; over again only when back by more than the deadband.
    Limit { level: Level, limit: f64, deadband: f64 },
    /// Rises or falls by more than `limit_per_sec` (positive), taken over at least `over`. Both numbers were written for the
    /// time `per`: of 2 in a minute, a second's share is no decimal number.
    Rate { direction: Direction, limit_per_sec: f64, over: Duration, deadband_per_sec: f64, per: Duration },
    /// Differs from the reference by more than `limit` (positive).
    Deviation { from: Reference, limit: f64, deadband: f64 },
    /// Has one of these values, or, `inverted`, none of them.
    State { values: Vec<Value>, inverted: bool },
    /// A formula over signals is true.
    Formula(Formula),
    /// No sample within the signal's `expires`.
    Stale,
    /// The latest sample cannot be used: out of range, not decodable, bad by its source's own word.
    Bad,
    /// The broker of the subject is not connected.
    Disconnected,
}

/// Which side of which limit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    LowLow,
    Low,
    High,
    HighHigh,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub enum Direction {
    Rising,
    Falling,
    #[default]
    Either,
}

/// What a deviation is measured from.
#[derive(Clone, PartialEq, Debug)]
pub enum Reference {
    Value(f64),
    Signal(SignalIndex),
}

/// A compiled expression with its inputs: true or false, a number other than zero being true.
#[derive(Clone, Debug)]
pub struct Formula {
    pub source: String,
    /// (name in the expression, signal it stands for)
    pub inputs: Vec<(String, SignalIndex)>,
    pub compiled: Arc<Compiled>,
}

/// True only while `needed` of the latest `of` samples, none older than `within`, fulfil the condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    pub needed: u8,
    pub of: u8,
    pub within: Duration,
}

/// How urgent an alarm is: 1 is the most urgent. ISA-18.2 asks for few of the first and many of the last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Critical,
    High,
    #[default]
    Medium,
    Low,
}

impl Priority {
    pub const ALL: [Priority; 4] = [Priority::Critical, Priority::High, Priority::Medium, Priority::Low];

    /// 1 to 4.
    pub fn number(self) -> u8 {
        self as u8 + 1
    }

    pub fn name(self) -> &'static str {
        match self {
            Priority::Critical => "critical",
            Priority::High => "high",
            Priority::Medium => "medium",
            Priority::Low => "low",
        }
    }
}

/// What the operator is told: from the alarm's rationalisation. Empty texts are not shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Guidance {
    /// What happened, in a few words. Empty: made from the condition and its limit.
    pub message: String,
    pub cause: String,
    pub consequence: String,
    pub action: String,
    /// Time in which a response still prevents the consequence.
    pub respond_within: Option<Duration>,
}
