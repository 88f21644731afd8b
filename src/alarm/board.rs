//! The alarms of one moment, for everything that shows alarms: the list, the banner, marks, badges and beacons.
//!
//! In: the states of all alarms at the moment that views show ([`AlarmBoard::show`], once a frame), and what the journal
//! says of the last while. Out: the same, with what follows from it: [`Lamps`] and [`Tally`]s. Never changes an alarm.
//!
//! A past moment may have been judged by another scene than the one that is loaded: by other limits, with other priorities.
//! Then alarms bear the words of that time ([`AlarmBoard::tell`]), and views take them from [`AlarmBoard::scene`].

use std::sync::Arc;

use bevy::prelude::*;

use super::{Alarm, Flood, Lamps, Performance};
use crate::scene::rule::{AlarmIndex, Priority, Rule};
use crate::scene::{LoadedScene, Scene};
use crate::value::Timestamp;

/// All alarms at the shown moment: live the states of the engine, otherwise those that it had at the cursor.
#[derive(Resource, Clone, Debug, Default)]
pub struct AlarmBoard {
    alarms: Arc<[Alarm]>,
    at: Timestamp,
    generation: Option<u32>,
    version: u64,
    lamps_version: u64,
    lamps: Lamps,
    tallies: [Tally; 4],
    most_urgent: Option<AlarmIndex>,
    /// Whether more alarms come than a person can handle, at the shown moment.
    pub flood: Option<Flood>,
    /// The first of the flood and of each group: where to look for the cause.
    pub first_up: Vec<AlarmIndex>,
    /// Alarms that come and go too often to be of use, at the shown moment.
    pub chattering: Vec<AlarmIndex>,
    /// How well the alarm system serves its operator; none before it was measured.
    pub performance: Option<Arc<Performance>>,
    /// What `UndoEdit` would take back: `P-101 vibration.high limit from 4.5 to 5`. None if there is nothing to undo.
    pub undo: Option<String>,
    said: Vec<Said>,
    /// The scene with `said` in it; none as long as nothing is said.
    told: Option<Arc<Scene>>,
    told_of: Option<u32>,
}

/// What was said of an alarm when it was judged, where the scene says something else now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    pub alarm: AlarmIndex,
    /// What happened, with the limit that was violated.
    pub message: String,
    pub priority: Priority,
}

/// How many alarms of one priority there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// That annunciate, whether their condition holds or not.
    pub standing: usize,
    pub active: usize,
    pub unacknowledged: usize,
}

impl AlarmBoard {
    /// What the alarms of the moment to show were judged by, before [`show`](Self::show). Live, nothing is said.
    pub fn tell(&mut self, loaded: &LoadedScene, said: Vec<Said>) {
        if said == self.said && (said.is_empty() || self.told_of == Some(loaded.generation)) {
            return;
        }
        self.told = (!said.is_empty()).then(|| {
            let mut scene = (*loaded.scene).clone();
            for Said { alarm, message, priority } in &said {
                if let Some(rule) = scene.alarms.get_mut(alarm.at()) {
                    rule.guidance.message.clone_from(message);
                    rule.priority = *priority;
                }
            }
            Arc::new(scene)
        });
        (self.said, self.told_of) = (said, Some(loaded.generation));
        // All that follows from words and priorities is made anew.
        self.generation = None;
    }

    /// The loaded scene, in which alarms bear the words and priorities by which they were judged.
    pub fn scene<'s>(&'s self, loaded: &'s Scene) -> &'s Scene {
        self.told.as_deref().unwrap_or(loaded)
    }

    /// Whether an alarm was judged by other words than those of the loaded scene.
    pub fn is_retold(&self, alarm: AlarmIndex) -> bool {
        self.said.iter().any(|said| said.alarm == alarm)
    }

    /// Takes over the states of the moment `at`: `alarms` by [`AlarmIndex`], as `loaded.scene.alarms`. The same `Arc` as
    /// before stands for "nothing has changed" and costs nothing.
    pub fn show(&mut self, loaded: &LoadedScene, alarms: Arc<[Alarm]>, at: Timestamp) {
        self.at = at;
        if self.generation == Some(loaded.generation) && Arc::ptr_eq(&self.alarms, &alarms) {
            return;
        }
        let scene = self.told.as_ref().unwrap_or(&loaded.scene);
        let lamps = Lamps::of(scene, &alarms);
        if self.generation != Some(loaded.generation) || self.lamps != lamps {
            self.lamps = lamps;
            self.lamps_version += 1;
        }
        self.tallies = tallies(scene, &alarms);
        self.most_urgent = most_urgent(scene, &alarms);
        self.generation = Some(loaded.generation);
        self.alarms = alarms;
        self.version += 1;
    }

    /// None before the first [`show`](Self::show) and for indices beyond the scene.
    pub fn alarm(&self, index: AlarmIndex) -> Option<&Alarm> {
        self.alarms.get(index.at())
    }

    pub fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// The moment that the states are of.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The scene generation whose indices these are.
    pub fn generation(&self) -> Option<u32> {
        self.generation
    }

    /// Rises with every change of any alarm.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Rises when a lamp changes: far less often than [`version`](Self::version), which follows values.
    pub fn lamps_version(&self) -> u64 {
        self.lamps_version
    }

    pub fn lamps(&self) -> &Lamps {
        &self.lamps
    }

    pub fn tally(&self, priority: Priority) -> Tally {
        self.tallies[usize::from(priority.number() - 1)]
    }

    /// The alarm to name where there is room for one: of the unacknowledged ones (or else of all) the most urgent, and
    /// of these the newest.
    pub fn most_urgent(&self) -> Option<AlarmIndex> {
        self.most_urgent
    }
}

fn tallies(scene: &Scene, alarms: &[Alarm]) -> [Tally; 4] {
    let mut tallies = [Tally::default(); 4];
    for (rule, alarm) in scene.alarms.iter().zip(alarms).filter(|(_, alarm)| alarm.annunciates()) {
        let tally = &mut tallies[usize::from(rule.priority.number() - 1)];
        tally.standing += 1;
        tally.active += usize::from(alarm.state.is_active());
        tally.unacknowledged += usize::from(alarm.state.is_unacknowledged());
    }
    tallies
}

fn most_urgent(scene: &Scene, alarms: &[Alarm]) -> Option<AlarmIndex> {
    let standing = scene.alarms.iter().zip(alarms).filter(|(_, alarm)| alarm.annunciates());
    let urgency = |(rule, alarm): &(&Rule, &Alarm)| {
        (alarm.state.is_unacknowledged(), std::cmp::Reverse(rule.priority), alarm.since, std::cmp::Reverse(rule.index))
    };
    standing.max_by_key(urgency).map(|(rule, _)| rule.index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::State;
    use crate::scene::rule::{Condition, Rule, Subject};
    use crate::value::TwinIndex;

    fn scene(priorities: &[Priority]) -> LoadedScene {
        let rule = |(index, priority): (usize, &Priority)| Rule {
            index: AlarmIndex(index as u32),
            priority: *priority,
            ..Rule::new(Subject::Twin(TwinIndex(0)), format!("a{index}"), Condition::Stale)
        };
        let alarms = priorities.iter().enumerate().map(rule).collect();
        let twin = crate::scene::Twin::new(TwinIndex(0), "P-101", "Pump", 0..0);
        LoadedScene {
            scene: Arc::new(Scene { alarms, twins: vec![twin], ..Scene::default() }),
            generation: 1,
            issues: Vec::new(),
        }
    }

    fn alarm(state: State, since: i64) -> Alarm {
        Alarm { state, since: Timestamp(since), ..Alarm::default() }
    }

    #[test]
    fn the_most_urgent_alarm_is_one_that_waits_then_the_newest() {
        let loaded = scene(&[Priority::Critical, Priority::Medium, Priority::Medium, Priority::Low]);
        let mut board = AlarmBoard::default();
        let mut states = vec![
            alarm(State::Acknowledged, 9),
            alarm(State::Unacknowledged, 3),
            alarm(State::Unacknowledged, 5),
            alarm(State::Unacknowledged, 8),
        ];
        board.show(&loaded, states.clone().into(), Timestamp(10));
        assert_eq!(board.most_urgent(), Some(AlarmIndex(2)));
        assert_eq!(board.tally(Priority::Medium), Tally { standing: 2, active: 2, unacknowledged: 2 });
        for state in &mut states {
            state.state = State::Acknowledged;
        }
        board.show(&loaded, states.into(), Timestamp(10));
        assert_eq!(board.most_urgent(), Some(AlarmIndex(0)));
    }

    #[test]
    fn alarms_of_the_past_have_the_priorities_and_words_of_their_time() {
        let loaded = scene(&[Priority::Low, Priority::High]);
        let mut board = AlarmBoard::default();
        let states: Arc<[Alarm]> = vec![alarm(State::Unacknowledged, 1), alarm(State::Unacknowledged, 2)].into();
        board.show(&loaded, Arc::clone(&states), Timestamp(3));
        assert_eq!((board.most_urgent(), board.is_retold(AlarmIndex(0))), (Some(AlarmIndex(1)), false));
        let said = vec![Said { alarm: AlarmIndex(0), message: "as it was".into(), priority: Priority::Critical }];
        board.tell(&loaded, said.clone());
        board.show(&loaded, Arc::clone(&states), Timestamp(3));
        assert_eq!((board.most_urgent(), board.tally(Priority::Low).standing), (Some(AlarmIndex(0)), 0));
        assert_eq!(board.scene(&loaded.scene).alarms[0].guidance.message, "as it was");
        assert!(board.is_retold(AlarmIndex(0)) && !board.is_retold(AlarmIndex(1)));
        let version = board.version();
        board.tell(&loaded, said);
        board.show(&loaded, Arc::clone(&states), Timestamp(4));
        assert_eq!(board.version(), version, "nothing new was said");
        board.tell(&loaded, Vec::new());
        board.show(&loaded, states, Timestamp(5));
        assert_eq!(board.most_urgent(), Some(AlarmIndex(1)), "live again");
    }

    #[test]
    fn lamps_change_less_often_than_values() {
        let loaded = scene(&[Priority::High]);
        let mut board = AlarmBoard::default();
        let mut state = alarm(State::Unacknowledged, 1);
        board.show(&loaded, vec![state.clone()].into(), Timestamp(1));
        let (version, lamps) = (board.version(), board.lamps_version());
        state.current = Some(7.0);
        board.show(&loaded, vec![state.clone()].into(), Timestamp(2));
        assert_eq!((board.version(), board.lamps_version()), (version + 1, lamps));
        state.state = State::Normal;
        board.show(&loaded, vec![state].into(), Timestamp(3));
        assert_eq!(board.lamps_version(), lamps + 1);
        let same = Arc::clone(&board.alarms);
        board.show(&loaded, same, Timestamp(4));
        assert_eq!((board.version(), board.at()), (version + 2, Timestamp(4)));
    }
}
