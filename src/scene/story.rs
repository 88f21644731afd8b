//! What happens in a simulated plant, checked. In: the story of a scene. Out: a [`Story`]; or what does not fit.

use super::format::{PlantDef, PlantFields, QuantityDef, StoryDef};
use super::machines::Machines;
use super::models;
use super::report::{Hint, Report};
use super::resolved::Scene;
use super::simulated::{Deed, Happening, Story};
use super::span::Spanned;
use super::text;
use crate::network::{Adjustment, Effect, Target};
use crate::value::Unit;

pub(super) fn resolve(def: &Spanned<PlantDef>, machines: &Machines, scene: &mut Scene, report: &mut Report) {
    let fields = match &def.value {
        PlantDef::Told(fields) => fields,
        PlantDef::Named(name) => {
            let brief = format!("`plant: \"{name}\"` names a plant that is built in: there is none any more");
            let hint = "take it out: a scene whose types have models is a plant";
            return report.warning("old-plant", def.span, "", brief, hint.into());
        }
    };
    let repeats = fields.repeats.as_ref().and_then(|given| nanos("repeats", given, report));
    let happenings = fields.story.iter().filter_map(|def| happening(def, fields, machines, scene, report)).collect();
    scene.story = Story { repeats, happenings };
}

fn nanos(name: &str, given: &Spanned<String>, report: &mut Report) -> Option<u64> {
    match text::delay(given) {
        Ok(duration) => u64::try_from(duration.as_nanos()).ok(),
        Err(brief) => {
            report.error("bad-duration", given.span, "plant", format!("{name}: {brief}"), Hint::NONE);
            None
        }
    }
}

fn happening(
    def: &StoryDef,
    all: &PlantFields,
    machines: &Machines,
    scene: &Scene,
    report: &mut Report,
) -> Option<Happening> {
    let from = nanos("at", &def.at, report)?;
    let until = match &def.until {
        Some(given) => Some(nanos("until", given, report)?),
        None => None,
    };
    if until.is_some_and(|until| until <= from) {
        let brief = "`until` must lie behind `at`";
        report.error("bad-duration", def.at.span, "plant", brief, Hint::NONE);
        return None;
    }
    let repeats = all.repeats.as_ref().and_then(|given| text::delay(given).ok());
    if repeats.is_some_and(|repeats| until.unwrap_or(from) as u128 > repeats.as_nanos()) {
        let brief = "lies behind the time after which the story begins again";
        report.error("bad-duration", def.at.span, "plant", brief, Hint::NONE);
        return None;
    }
    let deed = match (&def.target, &def.repair, &def.silence) {
        (Some(target), None, None) => adjustment(target, def, machines, report)?,
        (None, Some(repair), None) => {
            let (machine, repair) = machines.repair(repair, report)?;
            Deed::Repair { machine, repair }
        }
        (None, None, Some(path)) => {
            let signal = path.rsplit_once('.').and_then(|(id, name)| scene.signal(id, name));
            let Some(signal) = signal else {
                let brief = format!("silence: there is no signal `{}`", path.value);
                report.error("unknown-signal", path.span, "plant", brief, "write it as \"P-101.flow\"".into());
                return None;
            };
            Deed::Silence(signal.index)
        }
        _ => {
            let hint = "give one of target: \"P-101.bearing.growth_rate\", repair: \"…\", silence: \"P-101.flow\"";
            report.error("bad-story", def.at.span, "plant", "one thing happens at a time", hint.into());
            return None;
        }
    };
    Some(Happening { from, until, deed })
}

fn adjustment(path: &Spanned<String>, def: &StoryDef, machines: &Machines, report: &mut Report) -> Option<Deed> {
    let (target, name, unit) = machines.target(path, report)?;
    let effect = match (&def.set, &def.scale, &def.add) {
        (Some(given), None, None) => Effect::Set(models::quantity(path, name, unit, None, given, report)?),
        (None, Some(factor), None) if factor.value.is_finite() => Effect::Scale(factor.value),
        (None, None, Some(given)) => Effect::Add(added(path, name, unit, given, report)?),
        _ => {
            let brief = "a target gets one of `set`, `scale` and `add`";
            report.error("bad-story", path.span, path, brief, Hint::NONE);
            return None;
        }
    };
    if let (Target::Parameter { machine, parameter }, Effect::Set(x)) = (target, effect)
        && let Some(said) = machines.description(machine).map(|description| &description.parameters[parameter])
        && !(said.bounds.0..=said.bounds.1).contains(&x)
    {
        let (low, high) = said.bounds;
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        let brief = format!("{name} must be from {low}{unit} to {high}{unit}, found {x}{unit}");
        report.error("out-of-bounds", path.span, path, brief, said.about.trim().into());
        return None;
    }
    Some(Deed::Adjust(Adjustment { target, effect }))
}

/// What is added to a quantity: a difference, which has no zero.
fn added(item: &str, name: &str, unit: &str, given: &Spanned<QuantityDef>, report: &mut Report) -> Option<f64> {
    let found = match &given.value {
        QuantityDef::Text(text) => models::difference(text, &Unit::parse(unit).unwrap_or_default()),
        QuantityDef::Number(x) if unit.is_empty() => Ok(*x),
        _ => Err(format!("write it with a unit: \"1 {unit}\"")),
    };
    found.map_err(|brief| report.error("bad-quantity", given.span, item, format!("{name}: {brief}"), Hint::NONE)).ok()
}
