//! The bar at the top and the strip at the bottom: scene, mode, how much needs a look, connections, memory.
//!
//! In: [`BarsView`]. Out: which panel to bring to the front, or the wish to open something. Never hides the mode: it is in
//! sight at every width.

use bevy_egui::egui::{self, Align, Color32, Layout, Ui, pos2, vec2};

use super::alarms::AlarmsPanel;
use super::banner::{self, BannerView};
use super::class::{PanelClass as _, PanelId};
use super::connections::ConnectionsPanel;
use super::connections::{paint_state, state_text};
use super::issues::IssuesPanel;
use super::layer_key::LayerKey;
use super::mark::{Counts, Mark};
use super::recording::{self, RecordView};
use super::shell;
use super::tree::TreePanel;
use super::{format, theme, timebar, widgets};
use crate::history::{Cursor, Usage};
use crate::source::{ConnectionState, SourceReport};

#[derive(Clone, PartialEq, Debug, Default)]
pub struct BarsView {
    pub scene: String,
    pub cursor: Cursor,
    /// A recording: nothing is live.
    pub recorded: bool,
    /// The shown moment lies beyond now.
    pub ahead: bool,
    /// What lies beside.
    pub layers: Vec<LayerKey>,
    pub counts: Counts,
    pub banner: BannerView,
    pub twins: usize,
    pub signals: usize,
    pub usage: Usage,
    pub sources: Vec<(String, ConnectionState)>,
    /// Why what is shown is simulated.
    pub simulated: Option<String>,
    /// Why the simulated plant of this window has stopped.
    pub plant_failure: Option<String>,
    pub messages_per_sec: f64,
    /// Samples lost or messages not understood, over all sources.
    pub lost: u64,
    pub issues: usize,
    /// What is recorded; none where nothing can be.
    pub record: Option<RecordView>,
}

/// What a click on a bar asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    Panel(PanelId),
    /// The dialog that opens something else.
    Open,
}

/// Of a live session; who shows a recording says so in the view.
pub fn bars_view(
    scene: &crate::scene::Scene,
    cursor: Cursor,
    counts: Counts,
    banner: BannerView,
    usage: Usage,
    report: &SourceReport,
    issues: usize,
) -> BarsView {
    BarsView {
        scene: scene.name.clone(),
        cursor,
        recorded: false,
        ahead: false,
        layers: Vec::new(),
        counts,
        banner,
        twins: scene.twins.len(),
        signals: scene.signals.len(),
        usage,
        sources: report.sources.iter().map(|source| (source.name.clone(), source.state)).collect(),
        simulated: report.simulated(&scene.name),
        plant_failure: report.plant.as_ref().and_then(|plant| plant.failure.clone()),
        messages_per_sec: report.sources.iter().map(|source| source.messages_per_sec).sum(),
        lost: report.sources.iter().map(|source| source.dropped + source.decode_errors).sum(),
        issues,
        record: None,
    }
}

/// Ink and fill of the mode badge: grey when live, filled when the picture is not of now.
fn mode_colours(cursor: &Cursor, recorded: bool) -> (Color32, Color32) {
    match cursor {
        Cursor::Live if !recorded => (theme::TEXT_STRONG, theme::SELECTED),
        _ => (theme::GROUND, theme::NOT_LIVE),
    }
}

/// Nobody shall take a simulated plant for a real one.
fn plant_badge(ui: &mut Ui, simulated: &str, failure: Option<&str>) {
    let (text, tip) = match failure {
        Some(why) => ("PLANT STOPPED", format!("The simulated plant of this session has stopped: {why}")),
        None => ("SIMULATED", simulated.to_owned()),
    };
    let (ink, fill) = match failure {
        Some(_) => (theme::GROUND, theme::NOT_LIVE),
        None => (theme::TEXT, theme::SELECTED),
    };
    widgets::badge_of(ui, text, egui::FontId::proportional(13.0), ink, fill).on_hover_text(tip);
}

/// The top bar. Gives what the operator asked for by a click.
pub fn top_ui(ui: &mut Ui, view: &BarsView) -> Option<Asked> {
    let mut asked = None;
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        let (ink, fill) = mode_colours(&view.cursor, view.recorded);
        let text = match view.ahead {
            true => timebar::ahead_badge(&view.cursor),
            false => timebar::badge(&view.cursor, view.recorded),
        };
        widgets::badge_of(ui, &text, egui::FontId::proportional(16.0), ink, fill);
        if let Some(simulated) = &view.simulated {
            plant_badge(ui, simulated, view.plant_failure.as_deref());
        }
        if let [first, more @ ..] = &view.layers[..] {
            const WIDEST: f32 = 260.0;
            let text = match more.len() {
                0 => format!("beside {}", first.name),
                _ => format!("beside {}", view.layers.iter().map(|layer| &*layer.name).collect::<Vec<_>>().join(", ")),
            };
            let room = vec2((ui.available_width() * 0.4).min(WIDEST), ui.available_height());
            ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
                widgets::line(ui, &text, theme::body(), theme::NOT_LIVE);
            });
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 14.0;
            if ui.button("?").on_hover_text("Keyboard shortcuts (?)").clicked() {
                asked = Some(Asked::Panel(shell::HELP));
            }
            if ui.button("Open").on_hover_text("Open a recording or a scene (Ctrl + O)").clicked() {
                asked = Some(Asked::Open);
            }
            let issues = if view.issues == 1 { "issue" } else { "issues" };
            if view.issues > 0 && widgets::count_chip(ui, Mark::Warning, view.issues, issues).clicked() {
                asked = Some(Asked::Panel(IssuesPanel::ID));
            }
            let chips = [
                (Mark::Bad, view.counts.bad, "bad", "Values that cannot be used"),
                (Mark::Stale, view.counts.stale, "stale", "Signals that fell silent for longer than they may"),
            ];
            for (mark, count, what, tip) in chips {
                // Bad values are rare and show when there are some.
                if (mark != Mark::Bad || count > 0)
                    && widgets::count_chip(ui, mark, count, what).on_hover_text(tip).clicked()
                {
                    asked = Some(Asked::Panel(TreePanel::ID));
                }
            }
            if banner::counts_ui(ui, &view.banner) {
                asked = Some(Asked::Panel(AlarmsPanel::ID));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let name = if view.scene.is_empty() { "No scene" } else { &view.scene };
                widgets::line(ui, name, egui::FontId::proportional(16.0), theme::TEXT_STRONG);
                let size =
                    format!("{}  ·  {}", format::plural(view.twins, "twin"), format::plural(view.signals, "signal"));
                if banner::headline_ui(ui, &view.banner) {
                    asked = Some(Asked::Panel(AlarmsPanel::ID));
                }
                if ui.available_width() > 180.0 {
                    widgets::line(ui, &size, theme::small(), theme::TEXT_WEAK);
                }
            });
        });
    });
    asked
}

/// `214 MiB of 1.00 GiB`, and whether the oldest had to go.
pub fn memory_text(usage: &Usage) -> String {
    let kept = format!("{} of {}", format::bytes(usage.bytes as f64), format::bytes(usage.budget_bytes as f64));
    match usage.evicted {
        0 => format!("History {kept}"),
        n => format!("History {kept}, {} oldest dropped", format::count(n)),
    }
}

/// The status strip: recording and connections on the left, numbers on the right.
pub fn status_ui(ui: &mut Ui, view: &BarsView) -> Option<Asked> {
    let mut asked = None;
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 16.0;
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let samples = format!("{} samples", format::count(view.usage.samples));
            let tip = format!("{samples}, {} out of order", format::count(view.usage.out_of_order));
            weak(ui, &memory_text(&view.usage)).on_hover_text(tip);
            if ui.available_width() > 420.0 {
                weak(ui, &samples);
            }
            weak(ui, &format!("{} msg/s", format::rate(view.messages_per_sec)));
            if view.lost > 0 {
                let text = format!("{} lost or not understood", format::count(view.lost));
                ui.label(egui::RichText::new(text).font(theme::small()).color(theme::DATA));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                if let Some(record) = &view.record
                    && recording::chip_ui(ui, record)
                {
                    asked = Some(Asked::Panel(ConnectionsPanel::ID));
                }
                if view.sources.is_empty() {
                    weak(ui, "No sources");
                }
                for (name, state) in &view.sources {
                    if ui.available_width() < 60.0 {
                        break;
                    }
                    if source_chip(ui, name, *state) {
                        asked = Some(Asked::Panel(ConnectionsPanel::ID));
                    }
                }
            });
        });
    });
    asked
}

fn weak(ui: &mut Ui, text: &str) -> egui::Response {
    ui.label(egui::RichText::new(text).font(theme::small()).color(theme::TEXT_WEAK))
}

fn source_chip(ui: &mut Ui, name: &str, state: ConnectionState) -> bool {
    let text = match state {
        ConnectionState::Connected => name.to_owned(),
        other => format!("{name}: {}", state_text(other).to_lowercase()),
    };
    let galley = widgets::layout(ui.painter(), &text, theme::small(), theme::TEXT, ui.available_width() - 20.0);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 16.0, 20.0), egui::Sense::click());
    let label = format!("{name}: {}", state_text(state));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, true, &label));
    paint_state(ui.painter(), pos2(rect.left() + 5.0, rect.center().y), state);
    ui.painter().galley(pos2(rect.left() + 15.0, rect.center().y - galley.size().y / 2.0), galley, theme::TEXT);
    response.clicked()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use egui_kittest::kittest::Queryable as _;

    fn view(cursor: Cursor) -> BarsView {
        let plant = testing::plant();
        let usage = Usage { samples: 12_480, bytes: 3 << 20, budget_bytes: 1 << 30, ..Default::default() };
        let banner = banner::banner_view(&plant.scene, &plant.board);
        bars_view(&plant.scene, cursor, plant.marks.counts(), banner, usage, &testing::report(), 3)
    }

    #[test]
    fn the_mode_is_in_sight_even_in_a_narrow_window() {
        let at = testing::second(3);
        for (cursor, recorded, text) in [
            (Cursor::Live, false, "LIVE"),
            (Cursor::Paused(at), false, "PAUSED"),
            (Cursor::Playing { at, speed: -10.0 }, false, "REPLAY ×−10"),
            (Cursor::Paused(at), true, "REPLAY paused"),
            (Cursor::Playing { at, speed: 2.0 }, true, "REPLAY ×2"),
            (Cursor::Live, true, "REPLAY"),
        ] {
            let view = BarsView { recorded, ..view(cursor) };
            let mut harness = testing::harness((), move |ui, ()| {
                top_ui(ui, &view);
            });
            harness.set_size(vec2(640.0, 40.0));
            harness.run();
            let badge = harness.get_by_label(text).rect();
            assert!(badge.left() >= 0.0 && badge.right() <= 640.0);
        }
    }

    #[test]
    fn a_simulated_plant_is_named_and_one_that_stopped_says_so() {
        let stopped = Some("somebody else publishes".to_owned());
        for (plant_failure, text) in [(None, "SIMULATED"), (stopped, "PLANT STOPPED")] {
            let view = BarsView { simulated: Some("It is".to_owned()), plant_failure, ..view(Cursor::Live) };
            let mut harness = testing::harness((), move |ui, ()| {
                top_ui(ui, &view);
            });
            harness.set_size(vec2(640.0, 40.0));
            harness.run();
            assert!(harness.get_by_label(text).rect().right() <= 640.0);
        }
    }

    #[test]
    fn counts_lead_to_the_tree_and_the_alarm_list_and_sources_to_the_connections() {
        let view = view(Cursor::Live);
        assert_eq!(view.counts.stale, 1);
        let mut harness = testing::harness(Vec::new(), move |ui, asked| {
            egui::Panel::top("top").show(ui, |ui| asked.extend(top_ui(ui, &view)));
            egui::Panel::bottom("status").show(ui, |ui| asked.extend(status_ui(ui, &view)));
        });
        harness.set_size(vec2(1280.0, 200.0));
        harness.run();
        harness.get_by_label("1 stale").click();
        harness.run();
        harness.get_by_label("critical: 1 of 1 unacknowledged").click();
        harness.run();
        harness.get_by_label("plant: Connected").click();
        harness.run();
        assert_eq!(*harness.state(), [TreePanel::ID, AlarmsPanel::ID, ConnectionsPanel::ID].map(Asked::Panel));
    }

    #[test]
    fn memory_tells_what_it_gave_up() {
        let usage = Usage { bytes: 1 << 20, budget_bytes: 1 << 30, evicted: 1_500, ..Default::default() };
        assert_eq!(memory_text(&usage), "History 1.00 MiB of 1.00 GiB, 1500 oldest dropped");
    }
}
