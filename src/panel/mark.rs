//! What needs a person's eye: one mark per signal and twin, and how many of each there are.
//!
//! In: current values and operating limits. Out: [`Mark`]s, kept up to date from changes alone, so that a frame in
//! which nothing changed costs nothing. Never draws.

use bevy::prelude::*;

use crate::scene::Scene;
use crate::twin::{Current, Grade, Reason, SignalIndex, Standing, TwinIndex};

/// Ordered from what can be ignored to what must not be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Mark {
    /// There is nothing to judge: a twin without signals.
    #[default]
    None,
    Normal,
    /// Nothing has arrived yet.
    NoData,
    Uncertain,
    Stale,
    Bad,
    Warning,
    Critical,
}

impl Mark {
    /// The quality decides first: a value that is not to be trusted stands nowhere.
    pub fn of(current: &Current, limits: &crate::scene::Limits) -> Mark {
        match (current.quality.grade, current.quality.reason) {
            (_, Reason::NeverSeen) => Mark::NoData,
            (Grade::Bad, _) => Mark::Bad,
            (Grade::Stale, _) => Mark::Stale,
            (grade, _) => match (Standing::of(current.value.as_ref(), limits), grade) {
                (Standing::Critical, _) => Mark::Critical,
                (Standing::Warning, _) => Mark::Warning,
                (Standing::Normal, Grade::Uncertain) => Mark::Uncertain,
                (Standing::Normal, _) => Mark::Normal,
            },
        }
    }

    pub const fn text(self) -> &'static str {
        match self {
            Mark::None => "no signals",
            Mark::Normal => "normal",
            Mark::NoData => "no data",
            Mark::Uncertain => "uncertain",
            Mark::Stale => "stale",
            Mark::Bad => "bad",
            Mark::Warning => "warning",
            Mark::Critical => "critical",
        }
    }

    /// Whether an operator would want to look here.
    pub const fn needs_a_look(self) -> bool {
        !matches!(self, Mark::None | Mark::Normal | Mark::NoData)
    }
}

/// How many signals carry each mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    pub critical: usize,
    pub warning: usize,
    pub bad: usize,
    pub stale: usize,
    pub uncertain: usize,
    pub no_data: usize,
    pub normal: usize,
}

impl Counts {
    fn slot(&mut self, mark: Mark) -> &mut usize {
        match mark {
            // No signal carries the mark of a twin without signals.
            Mark::None | Mark::Normal => &mut self.normal,
            Mark::NoData => &mut self.no_data,
            Mark::Uncertain => &mut self.uncertain,
            Mark::Stale => &mut self.stale,
            Mark::Bad => &mut self.bad,
            Mark::Warning => &mut self.warning,
            Mark::Critical => &mut self.critical,
        }
    }
}

/// The marks of all signals and twins of the loaded scene.
#[derive(Resource, Clone, Debug, Default)]
pub struct Marks {
    signals: Vec<Mark>,
    twins: Vec<Mark>,
    counts: Counts,
    /// Rises whenever a mark of a twin changes: what is built from twin marks can be kept until then.
    version: u64,
    generation: Option<u32>,
}

impl Marks {
    /// Forgets everything and makes room for another scene. A signal without data is `NoData`.
    pub fn reset(&mut self, scene: &Scene) {
        self.signals = vec![Mark::NoData; scene.signals.len()];
        self.counts = Counts { no_data: scene.signals.len(), ..default() };
        self.twins = scene.twins.iter().map(|twin| self.worst_of(&twin.signals)).collect();
        self.version += 1;
    }

    /// Takes over changed signals, then judges their twins anew. Indices beyond the scene are left out.
    pub fn update<'a>(&mut self, scene: &Scene, changed: impl IntoIterator<Item = (SignalIndex, &'a Current)>) {
        let mut touched = Vec::new();
        for (index, current) in changed {
            let (Some(signal), Some(mark)) = (scene.signals.get(index.at()), self.signals.get_mut(index.at())) else {
                continue;
            };
            let new = Mark::of(current, &signal.limits);
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

    pub fn signal(&self, index: SignalIndex) -> Mark {
        self.signals.get(index.at()).copied().unwrap_or_default()
    }

    pub fn twin(&self, index: TwinIndex) -> Mark {
        self.twins.get(index.at()).copied().unwrap_or_default()
    }

    pub fn counts(&self) -> Counts {
        self.counts
    }

    pub fn version(&self) -> u64 {
        self.version
    }
}

/// Keeps [`Marks`] up to date after `Project` wrote what changed.
pub(super) fn track(
    mut marks: ResMut<Marks>,
    loaded: Res<crate::scene::LoadedScene>,
    changed: Query<(&crate::twin::Signal, &Current), Changed<Current>>,
    all: Query<(&crate::twin::Signal, &Current)>,
) {
    let scene = &loaded.scene;
    if marks.generation != Some(loaded.generation) || marks.signals.len() != scene.signals.len() {
        marks.generation = Some(loaded.generation);
        marks.reset(scene);
        marks.update(scene, all.iter().map(|(signal, current)| (signal.index, current)));
    } else if !changed.is_empty() {
        marks.update(scene, changed.iter().map(|(signal, current)| (signal.index, current)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use crate::twin::{Quality, Value};

    fn good(x: f64) -> Current {
        Current { value: Some(Value::Number(x)), quality: Quality::GOOD, ..default() }
    }

    #[test]
    fn a_value_beyond_its_limits_marks_its_twin_and_counts() {
        let scene = testing::scene();
        let vibration = scene.signal("P-101", "vibration").unwrap();
        let mut marks = Marks::default();
        marks.reset(&scene);
        assert_eq!(marks.twin(vibration.twin), Mark::NoData);

        marks.update(&scene, [(vibration.index, &good(2.0))]);
        assert_eq!(marks.twin(vibration.twin), Mark::Normal);
        marks.update(&scene, [(vibration.index, &good(5.0))]);
        assert_eq!(marks.twin(vibration.twin), Mark::Warning);
        marks.update(&scene, [(vibration.index, &good(9.0))]);
        assert_eq!(marks.twin(vibration.twin), Mark::Critical);
        assert_eq!((marks.counts().critical, marks.counts().warning, marks.counts().normal), (1, 0, 0));
    }

    #[test]
    fn a_stale_value_stands_nowhere() {
        let limits = crate::scene::Limits { high: Some(4.5), ..default() };
        let stale = Current { quality: Quality::stale(Reason::Expired), ..good(9.0) };
        assert_eq!(Mark::of(&stale, &limits), Mark::Stale);
        let uncertain = Current { quality: Quality::uncertain(Reason::Retained), ..good(9.0) };
        assert_eq!(Mark::of(&uncertain, &limits), Mark::Warning);
        assert_eq!(Mark::of(&Current::default(), &limits), Mark::NoData);
    }

    #[test]
    fn an_unchanged_mark_keeps_the_version() {
        let scene = testing::scene();
        let flow = scene.signal("P-101", "flow").unwrap();
        let mut marks = Marks::default();
        marks.reset(&scene);
        marks.update(&scene, [(flow.index, &good(40.0))]);
        let version = marks.version();
        marks.update(&scene, [(flow.index, &good(41.0))]);
        assert_eq!(marks.version(), version);
    }

    #[test]
    fn an_index_of_a_former_scene_does_no_harm() {
        let scene = testing::scene();
        let mut marks = Marks::default();
        marks.reset(&scene);
        marks.update(&scene, [(SignalIndex(9_999), &good(1.0))]);
        assert_eq!(marks.counts().no_data, scene.signals.len());
    }
}
