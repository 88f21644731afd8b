//! The next sample to either side of the cursor.
//!
//! In: the history, some signals, a moment. Out: another moment, at which one sample more, or one less, is seen. Pure.
//!
//! A sample is seen from its receive time on (it was not known before), so that is where a step stands.

use super::{History, Point};
use crate::value::{SignalIndex, Timestamp};

/// So many neighbours in source time are looked at in all for samples that were received earlier or later than their place
/// tells: some milliseconds.
const MOST_LATE: usize = 1 << 16;

/// Of each of so many signals.
fn late(signals: usize) -> usize {
    (MOST_LATE / signals.max(1)).clamp(16, 4096)
}

/// When a sample is first seen.
fn seen(point: &Point) -> Timestamp {
    point.source_time.max(point.receive_time)
}

/// The first moment after `at` at which another sample of one of `signals` is seen.
pub fn next_sample(history: &History, signals: &[SignalIndex], at: Timestamp) -> Option<Timestamp> {
    let late = late(signals.len());
    signals.iter().filter_map(|signal| next_of(history, *signal, at, late)).min()
}

/// The last moment before `at` from which on a sample of one of `signals` is seen.
pub fn previous_sample(history: &History, signals: &[SignalIndex], at: Timestamp) -> Option<Timestamp> {
    let late = late(signals.len());
    signals.iter().filter_map(|signal| previous_of(history, *signal, at, late)).max()
}

fn next_of(history: &History, signal: SignalIndex, at: Timestamp, late: usize) -> Option<Timestamp> {
    // On their way at `at`: true already, received later.
    let known = history.points_before(signal, Timestamp(at.0.saturating_add(1))).take(late);
    let mut best = known.map(|point| seen(&point)).filter(|seen| *seen > at).min();
    for point in history.points_after(signal, at).take(late) {
        best = Some(best.map_or(seen(&point), |best| best.min(seen(&point))));
        // What is true later is seen later still.
        if best.is_some_and(|best| best <= point.source_time) {
            break;
        }
    }
    best
}

fn previous_of(history: &History, signal: SignalIndex, at: Timestamp, late: usize) -> Option<Timestamp> {
    history.points_before(signal, at).take(late).map(|point| seen(&point)).filter(|seen| *seen < at).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Origin, Quality, Sample, Value};

    fn history(samples: &[(u32, i64, i64)]) -> History {
        let mut history = History::new(1 << 20);
        history.resize(2);
        for (signal, source, receive) in samples {
            history.append(&Sample {
                signal: SignalIndex(*signal),
                source_time: Timestamp(*source),
                receive_time: Timestamp(*receive),
                value: Value::Number(1.0),
                quality: Quality::GOOD,
                origin: Origin::Measured,
            });
        }
        history
    }

    const BOTH: [SignalIndex; 2] = [SignalIndex(0), SignalIndex(1)];

    #[test]
    fn steps_visit_each_sample_once_in_the_order_in_which_they_are_seen() {
        // The second one of signal 0 was held back on its way, and came again with the same source time.
        let history = history(&[(0, 10, 11), (0, 20, 45), (0, 20, 47), (0, 30, 31), (1, 25, 26)]);
        let walk = |mut at: i64, step: fn(&History, &[SignalIndex], Timestamp) -> Option<Timestamp>| {
            let mut seen = Vec::new();
            while let Some(Timestamp(next)) = step(&history, &BOTH, Timestamp(at)) {
                seen.push(next);
                at = next;
            }
            seen
        };
        assert_eq!(walk(0, next_sample), [11, 26, 31, 45, 47]);
        assert_eq!(walk(100, previous_sample), [47, 45, 31, 26, 11]);
    }

    #[test]
    fn only_the_signals_that_are_asked_for_count() {
        let history = history(&[(0, 10, 10), (1, 25, 25)]);
        assert_eq!(next_sample(&history, &BOTH[..1], Timestamp(10)), None);
        assert_eq!(previous_sample(&history, &BOTH[1..], Timestamp(25)), None);
        assert_eq!(next_sample(&history, &[SignalIndex(77)], Timestamp(0)), None);
    }
}
