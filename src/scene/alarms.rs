//! Alarms of a scene: from what files say to rules. In: merged definitions. Out: [`Rule`](crate::scene::rule::Rule)s, dense,
//! those of twins in the order of twins, then those of brokers; every mistake at its place.
//!
//! ```text
//! format ─merge─► one definition ─check─► Prepared, once per type ─resolve─► a rule per twin, names replaced by indices
//! ```
//! Each limit of a signal makes an alarm of the same name by itself; an entry in `alarms` with that name refines it.

mod check;
mod connection;
mod lookup;
mod merge;
mod resolve;

use std::time::Duration;

use super::format::{AlarmDef, SignalDef, Table};
use super::nearest::nearest;
use super::report::{Hint, Report};
use super::resolved::{Limits, ValueKind};
use super::signals::{self, Expression};
use super::span::{Span, Spanned};
use crate::scene::rule::{Condition, Count, Guidance, Level, Priority};
use check::Check;

pub use connection::CONNECTION;
pub(super) use connection::connection;
pub(super) use merge::merge_tables;
pub(super) use resolve::{Pending, resolve};

/// The names that limits make alarms of.
pub const LIMITS: [(&str, Level); 4] =
    [("low_low", Level::LowLow), ("low", Level::Low), ("high", Level::High), ("high_high", Level::HighHigh)];

impl Limits {
    pub fn get(&self, level: Level) -> Option<f64> {
        match level {
            Level::LowLow => self.low_low,
            Level::Low => self.low,
            Level::High => self.high,
            Level::HighHigh => self.high_high,
        }
    }
}

/// An alarm of a type (or of a twin that changes it), checked; signals of other twins are still names.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// Position of the signal in the twin; none for an alarm of the twin itself.
    pub signal: Option<usize>,
    /// `vibration.high`, or `cavitation` for one of the twin itself.
    pub name: String,
    pub watch: Watch,
    pub manner: Manner,
}

/// What an alarm watches.
#[derive(Clone, Debug)]
pub(super) enum Watch {
    /// Nothing is left to look up.
    Ready(Condition),
    Deviation {
        from: Spanned<String>,
        limit: f64,
        deadband: f64,
    },
    Formula(Expression),
    /// Needs the expiry that derived signals inherit.
    Stale(Span),
}

/// How an alarm annunciates, whatever it watches.
#[derive(Clone, Debug, Default)]
pub(super) struct Manner {
    pub on_delay: Duration,
    pub off_delay: Duration,
    pub count: Option<Count>,
    pub latching: bool,
    pub priority: Priority,
    pub unless: Option<Expression>,
    pub group: String,
    pub guidance: Guidance,
}

/// All alarms of a type or a twin: of its signals in their order, then its own. `owner` is its name, for messages.
pub(super) fn prepare(
    owner: &str,
    defs: &[(Spanned<String>, SignalDef)],
    signals: &[signals::Prepared],
    own: &Table<AlarmDef>,
    report: &mut Report,
) -> Vec<Prepared> {
    let mut all = Vec::new();
    for (position, ((_, def), signal)) in defs.iter().zip(signals).enumerate() {
        of_signal(owner, position, def, signal, &mut all, report);
    }
    for (key, def) in &own.0 {
        let mut check = Check::new(owner, None, key, def, report);
        let (watch, manner) = (check.of_twin(), check.manner(Priority::Medium));
        if let Some(watch) = watch {
            all.extend(keep(def, None, key.value.clone(), watch, manner));
        }
    }
    all
}

fn of_signal(
    owner: &str,
    position: usize,
    def: &SignalDef,
    signal: &signals::Prepared,
    all: &mut Vec<Prepared>,
    report: &mut Report,
) {
    if let Some(limits) = def.limits.as_ref().filter(|_| signal.kind != ValueKind::Number) {
        let item = format!("{owner}.{}", signal.name);
        let brief = format!("a {:?} has no limits", signal.kind);
        let hint = "write alarms: {\"wrong\": (is: […])} for values that are not normal";
        report.error("kind-mismatch", limits.span, &item, brief, hint.into());
    }
    let plain = AlarmDef::default();
    for (name, level) in LIMITS {
        let Some(limit) = signal.limits.get(level) else { continue };
        let entry = def.alarms.0.iter().find(|(key, _)| key.value == name);
        let span = entry.map_or(signal.span, |(key, _)| key.span);
        let key = Spanned::new(name.to_owned(), span);
        let def = entry.map_or(&plain, |(_, def)| def);
        let mut check = Check::new(owner, Some(signal), &key, def, report);
        check.no_condition_beside_limit();
        let deadband = check.deadband(check.room(level, limit));
        let priority = match level {
            Level::LowLow | Level::HighHigh => Priority::High,
            Level::Low | Level::High => Priority::Medium,
        };
        let manner = check.manner(priority);
        let watch = Watch::Ready(Condition::Limit { level, limit, deadband });
        all.extend(keep(def, Some(position), format!("{}.{name}", signal.name), watch, manner));
    }
    for (key, alarm) in &def.alarms.0 {
        if LIMITS.iter().any(|(name, level)| *name == key.value && signal.limits.get(*level).is_some()) {
            continue;
        }
        let mut check = Check::new(owner, Some(signal), key, alarm, report);
        let (watch, manner) = (check.of_signal(), check.manner(Priority::Medium));
        if let Some(watch) = watch {
            all.extend(keep(alarm, Some(position), format!("{}.{}", signal.name, key.value), watch, manner));
        }
    }
}

/// An alarm that was not taken away. One that was is checked all the same: it may come back.
fn keep(def: &AlarmDef, signal: Option<usize>, name: String, watch: Watch, manner: Manner) -> Option<Prepared> {
    let enabled = def.enabled.as_ref().is_none_or(|enabled| enabled.value);
    enabled.then_some(Prepared { signal, name, watch, manner })
}

/// What a limit outside the range of its signal means: a value beyond the range is judged by limits, but it is Bad.
pub(super) fn out_of_range(level: Option<Level>, limit: f64, (low, high): (f64, f64)) -> Hint {
    let always = match level {
        Some(Level::High | Level::HighHigh) => limit < low,
        Some(Level::Low | Level::LowLow) => limit > high,
        None => false,
    };
    match always {
        true => "every value of the range is beyond it".into(),
        false => "only values out of range reach it, and those are Bad: is the range meant in another unit?".into(),
    }
}

/// What to do about an entry that neither refines a limit's alarm nor says a condition.
fn no_condition(key: &str, signal: Option<&signals::Prepared>) -> Hint {
    let Some(signal) = signal else { return "add when: \"…\", an expression over signals of the twin".into() };
    if let Some((name, _)) = LIMITS.iter().find(|(name, _)| *name == key) {
        return format!("add limits: ({name}: …) to `{}`", signal.name).into();
    }
    let present = LIMITS.iter().filter(|(_, level)| signal.limits.get(*level).is_some()).map(|(name, _)| *name);
    Hint::meant_or(nearest(key, present), || {
        "add one of above, below, rate, deviation, is, is_not, when, stale: true, bad: true".to_owned()
    })
}
