//! What must come of an experiment, as it is written. In: expectations of the file. Out: [`Expectation`]s, each with a sentence;
//! or what does not fit.

use std::path::Path;

use super::experiment::{Bounds, Expect, Expectation, Reference, Stretch};
use super::format::ExpectDef;
use super::load::{Resolver, nanos};
use crate::plant::Profile;
use crate::scene::format::QuantityDef;
use crate::scene::report::Hint;
use crate::scene::rule::AlarmPath;
use crate::scene::{self, Condition, ProfileOf, Spanned};
use crate::session::profile;
use crate::value::{Conversion, SignalIndex, Unit};

/// What `NothingElse` excepts are the alarms that any other expectation wants to see.
pub(super) fn name_others(expectations: &mut [Expectation]) {
    let mut named: Vec<AlarmPath> = Vec::new();
    for one in expectations.iter() {
        match &one.expect {
            Expect::Raised { alarm, .. } | Expect::Cleared { alarm, .. } => named.push(alarm.clone()),
            Expect::Order { raised } => named.extend(raised.iter().cloned()),
            _ => {}
        }
    }
    for one in expectations {
        if let Expect::NothingElse { but } = &mut one.expect {
            but.extend(named.iter().cloned());
        }
    }
}

impl Resolver<'_> {
    pub(super) fn expectation(&mut self, def: &Spanned<ExpectDef>) -> Option<Expectation> {
        let (line, item) = (self.lines.of(def), "expect");
        let (text, expect) = match &def.value {
            ExpectDef::Raised { alarm, after, within } => {
                let stretch = self.within(after.as_ref(), within.as_ref())?;
                let text = format!("{} is raised{}", alarm.value, self.told(stretch));
                (text, Expect::Raised { alarm: self.names.alarm(alarm, item)?, stretch })
            }
            ExpectDef::Cleared { alarm, after, within } => {
                let stretch = self.within(after.as_ref(), within.as_ref())?;
                let text = format!("{} goes back to normal{}", alarm.value, self.told(stretch));
                (text, Expect::Cleared { alarm: self.names.alarm(alarm, item)?, stretch })
            }
            ExpectDef::NotRaised { alarm } => {
                let text = format!("{} is never raised", alarm.value);
                (text, Expect::NotRaised { alarm: self.names.alarm(alarm, item)? })
            }
            ExpectDef::NothingElse { but } => {
                let but: Vec<AlarmPath> = but.iter().filter_map(|alarm| self.names.alarm(alarm, item)).collect();
                ("no other alarm is raised".to_owned(), Expect::NothingElse { but })
            }
            ExpectDef::Order { raised } if raised.len() < 2 => {
                let hint = "name at least two, or write Raised(alarm: \"…\")";
                self.names.error("bad-value", def.span, item, "an order is of several alarms", hint.into());
                return None;
            }
            ExpectDef::Order { raised } => {
                let names: Vec<&str> = raised.iter().map(|alarm| alarm.value.as_str()).collect();
                let text = format!("{} are raised in this order", names.join(", "));
                let raised = raised.iter().map(|alarm| self.names.alarm(alarm, item)).collect::<Option<_>>()?;
                (text, Expect::Order { raised })
            }
            ExpectDef::Within { signal, low, high, from, until } => {
                let of = self.number(signal)?;
                let bounds = self.bounds(signal, of, low.as_ref(), high.as_ref())?;
                let stretch = self.stretch(from.as_ref(), until.as_ref())?;
                let text = format!("{} is {}{}", signal.value, bounded(&bounds), self.told(stretch));
                (text, Expect::Within { signal: of, bounds, stretch })
            }
            ExpectDef::Follows { signal, file, of, unit, by, shift, from, until } => {
                let index = self.number(signal)?;
                let own = self.names.scene.signals[index.at()].unit.clone();
                let by = self.names.difference(by, item, "by", own.symbol())?;
                if by < 0.0 {
                    self.names.error("bad-value", def.span, item, "`by` is below zero", Hint::NONE);
                    return None;
                }
                let shift = match shift {
                    Some(given) => nanos(&mut self.names, given, item, "shift")?,
                    None => 0,
                };
                let curve = self.curve(signal, &own, file, of.as_ref(), unit.as_ref())?;
                let stretch = self.stretch(from.as_ref(), until.as_ref())?;
                let text = format!("{} follows {}{}", signal.value, file.value, self.told(stretch));
                let reference = Reference { curve, by, shift, unit: own.symbol().to_owned() };
                (text, Expect::Follows { signal: index, reference, stretch })
            }
            ExpectDef::Verified { command, after, within } => {
                let stretch = self.within(after.as_ref(), within.as_ref())?;
                let text = format!("{} is verified{}", command.value, self.told(stretch));
                (text, Expect::Verified { command: command.value.clone(), stretch })
            }
            ExpectDef::Refused { command } => {
                (format!("{} is refused", command.value), Expect::Refused { command: command.value.clone() })
            }
            ExpectDef::Holds { that, from, until } => {
                let stretch = self.stretch(from.as_ref(), until.as_ref())?;
                let text = format!("{} is true{}", that.value, self.told(stretch));
                (text, Expect::Holds { that: self.condition(that)?, stretch })
            }
            ExpectDef::Becomes { that, after, within } => {
                let stretch = self.within(after.as_ref(), within.as_ref())?;
                let text = format!("{} becomes true{}", that.value, self.told(stretch));
                (text, Expect::Becomes { that: self.condition(that)?, stretch })
            }
            ExpectDef::Figure { of, by, low, high, from, until } => {
                let signal = self.number(of)?;
                let bounds = self.bounds(of, signal, low.as_ref(), high.as_ref())?;
                let stretch = self.stretch(from.as_ref(), until.as_ref())?;
                let what = format!("{:?}", by.value).to_lowercase();
                let text = format!("{what} of {} is {}{}", of.value, bounded(&bounds), self.told(stretch));
                (text, Expect::Figure { of: signal, by: by.value, bounds, stretch })
            }
        };
        Some(Expectation { line, text, expect })
    }

    /// From `after` on, for as long as `within`.
    fn within(&mut self, after: Option<&Spanned<String>>, within: Option<&Spanned<String>>) -> Option<Stretch> {
        let from = match after {
            Some(given) => self.time(given, "expect", "after")?,
            None => 0,
        };
        let length = match within {
            Some(given) => {
                let length = nanos(&mut self.names, given, "expect", "within")?;
                if from.saturating_add(length) > self.duration {
                    let brief = "`within` reaches beyond the end of the experiment";
                    let hint = "make it shorter, or `duration` longer, or leave it out: it waits to the end";
                    self.names.error("bad-duration", given.span, "expect", brief, hint.into());
                    return None;
                }
                length
            }
            None => self.duration,
        };
        Some(Stretch { from, until: from.saturating_add(length).min(self.duration) })
    }

    fn stretch(&mut self, from: Option<&Spanned<String>>, until: Option<&Spanned<String>>) -> Option<Stretch> {
        let begin = match from {
            Some(given) => self.time(given, "expect", "from")?,
            None => 0,
        };
        let end = match until {
            Some(given) => self.time(given, "expect", "until")?,
            None => self.duration,
        };
        if let Some(given) = until.filter(|_| end < begin) {
            self.names.error("bad-duration", given.span, "expect", "`until` lies before `from`", Hint::NONE);
            return None;
        }
        Some(Stretch { from: begin, until: end })
    }

    /// Within what time, in words; nothing for the whole experiment.
    fn told(&self, stretch: Stretch) -> String {
        let secs = |time: u64| format!("{} s", time as f64 / 1e9);
        match (stretch.from, stretch.until) {
            (0, until) if until >= self.duration => String::new(),
            (0, until) => format!(" until {}", secs(until)),
            (from, until) if until >= self.duration => format!(" from {} on", secs(from)),
            (from, until) => format!(" from {} to {}", secs(from), secs(until)),
        }
    }

    /// A signal that is a number.
    fn number(&mut self, given: &Spanned<String>) -> Option<SignalIndex> {
        let signal = self.names.signal(given, "expect")?;
        let kind = self.names.scene.signals[signal.at()].kind;
        if kind != scene::ValueKind::Number {
            let brief = format!("`{}` is a {kind:?}, not a number", given.value);
            self.names.error("wrong-kind", given.span, "expect", brief, "`Holds` takes conditions".into());
            return None;
        }
        Some(signal)
    }

    fn bounds(
        &mut self,
        given: &Spanned<String>,
        signal: SignalIndex,
        low: Option<&Spanned<QuantityDef>>,
        high: Option<&Spanned<QuantityDef>>,
    ) -> Option<Bounds> {
        let unit = self.names.scene.signals[signal.at()].unit.symbol().to_owned();
        let mut bound = |given: Option<&Spanned<QuantityDef>>, name: &str| match given {
            Some(given) => self.names.quantity(given, "expect", name, &unit, None).map(Some),
            None => Some(None),
        };
        let (low, high) = (bound(low, "low")?, bound(high, "high")?);
        let problem = match (low, high) {
            (None, None) => Some("has neither `low` nor `high`"),
            (Some(low), Some(high)) if low > high => Some("`low` is above `high`"),
            _ => None,
        };
        if let Some(brief) = problem {
            self.names.error("bad-value", given.span, "expect", brief, Hint::NONE);
            return None;
        }
        Some(Bounds { low, high, unit })
    }

    /// A column of a table, or a recorded signal, in the unit of a signal.
    fn curve(
        &mut self,
        signal: &Spanned<String>,
        own: &Unit,
        file: &Spanned<String>,
        of: Option<&Spanned<String>>,
        unit: Option<&Spanned<String>>,
    ) -> Option<Profile> {
        let is_recording = Path::new(&file.value).extension().is_some_and(|end| end.eq_ignore_ascii_case("mcap"));
        let given = match unit.map(|unit| (unit, Unit::parse(unit))) {
            None => own.clone(),
            Some((_, Ok(unit))) => unit,
            Some((at, Err(error))) => {
                self.names.error("bad-unit", at.span, "expect", error.to_string(), Hint::meant(error.nearest));
                return None;
            }
        };
        let Some(conversion) = given.conversion_to(own) else {
            let brief = format!("`{}` does not fit `{}`", given.symbol(), own.symbol());
            self.names.error("bad-unit", unit.map_or(file.span, |unit| unit.span), "expect", brief, Hint::NONE);
            return None;
        };
        let what = ProfileOf {
            item: "expect".to_owned(),
            span: file.span,
            file: self.folder.join(&file.value),
            of: of.unwrap_or(signal).value.clone(),
            is_recording,
            unit: given,
            input_unit: own.clone(),
            to_input: if is_recording { Conversion::IDENTITY } else { conversion },
            repeats: None,
        };
        match profile::read_one(&what, self.names.scene) {
            Ok(curve) => Some(curve),
            Err(cause) => {
                self.names.error("bad-profile", file.span, "expect", cause.to_string(), Hint::NONE);
                None
            }
        }
    }

    /// What must be true or false of signals.
    fn condition(&mut self, that: &Spanned<String>) -> Option<Condition> {
        let condition = self.names.condition(that, "expect", "that")?;
        if condition.inputs.is_empty() {
            let hint = "name one: signal(\"P-101.flow\") > 5";
            self.names.error("bad-expression", that.span, "expect", "it looks at no signal", hint.into());
            return None;
        }
        Some(condition)
    }
}

/// `at least 5 m3/h`
fn bounded(bounds: &Bounds) -> String {
    let of = |x: f64| if bounds.unit.is_empty() { x.to_string() } else { format!("{x} {}", bounds.unit) };
    match (bounds.low, bounds.high) {
        (Some(low), Some(high)) => format!("from {} to {}", of(low), of(high)),
        (Some(low), None) => format!("at least {}", of(low)),
        (None, Some(high)) => format!("at most {}", of(high)),
        (None, None) => "anything".to_owned(),
    }
}
