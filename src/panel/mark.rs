//! What needs a person's eye: one mark per signal and twin, and how many values cannot be trusted.
//!
//! In: current values and the lamps of the alarm board. Out: [`Mark`]s, kept up to date from changes alone, so that a
//! frame in which nothing changed costs nothing. Never judges a value, never draws.

use bevy::prelude::*;

use crate::alarm::{AlarmBoard, Aside, Lamp, Lamps, Urgency};
use crate::scene::Scene;
use crate::scene::rule::Priority;
use crate::stage::Current;
use crate::value::{Grade, Reason, SignalIndex, TwinIndex};

/// Ordered from what can be ignored to what must not be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Mark {
    /// There is nothing to judge: a twin without signals.
    #[default]
    None,
    Normal,
    /// An alarm is shelved, suppressed or out of service.
    Aside(Aside),
    /// Nothing has arrived yet.
    NoData,
    Uncertain,
    Stale,
    Bad,
    /// Something of the scene or of a source to mend.
    Warning,
    Error,
    Alarm(Urgency),
}

impl Mark {
    /// What the quality of a value says.
    pub fn of(current: &Current) -> Mark {
        match (current.quality.grade, current.quality.reason) {
            (_, Reason::NeverSeen) => Mark::NoData,
            (Grade::Bad, _) => Mark::Bad,
            (Grade::Stale, _) => Mark::Stale,
            (Grade::Uncertain, _) => Mark::Uncertain,
            (Grade::Good, _) => Mark::Normal,
        }
    }

    /// What its alarms say; [`Mark::None`] if nothing.
    pub fn lit(lamp: Lamp) -> Mark {
        match lamp {
            Lamp { alarm: Some(alarm), .. } => Mark::Alarm(alarm),
            Lamp { aside: Some(aside), .. } => Mark::Aside(aside),
            Lamp { .. } => Mark::None,
        }
    }

    pub const fn text(self) -> &'static str {
        match self {
            Mark::None => "no signals",
            Mark::Normal => "normal",
            Mark::Aside(Aside::Suppressed) => "alarm suppressed",
            Mark::Aside(Aside::Shelved) => "alarm shelved",
            Mark::Aside(Aside::OutOfService) => "alarm out of service",
            Mark::NoData => "no data",
            Mark::Uncertain => "uncertain",
            Mark::Stale => "stale",
            Mark::Bad => "bad",
            Mark::Warning => "warning",
            Mark::Error => "error",
            Mark::Alarm(Urgency { priority, unacknowledged: true }) => match priority {
                Priority::Critical => "critical alarm, unacknowledged",
                Priority::High => "high alarm, unacknowledged",
                Priority::Medium => "medium alarm, unacknowledged",
                Priority::Low => "low alarm, unacknowledged",
            },
            Mark::Alarm(Urgency { priority, unacknowledged: false }) => match priority {
                Priority::Critical => "critical alarm",
                Priority::High => "high alarm",
                Priority::Medium => "medium alarm",
                Priority::Low => "low alarm",
            },
        }
    }

    /// For a badge: alarms by their priority alone.
    pub fn short(self) -> &'static str {
        match self {
            Mark::Alarm(alarm) => alarm.priority.name(),
            mark => mark.text(),
        }
    }

    /// Whether an operator would want to look here.
    pub const fn needs_a_look(self) -> bool {
        !matches!(self, Mark::None | Mark::Normal | Mark::NoData | Mark::Aside(_))
    }
}

/// How many signals have values of each quality.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub bad: usize,
    pub stale: usize,
    pub uncertain: usize,
    pub no_data: usize,
    pub good: usize,
}

impl Counts {
    fn slot(&mut self, quality: Mark) -> &mut usize {
        match quality {
            Mark::NoData => &mut self.no_data,
            Mark::Uncertain => &mut self.uncertain,
            Mark::Stale => &mut self.stale,
            Mark::Bad => &mut self.bad,
            // A quality is none of the others.
            _ => &mut self.good,
        }
    }
}

/// The marks of all signals and twins of the loaded scene.
#[derive(Resource, Clone, Debug, Default)]
pub struct TwinMarks {
    /// What the quality of each signal's value says, and the worst of each twin.
    signals: Vec<Mark>,
    twins: Vec<Mark>,
    /// What alarms say.
    lamps: Lamps,
    lamps_version: Option<u64>,
    counts: Counts,
    /// Rises whenever a mark of a twin changes: what is built from twin marks can be kept until then.
    version: u64,
    generation: Option<u32>,
}

impl TwinMarks {
    /// Forgets everything and makes room for another scene. A signal without data is `NoData`.
    pub fn reset(&mut self, scene: &Scene) {
        self.signals = vec![Mark::NoData; scene.signals.len()];
        self.counts = Counts { no_data: scene.signals.len(), ..default() };
        self.twins = scene.twins.iter().map(|twin| self.worst_of(&twin.signals)).collect();
        self.lamps = Lamps::default();
        self.lamps_version = None;
        self.version += 1;
    }

    /// Takes over the lamps of the alarm board.
    pub fn light(&mut self, board: &AlarmBoard) {
        if self.lamps_version != Some(board.lamps_version()) {
            self.lamps_version = Some(board.lamps_version());
            self.lamps = board.lamps().clone();
            self.version += 1;
        }
    }

    /// Takes over changed signals, then judges their twins anew. Indices beyond the scene are left out.
    pub fn update<'a>(&mut self, scene: &Scene, changed: impl IntoIterator<Item = (SignalIndex, &'a Current)>) {
        let mut touched = Vec::new();
        for (index, current) in changed {
            let (Some(signal), Some(mark)) = (scene.signals.get(index.at()), self.signals.get_mut(index.at())) else {
                continue;
            };
            let new = Mark::of(current);
            let old = std::mem::replace(mark, new);
            if old != new {
                *self.counts.slot(old) -= 1;
                *self.counts.slot(new) += 1;
                touched.push(signal.twin);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for twin in touched {
            let Some(range) = scene.twins.get(twin.at()).map(|twin| &twin.signals) else { continue };
            let new = self.worst_of(range);
            if let Some(mark) = self.twins.get_mut(twin.at())
                && std::mem::replace(mark, new) != new
            {
                self.version += 1;
            }
        }
    }

    /// A twin that has some data is not marked for a signal that never came; one without any is.
    fn worst_of(&self, signals: &std::ops::Range<u32>) -> Mark {
        let marks = self.signals.get(signals.start as usize..signals.end as usize).unwrap_or_default();
        let worst_seen = marks.iter().copied().filter(|&mark| mark != Mark::NoData).max();
        match worst_seen {
            Some(mark) => mark,
            None if marks.is_empty() => Mark::None,
            None => Mark::NoData,
        }
    }

    /// The worse of its quality and its alarms: an alarm stands also while its signal is silent.
    pub fn signal(&self, index: SignalIndex) -> Mark {
        self.quality(index).max(Mark::lit(self.lamps.signal(index)))
    }

    pub fn quality(&self, index: SignalIndex) -> Mark {
        self.signals.get(index.at()).copied().unwrap_or_default()
    }

    pub fn twin(&self, index: TwinIndex) -> Mark {
        self.twins.get(index.at()).copied().unwrap_or_default().max(Mark::lit(self.lamps.twin(index)))
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    pub fn version(&self) -> u64 {
        self.version
    }
}

/// Keeps [`TwinMarks`] up to date after `Project` wrote what changed.
pub(super) fn track(
    mut marks: ResMut<TwinMarks>,
    loaded: Res<crate::scene::LoadedScene>,
    board: Res<AlarmBoard>,
    changed: Query<(&crate::stage::Signal, &Current), Changed<Current>>,
    all: Query<(&crate::stage::Signal, &Current)>,
) {
    let scene = &loaded.scene;
    if marks.generation != Some(loaded.generation) || marks.signals.len() != scene.signals.len() {
        marks.generation = Some(loaded.generation);
        marks.reset(scene);
        marks.update(scene, all.iter().map(|(signal, current)| (signal.index, current)));
    } else if !changed.is_empty() {
        marks.update(scene, changed.iter().map(|(signal, current)| (signal.index, current)));
    }
    // A board that was made from another scene speaks of other twins.
    if board.generation() == Some(loaded.generation) && marks.lamps_version != Some(board.lamps_version()) {
        marks.light(&board);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use crate::value::{Quality, Value};

    fn good(x: f64) -> Current {
        Current { value: Some(Value::Number(x)), quality: Quality::GOOD, ..default() }
    }

    #[test]
    fn an_alarm_marks_its_signal_and_twin_whatever_the_quality() {
        let plant = testing::plant();
        let pump = plant.scene.signal("P-101", "vibration").unwrap();
        let alarm = Mark::Alarm(Urgency { priority: Priority::Critical, unacknowledged: true });
        assert_eq!((plant.marks.signal(pump.index), plant.marks.twin(pump.twin)), (alarm, alarm));
        assert_eq!(plant.marks.quality(pump.index), Mark::Normal);
        let silent = plant.scene.signal("E-101", "outlet_temperature").unwrap();
        assert_eq!(plant.marks.quality(silent.index), Mark::Stale);
        assert!(matches!(plant.marks.signal(silent.index), Mark::Alarm(_)), "its alarm stands while it is silent");
    }

    #[test]
    fn a_shelved_alarm_leaves_a_small_neutral_mark() {
        let plant = testing::plant();
        let shelved = plant.scene.twin("K-401").unwrap();
        assert_eq!(plant.marks.twin(shelved.index), Mark::Aside(Aside::Shelved));
        assert!(!plant.marks.twin(shelved.index).needs_a_look());
    }

    #[test]
    fn values_that_cannot_be_trusted_are_counted() {
        let scene = testing::scene();
        let flow = scene.signal("P-101", "flow").unwrap();
        let mut marks = TwinMarks::default();
        marks.reset(&scene);
        assert_eq!((marks.twin(flow.twin), marks.counts().no_data), (Mark::NoData, scene.signals.len()));
        marks.update(&scene, [(flow.index, &good(40.0))]);
        assert_eq!((marks.twin(flow.twin), marks.counts().good), (Mark::Normal, 1));
        let stale = Current { quality: Quality::stale(Reason::Expired), ..good(40.0) };
        marks.update(&scene, [(flow.index, &stale)]);
        assert_eq!((marks.twin(flow.twin), marks.counts().stale, marks.counts().good), (Mark::Stale, 1, 0));
    }

    #[test]
    fn an_unchanged_mark_keeps_the_version() {
        let scene = testing::scene();
        let flow = scene.signal("P-101", "flow").unwrap();
        let mut marks = TwinMarks::default();
        marks.reset(&scene);
        marks.update(&scene, [(flow.index, &good(40.0))]);
        let version = marks.version();
        marks.update(&scene, [(flow.index, &good(41.0))]);
        assert_eq!(marks.version(), version);
    }

    #[test]
    fn an_index_of_a_former_scene_does_no_harm() {
        let scene = testing::scene();
        let mut marks = TwinMarks::default();
        marks.reset(&scene);
        marks.update(&scene, [(SignalIndex(9_999), &good(1.0))]);
        assert_eq!(marks.counts().no_data, scene.signals.len());
    }
}
