//! One fault of a sensor. In: readings. Out: the same as the faulty sensor would show them. Reads no clock.

use super::SensorEffect;
use crate::fault::chain::{Held, Passing, Station};
use crate::fault::course::{Bout, later};
use crate::fault::store::{Reader, RestoreError, Writer};
use crate::fault::{Course, Defect, Fault};
use crate::value::{Origin, Quality, Sample, SignalIndex, Stream, Timestamp, Value, to_multiple};

#[derive(Clone, PartialEq, Debug)]
pub(super) struct SensorStation {
    fault: Fault,
    way: Way,
    draws: Stream,
    memory: Memory,
}

/// What it does to which signals.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Way {
    One(SignalIndex, SensorEffect),
    Swapped(SignalIndex, SignalIndex),
}

/// A sample on its way through the faults; or the gap that is left of one, which goes where the sample would have gone.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Reading {
    pub(super) sample: Sample,
    pub(super) is_lost: bool,
}

#[derive(Clone, PartialEq, Debug, Default)]
struct Memory {
    /// Samples that came while it was active.
    count: u64,
    /// Those that it has changed, held back or lost.
    acted: u64,
    /// When a bout began, and its first value.
    kept: Option<(Timestamp, Value)>,
    held: Held<Reading>,
}

impl Passing for Reading {
    fn leave(&mut self, at: Timestamp) {
        self.sample.receive_time = at;
        mark(&mut self.sample);
    }
}

/// What a fault has changed is not as it was measured.
fn mark(sample: &mut Sample) {
    sample.origin = sample.origin.max(Origin::Simulated);
}

impl SensorStation {
    /// None for a fault that is not of a sensor.
    pub(super) fn new(fault: &Fault, seed: u64) -> Option<Self> {
        let (way, what) = match fault.defect {
            Defect::Sensor { signal, effect } => (Way::One(signal, effect), effect.name()),
            Defect::Swapped { signals: (one, other) } => (Way::Swapped(one, other), "swapped"),
            Defect::Process { .. } | Defect::Link { .. } => return None,
        };
        let draws = Stream::new(seed, &fault.id, what);
        Some(Self { fault: fault.clone(), way, draws, memory: Memory::default() })
    }

    pub(super) fn signals(&self) -> impl Iterator<Item = SignalIndex> {
        let (one, other) = match self.way {
            Way::One(signal, _) => (signal, None),
            Way::Swapped(one, other) => (one, Some(other)),
        };
        [Some(one), other].into_iter().flatten()
    }

    pub(super) fn acted(&self) -> u64 {
        self.memory.acted
    }

    pub(super) fn write(&self, to: &mut Writer) {
        let Memory { count, acted, kept, held } = &self.memory;
        to.text(&self.fault.id);
        to.text(self.fault.kind().name);
        to.number(*count);
        to.number(*acted);
        to.option(kept.as_ref(), |to, (from, value)| {
            to.time(*from);
            to.value(value);
        });
        to.number(held.len() as u64);
        for (due, Reading { sample, is_lost }) in held.as_they_came() {
            to.time(due);
            to.byte(u8::from(*is_lost));
            to.sample(sample);
        }
    }

    pub(super) fn read(&mut self, from: &mut Reader<'_>) -> Result<(), RestoreError> {
        from.same_fault(&self.fault)?;
        let (count, acted) = (from.number()?, from.number()?);
        let kept = from.option(|from| Ok((from.time()?, from.value()?)))?;
        if kept.as_ref().is_some_and(|(_, value)| !has_value(Quality::GOOD, value)) {
            return Err(RestoreError::Damaged);
        }
        let mut held = Held::default();
        for _ in 0..from.number()? {
            let due = from.time()?;
            held.hold(due, Reading { is_lost: from.flag()?, sample: from.sample()? });
        }
        self.memory = Memory { count, acted, kept, held };
        Ok(())
    }

    /// Goes on with what the same fault remembers in another scene; `signal` gives a signal of that one here.
    pub(super) fn take_from(&mut self, old: &Self, signal: &dyn Fn(SignalIndex) -> Option<SignalIndex>) {
        let Memory { count, acted, ref kept, ref held } = old.memory;
        self.memory = Memory { count, acted, kept: kept.clone(), held: Held::default() };
        for (due, reading) in held.as_they_came() {
            if let Some(signal) = signal(reading.sample.signal) {
                let sample = Sample { signal, ..reading.sample.clone() };
                self.memory.held.hold(due, Reading { sample, is_lost: reading.is_lost });
            }
        }
    }

    /// Whether it is on a signal, and active.
    pub(super) fn is_on(&self, signal: SignalIndex, at: Timestamp) -> bool {
        self.signals().any(|one| one == signal) && self.fault.course.is_active(at)
    }

    /// A gap that comes where the fault acts: it stays one.
    fn lead(&mut self, mut gap: Reading, bout: Bout, on: &mut Vec<Reading>) {
        let time = gap.sample.receive_time;
        match self.way {
            Way::Swapped(one, other) => gap.sample.signal = if gap.sample.signal == one { other } else { one },
            Way::One(_, SensorEffect::Delay { by }) => {
                let due = self.due(by, Now { course: self.fault.course, bout, time });
                if due > time {
                    return self.memory.held.hold(due, gap);
                }
            }
            Way::One(..) => {}
        }
        on.push(gap);
    }

    /// When a reading leaves a delay, behind those that it holds.
    fn due(&self, by: f64, now: Now) -> Timestamp {
        now.late(by).max(self.memory.held.last(|_| true).unwrap_or(now.time))
    }

    /// A sample that the fault acts on.
    fn act(&mut self, mut sample: Sample, bout: Bout, on: &mut Vec<Reading>) {
        let count = self.memory.count;
        self.memory.count = count.wrapping_add(1);
        let now = Now { course: self.fault.course, bout, time: sample.receive_time };
        let effect = match self.way {
            Way::One(_, effect) => effect,
            Way::Swapped(one, other) => {
                sample.signal = if sample.signal == one { other } else { one };
                self.changed(&mut sample);
                return on.push(Reading { sample, is_lost: false });
            }
        };
        match effect {
            SensorEffect::Dropout { share } if self.draws.chance(count, now.intensity() * share) => {
                self.count();
                return on.push(Reading { sample, is_lost: true });
            }
            SensorEffect::Delay { by } => {
                let due = self.due(by, now);
                if due > now.time {
                    self.count();
                    return self.memory.held.hold(due, Reading { sample, is_lost: false });
                }
            }
            SensorEffect::Stuck {} if has_value(sample.quality, &sample.value) => {
                let known = self.memory.kept.take().filter(|(from, _)| *from == bout.from);
                let (_, value) = self.memory.kept.insert(known.unwrap_or((bout.from, sample.value.clone())));
                if *value != sample.value {
                    sample.value = value.clone();
                    self.changed(&mut sample);
                }
            }
            _ => {
                if let Value::Number(x) = sample.value
                    && has_value(sample.quality, &sample.value)
                {
                    let seen = tame(shown(effect, x, now, self.draws, count), x);
                    sample.value = Value::Number(seen);
                    if seen != x {
                        self.changed(&mut sample);
                    }
                }
            }
        }
        on.push(Reading { sample, is_lost: false });
    }

    fn changed(&mut self, sample: &mut Sample) {
        self.count();
        mark(sample);
    }

    fn count(&mut self) {
        self.memory.acted = self.memory.acted.wrapping_add(1);
    }
}

impl Station for SensorStation {
    type Item = Reading;

    fn fault(&self) -> &Fault {
        &self.fault
    }

    fn take(&mut self, reading: Reading, on: &mut Vec<Reading>) {
        let is_concerned = self.signals().any(|signal| signal == reading.sample.signal);
        match self.fault.course.bout(reading.sample.receive_time).filter(|_| is_concerned) {
            Some(bout) if reading.is_lost => self.lead(reading, bout, on),
            Some(bout) => self.act(reading.sample, bout, on),
            None => on.push(reading),
        }
    }

    fn held(&self) -> &Held<Reading> {
        &self.memory.held
    }

    fn held_mut(&mut self) -> &mut Held<Reading> {
        &mut self.memory.held
    }

    fn take_up(&mut self, old: Self) {
        self.memory = old.memory;
    }
}

/// A moment of a bout.
#[derive(Clone, Copy)]
struct Now {
    course: Course,
    bout: Bout,
    time: Timestamp,
}

impl Now {
    fn intensity(&self) -> f64 {
        self.course.risen(self.bout.passed(self.time))
    }

    /// So many seconds later at full size, but not after the end of the bout.
    fn late(&self, secs: f64) -> Timestamp {
        // A float saturates into an integer, and NaN is 0.
        let due = later(self.time.0, (self.intensity() * secs * 1e9).round() as u64);
        self.bout.until.map_or(due, |until| due.min(until))
    }
}

/// A bad sample stands for its moment, its value for nothing.
fn has_value(quality: Quality, value: &Value) -> bool {
    quality.has_value() && !matches!(value, Value::Number(x) if !x.is_finite())
}

/// What an effect makes of a number.
fn shown(effect: SensorEffect, x: f64, now: Now, draws: Stream, count: u64) -> f64 {
    match effect {
        SensorEffect::Bias { by } => x + now.intensity() * by,
        SensorEffect::Drift { rate } => x + rate * now.course.risen_secs(now.bout.passed(now.time)),
        SensorEffect::Gain { by } => x * (1.0 + now.intensity() * (by - 1.0)),
        SensorEffect::Noise { deviation } => x + now.intensity() * deviation * draws.normal(count),
        SensorEffect::Spike { share, height } => {
            if draws.chance(count, now.intensity() * share) {
                x + height
            } else {
                x
            }
        }
        SensorEffect::Quantise { step } => to_multiple(x, step),
        SensorEffect::Stuck {} | SensorEffect::Dropout { .. } | SensorEffect::Delay { .. } => x,
    }
}

/// A number stays one.
fn tame(x: f64, before: f64) -> f64 {
    if x.is_nan() { before } else { x.clamp(-f64::MAX, f64::MAX) }
}
