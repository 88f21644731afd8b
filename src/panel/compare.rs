//! The comparison with a recording that lies beside this one: how the two are aligned, which signals differ at the cursor,
//! which events only one has or which came earlier or later.
//!
//! In: [`CompareView`]. Out: `Select`, `ToggleTrend`, `Seek`, `ShiftBeside` and `ShowGhosts` commands. Never judges a
//! difference: what is listed first is the largest, no more.

use bevy_egui::egui::{self, Align, ComboBox, Rect, ScrollArea, Sense, Stroke, Ui, pos2, vec2};

use super::{format, theme, widgets};
use crate::beside::{Beside, Counterpart, Met, Place, name};
use crate::command::{Ghosts, OperatorCommand};
use crate::scene::Scene;
use crate::stage::Current;
use crate::value::{Shift, SignalIndex, Timestamp, TwinIndex};

/// Steps by which the other is shifted by hand, in seconds.
const NUDGES: [(f64, &str); 4] = [(-10.0, "−10 s"), (-1.0, "−1 s"), (1.0, "+1 s"), (10.0, "+10 s")];
/// Events that lie less than this apart count as simultaneous, in seconds.
const SAME_SECS: f64 = 0.05;
const ROW: f32 = 22.0;
/// Below this width the events stand below the signals.
const WIDE: f32 = 700.0;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct CompareView {
    /// None without a recording beside this one.
    pub sides: Option<Sides>,
    /// The largest difference first.
    pub signals: Vec<SignalRow>,
    /// Signals that do not differ at the cursor.
    pub same: usize,
    /// What cannot be compared, in sentences.
    pub left_out: Vec<String>,
    /// Those that only one has, or that came earlier or later.
    pub events: Vec<EventRow>,
    /// How many of them were before the cursor.
    pub until_cursor: usize,
    /// Events that were at the same time in both.
    pub simultaneous: usize,
    pub ghosts: Ghosts,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sides {
    pub here: String,
    pub there: String,
    /// The moment shown of each.
    pub here_at: String,
    pub there_at: String,
    /// `aligned by start, 12.4 s later`.
    pub alignment: String,
}

#[derive(Clone, PartialEq, Debug)]
pub struct SignalRow {
    pub signal: SignalIndex,
    pub twin: TwinIndex,
    /// `P-101.flow`.
    pub path: String,
    pub here: String,
    pub there: String,
    /// With its sign and unit; `differs` for texts and switches.
    pub difference: String,
    pub weight: f64,
    /// It can be drawn as a line.
    pub drawable: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub struct EventRow {
    /// By the clock here.
    pub at: Timestamp,
    pub twin: Option<TwinIndex>,
    pub text: String,
    pub which: Which,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Which {
    /// In both, and so many seconds later there.
    Both(f64),
    Here,
    There,
}

/// What the comparison reads.
pub struct CompareInput<'a> {
    pub scene: &'a Scene,
    pub beside: &'a Beside,
    pub ghosts: Ghosts,
    pub current: &'a dyn Fn(SignalIndex) -> Current,
    pub counterpart: &'a dyn Fn(SignalIndex) -> Option<Counterpart>,
    pub shown: Timestamp,
}

pub fn compare_view(input: &CompareInput) -> CompareView {
    let (scene, beside) = (input.scene, input.beside);
    let mut signals: Vec<SignalRow> = Vec::new();
    let mut same = 0;
    for pair in &beside.pairs.list {
        let Some(other) = (input.counterpart)(pair.here) else { continue };
        if other.current.value.is_none() {
            continue;
        }
        match other.deviation.weight > 0.0 {
            true => signals.extend(signal_row(scene, pair.here, &(input.current)(pair.here), &other)),
            false => same += 1,
        }
    }
    signals.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.path.cmp(&b.path)));
    let shift = beside.shift().unwrap_or_default();
    let is_apart = |met: &&Met| met.later_secs(shift).is_none_or(|later| later.abs() >= SAME_SECS);
    let events: Vec<EventRow> = beside.met().iter().filter(is_apart).map(|met| event_row(scene, met, shift)).collect();
    let pairs = &beside.pairs;
    let mut left_out: Vec<String> =
        pairs.unlike.iter().map(|unlike| format!("{}: {}", unlike.path, unlike.why)).collect();
    left_out.extend(pairs.only_here.iter().map(|path| format!("{path} is only in {}", beside.here)));
    left_out.extend(pairs.only_there.iter().map(|path| format!("{path} is only in {}", beside.there)));
    CompareView {
        sides: Some(sides(beside, input.shown)),
        same,
        left_out,
        until_cursor: events.partition_point(|event| event.at <= input.shown),
        simultaneous: beside.met().len() - events.len(),
        events,
        ghosts: input.ghosts,
        signals,
    }
}

fn sides(beside: &Beside, shown: Timestamp) -> Sides {
    let there_at = match beside.place() {
        Place::At(at) => format::date_and_clock(at),
        Place::Loading(at) => format!("{}, being read", format::date_and_clock(at)),
        Place::Waiting => "waits for its event here".to_owned(),
        Place::Before(begins) => format!("begins at {}", format::clock(begins)),
        Place::After(ended) => format!("ended at {}", format::clock(ended)),
    };
    Sides {
        here: beside.here.clone(),
        there: beside.there.clone(),
        here_at: format::date_and_clock(shown),
        there_at,
        alignment: alignment(beside),
    }
}

/// `aligned by start`, `aligned by event P-101/vibration, 12.4 s earlier by hand`.
pub fn alignment(beside: &Beside) -> String {
    let by = beside.by().map(|by| by.to_string().replacen(':', " ", 1)).unwrap_or_default();
    let by_hand = beside.by_hand().secs();
    match by_hand {
        0.0 => format!("aligned by {by}"),
        secs => {
            let way = if secs > 0.0 { "later" } else { "earlier" };
            format!("aligned by {by}, {} s {way} by hand", format::number(secs.abs()))
        }
    }
}

fn signal_row(scene: &Scene, signal: SignalIndex, current: &Current, other: &Counterpart) -> Option<SignalRow> {
    let data = scene.signals.get(signal.at())?;
    let value = |current: &Current| current.value.as_ref().map_or_else(|| "–".to_owned(), format::value);
    let difference = match other.deviation.delta {
        Some(delta) => {
            let sign = if delta > 0.0 { "+" } else { "" };
            format!("{sign}{}{}", format::steady_number(delta), data.unit.suffix())
        }
        None => "differs".to_owned(),
    };
    Some(SignalRow {
        signal,
        twin: data.twin,
        path: scene.signal_path(signal),
        here: value(current),
        there: value(&other.current),
        difference,
        weight: other.deviation.weight,
        drawable: other.deviation.delta.is_some(),
    })
}

fn event_row(scene: &Scene, met: &Met, shift: Shift) -> EventRow {
    let which = match (met, met.later_secs(shift)) {
        (_, Some(later)) => Which::Both(later),
        (Met::There(_), None) => Which::There,
        (_, None) => Which::Here,
    };
    let event = met.event();
    let twin = event.twin.as_deref().and_then(|id| scene.twin(id)).map(|twin| twin.index);
    EventRow { at: met.at(shift), twin, text: name(event), which }
}

pub fn compare_ui(ui: &mut Ui, view: &CompareView, out: &mut Vec<OperatorCommand>) {
    let Some(sides) = &view.sides else {
        widgets::empty(ui, "Nothing beside this", "Lay a recording beside it: pollux play A.mcap --beside B.mcap");
        return;
    };
    header(ui, sides, view.ghosts, out);
    ui.add_space(2.0);
    if ui.available_width() >= WIDE {
        ui.columns(2, |columns| {
            if let [left, right] = columns {
                signals_ui(left, view, sides, f32::INFINITY, out);
                events_ui(right, view, sides, out);
            }
        });
    } else {
        let half = ui.available_height() * 0.55;
        signals_ui(ui, view, sides, half, out);
        ui.add_space(4.0);
        events_ui(ui, view, sides, out);
    }
}

fn header(ui: &mut Ui, sides: &Sides, ghosts: Ghosts, out: &mut Vec<OperatorCommand>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let text = format!("{}  {}", sides.there, sides.there_at);
        ui.with_layout(egui::Layout::right_to_left(Align::Center), |ui| {
            ComboBox::from_id_salt("ghosts").width(132.0).selected_text(ghosts.text()).show_ui(ui, |ui| {
                for choice in Ghosts::ALL {
                    if ui.selectable_label(choice == ghosts, choice.text()).clicked() && choice != ghosts {
                        out.push(OperatorCommand::ShowGhosts(choice));
                    }
                }
            });
            ui.label(egui::RichText::new("Ghosts").font(theme::small()).color(theme::TEXT_WEAK));
            ui.add_space(6.0);
            for (secs, label) in NUDGES.into_iter().rev() {
                let hint = format!("Show moments of {} that are {} s later", sides.there, format::number(secs));
                let button = egui::Button::new(egui::RichText::new(label).font(theme::small()));
                if ui.add(button).on_hover_text(hint).clicked() {
                    out.push(OperatorCommand::ShiftBeside(Shift::from_secs_f64(secs)));
                }
            }
            ui.with_layout(egui::Layout::left_to_right(Align::Center), |ui| {
                widgets::line(ui, &text, theme::small(), theme::TEXT_STRONG);
                widgets::line(ui, &sides.alignment, theme::small(), theme::TEXT_WEAK);
            });
        });
    });
}

/// Where the cells of a row end, as shares of its width.
fn cell(row: Rect, from: f32, to: f32) -> Rect {
    let at = |share: f32| row.left() + share * row.width();
    Rect::from_min_max(pos2(at(from) + 3.0, row.top()), pos2(at(to) - 3.0, row.bottom()))
}

fn titles(ui: &mut Ui, cells: &[(f32, f32, &str, Align)]) {
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    for (from, to, text, align) in cells {
        widgets::paint_text(ui.painter(), cell(row, *from, *to), text, theme::small(), theme::TEXT_WEAK, *align);
    }
    ui.painter().hline(row.x_range(), row.bottom(), Stroke::new(1.0, theme::LINE));
}

fn signals_ui(ui: &mut Ui, view: &CompareView, sides: &Sides, most: f32, out: &mut Vec<OperatorCommand>) {
    titles(
        ui,
        &[
            (0.0, 0.38, "Signal", Align::Min),
            (0.38, 0.53, "Here", Align::Max),
            (0.53, 0.68, "Beside", Align::Max),
            (0.68, 0.90, "Difference", Align::Max),
        ],
    );
    ui.spacing_mut().item_spacing.y = 0.0;
    // Then one line that counts the rest.
    let lines = view.signals.len() + 1 + view.left_out.len();
    let area = ScrollArea::vertical().id_salt("compared signals").auto_shrink(false).max_height(most);
    area.show_rows(ui, ROW, lines, |ui, range| {
        for at in range {
            match view.signals.get(at) {
                Some(row) => signal_ui(ui, row, sides, out),
                None if at == view.signals.len() => {
                    let text = match (at, view.same) {
                        (0, 0) => "nothing to compare at this moment".to_owned(),
                        (_, same) => format!("{} alike at this moment", format::plural(same, "signal")),
                    };
                    weak_row(ui, &text);
                }
                None => view.left_out.get(at - view.signals.len() - 1).into_iter().for_each(|text| weak_row(ui, text)),
            }
        }
    });
}

fn weak_row(ui: &mut Ui, text: &str) {
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, text));
    if widgets::paint_text(ui.painter(), cell(row, 0.0, 1.0), text, theme::small(), theme::TEXT_WEAK, Align::Min) {
        response.on_hover_text(text);
    }
}

fn signal_ui(ui: &mut Ui, row: &SignalRow, sides: &Sides, out: &mut Vec<OperatorCommand>) {
    let name = format!("{}: {} here, {} beside, {}", row.path, row.here, row.there, row.difference);
    let (rect, response) = widgets::row(ui, ROW, false, &name);
    let painter = ui.painter();
    let text = |from, to, text: &str, font, colour, align| {
        widgets::paint_text(painter, cell(rect, from, to), text, font, colour, align);
    };
    text(0.0, 0.38, &row.path, theme::small(), theme::TEXT, Align::Min);
    text(0.38, 0.53, &row.here, theme::mono(), theme::TEXT, Align::Max);
    text(0.53, 0.68, &row.there, theme::mono(), theme::TEXT, Align::Max);
    text(0.68, 0.90, &row.difference, theme::mono(), theme::TEXT_STRONG, Align::Max);
    let track = cell(rect, 0.91, 1.0).shrink2(vec2(0.0, 7.0));
    painter.rect_filled(track, 2.0, theme::RAISED);
    let full = Rect::from_min_size(track.min, vec2(track.width() * row.weight as f32, track.height()));
    painter.rect_filled(full, 2.0, theme::ACCENT);
    if response.clicked() {
        out.push(OperatorCommand::Select(Some(row.twin)));
    }
    if response.double_clicked() && row.drawable {
        out.push(OperatorCommand::ToggleTrend(row.signal));
    }
    response.on_hover_text(format!(
        "{}\n{}: {}\n{}: {}\n{} of the scale that both need\nClick: select the twin; twice: show the trend",
        row.path,
        sides.here,
        row.here,
        sides.there,
        row.there,
        percent(row.weight)
    ));
}

fn percent(share: f64) -> String {
    format!("{} %", format::number((share * 1000.0).round() / 10.0))
}

fn events_ui(ui: &mut Ui, view: &CompareView, sides: &Sides, out: &mut Vec<OperatorCommand>) {
    titles(
        ui,
        &[(0.0, 0.24, "Time", Align::Min), (0.24, 0.74, "Event", Align::Min), (0.74, 1.0, "Beside", Align::Max)],
    );
    ui.spacing_mut().item_spacing.y = 0.0;
    let area = ScrollArea::vertical().id_salt("compared events").auto_shrink(false);
    area.show_rows(ui, ROW, view.events.len() + 1, |ui, range| {
        for at in range {
            match view.events.get(at) {
                Some(event) => event_ui(ui, event, at < view.until_cursor, sides, out),
                None => weak_row(ui, &format!("{} at the same time", format::plural(view.simultaneous, "event"))),
            }
        }
    });
}

fn event_ui(ui: &mut Ui, event: &EventRow, is_past: bool, sides: &Sides, out: &mut Vec<OperatorCommand>) {
    let which = match event.which {
        Which::Both(later) => {
            let way = if later > 0.0 { "later" } else { "earlier" };
            format!("{} {way}", lasting(later.abs()))
        }
        Which::Here => "only here".to_owned(),
        Which::There => "only beside".to_owned(),
    };
    let (rect, response) = widgets::row(ui, ROW, false, &format!("{}: {which}", event.text));
    // What the cursor has not reached yet is paler.
    let ink = if is_past { theme::TEXT } else { theme::TEXT_WEAK };
    let strong = if matches!(event.which, Which::Both(_)) { ink } else { theme::TEXT_STRONG };
    let painter = ui.painter();
    let clock = format::clock(event.at);
    widgets::paint_text(painter, cell(rect, 0.0, 0.24), &clock, theme::mono(), ink, Align::Min);
    widgets::paint_text(painter, cell(rect, 0.24, 0.74), &event.text, theme::small(), ink, Align::Min);
    widgets::paint_text(painter, cell(rect, 0.74, 1.0), &which, theme::small(), strong, Align::Max);
    if response.clicked() {
        out.push(OperatorCommand::Seek(event.at));
        out.extend(event.twin.map(|twin| OperatorCommand::Select(Some(twin))));
    }
    let told = match event.which {
        Which::Both(_) => format!("in both; {which} in {}", sides.there),
        Which::Here => format!("only in {}", sides.here),
        Which::There => format!("only in {}", sides.there),
    };
    response.on_hover_text(format!("{}\n{told}\nClick: go there", event.text));
}

/// `4.2 s`, `2:05`.
fn lasting(secs: f64) -> String {
    if secs < 60.0 { format!("{secs:.1} s") } else { format::span(secs) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing;
    use egui_kittest::kittest::Queryable as _;

    fn view() -> (CompareView, SignalIndex, TwinIndex) {
        let scene = testing::scene();
        let flow = scene.signal("P-101", "flow").unwrap();
        let row = |path: &str, weight| SignalRow {
            signal: flow.index,
            twin: flow.twin,
            path: path.into(),
            here: "58.10".into(),
            there: "41.30".into(),
            difference: "−16.80 m³/h".into(),
            weight,
            drawable: true,
        };
        let event = |secs, text: &str, which| EventRow {
            at: testing::second(secs),
            twin: Some(flow.twin),
            text: text.into(),
            which,
        };
        let view = CompareView {
            sides: Some(Sides {
                here: "mon.mcap".into(),
                there: "tue.mcap".into(),
                here_at: String::new(),
                there_at: "2026-02-01 14:00:00 UTC".into(),
                alignment: "aligned by start".into(),
            }),
            signals: vec![row("P-101.flow", 0.28), row("P-101.power", 0.04)],
            same: 12,
            left_out: vec!["P-101.level is only in tue.mcap".into()],
            events: vec![
                event(30, "P-101/vibration.high raised", Which::Both(12.4)),
                event(60, "P-101/flow.low raised", Which::There),
            ],
            until_cursor: 1,
            simultaneous: 20,
            ghosts: Ghosts::Differing,
        };
        (view, flow.index, flow.twin)
    }

    #[test]
    fn differences_and_events_are_told_and_lead_to_their_twin_and_moment() {
        let (view, _, twin) = view();
        let mut harness = testing::harness(Vec::new(), move |ui, out| compare_ui(ui, &view, out));
        harness.run();
        harness.get_by_label("12 signals alike at this moment");
        harness.get_by_label("P-101.level is only in tue.mcap");
        harness.get_by_label("aligned by start");
        harness.get_by_label("P-101.flow: 58.10 here, 41.30 beside, −16.80 m³/h").click();
        harness.run();
        assert_eq!(*harness.state(), [OperatorCommand::Select(Some(twin))]);
        harness.get_by_label("P-101/vibration.high raised: 12.4 s later");
        harness.get_by_label("20 events at the same time");
        harness.get_by_label("P-101/flow.low raised: only beside").click();
        harness.run();
        let [.., seek, select] = &harness.state()[..] else { panic!("{:?}", harness.state()) };
        assert_eq!(*seek, OperatorCommand::Seek(testing::second(60)));
        assert_eq!(*select, OperatorCommand::Select(Some(twin)));
    }

    #[test]
    fn the_other_is_shifted_by_hand_and_ghosts_are_chosen() {
        let (view, ..) = view();
        let mut harness = testing::harness(Vec::new(), move |ui, out| compare_ui(ui, &view, out));
        harness.run();
        harness.get_by_label("−10 s").click();
        harness.run();
        harness.get_by_value("where they differ").click();
        harness.run();
        harness.get_by_label("of all twins").click();
        harness.run();
        let shift = OperatorCommand::ShiftBeside(Shift::from_secs_f64(-10.0));
        assert_eq!(*harness.state(), [shift, OperatorCommand::ShowGhosts(Ghosts::All)]);
    }

    #[test]
    fn without_a_recording_beside_it_says_how_to_get_one() {
        let harness = testing::harness(Vec::new(), |ui, out| compare_ui(ui, &CompareView::default(), out));
        harness.get_by_label("Nothing beside this");
    }

    #[test]
    fn in_a_narrow_panel_both_lists_are_in_sight() {
        let (view, ..) = view();
        let mut harness = testing::harness(Vec::new(), move |ui, out| compare_ui(ui, &view, out));
        harness.set_size(vec2(420.0, 400.0));
        harness.run();
        let rect = |label: &str| harness.get_by_label(label).rect();
        let (signal, event) =
            (rect("P-101.flow: 58.10 here, 41.30 beside, −16.80 m³/h"), rect("P-101/flow.low raised: only beside"));
        assert!(signal.bottom() < event.top() && event.bottom() <= 400.0, "{signal} {event}");
    }
}
