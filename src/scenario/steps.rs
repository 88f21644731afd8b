//! What a scenario does, as it is written. In: steps of the file. Out: [`Step`]s; or what does not fit.

use super::experiment::{Start, Steady, Step, StepKind};
use super::faults;
use super::format::{ScenarioFile, StepDef};
use super::load::{Resolver, nanos};
use crate::scene::report::Hint;
use crate::scene::{self, Spanned};

impl Resolver<'_> {
    pub(super) fn step(&mut self, number: usize, def: &Spanned<StepDef>) -> Option<Step> {
        let (item, span) = (format!("step {number}"), def.span);
        let at = match &def.at {
            Some(given) => self.time(given, &item, "at")?,
            None => 0,
        };
        let when = match &def.when {
            Some(given) => Some(self.names.condition(given, &item, "when")?),
            None => None,
        };
        let within = match &def.within {
            Some(given) => {
                let within = nanos(&mut self.names, given, &item, "within")?;
                if at.saturating_add(within) > self.duration {
                    let brief = "`within`: it would still wait at the end of the experiment";
                    let hint = "make it shorter, or `duration` longer, or leave it out: a step waits to the end";
                    self.names.error("bad-duration", given.span, &item, brief, hint.into());
                    return None;
                }
                Some(within)
            }
            None => None,
        };
        if within.is_some() && when.is_none() {
            let brief = "`within` says how long it waits, but it waits for nothing";
            self.names.error("bad-step", span, &item, brief, "add `when`".into());
            return None;
        }
        let deeds = [
            def.fault.is_some(),
            def.clear.is_some(),
            def.repair.is_some(),
            def.acknowledge.is_some(),
            def.command.is_some(),
            def.note.is_some(),
        ];
        let deeds = deeds.into_iter().filter(|is_there| *is_there).count();
        if deeds != 1 {
            let brief = if deeds == 0 { "does nothing" } else { "does several things at once" };
            let hint = "give one of `fault`, `clear`, `repair`, `acknowledge`, `command` and `note`; several steps may have \
                        one time";
            self.names.error("bad-step", span, &item, brief, hint.into());
            return None;
        }
        if def.fault.is_none() && !self.has_only_fields_of_its_own(def, &item) {
            return None;
        }
        let kind = if def.fault.is_some() {
            if at >= self.duration {
                let brief = "the fault begins when the experiment ends";
                self.names.error("bad-duration", span, &item, brief, "let it come earlier".into());
                return None;
            }
            StepKind::Fault(faults::fault(number, def, &item, &self.said, &mut self.names)?)
        } else if let Some(id) = &def.clear {
            StepKind::Clear((id.value != "all").then(|| id.value.clone()))
        } else if let Some(path) = &def.repair {
            let (machine, repair) = self.names.repair(path, &item)?;
            StepKind::Repair { path: path.value.clone(), machine, repair }
        } else if let Some(path) = &def.acknowledge {
            StepKind::Acknowledge(self.names.alarm(path, &item)?)
        } else if let Some(path) = &def.command {
            self.command(path, def, &item)?
        } else {
            StepKind::Note(def.note.as_ref()?.value.clone())
        };
        Some(Step { at, when, within, kind })
    }

    /// A field that only faults have would do nothing.
    fn has_only_fields_of_its_own(&mut self, def: &StepDef, item: &str) -> bool {
        let text = |field: &Option<Spanned<String>>| field.as_ref().map(|field| field.span);
        let given = [
            ("on", def.on.as_ref().map(|on| on.span)),
            ("with", def.with.0.first().map(|(name, _)| name.span)),
            ("ramp", text(&def.ramp)),
            ("lasts", text(&def.lasts)),
            ("every", text(&def.every)),
            ("times", def.times.as_ref().map(|times| times.span)),
            ("id", text(&def.id)),
        ];
        let takes = |field: &str| def.command.is_some() && ["with", "id"].contains(&field);
        let given = given.into_iter().find_map(|(field, span)| Some((field, span?)).filter(|_| !takes(field)));
        let Some((field, span)) = given else { return true };
        let brief = format!("`{field}` belongs to a fault, and this step has none");
        self.names.error("bad-step", span, item, brief, format!("leave `{field}` out").into());
        false
    }

    /// Every fault has an id of its own, what is cleared is a fault that has begun, and nothing is broken before the plant
    /// was looked at.
    pub(super) fn check_order(
        &mut self,
        file: &ScenarioFile,
        steps: &[Option<Step>],
        steady: Option<&Steady>,
        start: Option<&Start>,
    ) {
        let time = |number: usize| Some(steps.get(number - 1)?.as_ref()?.at);
        let faults: Vec<(String, Option<u64>)> = (1..)
            .zip(&file.steps)
            .filter(|(_, def)| def.fault.is_some())
            .map(|(number, def)| (faults::id(number, def), time(number)))
            .collect();
        for (number, def) in (1..).zip(&file.steps) {
            let item = format!("step {number}");
            if def.fault.is_some() {
                let id = faults::id(number, def);
                if faults.iter().filter(|(one, _)| *one == id).count() > 1 {
                    let span = def.id.as_ref().map_or(def.span, |id| id.span);
                    let brief = format!("two faults are called `{id}`");
                    self.names.error("duplicate-name", span, &item, brief, "give each one an id of its own".into());
                }
                if start.is_some_and(|start| start.standing.contains(&id)) {
                    let span = def.id.as_ref().map_or(def.span, |id| id.span);
                    let brief = format!("a fault that stands in the recording is called `{id}` too");
                    self.names.error("duplicate-name", span, &item, brief, "give this one an `id` of its own".into());
                }
                let by = steady.map(|steady| steady.by);
                if by.zip(time(number)).is_some_and(|(by, at)| at < by) {
                    let span = def.at.as_ref().map_or(def.span, |at| at.span);
                    let brief = "it may come before the plant has been found steady: see `steady`";
                    let hint = "let it come later, or look at the plant earlier";
                    self.names.error("bad-step", span, &item, brief, hint.into());
                }
            }
            let Some(id) = def.clear.as_ref().filter(|id| id.value != "all") else { continue };
            match faults.iter().find(|(one, _)| *one == id.value) {
                None => {
                    let near = scene::nearest::nearest(id, faults.iter().map(|(id, _)| id.as_str()));
                    let brief = format!("no fault is called `{}`", id.value);
                    let hint = Hint::meant_or(near, || "give the fault an `id`, or clear `all`".to_owned());
                    self.names.error("unknown-fault", id.span, &item, brief, hint);
                }
                Some((_, begins)) if begins.zip(time(number)).is_some_and(|(begins, at)| at < begins) => {
                    let brief = format!("`{}` is taken back before it begins", id.value);
                    self.names.error("bad-step", id.span, &item, brief, "let this step come later".into());
                }
                Some(_) => {}
            }
        }
    }
}
