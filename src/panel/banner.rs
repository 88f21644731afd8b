//! The alarm banner, always in sight in the top bar: how many alarms of each priority, and the most urgent one in words.
//!
//! In: [`BannerView`], built from the alarm board. Out: whether the alarm list is asked for. Grey while all is well.

use bevy_egui::egui::{self, Align, Response, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};

use super::alarms::words;
use super::{format, theme, widgets};
use crate::alarm::{AlarmBoard, Tally, Urgency};
use crate::scene::Scene;
use crate::scene::rule::Priority;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BannerView {
    /// By priority, from critical to low.
    pub tallies: [Tally; 4],
    pub headline: Option<Headline>,
    /// Alarms since the flood began, if there is one.
    pub flood: Option<u64>,
    pub chattering: usize,
}

/// The newest of the most urgent alarms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Headline {
    pub alarm: Urgency,
    /// `P-101 vibration above 7.1 mm/s (high high)`.
    pub text: String,
}

pub fn banner_view(scene: &Scene, board: &AlarmBoard) -> BannerView {
    let urgent = board.most_urgent().and_then(|index| Some((scene.alarms.get(index.at())?, board.alarm(index)?)));
    BannerView {
        tallies: Priority::ALL.map(|priority| board.tally(priority)),
        headline: urgent.map(|(rule, alarm)| Headline {
            alarm: Urgency::of(rule.priority, alarm.state),
            text: format!("{} {}", words::whose(rule, scene), words::message(rule, scene)),
        }),
        flood: board.flood.map(|flood| flood.alarms),
        chattering: board.chattering.len(),
    }
}

impl BannerView {
    /// `critical: 1 of 2 unacknowledged`.
    fn tally_text(priority: Priority, tally: Tally) -> String {
        match tally.standing {
            0 => format!("{}: none", priority.name()),
            standing => format!("{}: {} of {standing} unacknowledged", priority.name(), tally.unacknowledged),
        }
    }
}

/// Counts and notices, for a layout from right to left. Says whether the list is asked for.
pub fn counts_ui(ui: &mut Ui, view: &BannerView) -> bool {
    let mut asked = false;
    for (priority, tally) in Priority::ALL.into_iter().zip(view.tallies).rev() {
        asked |= tally_ui(ui, priority, tally).clicked();
    }
    if view.chattering > 0 {
        let text = format!("{} chattering", view.chattering);
        asked |= notice(ui, &text, "Alarms that come and go three times a minute or more").clicked();
    }
    if let Some(alarms) = view.flood {
        asked |= notice(ui, &format!("FLOOD {alarms}"), "More alarms than a person can handle: look for the first")
            .clicked();
    }
    asked
}

fn notice(ui: &mut Ui, text: &str, tip: &str) -> Response {
    widgets::badge(ui, text, theme::GROUND, theme::TEXT_STRONG).interact(Sense::click()).on_hover_text(tip)
}

/// A shape, how many wait, and how many stand: `2/5`.
fn tally_ui(ui: &mut Ui, priority: Priority, tally: Tally) -> Response {
    let quiet = tally.standing == 0;
    let ink = if tally.unacknowledged > 0 { theme::TEXT_STRONG } else { theme::TEXT_WEAK };
    let waits = ui.painter().layout_no_wrap(format::count(tally.unacknowledged as u64), theme::mono(), ink);
    let of = if quiet { String::new() } else { format!("/{}", format::count(tally.standing as u64)) };
    let of = ui.painter().layout_no_wrap(of, theme::mono(), theme::TEXT_WEAK);
    let (rect, response) = ui.allocate_exact_size(vec2(22.0 + waits.size().x + of.size().x, 24.0), Sense::click());
    let name = BannerView::tally_text(priority, tally);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &name));
    let middle = rect.center().y;
    let centre = pos2(rect.left() + 9.0, middle);
    if quiet {
        widgets::paint_mark(ui.painter(), centre, super::mark::Mark::Normal);
    } else {
        let alarm = Urgency { priority, unacknowledged: tally.unacknowledged > 0 };
        widgets::paint_alarm(ui.painter(), centre, alarm);
    }
    let x = rect.left() + 20.0;
    let next = x + waits.size().x;
    ui.painter().galley(pos2(x, middle - waits.size().y / 2.0), waits, ink);
    ui.painter().galley(pos2(next, middle - of.size().y / 2.0), of, theme::TEXT_WEAK);
    response.on_hover_text(format!("{} alarms, {} active", name, tally.active))
}

/// The most urgent alarm in what is left of the bar. Says whether the list is asked for.
pub fn headline_ui(ui: &mut Ui, view: &BannerView) -> bool {
    let Some(headline) = &view.headline else { return false };
    let room = ui.available_width();
    if room < 60.0 {
        return false;
    }
    let waits = headline.alarm.unacknowledged;
    let ink = if waits { theme::TEXT_STRONG } else { theme::TEXT };
    let galley = widgets::layout(ui.painter(), &headline.text, theme::body(), ink, room - 44.0);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 40.0, 28.0), Sense::click());
    let name = format!("Most urgent: {}", headline.text);
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, &name));
    let edge = if waits { theme::priority(headline.alarm.priority) } else { theme::LINE };
    ui.painter().rect(rect, 4.0, theme::SUNKEN, egui::Stroke::new(1.0, edge), egui::StrokeKind::Inside);
    widgets::paint_alarm(ui.painter(), pos2(rect.left() + 15.0, rect.center().y), headline.alarm);
    let cell = egui::Rect::from_min_max(pos2(rect.left() + 29.0, rect.top()), rect.max);
    widgets::paint_text(ui.painter(), cell, &headline.text, theme::body(), ink, Align::Min);
    let clicked = response.clicked();
    response.on_hover_text(&headline.text);
    clicked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use egui_kittest::kittest::Queryable as _;

    #[test]
    fn the_banner_counts_by_priority_and_names_the_most_urgent() {
        let plant = testing::plant();
        let view = banner_view(&plant.scene, &plant.board);
        let counts: Vec<_> =
            Priority::ALL.into_iter().zip(view.tallies).map(|(p, tally)| BannerView::tally_text(p, tally)).collect();
        assert_eq!(
            counts,
            [
                "critical: 1 of 1 unacknowledged",
                "high: 0 of 1 unacknowledged",
                "medium: 3 of 3 unacknowledged",
                "low: 0 of 1 unacknowledged",
            ]
        );
        assert_eq!(view.headline.unwrap().text, "P-101 vibration above 7.1 mm/s (high high)");
        assert_eq!((view.flood, view.chattering), (Some(14), 1));
    }

    #[test]
    fn a_quiet_plant_has_a_quiet_banner() {
        let scene = testing::scene();
        let board = testing::alarms::board_of(&scene, vec![Default::default(); scene.alarms.len()]);
        let view = banner_view(&scene, &board);
        assert_eq!(view, BannerView::default());
    }

    #[test]
    fn each_part_of_the_banner_asks_for_the_list() {
        let plant = testing::plant();
        let view = banner_view(&plant.scene, &plant.board);
        let mut harness = testing::harness(0, move |ui, asked| {
            ui.horizontal(|ui| {
                *asked += usize::from(headline_ui(ui, &view));
            });
            ui.horizontal(|ui| *asked += usize::from(counts_ui(ui, &view)));
        });
        for name in
            ["Most urgent: P-101 vibration above 7.1 mm/s (high high)", "high: 0 of 1 unacknowledged", "FLOOD 14"]
        {
            harness.get_by_label(name).click();
            harness.run();
        }
        assert_eq!(*harness.state(), 3);
    }
}
