//! What signals see of models, checked. In: `measures` as scenes write it, the machines of the scene. Out: a
//! [`Measure`] by signal, in the signal's unit; or what does not fit.

use super::format::{MeasureDef, MeasureFields, QuantityDef};
use super::formulas::Asker;
use super::machines::{Machines, Owner};
use super::models;
use super::report::{Hint, Report};
use super::resolved::{Scene, Signal, ValueKind};
use super::simulated::{Instrument, Measure, Seen};
use super::span::Spanned;
use super::text;
use crate::model::OutputKind;
use crate::value::{Conversion, SignalIndex, Unit};

/// What all signals measure.
pub(super) fn resolve(
    measures: &[(SignalIndex, Spanned<MeasureDef>)],
    machines: &Machines,
    scene: &mut Scene,
    report: &mut Report,
) {
    for (index, def) in measures {
        let signal = &scene.signals[index.at()];
        let item = scene.signal_path(*index);
        let fields = match &def.value {
            MeasureDef::Of(path) => {
                &MeasureFields { of: Some(Spanned::new(path.clone(), def.span)), ..MeasureFields::default() }
            }
            MeasureDef::Through(fields) => fields,
        };
        let asked = Asked { signal, item: &item, machines };
        let seen = match (&fields.of, &fields.by) {
            (Some(path), None) => asked.output(path, report),
            (None, Some(expression)) => asked.formula(expression, report),
            _ => {
                let brief = "measures one output, or what an expression makes of outputs";
                let hint = "give `of: \"flow\"` or `by: \"…\"`, one of them";
                report.error("bad-measure", def.span, &item, brief, hint.into());
                None
            }
        };
        let Some((of, conversion)) = seen else { continue };
        let instrument = asked.instrument(fields, report);
        scene.measures.insert(*index, Measure { of, conversion, instrument });
    }
}

/// One signal that measures.
struct Asked<'a> {
    signal: &'a Signal,
    item: &'a str,
    machines: &'a Machines,
}

impl Asked<'_> {
    fn owner(&self) -> Option<&Owner> {
        self.machines.twin(self.signal.twin)
    }

    /// An output of the twin's models by its path.
    fn output(&self, path: &Spanned<String>, report: &mut Report) -> Option<(Seen, Conversion)> {
        let (machine, output) = self.machines.own_output(self.owner()?, path, path.span, self.item, report)?;
        let said = &self.machines.description(machine)?.outputs[output];
        let (fits, wanted) = match said.kind {
            OutputKind::Number => (self.signal.kind == ValueKind::Number, "a number"),
            OutputKind::Flag => (self.signal.kind == ValueKind::Bool, "a Bool"),
            OutputKind::Words(_) => (self.signal.kind == ValueKind::Text, "a Text"),
        };
        if !fits {
            let brief = format!("measures `{}`, which is {wanted}, not a {:?}", path.value, self.signal.kind);
            report.error("wrong-kind", path.span, self.item, brief, Hint::NONE);
            return None;
        }
        let (own, unit) = (Unit::parse(said.unit).ok()?, &self.signal.unit);
        // Controllers and generators have no unit of their own: they give what they were given.
        let otherwise = || said.unit.is_empty().then_some(Conversion::IDENTITY);
        let Some(conversion) = own.conversion_to(unit).or_else(otherwise) else {
            let brief = format!("measures `{}` in `{}`, which does not fit `{unit}`", path.value, said.unit);
            report.error("unit-mismatch", path.span, self.item, brief, Hint::NONE);
            return None;
        };
        Some((Seen::Output { machine, output }, conversion))
    }

    /// An expression over outputs; its value is in the signal's unit.
    fn formula(&self, source: &Spanned<String>, report: &mut Report) -> Option<(Seen, Conversion)> {
        let asker = Asker { owner: self.owner()?, machines: self.machines, item: self.item };
        let formula = asker.formula(source, &[self.signal.kind], report)?;
        Some((Seen::Formula(formula), Conversion::IDENTITY))
    }

    fn instrument(&self, fields: &MeasureFields, report: &mut Report) -> Instrument {
        let number = self.signal.kind == ValueKind::Number;
        let of_numbers = [
            ("noise", fields.noise.as_ref().map(|one| one.span)),
            ("relative_noise", fields.relative_noise.as_ref().map(|one| one.span)),
            ("resolution", fields.resolution.as_ref().map(|one| one.span)),
            ("bias", fields.bias.as_ref().map(|one| one.span)),
            ("range", fields.range.as_ref().map(|one| one.span)),
            ("lag", fields.lag.as_ref().map(|one| one.span)),
        ];
        if let Some((name, span)) = of_numbers.iter().find_map(|(name, span)| Some((name, span.filter(|_| !number)?))) {
            let brief = format!("{name}: a {:?} has none", self.signal.kind);
            report.error("bad-measure", span, self.item, brief, Hint::NONE);
            return Instrument::default();
        }
        let share = fields.relative_noise.as_ref().map_or(0.0, |share| {
            if !(0.0..=10.0).contains(&share.value) {
                let brief = format!("relative_noise is a share of the value, from 0 to 10, found {}", share.value);
                report.error("out-of-bounds", share.span, self.item, brief, Hint::NONE);
            }
            share.value
        });
        if let Some(range) = fields.range.as_ref().filter(|range| range.value.0 >= range.value.1) {
            let brief = format!("range starts at {:?}, which must be below its end {:?}", range.value.0, range.value.1);
            report.error("range-order", range.span, self.item, brief, Hint::NONE);
        }
        let mut nanos = |name: &str, given: &Option<Spanned<String>>| -> u64 {
            let Some(given) = given else { return 0 };
            match text::duration(given) {
                Ok(duration) => u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX),
                Err(brief) => {
                    report.error("bad-duration", given.span, self.item, format!("{name}: {brief}"), Hint::NONE);
                    0
                }
            }
        };
        let (lag, dead_time) = (nanos("lag", &fields.lag), nanos("dead_time", &fields.dead_time));
        let period = Some(nanos("period", &fields.period)).filter(|period| *period > 0);
        let resolution = self.difference("resolution", &fields.resolution, false, report);
        Instrument {
            noise: self.difference("noise", &fields.noise, false, report),
            relative_noise: share,
            resolution,
            bias: self.difference("bias", &fields.bias, true, report),
            range: fields.range.as_ref().map(|range| range.value),
            lag_secs: lag as f64 / 1e9,
            dead_time,
            period,
        }
    }

    /// The difference between two values in the signal's unit: `0.1 K` of a temperature in °C.
    fn difference(&self, name: &str, given: &Option<Spanned<QuantityDef>>, negative: bool, report: &mut Report) -> f64 {
        let Some(given) = given else { return 0.0 };
        let symbol = self.signal.unit.to_string();
        let number = match &given.value {
            QuantityDef::Text(text) => models::difference(text, &self.signal.unit),
            QuantityDef::Number(x) if symbol.is_empty() => Ok(*x),
            _ => Err(format!("write it with a unit: \"0.1 {symbol}\"")),
        };
        match number {
            Ok(x) if negative || x >= 0.0 => x,
            Ok(x) => {
                let brief = format!("{name} must not be below 0, found {x}");
                report.error("out-of-bounds", given.span, self.item, brief, Hint::NONE);
                0.0
            }
            Err(brief) => {
                report.error("bad-quantity", given.span, self.item, format!("{name}: {brief}"), Hint::NONE);
                0.0
            }
        }
    }
}
