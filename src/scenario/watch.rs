//! Whether an expectation is met. In: alarms as they are raised and cleared, samples of signals, silences; all in the order
//! in which the twin learnt of them, with the time at which it did. Out: at the end a [`Finding`]. Reads no clock; the same
//! inputs give the same finding.
//!
//! What is not known does not meet an expectation. A signal that has fallen silent, or whose sample cannot be used, is not
//! within its bounds; nor is a condition true that looks at it. Before the first sample there is nothing to judge.

use super::experiment::{Expect, Stretch};
use super::format::FigureKind;
use crate::scene::Condition;
use crate::scene::rule::AlarmPath;
use crate::value::{SignalIndex, Value};

/// Of an expectation about a time that never came.
const OPEN: &str = "the experiment ended before that was clear";

/// What came of an expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub is_met: bool,
    /// When that was clear, in nanoseconds from the start.
    pub at: u64,
    /// What happened, in words: `it was 2.41 m`.
    pub what: String,
    /// Of a figure: what it was.
    pub figure: Option<f64>,
}

impl Finding {
    fn met(at: u64, what: impl Into<String>) -> Self {
        Self { is_met: true, at, what: what.into(), figure: None }
    }

    fn failed(at: u64, what: impl Into<String>) -> Self {
        Self { is_met: false, at, what: what.into(), figure: None }
    }
}

/// What an alarm did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    Raised,
    Cleared,
}

/// What came of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Given {
    /// A constraint did not hold.
    Refused,
    Sent,
    Verified,
    /// Nothing was seen in time.
    Unseen,
}

/// What the twin has learnt of a signal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum News<'a> {
    /// A sample came. It is late where the twin knew one of a later source time.
    Value { value: &'a Value, is_late: bool },
    /// A sample came, and its value cannot be used.
    Unusable { is_late: bool },
    /// No sample came for as long as the last one is good for.
    Silence,
}

/// One expectation that is watched.
#[derive(Clone, Debug)]
pub struct Watch {
    expect: Expect,
    /// Set once it is clear.
    finding: Option<Finding>,
    /// Times at which the alarms of an order were raised first.
    order: Vec<Option<u64>>,
    /// What it looks at, and since when; none before the first value.
    held: Option<(u64, Held)>,
    /// Whether a value was known within its stretch.
    has_seen: bool,
    sums: Sums,
}

/// What a watch knows of what it looks at.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Held {
    Number(f64),
    Flag(bool),
    Unknown(Unknown),
}

/// Why a value is not known any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unknown {
    Unusable,
    Silent,
}

impl Unknown {
    fn told(self) -> &'static str {
        match self {
            Self::Unusable => "a sample came whose value cannot be used: its quality was Bad",
            Self::Silent => "no sample came any more: the value had expired",
        }
    }
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

    /// An alarm is active when the experiment begins.
    pub fn stands(&mut self, alarm: &AlarmPath) {
        if matches!(&self.expect, Expect::NotRaised { alarm: wanted } if wanted == alarm) {
            self.finding = Some(Finding::failed(0, "it stood already when the experiment began"));
        }
    }

    /// The signals that it looks at.
    pub fn signals(&self) -> &[SignalIndex] {
        match &self.expect {
            Expect::Within { signal, .. } | Expect::Follows { signal, .. } => std::slice::from_ref(signal),
            Expect::Figure { of, .. } => std::slice::from_ref(of),
            Expect::Holds { that, .. } | Expect::Becomes { that, .. } => &that.inputs,
            Expect::Raised { .. }
            | Expect::Cleared { .. }
            | Expect::NotRaised { .. }
            | Expect::NothingElse { .. }
            | Expect::Verified { .. }
            | Expect::Refused { .. }
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

    /// Something came of a command, and why. Says whether this is about that command.
    pub fn command(&mut self, time: u64, id: &str, given: Given, why: &str) -> bool {
        let finding = match (&self.expect, given) {
            (Expect::Verified { command, .. }, _) | (Expect::Refused { command }, _) if command != id => return false,
            (Expect::Verified { stretch, .. }, Given::Verified) if stretch.has(time) => Some(Finding::met(time, why)),
            (Expect::Verified { .. }, Given::Sent) => None,
            (Expect::Verified { .. }, Given::Verified) => {
                Some(Finding::failed(time, format!("it was verified: {why}")))
            }
            (Expect::Verified { .. }, Given::Refused) => Some(Finding::failed(time, format!("it was refused: {why}"))),
            (Expect::Verified { .. }, Given::Unseen) => Some(Finding::failed(time, why)),
            (Expect::Refused { .. }, Given::Refused) => Some(Finding::met(time, why)),
            // Whether it was obeyed is another matter.
            (Expect::Refused { .. }, Given::Sent) => Some(Finding::failed(time, "it was given: its constraints held")),
            (Expect::Refused { .. }, Given::Verified | Given::Unseen) => return false,
            _ => return false,
        };
        self.finding = self.finding.take().or(finding);
        true
    }

    /// There is news of one of its signals; `current` gives what the twin knows of all, none where that is not usable.
    pub fn hear(&mut self, time: u64, news: News<'_>, current: &dyn Fn(SignalIndex) -> Option<Value>) {
        if self.finding.is_some() {
            return;
        }
        let unknown = if news == News::Silence { Unknown::Silent } else { Unknown::Unusable };
        let mut is_late = false;
        let held = match &self.expect {
            Expect::Within { .. } | Expect::Follows { .. } | Expect::Figure { .. } => match news {
                News::Value { value, is_late: late } => {
                    is_late = late;
                    Some(value.as_f64().map_or(Held::Unknown(unknown), Held::Number))
                }
                News::Unusable { is_late: late } => {
                    is_late = late;
                    Some(Held::Unknown(unknown))
                }
                News::Silence => Some(Held::Unknown(unknown)),
            },
            Expect::Holds { that, .. } | Expect::Becomes { that, .. } => match truth(that, current) {
                Some(flag) => Some(Held::Flag(flag)),
                // Before all its signals have come it has no value yet.
                None => self.held.map(|_| Held::Unknown(unknown)),
            },
            _ => None,
        };
        let Some(held) = held else { return };
        self.pass(time);
        if self.stretch().is_some_and(|stretch| stretch.until < time) {
            // What comes after its time says nothing of it.
            return;
        }
        match (is_late, self.held) {
            // What was true before does not replace what is true now, but it is judged.
            (true, Some(_)) => self.judge(time, held),
            _ => {
                self.held = Some((time, held));
                self.judge(time, held);
            }
        }
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
            self.judge(stretch.from, held);
        }
        if let Held::Number(x) = held {
            let secs = (to - from) as f64 / 1e9;
            self.sums.integral += x * secs;
            self.sums.secs += secs;
        }
        if until > stretch.from {
            self.held = Some((since.max(to), held));
        }
    }

    fn judge(&mut self, time: u64, held: Held) {
        if !self.stretch().is_some_and(|stretch| stretch.has(time)) {
            return;
        }
        self.has_seen |= !matches!(held, Held::Unknown(_));
        let finding = match (&self.expect, held) {
            (Expect::Within { bounds, .. }, Held::Number(x)) if !bounds.have(x) => {
                Some(Finding::failed(time, format!("it was {}", bounds.told(x))))
            }
            (Expect::Follows { reference, .. }, Held::Number(x)) if !reference.bounds(time).have(x) => {
                let bounds = reference.bounds(time);
                let (low, high) = (bounds.low.unwrap_or(x), bounds.high.unwrap_or(x));
                let what =
                    format!("it was {}, not from {} to {}", bounds.told(x), bounds.short(low), bounds.short(high));
                Some(Finding::failed(time, what))
            }
            (Expect::Within { .. } | Expect::Follows { .. } | Expect::Holds { .. }, Held::Unknown(why)) => {
                Some(Finding::failed(time, why.told()))
            }
            (Expect::Holds { .. }, Held::Flag(false)) => Some(Finding::failed(time, "it was false")),
            (Expect::Becomes { .. }, Held::Flag(true)) => Some(Finding::met(time, "it became true")),
            (Expect::Figure { .. }, Held::Number(x)) => {
                let sums = &mut self.sums;
                sums.first.get_or_insert(x);
                (sums.least, sums.most) = (sums.least.min(x), sums.most.max(x));
                if let Some((_, Held::Number(x))) = self.held {
                    sums.last = x;
                }
                None
            }
            _ => None,
        };
        self.finding = self.finding.take().or(finding);
    }

    fn stretch(&self) -> Option<Stretch> {
        match &self.expect {
            Expect::Within { stretch, .. }
            | Expect::Follows { stretch, .. }
            | Expect::Holds { stretch, .. }
            | Expect::Becomes { stretch, .. }
            | Expect::Figure { stretch, .. } => Some(*stretch),
            _ => None,
        }
    }

    /// What came of it, at the end of the experiment; it is cut short where it was to last longer.
    pub fn end(mut self, time: u64, is_cut_short: bool) -> Finding {
        if self.finding.is_none() {
            self.pass(time);
        }
        if let Some(finding) = self.finding {
            return finding;
        }
        let until = self.expect.stretch().map_or(time, |stretch| stretch.until.min(time));
        let is_open = is_cut_short && self.expect.stretch().is_none_or(|stretch| stretch.until > time);
        let nothing = || Finding::failed(until, "it never had a value there");
        let met = |what: &str| match is_open {
            true => Finding::failed(time, OPEN),
            false => Finding::met(until, what),
        };
        match &self.expect {
            Expect::Raised { .. } => Finding::failed(until, "it was not raised"),
            Expect::Cleared { .. } => Finding::failed(until, "it did not go back to normal"),
            Expect::NotRaised { .. } | Expect::NothingElse { .. } => met("none was raised"),
            Expect::Order { raised } => in_order(raised, &self.order, time),
            Expect::Verified { .. } => Finding::failed(until, "it was not verified"),
            Expect::Refused { .. } => Finding::failed(until, "it was not given"),
            Expect::Within { .. } | Expect::Follows { .. } | Expect::Holds { .. } if !self.has_seen => nothing(),
            Expect::Follows { .. } => met("it followed all the time"),
            Expect::Within { .. } => met("it was within all the time"),
            Expect::Holds { .. } => met("it was true all the time"),
            Expect::Becomes { .. } => Finding::failed(until, "it did not become true"),
            Expect::Figure { by, bounds, .. } => match (by, self.held, self.sums.of(*by)) {
                (FigureKind::Last | FigureKind::Growth, Some((_, Held::Unknown(why))), _) => {
                    Finding::failed(until, why.told())
                }
                (_, _, None) => nothing(),
                (_, _, Some(_)) if is_open => Finding::failed(time, OPEN),
                (_, _, Some(x)) => {
                    let what = format!("it was {}", bounds.told(x));
                    Finding { is_met: bounds.have(x), at: until, what, figure: Some(x) }
                }
            },
        }
    }
}

impl Sums {
    fn of(&self, by: FigureKind) -> Option<f64> {
        let first = self.first?;
        Some(match by {
            FigureKind::Mean if self.secs > 0.0 => self.integral / self.secs,
            FigureKind::Mean | FigureKind::Last => self.last,
            FigureKind::Least => self.least,
            FigureKind::Most => self.most,
            FigureKind::Growth => self.last - first,
        })
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
    use crate::scenario::Bounds;

    const SECOND: u64 = 1_000_000_000;
    const FLOW: SignalIndex = SignalIndex(0);

    fn stretch(from: u64, until: u64) -> Stretch {
        Stretch { from: from * SECOND, until: until * SECOND }
    }

    fn bounds(low: Option<f64>, high: Option<f64>) -> Bounds {
        Bounds { low, high, unit: "m".to_owned() }
    }

    fn high() -> AlarmPath {
        AlarmPath::of_twin("P-1", "flow.high")
    }

    /// What is found of values at times in seconds; the experiment ends at 20 s.
    fn of_values(expect: Expect, values: &[(u64, f64)]) -> Finding {
        let mut watch = Watch::new(expect);
        for (secs, x) in values {
            let value = Value::Number(*x);
            watch.hear(secs * SECOND, News::Value { value: &value, is_late: false }, &|_| Some(value.clone()));
        }
        watch.end(20 * SECOND, false)
    }

    #[test]
    fn an_alarm_counts_within_its_time_only() {
        let found = |secs: u64, turn| {
            let mut watch = Watch::new(Expect::Raised { alarm: high(), stretch: stretch(5, 10) });
            watch.alarm(secs * SECOND, &high(), turn, "too high");
            watch.end(20 * SECOND, false).is_met
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
        assert_eq!(watch.end(20 * SECOND, false), wanted);
    }

    #[test]
    fn a_signal_is_judged_from_the_beginning_of_its_stretch_with_what_it_held() {
        let within = |from, until| Expect::Within {
            signal: FLOW,
            bounds: bounds(Some(1.0), Some(2.0)),
            stretch: stretch(from, until),
        };
        assert!(of_values(within(0, 20), &[(0, 1.0), (5, 2.0)]).is_met);
        assert_eq!(of_values(within(4, 20), &[(0, 3.0), (5, 1.5)]), Finding::failed(4 * SECOND, "it was 3 m"));
        assert!(of_values(within(4, 8), &[(0, 3.0), (3, 1.5), (9, 3.0)]).is_met);
        assert!(of_values(within(5, 5), &[(0, 3.0), (5, 1.5)]).is_met, "3 holds until 1.5 comes");
        assert_eq!(of_values(within(0, 20), &[]).what, "it never had a value there");
    }

    #[test]
    fn figures_weigh_values_by_the_time_that_they_hold() {
        let figure = |by, from, until| Expect::Figure {
            of: FLOW,
            by,
            bounds: bounds(None, None),
            stretch: stretch(from, until),
        };
        let values = [(0, 1.0), (5, 3.0), (15, 2.0)];
        let what = |by, from, until| of_values(figure(by, from, until), &values).what;
        assert_eq!(what(FigureKind::Mean, 0, 20), "it was 2.25 m");
        assert_eq!(what(FigureKind::Mean, 5, 15), "it was 3 m");
        assert_eq!(what(FigureKind::Most, 0, 20), "it was 3 m");
        assert_eq!(what(FigureKind::Least, 6, 14), "it was 3 m");
        assert_eq!(what(FigureKind::Growth, 0, 20), "it was 1 m");
        assert_eq!(what(FigureKind::Last, 0, 14), "it was 3 m");
    }

    #[test]
    fn what_is_not_known_is_neither_within_bounds_nor_true() {
        let within = Expect::Within { signal: FLOW, bounds: bounds(Some(0.0), None), stretch: stretch(0, 20) };
        let found = |expect: &Expect, news| {
            let mut watch = Watch::new(expect.clone());
            let one = Value::Number(1.0);
            watch.hear(SECOND, News::Value { value: &one, is_late: false }, &|_| Some(one.clone()));
            watch.hear(9 * SECOND, news, &|_| None);
            watch.end(20 * SECOND, false)
        };
        assert_eq!(found(&within, News::Silence), Finding::failed(9 * SECOND, Unknown::Silent.told()));
        assert_eq!(
            found(&within, News::Unusable { is_late: false }),
            Finding::failed(9 * SECOND, Unknown::Unusable.told())
        );
        let of = |by| Expect::Figure { of: FLOW, by, bounds: bounds(None, None), stretch: stretch(0, 20) };
        assert_eq!(found(&of(FigureKind::Last), News::Silence).what, Unknown::Silent.told());
        assert_eq!(found(&of(FigureKind::Mean), News::Silence).what, "it was 1 m", "over the time that is known");
        let early =
            Expect::Figure { of: FLOW, by: FigureKind::Last, bounds: bounds(None, None), stretch: stretch(0, 8) };
        assert_eq!(found(&early, News::Silence).what, "it was 1 m", "what comes after its time says nothing of it");
    }

    #[test]
    fn a_late_sample_is_judged_and_does_not_replace_a_newer_one() {
        let hear = |expect: Expect| {
            let mut watch = Watch::new(expect);
            for (secs, x, is_late) in [(1, 1.0, false), (5, 9.0, true), (11, 1.0, false)] {
                let value = Value::Number(x);
                watch.hear(secs * SECOND, News::Value { value: &value, is_late }, &|_| None);
            }
            watch.end(20 * SECOND, false)
        };
        let within = Expect::Within { signal: FLOW, bounds: bounds(None, Some(2.0)), stretch: stretch(0, 20) };
        assert_eq!(hear(within), Finding::failed(5 * SECOND, "it was 9 m"));
        let mean =
            Expect::Figure { of: FLOW, by: FigureKind::Mean, bounds: bounds(None, None), stretch: stretch(1, 11) };
        assert_eq!(hear(mean).what, "it was 1 m");
    }

    #[test]
    fn what_an_experiment_that_ended_early_did_not_get_to_is_not_met() {
        let end = |expect: Expect| Watch::new(expect).end(8 * SECOND, true);
        assert!(!end(Expect::NotRaised { alarm: high() }).is_met);
        let mut watch =
            Watch::new(Expect::Within { signal: FLOW, bounds: bounds(Some(0.0), None), stretch: stretch(0, 5) });
        let one = Value::Number(1.0);
        watch.hear(SECOND, News::Value { value: &one, is_late: false }, &|_| None);
        assert!(watch.end(8 * SECOND, true).is_met, "its time was over");
    }

    #[test]
    fn alarms_have_an_order() {
        let low = AlarmPath::of_twin("T-1", "level.low");
        let found = |raised: &[(&AlarmPath, u64)]| {
            let mut watch = Watch::new(Expect::Order { raised: vec![high(), low.clone()] });
            raised.iter().for_each(|(alarm, secs)| watch.alarm(secs * SECOND, alarm, Turn::Raised, ""));
            watch.end(20 * SECOND, false)
        };
        assert!(found(&[(&high(), 1), (&low, 2)]).is_met && found(&[(&high(), 1), (&low, 1)]).is_met);
        assert!(!found(&[(&low, 1), (&high(), 2), (&low, 3)]).is_met, "the first time counts");
        assert_eq!(found(&[(&high(), 1)]).what, "T-1/level.low was not raised");
    }
}
