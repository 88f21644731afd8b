//! What a signal said over time: a stretch for each text, with its words in it. In: the last text of each pixel column. Out:
//! filled stretches, one row a signal, and a label with all words. Never guesses what was said where nothing came.

use std::sync::Arc;
use std::time::Duration;

use bevy_egui::egui::{self, Sense, Ui, WidgetInfo, WidgetType, pos2, vec2};
use egui_plot::PlotTransform;

use super::{Lane, line_colour};
use crate::panel::lines::Word;
use crate::panel::{theme, widgets};
use crate::value::Timestamp;

/// From when to when, in seconds from the left end, a signal said the same.
#[derive(Clone, PartialEq, Debug)]
pub struct Saying {
    pub from: f64,
    pub to: f64,
    pub text: Arc<str>,
}

/// Each text until another one comes, or until nothing came for longer than `expires`.
pub fn sayings(words: &[Word], origin: Timestamp, expires: Option<Duration>) -> Vec<Saying> {
    let mut sayings: Vec<Saying> = Vec::new();
    // Where the last one ends if nothing follows; none behind what is no text.
    let mut open: Option<Timestamp> = None;
    for Word { from, to, text } in words {
        let silent = open.map(|end| from.secs_since(end));
        let goes_on = silent.is_some_and(|silent| expires.is_none_or(|limit| silent <= limit.as_secs_f64()));
        let (from, end) = (from.secs_since(origin), to.secs_since(origin));
        let last = sayings.last_mut().filter(|_| goes_on);
        let is_same = last.as_ref().is_some_and(|last| Some(&last.text) == text.as_ref());
        if let Some(last) = last {
            last.to = if is_same { end } else { from };
        }
        if let (false, Some(text)) = (is_same, text) {
            sayings.push(Saying { from, to: end, text: text.clone() });
        }
        open = text.as_ref().map(|_| *to);
    }
    sayings
}

/// One row for each signal of the lane.
pub fn words_ui(ui: &Ui, lane: &Lane, plot: &PlotTransform) {
    let frame = *plot.frame();
    let painter = ui.painter().with_clip_rect(frame);
    let height = frame.height() / lane.traces.len().max(1) as f32;
    // The same words have the same colour in all rows of a lane.
    let mut known: Vec<&str> = Vec::new();
    for (trace, row) in lane.traces.iter().zip(0u16..) {
        let top = frame.top() + height * f32::from(row);
        for Saying { from, to, text } in &trace.sayings {
            let place = known.iter().position(|known| **known == **text).unwrap_or_else(|| {
                known.push(text);
                known.len() - 1
            });
            let (left, right) = (plot.position_from_point_x(*from), plot.position_from_point_x(*to));
            let rect = egui::Rect::from_min_max(pos2(left, top + 2.0), pos2(right.max(left + 1.0), top + height - 2.0));
            painter.rect_filled(rect, 2.0, line_colour(place).gamma_multiply(0.3));
            painter.vline(left, rect.y_range(), egui::Stroke::new(1.5, line_colour(place)));
            if rect.width() > 14.0 {
                let galley = widgets::layout(ui.painter(), text, theme::small(), theme::TEXT, rect.width() - 8.0);
                let at = pos2(rect.left() + 5.0, rect.center().y - galley.size().y / 2.0);
                painter.with_clip_rect(rect.intersect(frame)).galley(at, galley, theme::TEXT);
            }
        }
        let mut said: Vec<&str> = trace.sayings.iter().map(|saying| &*saying.text).collect();
        said.dedup();
        let label = format!("{} says {}", trace.path, said.join(", "));
        let area = egui::Rect::from_min_size(pos2(frame.left(), top), vec2(frame.width(), height));
        let response = ui.interact(area, ui.id().with(("trend words", trace.signal)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &label));
    }
}
