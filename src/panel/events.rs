//! The event log: everything that happened, newest first.
//!
//! In: [`EventsView`]: the journal. Out: commands: to a moment and a twin, a note, an export. Never changes an event. Only rows in sight are put
//! into words, and a growing journal is filtered where it grew: 100,000 events cost what 20 cost.

use std::path::PathBuf;
use std::sync::Arc;

use bevy_egui::egui::{self, Align, Rect, ScrollArea, Ui, WidgetInfo, WidgetType, pos2, vec2};

use super::class::{Dock, PanelClass};
use super::mark::Mark;
use super::snapshot::Snapshot;
use super::{format, theme, widgets};
use crate::alarm::{Cause, Urgency};
use crate::command::{AttentionCommand, JournalCommand, OperatorCommand, TimeCommand};
use crate::event::{Event, Filter, Kind, Tag};
use crate::instruction::State;
use crate::scene::Scene;
use crate::scene::rule::Priority;
use crate::value::{Timestamp, TwinIndex};

#[derive(Clone, Copy)]
pub struct EventsView<'a> {
    pub scene: &'a Scene,
    /// Oldest first, in the order in which they became known.
    pub events: &'a [Arc<Event>],
    pub selected_twin: Option<TwinIndex>,
    /// Events after this moment are yet to come: they are faded.
    pub shown: Timestamp,
}

#[derive(Default)]
pub struct EventsState {
    pub filter: Filter,
    /// Where to export to.
    pub path: String,
    pub note: String,
    /// Places in the journal of what the filter admits, oldest first.
    found: Vec<usize>,
    made_from: Option<MadeFrom>,
}

/// What the list was made from: the same beginning and filter mean that only the end has to be looked at.
#[derive(Clone, PartialEq)]
struct MadeFrom {
    first: Option<u64>,
    count: usize,
    last: Option<u64>,
    filter: Filter,
}

impl EventsState {
    /// The places of what the filter admits, made anew only where the journal has grown.
    pub fn found(&mut self, events: &[Arc<Event>]) -> &[usize] {
        let made_from = MadeFrom {
            first: events.first().map(|event| event.id),
            count: events.len(),
            last: events.last().map(|event| event.id),
            filter: self.filter.clone(),
        };
        if self.made_from.as_ref() != Some(&made_from) {
            let grown = self.made_from.as_ref().filter(|old| {
                let same_end = old.count.checked_sub(1).and_then(|last| events.get(last)).map(|event| event.id);
                old.filter == made_from.filter && old.first == made_from.first && old.last == same_end
            });
            let from = grown.map_or(0, |old| old.count);
            if from == 0 {
                self.found.clear();
            }
            let matcher = self.filter.matcher();
            let new = events.iter().enumerate().skip(from).filter(|(_, event)| matcher.matches(event));
            self.found.extend(new.map(|(place, _)| place));
            self.made_from = Some(made_from);
        }
        &self.found
    }
}

/// One line of the log.
#[derive(Clone, PartialEq, Debug)]
pub struct EventRow {
    pub mark: Mark,
    pub time: String,
    pub twin: String,
    pub text: String,
    pub by: String,
}

pub fn event_row(event: &Event) -> EventRow {
    EventRow {
        mark: mark(event),
        time: format::clock(event.time),
        twin: event.twin.clone().unwrap_or_default(),
        text: event.summary(),
        by: event.by.clone().unwrap_or_default(),
    }
}

/// An alarm has its shape while it is raised; everything else is told by words.
fn mark(event: &Event) -> Mark {
    match &event.kind {
        Kind::Alarm { cause: Cause::Raised, priority, .. } => lit(*priority, true),
        Kind::Alarm { cause: Cause::Acknowledged, priority, .. } => lit(*priority, false),
        Kind::Flood { began: true, .. }
        | Kind::SceneReloaded { accepted: false, .. }
        | Kind::Gap { .. }
        | Kind::Plant { .. }
        | Kind::Command { state: State::Failed | State::TimedOut, .. }
        | Kind::FaultSet { .. } => Mark::Warning,
        Kind::Death => Mark::Stale,
        _ => Mark::Normal,
    }
}

fn lit(priority: Priority, unacknowledged: bool) -> Mark {
    Mark::Alarm(Urgency { priority, unacknowledged })
}

/// The event log among the panels.
pub struct EventsPanel;

impl PanelClass for EventsPanel {
    const NAME: &'static str = "events";
    const TITLE: &'static str = "Events";
    const DOCK: Dock = Dock::Below;
    type State = EventsState;
    type View<'a> = EventsView<'a>;

    fn view<'a>(read: &'a Snapshot<'a>, _: &EventsState) -> EventsView<'a> {
        EventsView {
            scene: read.scene(),
            events: read.events,
            selected_twin: read.attention.selected,
            shown: read.time.shown,
        }
    }

    fn ui(ui: &mut Ui, view: &EventsView, state: &mut EventsState, out: &mut Vec<OperatorCommand>) {
        events_ui(ui, view, state, out);
    }

    fn forget_the_past(state: &mut EventsState) {
        *state = EventsState::default();
    }
}

pub fn events_ui(ui: &mut Ui, view: &EventsView, state: &mut EventsState, out: &mut Vec<OperatorCommand>) {
    filter_ui(ui, view, state);
    files_ui(ui, view, state, out);
    ui.add_space(2.0);
    let total = view.events.len();
    let found = state.found(view.events);
    if found.is_empty() {
        match total {
            0 => widgets::empty(ui, "No events", "Alarms, connections and what people do show up here."),
            _ => widgets::empty(ui, "Nothing found", "No event fits the filter."),
        }
        return;
    }
    titles(ui, found.len(), total);
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, theme::ROW, found.len(), |ui, visible| {
        for place in visible {
            let newest_first = found.len().checked_sub(place + 1).and_then(|at| found.get(at));
            if let Some(event) = newest_first.and_then(|&at| view.events.get(at)) {
                row_ui(ui, view, event, out);
            }
        }
    });
}

/// Kinds that belong together in a log.
const CLASSES: [(&str, &[Tag]); 9] = [
    ("Alarms", &[Tag::Alarm, Tag::Flood, Tag::Chattering]),
    ("Connections", &[Tag::Connection]),
    ("Twins", &[Tag::Birth, Tag::Death]),
    ("Commands", &[Tag::Command]),
    ("Scene", &[Tag::SceneReloaded, Tag::SceneEdited]),
    ("Notes", &[Tag::Note, Tag::Bookmark]),
    ("Gaps", &[Tag::Gap]),
    ("Simulated plant", &[Tag::Plant]),
    ("Faults", &[Tag::FaultSet, Tag::FaultCleared]),
];

fn filter_ui(ui: &mut Ui, view: &EventsView, state: &mut EventsState) {
    let filter = &mut state.filter;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        text_field(ui, &mut filter.text, "Search text", "Search events", 150.0);
        for (title, tags) in CLASSES {
            let on = tags.iter().all(|tag| filter.tags.contains(tag));
            if widgets::toggle(ui, on, title, "Only these (and others that are chosen)") {
                filter.tags.retain(|tag| !tags.contains(tag));
                filter.tags.extend(tags.iter().filter(|_| !on));
            }
        }
        // Only alarms have a priority: choosing one leaves out everything else.
        for priority in Priority::ALL {
            let on = filter.priorities.contains(&priority);
            if widgets::priority_toggle(ui, priority, on, &format!("Only {} alarms", priority.name())) {
                filter.priorities.retain(|other| *other != priority);
                filter.priorities.extend((!on).then_some(priority));
            }
        }
        let selected = view.selected_twin.and_then(|twin| view.scene.twins.get(twin.at())).map(|twin| &twin.id);
        if let Some(id) = filter.twin.as_ref().or(selected).cloned() {
            let on = filter.twin.is_some();
            if widgets::toggle(ui, on, &format!("Only {id}"), "Leave out other twins") {
                filter.twin = (!on).then_some(id);
            }
        }
    });
}

fn text_field(ui: &mut Ui, text: &mut String, hint: &str, name: &str, width: f32) {
    let field = egui::TextEdit::singleline(text).hint_text(hint).desired_width(width).margin(vec2(8.0, 4.0));
    ui.add(field).widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, true, name));
}

/// A note on the selected twin, and the export of what is listed.
fn files_ui(ui: &mut Ui, view: &EventsView, state: &mut EventsState, out: &mut Vec<OperatorCommand>) {
    ui.horizontal_wrapped(|ui| {
        text_field(ui, &mut state.note, "Write a note", "Note", 180.0);
        let twin = view.selected_twin.and_then(|twin| view.scene.twins.get(twin.at()));
        let on = twin.map_or_else(|| "Add note".to_owned(), |twin| format!("Add note on {}", twin.id));
        let text = state.note.trim();
        if ui.add_enabled(!text.is_empty(), egui::Button::new(on)).clicked() {
            out.push(
                JournalCommand::Note { text: text.to_owned(), twin: twin.map(|twin| twin.index), at: None }.into(),
            );
            state.note.clear();
        }
        ui.add_space(8.0);
        text_field(ui, &mut state.path, "events.csv or events.jsonl", "Export to file", 180.0);
        let path = state.path.trim();
        let export = ui.add_enabled(!path.is_empty(), egui::Button::new("Export"));
        let hint = "What the filter lets through, as CSV if the name ends in .csv, else as JSON lines";
        if export.on_hover_text(hint).on_disabled_hover_text("Name a file first").clicked() {
            out.push(JournalCommand::Export { path: PathBuf::from(path), filter: state.filter.clone() }.into());
        }
    });
}

struct Columns {
    mark: egui::Pos2,
    time: Rect,
    twin: Rect,
    text: Rect,
    by: Rect,
}

fn columns(row: Rect) -> Columns {
    let cell = |left: f32, right: f32| Rect::from_min_max(pos2(left, row.top()), pos2(right.max(left), row.bottom()));
    let time = cell(row.left() + 28.0, row.left() + 90.0);
    let twin = cell(time.right() + 8.0, time.right() + 72.0);
    let by_width = if row.width() < 480.0 { 0.0 } else { 90.0 };
    let by = cell(row.right() - 6.0 - by_width, row.right() - 6.0);
    let text = cell(twin.right() + 8.0, by.left() - if by_width > 0.0 { 10.0 } else { 0.0 });
    Columns { mark: pos2(row.left() + 14.0, row.center().y), time, twin, text, by }
}

fn titles(ui: &mut Ui, found: usize, total: usize) {
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), egui::Sense::hover());
    let at = columns(row);
    let count = match found == total {
        true => format::plural(total, "event"),
        false => format!("{} of {}", format::count(found as u64), format::plural(total, "event")),
    };
    for (cell, text, align) in [
        (at.time, "Time", Align::Min),
        (at.twin, "Twin", Align::Min),
        (at.text, "What happened", Align::Min),
        (at.text, count.as_str(), Align::Max),
        (at.by, "Who", Align::Min),
    ] {
        widgets::paint_text(ui.painter(), cell, text, theme::small(), theme::TEXT_WEAK, align);
    }
    ui.painter().hline(row.x_range(), row.bottom(), egui::Stroke::new(1.0, theme::LINE));
}

fn row_ui(ui: &mut Ui, view: &EventsView, event: &Event, out: &mut Vec<OperatorCommand>) {
    let row = event_row(event);
    let name = format!("{} {} {}", row.time, row.twin, row.text);
    let (rect, response) = widgets::row(ui, theme::ROW, false, &name);
    let at = columns(rect);
    let painter = ui.painter();
    let to_come = event.seen_at() > view.shown;
    let (ink, weak) = match to_come {
        true => (theme::TEXT_WEAK, theme::TEXT_WEAK.gamma_multiply(0.8)),
        false => (theme::TEXT, theme::TEXT_WEAK),
    };
    if !to_come {
        widgets::paint_mark(painter, at.mark, row.mark);
    }
    let text = |cell, text: &str, font, ink| widgets::paint_text(painter, cell, text, font, ink, Align::Min);
    text(at.time, &row.time, theme::mono(), weak);
    text(at.twin, &row.twin, theme::mono(), ink);
    let mut cut = text(at.text, &row.text, theme::body(), ink);
    cut |= text(at.by, &row.by, theme::small(), weak);
    if response.clicked() {
        out.push(TimeCommand::Seek(event.seen_at()).into());
        if let Some(twin) = event.twin.as_deref().and_then(|id| view.scene.twin(id)) {
            out.push(AttentionCommand::Select(Some(twin.index)).into());
        }
    }
    if cut {
        response.on_hover_text(format!("{}\n{}\n{}", format::date_and_clock(event.time), row.text, row.by));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use egui_kittest::{Harness, kittest::Queryable as _};

    struct Desk {
        events: Vec<Arc<Event>>,
        state: EventsState,
        out: Vec<OperatorCommand>,
    }

    fn desk(events: Vec<Arc<Event>>) -> Harness<'static, Desk> {
        let scene = testing::scene();
        let pump = scene.twin("P-101").map(|twin| twin.index);
        testing::harness(Desk { events, state: EventsState::default(), out: Vec::new() }, move |ui, desk| {
            let shown = testing::now();
            let view = EventsView { scene: &scene, events: &desk.events, selected_twin: pump, shown };
            events_ui(ui, &view, &mut desk.state, &mut desk.out);
        })
    }

    fn journal() -> Vec<Arc<Event>> {
        testing::alarms::events(&testing::scene())
    }

    #[test]
    fn a_row_tells_what_happened_to_which_twin_and_who_did_it_why() {
        let row = event_row(&journal()[3]);
        assert_eq!(row.text, "load above 98 % (high high): acknowledged \"jam cleared\"");
        assert_eq!((row.time.as_str(), row.twin.as_str(), row.by.as_str()), ("14:07:50", "C-202", "ada"));
    }

    #[test]
    fn a_click_goes_to_the_moment_and_the_twin() {
        let mut harness = desk(journal());
        harness.get_by_label("14:09:45 P-101 vibration above 7.1 mm/s (high high): raised at 7.14 mm/s").click();
        harness.run();
        let pump = testing::scene().twin("P-101").unwrap().index;
        let expected = [
            OperatorCommand::Time(TimeCommand::Seek(testing::second(585))),
            OperatorCommand::Attention(AttentionCommand::Select(Some(pump))),
        ];
        assert_eq!(harness.state().out, expected);
    }

    #[test]
    fn filters_by_kind_text_and_priority_narrow_the_log() {
        let mut harness = desk(journal());
        let seen = |harness: &Harness<Desk>, text: &str| harness.query_all_by_label_contains(text).count();
        harness.get_by_label("Notes").click();
        harness.run();
        assert_eq!((seen(&harness, "thermowell"), seen(&harness, ": raised")), (1, 0));
        harness.get_by_label("Notes").click();
        harness.get_by_label("Search events").focus();
        harness.run();
        harness.get_by_label("Search events").type_text("acknowledged");
        harness.run();
        assert_eq!((seen(&harness, "jam cleared"), seen(&harness, ": raised")), (1, 0));
        harness.state_mut().state.filter.text.clear();
        harness.get_by_label("Only critical alarms").click();
        harness.run();
        assert_eq!((seen(&harness, ": raised"), seen(&harness, "jam cleared")), (1, 0));
    }

    #[test]
    fn an_export_names_the_file_and_the_filter() {
        let mut harness = desk(journal());
        harness.get_by_label("Notes").click();
        harness.run();
        harness.get_by_label("Export").click();
        harness.run();
        assert_eq!(harness.state().out, [], "there is no file name yet");
        harness.get_by_label("Export to file").focus();
        harness.run();
        harness.get_by_label("Export to file").type_text("shift.csv");
        harness.run();
        harness.get_by_label("Export").click();
        harness.run();
        let filter = Filter { tags: vec![Tag::Note, Tag::Bookmark], ..Filter::default() };
        assert_eq!(
            harness.state().out,
            [OperatorCommand::Journal(JournalCommand::Export { path: "shift.csv".into(), filter })]
        );
    }

    #[test]
    fn a_note_is_about_the_selected_twin() {
        let mut harness = desk(journal());
        harness.get_by_label("Note").focus();
        harness.run();
        harness.get_by_label("Note").type_text("smells hot");
        harness.run();
        harness.get_by_label("Add note on P-101").click();
        harness.run();
        let twin = testing::scene().twin("P-101").map(|twin| twin.index);
        assert_eq!(
            harness.state().out,
            [OperatorCommand::Journal(JournalCommand::Note { text: "smells hot".into(), twin, at: None })]
        );
        assert_eq!(harness.state().state.note, "");
    }

    #[test]
    fn of_a_hundred_thousand_events_only_visible_rows_are_built_newest_first() {
        let harness = desk(testing::alarms::many_events(100_000));
        assert!(harness.query_by_label_contains("note 100000").is_some());
        assert!(harness.query_by_label_contains("note 99000").is_none());
    }

    #[test]
    fn a_growing_journal_gives_the_same_list_as_a_new_one() {
        let all = journal();
        let filter = Filter { tags: vec![Tag::Alarm], ..Filter::default() };
        let mut state = EventsState { filter: filter.clone(), ..Default::default() };
        for count in 0..=all.len() {
            let mut fresh = EventsState { filter: filter.clone(), ..Default::default() };
            assert_eq!(state.found(&all[..count]), fresh.found(&all[..count]), "{count}");
        }
        // The oldest left: places have moved.
        let mut fresh = EventsState { filter, ..Default::default() };
        assert_eq!(state.found(&all[3..]), fresh.found(&all[3..]));
    }
}
