//! What is recorded, in sight at all times: a line in the status strip, a box among the connections, the question before
//! a recording is stopped.
//!
//! In: [`RecordView`], built from the recorder's status. Out: commands to begin, to stop, to keep the past. Never says that
//! something is recorded which is not.

use bevy_egui::egui::{
    self, Align, Color32, Context, FontId, Frame, Margin, Modal, RichText, Sense, Stroke, Ui, pos2, vec2,
};

use super::{connections, format, theme, widgets};
use crate::command::{OperatorCommand, RecordingCommand};
use crate::record::{RecordState, RecordStatus, Recording};
use crate::value::Timestamp;

/// The disk is waited for in silence for so long.
const PATIENCE_SECS: u64 = 3;

/// How it stands, by what a person would do about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reel {
    #[default]
    Off,
    /// A file is being begun or finished.
    Turning,
    Running,
    /// The past is held in memory.
    Armed,
    /// Nothing, or not everything, gets on disk, though it should.
    Failing,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct RecordView {
    pub reel: Reel,
    /// `REC bottling.mcap  12.3 MiB  00:03:12`.
    pub line: String,
    /// The whole path.
    pub file: String,
    /// How much of the past can be kept: `5 min`.
    pub past: Option<String>,
    /// What is wrong, in sentences.
    pub troubles: Vec<String>,
    /// (name, value, needs a look); empty before anything was recorded.
    pub counters: Vec<(&'static str, String, bool)>,
}

/// What the box keeps between frames.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecordBox {
    /// Where to record: a file or a folder, as it is typed.
    pub place: String,
    /// Whether to stop is being asked.
    pub asks_to_stop: bool,
}

/// None where nothing can be recorded, as in a replay. `coarse`: nobody looks every second, so times are in minutes.
pub fn record_view(recording: &Recording, now: Timestamp, coarse: bool) -> Option<RecordView> {
    if !recording.is_possible {
        return None;
    }
    let status = recording.status();
    let shown = status.as_ref().or(recording.finished.as_ref());
    let mut view = RecordView {
        file: shown.and_then(|status| status.file.as_ref()).map(|file| file.display().to_string()).unwrap_or_default(),
        counters: shown.map(counters).unwrap_or_default(),
        ..RecordView::default()
    };
    (view.reel, view.line) = match &status {
        _ if recording.begins => (Reel::Turning, "Recording begins…".to_owned()),
        None if recording.ends => (Reel::Turning, "Recording is being finished…".to_owned()),
        None if recording.refused.is_some() => (Reel::Failing, "Not recording: see Connections".to_owned()),
        None => (Reel::Off, "Not recording".to_owned()),
        Some(status) => line(status, now, coarse),
    };
    view.troubles = recording.refused.iter().cloned().chain(status.iter().flat_map(RecordStatus::troubles)).collect();
    let is_armed = |status: &&RecordStatus| status.state == RecordState::Standby;
    view.past = status.as_ref().filter(is_armed).and_then(|status| status.before).map(|past| length(past.as_secs()));
    Some(view)
}

fn line(status: &RecordStatus, now: Timestamp, coarse: bool) -> (Reel, String) {
    let silent = status.silent.as_secs();
    match status.state {
        RecordState::Standby => {
            let past = status.before.map_or_else(String::new, |past| format!("last {} ", length(past.as_secs())));
            (Reel::Armed, format!("Armed: {past}in memory"))
        }
        RecordState::Ended => (Reel::Failing, "Not recording: the recorder has ended".to_owned()),
        RecordState::Failed => {
            let why = status.error.as_deref().unwrap_or("the disk does not take it");
            // Numbers of the operating system help nobody here.
            let why = why.split(" (os error").next().unwrap_or(why);
            let since = status.since.map(|since| format!(" since {}", format::clock(since))).unwrap_or_default();
            (Reel::Failing, format!("Not recording: {why}{since}"))
        }
        RecordState::Recording => {
            let secs = status.since.map_or(0.0, |since| now.secs_since(since).max(0.0));
            let time = match (status.until, coarse) {
                (Some(until), _) => format!("until {}", format::clock(until)),
                (None, true) => length((secs / 60.0) as u64 * 60),
                (None, false) => stopwatch(secs as u64),
            };
            let text = format!("REC {}  {}  {time}", status.file_name(), format::bytes(status.bytes as f64));
            match (status.dropped, silent >= PATIENCE_SECS) {
                (_, true) => (Reel::Failing, format!("{text}  disk has not answered for {silent} s")),
                (0, false) => (Reel::Running, text),
                (dropped, false) => (Reel::Failing, format!("{text}  {} not recorded", format::count(dropped))),
            }
        }
    }
}

fn counters(status: &RecordStatus) -> Vec<(&'static str, String, bool)> {
    let count = |n: u64, bad: bool| (format::count(n), bad && n > 0);
    let all = [
        ("Messages", count(status.messages, false)),
        ("Events", count(status.events, false)),
        ("Keyframes", count(status.keyframes, false)),
        ("File size", (format::bytes(status.bytes as f64), false)),
        ("Files", count(status.files, false)),
        ("Waiting", (format::bytes(status.waiting_bytes as f64), false)),
        ("Held", (format::bytes(status.held_bytes as f64), false)),
        ("Dropped", count(status.dropped, true)),
        ("Lost", count(status.lost, true)),
        ("Forgotten", count(status.forgotten, true)),
    ];
    all.into_iter().map(|(name, (text, bad))| (name, text, bad)).collect()
}

/// `00:03:12`.
fn stopwatch(secs: u64) -> String {
    format!("{:02}:{:02}:{:02}", secs / 3_600, secs / 60 % 60, secs % 60)
}

/// `30 s`, `5 min`, `2 h`.
fn length(secs: u64) -> String {
    match secs {
        secs if secs >= 3_600 && secs.is_multiple_of(3_600) => format!("{} h", secs / 3_600),
        secs if secs >= 60 => format!("{} min", secs / 60),
        secs => format!("{secs} s"),
    }
}

fn ink(reel: Reel) -> Color32 {
    match reel {
        Reel::Off | Reel::Turning => theme::TEXT_WEAK,
        Reel::Running => theme::TEXT_STRONG,
        Reel::Armed => theme::TEXT,
        Reel::Failing => theme::CRITICAL,
    }
}

/// A filled dot records, a ring is ready to, a cross should and does not.
fn paint_reel(painter: &egui::Painter, centre: egui::Pos2, reel: Reel) {
    let colour = ink(reel);
    match reel {
        Reel::Running => {
            painter.circle_filled(centre, 4.5, colour);
        }
        Reel::Armed | Reel::Turning => {
            painter.circle_stroke(centre, 4.0, Stroke::new(1.5, colour));
        }
        Reel::Off => {
            painter.hline(centre.x - 4.0..=centre.x + 4.0, centre.y, Stroke::new(1.5, colour));
        }
        Reel::Failing => {
            let stroke = Stroke::new(2.0, colour);
            painter.line_segment([centre + vec2(-4.0, -4.0), centre + vec2(4.0, 4.0)], stroke);
            painter.line_segment([centre + vec2(-4.0, 4.0), centre + vec2(4.0, -4.0)], stroke);
        }
    }
}

/// The line of the status strip. Says whether more is asked for.
pub fn chip_ui(ui: &mut Ui, view: &RecordView) -> bool {
    let font: FontId = theme::small();
    let room = (ui.available_width() - 24.0).max(0.0);
    let galley = widgets::layout(ui.painter(), &view.line, font, ink(view.reel), room);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 17.0, 20.0), Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, true, &view.line));
    paint_reel(ui.painter(), pos2(rect.left() + 6.0, rect.center().y), view.reel);
    ui.painter().galley(pos2(rect.left() + 16.0, rect.center().y - galley.size().y / 2.0), galley, ink(view.reel));
    let clicked = response.clicked();
    let mut tip = view.line.clone();
    [&view.file].into_iter().chain(&view.troubles).filter(|text| !text.is_empty()).for_each(|text| {
        tip.push('\n');
        tip.push_str(text);
    });
    response.on_hover_text(tip);
    clicked
}

/// What the record key asks for: to begin; to keep the past; or whether to stop, which is not done by one key alone.
pub fn toggle(view: &RecordView, state: &mut RecordBox, out: &mut Vec<OperatorCommand>) {
    match (view.reel, view.past.is_some()) {
        (_, true) => out.push(RecordingCommand::KeepPast.into()),
        (Reel::Off, _) => out.push(start(state)),
        (Reel::Failing, _) if view.counters.is_empty() => out.push(start(state)),
        (Reel::Turning, _) => {}
        _ => state.asks_to_stop = true,
    }
}

fn start(state: &RecordBox) -> OperatorCommand {
    let place = state.place.trim();
    OperatorCommand::Recording(RecordingCommand::Start {
        path: (!place.is_empty()).then(|| super::open::typed_path(place)),
    })
}

pub fn box_ui(ui: &mut Ui, view: &RecordView, state: &mut RecordBox, out: &mut Vec<OperatorCommand>) {
    Frame::new().fill(theme::SUNKEN).corner_radius(5.0).inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 3.0;
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 20.0), Sense::hover());
            paint_reel(ui.painter(), pos2(rect.left() + 5.0, rect.center().y), view.reel);
            ui.label(RichText::new("Recording").strong().color(theme::TEXT_STRONG));
            widgets::line(ui, &view.line, theme::body(), ink(view.reel));
        });
        if !view.file.is_empty() {
            widgets::line(ui, &view.file, theme::mono(), theme::TEXT_WEAK).on_hover_text(&view.file);
        }
        for trouble in &view.troubles {
            ui.add(egui::Label::new(RichText::new(trouble).font(theme::small()).color(theme::CRITICAL)).wrap());
        }
        connections::counters(ui, &view.counters);
        ui.add_space(3.0);
        ui.horizontal(|ui| buttons(ui, view, state, out));
    });
}

fn buttons(ui: &mut Ui, view: &RecordView, state: &mut RecordBox, out: &mut Vec<OperatorCommand>) {
    let can_begin = view.reel == Reel::Off || view.reel == Reel::Failing && view.counters.is_empty();
    if let Some(past) = &view.past {
        let tip = "Writes what is held in memory, and records on for a while (Shift + R)";
        if ui.button(format!("Keep the last {past}")).on_hover_text(tip).clicked() {
            out.push(RecordingCommand::KeepPast.into());
        }
    }
    match view.reel {
        Reel::Turning => {
            ui.add_enabled(false, egui::Button::new("Record"));
        }
        _ if can_begin => {
            let record = ui.button("Record").on_hover_text("Records from now on (Shift + R)");
            let hint = "a new file in the working directory";
            let field = egui::TextEdit::singleline(&mut state.place).hint_text(hint).desired_width(360.0);
            let response = ui.add(field);
            response.widget_info(|| {
                egui::WidgetInfo::labeled(egui::WidgetType::TextEdit, true, "File or folder to record into")
            });
            let enter = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if record.clicked() || enter {
                out.push(start(state));
            }
        }
        _ => {
            if ui.button("Stop recording…").clicked() {
                state.asks_to_stop = true;
            }
        }
    }
}

/// Asks before it stops: what is not recorded is gone.
pub fn stop_dialog_ui(ctx: &Context, view: &RecordView, state: &mut RecordBox, out: &mut Vec<OperatorCommand>) {
    if !state.asks_to_stop {
        return;
    }
    if matches!(view.reel, Reel::Off | Reel::Turning) {
        state.asks_to_stop = false;
        return;
    }
    let frame = Frame::popup(&ctx.global_style()).inner_margin(18);
    let shown = Modal::new(egui::Id::new("stop recording")).frame(frame).show(ctx, |ui| {
        ui.set_width(420.0);
        ui.label(RichText::new("Stop recording?").heading().color(theme::TEXT_STRONG));
        ui.add_space(4.0);
        let what = if view.file.is_empty() { &view.line } else { &view.file };
        ui.with_layout(egui::Layout::top_down(Align::Min), |ui| {
            ui.add(egui::Label::new(RichText::new(what).font(theme::small())).wrap());
            ui.label(
                RichText::new("What happens after it is in no file.").font(theme::small()).color(theme::TEXT_WEAK),
            );
        });
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            let stop = ui.button("Stop").clicked().then_some(true);
            stop.or(ui.button("Go on recording").clicked().then_some(false))
        })
        .inner
    });
    match shown.inner {
        Some(true) => out.push(RecordingCommand::Stop.into()),
        Some(false) => {}
        None if shown.should_close() => {}
        None => return,
    }
    state.asks_to_stop = false;
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::panel::testing::{self, second};
    use egui_kittest::kittest::Queryable as _;

    fn running() -> RecordStatus {
        RecordStatus {
            file: Some(PathBuf::from("/recordings/bottling.mcap")),
            bytes: 12_900_000,
            since: Some(second(0)),
            messages: 41_200,
            ..RecordStatus::default()
        }
    }

    #[test]
    fn the_line_says_what_is_recorded_and_what_is_not() {
        let text = |status: RecordStatus| line(&status, second(192), false).1;
        assert_eq!(text(running()), "REC bottling.mcap  12.3 MiB  00:03:12");
        assert_eq!(line(&running(), second(192), true).1, "REC bottling.mcap  12.3 MiB  3 min");
        assert_eq!(
            text(RecordStatus { until: Some(second(260)), ..running() }),
            "REC bottling.mcap  12.3 MiB  until 14:04:20"
        );
        assert_eq!(
            line(&RecordStatus { dropped: 7, ..running() }, second(192), false),
            (Reel::Failing, "REC bottling.mcap  12.3 MiB  00:03:12  7 not recorded".to_owned())
        );
        let armed = RecordStatus {
            state: RecordState::Standby,
            before: Some(Duration::from_secs(300)),
            ..RecordStatus::default()
        };
        assert_eq!(text(armed), "Armed: last 5 min in memory");
        let failed = RecordStatus {
            state: RecordState::Failed,
            error: Some("No space left on device (os error 28)".into()),
            since: Some(second(12)),
            ..running()
        };
        assert_eq!(
            line(&failed, second(192), false),
            (Reel::Failing, "Not recording: No space left on device since 14:00:12".to_owned())
        );
    }

    #[test]
    fn a_replay_has_no_line_and_a_refusal_is_told_with_its_reason() {
        assert_eq!(record_view(&Recording::default(), second(0), false), None);
        let refused = Some("the recording /x.mcap cannot be begun (denied): choose another place".to_owned());
        let view = record_view(&Recording { is_possible: true, refused, ..Recording::default() }, second(0), false);
        let view = view.unwrap();
        assert_eq!((view.reel, view.troubles.len()), (Reel::Failing, 1));
    }

    /// The box with a button pressed; what came of it.
    fn pressed(view: RecordView, name: &'static str) -> (Vec<OperatorCommand>, RecordBox) {
        let mut harness = testing::harness((Vec::new(), RecordBox::default()), move |ui, (out, state)| {
            box_ui(ui, &view, state, out);
            stop_dialog_ui(ui.ctx(), &view, state, out);
        });
        harness.run();
        harness.get_by_label(name).click();
        harness.run();
        harness.into_state()
    }

    fn view_of(reel: Reel) -> RecordView {
        let counters = if reel == Reel::Off { Vec::new() } else { counters(&running()) };
        RecordView { reel, line: "line".into(), counters, ..RecordView::default() }
    }

    #[test]
    fn recording_begins_and_the_past_is_kept_at_a_press_and_stopping_is_asked_for_first() {
        assert_eq!(
            pressed(view_of(Reel::Off), "Record").0,
            [OperatorCommand::Recording(RecordingCommand::Start { path: None })]
        );
        let armed = RecordView { past: Some("5 min".into()), ..view_of(Reel::Armed) };
        assert_eq!(pressed(armed, "Keep the last 5 min").0, [OperatorCommand::Recording(RecordingCommand::KeepPast)]);
        let (out, state) = pressed(view_of(Reel::Running), "Stop recording…");
        assert!(out.is_empty() && state.asks_to_stop);
        let mut harness = testing::harness((Vec::new(), state), |ui, (out, state)| {
            stop_dialog_ui(ui.ctx(), &view_of(Reel::Running), state, out);
        });
        harness.run();
        harness.get_by_label("Stop").click();
        harness.run();
        let (out, state) = harness.into_state();
        assert_eq!((out, state.asks_to_stop), (vec![OperatorCommand::Recording(RecordingCommand::Stop)], false));
    }

    #[test]
    fn a_typed_place_is_where_it_is_recorded() {
        let state = RecordBox { place: " /data/shift.mcap ".into(), ..RecordBox::default() };
        assert_eq!(
            start(&state),
            OperatorCommand::Recording(RecordingCommand::Start { path: Some("/data/shift.mcap".into()) })
        );
    }
}
