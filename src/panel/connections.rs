//! The connections panel: what is recorded, and for each source its state, address, errors, rates and every counter that
//! tells of loss.
//!
//! In: [`ConnectionsView`], built from the source report and the recorder. Out: commands to record and to stop.
//! Never hides a counter: what was dropped, merged or not understood is on screen.

use bevy_egui::egui::{self, Align, Color32, Frame, Margin, Rect, ScrollArea, Sense, Stroke, Ui, pos2, vec2};

use super::class::{Dock, PanelClass};
use super::recording::{self, RecordBox, RecordView};
use super::snapshot::Snapshot;
use super::{format, theme, widgets};
use crate::command::OperatorCommand;
use crate::source::{ConnectionState, SourceReport, SourceSnapshot};
use crate::value::Timestamp;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConnectionsView {
    /// None where nothing can be recorded.
    pub record: Option<RecordView>,
    pub sources: Vec<SourceView>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct SourceView {
    pub name: String,
    pub address: String,
    pub state: ConnectionState,
    /// `Connected for 3 min`.
    pub status: String,
    pub error: Option<String>,
    /// (name, value, needs a look)
    pub counters: Vec<(&'static str, String, bool)>,
    /// (topic, count)
    pub unknown: Vec<(String, String)>,
    pub problems: Vec<ProblemView>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct ProblemView {
    pub topic: String,
    pub count: String,
    pub error: String,
    pub payload: String,
    pub age: String,
}

/// Of the sources; who knows what is recorded adds it.
pub fn connections_view(report: &SourceReport, now: Timestamp) -> ConnectionsView {
    ConnectionsView { record: None, sources: report.sources.iter().map(|source| source_view(source, now)).collect() }
}

pub const fn state_text(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Connecting => "Connecting",
        ConnectionState::Connected => "Connected",
        ConnectionState::Disconnected => "Disconnected",
        ConnectionState::Stopped => "Stopped",
    }
}

fn source_view(source: &SourceSnapshot, now: Timestamp) -> SourceView {
    let count = |n: u64, bad: bool| (format::count(n), bad && n > 0);
    let counters = [
        ("Messages/s", (format::rate(source.messages_per_sec), false)),
        ("Bytes/s", (format::bytes(source.bytes_per_sec), false)),
        ("Messages", count(source.received, false)),
        ("Payload", (format::bytes(source.received_bytes as f64), false)),
        ("Samples", count(source.decoded, false)),
        ("Reconnects", count(source.reconnects, false)),
        ("Decode errors", count(source.decode_errors, true)),
        ("Clock problems", count(source.clock_problems, true)),
        ("Unknown topics", count(source.unknown_topics, false)),
        ("Dropped", count(source.dropped, true)),
        ("Coalesced", count(source.coalesced, false)),
    ];
    let age = format::age(now.secs_since(source.since));
    SourceView {
        name: source.name.clone(),
        address: source.address.clone(),
        state: source.state,
        status: match age.as_str() {
            "now" => state_text(source.state).into(),
            age => format!("{} for {age}", state_text(source.state)),
        },
        error: source.error.clone(),
        counters: counters.into_iter().map(|(name, (text, bad))| (name, text, bad)).collect(),
        unknown: source.unknown.iter().map(|(topic, n)| (topic.clone(), format::count(*n))).collect(),
        problems: source
            .problems
            .iter()
            .map(|problem| ProblemView {
                topic: problem.topic.clone(),
                count: format::count(problem.count),
                error: problem.last_error.clone(),
                payload: problem.last_payload.clone(),
                age: format::age(now.secs_since(problem.last_time)),
            })
            .collect(),
    }
}

/// The colour and shape of a connection: a filled dot is well, a ring is on its way, a cross is down.
pub fn paint_state(painter: &egui::Painter, centre: egui::Pos2, state: ConnectionState) {
    match state {
        ConnectionState::Connected => {
            painter.circle_filled(centre, 4.0, theme::TEXT_WEAK);
        }
        ConnectionState::Connecting => {
            painter.circle_stroke(centre, 4.0, Stroke::new(1.5, theme::WARNING));
        }
        ConnectionState::Disconnected | ConnectionState::Stopped => {
            let stroke = Stroke::new(2.0, state_colour(state));
            painter.line_segment([centre + vec2(-4.0, -4.0), centre + vec2(4.0, 4.0)], stroke);
            painter.line_segment([centre + vec2(-4.0, 4.0), centre + vec2(4.0, -4.0)], stroke);
        }
    }
}

pub const fn state_colour(state: ConnectionState) -> Color32 {
    match state {
        ConnectionState::Connected => theme::TEXT_WEAK,
        ConnectionState::Connecting => theme::WARNING,
        ConnectionState::Disconnected | ConnectionState::Stopped => theme::CRITICAL,
    }
}

/// The connections among the panels.
pub struct ConnectionsPanel;

impl PanelClass for ConnectionsPanel {
    const NAME: &'static str = "connections";
    const TITLE: &'static str = "Connections";
    const DOCK: Dock = Dock::Below;
    type State = RecordBox;
    type View<'a> = ConnectionsView;

    fn view<'a>(read: &'a Snapshot<'a>, _: &RecordBox) -> ConnectionsView {
        ConnectionsView { record: read.record.cloned(), ..connections_view(read.report, read.time.now) }
    }

    fn ui(ui: &mut Ui, view: &ConnectionsView, state: &mut RecordBox, out: &mut Vec<OperatorCommand>) {
        connections_ui(ui, view, state, out);
    }
}

pub fn connections_ui(ui: &mut Ui, view: &ConnectionsView, state: &mut RecordBox, out: &mut Vec<OperatorCommand>) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        if let Some(record) = &view.record {
            recording::box_ui(ui, record, state, out);
        }
        if view.sources.is_empty() {
            widgets::empty(ui, "No sources", "Add a broker to the scene, or start with --broker URL.");
        }
        for source in &view.sources {
            Frame::new().fill(theme::SUNKEN).corner_radius(5.0).inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.push_id(&source.name, |ui| source_ui(ui, source));
            });
        }
    });
}

fn source_ui(ui: &mut Ui, source: &SourceView) {
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(12.0, 20.0), Sense::hover());
        paint_state(ui.painter(), pos2(rect.left() + 5.0, rect.center().y), source.state);
        ui.label(egui::RichText::new(&source.name).strong().color(theme::TEXT_STRONG));
        let calm = matches!(source.state, ConnectionState::Connected);
        let ink = if calm { theme::TEXT } else { state_colour(source.state) };
        ui.label(egui::RichText::new(&source.status).color(ink));
        widgets::line(ui, &source.address, theme::mono(), theme::TEXT_WEAK);
    });
    if let Some(error) = &source.error {
        ui.horizontal_wrapped(|ui| {
            ui.label(egui::RichText::new("Last error").font(theme::small()).color(theme::TEXT_WEAK));
            let partly = matches!(source.state, ConnectionState::Connected);
            let ink = if partly { theme::WARNING } else { theme::CRITICAL };
            ui.label(egui::RichText::new(error).font(theme::small()).color(ink));
        });
    }
    counters(ui, &source.counters);
    if !source.problems.is_empty() {
        widgets::section(ui, "Payloads that could not be decoded");
        for problem in &source.problems {
            problem_ui(ui, problem);
        }
    }
    if !source.unknown.is_empty() {
        let title = format!("Topics that no signal is bound to ({})", source.unknown.len());
        widgets::section(ui, &title);
        for (topic, count) in &source.unknown {
            counted_line(ui, topic, count, theme::TEXT);
        }
    }
}

/// A grid of name over value that flows into as many columns as there is room for.
pub(super) fn counters(ui: &mut Ui, counters: &[(&'static str, String, bool)]) {
    let width = ui.available_width();
    let columns = ((width / 112.0) as usize).clamp(1, counters.len().max(1));
    let cell_width = width / columns as f32;
    for chunk in counters.chunks(columns) {
        let (row, _) = ui.allocate_exact_size(vec2(width, 38.0), Sense::hover());
        for (i, (name, value, bad)) in chunk.iter().enumerate() {
            let left = row.left() + cell_width * i as f32;
            let cell = Rect::from_min_size(pos2(left, row.top()), vec2(cell_width - 10.0, 19.0));
            let below = cell.translate(vec2(0.0, 18.0));
            let ink = match (bad, value.as_str()) {
                (true, _) => theme::DATA,
                (false, "0" | "0 B") => theme::TEXT_WEAK,
                (false, _) => theme::TEXT_STRONG,
            };
            widgets::paint_text(ui.painter(), cell, name, theme::small(), theme::TEXT_WEAK, Align::Min);
            widgets::paint_text(ui.painter(), below, value, theme::mono(), ink, Align::Min);
            let response = ui.interact(cell.union(below), ui.id().with(name), Sense::hover());
            response
                .widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, format!("{name}: {value}")));
        }
    }
}

fn counted_line(ui: &mut Ui, text: &str, count: &str, ink: Color32) {
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), 19.0), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, format!("{text}: {count}")));
    let number = Rect::from_min_max(row.min, pos2(row.left() + 62.0, row.bottom()));
    widgets::paint_text(ui.painter(), number, count, theme::mono(), theme::TEXT_WEAK, Align::Max);
    let cell = Rect::from_min_max(pos2(number.right() + 12.0, row.top()), row.max);
    if widgets::paint_text(ui.painter(), cell, text, theme::mono(), ink, Align::Min) {
        response.on_hover_text(text);
    }
}

fn problem_ui(ui: &mut Ui, problem: &ProblemView) {
    counted_line(ui, &problem.topic, &problem.count, theme::DATA);
    let indent = |ui: &mut Ui, text: &str, font, ink| {
        ui.horizontal(|ui| {
            ui.add_space(66.0);
            widgets::line(ui, text, font, ink).on_hover_text(text);
        });
    };
    indent(ui, &format!("{} ({} ago)", problem.error, problem.age), theme::small(), theme::TEXT);
    indent(ui, &problem.payload, theme::mono(), theme::TEXT_WEAK);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use egui_kittest::kittest::Queryable as _;

    #[test]
    fn every_counter_of_a_source_is_in_its_view() {
        let view = connections_view(&testing::report(), testing::now());
        let plant = view.sources.iter().find(|source| source.name == "plant").unwrap();
        let texts: Vec<_> = plant.counters.iter().map(|(name, value, bad)| format!("{name} {value} {bad}")).collect();
        assert!(texts.contains(&"Dropped 3 true".to_owned()), "{texts:?}");
        assert!(texts.contains(&"Decode errors 17 true".to_owned()), "{texts:?}");
        assert!(texts.contains(&"Coalesced 212 false".to_owned()), "{texts:?}");
        assert_eq!(plant.status, "Connected for 4 min");
    }

    #[test]
    fn the_last_error_the_bad_payload_and_unknown_topics_are_on_screen() {
        let view = connections_view(&testing::report(), testing::now());
        let mut harness =
            testing::harness((), move |ui, ()| connections_ui(ui, &view, &mut RecordBox::default(), &mut Vec::new()));
        harness.set_size(egui::vec2(700.0, 1_200.0));
        harness.run();
        harness.get_by_label_contains("bad user name or password");
        harness.get_by_label_contains("{\"temp\": nope}");
        harness.get_by_label("hall/legacy/heartbeat: 1\u{2009}204".replace('\u{2009}', "").as_str());
        harness.get_by_label("Dropped: 3");
    }

    #[test]
    fn without_sources_it_says_what_to_do() {
        let harness = testing::harness((), |ui, ()| {
            connections_ui(ui, &ConnectionsView::default(), &mut RecordBox::default(), &mut Vec::new());
        });
        harness.get_by_label_contains("--broker URL");
    }
}
