//! Faults of machines. In: faults, the time of a plant, what an input has at an onset. Out: adjustments of the network, and
//! the time at which they change next. Reads no clock, knows no state of the network but what it is told.

use super::course::{Bout, Course, SHORTEST_STEP, later};
use super::kind::{LARGEST, effects};
use super::store::{Reader, RestoreError, Writer};
use super::{Defect, Fault, Layer};
use crate::network::{Adjustment, Effect, Target};
use crate::value::Timestamp;

/// Of the layout that [`ProcessFaults::to_bytes`] writes.
const VERSION: u8 = 2;
/// A period of an oscillation is seen in so many steps.
const STEPS_A_PERIOD: u64 = 40;
const LONGEST_PERIOD_SECS: f64 = 1e6;

effects! {
    /// What is other of a machine: a parameter of its model, or an input.
    ///
    /// x is what the target would be without the fault. Values are in the unit of the model. The network cuts a parameter
    /// to the bounds of the model when all faults have acted on it. What changes slowly changes in steps, at which a plant
    /// has to look again: [`ProcessFaults::next_look`].
    ProcessEffect in Process;

    /// Is set to a value.
    ///
    /// x + i (`to` - x): with a ramp it goes there in a straight line, in steps of a hundredth of the ramp, or of 10 ms
    /// where that is longer. What acted before it on the same target has no effect any more when it has its full size.
    Set "set" ramps {
        /// The value
        to: f64 [Target] = 0.0, -LARGEST => LARGEST, usual -1.0 => 1.0;
    }
    /// Is larger or smaller by a difference.
    ///
    /// x + i `by`. With a ramp in steps of a hundredth of it, or of 10 ms where that is longer.
    Add "add" ramps {
        /// What is added
        by: f64 [Target] = 0.1, -LARGEST => LARGEST, usual -0.5 => 0.5;
    }
    /// Is larger or smaller by a factor.
    ///
    /// x (1 + i (`by` - 1)). With a ramp in steps of a hundredth of it, or of 10 ms where that is longer.
    Scale "scale" ramps {
        /// The factor at its full size
        by: f64 [Unit("")] = 1.2, -1e6 => 1e6, usual 0.0 => 3.0;
    }
    /// Swings about what it is.
    ///
    /// x + i `amplitude` sin(2π t / `period`), t from the beginning of the bout, in steps of a fortieth of the period, or of
    /// 10 ms where that is longer.
    Oscillate "oscillate" ramps {
        /// Half of the whole swing
        amplitude: f64 [Target] = 0.1, 0.0 => LARGEST, usual 0.0 => 0.5;
        /// From top to top
        period: f64 [Unit("s")] = 10.0, 0.1 => LONGEST_PERIOD_SECS, usual 1.0 => 120.0;
    }
    /// Keeps the value that it has at the onset.
    ///
    /// An input of a machine stays at what it is, with all faults that act on it before, when the bout begins; whatever
    /// feeds it has no effect. Each bout keeps a value of its own. Parameters stay as they are anyway: it acts on inputs
    /// alone, and takes no ramp.
    Stuck "stuck" sudden {}
}

/// A course, and the bout of it that acts.
#[derive(Clone, Copy)]
struct Now {
    course: Course,
    bout: Bout,
    time: Timestamp,
}

impl ProcessEffect {
    /// What is to be done to a target now; `kept` is what an input had at the onset.
    fn adjustments(&self, target: Target, now: Now, kept: Option<f64>, to: &mut Vec<Adjustment>) {
        let intensity = now.course.stepped(now.time);
        let effects = match *self {
            Self::Stuck {} => [kept.map(Effect::Set), None],
            _ if intensity <= 0.0 => [None, None],
            Self::Set { to } if intensity >= 1.0 => [Some(Effect::Set(to)), None],
            Self::Set { to } => [Some(Effect::Scale(1.0 - intensity)), Some(Effect::Add(intensity * to))],
            Self::Add { by } => [Some(Effect::Add(intensity * by)), None],
            Self::Scale { by } => [Some(Effect::Scale(1.0 + intensity * (by - 1.0))), None],
            Self::Oscillate { amplitude, period } => {
                let (passed, period) = (now.bout.passed(now.time), nanos(period));
                let step = swing_step(period);
                let part = ((passed - passed % step) % period) as f64 / period as f64;
                [Some(Effect::Add(intensity * amplitude * libm::sin(std::f64::consts::TAU * part))), None]
            }
        };
        let is_number = |effect: &Effect| match effect {
            Effect::Set(x) | Effect::Scale(x) | Effect::Add(x) => x.is_finite(),
        };
        let effects = effects.into_iter().flatten().filter(is_number);
        to.extend(effects.map(|effect| Adjustment { target, effect }));
    }

    /// The first moment after this one at which its adjustments change.
    fn next_look(&self, course: &Course, after: Timestamp) -> Option<Timestamp> {
        let Self::Oscillate { period, .. } = *self else { return course.next_step(after) };
        let swing = course.bout(after).map(|bout| {
            let (passed, step) = (bout.passed(after), swing_step(nanos(period)));
            later(bout.from.0, (passed - passed % step).saturating_add(step))
        });
        [swing, course.next_step(after)].into_iter().flatten().filter(|next| *next > after).min()
    }
}

fn nanos(secs: f64) -> u64 {
    // A float saturates into an integer.
    ((secs * 1e9).round() as u64).max(1)
}

fn swing_step(period: u64) -> u64 {
    (period / STEPS_A_PERIOD).max(SHORTEST_STEP)
}

/// All faults of the machines of one plant.
///
/// A plant asks [`look`](Self::look) for its adjustments whenever [`next_look`](Self::next_look) says so, and when the list
/// was set; in between they stay as they are.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ProcessFaults {
    each: Vec<ProcessFault>,
}

#[derive(Clone, PartialEq, Debug)]
struct ProcessFault {
    fault: Fault,
    target: Target,
    effect: ProcessEffect,
    memory: Memory,
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Memory {
    /// When a bout began, and what the input was then.
    kept: Option<(Timestamp, f64)>,
    /// Bouts in which it made its target another, and the beginning of the last one of them.
    acted: u64,
    counted: Option<Timestamp>,
}

impl ProcessFault {
    fn new(fault: &Fault, memory: Memory) -> Option<Self> {
        let Defect::Process { target, effect } = fault.defect else { return None };
        Some(Self { fault: fault.clone(), target, effect, memory })
    }
}

/// Whether the adjustments from a place on, all of one target, make it another than those before do.
fn changes(
    all: &[Adjustment],
    begin: usize,
    target: Target,
    read: &mut dyn FnMut(&[Adjustment], Target) -> f64,
) -> bool {
    match target {
        _ if all.len() == begin => false,
        Target::Parameter { .. } => read(&all[..begin], target).to_bits() != read(all, target).to_bits(),
        Target::Input { .. } => all[begin..].iter().any(|adjustment| match adjustment.effect {
            Effect::Set(_) => true,
            Effect::Scale(factor) => factor != 1.0,
            Effect::Add(more) => more != 0.0,
        }),
    }
}

impl ProcessFaults {
    /// Sets all faults, in the order in which they act; those of other layers are passed over. What is not among them any
    /// more has no effect; a fault that was there already, by its id, goes on.
    pub fn set(&mut self, faults: &[Fault]) {
        let mut before = std::mem::take(&mut self.each);
        let new = faults.iter().filter_map(|fault| {
            let old = before.iter().position(|old| old.fault.continues(fault)).map(|at| before.swap_remove(at));
            ProcessFault::new(fault, old.map_or(Memory::default(), |old| old.memory))
        });
        self.each = new.collect();
    }

    /// The same faults with what they remember, in another network. `faults` are those that were set, in the same order, on
    /// the targets of that network.
    pub fn moved(&self, faults: &[Fault]) -> Self {
        let mut old = self.each.iter().map(|one| one.memory);
        let new = faults.iter().filter(|fault| fault.layer() == Layer::Process);
        Self { each: new.filter_map(|fault| ProcessFault::new(fault, old.next().unwrap_or_default())).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// The adjustments for a time, in order. They change at [`next_look`](Self::next_look) alone.
    ///
    /// `read` tells what a target has with the adjustments that it is given; it is asked once in a bout of an input that is
    /// stuck, and of a parameter until it has become another in this bout. A plant adjusts its network by them and reads the
    /// target; before it reads an input, it refreshes the network.
    pub fn look(&mut self, time: Timestamp, read: &mut dyn FnMut(&[Adjustment], Target) -> f64) -> Vec<Adjustment> {
        let mut adjustments = Vec::new();
        for one in &mut self.each {
            let course = one.fault.course;
            let Some(bout) = course.bout(time) else { continue };
            let is_stuck = matches!((one.effect, one.target), (ProcessEffect::Stuck {}, Target::Input { .. }));
            let memory = &mut one.memory;
            if is_stuck && memory.kept.is_none_or(|(from, _)| from != bout.from) {
                let value = read(&adjustments, one.target);
                memory.kept = Some((bout.from, value)).filter(|_| value.is_finite());
            }
            let kept = memory.kept.filter(|_| is_stuck).map(|(_, value)| value);
            let begin = adjustments.len();
            one.effect.adjustments(one.target, Now { course, bout, time }, kept, &mut adjustments);
            if memory.counted != Some(bout.from) && changes(&adjustments, begin, one.target, read) {
                memory.counted = Some(bout.from);
                memory.acted = memory.acted.wrapping_add(1);
            }
        }
        adjustments
    }

    /// The first moment after this one at which the adjustments change.
    pub fn next_look(&self, after: Timestamp) -> Option<Timestamp> {
        self.each.iter().filter_map(|one| one.effect.next_look(&one.fault.course, after)).min()
    }

    /// In how many bouts each fault has made its target another than it was, by its id, in order: 0 where a parameter has
    /// the value already that it is set to. An input that is set or stuck counts, whatever feeds it: nobody knows what it
    /// would have been.
    pub fn acted(&self) -> impl Iterator<Item = (&str, u64)> {
        self.each.iter().map(|one| (one.fault.id.as_str(), one.memory.acted))
    }

    /// What they remember.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::new(VERSION, Layer::Process);
        to.number(self.each.len() as u64);
        for one in &self.each {
            to.text(&one.fault.id);
            to.text(one.effect.name());
            let Memory { kept, acted, counted } = one.memory;
            to.option(kept, |to, (from, value)| {
                to.time(from);
                to.float(value);
            });
            to.number(acted);
            to.option(counted, Writer::time);
        }
        to.finish()
    }

    /// Goes on from what [`to_bytes`](Self::to_bytes) wrote for the same list. What cannot be taken up changes nothing.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes, VERSION, Layer::Process)?;
        from.count(self.each.len())?;
        let mut each = self.each.clone();
        for one in &mut each {
            from.same_fault(&one.fault)?;
            let kept = from.option(|from| Ok((from.time()?, from.float()?)))?;
            if kept.is_some_and(|(_, value)| !value.is_finite()) {
                return Err(RestoreError::Damaged);
            }
            one.memory = Memory { kept, acted: from.number()?, counted: from.option(Reader::time)? };
        }
        from.finish()?;
        self.each = each;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fault::testing::{at, courses, fault, thrown};

    const INPUT: Target = Target::Input { machine: 2, input: 1 };
    const WEAR: Target = Target::Parameter { machine: 0, parameter: 3 };

    fn faults(effects: &[(Target, ProcessEffect, Course)]) -> ProcessFaults {
        let list: Vec<Fault> = (0..)
            .zip(effects)
            .map(|(number, (target, effect, course))| {
                fault(&format!("F-{number}"), Defect::Process { target: *target, effect: *effect }, *course)
            })
            .collect();
        let mut faults = ProcessFaults::default();
        faults.set(&list);
        faults
    }

    /// What becomes of 6 at a time.
    fn seen(faults: &mut ProcessFaults, secs: f64) -> f64 {
        let adjustments = faults.look(at(secs), &mut |_, _| 6.0);
        adjustments.iter().fold(6.0, |x, adjustment| adjustment.effect.of(x))
    }

    const RAMP: Course = Course { onset: 10_000_000_000, ramp: 10_000_000_000, duration: None, recurrence: None };

    #[test]
    fn a_fault_acts_from_its_onset_to_its_end() {
        let course = Course { ramp: 0, duration: Some(5_000_000_000), ..RAMP };
        let mut faults = faults(&[(WEAR, ProcessEffect::Set { to: 9.0 }, course)]);
        assert_eq!([9.9, 10.0, 14.9, 15.0].map(|secs| seen(&mut faults, secs)), [6.0, 9.0, 9.0, 6.0]);
        assert_eq!(faults.next_look(at(0.0)), Some(at(10.0)));
        assert_eq!(faults.next_look(at(10.0)), Some(at(15.0)));
        assert_eq!(faults.next_look(at(15.0)), None);
    }

    #[test]
    fn a_ramp_goes_in_a_straight_line() {
        for (effect, half, full) in [
            (ProcessEffect::Set { to: 10.0 }, 8.0, 10.0),
            (ProcessEffect::Add { by: -3.0 }, 4.5, 3.0),
            (ProcessEffect::Scale { by: 2.0 }, 9.0, 12.0),
        ] {
            let mut faults = faults(&[(WEAR, effect, RAMP)]);
            assert_eq!(
                [10.0, 15.0, 20.0, 99.0].map(|secs| seen(&mut faults, secs)),
                [6.0, half, full, full],
                "{effect:?}"
            );
        }
    }

    #[test]
    fn an_oscillation_swings_about_what_is() {
        let effect = ProcessEffect::Oscillate { amplitude: 2.0, period: 8.0 };
        let mut faults = faults(&[(INPUT, effect, Course::since(at(10.0)))]);
        for (secs, x) in [(10.0, 6.0), (12.0, 8.0), (14.0, 6.0), (16.0, 4.0), (18.0, 6.0), (1_000_012.0, 8.0)] {
            assert!((seen(&mut faults, secs) - x).abs() < 1e-12, "{secs} s");
        }
        assert_eq!(faults.next_look(at(10.3)), Some(at(10.4)), "a fortieth of the period");
    }

    #[test]
    fn a_stuck_input_keeps_the_value_of_each_onset() {
        let again = crate::fault::Recurrence { every: 20_000_000_000, times: None };
        let course = Course { ramp: 0, duration: Some(5_000_000_000), recurrence: Some(again), ..RAMP };
        let mut faults = faults(&[(INPUT, ProcessEffect::Stuck {}, course)]);
        let mut look = |secs: f64, value: f64| {
            let found = faults.look(at(secs), &mut |_, target| {
                assert_eq!(target, INPUT);
                value
            });
            found.first().map(|adjustment| adjustment.effect)
        };
        assert_eq!(look(9.0, 1.0), None);
        assert_eq!(look(10.0, 2.0), Some(Effect::Set(2.0)));
        assert_eq!(look(14.0, 3.0), Some(Effect::Set(2.0)));
        assert_eq!(look(15.0, 4.0), None);
        assert_eq!(look(30.0, 5.0), Some(Effect::Set(5.0)));
    }

    #[test]
    fn several_on_one_target_act_in_their_order() {
        let (add, scale) = (ProcessEffect::Add { by: 1.0 }, ProcessEffect::Scale { by: 2.0 });
        let now = Course::default();
        assert_eq!(seen(&mut faults(&[(INPUT, add, now), (INPUT, scale, now)]), 1.0), 14.0);
        assert_eq!(seen(&mut faults(&[(INPUT, scale, now), (INPUT, add, now)]), 1.0), 13.0);
        let mut stuck = faults(&[(INPUT, add, now), (INPUT, ProcessEffect::Stuck {}, now), (INPUT, scale, now)]);
        let mut asked = Vec::new();
        stuck.look(at(1.0), &mut |before, _| {
            asked.extend(before.iter().map(|adjustment| adjustment.effect));
            7.0
        });
        assert_eq!(asked, [Effect::Add(1.0)], "it keeps what those before it make, and not those behind it");
    }

    #[test]
    fn what_stays_on_the_list_goes_on_and_what_is_cleared_has_no_effect() {
        let stuck =
            |id: &str| fault(id, Defect::Process { target: INPUT, effect: ProcessEffect::Stuck {} }, Course::default());
        let mut faults = ProcessFaults::default();
        faults.set(&[stuck("a"), stuck("b")]);
        faults.look(at(1.0), &mut |_, _| 5.0);
        faults.set(&[stuck("b")]);
        let adjustments = faults.look(at(2.0), &mut |_, _| panic!("it knows what it keeps"));
        assert_eq!(adjustments, [Adjustment { target: INPUT, effect: Effect::Set(5.0) }]);
        faults.set(&[]);
        assert!(faults.is_empty() && faults.look(at(3.0), &mut |_, _| 1.0).is_empty());
    }

    #[test]
    fn what_is_kept_is_stored_and_taken_up() {
        let list = [(INPUT, ProcessEffect::Stuck {}, Course::default()), (WEAR, ProcessEffect::Add { by: 1.0 }, RAMP)];
        let mut one = faults(&list);
        one.look(at(1.0), &mut |_, _| 5.0);
        let mut other = faults(&list);
        other.restore(&one.to_bytes()).expect("the same list");
        assert_eq!(one, other);
        assert_eq!(faults(&list[..1]).restore(&one.to_bytes()), Err(RestoreError::Damaged));
    }

    #[test]
    fn a_fault_that_changes_nothing_is_known_by_its_count() {
        let course = Course { ramp: 0, duration: Some(5_000_000_000), ..RAMP };
        let (set, add) = (ProcessEffect::Set { to: 6.0 }, ProcessEffect::Add { by: 1.0 });
        let mut faults = faults(&[
            (WEAR, set, course),
            (WEAR, add, course),
            (WEAR, ProcessEffect::Scale { by: 1.0 }, course),
            (INPUT, ProcessEffect::Scale { by: 1.0 }, course),
            (INPUT, ProcessEffect::Stuck {}, course),
            (INPUT, add, Course { onset: 60_000_000_000, ..course }),
        ]);
        for secs in [5.0, 10.0, 11.0, 12.0, 20.0] {
            faults.look(at(secs), &mut |before, _| before.iter().fold(6.0, |x, adjustment| adjustment.effect.of(x)));
        }
        let acted: Vec<u64> = faults.acted().map(|(_, acted)| acted).collect();
        assert_eq!(acted, [0, 1, 0, 0, 1, 0], "each bout counts once");
    }

    fn effects() -> impl Strategy<Value = ProcessEffect> {
        let kind = prop::sample::select(ProcessEffect::KINDS);
        (kind, prop::collection::vec(0.0..1.0, 2)).prop_map(|(kind, throws)| {
            ProcessEffect::of(kind.name, &thrown(kind.parameters, &throws)).expect("all parameters")
        })
    }

    proptest! {
        #[test]
        fn whatever_a_fault_is_told_its_adjustments_are_numbers(
            kind in prop::sample::select(ProcessEffect::KINDS), values in prop::collection::vec(any::<f64>(), 2),
            course in courses(), time in 0..90_000_000_000_i64, value in any::<f64>(),
        ) {
            let effect = ProcessEffect::of(kind.name, &values).expect("all parameters");
            let mut faults = faults(&[(INPUT, effect, course)]);
            for Adjustment { effect, .. } in faults.look(Timestamp(time), &mut |_, _| value) {
                let (Effect::Set(x) | Effect::Scale(x) | Effect::Add(x)) = effect;
                prop_assert!(x.is_finite());
            }
            prop_assert!(faults.next_look(Timestamp(time)).is_none_or(|next| next.0 > time));
        }

        #[test]
        fn between_two_looks_nothing_changes(
            list in prop::collection::vec((effects(), courses()), 1..4), time in 0..90_000_000_000_i64,
        ) {
            let list: Vec<_> = list.into_iter().map(|(effect, course)| (INPUT, effect, course)).collect();
            let mut faults = faults(&list);
            let time = Timestamp(time);
            let next = faults.next_look(time).unwrap_or(Timestamp(time.0 + 1_000_000_000));
            prop_assert!(next > time);
            let found = faults.look(time, &mut |_, _| 6.0);
            prop_assert_eq!(found, faults.look(Timestamp(next.0 - 1), &mut |_, _| 6.0));
        }
    }
}
