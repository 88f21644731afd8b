//! Steps to the next sample or to the one before, also where that is not loaded yet.
//!
//! In: history, the span for which it is complete, the present position of the step. Out: its next position: a sample;
//! or the end of the loaded span, from where it goes on as soon as more is loaded; or its start if there is no sample.
//! Pure.

use bevy::prelude::Resource;

use crate::history::{History, Loaded, step};
use crate::value::{SignalIndex, Timestamp};

/// A step that is underway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SampleStep {
    pub forward: bool,
    /// Where the cursor stood when it was asked for.
    pub origin: Timestamp,
    /// Where the cursor stands until more is loaded.
    pub at: Timestamp,
    /// Samples at this moment were looked at already.
    from: Timestamp,
}

/// None unless more has to be read for it.
#[derive(Resource, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Underway(pub Option<SampleStep>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// The next sample is seen from here on.
    Found(Timestamp),
    /// There is none in the loaded span.
    GoOn(SampleStep),
    /// None at all.
    Nothing,
}

impl SampleStep {
    pub fn new(forward: bool, at: Timestamp) -> Self {
        Self { forward, origin: at, at, from: at }
    }

    /// Looks at the loaded span. `bounds` are those of the whole recording or session.
    pub fn look(
        self,
        history: &History,
        signals: &[SignalIndex],
        loaded: Loaded,
        bounds: Option<(Timestamp, Timestamp)>,
    ) -> Next {
        let find = if self.forward { step::next_sample } else { step::previous_sample };
        let found = find(history, signals, self.from);
        let (start, end) = match loaded {
            Loaded::All => return found.map_or(Next::Nothing, Next::Found),
            Loaded::Moment => return Next::Nothing,
            Loaded::Nothing => return Next::GoOn(self),
            Loaded::Stretch(start, end) => (start, end),
        };
        // Beyond a hole there may be one, but not the next.
        if let Some(found) = found.filter(|found| start < *found && *found <= end) {
            return Next::Found(found);
        }
        match bounds {
            Some((_, last)) if self.forward && end < last => Next::GoOn(Self { at: end, from: end, ..self }),
            // The moment at which a segment begins belongs to the one before: it is looked at with that.
            Some((first, _)) if !self.forward && start > first => {
                Next::GoOn(Self { at: before(start), from: after(start), ..self })
            }
            _ => Next::Nothing,
        }
    }
}

fn before(at: Timestamp) -> Timestamp {
    Timestamp(at.0.saturating_sub(1))
}

fn after(at: Timestamp) -> Timestamp {
    Timestamp(at.0.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Origin, Quality, Sample, Value};

    const SIGNAL: [SignalIndex; 1] = [SignalIndex(0)];
    const BOUNDS: Option<(Timestamp, Timestamp)> = Some((Timestamp(0), Timestamp(100)));

    /// Received when they were true.
    fn history(times: &[i64]) -> History {
        let mut history = History::new(1 << 20);
        history.resize(1);
        for time in times.iter().copied().map(Timestamp) {
            history.append(&Sample {
                signal: SIGNAL[0],
                source_time: time,
                receive_time: time,
                value: Value::Number(1.0),
                quality: Quality::GOOD,
                origin: Origin::Measured,
            });
        }
        history
    }

    /// Segments of ten; those between the two are loaded as the step comes to them.
    fn walk(times: &[i64], forward: bool, origin: i64) -> (Vec<i64>, Next) {
        let mut step = SampleStep::new(forward, Timestamp(origin));
        let mut stood = Vec::new();
        loop {
            let start = if step.at.0 < 10 { i64::MIN } else { step.at.0 / 10 * 10 };
            let end = if step.at.0 >= 90 { i64::MAX } else { step.at.0.div_euclid(10) * 10 + 10 };
            // What was known at the beginning is there too, and one far away.
            let known = times.iter().copied().filter(|time| *time <= start).max();
            let held: Vec<i64> = times.iter().copied().filter(|time| start < *time && *time <= end).collect();
            let held: Vec<i64> = known.into_iter().chain(held).chain([98]).collect();
            let loaded = Loaded::Stretch(Timestamp(start), Timestamp(end));
            match step.look(&history(&held), &SIGNAL, loaded, BOUNDS) {
                Next::GoOn(next) => {
                    assert_eq!(next.origin.0, origin);
                    stood.push(next.at.0);
                    step = next;
                }
                other => return (stood, other),
            }
        }
    }

    #[test]
    fn it_goes_on_until_the_next_sample_is_loaded_and_passes_none() {
        assert_eq!(walk(&[3, 47], true, 5), (vec![10, 20, 30, 40], Next::Found(Timestamp(47))));
        assert_eq!(walk(&[3, 50], true, 5), (vec![10, 20, 30, 40], Next::Found(Timestamp(50))));
        assert_eq!(walk(&[3, 98], false, 55), (vec![49, 39, 29, 19, 9], Next::Found(Timestamp(3))));
        assert_eq!(walk(&[40, 98], false, 55), (vec![49, 39], Next::Found(Timestamp(40))));
        assert_eq!(walk(&[52, 54], false, 55), (vec![], Next::Found(Timestamp(54))));
    }

    #[test]
    fn where_there_is_none_it_ends() {
        assert_eq!(walk(&[60, 98], false, 35), (vec![29, 19, 9], Next::Nothing));
        assert_eq!(walk(&[3], true, 99).1, Next::Nothing);
        let step = SampleStep::new(true, Timestamp(50));
        assert_eq!(step.look(&history(&[47]), &SIGNAL, Loaded::Moment, BOUNDS), Next::Nothing, "no room to look");
        assert_eq!(step.look(&history(&[]), &SIGNAL, Loaded::Nothing, BOUNDS), Next::GoOn(step), "not there yet");
    }
}
