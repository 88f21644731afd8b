//! Checks one alarm as it is written. In: a merged definition, the signal that it is about. Out: what it watches and how
//! it annunciates; every mistake with its place and a way out.

use std::time::Duration;

use super::super::format::{AlarmDef, CountDef, RateDef, ReferenceDef, ValueDef};
use super::super::report::{Hint, Report};
use super::super::resolved::ValueKind;
use super::super::signals::{self, pure_expression_of};
use super::super::span::{Span, Spanned};
use super::super::text;
use super::merge::conditions;
use super::{LIMITS, Manner, Watch, no_condition, out_of_range};
use crate::scene::rule::{Condition, Count, Guidance, Level, Priority, Reference};
use crate::value::Value;

pub(super) struct Check<'c> {
    /// `Pump.vibration.high`
    item: String,
    key: &'c Spanned<String>,
    def: &'c AlarmDef,
    signal: Option<&'c signals::Prepared>,
    report: &'c mut Report,
}

impl<'c> Check<'c> {
    pub fn new(
        owner: &str,
        signal: Option<&'c signals::Prepared>,
        key: &'c Spanned<String>,
        def: &'c AlarmDef,
        report: &'c mut Report,
    ) -> Self {
        let item = match signal {
            Some(signal) => format!("{owner}.{}.{}", signal.name, key.value),
            None => format!("{owner}.{}", key.value),
        };
        let bad = |c: char| c == '.' || c == '"' || c == '\\' || c.is_control();
        if key.is_empty() || key.trim() != key.value || key.contains(bad) {
            let brief = "an alarm's name is not empty and has no dot, quote, backslash, or space at its ends";
            report.error("bad-name", key.span, &item, brief, Hint::NONE);
        }
        Self { item, key, def, signal, report }
    }

    fn fail(&mut self, rule: &'static str, span: Span, brief: impl Into<String>, hint: impl Into<Hint>) {
        self.report.error(rule, span, &self.item, brief, hint.into());
    }

    /// A limit makes the alarm already: a condition beside it would be a second one.
    pub fn no_condition_beside_limit(&mut self) {
        if let Some((name, span)) = conditions(self.def).first() {
            let brief = format!("limits.{} and `{name}` are two conditions of one alarm", self.key.value);
            self.fail("alarm-condition", *span, brief, "give the second condition an alarm of its own");
        }
    }

    /// The one condition of an alarm of the twin itself.
    pub fn of_twin(&mut self) -> Option<Watch> {
        match self.one_condition()? {
            ("when", _) => self.formula(),
            (name, span) => {
                let brief = format!("`{name}` is about one signal, but this alarm is about the whole twin");
                self.fail(
                    "alarm-condition",
                    span,
                    brief,
                    "put the alarm into its signal: signals: {\"…\": (alarms: {…})}",
                );
                None
            }
        }
    }

    /// The one condition of an alarm of a signal.
    pub fn of_signal(&mut self) -> Option<Watch> {
        let signal = self.signal?;
        let (name, span) = self.one_condition()?;
        let numeric = matches!(name, "above" | "below" | "rate" | "deviation");
        if numeric && signal.kind != ValueKind::Number {
            let brief = format!("`{name}` needs a number, but `{}` is a {:?}", signal.name, signal.kind);
            self.fail("kind-mismatch", span, brief, "is: […] watches for values that are not normal");
            return None;
        }
        match name {
            "above" => self.limit(Level::High, self.def.above.as_ref()?),
            "below" => self.limit(Level::Low, self.def.below.as_ref()?),
            "rate" => self.rate(self.def.rate.as_ref()?),
            "deviation" => self.deviation(),
            "is" => self.state(self.def.is.as_ref()?, false),
            "is_not" => self.state(self.def.is_not.as_ref()?, true),
            "when" => self.formula(),
            "stale" => self.yes(self.def.stale.as_ref()?).then_some(Watch::Stale(span)),
            _ => self.yes(self.def.bad.as_ref()?).then_some(Watch::Ready(Condition::Bad)),
        }
    }

    fn one_condition(&mut self) -> Option<(&'static str, Span)> {
        let named = conditions(self.def);
        match named.as_slice() {
            [] => {
                let hint = no_condition(&self.key.value, self.signal);
                let brief = match LIMITS.iter().find(|(name, _)| *name == self.key.value).and(self.signal) {
                    Some(signal) => format!("`{}` has no such limit, and no other condition is given", signal.name),
                    None => "no condition is given".to_owned(),
                };
                self.fail("alarm-condition", self.key.span, brief, hint);
                None
            }
            [(name, span)] => {
                let has_deadband = matches!(*name, "above" | "below" | "rate" | "deviation");
                if let Some(deadband) = self.def.deadband.as_ref().filter(|_| !has_deadband) {
                    let brief = format!("`{name}` has no deadband");
                    self.fail("bad-deadband", deadband.span, brief, "a short return is passed over with off_delay");
                }
                if let Some(count) = self.def.count.as_ref().filter(|_| *name == "stale") {
                    self.fail("bad-count", count.span, "silence has no samples to count", "wait with on_delay");
                }
                Some((*name, *span))
            }
            [(first, _), (second, span), ..] => {
                let brief = format!("`{first}` and `{second}` are two conditions of one alarm");
                self.fail("alarm-condition", *span, brief, "give each condition an alarm of its own");
                None
            }
        }
    }

    fn yes(&mut self, given: &Spanned<bool>) -> bool {
        if !given.value {
            let hint = "enabled: false takes an alarm away";
            self.fail("alarm-condition", given.span, "a condition is never `false`", hint);
        }
        given.value
    }

    fn limit(&mut self, level: Level, limit: &Spanned<f64>) -> Option<Watch> {
        // An alarm without a limit that bears a limit's name has its rank as well.
        let named = LIMITS.iter().find(|(name, _)| *name == self.key.value).map(|(_, level)| *level);
        let high = |level| matches!(level, Level::High | Level::HighHigh);
        let level = match named {
            Some(named) if high(named) != high(level) => {
                let word = if high(level) { "above" } else { "below" };
                let brief = format!("an alarm with the name `{}` cannot have the condition `{word}`", self.key.value);
                self.fail("alarm-condition", limit.span, brief, "give it another name");
                return None;
            }
            Some(named) => named,
            None => level,
        };
        let range = self.signal.and_then(|signal| signal.range);
        if let Some((low, high)) = range.filter(|(low, high)| limit.value < *low || limit.value > *high) {
            let brief = format!("the limit {:?} lies outside the range {low:?} to {high:?}", limit.value);
            let hint = out_of_range(Some(level), limit.value, (low, high));
            self.report.warning("limit-out-of-range", limit.span, &self.item, brief, hint);
        }
        let deadband = self.deadband(self.room(level, limit.value));
        Some(Watch::Ready(Condition::Limit { level, limit: limit.value, deadband }))
    }

    /// Rates and deviations are taken of values within the range only.
    fn never(&mut self, span: Span, brief: String) {
        let hint =
            "this alarm can never come: values out of range are Bad, and no rates or deviations are taken of them";
        self.report.warning("limit-never-reached", span, &self.item, brief, hint.into());
    }

    /// How far a value can go back from a limit before it meets the limit on the other side, or the end of the range;
    /// and what is met there.
    pub fn room(&self, level: Level, limit: f64) -> Option<(f64, String)> {
        let signal = self.signal?;
        let (across, end) = match level {
            Level::High | Level::HighHigh => ([Level::Low, Level::LowLow], signal.range.map(|(low, _)| low)),
            Level::Low | Level::LowLow => ([Level::High, Level::HighHigh], signal.range.map(|(_, high)| high)),
        };
        let met = across.into_iter().find_map(|level| {
            let name = LIMITS.iter().find(|(_, other)| *other == level).map(|(name, _)| *name)?;
            Some((signal.limits.get(level)?, format!("limits.{name}")))
        });
        let (met, name) = met.or(end.map(|end| (end, "the end of the range".to_owned())))?;
        Some(((limit - met).abs(), format!("{name} ({met:?})")))
    }

    pub fn deadband(&mut self, room: Option<(f64, String)>) -> f64 {
        let Some(deadband) = &self.def.deadband else { return 0.0 };
        let x = deadband.value;
        if x < 0.0 {
            let brief = format!("the deadband is a distance and not below 0, found {x:?}");
            self.fail("bad-deadband", deadband.span, brief, Hint::NONE);
        } else if let Some((_, met)) = room.filter(|(distance, _)| x > *distance) {
            let brief = format!("with a deadband of {x:?} it would clear only beyond {met}");
            self.fail("bad-deadband", deadband.span, brief, "a deadband is a little more than the signal's noise");
        }
        x
    }

    fn rate(&mut self, rate: &Spanned<RateDef>) -> Option<Watch> {
        let above = self.positive("rate", rate.above.as_ref(), rate.span);
        let over = match &rate.over {
            Some(over) => self.duration("rate.over", over),
            None => {
                let hint = "add over: \"30s\": the time over which the change is measured";
                self.fail("missing-field", rate.span, "rate: the field `over` is missing", hint);
                None
            }
        };
        let per = match &rate.per {
            Some(per) => self.duration("rate.per", per),
            None => Some(Duration::from_secs(1)),
        };
        let per = per?;
        let per_secs = per.as_secs_f64();
        let deadband = self.deadband(rate.above.as_ref().map(|above| (above.value, "0, no change at all".to_owned())));
        let range = self.signal.and_then(|signal| signal.range);
        if let (Some((low, high)), Some(above), Some(over)) = (range, above, over)
            && above / per_secs * over.as_secs_f64() > high - low
        {
            let brief =
                format!("a rate above {above:?} is more than the whole range {low:?} to {high:?} in the time `over`");
            self.never(rate.above.as_ref().map_or(rate.span, |above| above.span), brief);
        }
        Some(Watch::Ready(Condition::Rate {
            direction: rate.direction.as_ref().map(|given| given.value).unwrap_or_default(),
            limit_per_sec: above? / per_secs,
            over: over?,
            deadband_per_sec: deadband / per_secs,
            per,
        }))
    }

    /// The `above` of a rate or a deviation.
    fn positive(&mut self, field: &str, given: Option<&Spanned<f64>>, otherwise: Span) -> Option<f64> {
        match given {
            Some(given) if given.value > 0.0 => Some(given.value),
            Some(given) => {
                let brief = format!("{field}.above is a distance above 0, found {:?}", given.value);
                self.fail("bad-limit", given.span, brief, Hint::NONE);
                None
            }
            None => {
                self.fail("missing-field", otherwise, format!("{field}: the field `above` is missing"), Hint::NONE);
                None
            }
        }
    }

    fn deviation(&mut self) -> Option<Watch> {
        let deviation = self.def.deviation.as_ref()?;
        let limit = self.positive("deviation", deviation.above.as_ref(), deviation.span);
        let room = deviation.above.as_ref().map(|above| (above.value, "0, no deviation at all".to_owned()));
        let deadband = self.deadband(room);
        let Some(from) = &deviation.from else {
            let hint = "add from: a signal of the twin (\"command\"), of another (\"V-1.position\"), or a number";
            self.fail("missing-field", deviation.span, "deviation: the field `from` is missing", hint);
            return None;
        };
        let limit = limit?;
        Some(match &from.value {
            ReferenceDef::Number(x) => {
                if let Some((low, high)) = self.signal.and_then(|signal| signal.range)
                    && limit >= (x - low).abs().max((high - x).abs())
                {
                    let brief =
                        format!("no value of the range {low:?} to {high:?} is farther than {limit:?} from {x:?}");
                    self.never(deviation.above.as_ref().map_or(deviation.span, |above| above.span), brief);
                }
                Watch::Ready(Condition::Deviation { from: Reference::Value(*x), limit, deadband })
            }
            ReferenceDef::Signal(name) => {
                Watch::Deviation { from: Spanned::new(name.clone(), from.span), limit, deadband }
            }
        })
    }

    fn state(&mut self, given: &Spanned<Vec<Spanned<ValueDef>>>, inverted: bool) -> Option<Watch> {
        let signal = self.signal?;
        if given.value.is_empty() {
            self.fail("alarm-condition", given.span, "a list of values is empty", "name at least one value");
        }
        let mut values = Vec::with_capacity(given.value.len());
        for one in &given.value {
            let (value, kind, shown) = match &one.value {
                ValueDef::Bool(b) => (Value::Bool(*b), ValueKind::Bool, format!("`{b}`")),
                ValueDef::Number(x) => (Value::Number(*x), ValueKind::Number, x.to_string()),
                ValueDef::Text(text) => (Value::Text(text.as_str().into()), ValueKind::Text, format!("{text:?}")),
            };
            if kind != signal.kind {
                let brief = format!("{shown} can never be a value of `{}`, which is a {:?}", signal.name, signal.kind);
                let hint = match signal.kind {
                    ValueKind::Bool => "write true or false",
                    ValueKind::Number => "write a number",
                    ValueKind::Text => "write a text in quotes",
                };
                self.fail("kind-mismatch", one.span, brief, hint);
            }
            values.push(value);
        }
        Some(Watch::Ready(Condition::State { values, inverted }))
    }

    fn formula(&mut self) -> Option<Watch> {
        pure_expression_of(&self.item, "when", self.def.when.as_ref()?, self.report).map(Watch::Formula)
    }

    fn duration(&mut self, field: &str, given: &Spanned<String>) -> Option<Duration> {
        let read = text::duration(given);
        self.report_duration(field, given, read)
    }

    fn report_duration(
        &mut self,
        field: &str,
        given: &Spanned<String>,
        read: Result<Duration, String>,
    ) -> Option<Duration> {
        read.map_err(|brief| self.fail("bad-duration", given.span, format!("{field}: {brief}"), Hint::NONE)).ok()
    }

    fn delay(&mut self, field: &str, given: Option<&Spanned<String>>) -> Option<Duration> {
        let given = given?;
        let read = text::delay(given);
        self.report_duration(field, given, read)
    }

    /// Everything but the condition.
    pub fn manner(&mut self, priority: Priority) -> Manner {
        let def = self.def;
        let text = |given: &Option<Spanned<String>>| given.as_ref().map(|text| text.value.clone()).unwrap_or_default();
        Manner {
            on_delay: self.delay("on_delay", def.on_delay.as_ref()).unwrap_or_default(),
            off_delay: self.delay("off_delay", def.off_delay.as_ref()).unwrap_or_default(),
            count: def.count.as_ref().and_then(|count| self.count(count)),
            latching: def.latching.as_ref().is_some_and(|latching| latching.value),
            priority: def.priority.as_ref().map_or(priority, |priority| priority.value.into()),
            unless: def
                .unless
                .as_ref()
                .and_then(|unless| pure_expression_of(&self.item, "unless", unless, self.report)),
            group: text(&def.group),
            guidance: Guidance {
                message: text(&def.message),
                cause: text(&def.cause),
                consequence: text(&def.consequence),
                action: text(&def.action),
                respond_within: def.respond_within.as_ref().and_then(|given| self.duration("respond_within", given)),
            },
        }
    }

    fn count(&mut self, count: &Spanned<CountDef>) -> Option<Count> {
        let (Some(needed), Some(of), Some(within)) = (&count.needed, &count.of, &count.within) else {
            let missing = match (&count.needed, &count.of) {
                (None, _) => "needed",
                (_, None) => "of",
                _ => "within",
            };
            let hint = "write count: (needed: 3, of: 5, within: \"30s\")";
            self.fail("missing-field", count.span, format!("count: the field `{missing}` is missing"), hint);
            return None;
        };
        let within = self.duration("count.within", within);
        let (n, m) = (u8::try_from(needed.value), u8::try_from(of.value));
        match (n, m) {
            (Ok(n), Ok(m)) if n >= 1 && n <= m => Some(Count { needed: n, of: m, within: within? }),
            _ => {
                let brief = format!("count: {} of {} samples can never be counted", needed.value, of.value);
                let span = if m.is_err() || of.value == 0 { of.span } else { needed.span };
                self.fail("bad-count", span, brief, "needed is 1 up to `of`, `of` is at most 255");
                None
            }
        }
    }
}
