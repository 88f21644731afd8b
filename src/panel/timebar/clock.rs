//! The clock of the time bar: the shown moment, and a field to type another one.
//!
//! In: [`TimeView`], keys. Out: `Seek` and `GoLive` commands. What cannot be read is told below what is typed, with examples;
//! nothing is guessed.

use bevy_egui::egui::{
    self, Align, Key, Popup, PopupCloseBehavior, Rect, RectAlign, RichText, Sense, Ui, WidgetInfo, WidgetType, pos2,
    vec2,
};

use super::{TimeState, TimeView};
use crate::command::{OperatorCommand, TimeCommand};
use crate::history::typed::parse_moment;
use crate::panel::{format, theme, widgets};
use crate::value::Timestamp;

/// Room for `14:03:27.4 UTC`, in points.
const WIDTH: f32 = 134.0;
const EXAMPLES: &str = "14:03:27  ·  2026-01-31T14:03:27Z  ·  +90s or -5m from here  ·  start+10m  ·  end-1h";

/// More examples, where there is something to show beyond now.
const AHEAD: &str = "  ·  now+10m  ·  horizon";

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Typing {
    text: String,
    /// What is wrong with what was entered last.
    error: Option<String>,
    /// It has had the keyboard: losing it ends the typing.
    focused: bool,
}

pub fn clock_ui(ui: &mut Ui, view: &TimeView, state: &mut TimeState, out: &mut Vec<OperatorCommand>) {
    match state.typing.take() {
        Some(typing) => state.typing = field_ui(ui, view, typing, out),
        None => {
            if face_ui(ui, view) {
                state.type_time();
            }
        }
    }
}

/// The command that a typed moment asks for: now means live, and so does all beyond it where nothing reaches there.
fn go_to(view: &TimeView, at: Timestamp) -> OperatorCommand {
    let is_now = at == view.now || (at > view.now && !view.reaches_ahead());
    match is_now && !view.recorded {
        true => OperatorCommand::Time(TimeCommand::GoLive),
        false => OperatorCommand::Time(TimeCommand::Seek(at.max(view.whole.from).min(view.whole.to))),
    }
}

fn field_ui(ui: &mut Ui, view: &TimeView, mut typing: Typing, out: &mut Vec<OperatorCommand>) -> Option<Typing> {
    let hint = format::clock(view.shown);
    let field = egui::TextEdit::singleline(&mut typing.text).hint_text(hint).desired_width(WIDTH - 16.0);
    let response = ui.add(field.font(theme::mono()).margin(vec2(8.0, 4.0)));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, "Go to a time"));
    if !typing.focused {
        response.request_focus();
        typing.focused = true;
    }
    if response.changed() {
        typing.error = None;
    }
    let (enter, escape) = ui.input(|input| (input.key_pressed(Key::Enter), input.key_pressed(Key::Escape)));
    if enter && response.lost_focus() {
        match parse_moment(&typing.text, &view.reference()) {
            Ok(at) => {
                out.push(go_to(view, at));
                return None;
            }
            Err(error) => {
                typing.error = Some(error.to_string());
                response.request_focus();
            }
        }
    } else if escape || (response.lost_focus() && !enter) {
        return None;
    }
    // Above, so that the strip stays in sight.
    let popup = Popup::from_response(&response).open(true).align(RectAlign::TOP_START).gap(6.0);
    let popup = popup.close_behavior(PopupCloseBehavior::IgnoreClicks);
    popup.show(|ui| {
        ui.set_max_width(460.0);
        match &typing.error {
            Some(error) => ui.label(RichText::new(error).color(theme::WARNING)),
            None => {
                let more = if view.reaches_ahead() { AHEAD } else { "" };
                ui.label(RichText::new(format!("{EXAMPLES}{more}")).font(theme::small()).color(theme::TEXT))
            }
        }
    });
    Some(typing)
}

/// Says whether it was clicked.
fn face_ui(ui: &mut Ui, view: &TimeView) -> bool {
    let live = view.is_live();
    let text = match (live, view.dormant) {
        (true, true) => format::clock_minutes(view.shown),
        (true, false) => format::clock(view.shown),
        (false, _) => format::clock_tenths(view.shown),
    };
    let (rect, response) = ui.allocate_exact_size(vec2(WIDTH, 28.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, "Type a time"));
    if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, ui.visuals().widgets.hovered.bg_fill);
    }
    let ink = if live { theme::TEXT_STRONG } else { theme::NOT_LIVE };
    let galley = ui.painter().layout_no_wrap(text, egui::FontId::monospace(15.0), ink);
    let left = rect.left() + 4.0;
    let utc = left + galley.size().x + 6.0;
    let middle = if live { rect.center().y } else { rect.top() + 7.0 };
    ui.painter().galley(pos2(left, middle - galley.size().y / 2.0), galley, ink);
    let cell = Rect::from_min_max(pos2(utc, middle - 10.0), pos2(rect.right(), middle + 10.0));
    widgets::paint_text(ui.painter(), cell, "UTC", theme::small(), theme::TEXT_WEAK, Align::Min);
    if !live {
        let below = Rect::from_min_max(pos2(left, rect.bottom() - 14.0), rect.max);
        widgets::paint_text(ui.painter(), below, &distance(view), theme::small(), theme::NOT_LIVE, Align::Min);
    }
    let hover = format!("{}\n{}\nClick to type a time (G)", format::date_and_clock(view.shown), distance(view));
    response.on_hover_text(hover).clicked()
}

/// How far away the shown moment is: from live, or from the start of a recording; beyond now, from there.
pub fn distance(view: &TimeView) -> String {
    let ahead = || format::span(view.shown.secs_since(view.now));
    match view.recorded {
        true if view.is_ahead() => format!("{} after its end", ahead()),
        false if view.is_ahead() => format!("{} ahead of now", ahead()),
        true => {
            let into = format::span(view.shown.secs_since(view.whole.from));
            format!("{into} of {}", format::span(view.now.secs_since(view.whole.from)))
        }
        false if view.is_live() => "now".to_owned(),
        false => format!("{} behind live", format::span(view.now.secs_since(view.shown))),
    }
}
