//! From values to verdicts: does the condition of a rule hold now? In: a sample, or the newest values of several signals.
//! Out: a [`Reading`]. Remembers only what rates and counts need. Knows nothing of delays, states and operators.
//!
//! Whether the alarm is active comes in, because the deadband affects clearing only: High is beyond at x > limit, and,
//! while the alarm is active, no longer beyond at x ≤ limit − deadband, both as they are written in decimals. With a
//! count, each sample is judged that way when it comes, and keeps its verdict.

use super::edge;
use super::latest::Latest;
use super::trail::Trail;
use super::values::Values;
use crate::scene::expression::ExpressionError;
use crate::scene::rule::{Condition, Direction, Formula, Level, Reference, Rule};
use crate::value::{Grade, Origin, Quality, Reason, Sample, SignalIndex, Timestamp, Value};

/// What a rule's condition says about one moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Reading {
    /// None: cannot be told, the last verdict holds.
    pub holds: Option<bool>,
    /// What was compared with the limit: the value, its rate per second, its deviation.
    pub value: Option<f64>,
    /// The least certain one of the samples that were looked at.
    pub origin: Origin,
}

impl Reading {
    pub const UNKNOWN: Reading = Reading { holds: None, value: None, origin: Origin::Measured };

    pub fn new(holds: bool, value: Option<f64>) -> Self {
        Self { holds: Some(holds), value, origin: Origin::Measured }
    }
}

/// What a condition remembers between samples.
#[derive(Clone, Debug, Default)]
pub(super) struct Detector {
    /// Few rules remember anything: those that do not pay for a pointer only.
    trail: Option<Box<Trail>>,
    latest: Option<Box<Latest>>,
}

impl Detector {
    /// Judges a condition on one signal by a sample of it.
    pub fn judge_sample(&mut self, rule: &Rule, active: bool, sample: &Sample) -> Reading {
        let number = || usable_number(&sample.value, sample.quality);
        let mut reading = match &rule.condition {
            Condition::Limit { level, limit, deadband } => match number_for_limits(&sample.value, sample.quality) {
                Some(x) => Reading::new(beyond(*level, x, *limit, *deadband, active), Some(x)),
                None => Reading::UNKNOWN,
            },
            Condition::Rate { direction, limit_per_sec, over, deadband_per_sec, per } => {
                let slope = |x| self.trail.get_or_insert_default().take(sample.source_time, x, sample.origin, *over);
                match number().and_then(slope) {
                    Some(slope) => {
                        let limits = edge::RateLimits {
                            direction: *direction,
                            limit_per_sec: *limit_per_sec,
                            deadband_per_sec: *deadband_per_sec,
                            per: *per,
                        };
                        let holds = edge::is_faster(&slope, &limits, active);
                        Reading { origin: slope.origin, ..Reading::new(holds, Some(slope.per_sec())) }
                    }
                    None => Reading::UNKNOWN,
                }
            }
            Condition::Deviation { from: Reference::Value(from), limit, deadband } => match number() {
                Some(x) => deviation(x, *from, *limit, *deadband, active),
                None => Reading::UNKNOWN,
            },
            Condition::State { values, inverted } if usable(&sample.value, sample.quality) => {
                let among = values.iter().any(|value| same(value, &sample.value));
                Reading::new(among != *inverted, sample.value.as_f64())
            }
            Condition::Bad => {
                let value = sample.value.as_f64().filter(|x| x.is_finite());
                Reading::new(sample.quality.grade == Grade::Bad, value)
            }
            // Any sample ends a silence; formulas and deviations from signals are judged by values.
            Condition::Stale => Reading::new(false, None),
            Condition::State { .. } | Condition::Deviation { .. } | Condition::Formula(_) | Condition::Disconnected => {
                Reading::UNKNOWN
            }
        };
        reading.origin = reading.origin.max(sample.origin);
        self.count(rule, sample.source_time, &mut reading);
        reading
    }

    /// Judges a condition over several signals by their newest values at `at`. `inputs` is memory to work in.
    pub fn judge_values(
        &mut self,
        rule: &Rule,
        active: bool,
        at: Timestamp,
        own: Option<SignalIndex>,
        values: &impl Values,
        inputs: &mut Vec<Value>,
    ) -> Result<Reading, ExpressionError> {
        let number = |signal| {
            let point = values.latest_at(signal, at)?;
            Some((usable_number(&point.value, point.quality)?, point.origin))
        };
        let mut reading = match &rule.condition {
            Condition::Deviation { from: Reference::Signal(from), limit, deadband } => {
                match (own.and_then(number), number(*from)) {
                    (Some((x, origin)), Some((from, other))) => {
                        Reading { origin: origin.max(other), ..deviation(x, from, *limit, *deadband, active) }
                    }
                    _ => Reading::UNKNOWN,
                }
            }
            Condition::Formula(formula) => {
                let (holds, origin) = evaluate(formula, at, values, inputs)?;
                Reading { holds, value: None, origin }
            }
            _ => Reading::UNKNOWN,
        };
        self.count(rule, at, &mut reading);
        Ok(reading)
    }

    /// With N of M, a verdict on the sample at `at` becomes one on the latest samples.
    #[inline]
    fn count(&mut self, rule: &Rule, at: Timestamp, reading: &mut Reading) {
        if let (Some(count), Some(holds)) = (rule.count, reading.holds) {
            let (enough, origin) = self.latest.get_or_insert_default().take(at, holds, reading.origin, count);
            reading.holds = Some(enough);
            reading.origin = origin;
        }
    }
}

/// Whether a formula is true with the newest values at `at`, and the least certain origin of these; none as long as an
/// input was never seen or is Bad.
pub(super) fn evaluate(
    formula: &Formula,
    at: Timestamp,
    values: &impl Values,
    inputs: &mut Vec<Value>,
) -> Result<(Option<bool>, Origin), ExpressionError> {
    inputs.clear();
    let mut origin = Origin::Measured;
    for (_, input) in &formula.inputs {
        match values.latest_at(*input, at) {
            Some(point) if point.quality.grade < Grade::Bad => {
                origin = origin.max(point.origin);
                inputs.push(point.value);
            }
            _ => return Ok((None, origin)),
        }
    }
    match formula.compiled.eval(inputs)? {
        Value::Bool(holds) => Ok((Some(holds), origin)),
        Value::Number(x) if !x.is_nan() => Ok((Some(x != 0.0), origin)),
        other => Err(ExpressionError { message: format!("true, false or a number is expected, not {other:?}") }),
    }
}

/// The more extreme of two values in the direction of a condition; none where values have no order.
pub(super) fn worse(condition: &Condition, a: f64, b: f64) -> Option<f64> {
    let most = |size: fn(f64) -> f64| if size(b) > size(a) { b } else { a };
    Some(match condition {
        Condition::Limit { level: Level::High | Level::HighHigh, .. } => most(|x| x),
        Condition::Limit { level: Level::Low | Level::LowLow, .. } => most(|x| -x),
        Condition::Rate { direction: Direction::Rising, .. } => most(|x| x),
        Condition::Rate { direction: Direction::Falling, .. } => most(|x| -x),
        Condition::Rate { direction: Direction::Either, .. } | Condition::Deviation { .. } => most(f64::abs),
        _ => return None,
    })
}

fn usable(value: &Value, quality: Quality) -> bool {
    quality.grade < Grade::Bad && value.as_f64().is_none_or(f64::is_finite)
}

fn usable_number(value: &Value, quality: Quality) -> Option<f64> {
    if usable(value, quality) { value.as_f64() } else { None }
}

/// Limits are read of what lies beyond the signal's range too: such a value is not to be trusted, but what is wrong there
/// must not hide that it is beyond a limit.
fn number_for_limits(value: &Value, quality: Quality) -> Option<f64> {
    let readable = quality.grade < Grade::Bad || quality.reason == Reason::OutOfRange;
    value.as_f64().filter(|x| readable && x.is_finite())
}

fn beyond(level: Level, x: f64, limit: f64, deadband: f64, active: bool) -> bool {
    match level {
        Level::High | Level::HighHigh => edge::is_above(x, limit, deadband, active),
        Level::Low | Level::LowLow => edge::is_below(x, limit, deadband, active),
    }
}

fn deviation(x: f64, from: f64, limit: f64, deadband: f64, active: bool) -> Reading {
    Reading::new(edge::is_apart(x, from, limit, deadband, active), Some(x - from))
}

/// Equal as values of a signal: a boolean and 0 or 1 are the same, text is compared letter by letter.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a == b,
        _ => a.as_f64().is_some_and(|a| b.as_f64() == Some(a)),
    }
}
