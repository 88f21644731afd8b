//! Alarms in words. In: a rule and its scene. Out: what happened, in a few words with the violated limit and its unit,
//! and the whole condition for those who want to know. Pure.

use std::time::Duration;

use super::{Condition, Count, Direction, Level, Reference, Rule, Subject};
use crate::scene::{Scene, Signal};
use crate::value::number::significant;
use crate::value::{Unit, Value};

/// Enough for any limit that a person has written; takes the noise of conversions away.
const DIGITS: usize = 9;

/// What happened: the scene's own words, or words made from the condition, e.g. `vibration above 4.5 mm/s (high)`.
/// Says nothing of the twin.
pub fn message(rule: &Rule, scene: &Scene) -> String {
    if !rule.guidance.message.is_empty() {
        return rule.guidance.message.clone();
    }
    let signal = signal_of(rule, scene);
    let name = signal.map_or("", |signal| signal.name.as_str());
    let condition = plain(rule, scene);
    // The last part of the name is what people call it: `vibration.high` is the high one.
    let own = rule.name.rsplit('.').next().unwrap_or(&rule.name).replace('_', " ");
    match &rule.condition {
        Condition::Disconnected => condition,
        Condition::Formula(_) if signal.is_some() => format!("{name} {own}: {condition}"),
        Condition::Formula(_) => format!("{own}: {condition}"),
        _ if said_by(&rule.condition, &own) => format!("{name} {condition}"),
        _ => format!("{name} {condition} ({own})"),
    }
}

/// The condition with all that goes with it, e.g. `above 4.5 mm/s, deadband 0.3 mm/s, for 2 s, back for 5 s, latching`.
pub fn condition_text(rule: &Rule, scene: &Scene) -> String {
    let unit = signal_of(rule, scene).map(|signal| signal.unit.clone()).unwrap_or_else(Unit::none);
    let mut text = plain(rule, scene);
    let mut add = |part: String| {
        text.push_str(", ");
        text.push_str(&part);
    };
    match &rule.condition {
        Condition::Limit { deadband, .. } | Condition::Deviation { deadband, .. } if *deadband > 0.0 => {
            add(format!("deadband {}", with_unit(*deadband, &unit)));
        }
        Condition::Rate { deadband_per_sec, .. } if *deadband_per_sec > 0.0 => {
            add(format!("deadband {}", quantity(*deadband_per_sec, rule, scene)));
        }
        _ => {}
    }
    if let Some(Count { needed, of, within }) = &rule.count {
        add(format!("{needed} of {of} samples within {}", duration(*within)));
    }
    if !rule.on_delay.is_zero() {
        add(format!("for {}", duration(rule.on_delay)));
    }
    if !rule.off_delay.is_zero() {
        add(format!("back for {}", duration(rule.off_delay)));
    }
    if rule.latching {
        add("latching".to_owned());
    }
    if let Some(formula) = &rule.suppressed_when {
        add(format!("suppressed while {}", formula.source));
    }
    text
}

fn signal_of<'s>(rule: &Rule, scene: &'s Scene) -> Option<&'s Signal> {
    match rule.subject {
        Subject::Signal(signal) => scene.signals.get(signal.at()),
        Subject::Twin(_) | Subject::Broker(_) => None,
    }
}

/// `above 4.5 mm/s`, without the name of the signal.
fn plain(rule: &Rule, scene: &Scene) -> String {
    let signal = signal_of(rule, scene);
    let unit = signal.map(|signal| signal.unit.clone()).unwrap_or_else(Unit::none);
    match &rule.condition {
        Condition::Limit { level: Level::High | Level::HighHigh, limit, .. } => {
            format!("above {}", with_unit(*limit, &unit))
        }
        Condition::Limit { limit, .. } => format!("below {}", with_unit(*limit, &unit)),
        Condition::Rate { direction, limit_per_sec, over, .. } => {
            let verb = match direction {
                Direction::Rising => "rises",
                Direction::Falling => "falls",
                Direction::Either => "changes",
            };
            format!("{verb} by more than {} over {}", quantity(*limit_per_sec, rule, scene), duration(*over))
        }
        Condition::Deviation { from, limit, .. } => {
            let from = match from {
                Reference::Value(x) => with_unit(*x, &unit),
                Reference::Signal(other) => match scene.signals.get(other.at()) {
                    Some(other) if signal.is_some_and(|signal| signal.twin == other.twin) => other.name.clone(),
                    Some(_) => scene.signal_path(*other),
                    None => "?".to_owned(),
                },
            };
            format!("differs from {from} by more than {}", with_unit(*limit, &unit))
        }
        Condition::State { values, inverted } => {
            let values: Vec<String> = values.iter().map(|value| value_text(value, &unit)).collect();
            match (inverted, values.as_slice()) {
                (false, _) => format!("is {}", values.join(" or ")),
                (true, [only]) => format!("is not {only}"),
                (true, _) => format!("is none of {}", values.join(", ")),
            }
        }
        Condition::Formula(formula) => formula.source.clone(),
        Condition::Stale => match signal.and_then(|signal| signal.expires) {
            Some(expires) => format!("silent for more than {}", duration(expires)),
            None => "silent".to_owned(),
        },
        Condition::Bad => "cannot be used".to_owned(),
        Condition::Disconnected => match &rule.subject {
            Subject::Broker(broker) => format!("no connection to the broker {broker}"),
            _ => "no connection".to_owned(),
        },
    }
}

/// Whether the condition in words says already what the alarm is called.
fn said_by(condition: &Condition, name: &str) -> bool {
    match condition {
        Condition::Stale => matches!(name, "silent" | "stale"),
        Condition::Bad => matches!(name, "bad" | "unusable"),
        Condition::Rate { .. } => matches!(name, "rising" | "falling" | "changing" | "rate"),
        Condition::Deviation { .. } => name == "deviation",
        Condition::State { values, .. } => {
            values.iter().any(|value| matches!(value, Value::Text(text) if text.to_lowercase() == name.to_lowercase()))
        }
        _ => false,
    }
}

/// A limit or a deadband of the rule as people read it: `4.5 mm/s`, of a rate `0.5 mm/s per min`.
pub fn quantity(x: f64, rule: &Rule, scene: &Scene) -> String {
    let unit = signal_of(rule, scene).map(|signal| signal.unit.clone()).unwrap_or_else(Unit::none);
    match told_per(rule) {
        Some((per_secs, word)) => format!("{} per {word}", with_unit(x * per_secs, &unit)),
        None => with_unit(x, &unit),
    }
}

/// For a rule about a rate of change: the time in which its limit, and so every value of it, is told, in s and in words.
pub fn told_per(rule: &Rule) -> Option<(f64, &'static str)> {
    match &rule.condition {
        Condition::Rate { limit_per_sec, .. } => Some(pace(*limit_per_sec)),
        _ => None,
    }
}

fn with_unit(x: f64, unit: &Unit) -> String {
    let text = significant(x, DIGITS);
    // As many digits as are written, not more: 4.5, not 4.50000000.
    let (mantissa, exponent) = text.split_at(text.find('e').unwrap_or(text.len()));
    let short = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    format!("{short}{exponent}{}", unit.suffix())
}

fn value_text(value: &Value, unit: &Unit) -> String {
    match value {
        Value::Number(x) => with_unit(*x, unit),
        other => other.to_string(),
    }
}

/// The time in which a rate of change is best told, in s and in words: the shortest that leaves no tiny number.
fn pace(per_sec: f64) -> (f64, &'static str) {
    let paces = [(1.0, "s"), (60.0, "min"), (3600.0, "h")];
    // A little below the tenth, so that a tenth that was divided by 60 before still counts as one.
    paces.into_iter().find(|(secs, _)| per_sec * secs >= 0.0999).unwrap_or((3600.0, "h"))
}

/// `2 s`, `1 min 30 s`, `200 ms`
pub fn duration(duration: Duration) -> String {
    let (secs, millis) = (duration.as_secs(), duration.subsec_millis());
    let parts = [(secs / 3600, "h"), (secs / 60 % 60, "min"), (secs % 60, "s"), (u64::from(millis), "ms")];
    let told: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    if told.is_empty() { "0 s".to_owned() } else { told.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_rates_are_told_as_people_say_them() {
        for (millis, text) in [(0, "0 s"), (200, "200 ms"), (90_500, "1 min 30 s 500 ms"), (7_200_000, "2 h")] {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
        let told = |per_sec: f64| {
            let (secs, word) = pace(per_sec);
            format!("{} per {word}", with_unit(per_sec * secs, &Unit::none()))
        };
        assert_eq!(told(2.0), "2 per s");
        assert_eq!(told(0.5 / 60.0), "0.5 per min");
        assert_eq!(told(0.1 / 60.0), "0.1 per min");
        assert_eq!(told(2.0 / 3600.0), "2 per h");
        assert_eq!(told(0.01 / 3600.0), "0.01 per h");
    }

    #[test]
    fn limits_have_the_digits_that_were_written() {
        let unit = Unit::parse("mm/s").unwrap_or_else(|_| Unit::none());
        for (x, text) in
            [(4.5, "4.5 mm/s"), (7.0, "7 mm/s"), (-0.125, "-0.125 mm/s"), (1e-7, "1e-7 mm/s"), (1500.0, "1500 mm/s")]
        {
            assert_eq!(with_unit(x, &unit), text);
        }
    }
}
