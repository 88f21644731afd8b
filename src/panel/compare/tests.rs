use bevy_egui::egui::vec2;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::command::{AttentionCommand, LayerCommand, OperatorCommand, TimeCommand};
use crate::layers::{Deviation, PALETTE};
use crate::panel::testing;
use crate::value::{LayerId, Shift};

fn layer(id: u32, name: &str) -> LayerView {
    LayerView {
        key: LayerKey { id: LayerId(id), name: name.into(), look: PALETTE[id as usize] },
        at: "2026-02-01 14:00:00 UTC".into(),
        alignment: "aligned by start".into(),
    }
}

fn cell(value: &str, difference: &str, weight: f64) -> Option<LayerCell> {
    Some(LayerCell { value: value.into(), difference: difference.into(), weight })
}

fn view() -> (CompareView, SignalIndex, TwinIndex) {
    let scene = testing::scene();
    let flow = scene.signal("P-101", "flow").unwrap();
    let row = |path: &str, weight| SignalRow {
        signal: flow.index,
        twin: flow.twin,
        path: path.into(),
        here: "58.10".into(),
        layers: vec![cell("41.30", "−16.80 m³/h", weight)],
        weight,
        drawable: true,
    };
    let event = |secs, text: &str, which| EventRow {
        at: testing::second(secs),
        twin: Some(flow.twin),
        text: text.into(),
        which: vec![Some(which)],
    };
    let view = CompareView {
        here: "mon.mcap".into(),
        layers: vec![layer(0, "tue.mcap")],
        signals: vec![row("P-101.flow", 0.28), row("P-101.power", 0.04)],
        same: 12,
        is_ahead: false,
        left_out: vec!["P-101.level is only in tue.mcap".into()],
        events: vec![
            event(30, "P-101/vibration.high raised", Which::Both(12.4)),
            event(60, "P-101/flow.low raised", Which::Beside),
        ],
        until_cursor: 1,
        simultaneous: 20,
        ghosts: Ghosts::Differing,
    };
    (view, flow.index, flow.twin)
}

/// The same with two layers.
fn view_of_two() -> CompareView {
    let (mut view, ..) = view();
    view.layers.push(layer(1, "wed.mcap"));
    view.signals[0].layers.push(cell("60.20", "+2.10 m³/h", 0.03));
    view.signals[1].layers.push(None);
    view.events[0].which.push(Some(Which::Here));
    view.events[1].which.push(None);
    view
}

#[test]
fn differences_and_events_are_told_and_lead_to_their_twin_and_moment() {
    let (view, _, twin) = view();
    let mut harness = testing::harness(Vec::new(), move |ui, out| compare_ui(ui, &view, out));
    harness.run();
    harness.get_by_label("12 signals alike at this moment");
    harness.get_by_label("P-101.level is only in tue.mcap");
    harness.get_by_label("aligned by start");
    harness.get_by_label("P-101.flow: 58.10 here, 41.30 beside, −16.80 m³/h").click();
    harness.run();
    assert_eq!(*harness.state(), [OperatorCommand::Attention(AttentionCommand::Select(Some(twin)))]);
    harness.get_by_label("P-101/vibration.high raised: 12.4 s later");
    harness.get_by_label("20 events at the same time");
    harness.get_by_label("P-101/flow.low raised: only beside").click();
    harness.run();
    let [.., seek, select] = &harness.state()[..] else { panic!("{:?}", harness.state()) };
    assert_eq!(*seek, OperatorCommand::Time(TimeCommand::Seek(testing::second(60))));
    assert_eq!(*select, OperatorCommand::Attention(AttentionCommand::Select(Some(twin))));
}

#[test]
fn the_other_is_shifted_by_hand_and_ghosts_are_chosen() {
    let (view, ..) = view();
    let mut harness = testing::harness(Vec::new(), move |ui, out| compare_ui(ui, &view, out));
    harness.run();
    harness.get_by_label("−10 s").click();
    harness.run();
    harness.get_by_value("where they differ").click();
    harness.run();
    harness.get_by_label("of all twins").click();
    harness.run();
    let by = Shift::from_secs_f64(-10.0);
    let shift = OperatorCommand::Layer(LayerCommand::Shift { layer: LayerId(0), by });
    assert_eq!(*harness.state(), [shift, OperatorCommand::Layer(LayerCommand::ShowGhosts(Ghosts::All))]);
}

#[test]
fn without_a_recording_beside_it_says_how_to_get_one() {
    let harness = testing::harness(Vec::new(), |ui, out| compare_ui(ui, &CompareView::default(), out));
    harness.get_by_label("Nothing beside this");
}

#[test]
fn in_a_narrow_panel_both_lists_are_in_sight() {
    let (view, ..) = view();
    let mut harness = testing::harness(Vec::new(), move |ui, out| compare_ui(ui, &view, out));
    harness.set_size(vec2(420.0, 400.0));
    harness.run();
    let rect = |label: &str| harness.get_by_label(label).rect();
    let (signal, event) =
        (rect("P-101.flow: 58.10 here, 41.30 beside, −16.80 m³/h"), rect("P-101/flow.low raised: only beside"));
    assert!(signal.bottom() < event.top() && event.bottom() <= 400.0, "{signal} {event}");
}

#[test]
fn several_layers_stand_in_columns_and_each_is_shifted_by_itself() {
    let view = view_of_two();
    let mut harness = testing::harness(Vec::new(), move |ui, out| compare_ui(ui, &view, out));
    harness.set_size(vec2(1_100.0, 400.0));
    harness.run();
    harness.get_by_label("P-101.flow: 58.10 here, 41.30 in tue.mcap (−16.80 m³/h), 60.20 in wed.mcap (+2.10 m³/h)");
    harness.get_by_label("P-101.power: 58.10 here, 41.30 in tue.mcap (−16.80 m³/h)");
    harness.get_by_label("P-101/vibration.high raised: 12.4 s later in tue.mcap, only here in wed.mcap");
    harness.get_by_label("P-101/flow.low raised: only beside in tue.mcap");
    let mut nudges: Vec<_> = harness.query_all_by_label("+1 s").collect();
    nudges.sort_by(|a, b| a.rect().top().total_cmp(&b.rect().top()));
    let [_, second] = &nudges[..] else { panic!("{} buttons", nudges.len()) };
    second.click();
    harness.run();
    let by = Shift::from_secs_f64(1.0);
    assert_eq!(*harness.state(), [OperatorCommand::Layer(LayerCommand::Shift { layer: LayerId(1), by })]);
}

#[test]
fn the_lines_of_many_layers_leave_room_for_the_tables() {
    let mut view = view_of_two();
    for id in 2..6 {
        view.layers.push(layer(id, &format!("run-{id}.mcap")));
        view.signals[0].layers.push(cell("1.0", "", 0.0));
    }
    let mut harness = testing::harness(Vec::new(), move |ui, out| compare_ui(ui, &view, out));
    for width in [420.0, 820.0, 1_400.0] {
        harness.set_size(vec2(width, 400.0));
        harness.run();
        let row = harness.query_all_by_label_contains("P-101.flow: 58.10 here").next().expect("a row").rect();
        assert!(row.top() < 180.0 && row.right() <= width + 0.5, "{width}: {row}");
    }
}

/// The comparison of the hall with two layers: 7.6 give or take nothing, and 42 give or take two.
fn compared(time: ViewTime) -> CompareView {
    let plant = testing::plant();
    let layers = testing::layers::layers(vec![
        testing::layers::constant(&plant.scene, "flat", 7.6, 0.0, 900),
        testing::layers::constant(&plant.scene, "guess", 42.0, 2.0, 1_200),
    ]);
    let counterparts = |signal: SignalIndex| {
        let current = plant.currents.get(signal.at())?;
        let of = |slot: &Slot| {
            let pair = slot.layer.pairs().get(signal)?;
            let there = slot.layer.value(pair, time.shown);
            let own = current.value.as_ref().filter(|_| !time.is_ahead());
            let deviation = Deviation::between(own, there.current.value.as_ref(), 100.0);
            Some(Counterpart { current: there.current, band: there.band, deviation })
        };
        Some(Counterparts(layers.iter().map(of).collect()))
    };
    compare_view(&CompareInput {
        scene: &plant.scene,
        layers: &layers,
        ghosts: Ghosts::Differing,
        current: &|signal| Current {
            value: plant.currents[signal.at()].value.clone().filter(|_| !time.is_ahead()),
            ..plant.currents[signal.at()].clone()
        },
        counterparts: &counterparts,
        time,
    })
}

#[test]
fn a_row_has_a_cell_for_each_layer_and_a_band_is_a_range() {
    let view = compared(testing::moment());
    let flow = view.signals.iter().find(|row| row.path == "P-101.vibration").expect("it differs in one");
    assert_eq!(flow.here, "7.60");
    let cells: Vec<_> = flow.layers.iter().flatten().map(|cell| (cell.value.as_str(), cell.weight)).collect();
    assert_eq!(cells, [("7.60", 0.0), ("40–44", 0.344)]);
    assert!(flow.layers[1].as_ref().is_some_and(|cell| cell.difference.starts_with("+34.")), "{flow:?}");
    let names: Vec<_> = view.layers.iter().map(|layer| layer.key.name.as_str()).collect();
    assert_eq!((view.here.as_str(), names), ("live", vec!["flat", "guess"]));
    assert!(view.layers.iter().all(|layer| layer.alignment.is_empty()), "nothing to be shifted against");
}

#[test]
fn ahead_of_now_layers_are_told_and_nothing_is_called_alike() {
    let view = compared(ViewTime { shown: testing::second(700), ..testing::moment() });
    assert_eq!(view.same, 0);
    let row = view.signals.iter().find(|row| row.path == "P-101.flow").expect("a row");
    assert_eq!(row.here, "–");
    assert!(row.layers.iter().flatten().all(|cell| cell.difference.is_empty() && cell.value != "–"), "{row:?}");
    let mut harness = testing::harness(Vec::new(), move |ui, out| compare_ui(ui, &view, out));
    harness.set_size(vec2(1_100.0, 2_000.0));
    harness.run();
    let said = harness.get_by_label("ahead of now nothing is measured: there is nothing to compare with");
    assert!(said.rect().top() > 0.0);
}
