//! What an alarm should do, found out the slow way: the tests compare the machine with this.
//!
//! In: a rule, and everything that happens, in order. Out: every change, every refusal, and the alarm in the end.
//!
//! Written to share nothing with the machine but plain types. It walks through the receive time second by second (all
//! times of the tests are whole seconds, but for the nanosecond after which a value has expired) and through the source
//! time second by second, keeps every fact, and remembers no progress: whether a delay is over is found by looking at
//! every fact of the stretch it lasts; state and shelf are found by reading the whole list of changes so far; rates,
//! counts and newest values by searching all samples.

use std::time::Duration;

use super::testing::SEC;
use super::{Action, Alarm, Cause, Change, Deed, PATIENCE, Refusal, Shelving, State};
use crate::scene::rule::{AlarmIndex, Condition, Direction, Level, Reference, Rule};
use crate::value::{Grade, Origin, Reason, Sample, Timestamp, Value};

/// Something that happens.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Step {
    Sample(Sample),
    Act(Action, Deed),
    /// Must not matter.
    Elapse(Timestamp),
}

impl Step {
    pub fn wall(&self) -> i64 {
        match self {
            Step::Sample(sample) => sample.receive_time.0,
            Step::Act(_, deed) => deed.at.0,
            Step::Elapse(now) => now.0,
        }
    }
}

/// A sample that could be judged.
#[derive(Debug)]
struct Fact {
    source: i64,
    received: i64,
    holds: bool,
    value: Option<f64>,
}

/// A truth for formulas of the tests, written down once more.
pub(super) type Truth = fn(f64, f64) -> bool;

pub(super) struct Oracle<'a> {
    rule: &'a Rule,
    /// What the rule's formula means, and what its suppression means: of the newest `a` and `b`.
    truth: Truth,
    suppression: Option<fn(f64) -> bool>,
    expires: i64,
    seen: Vec<Sample>,
    /// Samples of the rule that were not late, in order of arrival.
    accepted: Vec<Sample>,
    votes: Vec<(i64, bool)>,
    facts: Vec<Fact>,
    judged: Option<i64>,
    suppression_judged: Option<i64>,
    /// Number of facts when it was raised last.
    facts_at_raise: usize,
    late: u64,
    pub changes: Vec<Change>,
    pub refusals: Vec<Option<Refusal>>,
}

fn ns(duration: Duration) -> i64 {
    duration.as_nanos() as i64
}

impl<'a> Oracle<'a> {
    pub fn new(rule: &'a Rule, truth: Truth, suppression: Option<fn(f64) -> bool>, expires: Duration) -> Self {
        Self {
            rule,
            truth,
            suppression,
            expires: ns(expires),
            seen: Vec::new(),
            accepted: Vec::new(),
            votes: Vec::new(),
            facts: Vec::new(),
            judged: None,
            suppression_judged: None,
            facts_at_raise: 0,
            late: 0,
            changes: Vec::new(),
            refusals: Vec::new(),
        }
    }

    /// Watches from second 0 to `end`.
    pub fn run(&mut self, steps: &[Step], end: i64) {
        for second in 0..=end {
            let now = second * SEC;
            self.quiet(now);
            for step in steps.iter().filter(|step| step.wall() == now) {
                match step {
                    Step::Sample(sample) => self.sample(sample),
                    Step::Act(action, deed) => {
                        let refusal = self.act(action, deed);
                        self.refusals.push(refusal);
                    }
                    Step::Elapse(_) => {}
                }
            }
            if second < end {
                self.quiet(now + 1);
            }
        }
    }

    fn last_of(&self, wanted: impl Fn(&Cause) -> bool) -> Option<usize> {
        self.changes.iter().rposition(|change| wanted(&change.cause))
    }

    fn active(&self) -> bool {
        self.last_of(|cause| *cause == Cause::Raised) > self.last_of(|cause| *cause == Cause::Cleared)
    }

    /// From all that has happened since the last activation.
    fn state(&self) -> State {
        let Some(raised) = self.last_of(|cause| *cause == Cause::Raised) else { return State::Normal };
        let since = |wanted: Cause| self.last_of(|cause| *cause == wanted).is_some_and(|at| at > raised);
        let acknowledged = since(Cause::Acknowledged);
        let latched = self.rule.latching && !since(Cause::Reset);
        match (self.active(), latched, acknowledged) {
            (true, _, false) => State::Unacknowledged,
            (true, _, true) => State::Acknowledged,
            (false, true, false) => State::LatchedUnacknowledged,
            (false, true, true) => State::LatchedAcknowledged,
            (false, false, false) => State::ReturnedUnacknowledged,
            (false, false, true) => State::Normal,
        }
    }

    /// The present shelf: its end, if it has one.
    fn shelf(&self) -> Option<Option<Timestamp>> {
        let at = self.last_of(|cause| matches!(cause, Cause::Shelved { .. } | Cause::Unshelved | Cause::ShelfEnded))?;
        match &self.changes[at].cause {
            Cause::Shelved { until } => Some(*until),
            _ => None,
        }
    }

    fn suppressed(&self) -> bool {
        self.last_of(|cause| *cause == Cause::Suppressed) > self.last_of(|cause| *cause == Cause::Unsuppressed)
    }

    fn out_of_service(&self) -> bool {
        self.last_of(|cause| *cause == Cause::TakenOutOfService)
            > self.last_of(|cause| *cause == Cause::ReturnedToService)
    }

    fn delay(&self) -> i64 {
        ns(if self.active() { self.rule.off_delay } else { self.rule.on_delay })
    }

    fn push(&mut self, cause: Cause, from: State, source: i64, received: i64, worst: Option<f64>) {
        self.changes.push(Change {
            alarm: AlarmIndex(0),
            cause,
            from,
            to: from,
            source_time: Timestamp(source),
            receive_time: Timestamp(received),
            value: self.facts.last().and_then(|fact| fact.value),
            worst,
            deed: None,
            origin: Origin::Measured,
        });
        let to = self.state();
        if let Some(last) = self.changes.last_mut() {
            last.to = to;
        }
    }

    /// The alarm follows its condition at `source`.
    fn toggle(&mut self, source: i64, received: i64) {
        let from = self.state();
        self.judged = self.judged.max(Some(source));
        if self.active() {
            let worst = self.worst();
            self.push(Cause::Cleared, from, source, received, worst);
            if self.shelf() == Some(None) {
                self.push(Cause::ShelfEnded, self.state(), source, received, None);
            }
        } else {
            self.facts_at_raise = self.facts.len();
            self.push(Cause::Raised, from, source, received, None);
        }
    }

    /// Over every value since the one that raised it, that one included.
    fn worst(&self) -> Option<f64> {
        let values = self.facts.get(self.facts_at_raise.checked_sub(1)?..)?.iter().filter_map(|fact| fact.value);
        let size: fn(f64) -> f64 = match &self.rule.condition {
            Condition::Limit { level: Level::Low | Level::LowLow, .. }
            | Condition::Rate { direction: Direction::Falling, .. } => |x| -x,
            Condition::Limit { .. } | Condition::Rate { direction: Direction::Rising, .. } => |x| x,
            Condition::Rate { .. } | Condition::Deviation { .. } => f64::abs,
            _ => return None,
        };
        // The first of equals.
        values.reduce(|a, b| if size(b) > size(a) { b } else { a })
    }

    /// Whether the condition differed from the state from the end of second `from` to the end of second `to`.
    fn differed(&self, from: i64, to: i64) -> bool {
        let active = self.active();
        let in_force = self.facts.iter().rev().find(|fact| fact.source <= from);
        in_force.is_some_and(|fact| fact.holds != active)
            && self.facts.iter().filter(|fact| from < fact.source && fact.source <= to).all(|fact| fact.holds != active)
    }

    /// A value holds until the next one: every second up to `until` is looked at.
    fn pass(&mut self, until: i64, received: i64) {
        let Some(judged) = self.judged else { return };
        let mut second = judged + SEC;
        while second < until {
            if self.differed(second - self.delay(), second) {
                self.toggle(second, received);
            }
            second += SEC;
        }
    }

    fn fact(&mut self, fact: Fact) {
        let (source, received) = (fact.source, fact.received);
        self.facts.push(fact);
        self.judge(source, received);
    }

    fn judge(&mut self, source: i64, received: i64) {
        self.judged = self.judged.max(Some(source));
        if self.differed(source - self.delay(), source) {
            self.toggle(source, received);
        }
    }

    /// What happens at a moment of receive time without anybody's doing.
    fn quiet(&mut self, now: i64) {
        let timeless = matches!(self.rule.condition, Condition::Stale);
        let patience = if timeless { 0 } else { ns(PATIENCE) };
        let active = self.active();
        let run = self.facts.iter().rev().take_while(|fact| fact.holds != active).last();
        if let Some(first) = run
            && first.received + self.delay() + patience == now
        {
            let over = first.source + self.delay();
            self.toggle(over, now);
        }
        if timeless && !self.facts.last().is_some_and(|fact| fact.holds) {
            let last = self.accepted.last().map_or((0, 0), |last| (last.source_time.0, last.receive_time.0));
            if last.1 + self.expires + 1 == now {
                let source = (last.0 + self.expires).max(self.judged.unwrap_or(i64::MIN));
                self.pass(source, now);
                self.fact(Fact { source, received: now, holds: true, value: None });
            }
        }
        if let Some(Some(until)) = self.shelf()
            && until.0 == now
        {
            self.push(Cause::ShelfEnded, self.state(), now, now, None);
        }
    }

    /// The newest usable number of a signal: None if there is no sample or it is Bad.
    fn newest(&self, signal: u32) -> Option<f64> {
        let newest =
            self.seen.iter().filter(|sample| sample.signal.0 == signal).max_by_key(|sample| sample.source_time)?;
        usable(newest)
    }

    fn sample(&mut self, sample: &Sample) {
        self.seen.push(sample.clone());
        let (source, received) = (sample.source_time.0, sample.receive_time.0);
        if let Some(suppression) = self.suppression
            && sample.signal.0 == 2
        {
            let at = self.suppression_judged.map_or(source, |judged| judged.max(source));
            self.suppression_judged = Some(at);
            if let Some(holds) = self.newest(2).map(suppression)
                && holds != self.suppressed()
            {
                let cause = if holds { Cause::Suppressed } else { Cause::Unsuppressed };
                self.push(cause, self.state(), at, received, None);
            }
        }
        let several = matches!(
            self.rule.condition,
            Condition::Formula(_) | Condition::Deviation { from: Reference::Signal(_), .. }
        );
        if sample.signal.0 == 0 || several && sample.signal.0 == 1 {
            self.own(sample, several, source, received);
        }
    }

    fn own(&mut self, sample: &Sample, several: bool, source: i64, received: i64) {
        let before = |other: &Sample| other.source_time > sample.source_time;
        let late = match (&self.rule.condition, several) {
            (Condition::Stale, _) => self.accepted.iter().any(before),
            (_, true) => self.seen.iter().filter(|other| other.signal == sample.signal).any(before),
            _ => self.judged.is_some_and(|judged| source < judged),
        };
        if late {
            self.late += 1;
            return;
        }
        self.accepted.push(sample.clone());
        let at = self.judged.map_or(source, |judged| judged.max(source));
        self.pass(at, received);
        match self.verdict(sample, at) {
            Some((mut holds, value)) => {
                if let Some(count) = self.rule.count {
                    self.votes.push((at, holds));
                    let latest = self.votes.iter().rev().take(count.of.into());
                    let young = latest.filter(|vote| vote.0 >= at - ns(count.within));
                    holds = young.filter(|vote| vote.1).count() >= count.needed.into();
                }
                self.fact(Fact { source: at, received, holds, value });
            }
            None => self.judge(at, received),
        }
    }

    /// What one sample says, taken for itself.
    fn verdict(&self, sample: &Sample, at: i64) -> Option<(bool, Option<f64>)> {
        let slack = |deadband: f64| if self.active() { deadband } else { 0.0 };
        let x = usable(sample);
        match &self.rule.condition {
            Condition::Limit { level: Level::High | Level::HighHigh, limit, deadband } => {
                beyond_its_range(sample).or(x).map(|x| (x > limit - slack(*deadband), Some(x)))
            }
            Condition::Limit { limit, deadband, .. } => {
                beyond_its_range(sample).or(x).map(|x| (x < limit + slack(*deadband), Some(x)))
            }
            Condition::Rate { direction, limit_per_sec, over, deadband_per_sec, .. } => {
                let x = x?;
                let start = at - ns(*over);
                let before = self.accepted.iter().filter(|other| usable(other).is_some());
                let before = before.filter(|other| other.source_time.0 <= start);
                let before = before.max_by_key(|other| other.source_time)?;
                let rate = (x - usable(before)?) / ((at - before.source_time.0) / SEC) as f64;
                let size = match direction {
                    Direction::Rising => rate,
                    Direction::Falling => -rate,
                    Direction::Either => rate.abs(),
                };
                Some((size > limit_per_sec - slack(*deadband_per_sec), Some(rate)))
            }
            Condition::Deviation { from, limit, deadband } => {
                let by = match from {
                    Reference::Value(from) => x? - from,
                    Reference::Signal(from) => self.newest(0)? - self.newest(from.0)?,
                };
                Some((by.abs() > limit - slack(*deadband), Some(by)))
            }
            Condition::State { values, inverted } => {
                let x = x?;
                Some((values.contains(&Value::Number(x)) != *inverted, Some(x)))
            }
            Condition::Formula(_) => Some(((self.truth)(self.newest(0)?, self.newest(1)?), None)),
            Condition::Bad => Some((sample.quality.grade == Grade::Bad, sample.value.as_f64())),
            Condition::Stale => Some((false, None)),
            Condition::Disconnected => None,
        }
    }

    fn act(&mut self, action: &Action, deed: &Deed) -> Option<Refusal> {
        let state = self.state();
        let unexplained = deed.comment.is_empty();
        let refusal = match action {
            Action::Acknowledge if state == State::Normal => Some(Refusal::NothingToAcknowledge),
            Action::Acknowledge if !state.is_unacknowledged() => Some(Refusal::AcknowledgedAlready),
            Action::Reset if self.active() => Some(Refusal::StillActive),
            Action::Reset if !matches!(state, State::LatchedUnacknowledged | State::LatchedAcknowledged) => {
                Some(Refusal::NotLatched)
            }
            Action::Shelve { .. } | Action::TakeOutOfService if unexplained => Some(Refusal::NoReason),
            Action::TakeOutOfService if self.out_of_service() => Some(Refusal::OutOfServiceAlready),
            Action::ReturnToService if !self.out_of_service() => Some(Refusal::InService),
            Action::Unshelve if self.shelf().is_none() => Some(Refusal::NotShelved),
            Action::Comment if unexplained => Some(Refusal::EmptyComment),
            _ => None,
        };
        if refusal.is_some() {
            return refusal;
        }
        let cause = match action {
            Action::Acknowledge => Cause::Acknowledged,
            Action::Reset => Cause::Reset,
            Action::Shelve { lasting } => Cause::Shelved { until: lasting.map(|lasting| deed.at + lasting) },
            Action::Unshelve => Cause::Unshelved,
            Action::TakeOutOfService => Cause::TakenOutOfService,
            Action::ReturnToService => Cause::ReturnedToService,
            Action::Comment => Cause::Commented,
        };
        self.push(cause, state, deed.at.0, deed.at.0, None);
        if let Some(last) = self.changes.last_mut() {
            last.deed = Some(deed.clone());
        }
        if state != State::Normal && self.state() == State::Normal && self.shelf() == Some(None) {
            self.push(Cause::ShelfEnded, State::Normal, deed.at.0, deed.at.0, None);
        }
        None
    }

    /// The alarm in the end, told from the list of changes.
    pub fn alarm(&self) -> Alarm {
        let last = |wanted: fn(&Cause) -> bool| self.last_of(wanted).map(|at| &self.changes[at]);
        let raised = last(|cause| *cause == Cause::Raised);
        let deed_of = |change: Option<&Change>| change.and_then(|change| change.deed.clone());
        let shelf = self.shelf().map(|until| Shelving {
            until,
            deed: deed_of(last(|cause| matches!(cause, Cause::Shelved { .. }))).unwrap_or_else(|| unreachable!()),
        });
        let acknowledged = self.last_of(|cause| *cause == Cause::Acknowledged);
        let acknowledged = acknowledged.filter(|at| Some(*at) > self.last_of(|cause| *cause == Cause::Raised));
        let moved = self.changes.iter().rev().find(|change| change.from != change.to);
        let cleared = last(|cause| *cause == Cause::Cleared);
        Alarm {
            state: self.state(),
            flags: super::Flags {
                shelved: shelf,
                suppressed: self.suppressed(),
                out_of_service: deed_of(last(|cause| *cause == Cause::TakenOutOfService))
                    .filter(|_| self.out_of_service()),
            },
            since: moved.map_or(Timestamp(0), |change| change.source_time),
            raised_at: raised.map(|change| change.source_time),
            trigger: raised.and_then(|change| change.value),
            current: self.facts.last().and_then(|fact| fact.value),
            worst: if self.active() { self.worst() } else { cleared.and_then(|change| change.worst) },
            activations: self.changes.iter().filter(|change| change.cause == Cause::Raised).count() as u64,
            acknowledged: acknowledged.and_then(|at| self.changes[at].deed.clone()),
            late: self.late,
            origin: None,
        }
    }
}

fn usable(sample: &Sample) -> Option<f64> {
    if sample.quality.grade == Grade::Bad { None } else { sample.value.as_f64() }
}

fn beyond_its_range(sample: &Sample) -> Option<f64> {
    if sample.quality.reason == Reason::OutOfRange { sample.value.as_f64() } else { None }
}
