//! The alarm list as an operator drives it: by what is written on it.

use std::time::Duration;

use bevy_egui::egui::{Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::*;
use crate::command::{AttentionCommand, CameraCommand, LimitField, SceneCommand, TimeCommand};
use crate::panel::testing::{self, Plant, alarms::rule};

struct Desk {
    plant: Plant,
    live: bool,
    state: AlarmsState,
    out: Vec<OperatorCommand>,
}

/// As commands name it.
fn path(twin: &str, name: &str) -> AlarmPath {
    AlarmPath::of_twin(twin, name)
}

impl Desk {
    fn index(&self, twin: &str, name: &str) -> AlarmIndex {
        rule(&self.plant.scene, twin, name).index
    }
}

fn desk() -> Harness<'static, Desk> {
    desk_at(true)
}

fn desk_at(live: bool) -> Harness<'static, Desk> {
    let desk = Desk { plant: testing::plant(), live, state: AlarmsState::default(), out: Vec::new() };
    let mut harness = testing::harness(desk, |ui, desk| {
        let (plant, live) = (&desk.plant, desk.live);
        plant.alarms(|view| alarms_ui(ui, &AlarmsView { live, ..*view }, &mut desk.state, &mut desk.out));
    });
    harness.set_size(vec2(1000.0, 560.0));
    harness.run();
    harness
}

const BEARING: &str = "P-101 vibration above 7.1 mm/s (high high)";
const OUTLET: &str = "E-101 outlet_temperature above 82 °C (high)";
const LATCHED: &str = "C-202 load above 98 % (high high)";
const SHELVED: &str = "K-401 load above 90 % (high)";

fn click(harness: &mut Harness<Desk>, name: &str) {
    harness.get_by_label(name).click();
    harness.run();
}

fn write(harness: &mut Harness<Desk>, field: &str, text: &str) {
    harness.get_by_label(field).focus();
    harness.run();
    harness.get_by_label(field).type_text(text);
    harness.run();
}

fn acknowledge(alarms: Vec<AlarmPath>) -> OperatorCommand {
    OperatorCommand::Alarm(AlarmCommand::Act { alarms, action: Action::Acknowledge, comment: String::new() })
}

#[test]
fn one_selected_alarm_is_acknowledged() {
    let mut harness = desk();
    click(&mut harness, BEARING);
    click(&mut harness, "Acknowledge");
    assert_eq!(harness.state().out, [acknowledge(vec![path("P-101", "vibration.high_high")])]);
}

#[test]
fn rows_lie_on_the_screen_in_their_order() {
    let harness = desk();
    let rows = [BEARING, LATCHED, "P-101 vibration above 4.5 mm/s (high)", OUTLET, "R-301 load above 90 % (high)"];
    let tops: Vec<f32> = rows.iter().map(|name| harness.get_by_label(name).rect().top()).collect();
    assert!(tops.is_sorted(), "{tops:?}");
}

#[test]
fn all_in_view_means_only_what_the_filter_lets_through() {
    let mut harness = desk();
    write(&mut harness, "Search alarms", "p-101");
    assert!(harness.query_by_label(OUTLET).is_none());
    click(&mut harness, "All in view (2)");
    let expected = vec![path("P-101", "vibration.high_high"), path("P-101", "vibration.high")];
    assert_eq!(harness.state().out, [acknowledge(expected)]);
}

#[test]
fn an_alarm_that_a_filter_hides_is_not_acted_on() {
    let mut harness = desk();
    click(&mut harness, BEARING);
    click(&mut harness, "Show critical alarms");
    assert!(harness.query_by_label(BEARING).is_none());
    click(&mut harness, "Acknowledge");
    assert_eq!(harness.state().out, []);
    assert!(harness.state().state.selected.is_empty());
}

#[test]
fn areas_and_states_are_behind_the_filter_button() {
    let mut harness = desk();
    click(&mut harness, "Filter");
    click(&mut harness, "Packing");
    assert!(harness.query_by_label(BEARING).is_none() && harness.query_by_label(LATCHED).is_some());
    click(&mut harness, "Unacknowledged");
    assert!(harness.query_by_label(LATCHED).is_none());
    assert!(harness.query_by_label("R-301 load above 90 % (high)").is_some());
}

#[test]
fn several_are_selected_with_ctrl_and_shift() {
    let mut harness = desk();
    click(&mut harness, BEARING);
    harness.get_by_label(OUTLET).click_modifiers(Modifiers::SHIFT);
    harness.run();
    assert_eq!(harness.state().state.selected.len(), 4);
    harness.get_by_label(LATCHED).click_modifiers(Modifiers::COMMAND);
    harness.run();
    assert_eq!(harness.state().state.selected.len(), 3);
    click(&mut harness, "Acknowledge 3");
    assert!(
        matches!(&harness.state().out[..], [OperatorCommand::Alarm(AlarmCommand::Act { alarms, .. })] if alarms.len() == 3)
    );
}

#[test]
fn shelving_needs_a_reason_and_a_duration() {
    let mut harness = desk();
    click(&mut harness, BEARING);
    click(&mut harness, "Shelve…");
    assert!(harness.query_by_label("A reason is required.").is_some());
    click(&mut harness, "Shelve");
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().out, [], "refused without a reason");
    click(&mut harness, "1 h");
    write(&mut harness, "Reason", "bearing is being changed");
    click(&mut harness, "Shelve");
    let desk = harness.state();
    let shelve = OperatorCommand::Alarm(AlarmCommand::Act {
        alarms: vec![path("P-101", "vibration.high_high")],
        action: Action::Shelve { lasting: Some(Duration::from_secs(3_600)) },
        comment: "bearing is being changed".into(),
    });
    assert_eq!(desk.out, [shelve]);
    assert!(desk.state.dialog.is_none());
}

#[test]
fn a_dialog_that_is_given_up_does_nothing() {
    let mut harness = desk();
    click(&mut harness, BEARING);
    click(&mut harness, "Out of service…");
    write(&mut harness, "Reason", "because");
    click(&mut harness, "Cancel");
    assert!(harness.state().state.dialog.is_none() && harness.state().out.is_empty());
}

#[test]
fn a_shelved_alarm_is_listed_on_request_and_comes_back() {
    let mut harness = desk();
    assert!(harness.query_by_label(SHELVED).is_none());
    click(&mut harness, "Shelved (1)");
    click(&mut harness, SHELVED);
    click(&mut harness, "Unshelve");
    let shelved = path("K-401", "load.high");
    let unshelve = OperatorCommand::Alarm(AlarmCommand::Act {
        alarms: vec![shelved],
        action: Action::Unshelve,
        comment: String::new(),
    });
    assert_eq!(harness.state().out, [unshelve]);
}

#[test]
fn a_latch_is_reset_and_a_comment_is_written() {
    let mut harness = desk();
    click(&mut harness, LATCHED);
    click(&mut harness, "Reset");
    click(&mut harness, "Comment…");
    write(&mut harness, "Comment text", "guide rail bent");
    click(&mut harness, "Add comment");
    let alarms = vec![path("C-202", "load.high_high")];
    let expected = [
        OperatorCommand::Alarm(AlarmCommand::Act {
            alarms: alarms.clone(),
            action: Action::Reset,
            comment: String::new(),
        }),
        OperatorCommand::Alarm(AlarmCommand::Act {
            alarms,
            action: Action::Comment,
            comment: "guide rail bent".into(),
        }),
    ];
    assert_eq!(harness.state().out, expected);
}

#[test]
fn details_tell_what_to_do_and_lead_to_twin_time_and_trend() {
    let mut harness = desk();
    click(&mut harness, BEARING);
    for text in ["Action", "Reduce the speed below", "8 h, 7 h 59 min left", "Active, unacknowledged"] {
        assert!(harness.query_by_label_contains(text).is_some(), "{text}");
    }
    for button in ["Go to twin", "Go to time", "Add trend"] {
        click(&mut harness, button);
    }
    let desk = harness.state();
    let signal = desk.plant.scene.signal("P-101", "vibration").unwrap();
    let expected = [
        OperatorCommand::Attention(AttentionCommand::Select(Some(signal.twin))),
        OperatorCommand::Camera(CameraCommand::Focus(Some(signal.twin))),
        OperatorCommand::Time(TimeCommand::Seek(testing::second(585))),
        OperatorCommand::Attention(AttentionCommand::ToggleTrend(signal.index)),
    ];
    assert_eq!(desk.out, expected);
}

#[test]
fn the_first_of_a_flood_is_found_from_the_flood_notice() {
    let mut harness = desk();
    assert!(harness.query_by_label("14 alarms since 14:07:57").is_some());
    harness.get_by_label("First up: P-101 vibration above 4.5 mm/s (high)").click();
    // The details come into sight, and scroll bars with them.
    harness.run_steps(8);
    let first = harness.state().index("P-101", "vibration.high");
    assert_eq!(harness.state().state.focus, Some(first));
}

#[test]
fn a_limit_is_edited_with_a_reason() {
    let mut harness = desk();
    click(&mut harness, BEARING);
    click(&mut harness, "Edit limit…");
    harness.get_by_label("New value").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    harness.get_by_label("New value").type_text("8.5");
    harness.run();
    write(&mut harness, "Reason", "new bearing");
    click(&mut harness, "Change");
    let edit = OperatorCommand::Scene(SceneCommand::EditLimit {
        alarm: path("P-101", "vibration.high_high"),
        field: LimitField::Limit,
        value: 8.5,
        reason: "new bearing".into(),
    });
    assert_eq!(harness.state().out, [edit]);
}

#[test]
fn a_whole_group_is_acknowledged_or_shelved_from_any_alarm_of_it_whatever_is_listed() {
    let mut harness = desk();
    click(&mut harness, "Show medium alarms");
    assert!(harness.query_by_label("P-101 vibration above 4.5 mm/s (high)").is_none());
    assert!(harness.query_by_label_contains("Acknowledge group").is_none(), "of which group?");
    click(&mut harness, LATCHED);
    assert!(harness.query_by_label_contains("Acknowledge group").is_none(), "it has none");
    click(&mut harness, BEARING);
    let group = vec![path("P-101", "vibration.high"), path("P-101", "vibration.high_high")];
    click(&mut harness, "Acknowledge group (2)");
    assert_eq!(harness.state().out, [acknowledge(group.clone())]);
    click(&mut harness, "Shelve group (2)…");
    write(&mut harness, "Reason", "bearings are being changed");
    click(&mut harness, "Shelve");
    let shelved = match harness.state().out.last() {
        Some(OperatorCommand::Alarm(AlarmCommand::Act { alarms, action: Action::Shelve { .. }, .. })) => alarms.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(shelved, group);
}

#[test]
fn the_horn_is_off_until_somebody_switches_it_on() {
    let mut harness = desk();
    click(&mut harness, "Sound: off");
    click(&mut harness, "Sound for high alarms and above");
    assert_eq!(harness.state().out, [OperatorCommand::Alarm(AlarmCommand::Sound(Some(Priority::High)))]);
}

#[test]
fn in_the_past_nothing_can_be_done_and_the_list_says_why() {
    let mut harness = desk_at(false);
    assert!(harness.query_by_label(NOT_LIVE).is_some());
    click(&mut harness, BEARING);
    for button in ["Acknowledge", "All in view (4)", "Shelve…", "Out of service…", "Comment…", "Edit limit…"] {
        assert!(harness.get_by_label(button).accesskit_node().is_disabled(), "{button}");
        click(&mut harness, button);
    }
    assert!(harness.state().out.is_empty() && harness.state().state.dialog.is_none());
    click(&mut harness, "Go to twin");
    assert_eq!(harness.state().out.len(), 2, "looking is always allowed");
}

#[test]
fn keys_act_on_what_is_selected_while_the_pointer_is_over_the_list() {
    let mut harness = desk();
    click(&mut harness, BEARING);
    harness.key_press(Key::A);
    harness.run();
    harness.key_press(Key::ArrowDown);
    harness.run();
    let desk = harness.state();
    assert_eq!(desk.out, [acknowledge(vec![path("P-101", "vibration.high_high")])]);
    assert_eq!(desk.state.focus, Some(desk.index("C-202", "load.high_high")));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    assert_eq!(harness.state().state.selected.len(), 6);
}

#[test]
fn another_scene_forgets_what_was_selected() {
    let mut harness = desk();
    click(&mut harness, BEARING);
    let loaded = crate::scene::LoadedScene {
        scene: std::sync::Arc::new(harness.state().plant.scene.clone()),
        generation: 2,
        issues: Vec::new(),
    };
    let states = testing::alarms::states(&loaded.scene);
    harness.state_mut().plant.board.show(&loaded, states.into(), testing::now());
    harness.run();
    assert!(harness.state().state.selected.is_empty() && harness.state().state.focus.is_none());
}

#[test]
fn a_dialog_that_is_open_while_the_scene_is_reloaded_still_means_its_alarm() {
    let mut harness = desk();
    click(&mut harness, BEARING);
    click(&mut harness, "Shelve…");
    // All rules move by one place.
    let desk = harness.state_mut();
    let scene = &mut desk.plant.scene;
    scene.alarms.remove(0);
    for (at, rule) in scene.alarms.iter_mut().enumerate() {
        rule.index = AlarmIndex(at as u32);
    }
    let states = testing::alarms::states(scene);
    let scene = std::sync::Arc::new(scene.clone());
    let loaded = crate::scene::LoadedScene { scene, generation: 2, issues: Vec::new() };
    desk.plant.board.show(&loaded, states.into(), testing::now());
    harness.run();
    write(&mut harness, "Reason", "bearing is being changed");
    assert_eq!(harness.query_all_by_label(BEARING).count(), 2, "in the list and in the dialog");
    click(&mut harness, "Shelve");
    let alarms = match harness.state().out.as_slice() {
        [OperatorCommand::Alarm(AlarmCommand::Act { alarms, .. })] => alarms.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(alarms, [path("P-101", "vibration.high_high")]);
}
