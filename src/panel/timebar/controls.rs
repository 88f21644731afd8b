//! The upper row of the time bar: buttons for everything that the keys do.
//!
//! In: [`TimeView`]. Out: commands, and what the bar itself keeps (speed, zoom, dialogs). Buttons keep their places in all
//! modes; what fits into a narrow window least is left out first, and has a key.

use std::time::Duration;

use bevy_egui::egui::containers::menu::MenuButton;
use bevy_egui::egui::{
    self, Align, Button, Grid, Layout, PopupCloseBehavior, Rect, RichText, Sense, Stroke, Ui, WidgetInfo, WidgetType,
    pos2, vec2,
};

use super::icons::{self, Icon};
use super::remarks::{self, RemarkKind};
use super::{TimeState, TimeView, clock, pause_or_play, set_speed, speed_text, toggle_mark};
use crate::command::{MarkEnd, OperatorCommand, StepBy, TimeCommand};
use crate::history::{Cursor, transport};
use crate::panel::{format, theme, widgets};

/// In points.
pub const HEIGHT: f32 = 34.0;

/// What may be called a gap.
const GAPS: [u64; 5] = [2, 10, 60, 600, 3_600];

pub fn controls_ui(ui: &mut Ui, view: &TimeView, state: &mut TimeState, out: &mut Vec<OperatorCommand>) {
    let size = vec2(ui.available_width(), HEIGHT);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(size);
        ui.spacing_mut().item_spacing.x = 3.0;
        move_ui(ui, view, state, out);
        ui.add_space(4.0);
        speed_menu(ui, view, state, out);
        ui.add_space(4.0);
        end_ui(ui, view, out);
        ui.add_space(4.0);
        clock::clock_ui(ui, view, state, out);
        ui.add_space(4.0);
        marks_ui(ui, view, out);
        skip_menu(ui, view, out);
        ui.add_space(4.0);
        remarks_ui(ui, view, state, out);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| zoom_ui(ui, view, state));
    });
}

fn move_ui(ui: &mut Ui, view: &TimeView, state: &TimeState, out: &mut Vec<OperatorCommand>) {
    let start = if view.recorded { "recording" } else { "session" };
    if icons::button(ui, Icon::ToStart, None, "To the start", &format!("To the start of the {start} (Home)")).clicked()
    {
        out.push(TimeCommand::Seek(view.whole.from).into());
    }
    let command = pause_or_play(view, state.speed);
    let (icon, name, tip) = match command {
        OperatorCommand::Time(TimeCommand::Pause) => (Icon::Pause, "Pause", "Stand still at this moment (Space)"),
        _ if state.speed < 0.0 => (Icon::PlayBack, "Play", "Play backwards from here (Space)"),
        _ => (Icon::Play, "Play", "Play from here (Space)"),
    };
    let step = |by, forward| OperatorCommand::Time(TimeCommand::Step { by, forward });
    let before = "To the sample before, of the trends and the selected twin (comma)";
    let next = "To the next sample, of the trends and the selected twin (period)";
    for (icon, name, tip, command) in [
        (Icon::PreviousEvent, "Previous event", "To the event before ([)", step(StepBy::Event, false)),
        (Icon::Back, "Previous sample", before, step(StepBy::Sample, false)),
        (icon, name, tip, command),
        (Icon::Forward, "Next sample", next, step(StepBy::Sample, true)),
        (Icon::NextEvent, "Next event", "To the next event (])", step(StepBy::Event, true)),
    ] {
        if icons::button(ui, icon, None, name, tip).clicked() {
            out.push(command);
        }
    }
}

fn speed_menu(ui: &mut Ui, view: &TimeView, state: &mut TimeState, out: &mut Vec<OperatorCommand>) {
    let shown = match view.cursor {
        Cursor::Playing { speed, .. } => speed,
        Cursor::Live | Cursor::Paused(_) => state.speed,
    };
    let text = RichText::new(speed_text(shown)).color(theme::TEXT_STRONG);
    let button = Button::new(text).min_size(vec2(58.0, 26.0));
    let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
        ui.label(RichText::new("Recorded seconds a second").font(theme::small()).color(theme::TEXT_WEAK));
        Grid::new("speeds").num_columns(2).min_col_width(84.0).spacing([6.0, 2.0]).show(ui, |ui| {
            for title in ["Backwards", "Forwards"] {
                ui.label(RichText::new(title).font(theme::small()).color(theme::TEXT_WEAK));
            }
            ui.end_row();
            for speed in transport::SPEEDS {
                for speed in [-speed, speed] {
                    if ui.selectable_label(speed == shown, speed_text(speed)).clicked() {
                        set_speed(view, state, speed, out);
                    }
                }
                ui.end_row();
            }
        });
    });
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("Speed {}", speed_text(shown))));
    response.on_hover_text("Speed of replay (plus faster, minus slower, R turns it around)");
}

/// Live: lit while the picture is, else a button that makes it so. In a recording: its end.
fn end_ui(ui: &mut Ui, view: &TimeView, out: &mut Vec<OperatorCommand>) {
    if view.recorded {
        if icons::button(ui, Icon::ToEnd, None, "To the end", "To the end of the recording (End)").clicked() {
            out.push(TimeCommand::GoLive.into());
        }
        return;
    }
    let (rect, response) = ui.allocate_exact_size(vec2(60.0, 26.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, view.is_live(), "Go live"));
    let (fill, ink) = match (view.is_live(), response.hovered()) {
        (true, _) => (theme::SELECTED, theme::TEXT_STRONG),
        (false, true) => (ui.visuals().widgets.hovered.bg_fill, theme::TEXT_STRONG),
        (false, false) => (theme::RAISED, theme::TEXT),
    };
    ui.painter().rect_filled(rect, 4.0, fill);
    if !view.is_live() {
        // The way back is as easy to find as the fact that there is one to go.
        ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.5, theme::NOT_LIVE), egui::StrokeKind::Inside);
    }
    let dot = pos2(rect.left() + 13.0, rect.center().y);
    match view.is_live() {
        true => ui.painter().circle_filled(dot, 4.0, ink),
        false => ui.painter().circle_stroke(dot, 3.5, Stroke::new(1.5, ink)),
    };
    let cell = Rect::from_min_max(pos2(rect.left() + 23.0, rect.top()), rect.max);
    widgets::paint_text(ui.painter(), cell, "Live", theme::body(), ink, Align::Min);
    if response.on_hover_text("Follow the newest data (End)").clicked() && !view.is_live() {
        out.push(TimeCommand::GoLive.into());
    }
    let words = RichText::new("Catch up").font(theme::small());
    let is_behind = !view.is_live() && !view.is_ahead();
    let catch_up = ui.add_enabled(is_behind, Button::new(words).min_size(vec2(0.0, 26.0)));
    let tip = "Play what was missed, fast, until live (Shift + End)";
    if catch_up.on_hover_text(tip).on_disabled_hover_text("Nothing was missed").clicked() {
        out.push(TimeCommand::CatchUp.into());
    }
}

fn marks_ui(ui: &mut Ui, view: &TimeView, out: &mut Vec<OperatorCommand>) {
    let marks = view.marks;
    for (end, icon, name, key, at) in
        [(MarkEnd::In, Icon::In, "In mark", "I", marks.start), (MarkEnd::Out, Icon::Out, "Out mark", "O", marks.end)]
    {
        let tip = match at {
            Some(at) => {
                format!("{name} at {} UTC: set it here, or take it away where it is ({key})", format::clock(at))
            }
            None => format!("{name}: set it here ({key})"),
        };
        if icons::button(ui, icon, Some(at.is_some()), name, &tip).clicked() {
            out.push(toggle_mark(view, end));
        }
    }
    let tip = match view.recorded {
        true => "Play over and over between the marks, or all of it (Shift + L)",
        false => "Play over and over between the marks (Shift + L)",
    };
    if icons::button(ui, Icon::Loop, Some(marks.looping), "Loop", tip).clicked() {
        out.push(TimeCommand::Loop(!marks.looping).into());
    }
}

fn skip_menu(ui: &mut Ui, view: &TimeView, out: &mut Vec<OperatorCommand>) {
    let text = match view.skip {
        Some(longest) => format!("Gaps over {}", length(longest)),
        None => "Gaps".to_owned(),
    };
    let fill = if view.skip.is_some() { theme::SELECTED } else { theme::RAISED };
    let button = Button::new(RichText::new(text).font(theme::small())).fill(fill).min_size(vec2(0.0, 26.0));
    let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
        ui.label(RichText::new("Playing jumps over gaps without data").font(theme::small()).color(theme::TEXT_WEAK));
        if ui.selectable_label(view.skip.is_none(), "Never").clicked() {
            out.push(TimeCommand::SkipGaps(None).into());
        }
        for secs in GAPS {
            let longest = Duration::from_secs(secs);
            let text = format!("Longer than {}", length(longest));
            if ui.selectable_label(view.skip == Some(longest), text).clicked() {
                out.push(TimeCommand::SkipGaps(Some(longest)).into());
            }
        }
    });
    let state = view.skip.map_or_else(|| "never".to_owned(), |longest| format!("longer than {}", length(longest)));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, format!("Skip gaps: {state}")));
    response.on_hover_text("Playing jumps over stretches in which nothing came (Shift + G)");
}

/// `10 s`, `1 min`, `1 h`.
fn length(span: Duration) -> String {
    match span.as_secs() {
        secs if secs >= 3_600 && secs.is_multiple_of(3_600) => format!("{} h", secs / 3_600),
        secs if secs >= 60 && secs.is_multiple_of(60) => format!("{} min", secs / 60),
        secs => format!("{secs} s"),
    }
}

fn remarks_ui(ui: &mut Ui, view: &TimeView, state: &mut TimeState, out: &mut Vec<OperatorCommand>) {
    for (icon, kind, name, tip) in [
        (Icon::Note, RemarkKind::Note, "Write a note", "Write a note on this moment (N)"),
        (Icon::Bookmark, RemarkKind::Bookmark, "Set a bookmark", "Mark this moment, to find it again (B)"),
    ] {
        if icons::button(ui, icon, None, name, tip).clicked() {
            state.write(view, kind);
        }
    }
    let count = remarks::remarks(&state.flags).count();
    let name = format!("Notes and bookmarks ({count})");
    let response = icons::button(ui, Icon::List, None, &name, "Notes and bookmarks");
    egui::Popup::menu(&response)
        .close_behavior(PopupCloseBehavior::CloseOnClick)
        .show(|ui| remarks::list_ui(ui, view, &state.flags, out));
}

fn zoom_ui(ui: &mut Ui, view: &TimeView, state: &mut TimeState) {
    const BUTTONS: f32 = 3.0 * (icons::WIDTH + 3.0);
    if ui.available_width() < BUTTONS {
        return;
    }
    let middle = view.window.fraction(view.shown);
    let middle = if (0.0..=1.0).contains(&middle) { middle } else { 0.5 };
    if icons::button(ui, Icon::Fit, None, "Show all time", "Show all of the time axis (0)").clicked() {
        state.zoom = None;
    }
    for (icon, name, times) in [(Icon::ZoomIn, "Zoom in", 0.5), (Icon::ZoomOut, "Zoom out", 2.0)] {
        if icons::button(ui, icon, None, name, &format!("{name} (wheel over the time axis)")).clicked() {
            state.zoom = view.window.zoomed(times, middle, view.whole);
        }
    }
    let text = format!("{} shown", format::span(view.window.secs()));
    if ui.available_width() > 96.0 {
        ui.label(RichText::new(text).font(theme::small()).color(theme::TEXT_WEAK));
    }
}
