//! What frames the lines of a lane: round numbers, times of day, limits.

use std::time::Duration;

use bevy_egui::egui::{self, Sense, Stroke, Ui, pos2, vec2};
use egui_plot::{AxisHints, GridMark, HLine, LineStyle};

use super::{CLOCK_HEIGHT, TrendView};
use crate::panel::{format, theme, timebar};
use crate::scene::Limits;
use crate::value::{Timestamp, Value};

/// Times of day below all lanes, in sight however far the lanes are scrolled.
pub fn clock_ui(ui: &mut Ui, view: &TrendView, plotted: egui::Rect) {
    let (row, _) = ui.allocate_exact_size(vec2(ui.available_width(), CLOCK_HEIGHT - 4.0), Sense::hover());
    let span = view.to.secs_since(view.from).max(1e-6);
    let step = clock_step(span, plotted.width());
    for tick in timebar::ticks(view.from, (0.0, span), step) {
        let x = plotted.left() + (tick / span) as f32 * plotted.width();
        let text = clock_text(view.from + Duration::from_secs_f64(tick), span, step);
        let galley = ui.painter().layout_no_wrap(text, theme::small(), theme::TEXT_WEAK);
        let left = x - galley.size().x / 2.0;
        ui.painter().vline(x, row.top()..=row.top() + 3.0, Stroke::new(1.0, theme::TEXT_WEAK));
        if left >= row.left() && left + galley.size().x <= row.right() {
            ui.painter().galley(pos2(left, row.top() + 3.0), galley, theme::TEXT_WEAK);
        }
    }
}

/// The time of day below a lane, with the decimals that its step needs; the date with its year at midnight, and where the
/// span is long.
pub fn clock_text(at: Timestamp, span: f64, step: f64) -> String {
    const LONG: f64 = 3.0 * 86_400.0;
    if step < 1.0 {
        return timebar::tick_text(at, step);
    }
    let midnight = at.0.rem_euclid(86_400_000_000_000) < 1_000_000;
    if span > LONG || midnight { format::date(at) } else { format::clock(at) }
}

/// `scale` is that of [`Lane::scale`](super::Lane).
pub fn value_axis(scale: f64, is_switch: bool) -> AxisHints<'static> {
    AxisHints::new_y()
        .min_thickness(58.0)
        .tick_label_color(theme::TEXT_WEAK)
        .tick_label_font(theme::small())
        // Every mark that `value_marks` chose has room for its number.
        .label_spacing(egui::Rangef::new(4.0, 6.0))
        .formatter(move |mark, _| match is_switch {
            true => format::value(&Value::Bool(mark.value > 0.5)),
            false => mark_text(mark.value / scale, mark.step_size / scale),
        })
}

/// The number at a mark, with as many digits as tell it from its neighbours, which are a step away.
pub fn mark_text(value: f64, step: f64) -> String {
    if value.abs() < step / 2.0 {
        return format::number(0.0);
    }
    let short = format::number(value);
    if [value - step, value + step].into_iter().all(|other| format::number(other) != short) {
        return short;
    }
    let (size, last) = (value.abs().log10().floor(), step.log10().floor());
    match (1e-4..1e15).contains(&value.abs()) {
        true => format::with_decimals(value, (-last).max(0.0) as usize),
        false => format!("{value:.*e}", (size - last).clamp(0.0, 17.0) as usize),
    }
}

/// On and off.
pub fn switch_marks() -> Vec<GridMark> {
    [0.0, 1.0].into_iter().map(|value| GridMark { value, step_size: 1.0 }).collect()
}

/// Marks at multiples of 1, 2 or 5 times a power of ten, about `wanted` of them.
pub fn value_marks(bounds: (f64, f64), wanted: f64) -> Vec<GridMark> {
    let least = (bounds.1 - bounds.0) / wanted.max(1.0);
    if !least.is_finite() || least <= 0.0 {
        return Vec::new();
    }
    let power = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power).into_iter().find(|step| *step >= least);
    let step = step.unwrap_or(power * 10.0);
    let first = (bounds.0 / step).ceil();
    let marks = (0..64).map(|i| (first + f64::from(i)) * step).take_while(|value| *value <= bounds.1);
    marks.map(|value| GridMark { value, step_size: step }).collect()
}

/// Seconds between times of day, so that their text fits into a plot of this width.
pub fn clock_step(span: f64, width: f32) -> f64 {
    timebar::tick_step(span, (width / 110.0).max(1.0).into())
}

/// Grid lines at the times of day that are written below.
pub fn clock_marks(origin: Timestamp, bounds: (f64, f64), step: f64) -> Vec<GridMark> {
    timebar::ticks(origin, bounds, step).into_iter().map(|value| GridMark { value, step_size: step }).collect()
}

/// Limits in order, with their names.
fn named_limits(limits: &Limits) -> impl Iterator<Item = (f64, egui::Color32, &'static str)> {
    [
        (limits.low_low, theme::CRITICAL, "low low"),
        (limits.low, theme::WARNING, "low"),
        (limits.high, theme::WARNING, "high"),
        (limits.high_high, theme::CRITICAL, "high high"),
    ]
    .into_iter()
    .filter_map(|(limit, colour, name)| Some((limit?, colour, name)))
}

pub fn limit_lines(plot: &mut egui_plot::PlotUi, limits: &Limits, bounds: (f64, f64), scale: f64) {
    let scaled = named_limits(limits).map(|(limit, colour, name)| (limit * scale, colour, name));
    for (y, colour, name) in scaled.filter(|(y, ..)| (bounds.0..=bounds.1).contains(y)) {
        let line = HLine::new(name, y).color(colour.gamma_multiply(0.65)).width(1.0);
        plot.hline(line.style(LineStyle::Dashed { length: 5.0 }).allow_hover(false));
    }
}

/// `high 4.5` at the left end of each limit in sight; above its line unless the lane ends there.
pub fn limit_labels(ui: &Ui, limits: &Limits, plot: &egui_plot::PlotTransform, scale: f64) {
    let frame = plot.frame();
    let painter = ui.painter().with_clip_rect(*frame);
    // In a low lane only the first of two near limits has room; colours tell the rest.
    let mut taken = egui::Rect::NOTHING;
    for (limit, colour, name) in named_limits(limits) {
        let y = plot.position_from_point_y(limit * scale);
        if !frame.y_range().contains(y) {
            continue;
        }
        let text = format!("{name} {}", format::number(limit));
        let galley = painter.layout_no_wrap(text, theme::small(), colour);
        let above = y - galley.size().y;
        let top = if above >= frame.top() { above } else { y + 1.0 };
        let at = pos2(frame.left() + 6.0, top);
        let back = egui::Rect::from_min_size(at, galley.size()).expand2(vec2(3.0, -1.0));
        if taken.intersects(back) {
            continue;
        }
        taken = back;
        painter.rect_filled(back, 2.0, theme::PANEL.gamma_multiply(0.9));
        painter.galley(at, galley, colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_marks_within_its_bounds() {
        let values = |bounds, wanted| value_marks(bounds, wanted).iter().map(|mark| mark.value).collect::<Vec<_>>();
        assert_eq!(values((1.2, 8.3), 4.0), [2.0, 4.0, 6.0, 8.0]);
        assert_eq!(values((-12.0, 31.0), 5.0), [-10.0, 0.0, 10.0, 20.0, 30.0]);
        assert!(values((1.0, 1.0), 5.0).is_empty());
        assert!(values((0.0, f64::INFINITY), 5.0).is_empty());
    }

    #[test]
    fn days_are_told_where_the_time_of_day_does_not_tell_them() {
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        assert_eq!(clock_text(at("2026-01-31T12:00:00Z"), 300.0, 60.0), "12:00:00");
        assert_eq!(clock_text(at("2026-02-01T00:00:00Z"), 300.0, 60.0), "2026-02-01");
        assert_eq!(clock_text(at("2026-01-31T12:00:00Z"), 31_536_000.0, 86_400.0), "2026-01-31");
    }
}
