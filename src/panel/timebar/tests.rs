use std::sync::Arc;

use bevy_egui::egui::{self, Key, MouseWheelUnit, PointerButton, pos2, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};

use super::remarks::RemarkKind;
use super::*;
use crate::command::{AttentionCommand, CameraCommand, JournalCommand};
use crate::history::Density;
use crate::panel::testing::{self, now, second as at};

struct Bar {
    state: TimeState,
    out: Vec<OperatorCommand>,
}

/// What a bar is opened with.
struct Case {
    extent: Extent,
    cursor: Cursor,
    marks: Marks,
    selected: Option<TwinIndex>,
    horizon: Horizon,
}

impl Case {
    fn at(cursor: Cursor) -> Self {
        Self { extent: Extent::Live, cursor, marks: Marks::default(), selected: None, horizon: Horizon(None) }
    }

    fn recorded(cursor: Cursor) -> Self {
        let density = Arc::new([3, 5, 0, 0, 8, 2]);
        Self { extent: Extent::Recorded { start: at(0), end: at(600), density }, ..Self::at(cursor) }
    }

    fn marked(self, start: i64, end: i64) -> Self {
        Self { marks: Marks { start: Some(at(start)), end: Some(at(end)), looping: false }, ..self }
    }

    /// A layer has something to show until then.
    fn until(self, secs: i64) -> Self {
        Self { horizon: Horizon(Some(at(secs))), ..self }
    }

    fn open(self, width: f32) -> Harness<'static, Bar> {
        let plant = testing::plant();
        let bar = Bar { state: TimeState::default(), out: Vec::new() };
        let mut harness = testing::harness(bar, move |ui, bar| {
            let view = plant.time_until(self.horizon, &self.extent, self.cursor, self.marks, &bar.state);
            let view = TimeView { selected: self.selected, ..view };
            egui::Panel::bottom("time").exact_size(HEIGHT).show(ui, |ui| {
                time_ui(ui, &view, &mut bar.state, &mut bar.out);
            });
        });
        harness.set_size(vec2(width, 640.0));
        harness.run();
        harness
    }
}

fn bar(cursor: Cursor) -> Harness<'static, Bar> {
    Case::at(cursor).open(1_024.0)
}

fn paused() -> Cursor {
    Cursor::Paused(at(300))
}

fn click(harness: &mut Harness<Bar>, name: &str) -> Vec<OperatorCommand> {
    harness.get_by_label(name).click();
    harness.run();
    std::mem::take(&mut harness.state_mut().out)
}

fn enter(harness: &mut Harness<Bar>, field: &str, text: &str) {
    harness.get_by_label(field).type_text(text);
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
}

#[test]
fn buttons_ask_for_what_they_say() {
    let step = |by, forward| vec![OperatorCommand::Time(TimeCommand::Step { by, forward })];
    for (name, commands) in [
        ("Play", vec![OperatorCommand::Time(TimeCommand::Play { speed: 1.0 })]),
        ("Go live", vec![OperatorCommand::Time(TimeCommand::GoLive)]),
        ("Catch up", vec![OperatorCommand::Time(TimeCommand::CatchUp)]),
        ("To the start", vec![OperatorCommand::Time(TimeCommand::Seek(at(0)))]),
        ("Previous event", step(StepBy::Event, false)),
        ("Previous sample", step(StepBy::Sample, false)),
        ("Next sample", step(StepBy::Sample, true)),
        ("Next event", step(StepBy::Event, true)),
        ("In mark", vec![OperatorCommand::Time(TimeCommand::Mark { end: MarkEnd::In, at: Some(at(300)) })]),
        ("Out mark", vec![OperatorCommand::Time(TimeCommand::Mark { end: MarkEnd::Out, at: Some(at(300)) })]),
        ("Loop", vec![OperatorCommand::Time(TimeCommand::Loop(true))]),
    ] {
        assert_eq!(click(&mut bar(paused()), name), commands, "{name}");
    }
    assert_eq!(click(&mut bar(Cursor::Live), "Pause"), [OperatorCommand::Time(TimeCommand::Pause)]);
    let mut live = bar(Cursor::Live);
    assert_eq!((click(&mut live, "Go live"), click(&mut live, "Catch up")), (vec![], vec![]), "it is live");
    let recorded = || Case::recorded(paused()).open(1_024.0);
    assert_eq!(click(&mut recorded(), "To the end"), [OperatorCommand::Time(TimeCommand::GoLive)]);
    assert!(recorded().query_by_label("Go live").is_none(), "a recording is never live");
}

#[test]
fn nothing_of_the_bar_is_cut_or_overlaps_in_a_small_window() {
    for case in
        [Case::at(Cursor::Live), Case::at(paused()), Case::recorded(Cursor::Playing { at: at(300), speed: -0.05 })]
    {
        let harness = case.marked(100, 200).open(1_000.0);
        let names = [
            "To the start",
            "Previous event",
            "Previous sample",
            "Next sample",
            "Next event",
            "Go live",
            "To the end",
            "Catch up",
            "Type a time",
            "In mark",
            "Out mark",
            "Loop",
            "Write a note",
            "Set a bookmark",
            "Zoom out",
            "Zoom in",
            "Show all time",
        ];
        let rects: Vec<_> =
            names.iter().filter_map(|name| Some((name, harness.query_by_label(name)?.rect()))).collect();
        assert!(rects.len() >= 15, "{rects:?}");
        for (name, rect) in &rects {
            assert!(rect.left() >= 0.0 && rect.right() <= 1_000.0 && rect.bottom() <= 640.0, "{name} {rect}");
            for (other, place) in rects.iter().filter(|(other, _)| other != name) {
                assert!(!rect.shrink(0.5).intersects(place.shrink(0.5)), "{name} {rect} lies on {other} {place}");
            }
        }
    }
}

#[test]
fn a_click_on_the_strip_goes_to_that_moment_and_its_end_is_live() {
    let mut harness = bar(paused());
    let strip = harness.get_by_label("Time").rect();
    let ticks = strip.bottom() - 6.0;
    let mut go = |fraction: f32| {
        let place = pos2(strip.left() + 9.0 + fraction * (strip.width() - 18.0), ticks);
        harness.drag_at(place);
        harness.run();
        harness.drop_at(place);
        harness.run();
        std::mem::take(&mut harness.state_mut().out)
    };
    let commands = go(0.25);
    let Some(OperatorCommand::Time(TimeCommand::Seek(moment))) = commands.first() else { panic!("{commands:?}") };
    assert!((moment.secs_since(at(0)) - 150.0).abs() < 1.0, "{moment}");
    assert_eq!(go(1.0).first(), Some(&OperatorCommand::Time(TimeCommand::GoLive)));
}

#[test]
fn a_drag_along_the_strip_scrubs() {
    let mut harness = bar(paused());
    let strip = harness.get_by_label("Time").rect();
    let y = strip.bottom() - 6.0;
    harness.drag_at(pos2(strip.center().x, y));
    harness.run();
    harness.hover_at(pos2(strip.left() + 9.0 + (strip.width() - 18.0) * 0.75, y));
    harness.run();
    let Some(OperatorCommand::Time(TimeCommand::Seek(moment))) = harness.state().out.last() else { panic!("no scrub") };
    assert!((moment.secs_since(at(0)) - 450.0).abs() < 1.0, "{moment}");
}

#[test]
fn a_click_on_a_flag_goes_to_its_moment_and_frames_its_twin() {
    let mut harness = bar(paused());
    let scene = testing::scene();
    let alarm =
        harness.query_all_by_label_contains("vibration above 4.5 mm/s (high): raised").next().map(|flag| flag.rect());
    let alarm = alarm.expect("a flag");
    harness.hover_at(alarm.center());
    harness.run();
    harness.drag_at(alarm.center());
    harness.drop_at(alarm.center());
    harness.run();
    let pump = scene.twin("P-101").map(|twin| twin.index);
    let expected = [
        OperatorCommand::Time(TimeCommand::Seek(at(477))),
        OperatorCommand::Attention(AttentionCommand::Select(pump)),
        OperatorCommand::Camera(CameraCommand::Focus(pump)),
    ];
    assert_eq!(harness.state().out, expected);
}

#[test]
fn the_wheel_zooms_around_the_pointer_and_a_key_or_button_shows_all_again() {
    let mut harness = bar(paused());
    let strip = harness.get_by_label("Time").rect();
    harness.hover_at(strip.center());
    harness.run();
    let wheel = egui::Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, 140.0),
        phase: egui::TouchPhase::Move,
        modifiers: egui::Modifiers::NONE,
    };
    harness.event(wheel);
    harness.run_steps(30);
    let zoom = harness.state().state.zoom.expect("a zoom");
    assert!(zoom.secs() < 400.0 && zoom.contains(at(300)), "{zoom:?}");
    assert!((zoom.fraction(at(300)) - 0.5).abs() < 0.02, "the middle stays");
    let before = zoom;
    // The right button moves along.
    let place = pos2(strip.center().x, strip.bottom() - 6.0);
    for (position, pressed) in [(place, true), (place + vec2(100.0, 0.0), false)] {
        harness.event(egui::Event::PointerMoved(position));
        harness.run();
        let button = PointerButton::Secondary;
        harness.event(egui::Event::PointerButton { pos: position, button, pressed, modifiers: egui::Modifiers::NONE });
        harness.run();
    }
    assert!(harness.state().state.zoom.is_some_and(|zoom| zoom.from < before.from), "what lies before comes in");
    assert_eq!(harness.state().out, [], "looking elsewhere moves no cursor");
    click(&mut harness, "Show all time");
    assert_eq!(harness.state().state.zoom, None);
}

#[test]
fn marks_are_dragged_but_not_past_each_other() {
    let mut harness = Case::at(paused()).marked(100, 200).open(1_024.0);
    let strip = harness.get_by_label("Time").rect();
    let x = |secs: f32| strip.left() + 9.0 + (strip.width() - 18.0) * secs / 600.0;
    let grip = harness.get_by_label_contains("In mark at 14:01:40").rect().center();
    harness.drag_at(grip);
    harness.run();
    harness.hover_at(pos2(x(150.0), grip.y));
    harness.run();
    let last = harness.state().out.last().cloned();
    let Some(OperatorCommand::Time(TimeCommand::Mark { end: MarkEnd::In, at: Some(moved) })) = last else {
        panic!("{last:?}")
    };
    assert!((moved.secs_since(at(0)) - 150.0).abs() < 2.0, "{moved}");
    harness.hover_at(pos2(x(400.0), grip.y));
    harness.run();
    let last = harness.state().out.last().cloned();
    assert!(
        matches!(last, Some(OperatorCommand::Time(TimeCommand::Mark { at: Some(moved), .. })) if moved < at(200)),
        "{last:?}"
    );
}

#[test]
fn a_typed_time_is_gone_to_and_nonsense_is_told() {
    for (text, command) in [
        ("14:02:03", OperatorCommand::Time(TimeCommand::Seek(at(123)))),
        ("-90s", OperatorCommand::Time(TimeCommand::Seek(at(210)))),
        ("start+10s", OperatorCommand::Time(TimeCommand::Seek(at(10)))),
        ("2026-01-31T14:05:00.5Z", OperatorCommand::Time(TimeCommand::Seek(at(300) + Duration::from_millis(500)))),
        ("now", OperatorCommand::Time(TimeCommand::GoLive)),
        ("12:00", OperatorCommand::Time(TimeCommand::Seek(at(0)))),
    ] {
        let mut harness = bar(paused());
        click(&mut harness, "Type a time");
        enter(&mut harness, "Go to a time", text);
        assert_eq!(harness.state().out, [command], "{text}");
        assert!(harness.query_by_label("Type a time").is_some(), "the clock is back");
    }
    let mut harness = bar(paused());
    click(&mut harness, "Type a time");
    enter(&mut harness, "Go to a time", "teatime");
    assert_eq!(harness.state().out, []);
    assert!(harness.query_by_label_contains("`teatime` is no time").is_some());
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_label("Type a time").is_some());
}

#[test]
fn speeds_reach_from_a_hundredth_to_a_thousand_both_ways() {
    let mut harness = Case::at(Cursor::Playing { at: at(300), speed: 1.0 }).open(1_024.0);
    click(&mut harness, "Speed ×1");
    let commands = click(&mut harness, "×−1000");
    assert_eq!(commands, [OperatorCommand::Time(TimeCommand::Play { speed: -1000.0 })]);
    let mut harness = bar(paused());
    click(&mut harness, "Speed ×1");
    assert_eq!(click(&mut harness, "×0.01"), [], "a pause stays one");
    assert_eq!(click(&mut harness, "Play"), [OperatorCommand::Time(TimeCommand::Play { speed: 0.01 })]);
    assert_eq!([SpeedChange::Faster, SpeedChange::Slower, SpeedChange::Reverse].map(|by| by.of(2.0)), [5.0, 1.0, -2.0]);
}

#[test]
fn gaps_are_jumped_over_from_a_length_that_is_chosen() {
    let mut harness = bar(paused());
    click(&mut harness, "Skip gaps: never");
    let longest = Some(Duration::from_secs(60));
    assert_eq!(click(&mut harness, "Longer than 1 min"), [OperatorCommand::Time(TimeCommand::SkipGaps(longest))]);
}

#[test]
fn a_note_is_about_the_moment_and_the_twin_at_which_it_was_begun() {
    let twin = Some(TwinIndex(2));
    let mut harness = Case { selected: twin, ..Case::at(paused()) }.open(1_024.0);
    click(&mut harness, "Write a note");
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().out, [], "there is nothing to write yet");
    assert!(harness.query_by_label_contains("14:05:00 UTC, by ada").is_some());
    enter(&mut harness, "Note text", "smells hot");
    let note = OperatorCommand::Journal(JournalCommand::Note { text: "smells hot".into(), twin, at: Some(at(300)) });
    assert_eq!(std::mem::take(&mut harness.state_mut().out), [note]);
    click(&mut harness, "Set a bookmark");
    click(&mut harness, "About F-101");
    let bookmark =
        OperatorCommand::Journal(JournalCommand::Bookmark { text: String::new(), twin: None, at: Some(at(300)) });
    assert_eq!(click(&mut harness, "Add bookmark"), [bookmark], "a moment can be marked without a word");
}

#[test]
fn the_list_of_notes_leads_to_them() {
    let mut harness = bar(Cursor::Playing { at: at(100), speed: 5.0 });
    click(&mut harness, "Notes and bookmarks (1)");
    let commands = click(&mut harness, "14:09:22 E-101  thermowell looks wet");
    assert_eq!(commands.first(), Some(&OperatorCommand::Time(TimeCommand::Seek(at(562)))));
    assert_eq!(commands.len(), 3, "its twin is selected and in the picture");
}

#[test]
fn space_pauses_what_moves_and_plays_what_stands() {
    let plant = testing::plant();
    let state = TimeState::default();
    let ask = |cursor| pause_or_play(&plant.time(cursor, &state), 2.0);
    assert_eq!(ask(Cursor::Live), OperatorCommand::Time(TimeCommand::Pause));
    assert_eq!(ask(Cursor::Playing { at: at(7), speed: 2.0 }), OperatorCommand::Time(TimeCommand::Pause));
    assert_eq!(ask(paused()), OperatorCommand::Time(TimeCommand::Play { speed: 2.0 }));
}

#[test]
fn a_mark_that_stands_here_is_taken_away() {
    let plant = testing::plant();
    let marks = Marks { start: Some(at(300)), ..Marks::default() };
    let view = plant.time_in(&Extent::Live, paused(), marks, &TimeState::default());
    assert_eq!(
        toggle_mark(&view, MarkEnd::In),
        OperatorCommand::Time(TimeCommand::Mark { end: MarkEnd::In, at: None })
    );
    assert_eq!(
        toggle_mark(&view, MarkEnd::Out),
        OperatorCommand::Time(TimeCommand::Mark { end: MarkEnd::Out, at: Some(at(300)) })
    );
}

#[test]
fn the_badge_says_replay_in_a_recording_whatever_the_cursor_does() {
    let playing = Cursor::Playing { at: at(3), speed: -10.0 };
    assert_eq!(
        [Cursor::Live, paused(), playing].map(|cursor| badge(&cursor, false)),
        ["LIVE", "PAUSED", "REPLAY ×−10"]
    );
    let recorded = [Cursor::Live, paused(), playing].map(|cursor| badge(&cursor, true));
    assert_eq!(recorded, ["REPLAY", "REPLAY paused", "REPLAY ×−10"]);
}

#[test]
fn the_axis_reaches_from_end_to_end_of_a_recording_and_from_the_oldest_data_of_a_session() {
    let moment = testing::moment();
    assert_eq!(whole(&Extent::Live, &moment, Some((Timestamp(0), now()))).from, at(0), "1970 is a stray stamp");
    assert_eq!(whole(&Extent::Live, &moment, Some((at(-30), now()))).from, at(-30));
    let recorded = Extent::Recorded { start: at(10), end: at(90), density: Arc::default() };
    assert_eq!(whole(&recorded, &moment, Some((at(40), at(50)))), Window::new(at(10), at(90)));
}

#[test]
fn the_strip_tells_how_much_came_when() {
    let plant = testing::plant();
    let state = TimeState { columns: 10, ..TimeState::default() };
    let view = plant.time(Cursor::Live, &state);
    let silent: Vec<_> = (0..10).filter(|place| view.rates[*place] == 0.0).collect();
    assert_eq!(view.rates.len(), 10);
    assert_eq!(silent, [] as [usize; 0], "the silence is shorter than a column");
    let zoomed = TimeState { zoom: Some(Window::new(at(100), at(200))), ..state };
    let view = plant.time(Cursor::Live, &zoomed);
    let silent: Vec<_> = (0..10).filter(|place| view.rates[*place] == 0.0).collect();
    assert_eq!(silent, [2, 3, 4, 5]);
    assert_eq!(Counts::of(&Extent::Live, &Density::default()).rates(at(0), at(1), 3), [0.0; 3]);
}

#[test]
fn a_dialog_opens_for_what_a_key_asks() {
    let plant = testing::plant();
    let mut state = TimeState::default();
    state.write(&plant.time(paused(), &TimeState::default()), RemarkKind::Bookmark);
    state.type_time();
    assert!(state.remark.is_some() && state.typing.is_some());
}

/// Presses and lets go at a share of the strip's width; gives what that asked for.
fn click_at(harness: &mut Harness<Bar>, fraction: f32) -> Vec<OperatorCommand> {
    let strip = harness.get_by_label("Time").rect();
    let place = pos2(strip.left() + 9.0 + fraction * (strip.width() - 18.0), strip.bottom() - 6.0);
    harness.drag_at(place);
    harness.run();
    harness.drop_at(place);
    harness.run();
    std::mem::take(&mut harness.state_mut().out)
}

#[test]
fn the_strip_goes_on_beyond_now_as_far_as_a_layer_reaches() {
    let mut harness = Case::at(Cursor::Live).until(1_200).open(1_024.0);
    let strip = harness.get_by_label("Time").rect();
    let (now, ahead) = (harness.get_by_label("Now").rect(), harness.get_by_label("Ahead of now").rect());
    let middle = strip.center().x;
    assert!(now.right() < middle && (middle - now.right()) < 12.0, "now stands in the middle: {now} of {strip}");
    assert!(ahead.left() > middle && ahead.left() - middle < 12.0, "{ahead}");
    let commands = click_at(&mut harness, 0.75);
    let Some(OperatorCommand::Time(TimeCommand::Seek(moment))) = commands.first() else { panic!("{commands:?}") };
    assert!((moment.secs_since(at(0)) - 900.0).abs() < 2.0, "{moment}");
    assert_eq!(click_at(&mut harness, 0.5), [], "it is live already");
    let mut paused = Case::at(paused()).until(1_200).open(1_024.0);
    assert_eq!(click_at(&mut paused, 0.5).first(), Some(&TimeCommand::GoLive.into()), "now is live");
    assert_eq!(click_at(&mut paused, 1.0).first(), Some(&TimeCommand::Seek(at(1_200)).into()), "its end is not");
    assert!(
        Case::at(Cursor::Live).open(1_024.0).query_by_label("Ahead of now").is_none(),
        "without a layer there is none"
    );
}

#[test]
fn a_recording_says_where_it_ends_and_what_lies_beyond() {
    let mut harness = Case::recorded(paused()).until(900).open(1_024.0);
    harness.get_by_label("Now");
    let commands = click_at(&mut harness, 5.0 / 6.0);
    let Some(OperatorCommand::Time(TimeCommand::Seek(moment))) = commands.first() else { panic!("{commands:?}") };
    assert!((moment.secs_since(at(0)) - 750.0).abs() < 2.0, "{moment}");
    assert_eq!(click(&mut harness, "To the end"), [TimeCommand::GoLive.into()], "of the recording");
}

#[test]
fn a_typed_time_may_lie_beyond_now_where_a_layer_reaches() {
    for (cursor, text, command) in [
        (Cursor::Live, "+5m", TimeCommand::Seek(at(900))),
        (paused(), "now+10m", TimeCommand::Seek(at(1_200))),
        (paused(), "14:15:00", TimeCommand::Seek(at(900))),
        (paused(), "+2h", TimeCommand::Seek(at(1_200))),
        (paused(), "horizon-1m", TimeCommand::Seek(at(1_140))),
        (Cursor::Paused(at(900)), "now", TimeCommand::GoLive),
    ] {
        let mut harness = Case::at(cursor).until(1_200).open(1_024.0);
        click(&mut harness, "Type a time");
        enter(&mut harness, "Go to a time", text);
        assert_eq!(harness.state().out, [command.into()], "{text}");
    }
}

#[test]
fn beyond_now_the_bar_says_how_far_and_never_live() {
    let plant = testing::plant();
    let view = |cursor, extent: &Extent| {
        let horizon = Horizon(Some(at(1_200)));
        let view = plant.time_until(horizon, extent, cursor, Marks::default(), &TimeState::default());
        (view.badge(), super::clock::distance(&view))
    };
    let ahead = |cursor| view(cursor, &Extent::Live);
    assert_eq!(ahead(Cursor::Paused(at(900))), ("AHEAD".into(), "5:00 ahead of now".into()));
    assert_eq!(ahead(Cursor::Playing { at: at(660), speed: 2.0 }).0, "AHEAD ×2");
    assert_eq!(ahead(Cursor::Live).0, "LIVE", "live stays at now");
    assert_eq!(ahead(Cursor::Paused(at(540))), ("PAUSED".into(), "1:00 behind live".into()));
    let recorded = Extent::Recorded { start: at(0), end: at(600), density: Arc::default() };
    assert_eq!(view(Cursor::Paused(at(660)), &recorded), ("AHEAD".into(), "1:00 after its end".into()));
    assert_eq!(view(Cursor::Paused(at(60)), &recorded), ("REPLAY paused".into(), "1:00 of 10:00".into()));
    let harness = Case::at(Cursor::Paused(at(900))).until(1_200).open(1_024.0);
    assert!(harness.query_by_label_contains("Catch up").is_some());
}

#[test]
fn a_note_that_is_written_beyond_now_is_about_now() {
    let mut harness = Case::at(Cursor::Paused(at(900))).until(1_200).open(1_024.0);
    click(&mut harness, "Write a note");
    assert!(harness.query_by_label_contains("14:10:00 UTC, by ada").is_some());
}
