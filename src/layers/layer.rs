//! The interface of layers. In: the shown world and its cursor. Out: values with their bands, lines for trends, events
//! that met, and the end of the layer's time. A layer never writes into the world that it lies beside.

use super::{Align, Met, Pair, Pairs, Spread};
use crate::analysis::Knowledge;
use crate::event::Journal;
use crate::history::{Bucket, Extent, Usage, ViewTime};
use crate::scene::Scene;
use crate::stage::Current;
use crate::value::{Shift, Timestamp};

/// The kind of a layer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LayerKind {
    /// A recording that is read while it is shown.
    Recording,
    /// Another course of the shown world, run on in simulated time.
    Branch,
    /// The expected future of the shown world.
    Forecast,
    /// The shown world as it would be with faults.
    Overlay,
}

impl LayerKind {
    /// As it stands in `--state`.
    pub const fn name(self) -> &'static str {
        match self {
            LayerKind::Recording => "recording",
            LayerKind::Branch => "branch",
            LayerKind::Forecast => "forecast",
            LayerKind::Overlay => "overlay",
        }
    }
}

/// Between these two a value is taken to lie, in the unit of the signal here.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Band {
    pub low: f64,
    pub high: f64,
}

/// What a layer has of a signal at one moment, in the unit here.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LayerValue {
    pub current: Current,
    /// None for an exact value.
    pub band: Option<Band>,
}

/// What a layer has of a signal over a stretch of time, at the times here and in the unit here.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LayerLine {
    pub buckets: Vec<Bucket>,
    /// In the order of time; empty for exact values.
    pub bands: Vec<(Timestamp, Band)>,
}

/// Where the cursor stands in a layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LayerPosition {
    /// The event that aligns the two has not happened here yet.
    Waiting,
    /// The layer begins later, at this moment here; or has ended before, at this moment here.
    Before(Timestamp),
    After(Timestamp),
    /// This moment of it is being read.
    Loading(Timestamp),
    At(Timestamp),
}

impl LayerPosition {
    /// Where a moment here lies in a layer that has all of `bounds` at hand.
    pub fn of(shown: Timestamp, shift: Shift, (start, end): (Timestamp, Timestamp)) -> Self {
        match shift.there(shown) {
            at if at < start => LayerPosition::Before(shift.here(start)),
            at if at > end => LayerPosition::After(shift.here(end)),
            at => LayerPosition::At(at),
        }
    }

    /// The moment of the layer whose values are shown.
    pub fn at(self) -> Option<Timestamp> {
        match self {
            LayerPosition::At(at) => Some(at),
            LayerPosition::Waiting | LayerPosition::Loading(_) | LayerPosition::Before(_) | LayerPosition::After(_) => {
                None
            }
        }
    }
}

/// How a layer is laid beside the shown world.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Alignment<'a> {
    /// None until that has been found out.
    pub by: Option<&'a Align>,
    /// Added by hand.
    pub by_hand: Shift,
}

/// The world that layers lie beside.
#[derive(Clone, Copy, Debug)]
pub struct Here<'a> {
    /// As people call it: the name of its file, or `live`.
    pub name: &'a str,
    pub extent: &'a Extent,
    pub time: &'a ViewTime,
}

/// One world that is drawn beside the shown one.
///
/// A frame first calls [`prepare`](Layer::prepare) and [`take_from`](Layer::take_from), then [`go_to`](Layer::go_to), then
/// [`meet`](Layer::meet), and asks for values after that. Where both are needed, the knowledge of the shown world is locked
/// before that of the layer.
pub trait Layer: Send + Sync + 'static {
    /// As people call it. Where two have the same name, [`Layers`](super::Layers) tells them apart.
    fn name(&self) -> &str;

    fn kind(&self) -> LayerKind;

    /// Its first and its last moment, in its own time.
    fn bounds(&self) -> (Timestamp, Timestamp);

    /// From moments here to its own; none while it waits for the event that aligns the two.
    fn shift(&self) -> Option<Shift> {
        Some(Shift::NONE)
    }

    /// None for a layer that lives in the time of the shown world.
    fn alignment(&self) -> Option<Alignment<'_>> {
        None
    }

    /// Shows moments of it that are so much later. Of no effect on a layer that has no alignment.
    fn shift_by(&mut self, _more: Shift) {}

    /// The last moment here that it has something to show for; none if that does not lie beyond `now`.
    fn horizon(&self, now: Timestamp) -> Option<Timestamp> {
        Some(self.shift()?.here(self.bounds().1)).filter(|end| *end > now)
    }

    /// Which of its signals belong to which of the shown world.
    fn pairs(&self) -> &Pairs;

    /// Pairs its signals with those of a scene that was just taken over.
    fn pair_with(&mut self, scene: &Scene);

    /// Looks at the shown world before the cursor is followed: `journal` is its own.
    fn prepare(&mut self, _here: &Here, _journal: &Journal) {}

    /// Takes over what it shows of the knowledge of the shown world itself, which is locked meanwhile: it may share and
    /// copy, and computes nothing.
    fn take_from(&mut self, _here: &Here, _known: &Knowledge) {}

    /// Follows the cursor to the moment that is shown here; may wait for the disk, while nothing is locked.
    fn go_to(&mut self, shown: Timestamp, _speed: f64) -> LayerPosition {
        self.shift().map_or(LayerPosition::Waiting, |shift| LayerPosition::of(shown, shift, self.bounds()))
    }

    /// Whether values may have changed that belong to a moment shown before. Asked once a frame.
    fn take_news(&mut self) -> bool {
        false
    }

    /// What it has of a paired signal at a moment of its own.
    fn value(&self, pair: &Pair, at: Timestamp) -> LayerValue;

    /// What it has of a paired signal over a stretch here, in so many columns.
    fn line(&self, pair: &Pair, stretch: (Timestamp, Timestamp), columns: usize) -> LayerLine;

    /// What the values of a paired signal cover, in the unit here.
    fn spread(&self, pair: &Pair) -> Spread;

    /// Brings its events together with those of `journal`, which is that of the shown world.
    fn meet(&mut self, _here: &Here, _journal: &Journal) {}

    /// Events of both, up to now, in the order of their times here.
    fn met(&self) -> &[Met] {
        &[]
    }

    /// Whether it has ended, and can be taken away.
    fn is_over(&self) -> bool {
        false
    }

    /// Whether it has all at hand that it has room for.
    fn is_idle(&self) -> bool {
        true
    }

    /// Whether it has a share of the memory for history.
    fn needs_memory(&self) -> bool {
        true
    }

    /// From now on it may take this much memory. Asked of layers that need some.
    fn set_budget(&mut self, bytes: u64);

    fn usage(&self) -> Usage;

    /// Its complaints, in sentences.
    fn troubles(&self) -> Vec<String> {
        Vec::new()
    }
}
