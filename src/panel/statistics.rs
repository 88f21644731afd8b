//! What the alarm system itself is worth: its figures beside what ISA-18.2 recommends.
//!
//! In: [`Performance`]. Out: nothing to command. Targets after ISA-18.2-2016, clause 16.5 (tables 5 to 7), and EEMUA 191
//! (2013), for one operator; they count alarms that were annunciated.

use bevy_egui::egui::{self, Align, Frame, Margin, Rect, ScrollArea, Sense, Ui, pos2, vec2};

use super::alarms::words;
use super::class::{Dock, PanelClass};
use super::mark::Mark;
use super::snapshot::Snapshot;
use super::{format, theme, widgets};
use crate::alarm::{Performance, Rate, Urgency};
use crate::command::OperatorCommand;
use crate::scene::Scene;
use crate::scene::rule::{AlarmIndex, Priority};

#[derive(Clone, PartialEq, Debug, Default)]
pub struct StatisticsView {
    /// `24 h`.
    pub span: String,
    pub measures: Vec<Measure>,
    pub priorities: Vec<Share>,
    /// (alarm, times raised, share of all)
    pub frequent: Vec<(String, String, f64)>,
}

/// One figure with its recommended target.
#[derive(Clone, PartialEq, Debug)]
pub struct Measure {
    pub name: &'static str,
    pub value: String,
    pub target: &'static str,
    pub met: bool,
}

/// What share of all alarms has a priority, and what is recommended.
#[derive(Clone, PartialEq, Debug)]
pub struct Share {
    pub priority: Priority,
    pub count: u64,
    /// 0 to 1.
    pub share: f64,
    pub target: &'static str,
}

/// Empty before anything was measured.
pub fn statistics_view(performance: Option<&Performance>, scene: &Scene) -> StatisticsView {
    let Some(performance) = performance else { return StatisticsView::default() };
    let targets = ["below 1 %", "about 5 %", "about 15 %", "about 80 %"];
    let title = |index: AlarmIndex| match scene.alarms.get(index.at()) {
        Some(rule) => format!("{} {}", words::whose(rule, scene), rule.name),
        None => String::new(),
    };
    StatisticsView {
        span: words::coarse(performance.to.secs_since(performance.from)),
        measures: measures(performance),
        priorities: performance
            .priorities
            .iter()
            .zip(targets)
            .map(|(of, target)| Share { priority: of.priority, count: of.count, share: of.share, target })
            .collect(),
        frequent: performance
            .most_frequent
            .iter()
            .map(|of| (title(of.alarm), format::count(of.count), of.share))
            .collect(),
    }
}

fn measures(of: &Performance) -> Vec<Measure> {
    let measure = |name, value: String, target, met| Measure { name, value, target, met };
    let average = |name, rate: &Rate, target, most: f64| {
        let value = rate.average.map_or_else(|| "–".into(), |x| format::number((x * 100.0).round() / 100.0));
        measure(name, value, target, rate.average.is_none_or(|x| x <= most))
    };
    let (peak, frequent) = (of.per_ten_minutes.peak, of.share_of_most_frequent);
    let (standing, chattering) = (of.standing.len() as u64, of.chattering.len() as u64);
    vec![
        average("Alarms per 10 min", &of.per_ten_minutes, "1, at most 2", 2.0),
        average("Alarms per hour", &of.per_hour, "6, at most 12", 12.0),
        average("Alarms per day", &of.per_day, "150, at most 300", 300.0),
        measure("Most in 10 min", format::count(peak), "at most 10", peak <= 10),
        measure("10 min with more than 10", percent(of.share_above_ten), "below 1 %", of.share_above_ten < 0.01),
        measure("Floods", format::count(of.floods), "none", of.floods == 0),
        measure("Time in flood", percent(of.share_in_flood), "below 1 %", of.share_in_flood < 0.01),
        measure("Share of the top ten", percent(frequent), "1 % to 5 %", frequent <= 0.05),
        measure("Chattering", format::count(chattering), "none", chattering == 0),
        measure("Stale (more than 24 h)", format::count(of.stale), "below 5", of.stale < 5),
        measure("Active now", format::count(standing), "below 10", standing < 10),
        measure("Shelved now", format::count(of.shelved), "few", true),
        measure("Suppressed by design now", format::count(of.suppressed), "–", true),
        measure("Out of service now", format::count(of.out_of_service), "few", true),
    ]
}

fn percent(share: f64) -> String {
    format!("{} %", format::number((share * 1000.0).round() / 10.0))
}

/// The statistics among the panels.
pub struct StatisticsPanel;

impl PanelClass for StatisticsPanel {
    const NAME: &'static str = "statistics";
    const TITLE: &'static str = "Statistics";
    const DOCK: Dock = Dock::Below;
    type State = ();
    type View<'a> = StatisticsView;

    fn view<'a>(read: &'a Snapshot<'a>, (): &()) -> StatisticsView {
        statistics_view(read.board.performance.as_deref(), read.scene())
    }

    fn ui(ui: &mut Ui, view: &StatisticsView, (): &mut (), _: &mut Vec<OperatorCommand>) {
        statistics_ui(ui, view);
    }
}

pub fn statistics_ui(ui: &mut Ui, view: &StatisticsView) {
    if view.measures.is_empty() {
        widgets::empty(ui, "No statistics yet", "They begin with the first alarm rule that is watched.");
        return;
    }
    widgets::line(ui, &format!("Over the last {}, for one operator", view.span), theme::small(), theme::TEXT_WEAK);
    ui.add_space(2.0);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let wide = ui.available_width() > 640.0;
        if wide {
            ui.columns(2, |columns| {
                if let [left, right] = columns {
                    card(left, |ui| measures_ui(ui, view));
                    card(right, |ui| shares_ui(ui, view));
                }
            });
        } else {
            card(ui, |ui| measures_ui(ui, view));
            card(ui, |ui| shares_ui(ui, view));
        }
    });
}

fn card(ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    Frame::new().fill(theme::SUNKEN).corner_radius(4.0).inner_margin(Margin::symmetric(10, 8)).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 2.0;
        contents(ui);
    });
}

const LINE_HEIGHT: f32 = 21.0;

/// A row of a table: how far each cell reaches from the left, and how it is aligned.
fn cells(ui: &mut Ui, name: &str) -> (Rect, egui::Painter) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE_HEIGHT), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, name));
    (rect, ui.painter().clone())
}

fn part(row: Rect, from: f32, to: f32) -> Rect {
    let at = |share: f32| row.left() + share * row.width();
    Rect::from_min_max(pos2(at(from) + 3.0, row.top()), pos2(at(to) - 3.0, row.bottom()))
}

fn measures_ui(ui: &mut Ui, view: &StatisticsView) {
    let (row, painter) = cells(ui, "Figures");
    for (cell, text, align) in [
        (part(row, 0.0, 0.46), "Figure", Align::Min),
        (part(row, 0.46, 0.61), "Value", Align::Max),
        (part(row, 0.62, 1.0), "Recommended", Align::Min),
    ] {
        widgets::paint_text(&painter, cell, text, theme::small(), theme::TEXT_WEAK, align);
    }
    for measure in &view.measures {
        let name = format!(
            "{}: {} ({}{})",
            measure.name,
            measure.value,
            measure.target,
            if measure.met { "" } else { ", missed" }
        );
        let (row, painter) = cells(ui, &name);
        let ink = if measure.met { theme::TEXT } else { theme::TEXT_STRONG };
        widgets::paint_text(&painter, part(row, 0.0, 0.46), measure.name, theme::small(), theme::TEXT, Align::Min);
        widgets::paint_text(&painter, part(row, 0.46, 0.61), &measure.value, theme::mono(), ink, Align::Max);
        if !measure.met {
            widgets::paint_mark(&painter, pos2(part(row, 0.62, 1.0).left() + 6.0, row.center().y), Mark::Warning);
        }
        let target = Rect::from_min_max(part(row, 0.62, 1.0).min + vec2(20.0, 0.0), part(row, 0.62, 1.0).max);
        widgets::paint_text(&painter, target, measure.target, theme::small(), theme::TEXT_WEAK, Align::Min);
    }
}

fn shares_ui(ui: &mut Ui, view: &StatisticsView) {
    widgets::line(ui, "By priority", theme::small(), theme::TEXT_WEAK);
    for share in &view.priorities {
        let text = format!("{} ({})", percent(share.share), format::count(share.count));
        let name = format!("{}: {text}, {}", share.priority.name(), share.target);
        let (row, painter) = cells(ui, &name);
        let alarm = Urgency { priority: share.priority, unacknowledged: true };
        widgets::paint_alarm(&painter, pos2(row.left() + 9.0, row.center().y), alarm);
        let title = Rect::from_min_max(row.min + vec2(22.0, 0.0), part(row, 0.0, 0.24).max);
        widgets::paint_text(&painter, title, share.priority.name(), theme::small(), theme::TEXT, Align::Min);
        bar(&painter, part(row, 0.24, 0.4), share.share);
        widgets::paint_text(&painter, part(row, 0.4, 0.74), &text, theme::mono(), theme::TEXT, Align::Max);
        widgets::paint_text(&painter, part(row, 0.75, 1.0), share.target, theme::small(), theme::TEXT_WEAK, Align::Min);
    }
    ui.add_space(8.0);
    widgets::line(ui, "Most frequent", theme::small(), theme::TEXT_WEAK);
    if view.frequent.is_empty() {
        widgets::line(ui, "No alarm was raised.", theme::small(), theme::TEXT);
    }
    for (alarm, count, share) in &view.frequent {
        let (row, painter) = cells(ui, &format!("{alarm}: {count}"));
        widgets::paint_text(&painter, part(row, 0.0, 0.5), alarm, theme::small(), theme::TEXT, Align::Min);
        bar(&painter, part(row, 0.5, 0.8), *share);
        widgets::paint_text(&painter, part(row, 0.8, 1.0), count, theme::mono(), theme::TEXT, Align::Max);
    }
}

fn bar(painter: &egui::Painter, cell: Rect, share: f64) {
    let cell = cell.shrink2(vec2(0.0, 6.0));
    painter.rect_filled(cell, 2.0, theme::RAISED);
    let full = Rect::from_min_size(cell.min, vec2(cell.width() * share.clamp(0.0, 1.0) as f32, cell.height()));
    painter.rect_filled(full, 2.0, theme::ACCENT);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use egui_kittest::kittest::Queryable as _;

    #[test]
    fn each_figure_stands_beside_its_target_and_says_if_it_is_missed() {
        let plant = testing::plant();
        let view = statistics_view(plant.board.performance.as_deref(), &plant.scene);
        let missed: Vec<_> =
            view.measures.iter().filter(|m| !m.met).map(|m| format!("{} {}", m.name, m.value)).collect();
        assert_eq!(
            missed,
            ["Most in 10 min 14", "Floods 1", "Time in flood 1.4 %", "Share of the top ten 62.4 %", "Chattering 1"]
        );
        let mut harness = testing::harness((), move |ui, ()| statistics_ui(ui, &view));
        harness.run();
        harness.get_by_label("Alarms per hour: 4.2 (6, at most 12)");
        harness.get_by_label("Most in 10 min: 14 (at most 10, missed)");
        harness.get_by_label("low: 57.4 % (58), about 80 %");
        harness.get_by_label("R-301 load.high: 38");
    }

    #[test]
    fn before_anything_was_measured_it_says_so() {
        let view = statistics_view(None, &testing::scene());
        let harness = testing::harness((), move |ui, ()| statistics_ui(ui, &view));
        harness.get_by_label("No statistics yet");
    }
}
