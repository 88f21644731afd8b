//! Stand-ins that behave as in a recording. In: its samples by twin and signal. Out: a habit for each signal. Pure: who
//! opens the recording hands its samples in.
//!
//! - **A number** gets its mean, the strongest rhythm, a walk about the mean and white noise (how they are told apart:
//!   `spectrum.rs`), the step of its readings (all values are multiples of it), and stops at the lowest and
//!   the highest value that were seen. Time 0 of the plant is the first sample of the recording.
//! - **Of one twin, a number that follows another** (`lag.rs`) gets the other one's swing, delayed and scaled, and a
//!   swing of its own for what is left.
//! - **A counter**, which does nothing but rise, or begin again, goes on from its last value at its mean rate.
//! - **Switches, texts, and numbers that take a few values and keep them**: how long each value stayed (stretches that
//!   the recording cut off do not count where there are others), and what came next, by their shares.
//! - **Messages** come as often as they did: by the median gap. What was said once is said once in that time.
//!
//! It keeps the distribution of a number as far as mean, deviation and extremes tell it; how a machine was run yesterday,
//! by commands and stops, is in it as chance alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::course::{Course, Leader, Rise, Stay, Sway};
use super::lag::{self, Known};
use super::series::{Grid, Series, median_gap, resolution};
use super::spectrum::{Parts, parts};
use super::{Habit, fits, unmeasured};
use crate::scene::{Instrument, Scene};
use crate::value::{SignalIndex, Timestamp, Unit, Value};

/// So many values, kept for so many samples each, are no measurement.
const FEW: usize = 8;
const KEPT: usize = 10;
/// Rises that make a counter.
const RISES: usize = 20;
/// Lengths of stays that are kept.
const DWELLS: usize = 33;
/// A text of more values than this says something new each time: the last one stays.
const MOST_WORDS: usize = 64;

/// What a recording holds of a signal.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    pub unit: Unit,
    /// When it was true, in any order.
    pub samples: Vec<(Timestamp, Value)>,
}

/// How the signals of a recording behave, by twin and signal.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Fitted {
    habits: BTreeMap<(String, String), (Unit, Habit)>,
}

impl Fitted {
    /// How many signals it knows.
    pub fn len(&self) -> usize {
        self.habits.len()
    }

    pub fn is_empty(&self) -> bool {
        self.habits.is_empty()
    }

    /// Of the signals of a scene that stand-ins are wanted for: how many it knows, and how many there are.
    pub fn found_in(&self, scene: &Scene) -> (usize, usize) {
        let wanted = unmeasured(scene);
        (wanted.iter().filter(|at| self.habit(scene, **at).is_some()).count(), wanted.len())
    }

    /// In the unit of the scene; none if it is of another kind there, or its units do not fit.
    pub(super) fn habit(&self, scene: &Scene, signal: SignalIndex) -> Option<Habit> {
        let signal = scene.signals.get(signal.at())?;
        let twin = scene.twins.get(signal.twin.at())?.id.clone();
        let (unit, habit) = self.habits.get(&(twin, signal.name.clone()))?;
        let conversion = unit.conversion_to(&signal.unit)?;
        fits(&habit.course, signal.kind).then(|| habit.clone().converted(&conversion))
    }
}

/// Fits a habit to each signal, by twin and signal.
pub fn fit(recorded: &BTreeMap<(String, String), Recorded>) -> Fitted {
    let times = || recorded.values().flat_map(|recorded| recorded.samples.iter().map(|(time, _)| *time));
    let (Some(origin), Some(end)) = (times().min(), times().max()) else { return Fitted::default() };
    let span = Span { origin, length: end.0.saturating_sub(origin.0) };
    let mut fitted = Fitted::default();
    let mut keys = recorded.keys().peekable();
    while let Some((twin, _)) = keys.peek() {
        let of_twin: Vec<&(String, String)> = std::iter::from_fn(|| keys.next_if(|key| key.0 == *twin)).collect();
        let mut swaying: Vec<(&(String, String), Box<Number>)> = Vec::new();
        for key in of_twin {
            let Some(recorded) = recorded.get(key) else { continue };
            match single(recorded, &span) {
                Some(Single::Habit(habit)) => {
                    let habit = *habit;
                    fitted.habits.insert(key.clone(), (recorded.unit.clone(), habit));
                }
                Some(Single::Number(number)) => swaying.push((key, number)),
                None => {}
            }
        }
        for (key, habit) in together(swaying) {
            let unit = recorded.get(key).map(|recorded| recorded.unit.clone()).unwrap_or_default();
            fitted.habits.insert(key.clone(), (unit, habit));
        }
    }
    fitted
}

/// From when on, and for how many nanoseconds.
struct Span {
    origin: Timestamp,
    length: i64,
}

/// What one signal is by itself.
enum Single {
    Habit(Box<Habit>),
    Number(Box<Number>),
}

/// A number that sways.
struct Number {
    series: Series,
    grid: Grid,
    parts: Parts,
    instrument: Instrument,
    every: Option<u64>,
}

fn single(recorded: &Recorded, span: &Span) -> Option<Single> {
    let mut samples = recorded.samples.clone();
    samples.sort_by_key(|(time, _)| *time);
    let (last, value) = samples.last()?;
    // Of two kinds in one signal the last one counts.
    let kind = std::mem::discriminant(value);
    let last = *last;
    samples.retain(|(_, value)| std::mem::discriminant(value) == kind && value.as_f64().is_none_or(f64::is_finite));
    let times: Vec<i64> = samples.iter().map(|(time, _)| time.0).collect();
    let once = u64::try_from(span.length).unwrap_or(0).max(1_000_000_000);
    let every = Some(median_gap(&times).and_then(|gap| u64::try_from(gap).ok()).unwrap_or(once));
    let habit = |course| Single::Habit(Box::new(Habit { every, ..Habit::of(course) }));
    let numbers = samples.iter().filter_map(|(time, value)| match value {
        Value::Number(x) => Some((*time, *x)),
        Value::Bool(_) | Value::Text(_) => None,
    });
    let series = Series::new(numbers, span.origin);
    if series.values.is_empty() {
        return Some(habit(Course::Stay(stays(&samples)?)));
    }
    let distinct = series.distinct();
    let step = resolution(&distinct);
    if let Some((per_sec, wraps)) = series.rise(RISES) {
        let since = (last.0 - span.origin.0) as f64 / 1e9;
        let start = series.values.last().copied()? + per_sec * (span.length as f64 / 1e9 - since);
        let rise = Rise { start, per_sec, share: 0.0, period_secs: 1.0, wraps };
        let instrument = Instrument { resolution: step, ..Instrument::default() };
        return Some(Single::Habit(Box::new(Habit { course: Course::Rise(rise), instrument, every })));
    }
    let changes = series.values.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let is_kept = distinct.len() <= FEW && changes * KEPT <= series.values.len();
    let (true, Some(grid)) = (!is_kept, series.grid()) else { return Some(habit(Course::Stay(stays(&samples)?))) };
    let parts = parts(&grid);
    let range = Some((*distinct.first()?, *distinct.last()?));
    let instrument = Instrument { resolution: step, range, ..Instrument::default() };
    Some(Single::Number(Box::new(Number { series, grid, parts, instrument, every })))
}

/// Numbers of one twin, some of which follow others.
fn together(swaying: Vec<(&(String, String), Box<Number>)>) -> Vec<(&(String, String), Habit)> {
    let known: Vec<Known> = swaying
        .iter()
        .map(|(_, number)| Known { series: &number.series, step: number.grid.step, parts: &number.parts })
        .collect();
    let follows = lag::follows(&known);
    let habit = |at: usize| {
        let (key, number) = &swaying[at];
        let (mut parts, mut leader) = (number.parts, None);
        if let Some(pair) = follows.iter().find(|pair| pair.follower == at) {
            let ((twin, name), leading) = &swaying[pair.leader];
            parts = left(number, leading, pair);
            let swing = leading.parts.swing;
            leader = Some(Leader { path: format!("{twin}.{name}"), swing, gain: pair.gain, delay: pair.delay });
        }
        let step = number.instrument.resolution;
        // Rounding adds some noise again: the variance of its error is a twelfth of the step's square.
        let noise = (parts.noise - step * step / 12.0).max(0.0).sqrt();
        let sway = Sway { level: number.parts.mean, swing: parts.swing, leader, bounds: None };
        let instrument = Instrument { noise, ..number.instrument };
        (*key, Habit { course: Course::Sway(sway), instrument, every: number.every })
    };
    (0..swaying.len()).map(habit).collect()
}

/// What a follower does by itself.
fn left(number: &Number, leading: &Number, pair: &lag::Follows) -> Parts {
    let values = number.grid.values.iter().enumerate().map(|(at, x)| {
        let time = (number.grid.begin * 1e9) as i64 + at as i64 * number.grid.step as i64 - pair.delay as i64;
        let led = leading.series.held(time).map_or(f64::NAN, |led| led - leading.parts.mean);
        x - number.parts.mean - pair.gain * led
    });
    let mut parts = parts(&Grid { values: values.collect(), ..number.grid });
    // The leader's noise came along with its readings.
    parts.noise = (parts.noise - pair.gain * pair.gain * leading.parts.noise).max(0.0);
    parts
}

/// How values stay and follow each other. `samples` in order of time.
fn stays(samples: &[(Timestamp, Value)]) -> Option<Vec<Stay>> {
    let mut values: Vec<Value> = Vec::new();
    let mut stretches: Vec<(usize, Timestamp)> = Vec::new();
    for (time, value) in samples {
        let at = values.iter().position(|known| known == value).unwrap_or_else(|| {
            values.push(value.clone());
            values.len() - 1
        });
        if values.len() > MOST_WORDS {
            return samples.last().map(|(_, value)| vec![Stay::ever(value.clone())]);
        }
        if stretches.last().is_none_or(|(last, _)| *last != at) {
            stretches.push((at, *time));
        }
    }
    let (end, _) = samples.last()?;
    let first = stretches.first()?.0;
    if values.len() == 1 {
        return Some(vec![Stay::ever(values.pop()?)]);
    }
    let ends = stretches.iter().skip(1).map(|(_, begin)| *begin).chain([*end]);
    let lasted: Vec<(usize, f64)> =
        stretches.iter().zip(ends).map(|((at, begin), end)| (*at, end.secs_since(*begin))).collect();
    let whole = lasted.get(1..lasted.len() - 1).unwrap_or_default();
    let stay = |(at, value): (usize, Value)| {
        let of = |lasted: &[(usize, f64)]| -> Vec<f64> {
            lasted.iter().filter(|(which, _)| *which == at).map(|(_, secs)| *secs).collect()
        };
        let share = of(&lasted).iter().sum();
        let dwells = Some(of(whole)).filter(|dwells| !dwells.is_empty()).unwrap_or_else(|| of(&lasted));
        let mut next: Vec<(usize, f64)> = Vec::new();
        for pair in lasted.windows(2).filter(|pair| pair[0].0 == at) {
            match next.iter_mut().find(|(known, _)| *known == pair[1].0) {
                Some((_, count)) => *count += 1.0,
                None => next.push((pair[1].0, 1.0)),
            }
        }
        if next.is_empty() {
            // The end of the recording: it begins again.
            next.push((if first == at { usize::from(at == 0) } else { first }, 1.0));
        }
        Stay { value, share, dwells: thinned(dwells), next }
    };
    Some(values.into_iter().enumerate().map(stay).collect())
}

/// Ascending, and as many as are kept: even parts of the whole.
fn thinned(mut dwells: Vec<f64>) -> Vec<f64> {
    dwells.sort_by(f64::total_cmp);
    if dwells.len() <= DWELLS {
        return dwells;
    }
    let last = dwells.len() - 1;
    (0..DWELLS).map(|at| dwells[at * last / (DWELLS - 1)]).collect()
}

impl super::StandIn {
    /// As in a recording.
    pub fn like(fitted: Fitted) -> Self {
        Self::Like(Arc::new(fitted))
    }
}

#[cfg(test)]
mod tests;
