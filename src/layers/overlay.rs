//! The shown world as it would be with the faults that lie over it. In: what the analysis has made of the same data with these
//! faults, the cursor. Out: values and lines of the signals that may be other than they are in truth. Computes nothing;
//! stays after the last fault is cleared, until it is closed or there are others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Here, Layer, LayerKind, LayerLine, LayerValue, Pair, Pairs, Spread};
use crate::analysis::{Knowledge, OverlayView};
use crate::history::Usage;
use crate::scene::Scene;
use crate::stage::current_at;
use crate::value::{SignalIndex, Timestamp};

pub(super) struct OverlayLayer {
    view: OverlayView,
    /// By signal of the shown scene: when its values expire.
    expires: Vec<Option<Duration>>,
    pairs: Pairs,
    /// The signals that the pairs are of.
    paired: Option<Arc<BTreeSet<SignalIndex>>>,
    now: Timestamp,
    has_news: bool,
}

impl OverlayLayer {
    pub fn new(view: OverlayView) -> Self {
        let now = view.since;
        Self { view, expires: Vec::new(), pairs: Pairs::default(), paired: None, now, has_news: true }
    }
}

impl Layer for OverlayLayer {
    fn name(&self) -> &str {
        "overlay"
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Overlay
    }

    fn bounds(&self) -> (Timestamp, Timestamp) {
        (self.view.since, self.view.until.unwrap_or(self.now).max(self.view.since))
    }

    fn horizon(&self, _: Timestamp) -> Option<Timestamp> {
        None
    }

    fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    fn pair_with(&mut self, scene: &Scene) {
        self.expires = scene.signals.iter().map(|signal| signal.expires).collect();
        self.paired = None;
    }

    fn take_from(&mut self, here: &Here, known: &Knowledge) {
        self.now = here.time.now;
        if let Some(view) = known.overlay() {
            self.has_news |= view.since != self.view.since || view.until != self.view.until;
            self.view = view;
        }
        if self.paired.as_ref().is_none_or(|paired| *paired != self.view.concerned) {
            let concerned: Vec<SignalIndex> = self.view.concerned.iter().copied().collect();
            self.pairs = Pairs::with_themselves(self.expires.len(), &concerned);
            self.paired = Some(self.view.concerned.clone());
            self.has_news = true;
        }
    }

    fn take_news(&mut self) -> bool {
        let mut touched = Vec::new();
        self.view.analysis.lock().take_touched(&mut touched);
        std::mem::take(&mut self.has_news) || touched.iter().any(|signal| self.view.concerned.contains(signal))
    }

    fn value(&self, pair: &Pair, at: Timestamp) -> LayerValue {
        let expires = self.expires.get(pair.there.at()).copied().flatten();
        let known = self.view.analysis.lock();
        LayerValue { current: current_at(known.history.latest_known(pair.there, at), expires, at), band: None }
    }

    fn line(&self, pair: &Pair, (from, to): (Timestamp, Timestamp), columns: usize) -> LayerLine {
        let buckets = self.view.analysis.lock().history.range(pair.there, from, to, columns);
        LayerLine { buckets, bands: Vec::new() }
    }

    fn spread(&self, pair: &Pair) -> Spread {
        let mut spread = Spread::default();
        for bucket in self.view.analysis.lock().history.range(pair.there, Timestamp::MIN, Timestamp::MAX, 1) {
            [bucket.min, bucket.max].into_iter().for_each(|x| spread.add(x));
        }
        spread
    }

    fn is_over(&self) -> bool {
        self.view.until.is_some()
    }

    fn needs_memory(&self) -> bool {
        false
    }

    fn set_budget(&mut self, _: u64) {}

    fn usage(&self) -> Usage {
        self.view.analysis.lock().history.usage()
    }
}
