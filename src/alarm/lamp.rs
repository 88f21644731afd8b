//! What lights up: the worst annunciating alarm of each twin and of each signal, and what was set aside.
//!
//! In: rules of the scene and the states of their alarms. Out: [`Lamps`], which marks in panels, badges and beacons in 3D
//! all show. Never judges a value: that is the engine's.

use std::cmp::Reverse;

use super::{Alarm, Flags, State};
use crate::scene::Scene;
use crate::scene::rule::{Priority, Subject};
use crate::value::{SignalIndex, TwinIndex};

/// The alarms of a thing that annunciate, in two words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Urgency {
    /// The most urgent of them.
    pub priority: Priority,
    /// At least one of them waits for an acknowledgement.
    pub unacknowledged: bool,
}

impl Urgency {
    pub fn of(priority: Priority, state: State) -> Self {
        Self { priority, unacknowledged: state.is_unacknowledged() }
    }

    fn joined(self, other: Self) -> Self {
        Self {
            priority: self.priority.min(other.priority),
            unacknowledged: self.unacknowledged || other.unacknowledged,
        }
    }
}

/// From what can wait to what cannot.
impl Ord for Urgency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |a: &Self| (Reverse(a.priority), a.unacknowledged);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Urgency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Why an alarm does not annunciate though it is evaluated. Of several reasons the one that a person gave counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Aside {
    Suppressed,
    Shelved,
    OutOfService,
}

impl Aside {
    pub fn of(flags: &Flags) -> Option<Aside> {
        match flags {
            Flags { out_of_service: Some(_), .. } => Some(Aside::OutOfService),
            Flags { shelved: Some(_), .. } => Some(Aside::Shelved),
            Flags { suppressed: true, .. } => Some(Aside::Suppressed),
            _ => None,
        }
    }

    pub const fn text(self) -> &'static str {
        match self {
            Aside::Suppressed => "suppressed",
            Aside::Shelved => "shelved",
            Aside::OutOfService => "out of service",
        }
    }
}

/// What one twin or signal shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lamp {
    pub alarm: Option<Urgency>,
    /// Some alarm is shelved or out of service, or would annunciate if it were not suppressed.
    pub aside: Option<Aside>,
}

impl Lamp {
    /// What one alarm adds to the lamp of its signal and of its twin.
    pub fn of(priority: Priority, alarm: &Alarm) -> Self {
        let aside = Aside::of(&alarm.flags);
        // A stopped machine suppresses its alarms by design: worth a mark only if one would stand otherwise.
        let worth_a_mark = |aside: &Aside| *aside != Aside::Suppressed || alarm.state != State::Normal;
        Self {
            alarm: alarm.annunciates().then(|| Urgency::of(priority, alarm.state)),
            aside: aside.filter(worth_a_mark),
        }
    }

    fn join(&mut self, other: Lamp) {
        self.alarm = match (self.alarm, other.alarm) {
            (Some(a), Some(b)) => Some(a.joined(b)),
            (a, b) => a.or(b),
        };
        self.aside = self.aside.max(other.aside);
    }
}

/// The lamps of a scene, by index.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lamps {
    twins: Vec<Lamp>,
    signals: Vec<Lamp>,
}

impl Lamps {
    /// `alarms` by `AlarmIndex`, as `scene.alarms`; those that are missing count as normal.
    pub fn of(scene: &Scene, alarms: &[Alarm]) -> Self {
        let mut lamps = Self {
            twins: vec![Lamp::default(); scene.twins.len()],
            signals: vec![Lamp::default(); scene.signals.len()],
        };
        for (rule, alarm) in scene.alarms.iter().zip(alarms) {
            let lamp = Lamp::of(rule.priority, alarm);
            if lamp == Lamp::default() {
                continue;
            }
            let twin = match &rule.subject {
                Subject::Signal(signal) => {
                    if let Some(of_signal) = lamps.signals.get_mut(signal.at()) {
                        of_signal.join(lamp);
                    }
                    scene.signals.get(signal.at()).map(|signal| signal.twin)
                }
                Subject::Twin(twin) => Some(*twin),
                Subject::Broker(_) => None,
            };
            if let Some(of_twin) = twin.and_then(|twin| lamps.twins.get_mut(twin.at())) {
                of_twin.join(lamp);
            }
        }
        lamps
    }

    /// The twin's own alarms and those of all its signals.
    pub fn twin(&self, index: TwinIndex) -> Lamp {
        self.twins.get(index.at()).copied().unwrap_or_default()
    }

    pub fn signal(&self, index: SignalIndex) -> Lamp {
        self.signals.get(index.at()).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_alarm_gives_the_priority_and_any_unacknowledged_one_keeps_it_lit() {
        let mut lamp = Lamp::default();
        let standing = |state| Alarm { state, ..Alarm::default() };
        lamp.join(Lamp::of(Priority::High, &standing(State::Acknowledged)));
        lamp.join(Lamp::of(Priority::Low, &standing(State::ReturnedUnacknowledged)));
        lamp.join(Lamp::of(Priority::Critical, &standing(State::Normal)));
        assert_eq!(lamp.alarm, Some(Urgency { priority: Priority::High, unacknowledged: true }));
    }

    #[test]
    fn a_suppressed_alarm_shows_only_if_it_would_stand_and_never_annunciates() {
        let flags = Flags { suppressed: true, ..Flags::default() };
        let quiet = Alarm { flags: flags.clone(), ..Alarm::default() };
        assert_eq!(Lamp::of(Priority::High, &quiet), Lamp::default());
        let standing = Alarm { state: State::Unacknowledged, flags, ..Alarm::default() };
        assert_eq!(Lamp::of(Priority::High, &standing), Lamp { alarm: None, aside: Some(Aside::Suppressed) });
    }

    #[test]
    fn urgency_is_ordered_by_priority_then_by_what_waits() {
        let of = |priority, unacknowledged| Urgency { priority, unacknowledged };
        assert!(of(Priority::Critical, false) > of(Priority::High, true));
        assert!(of(Priority::High, true) > of(Priority::High, false));
    }
}
