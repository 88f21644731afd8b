//! Alarms in words: what they watch, how they stand, what is left of the time to respond. In: plain values. Out: text.

use std::time::Duration;

use crate::alarm::{Alarm, State};
use crate::panel::format;
use crate::scene::Scene;
use crate::scene::rule::{Condition, Reference, Rule, Subject};
pub use crate::scene::rule::{duration, message, told_per};
use crate::value::{SignalIndex, Timestamp, TwinIndex};

/// The unit of the signal that an alarm watches, with its space; empty for alarms that are not about one signal.
pub fn signal_unit(rule: &Rule, scene: &Scene) -> String {
    match &rule.subject {
        Subject::Signal(index) => scene.signals.get(index.at()).map(|signal| signal.unit.suffix()).unwrap_or_default(),
        Subject::Twin(_) | Subject::Broker(_) => String::new(),
    }
}

/// The unit of an alarm's numbers, with its space: that of its signal, for rates within the time of its message.
pub fn unit_of(rule: &Rule, scene: &Scene) -> String {
    let unit = signal_unit(rule, scene);
    match told_per(rule) {
        Some((_, word)) if unit.is_empty() => format!(" 1/{word}"),
        Some((_, word)) => format!("{unit}/{word}"),
        None => unit,
    }
}

/// A value of an alarm in the unit of [`unit_of`].
pub fn in_unit(x: f64, rule: &Rule) -> f64 {
    told_per(rule).map_or(x, |(per_secs, _)| x * per_secs)
}

/// Limit, deadband, delays and count as the details list them: (name, value).
pub fn settings(rule: &Rule, scene: &Scene) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let quantity = |x: f64| crate::scene::rule::quantity(x, rule, scene);
    match &rule.condition {
        Condition::Limit { limit, deadband, .. } | Condition::Deviation { limit, deadband, .. } => {
            lines.push(("Limit", quantity(*limit)));
            if *deadband > 0.0 {
                lines.push(("Deadband", quantity(*deadband)));
            }
        }
        Condition::Rate { limit_per_sec, over, deadband_per_sec, .. } => {
            lines.push(("Limit", quantity(*limit_per_sec)));
            lines.push(("Taken over", duration(*over)));
            if *deadband_per_sec > 0.0 {
                lines.push(("Deadband", quantity(*deadband_per_sec)));
            }
        }
        Condition::Formula(formula) => lines.push(("Formula", formula.source.clone())),
        Condition::State { .. } | Condition::Stale | Condition::Bad | Condition::Disconnected => {}
    }
    for (name, delay) in [("On-delay", rule.on_delay), ("Off-delay", rule.off_delay)] {
        if !delay.is_zero() {
            lines.push((name, duration(delay)));
        }
    }
    if let Some(count) = rule.count {
        let text = format!("{} of {} samples within {}", count.needed, count.of, duration(count.within));
        lines.push(("Count", text));
    }
    if rule.latching {
        lines.push(("Latching", "until it is reset".into()));
    }
    if let Some(formula) = &rule.suppressed_when {
        lines.push(("Suppressed while", formula.source.clone()));
    }
    if !rule.group.is_empty() {
        lines.push(("Group", rule.group.clone()));
    }
    lines
}

/// Whole minutes from two minutes on.
pub fn coarse(secs: f64) -> String {
    let secs = secs.clamp(0.0, 1e9) as u64;
    duration(Duration::from_secs(if secs < 120 { secs } else { secs - secs % 60 }))
}

/// For a narrow column.
pub const fn state_short(state: State) -> &'static str {
    match state {
        State::Normal => "Normal",
        State::Unacknowledged => "Unack.",
        State::Acknowledged => "Acked",
        State::ReturnedUnacknowledged => "Gone, unack.",
        State::LatchedUnacknowledged => "Latched, unack.",
        State::LatchedAcknowledged => "Latched",
    }
}

pub const fn state_text(state: State) -> &'static str {
    match state {
        State::Normal => "Normal",
        State::Unacknowledged => "Active, unacknowledged",
        State::Acknowledged => "Active, acknowledged",
        State::ReturnedUnacknowledged => "Returned to normal, unacknowledged",
        State::LatchedUnacknowledged => "Returned, latched, unacknowledged",
        State::LatchedAcknowledged => "Returned, latched: waits for a reset",
    }
}

/// The time to respond, and how much of it is left: `8 h, 7 h 12 min left`; whether it is over.
pub fn response(rule: &Rule, alarm: &Alarm, shown: Timestamp) -> Option<(String, bool)> {
    let within = rule.guidance.respond_within?;
    let whole = duration(within);
    let Some(raised) = alarm.raised_at.filter(|_| alarm.state.is_active()) else {
        return Some((whole, false));
    };
    let left = within.as_secs_f64() - shown.secs_since(raised);
    let span = coarse(left.abs());
    Some(match left > 0.0 {
        true => (format!("{whole}, {span} left"), false),
        false => (format!("{whole}, over for {span}"), true),
    })
}

/// The twin that an alarm is about; none for connections.
pub fn twin_of(rule: &Rule, scene: &Scene) -> Option<TwinIndex> {
    match &rule.subject {
        Subject::Signal(index) => scene.signals.get(index.at()).map(|signal| signal.twin),
        Subject::Twin(index) => Some(*index),
        Subject::Broker(_) => None,
    }
}

/// The id of the twin, or the name of the broker.
pub fn whose<'a>(rule: &'a Rule, scene: &'a Scene) -> &'a str {
    match &rule.subject {
        Subject::Broker(name) => name,
        _ => twin_of(rule, scene).and_then(|twin| scene.twins.get(twin.at())).map_or("", |twin| &twin.id),
    }
}

/// The signals whose trends tell the story of an alarm.
pub fn signals_of(rule: &Rule) -> Vec<SignalIndex> {
    let mut signals = match &rule.subject {
        Subject::Signal(index) => vec![*index],
        Subject::Twin(_) | Subject::Broker(_) => Vec::new(),
    };
    match &rule.condition {
        Condition::Deviation { from: Reference::Signal(index), .. } => signals.push(*index),
        Condition::Formula(formula) => signals.extend(formula.inputs.iter().map(|(_, index)| *index)),
        _ => {}
    }
    signals.dedup();
    signals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;

    #[test]
    fn the_time_to_respond_counts_down_and_says_when_it_is_over() {
        let scene = testing::scene();
        let mut rule = testing::alarms::rule(&scene, "P-101", "vibration.high_high").clone();
        rule.guidance.respond_within = Some(Duration::from_secs(600));
        let mut alarm = Alarm { state: State::Unacknowledged, raised_at: Some(testing::second(0)), ..Alarm::default() };
        let at = |alarm: &Alarm, secs| response(&rule, alarm, testing::second(secs)).unwrap();
        assert_eq!(at(&alarm, 90), ("10 min, 8 min left".into(), false));
        assert_eq!(at(&alarm, 900), ("10 min, over for 5 min".into(), true));
        alarm.state = State::ReturnedUnacknowledged;
        assert_eq!(at(&alarm, 900), ("10 min".into(), false));
    }
}
