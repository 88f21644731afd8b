//! The comparison with the layers that lie beside what is shown: how each is aligned, which signals differ at the cursor,
//! which events only one has or which came earlier or later.
//!
//! In: [`CompareView`], built from the layers and what signals have in them. Out: `Select`, `ToggleTrend`, `Seek`, `Shift` and
//! `ShowGhosts` commands. Never judges a difference: the largest is listed first, no more.

mod draw;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bevy_egui::egui::Ui;

use super::class::{Dock, PanelClass};
use super::format;
use super::layer_key::{self, LayerKey};
use super::snapshot::Snapshot;
use crate::command::{Ghosts, OperatorCommand};
use crate::history::ViewTime;
use crate::layers::{Counterpart, Counterparts, Layer, LayerPosition, Layers, Met, Slot, name};
use crate::scene::Scene;
use crate::stage::Current;
use crate::value::{SignalIndex, Timestamp, TwinIndex};

pub use draw::compare_ui;

/// Events that lie less than this apart count as simultaneous, in seconds.
const SAME_SECS: f64 = 0.05;

#[derive(Clone, PartialEq, Debug, Default)]
pub struct CompareView {
    /// The name of what is shown.
    pub here: String,
    /// Empty if nothing lies beside it.
    pub layers: Vec<LayerView>,
    /// The largest difference first.
    pub signals: Vec<SignalRow>,
    /// Signals that differ in no layer at the cursor.
    pub same: usize,
    /// Beyond now: nothing that is shown can be compared with anything measured.
    pub is_ahead: bool,
    /// What cannot be compared, in sentences.
    pub left_out: Vec<String>,
    /// Those that some layer does not have, or that came earlier or later in one.
    pub events: Vec<EventRow>,
    /// How many of them were before the cursor.
    pub until_cursor: usize,
    /// Events that were at the same time in all.
    pub simultaneous: usize,
    pub ghosts: Ghosts,
}

#[derive(Clone, PartialEq, Debug)]
pub struct LayerView {
    pub key: LayerKey,
    /// The moment shown of it, or why there is none.
    pub at: String,
    /// `aligned by start, 12.4 s later by hand`; empty for a layer that lives in the time here, which is not shifted.
    pub alignment: String,
}

#[derive(Clone, PartialEq, Debug)]
pub struct SignalRow {
    pub signal: SignalIndex,
    pub twin: TwinIndex,
    /// `P-101.flow`.
    pub path: String,
    pub here: String,
    /// In the order of the layers; none for one that does not have the signal.
    pub layers: Vec<Option<LayerCell>>,
    /// Of the largest difference.
    pub weight: f64,
    /// It can be drawn as a line.
    pub drawable: bool,
}

/// What a signal has in one layer.
#[derive(Clone, PartialEq, Debug)]
pub struct LayerCell {
    /// A range where the layer gives a band.
    pub value: String,
    /// With its sign and unit; `differs` for texts and switches; empty where there is none, or nothing to compare with.
    pub difference: String,
    pub weight: f64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct EventRow {
    /// By the clock here.
    pub at: Timestamp,
    pub twin: Option<TwinIndex>,
    pub text: String,
    /// In the order of the layers; none for one that the event says nothing of.
    pub which: Vec<Option<Which>>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Which {
    /// In both, and so many seconds later in the layer.
    Both(f64),
    Here,
    Beside,
}

impl Which {
    fn is_simultaneous(self) -> bool {
        matches!(self, Which::Both(later) if later.abs() < SAME_SECS)
    }
}

/// What the comparison reads.
pub struct CompareInput<'a> {
    pub scene: &'a Scene,
    pub layers: &'a Layers,
    pub ghosts: Ghosts,
    pub current: &'a dyn Fn(SignalIndex) -> Current,
    pub counterparts: &'a dyn Fn(SignalIndex) -> Option<Counterparts>,
    pub time: ViewTime,
}

/// The comparison among the panels.
pub struct ComparePanel;

impl PanelClass for ComparePanel {
    const NAME: &'static str = "compare";
    const TITLE: &'static str = "Compare";
    const DOCK: Dock = Dock::Below;
    type State = ();
    type View<'a> = CompareView;

    fn view<'a>(read: &'a Snapshot<'a>, (): &()) -> CompareView {
        let Some(layers) = read.layers else { return CompareView::default() };
        compare_view(&CompareInput {
            scene: read.scene(),
            layers,
            ghosts: read.ghosts,
            current: read.current,
            counterparts: read.counterparts,
            time: read.time,
        })
    }

    fn ui(ui: &mut Ui, view: &CompareView, (): &mut (), out: &mut Vec<OperatorCommand>) {
        compare_ui(ui, view, out);
    }
}

pub fn compare_view(input: &CompareInput) -> CompareView {
    let (scene, layers) = (input.scene, input.layers);
    let is_ahead = input.time.is_ahead();
    let mut signals: Vec<SignalRow> = Vec::new();
    let mut same = 0;
    for signal in &scene.signals {
        let Some(others) = (input.counterparts)(signal.index) else { continue };
        if others.iter().all(|(_, other)| other.current.value.is_none()) {
            continue;
        }
        match is_ahead || others.iter().any(|(_, other)| other.deviation.weight > 0.0) {
            true => signals.push(signal_row(scene, signal, &(input.current)(signal.index), &others, layers.len())),
            false => same += 1,
        }
    }
    signals.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.path.cmp(&b.path)));
    let (events, simultaneous) = event_rows(scene, layers);
    CompareView {
        here: layers.here().to_owned(),
        layers: layers.iter().zip(layer_key::keys(Some(layers))).map(layer_view).collect(),
        same,
        is_ahead,
        left_out: left_out(layers),
        until_cursor: events.partition_point(|event| event.at <= input.time.shown),
        simultaneous,
        events,
        ghosts: input.ghosts,
        signals,
    }
}

fn left_out(layers: &Layers) -> Vec<String> {
    let is_lone = layers.len() == 1;
    let mut said = Vec::new();
    for slot in layers.iter() {
        let pairs = slot.layer.pairs();
        let of = if is_lone { String::new() } else { format!(", in {}", slot.name) };
        said.extend(pairs.unlike.iter().map(|unlike| format!("{}: {}{of}", unlike.path, unlike.why)));
        said.extend(pairs.only_here.iter().map(|path| match is_lone {
            true => format!("{path} is only in {}", layers.here()),
            false => format!("{path} is not in {}", slot.name),
        }));
        said.extend(pairs.only_there.iter().map(|path| format!("{path} is only in {}", slot.name)));
    }
    said
}

fn layer_view((slot, key): (&Slot, LayerKey)) -> LayerView {
    let at = match slot.place() {
        LayerPosition::At(at) => format::date_and_clock(at),
        LayerPosition::Loading(at) => format!("{}, being read", format::date_and_clock(at)),
        LayerPosition::Waiting => "waits for its event here".to_owned(),
        LayerPosition::Before(begins) => format!("begins at {}", format::clock(begins)),
        LayerPosition::After(ended) => format!("ended at {}", format::clock(ended)),
    };
    LayerView { key, at, alignment: alignment(&*slot.layer) }
}

/// `aligned by start`, `aligned by event P-101/vibration, 12.4 s earlier by hand`.
fn alignment(layer: &dyn Layer) -> String {
    let Some(alignment) = layer.alignment() else { return String::new() };
    let by = alignment.by.map(|by| by.to_string().replacen(':', " ", 1)).unwrap_or_default();
    match alignment.by_hand.secs() {
        0.0 => format!("aligned by {by}"),
        secs => {
            let way = if secs > 0.0 { "later" } else { "earlier" };
            format!("aligned by {by}, {} s {way} by hand", format::number(secs.abs()))
        }
    }
}

fn signal_row(
    scene: &Scene,
    signal: &crate::scene::Signal,
    current: &Current,
    others: &Counterparts,
    layers: usize,
) -> SignalRow {
    let cell = |other: &Counterpart| {
        let difference = match other.deviation.delta {
            Some(0.0) => String::new(),
            Some(delta) => {
                let sign = if delta > 0.0 { "+" } else { "" };
                format!("{sign}{}{}", format::steady_number(delta), signal.unit.suffix())
            }
            None if other.deviation.weight > 0.0 => "differs".to_owned(),
            None => String::new(),
        };
        LayerCell { value: layer_key::value_text(other), difference, weight: other.deviation.weight }
    };
    let weight = |weight: f64, (_, other): (usize, &Counterpart)| weight.max(other.deviation.weight);
    let is_number = |other: &Counterpart| other.current.value.as_ref().is_some_and(|value| value.as_f64().is_some());
    SignalRow {
        signal: signal.index,
        twin: signal.twin,
        path: scene.signal_path(signal.index),
        here: current.value.as_ref().map_or_else(|| "–".to_owned(), format::value),
        layers: (0..layers).map(|place| others.get(place).map(cell)).collect(),
        weight: others.iter().fold(0.0, weight),
        drawable: others.iter().any(|(_, other)| is_number(other)),
    }
}

/// Rows in the order of time, and how many events were at the same time in all layers.
fn event_rows(scene: &Scene, layers: &Layers) -> (Vec<EventRow>, usize) {
    let row = |met: &Met, at: Timestamp| {
        let event = met.event();
        let twin = event.twin.as_deref().and_then(|id| scene.twin(id)).map(|twin| twin.index);
        EventRow { at, twin, text: name(event), which: vec![None; layers.len()] }
    };
    // An event here is one row, whatever became of it in each layer.
    let mut by_event: BTreeMap<u64, EventRow> = BTreeMap::new();
    let mut rows: Vec<EventRow> = Vec::new();
    for (place, slot) in layers.iter().enumerate() {
        let shift = slot.layer.shift().unwrap_or_default();
        for met in slot.layer.met() {
            let at = met.at(shift);
            let (row, which) = match (met, met.later_secs(shift)) {
                (Met::Both { here, .. }, later) => {
                    let later = Which::Both(later.unwrap_or_default());
                    (by_event.entry(here.id).or_insert_with(|| row(met, at)), later)
                }
                (Met::Here(here), _) => (by_event.entry(here.id).or_insert_with(|| row(met, at)), Which::Here),
                (Met::There(_), _) => {
                    rows.push(row(met, at));
                    let Some(last) = rows.last_mut() else { continue };
                    (last, Which::Beside)
                }
            };
            if let Some(cell) = row.which.get_mut(place) {
                *cell = Some(which);
            }
        }
    }
    let all = by_event.len();
    let is_apart = |row: &EventRow| !row.which.iter().flatten().all(|which| which.is_simultaneous());
    rows.extend(by_event.into_values().filter(is_apart));
    let met_here = rows.iter().filter(|row| !row.which.contains(&Some(Which::Beside))).count();
    rows.sort_by_key(|row| row.at);
    (rows, all - met_here)
}
