//! The time bar: which moment all views show, and the ways to move it.
//!
//! In: [`TimeView`], built from cursor, moment and the bounds of the history. Out: `GoLive`, `PauseAt` and `Play`
//! commands. Never moves the cursor itself; data keep arriving while it stands elsewhere.

use std::time::Duration;

use bevy_egui::egui::{
    self, Align, ComboBox, Painter, Rect, Response, Sense, Shape, Stroke, Ui, WidgetInfo, WidgetType, pos2, vec2,
};

use super::{format, theme, widgets};
use crate::command::OperatorCommand;
use crate::history::{Cursor, Moment};
use crate::twin::Timestamp;

/// Source seconds a second.
pub const SPEEDS: [f64; 9] = [-10.0, -1.0, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0];
/// What the arrow keys and buttons step by, alone and with Shift.
pub const STEP: Duration = Duration::from_secs(1);
pub const LONG_STEP: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TimeView {
    pub cursor: Cursor,
    /// Ends of the track.
    pub from: Timestamp,
    pub to: Timestamp,
    pub shown: Timestamp,
    /// Nothing arrives: the clock tells minutes, so that a window without news can rest.
    pub dormant: bool,
}

impl TimeView {
    /// Where `at` lies on the track, 0 to 1.
    pub fn fraction(&self, at: Timestamp) -> f32 {
        (at.secs_since(self.from) / self.secs()).clamp(0.0, 1.0) as f32
    }

    /// The inverse of [`TimeView::fraction`].
    pub fn at_fraction(&self, fraction: f32) -> Timestamp {
        let secs = f64::from(fraction.clamp(0.0, 1.0)) * self.secs();
        self.from + Duration::from_secs_f64(secs)
    }

    fn secs(&self) -> f64 {
        self.to.secs_since(self.from).max(1e-3)
    }

    pub fn is_live(&self) -> bool {
        self.cursor == Cursor::Live
    }
}

/// The track reaches from the session's start, or the oldest data if they are older by less than a day, until now.
pub fn time_view(cursor: Cursor, moment: &Moment, bounds: Option<(Timestamp, Timestamp)>) -> TimeView {
    let start = moment.session_start.min(moment.now);
    // One stray stamp from 1970 must not squeeze the session into a pixel.
    let earliest = start - Duration::from_secs(86_400);
    let from = bounds.map_or(start, |(oldest, _)| if oldest >= earliest { oldest.min(start) } else { start });
    let dormant = moment.is_dormant(bounds.map(|(_, newest)| newest));
    TimeView { cursor, from, to: moment.now.max(from + Duration::from_secs(1)), shown: moment.shown, dormant }
}

/// The mode in one word.
pub fn mode(cursor: &Cursor) -> &'static str {
    match cursor {
        Cursor::Live => "LIVE",
        Cursor::Paused(_) => "PAUSED",
        Cursor::Playing { .. } => "REPLAY",
    }
}

/// One step from the shown moment; past the newest data it goes live.
pub fn step(view: &TimeView, by: Duration, forward: bool) -> OperatorCommand {
    let at = if forward { view.shown + by } else { view.shown - by };
    match forward && (view.is_live() || at >= view.to) {
        true => OperatorCommand::GoLive,
        false => OperatorCommand::PauseAt(at.max(view.from)),
    }
}

/// Space: whatever moves stands still; what stands still goes live.
pub fn pause_or_live(view: &TimeView) -> OperatorCommand {
    match view.cursor {
        Cursor::Paused(_) => OperatorCommand::GoLive,
        Cursor::Live | Cursor::Playing { .. } => OperatorCommand::PauseAt(view.shown),
    }
}

/// `×1`, `×−10`.
pub fn speed_text(speed: f64) -> String {
    format!("×{}", format::number(speed))
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TimeState {
    /// The speed that the play button starts.
    pub speed: f64,
}

impl Default for TimeState {
    fn default() -> Self {
        Self { speed: 1.0 }
    }
}

#[derive(Clone, Copy)]
enum Icon {
    ToStart,
    Back,
    Pause,
    Play,
    Forward,
}

pub fn time_ui(ui: &mut Ui, view: &TimeView, state: &mut TimeState, out: &mut Vec<OperatorCommand>) {
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        let playing = matches!(view.cursor, Cursor::Playing { .. });
        if icon_button(ui, Icon::ToStart, "To the start", "To the start of the session (Home)").clicked() {
            out.push(OperatorCommand::PauseAt(view.from));
        }
        if icon_button(ui, Icon::Back, "Step back", "One second back (Left; with Shift ten)").clicked() {
            out.push(step(view, STEP, false));
        }
        let paused = matches!(view.cursor, Cursor::Paused(_));
        if paused {
            if icon_button(ui, Icon::Play, "Play", "Play from here (P)").clicked() {
                out.push(OperatorCommand::Play { speed: state.speed });
            }
        } else if icon_button(ui, Icon::Pause, "Pause", "Stand still at this moment (Space)").clicked() {
            out.push(OperatorCommand::PauseAt(view.shown));
        }
        if icon_button(ui, Icon::Forward, "Step forward", "One second on (Right; with Shift ten)").clicked() {
            out.push(step(view, STEP, true));
        }
        ui.add_space(3.0);
        let combo = ComboBox::from_id_salt("play speed").width(64.0).selected_text(speed_text(state.speed));
        let chosen = combo.show_ui(ui, |ui| {
            for speed in SPEEDS {
                if ui.selectable_label(speed == state.speed, speed_text(speed)).clicked() {
                    state.speed = speed;
                    if playing {
                        out.push(OperatorCommand::Play { speed });
                    }
                }
            }
        });
        chosen.response.on_hover_text("Speed of replay, in recorded seconds a second");
        ui.add_space(6.0);
        go_live(ui, view, out);
        ui.add_space(8.0);
        clocks(ui, view);
        ui.add_space(10.0);
        track(ui, view, out);
    });
}

/// Lit while the picture is live; else a button that makes it so.
fn go_live(ui: &mut Ui, view: &TimeView, out: &mut Vec<OperatorCommand>) {
    let (rect, response) = ui.allocate_exact_size(vec2(64.0, 26.0), Sense::click());
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
    let dot = pos2(rect.left() + 14.0, rect.center().y);
    match view.is_live() {
        true => ui.painter().circle_filled(dot, 4.0, ink),
        false => ui.painter().circle_stroke(dot, 3.5, Stroke::new(1.5, ink)),
    };
    let cell = Rect::from_min_max(pos2(rect.left() + 25.0, rect.top()), rect.max);
    widgets::paint_text(ui.painter(), cell, "Live", theme::body(), ink, Align::Min);
    if response.on_hover_text("Follow the newest data (End)").clicked() && !view.is_live() {
        out.push(OperatorCommand::GoLive);
    }
}

fn clocks(ui: &mut Ui, view: &TimeView) {
    let text = match (view.is_live(), view.dormant) {
        (true, true) => format::clock_minutes(view.shown),
        (true, false) => format::clock(view.shown),
        (false, _) => format::clock_tenths(view.shown),
    };
    let (rect, response) = ui.allocate_exact_size(vec2(128.0, 26.0), Sense::hover());
    let behind = view.to.secs_since(view.shown);
    let ink = if view.is_live() { theme::TEXT_STRONG } else { theme::NOT_LIVE };
    let galley = ui.painter().layout_no_wrap(text, egui::FontId::monospace(15.0), ink);
    let left = rect.left() + galley.size().x + 6.0;
    let middle = if view.is_live() { rect.center().y } else { rect.top() + 5.0 };
    ui.painter().galley(pos2(rect.left(), middle - galley.size().y / 2.0), galley, ink);
    if !view.is_live() {
        let below = Rect::from_min_size(pos2(rect.left(), rect.bottom() - 11.0), vec2(rect.width(), 16.0));
        let text = format!("{} behind live", format::span(behind));
        widgets::paint_text(ui.painter(), below, &text, theme::small(), theme::NOT_LIVE, Align::Min);
    }
    let cell = Rect::from_center_size(pos2((left + rect.right()) / 2.0, middle), vec2(rect.right() - left, 20.0));
    widgets::paint_text(ui.painter(), cell, "UTC", theme::small(), theme::TEXT_WEAK, Align::Min);
    let hover = match view.is_live() {
        true => format::date_and_clock(view.shown),
        false => format!("{}, {} behind now", format::date_and_clock(view.shown), format::span(behind)),
    };
    response.on_hover_text(hover);
}

fn icon_button(ui: &mut Ui, icon: Icon, name: &str, tip: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(30.0, 26.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Button, true, name));
    let visuals = *ui.style().interact(&response);
    ui.painter().rect_filled(rect, 4.0, visuals.bg_fill);
    paint_icon(ui.painter(), rect, icon, visuals.fg_stroke.color);
    response.on_hover_text(tip)
}

/// Drawn rather than typed: no font needs to have the glyph.
fn paint_icon(painter: &Painter, rect: Rect, icon: Icon, ink: egui::Color32) {
    let c = rect.center();
    let triangle = |x: f32, size: f32| {
        let points = vec![c + vec2(x - size / 2.0, -5.5), c + vec2(x + size / 2.0, 0.0), c + vec2(x - size / 2.0, 5.5)];
        Shape::convex_polygon(points, ink, Stroke::NONE)
    };
    let bar = |x: f32, width: f32| {
        painter.rect_filled(Rect::from_center_size(c + vec2(x, 0.0), vec2(width, 11.0)), 0.5, ink);
    };
    match icon {
        Icon::Pause => {
            bar(-3.0, 3.0);
            bar(3.0, 3.0);
        }
        Icon::Play => {
            painter.add(triangle(0.5, 9.0));
        }
        Icon::Forward => {
            painter.add(triangle(-1.5, 8.0));
            bar(4.5, 2.0);
        }
        Icon::Back => {
            painter.add(triangle(1.5, -8.0));
            bar(-4.5, 2.0);
        }
        Icon::ToStart => {
            painter.add(triangle(-1.0, -7.0));
            painter.add(triangle(5.0, -7.0));
            bar(-6.0, 2.0);
        }
    }
}

/// The session from left to right, the shown moment as a handle; click or drag to go there.
fn track(ui: &mut Ui, view: &TimeView, out: &mut Vec<OperatorCommand>) {
    let width = (ui.available_width() - 12.0).max(40.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 38.0), Sense::click_and_drag());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(WidgetType::Slider, true, "Time");
        info.value = Some(view.shown.secs_since(view.from));
        info
    });
    let rail = Rect::from_min_max(pos2(rect.left(), rect.top() + 8.0), pos2(rect.right(), rect.top() + 16.0));
    let painter = ui.painter();
    painter.rect_filled(rail, 3.0, theme::SUNKEN);
    let x_of = |at: Timestamp| rail.left() + view.fraction(at) * rail.width();
    let cursor = x_of(view.shown);
    let done = Rect::from_min_max(rail.min, pos2(cursor, rail.bottom()));
    let ink = if view.is_live() { theme::TEXT_WEAK } else { theme::NOT_LIVE };
    painter.rect_filled(done, 3.0, ink.gamma_multiply(0.45));
    let secs = view.to.secs_since(view.from).max(1e-3);
    let spacing = tick_step(secs, (rail.width() / 96.0).max(1.0).into());
    for tick in ticks(view.from, (0.0, secs), spacing) {
        let at = view.from + Duration::from_secs_f64(tick);
        let x = x_of(at);
        painter.vline(x, rail.bottom() + 1.0..=rail.bottom() + 4.0, Stroke::new(1.0, theme::TEXT_WEAK));
        let text = painter.layout_no_wrap(format::clock(at), theme::small(), theme::TEXT_WEAK);
        let left = x - text.size().x / 2.0;
        if left >= rect.left() && left + text.size().x <= rect.right() {
            painter.galley(pos2(left, rail.bottom() + 4.0), text, theme::TEXT_WEAK);
        }
    }
    let handle = Rect::from_center_size(pos2(cursor, rail.center().y), vec2(6.0, 18.0));
    painter.rect_filled(handle, 2.0, if view.is_live() { theme::TEXT } else { theme::NOT_LIVE });
    let fraction_of = |x: f32| (x - rail.left()) / rail.width();
    if (response.clicked() || response.dragged())
        && let Some(pointer) = response.interact_pointer_pos()
    {
        let fraction = fraction_of(pointer.x);
        // The right end is now: whoever drags there wants the newest data.
        out.push(match fraction >= 0.998 {
            true => OperatorCommand::GoLive,
            false => OperatorCommand::PauseAt(view.at_fraction(fraction)),
        });
    }
    if let Some(pointer) = response.hover_pos() {
        let at = view.at_fraction(fraction_of(pointer.x));
        painter.vline(pointer.x, rail.y_range().expand(3.0), Stroke::new(1.0, theme::TEXT_WEAK));
        let text = format!("{} UTC  ({} ago)", format::clock_tenths(at), format::span(view.to.secs_since(at)));
        response.on_hover_text_at_pointer(text);
    }
}

/// A round step so that about `wanted` ticks fit into `secs`.
pub fn tick_step(secs: f64, wanted: f64) -> f64 {
    const STEPS: [f64; 16] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0,
        86_400.0,
    ];
    let least = secs / wanted.max(1.0);
    STEPS.into_iter().find(|step| *step >= least).unwrap_or_else(|| (least / 86_400.0).ceil() * 86_400.0)
}

/// Seconds after `origin` at which the time of day is a multiple of `step`, within `bounds`; never more than 200.
pub fn ticks(origin: Timestamp, bounds: (f64, f64), step: f64) -> Vec<f64> {
    if step.is_nan() || step <= 0.0 {
        return Vec::new();
    }
    let phase = (origin.0.rem_euclid(86_400_000_000_000)) as f64 / 1e9;
    let first = ((phase + bounds.0) / step).ceil() * step - phase;
    (0..200).map(|i| first + step * f64::from(i)).take_while(|tick| *tick <= bounds.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::testing::{self, second as at};
    use egui_kittest::{Harness, kittest::Queryable as _};

    fn view(cursor: Cursor) -> TimeView {
        let shown = match cursor {
            Cursor::Live => at(100),
            Cursor::Paused(t) => t,
            Cursor::Playing { at, .. } => at,
        };
        let moment = Moment { now: at(100), shown, session_start: at(0) };
        time_view(cursor, &moment, Some((at(0), at(100))))
    }

    fn bar(cursor: Cursor) -> Harness<'static, (TimeState, Vec<OperatorCommand>)> {
        let view = view(cursor);
        testing::harness((TimeState::default(), Vec::new()), move |ui, (state, out)| time_ui(ui, &view, state, out))
    }

    #[test]
    fn pause_stands_still_at_the_shown_moment() {
        let mut harness = bar(Cursor::Live);
        harness.get_by_label("Pause").click();
        harness.run();
        assert_eq!(harness.state().1, [OperatorCommand::PauseAt(at(100))]);
    }

    #[test]
    fn a_paused_bar_plays_and_goes_live() {
        let mut harness = bar(Cursor::Paused(at(40)));
        harness.get_by_label("Play").click();
        harness.run();
        harness.get_by_label("Go live").click();
        harness.run();
        assert_eq!(harness.state().1, [OperatorCommand::Play { speed: 1.0 }, OperatorCommand::GoLive]);
    }

    #[test]
    fn a_click_on_the_track_goes_to_that_moment() {
        let mut harness = bar(Cursor::Live);
        harness.get_by_label("Time").click();
        harness.run();
        let [OperatorCommand::PauseAt(moment)] = harness.state().1[..] else { panic!("{:?}", harness.state().1) };
        assert!((moment.secs_since(at(0)) - 50.0).abs() < 1.0, "{moment}");
    }

    #[test]
    fn a_drag_along_the_track_scrubs() {
        let mut harness = bar(Cursor::Live);
        let track = harness.get_by_label("Time").rect();
        harness.drag_at(track.center());
        harness.run();
        harness.hover_at(pos2(track.left() + track.width() * 0.25, track.center().y));
        harness.run();
        let Some(OperatorCommand::PauseAt(moment)) = harness.state().1.last() else { panic!("no scrub") };
        assert!((moment.secs_since(at(0)) - 25.0).abs() < 1.0, "{moment}");
    }

    #[test]
    fn steps_stay_within_the_session_and_end_live() {
        let paused = view(Cursor::Paused(at(40)));
        assert_eq!(step(&paused, STEP, false), OperatorCommand::PauseAt(at(39)));
        assert_eq!(step(&paused, LONG_STEP, true), OperatorCommand::PauseAt(at(50)));
        assert_eq!(step(&view(Cursor::Paused(at(0))), LONG_STEP, false), OperatorCommand::PauseAt(at(0)));
        assert_eq!(step(&view(Cursor::Paused(at(99))), LONG_STEP, true), OperatorCommand::GoLive);
    }

    #[test]
    fn space_pauses_what_moves_and_releases_what_stands() {
        assert_eq!(pause_or_live(&view(Cursor::Live)), OperatorCommand::PauseAt(at(100)));
        assert_eq!(pause_or_live(&view(Cursor::Paused(at(3)))), OperatorCommand::GoLive);
        let playing = Cursor::Playing { at: at(7), speed: 2.0 };
        assert_eq!(pause_or_live(&view(playing)), OperatorCommand::PauseAt(at(7)));
    }

    #[test]
    fn a_stray_sample_from_1970_does_not_stretch_the_track() {
        let moment = Moment { now: at(100), shown: at(100), session_start: at(0) };
        assert_eq!(time_view(Cursor::Live, &moment, Some((Timestamp(0), at(100)))).from, at(0));
        assert_eq!(time_view(Cursor::Live, &moment, Some((at(-30), at(100)))).from, at(-30));
    }

    #[test]
    fn ticks_fall_on_round_times_of_day() {
        let origin = Timestamp::parse_rfc3339("2026-01-31T12:00:07Z").unwrap();
        assert_eq!(tick_step(300.0, 6.0), 60.0);
        assert_eq!(ticks(origin, (0.0, 200.0), 60.0), [53.0, 113.0, 173.0]);
        assert!(ticks(origin, (0.0, 1e9), 1.0).len() <= 200);
    }
}
