//! Values out of nothing but a scene. In: signals with kinds, units, ranges, limits, the alarms and looks that read them; a
//! seed. Out: a habit for each, such that no alarm comes in normal life. Knows no machine: what moves is plausible alone,
//! and two signals have nothing to do with each other.
//!
//! - **A number** sways about the middle of its normal band: by a rhythm of 2 to 10 minutes whose amplitude is 0.35 of half
//!   of the band, and a walk that forgets in 1 to 4 minutes with a deviation of 0.12 of it; it stops at 0.85 of it.
//!   The band is what limits and limit alarms leave, and deviation alarms from a fixed value; an end that they do not
//!   say is that of the inner half of the range, else of the inner half of what its look shows (`from`), else 0 and 1. Its
//!   readings are rounded to a hundredth of the band or finer. A signal with a rate alarm has the rhythm alone, and slow
//!   enough. One that must not deviate from another stand-in shows what that one shows.
//! - **A counter** rises steadily, up to its high limit or the end of its range, then begins again. It has a name or a
//!   label such as count, total, bottles, energy, hours, or a range from 0 to a million and more; a unit that can be
//!   counted (none, time, energy, volume, mass, length); and no low limit. Without a unit: one in two seconds; in units
//!   of time: as the time; else one in a minute.
//! - **A switch** is on for 5 to 25 minutes and off for 10 to 45 seconds. One that an alarm does not want on, or called
//!   fault, alarm, trip and the like, is off; one that an alarm does not want off is on.
//! - **A text** is one word: the first that a state alarm allows, else that an expression compares it with, else `OK`, `NORMAL`,
//!   `RUNNING`, `READY`: the first of these that no alarm matches.
//! - Alarms by formula are tried with these values, numbers in the middle of their bands: switches and texts
//!   change (`calm.rs`), and switches stand still, where that keeps a formula untrue. A formula over numbers alone is not avoided.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use super::Habit;
use super::calm;
use super::course::{Course, Leader, Rhythm, Rise, Stay, Sway, Swing, Walk};
use crate::scene::rule::{Condition, Direction, Level, Reference, Subject};
use crate::scene::{Motion, Scene, Signal, SignalSource, ValueKind};
use crate::value::{SignalIndex, Stream, Unit, Value};

/// Steps of walks, in nanoseconds.
const STEP: u64 = 250_000_000;
/// Shares of half of the band.
const RHYTHM: f64 = 0.35;
const WALK: f64 = 0.12;
const REACH: f64 = 0.85;

const COUNTED: [&str; 18] = [
    "count",
    "counts",
    "counter",
    "total",
    "totals",
    "totalizer",
    "totaliser",
    "bottles",
    "pieces",
    "cycles",
    "strokes",
    "energy",
    "hours",
    "odometer",
    "produced",
    "rejects",
    "rejected",
    "consumed",
];
const ALARMING: [&str; 14] = [
    "fault",
    "faults",
    "faulty",
    "alarm",
    "error",
    "fail",
    "failed",
    "failure",
    "trip",
    "tripped",
    "emergency",
    "leak",
    "estop",
    "jam",
];
const WORDS: [&str; 6] = ["OK", "NORMAL", "RUNNING", "READY", "GOOD", "ON"];

/// What a scene takes for normal of a signal.
#[derive(Default)]
pub(super) struct Normal {
    low: Option<f64>,
    high: Option<f64>,
    per_sec: Option<f64>,
    bad: Vec<Value>,
    /// If any: nothing else is normal.
    good: Vec<Value>,
    beside: Option<SignalIndex>,
}

impl Normal {
    fn of(scene: &Scene, signal: &Signal) -> Self {
        let mut normal = Self::default();
        let limits = &signal.limits;
        [limits.low_low, limits.low].into_iter().flatten().for_each(|limit| normal.above(limit));
        [limits.high_high, limits.high].into_iter().flatten().for_each(|limit| normal.below(limit));
        for rule in scene.alarms.iter().filter(|rule| rule.subject == Subject::Signal(signal.index)) {
            match &rule.condition {
                Condition::Limit { level: Level::LowLow | Level::Low, limit, .. } => normal.above(*limit),
                Condition::Limit { level: Level::High | Level::HighHigh, limit, .. } => normal.below(*limit),
                Condition::Rate {
                    limit_per_sec,
                    direction: Direction::Rising | Direction::Falling | Direction::Either,
                    ..
                } => {
                    normal.per_sec = Some(normal.per_sec.map_or(*limit_per_sec, |least| least.min(*limit_per_sec)));
                }
                Condition::Deviation { from: Reference::Value(x), limit, .. } => {
                    normal.above(x - limit);
                    normal.below(x + limit);
                }
                Condition::Deviation { from: Reference::Signal(other), .. } => normal.beside = Some(*other),
                Condition::State { values, inverted: true } => normal.good.extend(values.iter().cloned()),
                Condition::State { values, inverted: false } => normal.bad.extend(values.iter().cloned()),
                Condition::Formula(_) | Condition::Stale | Condition::Bad | Condition::Disconnected => {}
            }
        }
        normal
    }

    fn above(&mut self, limit: f64) {
        self.low = Some(self.low.map_or(limit, |low| low.max(limit)));
    }

    fn below(&mut self, limit: f64) {
        self.high = Some(self.high.map_or(limit, |high| high.min(limit)));
    }

    pub fn allows(&self, value: &Value) -> bool {
        let same = |other: &Value| match (value, other) {
            (Value::Text(a), Value::Text(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        };
        !self.bad.iter().any(same) && (self.good.is_empty() || self.good.contains(value))
    }
}

/// A habit for each of some signals.
pub(super) fn invent(scene: &Scene, signals: &[SignalIndex], seed: u64) -> BTreeMap<SignalIndex, Habit> {
    let normals: BTreeMap<SignalIndex, Normal> =
        signals.iter().map(|at| (*at, Normal::of(scene, &scene.signals[at.at()]))).collect();
    let mut habits: BTreeMap<SignalIndex, Habit> = normals
        .iter()
        .map(|(at, normal)| {
            let signal = &scene.signals[at.at()];
            let habit = match signal.kind {
                ValueKind::Number => number(scene, signal, normal, seed),
                ValueKind::Bool => Habit::of(Course::Stay(switch(signal, normal))),
                ValueKind::Text => Habit::of(Course::Stay(vec![Stay::ever(word(scene, signal, normal))])),
            };
            (*at, habit)
        })
        .collect();
    for (at, normal) in &normals {
        let Some(other) = normal.beside.filter(|other| normals.get(other).is_some_and(|other| other.beside.is_none()))
        else {
            continue;
        };
        if let Some(habit) = habits.get(&other).and_then(|habit| beside(habit, scene.signal_path(other))) {
            habits.insert(*at, habit);
        }
    }
    calm::calm(scene, &normals, &mut habits);
    habits
}

/// The same as another one shows.
fn beside(other: &Habit, path: String) -> Option<Habit> {
    let Course::Sway(sway) = &other.course else { return None };
    let leader = Leader { path, swing: sway.swing, gain: 1.0, delay: 0 };
    let course = Course::Sway(Sway { swing: Swing::default(), leader: Some(leader), ..*sway });
    Some(Habit { course, ..other.clone() })
}

fn number(scene: &Scene, signal: &Signal, normal: &Normal, seed: u64) -> Habit {
    if let Some(value) = normal.good.iter().find(|value| matches!(value, Value::Number(_))) {
        return Habit::of(Course::Stay(vec![Stay::ever(value.clone())]));
    }
    let path = scene.signal_path(signal.index);
    let drawn = |what: &str, low: f64, high: f64| low + (high - low) * Stream::new(seed, &path, what).uniform(0);
    if let Some(rise) = counter(signal, normal, &drawn) {
        let mut habit = Habit::of(Course::Rise(rise));
        habit.instrument.resolution = if signal.unit.fits(&Unit::none()) { 1.0 } else { 0.001 };
        return habit;
    }
    let (low, high) = band(normal, signal.range, shown(scene, signal));
    let (mut level, half) = ((low + high) / 2.0, (high - low) / 2.0);
    let period_secs = drawn("stand-in period", 120.0, 600.0);
    let mut rhythm = Rhythm { amplitude: RHYTHM * half, period_secs, phase: drawn("stand-in phase", 0.0, TAU) };
    let walk =
        Walk { deviation: WALK * half, correlation_secs: drawn("stand-in correlation", 60.0, 240.0), step: STEP };
    let mut swing = Swing { rhythm: Some(rhythm), walk: Some(walk) };
    let mut resolution = fine(half / 50.0);
    if let Some(per_sec) = normal.per_sec {
        rhythm.amplitude = rhythm.amplitude.min(0.5 * per_sec * period_secs / TAU);
        (swing, resolution) = (Swing { rhythm: Some(rhythm), walk: None }, 0.0);
    }
    let bounds = Some((level - REACH * half, level + REACH * half));
    // A number that moves would meet a single value that is an alarm's.
    if normal.bad.iter().filter_map(Value::as_f64).any(|bad| (bad - level).abs() <= half) {
        (swing, resolution) = (Swing::default(), 0.0);
        let aside = [0.0, 0.3, -0.3, 0.7, -0.7].map(|share| level + share * half);
        level = aside.into_iter().find(|x| normal.allows(&Value::Number(*x))).unwrap_or(level);
    }
    let mut habit = Habit::of(Course::Sway(Sway { level, swing, leader: None, bounds }));
    habit.instrument.resolution = resolution;
    habit
}

/// The largest power of ten that is no larger.
fn fine(x: f64) -> f64 {
    if !(x.is_finite() && x > 0.0) {
        return 0.0;
    }
    let mut power = 1.0;
    while power > x && power > 1e-12 {
        power /= 10.0;
    }
    while power * 10.0 <= x {
        power *= 10.0;
    }
    power
}

/// Where a number is normal.
fn band(normal: &Normal, range: Option<(f64, f64)>, shown: Option<(f64, f64)>) -> (f64, f64) {
    let wide = range.or(shown);
    let inner = wide.map(|(low, high)| (low + (high - low) / 4.0, high - (high - low) / 4.0));
    let ends = [inner, range].into_iter().flatten();
    match (normal.low, normal.high) {
        (Some(low), Some(high)) => (low, high.max(low)),
        (Some(low), None) => {
            let high = ends.map(|(_, high)| high).find(|high| *high > low);
            (low, high.unwrap_or_else(|| low + low.abs().max(1.0)))
        }
        (None, Some(high)) => {
            let low = ends.map(|(low, _)| low).find(|low| *low < high);
            (low.unwrap_or(if high > 0.0 { high / 2.0 } else { high - high.abs().max(1.0) }), high)
        }
        (None, None) => inner.unwrap_or((0.0, 1.0)),
    }
}

/// The stretch of a signal's values that its twin's look shows.
fn shown(scene: &Scene, signal: &Signal) -> Option<(f64, f64)> {
    let look = scene.twins.get(signal.twin.at())?.look.as_ref()?;
    let parts = look.parts.iter().filter(|part| part.by == signal.index);
    let mut stretches = parts.filter_map(|part| match part.motion {
        Motion::Slide { from, .. }
        | Motion::Tint { from, .. }
        | Motion::Fill { from, .. }
        | Motion::Emit { from, .. } => Some((from.0.min(from.1), from.0.max(from.1))),
        Motion::Spin { .. } | Motion::Rotate { .. } | Motion::Show { .. } | Motion::Label { .. } => None,
    });
    stretches.next()
}

fn counter(signal: &Signal, normal: &Normal, drawn: &dyn Fn(&str, f64, f64) -> f64) -> Option<Rise> {
    let has_name = has_word(signal, &COUNTED);
    let is_wide = signal.range.is_some_and(|(low, high)| low == 0.0 && high >= 1e6);
    let fits = |unit: &str| Unit::parse(unit).is_ok_and(|unit| unit.fits(&signal.unit));
    let is_counted = signal.unit.fits(&Unit::none()) && !signal.unit.symbol().contains('%')
        || ["s", "J", "m3", "kg", "m"].into_iter().any(fits);
    if !(has_name || is_wide) || !is_counted || normal.low.is_some() {
        return None;
    }
    let seconds = Unit::parse("s").ok()?.conversion_to(&signal.unit).map(|to| to.scale());
    let per_sec = match seconds {
        Some(scale) => scale,
        None if signal.unit.fits(&Unit::none()) => 0.5,
        None => 1.0 / 60.0,
    };
    let low = signal.range.map_or(0.0, |(low, _)| low);
    let high = normal.high.or(signal.range.map(|(_, high)| high));
    let most = high.map_or(1000.0, |high| (high - low) / 10.0).min(1000.0 * per_sec.max(1.0));
    let start = low + drawn("stand-in start", 0.0, most.max(0.0)).floor();
    // What is as far as the end is beyond what is normal there.
    let wraps = high.map(|high| (low, low + 0.99 * (high - low)));
    let share = if seconds.is_some() { 0.0 } else { 0.3 };
    Some(Rise { start, per_sec, share, period_secs: drawn("stand-in period", 120.0, 600.0), wraps })
}

/// Whether one of some words is in the name or the label.
fn has_word(signal: &Signal, words: &[&str]) -> bool {
    let parts = |text: &str| {
        let mut parts = vec![String::new()];
        let mut was_small = false;
        for c in text.chars() {
            if !c.is_alphanumeric() || (c.is_uppercase() && was_small) {
                parts.push(String::new());
            }
            if let (true, Some(part)) = (c.is_alphanumeric(), parts.last_mut()) {
                part.extend(c.to_lowercase());
            }
            was_small = c.is_lowercase();
        }
        parts
    };
    [&signal.name, &signal.label].into_iter().flat_map(|text| parts(text)).any(|part| words.contains(&part.as_str()))
}

fn switch(signal: &Signal, normal: &Normal) -> Vec<Stay> {
    let (on, off) = (normal.allows(&Value::Bool(true)), normal.allows(&Value::Bool(false)));
    match (on, off) {
        (true, false) => vec![Stay::ever(Value::Bool(true))],
        (false, _) => vec![Stay::ever(Value::Bool(false))],
        (true, true) if has_word(signal, &ALARMING) => vec![Stay::ever(Value::Bool(false))],
        (true, true) => vec![
            Stay {
                value: Value::Bool(true),
                share: 0.97,
                dwells: vec![300.0, 450.0, 600.0, 900.0, 1500.0],
                next: vec![(1, 1.0)],
            },
            Stay { value: Value::Bool(false), share: 0.03, dwells: vec![10.0, 20.0, 45.0], next: vec![(0, 1.0)] },
        ],
    }
}

fn word(scene: &Scene, signal: &Signal, normal: &Normal) -> Value {
    words(scene, signal).into_iter().find(|word| normal.allows(word)).unwrap_or_else(|| {
        // Nothing that was thought of is normal: at least no alarm knows this one.
        normal.good.first().cloned().unwrap_or_else(|| Value::Text("STAND-IN".into()))
    })
}

/// Words that a text may be, the best first.
pub(super) fn words(scene: &Scene, signal: &Signal) -> Vec<Value> {
    let mut words: Vec<String> = Vec::new();
    for rule in scene.alarms.iter().filter(|rule| rule.subject == Subject::Signal(signal.index)) {
        if let Condition::State { values, inverted: true } = &rule.condition {
            words.extend(values.iter().map(ToString::to_string));
        }
    }
    for signal_of_twin in &scene.signals {
        if let SignalSource::Derived(derivation) = &signal_of_twin.source {
            let names = derivation.inputs.iter().filter(|(_, at)| *at == signal.index);
            names.for_each(|(name, _)| compared(&derivation.source, name, &mut words));
        }
    }
    words.extend(WORDS.map(str::to_owned));
    words.into_iter().map(|word| Value::Text(word.into())).collect()
}

/// Words that an expression compares a name with: `mode == "AUTO"`.
fn compared(source: &str, name: &str, words: &mut Vec<String>) {
    for (at, _) in source.match_indices(name) {
        let rest = source[at + name.len()..].trim_start_matches("\")").trim_start();
        let Some(rest) = rest.strip_prefix("==").map(str::trim_start) else { continue };
        if let Some((word, _)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            words.push(word.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_what_limits_leave_else_the_inner_half_of_the_range() {
        let normal = |low, high| Normal { low, high, ..Normal::default() };
        assert_eq!(band(&normal(Some(2.0), Some(8.0)), Some((0.0, 100.0)), None), (2.0, 8.0));
        assert_eq!(band(&normal(None, None), Some((0.0, 100.0)), Some((5.0, 6.0))), (25.0, 75.0));
        assert_eq!(band(&normal(None, None), None, Some((20.0, 80.0))), (35.0, 65.0));
        assert_eq!(band(&normal(None, None), None, None), (0.0, 1.0));
        assert_eq!(band(&normal(None, Some(90.0)), Some((0.0, 100.0)), None), (25.0, 90.0));
        assert_eq!(band(&normal(None, Some(10.0)), Some((0.0, 100.0)), None), (0.0, 10.0));
        assert_eq!(band(&normal(None, Some(4.5)), None, None), (2.25, 4.5));
        assert_eq!(band(&normal(Some(90.0), None), Some((0.0, 100.0)), None), (90.0, 100.0));
        assert_eq!(band(&normal(Some(3.0), None), None, None), (3.0, 6.0));
        assert_eq!(band(&normal(Some(0.0), None), None, None), (0.0, 1.0));
    }

    #[test]
    fn a_step_is_a_power_of_ten() {
        assert_eq!([fine(0.5), fine(1.0), fine(37.0), fine(0.012), fine(0.0)], [0.1, 1.0, 10.0, 0.01, 0.0]);
    }

    #[test]
    fn words_are_found_where_expressions_compare() {
        let mut words = Vec::new();
        compared(r#"if mode == "AUTO" || signal("P-1.mode")=="RUN" { 1 } else { 0 }"#, "mode", &mut words);
        assert_eq!(words, ["AUTO", "RUN"]);
    }
}
