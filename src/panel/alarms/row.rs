//! One line of the alarm list.
//!
//! In: one alarm with its rule. Out: [`AlarmRow`], plain text, and its picture. Never decides what is listed.

use bevy_egui::egui::{Align, Pos2, Rect, Response, Ui, pos2};

use super::AlarmsView;
use super::words;
use crate::alarm::{Aside, State, Urgency};
use crate::panel::mark::Mark;
use crate::panel::{format, theme, widgets};
use crate::scene::rule::AlarmIndex;

#[derive(Clone, PartialEq, Debug)]
pub struct AlarmRow {
    pub index: AlarmIndex,
    pub alarm: Urgency,
    pub aside: Option<Aside>,
    /// Short, for a column.
    pub state: &'static str,
    /// Id of the twin, or name of the broker.
    pub whose: String,
    pub message: String,
    pub trigger: String,
    pub current: String,
    pub worst: String,
    pub unit: String,
    /// `14:09:45`.
    pub since: String,
    pub age: String,
    pub acknowledged_by: String,
    /// The first of its flood or group.
    pub first_up: bool,
    pub chattering: bool,
    /// Its condition holds.
    pub active: bool,
}

/// None for an index beyond the scene.
pub fn alarm_row(view: &AlarmsView, index: AlarmIndex) -> Option<AlarmRow> {
    let rule = view.scene.alarms.get(index.at())?;
    let alarm = view.board.alarm(index)?;
    let aside = Aside::of(&alarm.flags);
    let number = |x: Option<f64>| x.map_or_else(|| "–".into(), |x| format::steady_number(words::in_unit(x, rule)));
    let quiet = alarm.state == State::Normal;
    Some(AlarmRow {
        index,
        alarm: Urgency::of(rule.priority, alarm.state),
        aside,
        state: match aside {
            Some(Aside::Shelved) => "Shelved",
            Some(Aside::Suppressed) => "Suppressed",
            Some(Aside::OutOfService) => "Out of service",
            None => words::state_short(alarm.state),
        },
        whose: words::whose(rule, view.scene).to_owned(),
        message: words::message(rule, view.scene),
        trigger: number(alarm.trigger.filter(|_| !quiet)),
        current: number(alarm.current),
        worst: number(alarm.worst.filter(|_| !quiet)),
        unit: words::unit_of(rule, view.scene).trim().to_owned(),
        since: if quiet { String::new() } else { format::clock(alarm.since) },
        age: if quiet { String::new() } else { format::age(view.shown.secs_since(alarm.since)) },
        acknowledged_by: alarm.acknowledged.as_ref().map(|deed| deed.by.clone()).unwrap_or_default(),
        first_up: view.board.first_up.contains(&index),
        chattering: view.board.chattering.contains(&index),
        active: alarm.state.is_active(),
    })
}

impl AlarmRow {
    /// How assistive technology and tests name it.
    pub fn name(&self) -> String {
        format!("{} {}", self.whose, self.message)
    }

    /// `First up`, `Chatters`, in short where the message needs the room; empty if there is nothing to add.
    fn note(&self, short: bool) -> &'static str {
        match (self.first_up, self.chattering, short) {
            (true, _, true) => "1ST",
            (true, _, false) => "FIRST UP",
            (false, true, true) => "CHAT",
            (false, true, false) => "CHATTERS",
            (false, false, _) => "",
        }
    }
}

pub(super) const HEIGHT: f32 = 26.0;

/// Where the cells of a row lie. Columns that have no room are empty.
pub(super) struct Columns {
    pub mark: Pos2,
    pub priority: Rect,
    pub state: Rect,
    pub whose: Rect,
    pub message: Rect,
    pub trigger: Rect,
    pub current: Rect,
    pub worst: Rect,
    pub unit: Rect,
    pub age: Rect,
    pub by: Rect,
}

const GAP: f32 = 8.0;

/// What a column needs, and from which width of the list on it is there: the message gets what is left.
pub(super) fn columns(row: Rect) -> Columns {
    let wide = |from: f32, width: f32| if row.width() >= from { width } else { 0.0 };
    let mut left = row.left() + 30.0;
    let mut from_left = |width: f32| {
        let cell = Rect::from_min_max(pos2(left, row.top()), pos2(left + width, row.bottom()));
        left += if width > 0.0 { width + GAP } else { 0.0 };
        cell
    };
    let priority = from_left(wide(860.0, 54.0));
    let state = from_left(wide(440.0, 100.0));
    let whose = from_left(wide(0.0, 62.0));
    let mut right = row.right() - 8.0;
    let mut from_right = |width: f32| {
        let cell = Rect::from_min_max(pos2(right - width, row.top()), pos2(right, row.bottom()));
        right -= if width > 0.0 { width + GAP } else { 0.0 };
        cell
    };
    let by = from_right(wide(940.0, 70.0));
    let age = from_right(52.0);
    let unit = from_right(wide(560.0, 66.0));
    let worst = from_right(wide(720.0, 58.0));
    let current = from_right(wide(560.0, 58.0));
    let trigger = from_right(wide(780.0, 58.0));
    let message = Rect::from_min_max(pos2(left, row.top()), pos2(right.max(left), row.bottom()));
    Columns {
        mark: pos2(row.left() + 16.0, row.center().y),
        priority,
        state,
        whose,
        message,
        trigger,
        current,
        worst,
        unit,
        age,
        by,
    }
}

pub(super) fn titles(ui: &mut Ui) {
    let (row, _) =
        ui.allocate_exact_size(bevy_egui::egui::vec2(ui.available_width(), 20.0), bevy_egui::egui::Sense::hover());
    let at = columns(row);
    let painter = ui.painter();
    for (cell, text, align) in [
        (at.priority, "Priority", Align::Min),
        (at.state, "State", Align::Min),
        (at.whose, "Twin", Align::Min),
        (at.message, "Alarm", Align::Min),
        (at.trigger, "Trigger", Align::Max),
        (at.current, "Now", Align::Max),
        (at.worst, "Worst", Align::Max),
        (at.age, "Since", Align::Max),
        (at.by, "Acked by", Align::Min),
    ] {
        widgets::paint_text(painter, cell, text, theme::small(), theme::TEXT_WEAK, align);
    }
    painter.hline(row.x_range(), row.bottom(), bevy_egui::egui::Stroke::new(1.0, theme::LINE));
}

pub(super) fn row_ui(ui: &mut Ui, row: &AlarmRow, selected: bool) -> Response {
    let (rect, response) = widgets::row(ui, HEIGHT, selected, &row.name());
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let at = columns(rect);
    let painter = ui.painter();
    let waits = row.alarm.unacknowledged && row.aside.is_none();
    // What waits for a person stands out by an edge and by stronger text, without moving.
    if waits {
        let edge = Rect::from_min_max(rect.left_top(), pos2(rect.left() + 3.0, rect.bottom()))
            .shrink2(bevy_egui::egui::vec2(0.0, 2.0));
        painter.rect_filled(edge, 1.0, theme::priority(row.alarm.priority));
    }
    match row.aside {
        Some(aside) => widgets::paint_mark(painter, at.mark, Mark::Aside(aside)),
        None => widgets::paint_alarm(painter, at.mark, row.alarm),
    }
    let (ink, weak) = match (waits, row.aside) {
        (true, _) => (theme::TEXT_STRONG, theme::TEXT),
        (false, None) => (theme::TEXT, theme::TEXT_WEAK),
        (false, Some(_)) => (theme::TEXT_WEAK, theme::TEXT_WEAK),
    };
    let text = |cell, text: &str, font, ink, align| widgets::paint_text(painter, cell, text, font, ink, align);
    text(at.priority, row.alarm.priority.name(), theme::small(), weak, Align::Min);
    text(at.state, row.state, theme::small(), ink, Align::Min);
    text(at.whose, &row.whose, theme::mono(), ink, Align::Min);
    let mut message = at.message;
    let note = row.note(message.width() < 320.0);
    if !note.is_empty() && message.width() > 120.0 {
        let note = widgets::layout(painter, note, theme::small(), theme::GROUND, 80.0);
        let size = note.size() + bevy_egui::egui::vec2(10.0, 2.0);
        let fill = if row.first_up { theme::TEXT_STRONG } else { theme::TEXT_WEAK };
        let back = Rect::from_min_size(pos2(message.right() - size.x, message.center().y - size.y / 2.0), size);
        painter.rect_filled(back, 3.0, fill);
        painter.galley(back.center() - note.size() / 2.0, note, theme::GROUND);
        message.max.x = back.left() - GAP;
    }
    let cut = text(message, &row.message, theme::body(), ink, Align::Min);
    text(at.trigger, &row.trigger, theme::mono(), weak, Align::Max);
    text(at.current, &row.current, theme::mono(), ink, Align::Max);
    text(at.worst, &row.worst, theme::mono(), weak, Align::Max);
    text(at.unit, &row.unit, theme::small(), theme::TEXT_WEAK, Align::Min);
    text(at.age, &row.age, theme::small(), weak, Align::Max);
    text(at.by, &row.acknowledged_by, theme::small(), weak, Align::Min);
    if cut { response.on_hover_text(row.name()) } else { response }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use bevy_egui::egui::vec2;

    #[test]
    fn a_row_tells_state_message_values_and_age() {
        let plant = testing::plant();
        let index = testing::alarms::rule(&plant.scene, "P-101", "vibration.high_high").index;
        let row = plant.alarms(|view| alarm_row(view, index)).unwrap();
        assert_eq!(row.name(), "P-101 vibration above 7.1 mm/s (high high)");
        assert_eq!((row.trigger.as_str(), row.current.as_str(), row.worst.as_str()), ("7.14", "7.60", "7.62"));
        assert_eq!((row.unit.as_str(), row.age.as_str(), row.state), ("mm/s", "15 s", "Unack."));
        let first = testing::alarms::rule(&plant.scene, "P-101", "vibration.high").index;
        assert!(plant.alarms(|view| alarm_row(view, first)).unwrap().first_up && !row.first_up);
        assert_eq!(plant.alarms(|view| alarm_row(view, AlarmIndex(9_999))), None);
    }

    #[test]
    fn columns_keep_their_order_and_stay_within_the_row_at_every_width() {
        for width in (240..1_600).step_by(7) {
            let row = Rect::from_min_size(pos2(10.0, 5.0), vec2(width as f32, HEIGHT));
            let at = columns(row);
            let cells =
                [at.priority, at.state, at.whose, at.message, at.trigger, at.current, at.worst, at.unit, at.age, at.by];
            let edges: Vec<f32> =
                cells.iter().filter(|cell| cell.width() > 0.0).flat_map(|cell| [cell.left(), cell.right()]).collect();
            assert!(edges.is_sorted(), "{width}: {edges:?}");
            assert!(edges.last().is_some_and(|last| *last <= row.right()), "{width}");
            assert!(width < 300 || at.message.width() > 100.0, "{width}: {}", at.message.width());
        }
    }
}
