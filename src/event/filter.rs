//! Which events a person wants to see, and each event in words.
//!
//! In: an event. Out: yes or no, and a sentence. The log panel and the export to a file ask the same filter.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Event, Kind};
use crate::alarm::{Cause, State};

/// What an event is about, coarsely: what the log can be narrowed to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// What alarms did by themselves.
    Alarm,
    /// What a person did to alarms.
    Action,
    Connection,
    /// Births and deaths.
    Twin,
    /// Reloads and edits of the scene.
    Scene,
    Note,
    Gap,
}

impl Class {
    pub const ALL: [Class; 7] =
        [Class::Alarm, Class::Action, Class::Connection, Class::Twin, Class::Scene, Class::Note, Class::Gap];

    pub fn of(event: &Event) -> Class {
        match &event.kind {
            Kind::Alarm { .. } if event.by.is_some() => Class::Action,
            Kind::Alarm { .. } | Kind::Flood { .. } | Kind::Chattering { .. } => Class::Alarm,
            Kind::Connection { .. } => Class::Connection,
            Kind::Birth | Kind::Death => Class::Twin,
            Kind::SceneReloaded { .. } | Kind::SceneEdited { .. } => Class::Scene,
            Kind::Gap { .. } => Class::Gap,
            Kind::Note { .. } => Class::Note,
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Class::Alarm => "Alarms",
            Class::Action => "Actions",
            Class::Connection => "Connections",
            Class::Twin => "Twins",
            Class::Scene => "Scene",
            Class::Note => "Notes",
            Class::Gap => "Gaps",
        }
    }
}

/// Everything that is set must fit.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Filter {
    /// Empty: all.
    #[serde(default)]
    pub classes: BTreeSet<Class>,
    /// Id of a twin, or a part of one. Empty: all, and events without a twin.
    #[serde(default)]
    pub twin: String,
    /// Words that all must occur, in any order and case.
    #[serde(default)]
    pub text: String,
}

impl Filter {
    pub fn admits(&self, event: &Event) -> bool {
        if !self.classes.is_empty() && !self.classes.contains(&Class::of(event)) {
            return false;
        }
        let twin = self.twin.trim().to_lowercase();
        if !twin.is_empty() && !event.twin.as_ref().is_some_and(|id| id.to_lowercase().contains(&twin)) {
            return false;
        }
        if self.text.trim().is_empty() {
            return true;
        }
        let who = [event.twin.as_deref(), event.by.as_deref(), Some(event.comment.as_str())];
        let mut hay = describe(event);
        for part in who.into_iter().flatten() {
            hay.push(' ');
            hay.push_str(part);
        }
        let hay = hay.to_lowercase();
        self.text.split_whitespace().all(|word| hay.contains(&word.to_lowercase()))
    }
}

/// What happened, in one line; twin, person and comment are told beside it.
pub fn describe(event: &Event) -> String {
    match &event.kind {
        Kind::Alarm { cause, to, message, value, worst, unit, .. } => {
            let number = match (cause, value, worst) {
                (Cause::Cleared, _, Some(worst)) => format!(", worst {}", quantity(*worst, unit)),
                (Cause::Raised | Cause::Cleared, Some(value), _) => format!(" at {}", quantity(*value, unit)),
                _ => String::new(),
            };
            format!("{}: {message}{number}", did(cause, *to))
        }
        Kind::Flood { began: true, alarms } => format!("Flood began: {alarms} alarms in ten minutes"),
        Kind::Flood { began: false, alarms } => format!("Flood over, after {alarms} alarms"),
        Kind::Chattering { alarm, began: true } => format!("{alarm} chatters"),
        Kind::Chattering { alarm, began: false } => format!("{alarm} no longer chatters"),
        Kind::Connection { broker, state, error } if error.is_empty() => format!("{broker}: {state}"),
        Kind::Connection { broker, state, error } => format!("{broker}: {state}, {error}"),
        Kind::Birth => "First heard of".into(),
        Kind::Death => "Fell silent".into(),
        Kind::SceneReloaded { accepted: true, issues: 0 } => "Scene reloaded".into(),
        Kind::SceneReloaded { accepted: true, issues } => format!("Scene reloaded, with {issues} issues"),
        Kind::SceneReloaded { accepted: false, issues } => format!("Scene refused, for {issues} issues"),
        Kind::SceneEdited { what, before, after } => format!("{what}: {before} → {after}"),
        Kind::Gap { from, to } => format!("Nothing recorded from {from} to {to}"),
        Kind::Note { text } => text.clone(),
    }
}

/// The first words of a transition: `Raised`, `Acknowledged`.
pub const fn did(cause: &Cause, to: State) -> &'static str {
    match cause {
        Cause::Raised => "Raised",
        Cause::Cleared => match to {
            State::LatchedUnacknowledged | State::LatchedAcknowledged => "Gone, latched",
            _ => "Returned to normal",
        },
        Cause::Acknowledged => "Acknowledged",
        Cause::Reset => "Reset",
        Cause::Shelved { .. } => "Shelved",
        Cause::Unshelved => "Unshelved",
        Cause::ShelfEnded => "Shelving ended",
        Cause::Suppressed => "Suppressed",
        Cause::Unsuppressed => "No longer suppressed",
        Cause::TakenOutOfService => "Taken out of service",
        Cause::ReturnedToService => "Returned to service",
        Cause::Commented => "Commented",
    }
}

/// At most four decimals, and none that say nothing: `7.6 mm/s`.
fn quantity(x: f64, unit: &str) -> String {
    let rounded = format!("{x:.4}");
    let number = rounded.trim_end_matches('0').trim_end_matches('.');
    if unit.is_empty() { number.to_owned() } else { format!("{number} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Priority;
    use crate::twin::Timestamp;

    fn event(kind: Kind) -> Event {
        let at = Timestamp(0);
        Event { id: 1, time: at, received: at, twin: Some("P-101".into()), by: None, comment: String::new(), kind }
    }

    fn raised() -> Event {
        event(Kind::Alarm {
            alarm: "vibration.high".into(),
            broker: None,
            cause: Cause::Raised,
            from: State::Normal,
            to: State::Unacknowledged,
            priority: Priority::Medium,
            message: "vibration above 4.5 mm/s (high)".into(),
            value: Some(4.62),
            worst: None,
            unit: "mm/s".into(),
        })
    }

    #[test]
    fn an_alarm_is_told_with_its_limit_and_value() {
        assert_eq!(describe(&raised()), "Raised: vibration above 4.5 mm/s (high) at 4.62 mm/s");
    }

    #[test]
    fn a_filter_takes_class_twin_and_words_together() {
        let filter = |classes: &[Class], twin: &str, text: &str| Filter {
            classes: classes.iter().copied().collect(),
            twin: twin.into(),
            text: text.into(),
        };
        let raised = raised();
        for (filter, admitted) in [
            (filter(&[], "", ""), true),
            (filter(&[Class::Alarm, Class::Note], "p-1", "HIGH vibration"), true),
            (filter(&[Class::Action], "", ""), false),
            (filter(&[], "E-101", ""), false),
            (filter(&[], "", "vibration low"), false),
        ] {
            assert_eq!(filter.admits(&raised), admitted, "{filter:?}");
        }
        let acknowledged = Event { by: Some("ada".into()), comment: "bearing ordered".into(), ..raised };
        assert!(filter(&[Class::Action], "", "ADA bearing").admits(&acknowledged));
    }
}
