//! Whether an expectation is met. In: alarms as they are raised and cleared, values of signals, all in the order of time.
//! Out: at the end a [`Finding`]. Reads no clock; the same inputs give the same finding.

use super::experiment::{Bounds, Expect, Stretch};
use super::format::FigureKind;
use crate::scene::Condition;
use crate::scene::rule::AlarmPath;
use crate::value::{SignalIndex, Value};

/// What came of an expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub is_met: bool,
    /// When that was clear, in nanoseconds from the start.
    pub at: u64,
    /// What happened, in words: `rose to 2.41 m`.
    pub what: String,
}

impl Finding {
    fn met(at: u64, what: impl Into<String>) -> Self {
        Self { is_met: true, at, what: what.into() }
    }

    fn failed(at: u64, what: impl Into<String>) -> Self {
        Self { is_met: false, at, what: what.into() }
    }
}

/// What an alarm did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    Raised,
    Cleared,
}

/// One expectation that is watched.
#[derive(Clone, Debug)]
pub struct Watch {
    expect: Expect,
    /// Set once it is clear.
    finding: Option<Finding>,
    /// Times at which the alarms of an order were raised first.
    order: Vec<Option<u64>>,
    /// The newest value of what it looks at, and since when.
    held: Option<(u64, Held)>,
    /// Whether a value was seen within its stretch.
    has_seen: bool,
    sums: Sums,
}

/// What a value says to a watch.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Held {
    Number(f64),
    Flag(bool),
}

/// Of a figure.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Sums {
    /// Unit times s.
    integral: f64,
    secs: f64,
    first: Option<f64>,
    last: f64,
    least: f64,
    most: f64,
}

impl Watch {
    pub fn new(expect: Expect) -> Self {
        let order = match &expect {
            Expect::Order { raised } => vec![None; raised.len()],
            _ => Vec::new(),
        };
        let sums = Sums { least: f64::INFINITY, most: f64::NEG_INFINITY, ..Sums::default() };
        Self { expect, finding: None, order, held: None, has_seen: false, sums }
    }

    /// The signals that it looks at.
    pub fn signals(&self) -> &[SignalIndex] {
        match &self.expect {
            Expect::Within { signal, .. } => std::slice::from_ref(signal),
            Expect::Figure { of, .. } => std::slice::from_ref(of),
            Expect::Holds { that, .. } | Expect::Becomes { that, .. } => &that.inputs,
            Expect::Raised { .. }
            | Expect::Cleared { .. }
            | Expect::NotRaised { .. }
            | Expect::NothingElse { .. }
            | Expect::Order { .. } => &[],
        }
    }

    /// An alarm was raised or cleared; `message` says with what value.
    pub fn alarm(&mut self, time: u64, alarm: &AlarmPath, turn: Turn, message: &str) {
        if self.finding.is_some() {
            return;
        }
        let finding = match (&self.expect, turn) {
            (Expect::Raised { alarm: wanted, stretch }, Turn::Raised) if wanted == alarm && stretch.has(time) => {
                Some(Finding::met(time, "it was raised"))
            }
            (Expect::Cleared { alarm: wanted, stretch }, Turn::Cleared) if wanted == alarm && stretch.has(time) => {
                Some(Finding::met(time, "it went back to normal"))
            }
            (Expect::NotRaised { alarm: wanted }, Turn::Raised) if wanted == alarm => {
                Some(Finding::failed(time, format!("it was raised: {message}")))
            }
            (Expect::NothingElse { but }, Turn::Raised) if !but.contains(alarm) => {
                Some(Finding::failed(time, format!("{alarm} was raised: {message}")))
            }
            (Expect::Order { raised }, Turn::Raised) => {
                for (at, wanted) in self.order.iter_mut().zip(raised) {
                    if at.is_none() && wanted == alarm {
                        *at = Some(time);
                    }
                }
                None
            }
            _ => None,
        };
        self.finding = finding;
    }

    /// Something that it looks at has a new value; `value` gives those of all signals.
    pub fn value(&mut self, time: u64, value: &dyn Fn(SignalIndex) -> Option<Value>) {
        if self.finding.is_some() {
            return;
        }
        let held = match &self.expect {
            Expect::Within { signal: of, .. } | Expect::Figure { of, .. } => {
                value(*of).and_then(|value| value.as_f64()).map(Held::Number)
            }
            Expect::Holds { that, .. } | Expect::Becomes { that, .. } => truth(that, value).map(Held::Flag),
            _ => None,
        };
        self.pass(time);
        self.held = held.map(|held| (time, held));
        self.judge(time);
    }

    /// What it holds lasted until now.
    fn pass(&mut self, until: u64) {
        let Some(stretch) = self.stretch() else { return };
        let Some((since, held)) = self.held else { return };
        let (from, to) = (since.max(stretch.from), until.min(stretch.until));
        if from > to {
            return;
        }
        // What was true before the stretch is still true at its beginning.
        if since < stretch.from && until > stretch.from {
            self.judge_as(stretch.from, held);
        }
        if let Held::Number(x) = held {
            let secs = (to - from) as f64 / 1e9;
            self.sums.integral += x * secs;
            self.sums.secs += secs;
        }
    }

    fn judge(&mut self, time: u64) {
        if let (Some(stretch), Some((_, held))) = (self.stretch(), self.held)
            && stretch.has(time)
        {
            self.judge_as(time, held);
        }
    }

    fn judge_as(&mut self, time: u64, held: Held) {
        self.has_seen = true;
        let finding = match (&self.expect, held) {
            (Expect::Within { bounds, .. }, Held::Number(x)) if !bounds.have(x) => {
                Some(Finding::failed(time, format!("it was {x}")))
            }
            (Expect::Holds { .. }, Held::Flag(false)) => Some(Finding::failed(time, "it was false")),
            (Expect::Becomes { .. }, Held::Flag(true)) => Some(Finding::met(time, "it became true")),
            (Expect::Figure { .. }, Held::Number(x)) => {
                let sums = &mut self.sums;
                sums.first.get_or_insert(x);
                (sums.last, sums.least, sums.most) = (x, sums.least.min(x), sums.most.max(x));
                None
            }
            _ => None,
        };
        self.finding = self.finding.take().or(finding);
    }

    fn stretch(&self) -> Option<Stretch> {
        match &self.expect {
            Expect::Within { stretch, .. }
            | Expect::Holds { stretch, .. }
            | Expect::Becomes { stretch, .. }
            | Expect::Figure { stretch, .. } => Some(*stretch),
            _ => None,
        }
    }

    /// What came of it, at the end of the experiment.
    pub fn end(mut self, time: u64) -> Finding {
        if self.finding.is_none() {
            self.pass(time);
        }
        if let Some(finding) = self.finding {
            return finding;
        }
        let nothing = || Finding::failed(time, "it never had a value there");
        match self.expect {
            Expect::Raised { .. } => Finding::failed(time, "it was not raised"),
            Expect::Cleared { .. } => Finding::failed(time, "it did not go back to normal"),
            Expect::NotRaised { .. } | Expect::NothingElse { .. } => Finding::met(time, "none was raised"),
            Expect::Order { raised } => in_order(&raised, &self.order, time),
            Expect::Within { .. } | Expect::Holds { .. } if !self.has_seen => nothing(),
            Expect::Within { .. } => Finding::met(time, "it was"),
            Expect::Holds { .. } => Finding::met(time, "it was true"),
            Expect::Becomes { .. } => Finding::failed(time, "it did not become true"),
            Expect::Figure { by, bounds, .. } => self.sums.finding(by, bounds, time).unwrap_or_else(nothing),
        }
    }
}

impl Sums {
    fn finding(&self, by: FigureKind, bounds: Bounds, time: u64) -> Option<Finding> {
        let first = self.first?;
        let x = match by {
            FigureKind::Mean if self.secs > 0.0 => self.integral / self.secs,
            FigureKind::Mean | FigureKind::Last => self.last,
            FigureKind::Least => self.least,
            FigureKind::Most => self.most,
            FigureKind::Growth => self.last - first,
        };
        Some(Finding { is_met: bounds.have(x), at: time, what: format!("it was {x}") })
    }
}

/// None where an input has no value, or the condition has none.
pub(super) fn truth(condition: &Condition, value: &dyn Fn(SignalIndex) -> Option<Value>) -> Option<bool> {
    let values: Option<Vec<Value>> = condition.inputs.iter().map(|signal| value(*signal)).collect();
    condition.holds(&values?)
}

fn in_order(alarms: &[AlarmPath], times: &[Option<u64>], end: u64) -> Finding {
    let mut last = 0;
    for (alarm, time) in alarms.iter().zip(times) {
        match time {
            None => return Finding::failed(end, format!("{alarm} was not raised")),
            Some(time) if *time < last => {
                return Finding::failed(*time, format!("{alarm} was raised before the one that is named before it"));
            }
            Some(time) => last = *time,
        }
    }
    Finding::met(last, "they were")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const FLOW: SignalIndex = SignalIndex(0);

    fn stretch(from: u64, until: u64) -> Stretch {
        Stretch { from: from * SECOND, until: until * SECOND }
    }

    fn high() -> AlarmPath {
        AlarmPath::of_twin("P-1", "flow.high")
    }

    /// What is found of values at times in seconds; the experiment ends at 20 s.
    fn of_values(expect: Expect, values: &[(u64, f64)]) -> Finding {
        let mut watch = Watch::new(expect);
        for (secs, x) in values {
            watch.value(secs * SECOND, &|_| Some(Value::Number(*x)));
        }
        watch.end(20 * SECOND)
    }

    #[test]
    fn an_alarm_counts_within_its_time_only() {
        let found = |secs: u64, turn| {
            let mut watch = Watch::new(Expect::Raised { alarm: high(), stretch: stretch(5, 10) });
            watch.alarm(secs * SECOND, &high(), turn, "too high");
            watch.end(20 * SECOND).is_met
        };
        assert_eq!([4, 5, 10, 11].map(|secs| found(secs, Turn::Raised)), [false, true, true, false]);
        assert!(!found(7, Turn::Cleared), "it went, and was wanted to come");
    }

    #[test]
    fn another_alarm_than_those_that_are_named_is_told() {
        let other = AlarmPath::of_twin("T-1", "level.low");
        let mut watch = Watch::new(Expect::NothingElse { but: vec![high()] });
        watch.alarm(SECOND, &high(), Turn::Raised, "");
        watch.alarm(2 * SECOND, &other, Turn::Raised, "level below 1 m (low)");
        let wanted = Finding::failed(2 * SECOND, "T-1/level.low was raised: level below 1 m (low)");
        assert_eq!(watch.end(20 * SECOND), wanted);
    }

    #[test]
    fn a_signal_is_judged_from_the_beginning_of_its_stretch_with_what_it_held() {
        let within = |from, until| Expect::Within {
            signal: FLOW,
            bounds: Bounds { low: Some(1.0), high: Some(2.0) },
            stretch: stretch(from, until),
        };
        assert!(of_values(within(0, 20), &[(0, 1.0), (5, 2.0)]).is_met);
        assert_eq!(of_values(within(4, 20), &[(0, 3.0), (5, 1.5)]), Finding::failed(4 * SECOND, "it was 3"));
        assert!(of_values(within(4, 8), &[(0, 3.0), (3, 1.5), (9, 3.0)]).is_met);
        assert!(of_values(within(5, 5), &[(0, 3.0), (5, 1.5)]).is_met, "3 holds until 1.5 comes");
        assert_eq!(of_values(within(0, 20), &[]).what, "it never had a value there");
    }

    #[test]
    fn figures_weigh_values_by_the_time_that_they_hold() {
        let figure = |by, from, until| Expect::Figure {
            of: FLOW,
            by,
            bounds: Bounds { low: None, high: None },
            stretch: stretch(from, until),
        };
        let values = [(0, 1.0), (5, 3.0), (15, 2.0)];
        let what = |by, from, until| of_values(figure(by, from, until), &values).what;
        assert_eq!(what(FigureKind::Mean, 0, 20), "it was 2.25");
        assert_eq!(what(FigureKind::Mean, 5, 15), "it was 3");
        assert_eq!(what(FigureKind::Most, 0, 20), "it was 3");
        assert_eq!(what(FigureKind::Least, 6, 14), "it was 3");
        assert_eq!(what(FigureKind::Growth, 0, 20), "it was 1");
        assert_eq!(what(FigureKind::Last, 0, 14), "it was 3");
    }

    #[test]
    fn alarms_have_an_order() {
        let low = AlarmPath::of_twin("T-1", "level.low");
        let found = |raised: &[(&AlarmPath, u64)]| {
            let mut watch = Watch::new(Expect::Order { raised: vec![high(), low.clone()] });
            raised.iter().for_each(|(alarm, secs)| watch.alarm(secs * SECOND, alarm, Turn::Raised, ""));
            watch.end(20 * SECOND)
        };
        assert!(found(&[(&high(), 1), (&low, 2)]).is_met && found(&[(&high(), 1), (&low, 1)]).is_met);
        assert!(!found(&[(&low, 1), (&high(), 2), (&low, 3)]).is_met, "the first time counts");
        assert_eq!(found(&[(&high(), 1)]).what, "T-1/level.low was not raised");
    }
}
