//! What was foretold: forecasts of signals, in a store of their own, since nothing of them was measured.
//!
//! In: forecasts, in any order. Out: the newest one of a signal that was issued by a moment, and those before it, to stand
//! beside what then happened. Never enters the [history](super::History), never reads a clock, and never grows past its
//! budget, but for the newest forecast of each signal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::value::{SignalIndex, Timestamp};

/// More moments than this are no forecast but a mistake.
pub const MOST_POINTS: usize = 10_000;
/// More quantiles than this are none that anybody draws.
pub const MOST_LEVELS: usize = 100;

/// What a signal is expected to do, as quantiles at some moments. Comes from [`Forecast::new`], which checks it.
#[derive(Clone, PartialEq, Debug)]
pub struct Forecast {
    signal: SignalIndex,
    issued: Timestamp,
    source_time: Timestamp,
    times: Vec<Timestamp>,
    levels: Vec<f64>,
    values: Vec<Vec<f64>>,
}

/// Why a forecast cannot be taken. Names the rule, and what broke it.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum BadForecast {
    #[error("times: there are none; a forecast is of one moment at least")]
    NoTimes,
    #[error("times: there are {count}; a forecast is of {MOST_POINTS} moments at most: leave some out")]
    TooManyTimes { count: usize },
    #[error("times[{at}] ({time}) is not after {before}: the moments rise, and all are after the source time")]
    Order { at: usize, time: Timestamp, before: Timestamp },
    #[error("levels: there are {count}; a forecast has 1 to {MOST_LEVELS} quantiles")]
    Levels { count: usize },
    #[error("levels[{at}] ({level}) must be above {above} and below 1: the levels of quantiles rise from 0 to 1")]
    Level { at: usize, level: f64, above: f64 },
    #[error("values: there are {count} rows for {levels} levels; each level has one row")]
    Rows { count: usize, levels: usize },
    #[error("values[{row}]: there are {count} for {times} times; each moment has one value, NaN where there is none")]
    Row { row: usize, count: usize, times: usize },
    #[error("values[{row}][{at}] is {value}: a value is a number, or NaN where there is none")]
    Value { row: usize, at: usize, value: f64 },
    #[error("issued ({issued}) is before the source time {source_time} of the data that it knew")]
    Issued { issued: Timestamp, source_time: Timestamp },
}

impl Forecast {
    /// `issued` is its place in the one order of what is learnt (receive time), `source_time` that of the newest data it
    /// knew. `levels` are quantiles between 0 and 1, `values` has for each of them one value for each of `times`, in the unit
    /// of the signal.
    pub fn new(
        signal: SignalIndex,
        (issued, source_time): (Timestamp, Timestamp),
        times: Vec<Timestamp>,
        levels: Vec<f64>,
        values: Vec<Vec<f64>>,
    ) -> Result<Self, BadForecast> {
        let forecast = Self { signal, issued, source_time, times, levels, values };
        forecast.check().map(|()| forecast)
    }

    fn check(&self) -> Result<(), BadForecast> {
        let Self { issued, source_time, times, levels, values, .. } = self;
        if issued < source_time {
            return Err(BadForecast::Issued { issued: *issued, source_time: *source_time });
        }
        match times.len() {
            0 => return Err(BadForecast::NoTimes),
            count if count > MOST_POINTS => return Err(BadForecast::TooManyTimes { count }),
            _ => {}
        }
        let mut before = *source_time;
        for (at, &time) in times.iter().enumerate() {
            if time <= before {
                return Err(BadForecast::Order { at, time, before });
            }
            before = time;
        }
        if levels.is_empty() || levels.len() > MOST_LEVELS {
            return Err(BadForecast::Levels { count: levels.len() });
        }
        let mut above = 0.0;
        for (at, &level) in levels.iter().enumerate() {
            if !(level > above && level < 1.0) {
                return Err(BadForecast::Level { at, level, above });
            }
            above = level;
        }
        if values.len() != levels.len() {
            return Err(BadForecast::Rows { count: values.len(), levels: levels.len() });
        }
        for (row, values) in values.iter().enumerate() {
            if values.len() != times.len() {
                return Err(BadForecast::Row { row, count: values.len(), times: times.len() });
            }
            if let Some(at) = values.iter().position(|value| value.is_infinite()) {
                return Err(BadForecast::Value { row, at, value: values[at] });
            }
        }
        Ok(())
    }

    pub fn signal(&self) -> SignalIndex {
        self.signal
    }

    /// Its place in the one order of what is learnt: a receive time.
    pub fn issued(&self) -> Timestamp {
        self.issued
    }

    /// Of the newest data that it knew.
    pub fn source_time(&self) -> Timestamp {
        self.source_time
    }

    /// Rising, all after [`Forecast::source_time`].
    pub fn times(&self) -> &[Timestamp] {
        &self.times
    }

    /// The last moment that it tells of.
    pub fn end(&self) -> Timestamp {
        self.times.last().copied().unwrap_or(self.source_time)
    }

    /// Rising, between 0 and 1.
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// For each level, the quantile at each of the times, in the unit of the signal; NaN where there is none.
    pub fn values(&self) -> &[Vec<f64>] {
        &self.values
    }

    /// About what it takes in memory, in bytes.
    fn bytes(&self) -> u64 {
        let numbers = self.times.len() + self.levels.len() + self.values.iter().map(Vec::len).sum::<usize>();
        (size_of::<Self>() + self.values.len() * size_of::<Vec<f64>>() + numbers * 8 + ENTRY) as u64
    }
}

/// What the store adds to a forecast: its places in the orders, and the counters of the pointer.
const ENTRY: usize = 128;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ForecastUsage {
    pub forecasts: u64,
    pub bytes: u64,
    pub budget_bytes: u64,
    /// Let go for lack of room, the oldest first.
    pub evicted: u64,
    /// Of signals that a scene reload took away, or that the scene never had.
    pub forgotten: u64,
}

/// Forecasts by signal and by the moment at which they were issued.
#[derive(Clone, Debug)]
pub struct ForecastStore {
    /// Of each signal by issue; of two that were issued at one moment the last one that came counts.
    signals: Vec<BTreeMap<Timestamp, Arc<Forecast>>>,
    /// All of them, the oldest first.
    oldest: BTreeSet<(Timestamp, SignalIndex)>,
    usage: ForecastUsage,
    version: u64,
}

impl Default for ForecastStore {
    /// With a budget of 64 MiB: of a thousand signals, sixty points and three quantiles each, the latest thirty.
    fn default() -> Self {
        Self::new(64 << 20)
    }
}

impl ForecastStore {
    pub fn new(budget_bytes: u64) -> Self {
        let usage = ForecastUsage { budget_bytes, ..ForecastUsage::default() };
        Self { signals: Vec::new(), oldest: BTreeSet::new(), usage, version: 0 }
    }

    /// Makes room for signals `0..count`; existing ones stay.
    pub fn resize(&mut self, count: usize) {
        if count > self.signals.len() {
            self.signals.resize_with(count, BTreeMap::new);
        }
    }

    /// Takes a forecast in, wherever in time it was issued.
    pub fn insert(&mut self, forecast: Arc<Forecast>) {
        let (signal, issued) = (forecast.signal, forecast.issued);
        let Some(known) = self.signals.get_mut(signal.at()) else {
            self.usage.forgotten += 1;
            return;
        };
        self.version += 1;
        self.usage.bytes += forecast.bytes();
        match known.insert(issued, forecast) {
            Some(before) => self.usage.bytes = self.usage.bytes.saturating_sub(before.bytes()),
            None => {
                self.usage.forecasts += 1;
                self.oldest.insert((issued, signal));
            }
        }
        if self.usage.bytes > self.usage.budget_bytes {
            self.evict();
        }
    }

    /// The oldest go first, never the newest of a signal.
    fn evict(&mut self) {
        let mut at = (Timestamp::MIN, SignalIndex(0));
        while self.usage.bytes > self.usage.budget_bytes {
            let Some(&next) = self.oldest.range(at..).next() else { break };
            let (issued, signal) = next;
            // What stays is passed over next time; there are no more of these than signals.
            at = (issued, SignalIndex(signal.0.saturating_add(1)));
            let Some(known) = self.signals.get_mut(signal.at()) else { continue };
            if known.last_key_value().is_some_and(|(newest, _)| *newest == issued) {
                continue;
            }
            if let Some(gone) = known.remove(&issued) {
                self.usage.bytes = self.usage.bytes.saturating_sub(gone.bytes());
                self.usage.forecasts -= 1;
                self.usage.evicted += 1;
            }
            self.oldest.remove(&next);
        }
    }

    /// The newest forecast of `signal` that was issued by `moment`: what shows at the cursor.
    pub fn at(&self, signal: SignalIndex, moment: Timestamp) -> Option<&Arc<Forecast>> {
        self.signals.get(signal.at())?.range(..=moment).next_back().map(|(_, forecast)| forecast)
    }

    /// All of a signal, by issue; both ends can be read.
    pub fn of(&self, signal: SignalIndex) -> impl DoubleEndedIterator<Item = &Arc<Forecast>> {
        self.signals.get(signal.at()).into_iter().flat_map(BTreeMap::values)
    }

    /// The newest of each signal that was issued by `moment`, in the order of signals.
    pub fn all_at(&self, moment: Timestamp) -> impl Iterator<Item = &Arc<Forecast>> {
        (0..self.signals.len() as u32).filter_map(move |signal| self.at(SignalIndex(signal), moment))
    }

    /// The last moment that the forecasts shown at `moment` tell of: how far the cursor may go.
    pub fn horizon(&self, moment: Timestamp) -> Option<Timestamp> {
        self.all_at(moment).map(|forecast| forecast.end()).max()
    }

    /// When the last one of all was issued.
    pub fn newest(&self) -> Option<Timestamp> {
        self.oldest.last().map(|(issued, _)| *issued)
    }

    /// Changes whenever a forecast comes or goes.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn usage(&self) -> ForecastUsage {
        self.usage
    }

    /// Lets go of all.
    pub fn clear(&mut self) {
        self.version += 1;
        self.signals.iter_mut().for_each(BTreeMap::clear);
        self.oldest.clear();
        (self.usage.forecasts, self.usage.bytes) = (0, 0);
    }

    /// Carries all over a scene reload: `new_index[old]`, none for signals that are gone. Where two signals claim the same
    /// new index, the first one has it.
    pub fn remap(&mut self, new_index: &[Option<SignalIndex>], count: usize) {
        let old = std::mem::take(&mut self.signals);
        let ForecastUsage { budget_bytes, evicted, mut forgotten, .. } = self.usage;
        *self = Self { version: self.version + 1, ..Self::new(budget_bytes) };
        self.resize(count);
        for (known, new) in old.into_iter().zip(new_index.iter().copied().chain(std::iter::repeat(None))) {
            let place = new.and_then(|new| Some((new, self.signals.get_mut(new.at())?)));
            let Some((signal, place)) = place.filter(|(_, place)| place.is_empty()) else {
                forgotten += known.len() as u64;
                continue;
            };
            for (issued, forecast) in known {
                let forecast = Arc::new(Forecast { signal, ..Arc::unwrap_or_clone(forecast) });
                self.usage.forecasts += 1;
                self.usage.bytes += forecast.bytes();
                self.oldest.insert((issued, signal));
                place.insert(issued, forecast);
            }
        }
        (self.usage.evicted, self.usage.forgotten) = (evicted, forgotten);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp(secs * 1_000_000_000)
    }

    fn signal(index: u32) -> SignalIndex {
        SignalIndex(index)
    }

    /// Of three points, issued a second after its data.
    fn forecast(index: u32, issued: i64) -> Arc<Forecast> {
        let times = vec![at(issued), at(issued + 1), at(issued + 10)];
        let values = vec![vec![1.0, 2.0, 3.0], vec![2.0, f64::NAN, 5.0]];
        Arc::new(
            Forecast::new(signal(index), (at(issued), at(issued - 1)), times, vec![0.1, 0.9], values)
                .expect("a forecast"),
        )
    }

    #[test]
    fn the_newest_one_issued_by_a_moment_shows_and_the_others_stay_beside_it() {
        let mut store = ForecastStore::default();
        store.resize(2);
        for issued in [30, 10, 20] {
            store.insert(forecast(1, issued));
        }
        let shown = |secs| store.at(signal(1), at(secs)).map(|forecast| forecast.issued());
        assert_eq!([9, 10, 25, 99].map(shown), [None, Some(at(10)), Some(at(20)), Some(at(30))]);
        assert_eq!(store.of(signal(1)).map(|forecast| forecast.issued()).collect::<Vec<_>>(), [at(10), at(20), at(30)]);
        assert_eq!(
            (store.at(signal(0), at(99)), store.horizon(at(25)), store.horizon(at(5))),
            (None, Some(at(30)), None)
        );
        let before = (store.version(), store.newest());
        store.insert(forecast(9, 10));
        assert_eq!((store.usage().forecasts, store.usage().forgotten), (3, 1), "no such signal");
        assert_eq!((store.version(), store.newest()), before);
        store.insert(forecast(0, 15));
        assert_eq!((store.version() > before.0, store.newest()), (true, Some(at(30))));
    }

    #[test]
    fn of_two_issued_at_one_moment_the_last_one_counts() {
        let mut store = ForecastStore::default();
        store.resize(1);
        store.insert(forecast(0, 10));
        let one = store.usage();
        let other = Forecast::new(signal(0), (at(10), at(9)), vec![at(11)], vec![0.5], vec![vec![7.0]]).unwrap();
        store.insert(Arc::new(other.clone()));
        assert_eq!((store.at(signal(0), at(10)).map(|known| &**known), store.usage().forecasts), (Some(&other), 1));
        store.insert(forecast(0, 10));
        assert_eq!(store.usage(), one);
    }

    #[test]
    fn a_reload_of_the_scene_takes_forecasts_along_by_their_signals() {
        let mut store = ForecastStore::default();
        store.resize(3);
        (0..3).for_each(|index| store.insert(forecast(index, 10 + i64::from(index))));
        store.remap(&[Some(signal(1)), None, Some(signal(1))], 2);
        assert_eq!(store.usage().forgotten, 2, "one is gone, one comes second");
        let moved = store.at(signal(1), at(99)).expect("a forecast");
        assert_eq!((moved.signal(), moved.issued()), (signal(1), at(10)));
        assert_eq!((store.usage().forecasts, store.at(signal(0), at(99))), (1, None));
    }

    #[test]
    fn what_is_no_forecast_is_refused_with_the_rule_that_it_breaks() {
        let values = || vec![vec![1.0, 2.0], vec![3.0, 4.0]];
        let make = |times: &[i64], levels: &[f64], values: Vec<Vec<f64>>| {
            let times = times.iter().copied().map(at).collect();
            Forecast::new(signal(0), (at(10), at(10)), times, levels.to_vec(), values)
                .map(drop)
                .unwrap_err()
                .to_string()
        };
        for (error, rule) in [
            (make(&[], &[0.1, 0.9], values()), "times: there are none"),
            (make(&[10, 11], &[0.1, 0.9], values()), "times[0] (1970-01-01T00:00:10Z) is not after"),
            (make(&[11, 11], &[0.1, 0.9], values()), "times[1]"),
            (make(&[11, 12], &[], values()), "levels: there are 0"),
            (make(&[11, 12], &[0.9, 0.1], values()), "levels[1] (0.1) must be above 0.9"),
            (make(&[11, 12], &[0.1, f64::NAN], values()), "levels[1] (NaN)"),
            (make(&[11, 12], &[0.1, 1.0], values()), "levels[1] (1)"),
            (make(&[11, 12], &[0.5], values()), "values: there are 2 rows for 1 levels"),
            (make(&[11, 12, 13], &[0.1, 0.9], values()), "values[0]: there are 2 for 3 times"),
            (make(&[11], &[0.1], vec![vec![f64::INFINITY]]), "values[0][0] is inf"),
        ] {
            assert!(error.contains(rule), "{rule}: {error}");
        }
        let many: Vec<Timestamp> = (0..20_000).map(at).collect();
        let error = Forecast::new(signal(0), (at(0), at(-1)), many, vec![0.5], vec![vec![0.0; 20_000]]).unwrap_err();
        assert_eq!(error, BadForecast::TooManyTimes { count: 20_000 });
        let error = Forecast::new(signal(0), (at(0), at(1)), vec![at(2)], vec![0.5], vec![vec![0.0]]).unwrap_err();
        assert!(error.to_string().starts_with("issued (1970-01-01T00:00:00Z) is before the source time"));
    }

    proptest! {
        #[test]
        fn the_oldest_go_first_and_never_the_newest_of_a_signal(
            inserted in prop::collection::vec((0..4_u32, 0..60_i64), 1..120),
            room in 0..30_u64,
        ) {
            let budget = forecast(0, 10).bytes() * room;
            let mut store = ForecastStore::new(budget);
            store.resize(4);
            let mut all: BTreeSet<(i64, u32)> = BTreeSet::new();
            for (index, issued) in inserted {
                store.insert(forecast(index, issued));
                all.insert((issued, index));
                // By looking at all of them.
                while all.len() as u64 > room {
                    let is_newest = |&(issued, index): &(i64, u32)| {
                        all.iter().filter(|(_, other)| *other == index).all(|(other, _)| *other <= issued)
                    };
                    match all.iter().find(|one| !is_newest(one)).copied() {
                        Some(oldest) => all.remove(&oldest),
                        None => break,
                    };
                }
                let kept: BTreeSet<(i64, u32)> = (0..4)
                    .flat_map(|index| store.of(signal(index)).map(move |one| (one.issued().0 / 1_000_000_000, index)))
                    .collect();
                prop_assert_eq!(&kept, &all);
                prop_assert_eq!(store.usage().forecasts, all.len() as u64);
                prop_assert_eq!(store.usage().bytes, all.len() as u64 * forecast(0, 10).bytes());
            }
        }
    }
}
