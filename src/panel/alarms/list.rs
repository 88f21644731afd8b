//! Which alarms are in the list, and in which order.
//!
//! In: the scene's rules, the alarm board, what the operator wants to see. Out: indices, and what can be done to those
//! that are selected. Pure.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::words;
use crate::alarm::{Alarm, AlarmBoard, Aside, State};
use crate::scene::Scene;
use crate::scene::rule::{AlarmIndex, Priority, Rule};
use crate::value::TwinIndex;

/// Everything that is set must fit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AlarmFilter {
    pub without: BTreeSet<Priority>,
    pub states: States,
    /// A path of the tree, with all below. None: all.
    pub area: Option<String>,
    pub twin: Option<TwinIndex>,
    pub group: Option<String>,
    /// Words that all must occur in twin, name or message.
    pub search: String,
    /// Alarms that do not annunciate are listed only if asked for.
    pub asides: BTreeSet<Aside>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum States {
    #[default]
    All,
    Unacknowledged,
    Active,
}

impl States {
    pub const ALL: [States; 3] = [States::All, States::Unacknowledged, States::Active];

    pub const fn title(self) -> &'static str {
        match self {
            States::All => "All states",
            States::Unacknowledged => "Unacknowledged",
            States::Active => "Active",
        }
    }
}

impl AlarmFilter {
    /// Whether it leaves out alarms that stand.
    pub fn narrows(&self) -> bool {
        *self != Self { asides: self.asides.clone(), ..Self::default() }
    }

    fn admits(&self, rule: &Rule, alarm: &Alarm, scene: &Scene) -> bool {
        let listed = match Aside::of(&alarm.flags) {
            Some(aside) => self.asides.contains(&aside),
            None => alarm.state != State::Normal,
        };
        listed
            && !self.without.contains(&rule.priority)
            && match self.states {
                States::All => true,
                States::Unacknowledged => alarm.state.is_unacknowledged(),
                States::Active => alarm.state.is_active(),
            }
            && self.group.as_ref().is_none_or(|group| *group == rule.group)
            && self.twin.is_none_or(|twin| words::twin_of(rule, scene) == Some(twin))
            && self.area.as_ref().is_none_or(|area| is_in(rule, scene, area))
            && self.finds(rule, scene)
    }

    fn finds(&self, rule: &Rule, scene: &Scene) -> bool {
        if self.search.trim().is_empty() {
            return true;
        }
        let twin = words::twin_of(rule, scene).and_then(|twin| scene.twins.get(twin.at()));
        let mut hay = format!("{} {} {}", words::whose(rule, scene), rule.name, words::message(rule, scene));
        if let Some(twin) = twin {
            hay.push(' ');
            hay.push_str(&twin.name);
        }
        let hay = hay.to_lowercase();
        self.search.split_whitespace().all(|word| hay.contains(&word.to_lowercase()))
    }
}

fn is_in(rule: &Rule, scene: &Scene, area: &str) -> bool {
    let twin = words::twin_of(rule, scene).and_then(|twin| scene.twins.get(twin.at()));
    let rest = twin.and_then(|twin| twin.area.strip_prefix(area));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// By priority, then what waits for an acknowledgement, then the newest first. What does not annunciate comes last.
pub fn order(scene: &Scene, board: &AlarmBoard, filter: &AlarmFilter) -> Vec<AlarmIndex> {
    let mut found: Vec<(&Rule, &Alarm)> =
        scene.alarms.iter().zip(board.alarms()).filter(|(rule, alarm)| filter.admits(rule, alarm, scene)).collect();
    found.sort_by_key(|(rule, alarm)| {
        (Aside::of(&alarm.flags), rule.priority, standing(alarm.state), Reverse(alarm.since), rule.index)
    });
    found.into_iter().map(|(rule, _)| rule.index).collect()
}

const fn standing(state: State) -> u8 {
    match state {
        State::Unacknowledged => 0,
        State::LatchedUnacknowledged => 1,
        State::ReturnedUnacknowledged => 2,
        State::Acknowledged => 3,
        State::LatchedAcknowledged => 4,
        State::Normal => 5,
    }
}

/// The areas that alarms can be narrowed to, with all areas above, and the groups of the scene: both sorted.
pub fn areas_and_groups(scene: &Scene) -> (Vec<String>, Vec<String>) {
    let mut areas = BTreeSet::new();
    for twin in &scene.twins {
        let mut area = twin.area.as_str();
        while !area.is_empty() && areas.insert(area.to_owned()) {
            area = area.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }
    let groups: BTreeSet<String> =
        scene.alarms.iter().map(|rule| &rule.group).filter(|group| !group.is_empty()).cloned().collect();
    (areas.into_iter().collect(), groups.into_iter().collect())
}

/// All alarms of a group, whether listed or not; none where the group has no name.
pub fn members<'s>(scene: &'s Scene, group: &'s str) -> impl Iterator<Item = AlarmIndex> + 's {
    scene.alarms.iter().filter(move |rule| !group.is_empty() && rule.group == group).map(|rule| rule.index)
}

/// Of some alarms, those to which each action can be done.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Offers {
    pub acknowledge: Vec<AlarmIndex>,
    pub reset: Vec<AlarmIndex>,
    pub shelve: Vec<AlarmIndex>,
    pub unshelve: Vec<AlarmIndex>,
    pub take_out: Vec<AlarmIndex>,
    pub put_back: Vec<AlarmIndex>,
    pub all: Vec<AlarmIndex>,
}

pub fn offers(board: &AlarmBoard, alarms: impl IntoIterator<Item = AlarmIndex>) -> Offers {
    let mut offers = Offers::default();
    for index in alarms {
        let Some(alarm) = board.alarm(index) else { continue };
        offers.all.push(index);
        if alarm.state.is_unacknowledged() {
            offers.acknowledge.push(index);
        }
        if matches!(alarm.state, State::LatchedAcknowledged | State::LatchedUnacknowledged) {
            offers.reset.push(index);
        }
        match alarm.flags.shelved {
            Some(_) => offers.unshelve.push(index),
            None => offers.shelve.push(index),
        }
        match alarm.flags.out_of_service {
            Some(_) => offers.put_back.push(index),
            None => offers.take_out.push(index),
        }
    }
    offers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing::{self, alarms::titles};

    fn listed(filter: &AlarmFilter) -> Vec<String> {
        let plant = testing::plant();
        titles(&plant.scene, &order(&plant.scene, &plant.board, filter))
    }

    #[test]
    fn alarms_are_sorted_by_priority_then_state_then_the_newest_first() {
        assert_eq!(
            listed(&AlarmFilter::default()),
            [
                "P-101 vibration.high_high",
                "C-202 load.high_high",
                "P-101 vibration.high",
                "E-101 outlet_temperature.high",
                "R-301 load.high",
                "C-202 load.high",
            ]
        );
    }

    #[test]
    fn what_does_not_annunciate_is_listed_last_and_only_if_asked_for() {
        let asides = [Aside::Shelved, Aside::OutOfService].into();
        let all = listed(&AlarmFilter { asides, ..Default::default() });
        assert_eq!(all[6..], ["K-401 load.high", "B-501 load.high_high"]);
        let asides = [Aside::Suppressed].into();
        let all = listed(&AlarmFilter { asides, ..Default::default() });
        assert_eq!(all[6..], ["F-101 load.high"]);
    }

    #[test]
    fn each_filter_narrows_the_list() {
        let scene = testing::scene();
        let pump = scene.twin("P-101").unwrap().index;
        let area = |area: &str| AlarmFilter { area: Some(area.into()), ..Default::default() };
        for (filter, count) in [
            (AlarmFilter { without: [Priority::Critical, Priority::High].into(), ..Default::default() }, 4),
            (AlarmFilter { states: States::Unacknowledged, ..Default::default() }, 4),
            (AlarmFilter { states: States::Active, ..Default::default() }, 4),
            (AlarmFilter { twin: Some(pump), ..Default::default() }, 2),
            (area("Packing"), 3),
            (area("Pack"), 0),
            (AlarmFilter { search: "CONVEYOR load".into(), ..Default::default() }, 2),
            (AlarmFilter { group: Some("bearings".into()), ..Default::default() }, 2),
        ] {
            assert_eq!(listed(&filter).len(), count, "{filter:?}: {:?}", listed(&filter));
            assert!(filter.narrows());
        }
    }

    #[test]
    fn areas_come_with_those_above_them() {
        let (areas, groups) = areas_and_groups(&testing::scene());
        assert_eq!(areas, ["Filling", "Packing", "Utilities", "Utilities/Air", "Utilities/Steam"]);
        assert_eq!(groups, ["bearings"]);
    }

    #[test]
    fn a_group_is_all_of_its_alarms_and_no_name_is_no_group() {
        let scene = testing::scene();
        let titles = titles(&scene, &members(&scene, "bearings").collect::<Vec<_>>());
        assert_eq!(titles, ["P-101 vibration.high", "P-101 vibration.high_high"]);
        assert_eq!(members(&scene, "").count(), 0);
    }

    #[test]
    fn only_what_can_be_done_is_offered() {
        let plant = testing::plant();
        let index = |id, name| testing::alarms::rule(&plant.scene, id, name).index;
        let (returned, acknowledged) = (index("R-301", "load.high"), index("C-202", "load.high"));
        let (latched, shelved) = (index("C-202", "load.high_high"), index("K-401", "load.high"));
        let offers = offers(&plant.board, [returned, acknowledged, latched, shelved, AlarmIndex(9_999)]);
        assert_eq!(offers.acknowledge, [returned, shelved], "a shelved alarm can be acknowledged, too");
        assert_eq!(offers.reset, [latched]);
        assert_eq!(offers.unshelve, [shelved]);
        assert_eq!(offers.shelve, [returned, acknowledged, latched]);
        assert_eq!(offers.all.len(), 4);
    }
}
