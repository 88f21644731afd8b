//! The alarm list: what stands, how urgent it is, what to do about it, and the means to do it.
//!
//! In: [`AlarmsView`]: the scene, the alarm board, the journal. Out: [`OperatorCommand`]s. The list is sorted and filtered
//! in `list`, drawn row by row in `row` (only what is in sight), one alarm is told in full in `details`, and `dialog` asks
//! for what an action needs. Never changes an alarm, and offers no action while the picture is of the past.

pub mod details;
pub mod dialog;
pub mod list;
pub mod row;
#[cfg(test)]
mod tests;
mod toolbar;
pub mod words;

use std::collections::BTreeSet;
use std::sync::Arc;

use bevy_egui::egui::{self, Key, Modifiers, Rect, ScrollArea, Ui, UiBuilder, pos2};

use super::class::{Dock, PanelClass, Shortcut};
use super::snapshot::Snapshot;
use super::{format, theme, widgets};
use crate::alarm::{Action, AlarmBoard};
use crate::command::{AlarmCommand, OperatorCommand};
use crate::event::Event;
use crate::scene::Scene;
use crate::scene::rule::{AlarmIndex, AlarmPath, Priority};
use crate::value::{SignalIndex, Timestamp, TwinIndex};
use details::Transition;
use dialog::Dialog;
use list::{AlarmFilter, Offers};

/// Everything that the list shows.
#[derive(Clone, Copy)]
pub struct AlarmsView<'a> {
    /// With the words by which the alarms were judged.
    pub scene: &'a Scene,
    /// Of the same generation as the scene; empty otherwise.
    pub board: &'a AlarmBoard,
    /// The journal, oldest first.
    pub events: &'a [Arc<Event>],
    /// Signals in the trend panel.
    pub trends: &'a [SignalIndex],
    pub selected_twin: Option<TwinIndex>,
    /// The moment that is shown: ages are against it.
    pub shown: Timestamp,
    pub live: bool,
    /// From which priority on new alarms are heard, if at all; none where there is no horn.
    pub horn: Option<Option<Priority>>,
}

impl AlarmsView<'_> {
    /// What alarms are called in commands: whatever becomes of their indices, these mean the same.
    fn paths(&self, alarms: &[AlarmIndex]) -> Vec<AlarmPath> {
        AlarmPath::of_alarms(alarms, self.scene)
    }
}

/// Why nothing can be done.
pub const NOT_LIVE: &str = "These are states of the past. Go live to act on alarms.";

/// What the operator did to the list, and what follows from it.
#[derive(Default)]
pub struct AlarmsState {
    pub filter: AlarmFilter,
    pub selected: BTreeSet<AlarmIndex>,
    /// Whose details are shown; where a range of selected rows starts.
    pub focus: Option<AlarmIndex>,
    pub dialog: Option<Dialog>,
    order: Vec<AlarmIndex>,
    /// What `order` was made from: generation, version, filter.
    made_from: Option<(Option<u32>, u64, AlarmFilter)>,
    choices: (Vec<String>, Vec<String>),
    past: Vec<Transition>,
    /// What `past` was made from: alarm, and the newest event.
    past_of: Option<(AlarmIndex, Option<u64>)>,
    scroll_to_focus: bool,
}

impl AlarmsState {
    /// The alarms in view, made anew only if something changed that they depend on. What leaves the list leaves the
    /// selection: nothing is done to an alarm that cannot be seen.
    fn refresh(&mut self, view: &AlarmsView) {
        let generation = view.board.generation();
        if let Some((of, version, filter)) = &self.made_from
            && (*of, *version, filter) == (generation, view.board.version(), &self.filter)
        {
            return;
        }
        if self.made_from.as_ref().map(|made| made.0) != Some(generation) {
            // Indices of another scene mean other alarms.
            (self.selected, self.focus) = (BTreeSet::new(), None);
            self.past_of = None;
            self.choices = list::areas_and_groups(view.scene);
        }
        self.order = list::order(view.scene, view.board, &self.filter);
        if !self.selected.is_empty() || self.focus.is_some() {
            let listed: BTreeSet<AlarmIndex> = self.order.iter().copied().collect();
            self.selected.retain(|index| listed.contains(index));
            self.focus = self.focus.filter(|index| listed.contains(index));
        }
        self.made_from = Some((generation, view.board.version(), self.filter.clone()));
    }

    fn refresh_past(&mut self, view: &AlarmsView) {
        let Some(index) = self.focus else { return };
        let made_from = (index, view.events.last().map(|event| event.id));
        if self.past_of != Some(made_from) {
            self.past = details::transitions(view, index);
            self.past_of = Some(made_from);
        }
    }

    /// What a click on a row does.
    fn click(&mut self, index: AlarmIndex, modifiers: Modifiers) {
        let place = |of| self.order.iter().position(|&other| other == of);
        if modifiers.shift
            && let (Some(from), Some(to)) = (self.focus.and_then(place), place(index))
        {
            let range = self.order.get(from.min(to)..=from.max(to)).unwrap_or_default();
            self.selected.extend(range);
            return;
        }
        if modifiers.command {
            if !self.selected.remove(&index) {
                self.selected.insert(index);
            }
        } else {
            self.selected = [index].into();
        }
        self.focus = Some(index);
    }

    /// The next or previous row becomes the selected one.
    fn step(&mut self, forward: bool) {
        let place = self.focus.and_then(|focus| self.order.iter().position(|&index| index == focus));
        let next = match (place, forward) {
            (None, _) => Some(0),
            (Some(place), true) => place.checked_add(1),
            (Some(place), false) => place.checked_sub(1),
        };
        if let Some(&index) = next.and_then(|next| self.order.get(next)) {
            self.click(index, Modifiers::NONE);
            self.scroll_to_focus = true;
        }
    }
}

/// The alarm list among the panels.
pub struct AlarmsPanel;

impl PanelClass for AlarmsPanel {
    const NAME: &'static str = "alarms";
    const TITLE: &'static str = "Alarms";
    const DOCK: Dock = Dock::Below;
    const SHORTCUT: Option<Shortcut> = Some(Shortcut { key: Key::L, name: "L", what: "Open the alarm list" });
    type State = AlarmsState;
    type View<'a> = AlarmsView<'a>;

    fn view<'a>(read: &'a Snapshot<'a>, _: &AlarmsState) -> AlarmsView<'a> {
        AlarmsView {
            scene: read.board.scene(read.scene()),
            board: read.board,
            events: read.events,
            trends: &read.attention.trends,
            selected_twin: read.attention.selected,
            shown: read.time.shown,
            live: read.cursor.is_live(),
            horn: read.horn,
        }
    }

    fn ui(ui: &mut Ui, view: &AlarmsView, state: &mut AlarmsState, out: &mut Vec<OperatorCommand>) {
        alarms_ui(ui, view, state, out);
    }

    fn tab(read: &Snapshot) -> String {
        title(read.board)
    }

    fn forget_the_past(state: &mut AlarmsState) {
        *state = AlarmsState::default();
    }
}

/// `Alarms (4)`: how many wait for an acknowledgement.
pub fn title(board: &AlarmBoard) -> String {
    let waiting: usize = Priority::ALL.map(|priority| board.tally(priority).unacknowledged).iter().sum();
    if waiting == 0 { "Alarms".into() } else { format!("Alarms ({waiting})") }
}

/// Below this width there is no room for details beside the list.
const DETAILS_FROM: f32 = 640.0;
/// Of the room; in points at least and at most.
const DETAILS_SHARE: f32 = 0.36;
const DETAILS_WIDTH: std::ops::RangeInclusive<f32> = 240.0..=380.0;

pub fn alarms_ui(ui: &mut Ui, view: &AlarmsView, state: &mut AlarmsState, out: &mut Vec<OperatorCommand>) {
    state.refresh(view);
    let offers = list::offers(view.board, state.selected.iter().copied());
    keys(ui, view, state, &offers, out);
    let room = ui.available_rect_before_wrap();
    let focus = state.focus.filter(|_| room.width() >= DETAILS_FROM);
    let width = (room.width() * DETAILS_SHARE).clamp(*DETAILS_WIDTH.start(), *DETAILS_WIDTH.end());
    let split = if focus.is_some() { room.right() - width } else { room.right() };
    let left = Rect::from_min_max(room.min, pos2(split - if focus.is_some() { 10.0 } else { 0.0 }, room.bottom()));
    ui.scope_builder(UiBuilder::new().id_salt("list").max_rect(left), |ui| {
        ui.set_clip_rect(left.intersect(ui.clip_rect()));
        toolbar::filter_ui(ui, view, state, out);
        toolbar::actions_ui(ui, view, state, &offers, out);
        // In a low panel rows matter more: the banner tells of the flood as well, and rows of what came first.
        if ui.available_height() > 170.0 {
            flood_ui(ui, view, state);
        }
        list_ui(ui, view, state, out);
    });
    if let Some(details) = focus.and_then(|index| details::details(view, index)) {
        state.refresh_past(view);
        ui.painter().vline(split - 5.0, room.y_range(), egui::Stroke::new(1.0, theme::LINE));
        let right = Rect::from_min_max(pos2(split, room.top()), room.max);
        let wish = ui.scope_builder(UiBuilder::new().id_salt("details").max_rect(right), |ui| {
            details::details_ui(ui, view, &details, &state.past, out)
        });
        if let Some(dialog) = wish.inner {
            state.dialog = Some(dialog);
        }
    }
    dialog::dialog_ui(ui.ctx(), view.scene, &mut state.dialog, out);
}

/// While more comes than a person can handle: since when, how much, and where it began.
fn flood_ui(ui: &mut Ui, view: &AlarmsView, state: &mut AlarmsState) {
    let Some(flood) = view.board.flood else { return };
    let rule = flood.first.and_then(|index| view.scene.alarms.get(index.at()));
    let first = rule.map(|rule| format!("{} {}", words::whose(rule, view.scene), words::message(rule, view.scene)));
    egui::Frame::new().fill(theme::RAISED).corner_radius(4.0).inner_margin(egui::Margin::symmetric(8, 4)).show(
        ui,
        |ui| {
            ui.horizontal(|ui| {
                ui.set_width(ui.available_width());
                widgets::badge(ui, "FLOOD", theme::GROUND, theme::TEXT_STRONG);
                let since = format!("{} alarms since {}", flood.alarms, format::clock(flood.since));
                ui.label(egui::RichText::new(since).font(theme::small()).color(theme::TEXT_STRONG));
                if let (Some(first), Some(index)) = (first, flood.first) {
                    let text = egui::RichText::new(format!("First up: {first}")).font(theme::small());
                    let listed = state.order.contains(&index);
                    let button = ui.add_enabled(listed, egui::Button::new(text).truncate());
                    if button.on_disabled_hover_text("It is not in the list now").clicked() {
                        state.click(index, Modifiers::NONE);
                        state.scroll_to_focus = true;
                    }
                }
            });
        },
    );
}

fn list_ui(ui: &mut Ui, view: &AlarmsView, state: &mut AlarmsState, out: &mut Vec<OperatorCommand>) {
    if state.order.is_empty() {
        match (state.filter.narrows(), view.scene.alarms.is_empty()) {
            (_, true) => widgets::empty(ui, "No alarm rules", "Give signals `limits` or `alarms` in the scene file."),
            (true, _) => widgets::empty(ui, "Nothing found", "No alarm fits the filter."),
            (false, _) => widgets::empty(ui, "No alarms", "Everything is within its limits."),
        }
        return;
    }
    row::titles(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut area = ScrollArea::vertical().id_salt("alarm list").auto_shrink(false);
    if std::mem::take(&mut state.scroll_to_focus)
        && let Some(place) = state.focus.and_then(|focus| state.order.iter().position(|&index| index == focus))
    {
        let height = ui.available_height();
        area = area.vertical_scroll_offset((place as f32 * row::HEIGHT - height / 2.0).max(0.0));
    }
    let mut clicked = None;
    area.show_rows(ui, row::HEIGHT, state.order.len(), |ui, visible| {
        for &index in state.order.get(visible).unwrap_or_default() {
            let Some(row) = row::alarm_row(view, index) else { continue };
            let response = row::row_ui(ui, &row, state.selected.contains(&index));
            if response.double_clicked()
                && let Some(twin) = twin_of(view, index)
            {
                details::jump_to_twin(twin, out);
            } else if response.clicked() {
                clicked = Some((index, ui.input(|input| input.modifiers)));
            }
        }
    });
    if let Some((index, modifiers)) = clicked {
        state.click(index, modifiers);
    }
}

fn twin_of(view: &AlarmsView, index: AlarmIndex) -> Option<TwinIndex> {
    words::twin_of(view.scene.alarms.get(index.at())?, view.scene)
}

/// Keys act while the pointer is over the list: `A` acknowledges, `S` shelves, `C` comments, `T` goes to the twin, arrows
/// move, Ctrl + A selects all in view.
fn keys(ui: &Ui, view: &AlarmsView, state: &mut AlarmsState, offers: &Offers, out: &mut Vec<OperatorCommand>) {
    if state.dialog.is_some() || !ui.rect_contains_pointer(ui.max_rect()) || ui.ctx().text_edit_focused() {
        return;
    }
    let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
    if pressed(Modifiers::COMMAND, Key::A) {
        state.selected = state.order.iter().copied().collect();
        return;
    }
    if pressed(Modifiers::NONE, Key::ArrowDown) {
        state.step(true);
    }
    if pressed(Modifiers::NONE, Key::ArrowUp) {
        state.step(false);
    }
    if pressed(Modifiers::NONE, Key::T)
        && let Some(twin) = state.focus.and_then(|index| twin_of(view, index))
    {
        details::jump_to_twin(twin, out);
    }
    if !view.live {
        return;
    }
    if pressed(Modifiers::NONE, Key::A) && !offers.acknowledge.is_empty() {
        out.push(plain(view, &offers.acknowledge, Action::Acknowledge));
    }
    if pressed(Modifiers::NONE, Key::S) && !offers.shelve.is_empty() {
        state.dialog = Some(Dialog::shelve(view.paths(&offers.shelve)));
    }
    if pressed(Modifiers::NONE, Key::C) && !offers.all.is_empty() {
        state.dialog = Some(Dialog::comment(view.paths(&offers.all)));
    }
}

/// An action that needs no words.
fn plain(view: &AlarmsView, alarms: &[AlarmIndex], action: Action) -> OperatorCommand {
    OperatorCommand::Alarm(AlarmCommand::Act { alarms: view.paths(alarms), action, comment: String::new() })
}
