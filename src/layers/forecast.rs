//! What is foretold of the shown world, drawn beside it. In: the forecasts that its producers have issued, the cursor. Out:
//! of each signal the newest forecast that was issued by the shown moment, beyond now the newest of all; its median and its
//! band. Shares the forecasts with the analysis and computes none; reads no clock, never locks while it is drawn.

use std::sync::Arc;

use super::{Band, Here, Layer, LayerKind, LayerLine, LayerValue, Pair, Pairs, Spread};
use crate::analysis::Knowledge;
use crate::history::{Bucket, Forecast, Gaps, Usage};
use crate::scene::{Scene, ValueKind};
use crate::stage::Current;
use crate::value::{Grade, Origin, Quality, SignalIndex, Timestamp, Value};

const MEDIAN: f64 = 0.5;

#[derive(Default)]
pub(super) struct ForecastLayer {
    /// By signal: the forecast that is shown of it.
    shown: Vec<Option<Arc<Forecast>>>,
    /// By signal: forecasts are of numbers.
    is_number: Vec<bool>,
    /// Of the signals of which a forecast was shown since the scene was taken over.
    pairs: Pairs,
    bounds: (Timestamp, Timestamp),
    horizon: Option<Timestamp>,
    /// Which forecasts there were, and by which moments what is shown and what reaches beyond now was issued.
    looked: Option<(u64, Timestamp, Timestamp)>,
    has_news: bool,
}

impl ForecastLayer {
    fn of(&self, pair: &Pair) -> Option<&Forecast> {
        self.shown.get(pair.there.at())?.as_deref()
    }

    /// A signal that had a forecast once stays paired: where it has none, it has no value.
    fn pair_what_is_shown(&mut self) {
        let is_paired = |signal: &SignalIndex| {
            self.pairs.place(*signal).is_some() || self.shown.get(signal.at()).is_some_and(Option::is_some)
        };
        let paired: Vec<SignalIndex> = (0..self.shown.len() as u32).map(SignalIndex).filter(is_paired).collect();
        if paired.len() > self.pairs.list.len() {
            self.pairs = Pairs::with_themselves(self.shown.len(), &paired);
        }
    }
}

/// From the first moment of which any of them tells to the last one.
fn ends<'f>(forecasts: impl Iterator<Item = &'f Arc<Forecast>>) -> Option<(Timestamp, Timestamp)> {
    let own = forecasts.filter_map(|forecast| Some((*forecast.times().first()?, forecast.end())));
    own.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

impl Layer for ForecastLayer {
    fn name(&self) -> &str {
        "forecast"
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Forecast
    }

    fn bounds(&self) -> (Timestamp, Timestamp) {
        self.bounds
    }

    fn horizon(&self, now: Timestamp) -> Option<Timestamp> {
        self.horizon.filter(|end| *end > now)
    }

    fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    fn pair_with(&mut self, scene: &Scene) {
        self.is_number = scene.signals.iter().map(|signal| signal.kind == ValueKind::Number).collect();
        self.shown = vec![None; scene.signals.len()];
        self.pairs = Pairs::with_themselves(scene.signals.len(), &[]);
        (self.horizon, self.looked, self.has_news) = (None, None, true);
    }

    fn take_from(&mut self, here: &Here, known: &Knowledge) {
        let (store, time) = (known.forecasts(), here.time);
        // After the last one was issued nothing changes by the passing of time alone.
        let newest = store.newest().unwrap_or(Timestamp::MIN);
        let (moment, now) = (time.shown.min(time.now).min(newest), time.now.min(newest));
        let looked = (store.version(), moment, now);
        if self.looked.replace(looked) == Some(looked) {
            return;
        }
        self.horizon = store.horizon(now);
        for ((signal, is_number), shown) in (0..).map(SignalIndex).zip(&self.is_number).zip(&mut self.shown) {
            let newest = store.at(signal, moment).filter(|_| *is_number);
            let is_same = match (shown.as_ref(), newest) {
                (Some(before), Some(newest)) => Arc::ptr_eq(before, newest),
                (before, newest) => before.is_none() && newest.is_none(),
            };
            if !is_same {
                *shown = newest.cloned();
                self.has_news = true;
            }
        }
        self.pair_what_is_shown();
        // Before all forecasts the first ones say when there will be something to show.
        let first = || ends((0..self.shown.len() as u32).filter_map(|signal| store.of(SignalIndex(signal)).next()));
        self.bounds = ends(self.shown.iter().flatten()).or_else(first).unwrap_or(self.bounds);
    }

    fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    fn value(&self, pair: &Pair, at: Timestamp) -> LayerValue {
        let Some(forecast) = self.of(pair) else { return LayerValue::default() };
        let Some(said) = said(forecast, at) else { return LayerValue::default() };
        let current = Current {
            value: Some(Value::Number(said.value)),
            quality: Quality::GOOD,
            source_time: at,
            receive_time: forecast.issued(),
            origin: Origin::Forecast,
        };
        LayerValue { current, band: said.band }
    }

    fn line(&self, pair: &Pair, stretch: (Timestamp, Timestamp), columns: usize) -> LayerLine {
        self.of(pair).map(|forecast| line(forecast, stretch, columns)).unwrap_or_default()
    }

    fn spread(&self, pair: &Pair) -> Spread {
        let mut spread = Spread::default();
        let values = self.of(pair).into_iter().flat_map(Forecast::values).flatten();
        values.for_each(|value| spread.add(*value));
        spread
    }

    fn needs_memory(&self) -> bool {
        false
    }

    fn set_budget(&mut self, _: u64) {}

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

/// What a forecast says of one moment.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Said {
    value: f64,
    /// From the lowest to the highest level; none where there is only one.
    band: Option<Band>,
}

/// The two levels next to the median, and how far it is from the first to the second: one of them twice where that is the
/// median itself, or where the median lies beyond all levels.
fn median(levels: &[f64]) -> (usize, usize, f64) {
    let above = levels.partition_point(|level| *level < MEDIAN);
    let below = above.checked_sub(1);
    let level = |at: usize| levels.get(at).copied();
    match (below, below.and_then(level), level(above)) {
        (Some(below), Some(low), Some(high)) if high > MEDIAN => (below, above, (MEDIAN - low) / (high - low)),
        (Some(below), _, None) => (below, below, 0.0),
        _ => (above, above, 0.0),
    }
}

/// The median and the band, straight from each moment of the forecast to the next; none before the first, after the last,
/// and beside a gap.
fn said(forecast: &Forecast, at: Timestamp) -> Option<Said> {
    let times = forecast.times();
    let after = times.partition_point(|time| *time < at);
    let next = *times.get(after)?;
    let (before, share) = match next == at {
        true => (after, 0.0),
        false => {
            let before = after.checked_sub(1)?;
            let last = *times.get(before)?;
            (before, at.secs_since(last) / next.secs_since(last))
        }
    };
    let level = |row: usize| {
        let row = forecast.values().get(row)?;
        let (from, to) = (*row.get(before)?, *row.get(after)?);
        Some(from + (to - from) * share).filter(|value| value.is_finite())
    };
    let (below, above, part) = median(forecast.levels());
    let (low, high) = (level(below)?, level(above)?);
    let highest = forecast.levels().len().saturating_sub(1);
    let band = level(0).zip(level(highest)).filter(|_| highest > 0).map(|(low, high)| Band { low, high });
    Some(Said { value: low + (high - low) * part, band })
}

/// The median in so many columns: in each at its middle, and as far up and down as the moments of the forecast within it.
fn line(forecast: &Forecast, (from, to): (Timestamp, Timestamp), columns: usize) -> LayerLine {
    let mut line = LayerLine::default();
    let (times, end) = (forecast.times(), forecast.end());
    let Some(&start) = times.first() else { return line };
    let columns = i64::try_from(columns).unwrap_or(i64::MAX).max(1);
    let width = (to.0.saturating_sub(from.0) / columns).max(1);
    for column in 0..columns {
        let edge = from.0.saturating_add(width.saturating_mul(column));
        let (left, right) = (Timestamp(edge).max(start), Timestamp(edge.saturating_add(width)).min(end));
        if left > right || (left == right && start < end) {
            continue;
        }
        let middle = Timestamp(left.0 + (right.0 - left.0) / 2);
        let first = times.partition_point(|time| *time < left);
        let last = times.partition_point(|time| *time <= right);
        let within = times.get(first..last).unwrap_or_default();
        let (mut spread, mut drawn) = (Spread::default(), None);
        for said in std::iter::once(&middle).chain(within).filter_map(|at| said(forecast, *at)) {
            spread.add(said.value);
            drawn = drawn.or(Some(said));
        }
        let Some(Said { value, band }) = drawn else { continue };
        let (min, max) = (spread.min, spread.max);
        line.buckets.push(Bucket {
            from: left,
            to: right,
            min,
            max,
            first: value,
            last: value,
            count: 1,
            worst: Grade::Good,
            gaps: Gaps::NONE,
        });
        line.bands.extend(band.map(|band| (middle, band)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> Timestamp {
        Timestamp::from_secs_f64(secs)
    }

    /// Of 10, 20, 30 and 40 s.
    fn forecast(levels: &[f64], values: &[[f64; 4]]) -> Forecast {
        let times = [10.0, 20.0, 30.0, 40.0].map(at).to_vec();
        let values = values.iter().map(|row| row.to_vec()).collect();
        Forecast::new(SignalIndex(0), (at(5.0), at(0.0)), times, levels.to_vec(), values).expect("a forecast")
    }

    #[test]
    fn between_its_moments_it_goes_straight_and_elsewhere_it_says_nothing() {
        let rows = [[0.0, 0.0, f64::NAN, 8.0], [1.0, 3.0, f64::NAN, 9.0], [2.0, 8.0, f64::NAN, 10.0]];
        let forecast = forecast(&[0.1, 0.5, 0.9], &rows);
        let told = |secs: f64| said(&forecast, at(secs)).map(|said| (said.value, said.band));
        let of = |value: f64, low: f64, high: f64| Some((value, Some(Band { low, high })));
        assert_eq!([10.0, 15.0, 20.0].map(told), [of(1.0, 0.0, 2.0), of(2.0, 0.0, 5.0), of(3.0, 0.0, 8.0)]);
        assert_eq!([9.9, 20.1, 30.0, 35.0, 40.1].map(told), [None; 5], "outside, and beside the gap");
        assert_eq!(told(40.0), of(9.0, 8.0, 10.0));
    }

    #[test]
    fn without_a_median_its_place_between_the_nearest_levels_is_shown() {
        let value = |levels: &[f64], values: &[f64]| {
            let rows: Vec<[f64; 4]> = values.iter().map(|value| [*value; 4]).collect();
            let said = said(&forecast(levels, &rows), at(10.0)).expect("a value");
            (said.value, said.band.is_some())
        };
        assert_eq!(value(&[0.25, 0.75], &[2.0, 6.0]), (4.0, true));
        assert_eq!(value(&[0.5], &[2.0]), (2.0, false), "one level has no band");
        assert_eq!(value(&[0.1, 0.25], &[2.0, 6.0]), (6.0, true));
        assert_eq!(value(&[0.75, 0.9], &[2.0, 6.0]), (2.0, true));
    }

    #[test]
    fn a_line_has_all_of_the_forecast_and_nothing_beyond() {
        let forecast = forecast(&[0.1, 0.5, 0.9], &[[0.0; 4], [1.0, 9.0, 1.0, 1.0], [10.0; 4]]);
        let drawn = line(&forecast, (at(0.0), at(100.0)), 50);
        let (first, last) = (drawn.buckets.first().expect("a part"), drawn.buckets.last().expect("a part"));
        assert_eq!((first.from, last.to), (at(10.0), at(40.0)));
        assert!(drawn.buckets.windows(2).all(|two| two[0].to == two[1].from), "without a break");
        assert!(drawn.buckets.iter().any(|bucket| bucket.max == 9.0), "the peak is not lost between two columns");
        assert_eq!(drawn.bands.len(), drawn.buckets.len());
        assert!(drawn.bands.iter().all(|(_, band)| *band == Band { low: 0.0, high: 10.0 }));
        assert_eq!(line(&forecast, (at(41.0), at(50.0)), 50), LayerLine::default());
        assert_eq!(line(&forecast, (at(0.0), at(100.0)), 1).buckets.len(), 1);
    }
}
