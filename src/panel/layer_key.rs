//! What panels say of a layer: its name, how it is drawn, and a value of it in text.
//!
//! In: the layers, what a signal has in one of them. Out: plain data. Never asks what a layer is made of.

use bevy_egui::egui::{Align, Rect, Ui, pos2};

use super::{format, theme, widgets};
use crate::layers::{Counterpart, Layers, Look, Slot};
use crate::value::LayerId;
use crate::view::layer_mark;

/// What a layer is called, and how it is drawn.
#[derive(Clone, PartialEq, Debug)]
pub struct LayerKey {
    pub id: LayerId,
    pub name: String,
    pub look: Look,
}

/// Of all layers, in their order.
pub fn keys(layers: Option<&Layers>) -> Vec<LayerKey> {
    let key = |slot: &Slot| LayerKey { id: slot.id, name: slot.name.clone(), look: slot.look };
    layers.into_iter().flat_map(Layers::iter).map(key).collect()
}

/// A value in few characters: a range where the layer gives a band.
pub fn value_text(counterpart: &Counterpart) -> String {
    match (&counterpart.current.value, counterpart.band) {
        (None, _) => "–".to_owned(),
        (Some(_), Some(band)) => format!("{}–{}", format::number(band.low), format::number(band.high)),
        (Some(value), None) => format::value(value),
    }
}

/// The value, and the range that it is taken to lie in.
pub fn whole_text(counterpart: &Counterpart) -> String {
    match (&counterpart.current.value, counterpart.band) {
        (Some(value), Some(_)) => format!("{} ({})", format::value(value), value_text(counterpart)),
        _ => value_text(counterpart),
    }
}

/// The title of a column with values of a layer: `Beside` where there is only one, else its shape and its name.
pub fn title(ui: &Ui, cell: Rect, key: &LayerKey, is_lone: bool) {
    let painter = ui.painter();
    if is_lone {
        widgets::paint_text(painter, cell, "Beside", theme::small(), theme::TEXT_WEAK, Align::Max);
        return;
    }
    let mark = 2.0 * layer_mark::RADIUS + 5.0;
    let room = Rect::from_min_max(pos2(cell.left() + mark, cell.top()), cell.max);
    // In a narrow column the ending of a file says least.
    let short = key.name.strip_suffix(".mcap").unwrap_or(&key.name);
    let name = widgets::layout(painter, short, theme::small(), theme::TEXT_WEAK, room.width());
    let left = (cell.right() - name.size().x).max(room.left());
    layer_mark::paint(painter, pos2(left - mark / 2.0, cell.center().y), &key.look);
    painter.galley(pos2(left, cell.center().y - name.size().y / 2.0), name, theme::TEXT_WEAK);
}
