//! What the trend panel shows. In: the history, the layers, the chosen signals, the window of time. Out: [`TrendView`]: lanes
//! of broken lines with their extents. Never draws.

use std::time::Duration;

use super::TrendState;
use super::layers::{self, LayerTrace};
use super::points::{stepped, trace_points};
use super::words::{Saying, sayings};
use crate::history::{Cursor, Horizon, ViewTime};
use crate::layers::Layers;
use crate::panel::faults::site_text;
use crate::panel::format;
use crate::panel::layer_key::{self, LayerKey};
use crate::panel::lines::Lines;
use crate::scene::{Limits, Scene, ValueKind};
use crate::stage::{Current, PlacedFault};
use crate::value::{SignalIndex, Timestamp};

#[derive(Clone, PartialEq, Debug)]
pub struct TrendView {
    /// Of the window: the one that was chosen, or one that fits.
    pub span: Duration,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Where the cursor stands; a line marks it unless the picture is live.
    pub shown: Timestamp,
    pub live: bool,
    /// A recording: what is called now elsewhere is its end.
    pub recorded: bool,
    /// Signals of one unit share a lane; so do all that are on or off, and all that say words.
    pub lanes: Vec<Lane>,
    /// Now, or the end of a recording, where the picture reaches beyond it.
    pub now: Option<Timestamp>,
    /// The name of what is shown, if layers lie beside it.
    pub here: Option<String>,
    pub layers: Vec<LayerKey>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Lane {
    pub unit: String,
    pub kind: ValueKind,
    pub traces: Vec<Trace>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Trace {
    pub signal: SignalIndex,
    /// `P-101.flow`.
    pub path: String,
    pub value: String,
    pub limits: Limits,
    /// Place in the palette.
    pub colour: usize,
    /// Seconds from `from`, value; one list per unbroken stretch.
    pub stretches: Vec<Vec<[f64; 2]>>,
    /// Where samples were not good.
    pub doubtful: Vec<[f64; 2]>,
    /// Of a signal that says words.
    pub sayings: Vec<Saying>,
    /// Samples came, and nothing can be drawn for any of them.
    pub is_blank: bool,
    /// The same signal in each layer that has it.
    pub layers: Vec<LayerTrace>,
    /// Where something that it depends on is broken on purpose.
    pub shades: Vec<Shade>,
}

/// The stretch of time to show: with a quarter of it after the cursor, as far as there is something to show. Live that is up
/// to the newest, unless a layer reaches beyond now.
pub fn window(moment: &ViewTime, horizon: Horizon, span: Duration) -> (Timestamp, Timestamp) {
    let to = (moment.shown + span / 4).min(horizon.end(moment.now).max(moment.shown));
    (to - span, to)
}

/// What the trend panel reads.
pub struct TrendInput<'a> {
    pub scene: &'a Scene,
    pub currents: &'a dyn Fn(SignalIndex) -> Current,
    pub history: &'a dyn Lines,
    pub trends: &'a [SignalIndex],
    pub cursor: Cursor,
    pub moment: ViewTime,
    pub horizon: Horizon,
    pub recorded: bool,
    pub layers: Option<&'a Layers>,
    pub broken: &'a [PlacedFault],
}

/// A stretch in which a signal may be other than it would be, as something is broken on purpose.
#[derive(Clone, PartialEq, Debug)]
pub struct Shade {
    /// Seconds from the left edge; to the right edge where it is not over.
    pub from: f64,
    pub to: f64,
    /// `bias F-1 in the plant`
    pub text: String,
}

/// Of the faults on signals, those in sight.
fn shades(input: &TrendInput, signal: SignalIndex, (from, to): (Timestamp, Timestamp)) -> Vec<Shade> {
    let on_it = input.broken.iter().filter(|fault| fault.signals.contains(&signal));
    let shade = |fault: &PlacedFault| {
        let (begin, end) = (fault.span.begin(), fault.span.end().unwrap_or(to));
        (begin < to && end > from && begin < end).then(|| Shade {
            from: begin.max(from).secs_since(from),
            to: end.min(to).secs_since(from),
            text: format!("{} {} {}", fault.span.fault.kind().name, fault.span.fault.id, site_text(fault.span.site)),
        })
    };
    on_it.filter_map(shade).collect()
}

pub fn trend_view(input: &TrendInput, state: &TrendState) -> TrendView {
    let live = input.cursor == Cursor::Live;
    let mut moment = input.moment;
    if live {
        // A machine's clock may be ahead of this one: the newest is what live means.
        let newest = input.trends.iter().map(|index| (input.currents)(*index).source_time).max();
        moment.shown = newest.map_or(moment.shown, |newest| newest.max(moment.shown));
    }
    let recorded = input.recorded.then(|| {
        let nanos = moment.now.0.saturating_sub(moment.session_start.0);
        Duration::from_nanos(nanos.try_into().unwrap_or_default())
    });
    let span = state.span.unwrap_or_else(|| super::fitting_span(recorded));
    let (from, to) = window(&moment, input.horizon, span);
    let mut lanes: Vec<Lane> = Vec::new();
    for (colour, &index) in input.trends.iter().enumerate() {
        let Some(signal) = input.scene.signals.get(index.at()) else { continue };
        let columns = state.columns.clamp(16, 4_096);
        // The sample at the right edge, which live is the newest, belongs to the picture.
        let buckets = input.history.range(index, from, to + Duration::from_nanos(1), columns);
        let layers = layers::traces(input.layers, signal, (from, to), columns);
        let (stretches, doubtful) = trace_points(&buckets, from, signal.expires);
        let kind = signal.kind;
        let stretches = if kind == ValueKind::Bool { stepped(stretches) } else { stretches };
        let words = match kind {
            ValueKind::Text => input.history.words(index, from, to + Duration::from_nanos(1), columns),
            ValueKind::Number | ValueKind::Bool => Vec::new(),
        };
        let sayings = sayings(&words, from, signal.expires);
        let has_samples = buckets.iter().any(|bucket| bucket.count > 0);
        let is_blank = has_samples && stretches.is_empty() && sayings.is_empty();
        let value = (input.currents)(index).value.as_ref().map_or_else(|| "–".into(), format::value);
        let path = input.scene.signal_path(index);
        let limits = signal.limits;
        let shades = shades(input, index, (from, to));
        let trace = Trace {
            signal: index,
            path,
            value,
            limits,
            colour,
            stretches,
            doubtful,
            sayings,
            is_blank,
            layers,
            shades,
        };
        let unit = signal.unit.pretty();
        match lanes.iter_mut().find(|lane| (&lane.unit, lane.kind) == (&unit, kind)) {
            Some(lane) => lane.traces.push(trace),
            None => lanes.push(Lane { unit, kind, traces: vec![trace] }),
        }
    }
    let layers = layer_key::keys(input.layers);
    let here = input.layers.filter(|layers| !layers.is_empty()).map(|layers| layers.here().to_owned());
    let now = Some(moment.now.max(if live { moment.shown } else { moment.now })).filter(|now| to > *now);
    TrendView { span, from, to, shown: input.moment.shown, live, recorded: input.recorded, lanes, now, here, layers }
}

impl Lane {
    /// Limits are drawn where it is plain whose they are: with one signal in the lane.
    pub(super) fn limits(&self) -> Option<Limits> {
        match &self.traces[..] {
            [only] => Some(only.limits),
            _ => None,
        }
    }

    pub(super) fn heights(&self) -> impl Iterator<Item = f64> {
        let own = self.traces.iter().flat_map(|trace| &trace.stretches).flatten().map(|point| point[1]);
        own.chain(self.traces.iter().flat_map(|trace| &trace.layers).flat_map(LayerTrace::heights))
    }

    /// What heights are multiplied with where they are drawn: 1, but less where the largest floats lie so far apart that
    /// their distance is none.
    pub fn scale(&self) -> f64 {
        const HUGE: f64 = 1e300;
        if self.heights().any(|y| y.abs() > HUGE) { 1e-10 } else { 1.0 }
    }

    /// The vertical extent: the data with some air, and each limit that is within reach. In units of the scale.
    pub fn extent(&self) -> (f64, f64) {
        let scale = self.scale();
        let values = self.heights().map(|y| y * scale);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), y| (l.min(y), h.max(y)));
        if self.kind != ValueKind::Number || !low.is_finite() || !high.is_finite() {
            return (-0.1, 1.1);
        }
        let size = spread(low, high);
        let (mut bottom, mut top) = (low, high);
        if let Some(limits) = self.limits() {
            for limit in [limits.low_low, limits.low, limits.high, limits.high_high].into_iter().flatten() {
                let limit = limit * scale;
                if within_reach(limit, low, high, size) {
                    (bottom, top) = (bottom.min(limit), top.max(limit));
                }
            }
        }
        let air = ((top - bottom) * 0.08).max(size * 0.1).max((size - (top - bottom)) / 2.0);
        (bottom - air, top + air)
    }
}

/// How far values from `low` to `high` lie apart. What varies fills its lane, as far as floats tell its values apart: a
/// little more than an error of rounding. What does not vary gets a part of its size.
fn spread(low: f64, high: f64) -> f64 {
    const ROUNDING: f64 = 16.0 * f64::EPSILON;
    let largest = high.abs().max(low.abs());
    let size = if high > low { (high - low).max(largest * ROUNDING) } else { largest * 0.02 };
    if size > f64::MIN_POSITIVE { size } else { 1.0 }
}

/// Whether values from `low` to `high`, which spread over `size`, may soon meet `limit`: they are near it compared with
/// how they spread, or, where nought is the natural foot of the scale, beyond half of it.
fn within_reach(limit: f64, low: f64, high: f64, size: f64) -> bool {
    let near = limit > low - 1.5 * size && limit < high + 1.5 * size;
    let passed_half = low >= 0.0 && limit > high && high > 0.5 * limit;
    near || passed_half
}
