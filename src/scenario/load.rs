//! From a scenario file to an experiment. In: a path. Out: the [`Experiment`], or every issue at once, those of its scene
//! included. Never panics on what a file says.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::experiment::{Bounds, Expect, Expectation, Experiment, Steady, Step, StepKind, Stretch};
use super::format::{ExpectDef, ScenarioFile, StepDef, VERSION};
use super::{faults, find};
use crate::ingest::Encoder;
use crate::scene::document::{self, Names};
use crate::scene::format::{QuantityDef, Table};
use crate::scene::report::{Hint, Report};
use crate::scene::rule::AlarmPath;
use crate::scene::{self, Condition, FileId, Issue, Scene, SourceFile, Spanned};
use crate::session::profile;
use crate::value::SignalIndex;

/// Simulated time that an experiment may last, in nanoseconds.
const LONGEST: u64 = 31 * 86_400 * 1_000_000_000;
/// Combinations of a matrix, and seeds.
const MOST_CASES: usize = 10_000;
/// The longest time that anything in it may be said to last.
const LONGEST_DELAY: u64 = 366 * 86_400 * 1_000_000_000;

/// What came of loading.
#[derive(Debug, Default)]
pub struct Loaded {
    /// One for each combination of the values of the matrix, one where there is none; empty where there are errors.
    pub experiments: Vec<Experiment>,
    pub issues: Vec<Issue>,
    /// The texts that issues point into.
    pub sources: Vec<SourceFile>,
    /// Every file that was read or looked for, to watch for changes.
    pub files: Vec<PathBuf>,
}

impl Loaded {
    /// All issues as text, with the lines they point at.
    pub fn render(&self, colour: bool) -> String {
        scene::render(&self.issues, &self.sources, colour)
    }
}

/// Reads a scenario and its scene.
pub fn load(path: &Path) -> Loaded {
    let mut report = Report::default();
    let mut loaded = Loaded { files: vec![path.to_owned()], ..Loaded::default() };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let id = report.add_file(path.to_owned(), Arc::from(""));
            let brief = format!("{} cannot be read: {error}", path.display());
            report.error("unreadable-file", scene::Span::new(id, 0..0), "", brief, Hint::NONE);
            (loaded.issues, loaded.sources) = report.finish();
            return loaded;
        }
    };
    let id = report.add_file(path.to_owned(), text.as_str().into());
    if find::begins_with(&text, "Scene") {
        let hint = "a scenario begins with `Scenario(` and names a scene; `pollux check` reads scenes";
        report.error("not-a-scenario", scene::Span::new(id, 0..0), "", "this is a scene, not a scenario", hint.into());
        (loaded.issues, loaded.sources) = report.finish();
        return loaded;
    }
    let cases = cases(&text, id, &mut report);
    let read = |case: &Case, report: &mut Report| document::read::<ScenarioFile>(&text, id, VERSION, case, report);
    let files: Vec<ScenarioFile> = cases.iter().filter_map(|case| read(case, &mut report)).collect();
    if let Some(file) = files.first() {
        let scene_path = path.parent().unwrap_or(Path::new("")).join(&file.scene.value);
        if !scene_path.is_file() {
            let brief = format!("there is no scene {}", scene_path.display());
            let hint = "`scene` is a path from the folder of this file on";
            report.error("unreadable-file", file.scene.span, "", brief, hint.into());
            loaded.files.push(scene_path);
            (loaded.issues, loaded.sources) = report.finish();
            return loaded;
        }
        let of = scene::load(&scene_path);
        loaded.files.extend(of.files);
        match of.scene {
            Some(scene) => {
                let scene = Arc::new(scene);
                let each = files.iter().zip(&cases);
                let experiments = each.filter_map(|(file, case)| resolve(path, file, case, scene.clone(), &mut report));
                loaded.experiments = experiments.collect();
            }
            None => {
                let brief = format!("the scene {} has errors", file.scene.value);
                report.error("bad-scene", file.scene.span, "", brief, Hint::NONE);
            }
        }
        loaded.issues = of.issues;
        loaded.sources = of.sources;
    }
    if report.errors > 0 {
        loaded.experiments.clear();
    }
    let (issues, sources) = report.finish();
    loaded.issues.extend(issues);
    loaded.sources.extend(sources);
    loaded
}

/// Values of a matrix by name.
type Case = Vec<(String, QuantityDef)>;

/// What is read before the rest, whatever the rest says.
#[derive(Deserialize)]
#[serde(rename = "Scenario")]
struct Head {
    #[serde(default)]
    matrix: Table<Spanned<Vec<QuantityDef>>>,
}

/// Every combination of the values of the matrix; the last name changes first.
fn cases(text: &str, id: FileId, report: &mut Report) -> Vec<Case> {
    let mut cases: Vec<Case> = vec![Vec::new()];
    // What is wrong with its shape is told when the whole is read.
    let Some(head) = document::read::<Head>(text, id, VERSION, &[], &mut Report::default()) else { return cases };
    for (name, values) in &head.matrix.0 {
        let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.is_empty();
        let is_flat = values.iter().all(|value| !matches!(value, QuantityDef::Rows(_)));
        let problem = if !is_name {
            Some(("a name is made of letters, digits and _".to_owned(), "such as size"))
        } else if values.is_empty() || !is_flat {
            Some((format!("`{}` needs values", name.value), "a list of texts or numbers: [\"5 cm\", \"20 cm\"]"))
        } else if !text.contains(&format!("{{{}}}", name.value)) {
            Some((format!("`{}` stands nowhere", name.value), "write its name in braces where its values are to stand"))
        } else if cases.len() * values.len() > MOST_CASES {
            Some((format!("there are more than {MOST_CASES} combinations"), "leave some out"))
        } else {
            None
        };
        if let Some((brief, hint)) = problem {
            report.error("bad-matrix", name.span, "matrix", brief, hint.into());
            continue;
        }
        let with = |case: &Case, value: &QuantityDef| {
            let added = (name.value.clone(), value.clone());
            case.iter().cloned().chain([added]).collect::<Case>()
        };
        cases = cases.iter().flat_map(|case| values.iter().map(|value| with(case, value))).collect();
    }
    cases
}

fn resolve(
    path: &Path,
    file: &ScenarioFile,
    case: &Case,
    scene: Arc<Scene>,
    report: &mut Report,
) -> Option<Experiment> {
    let profiles = match profile::read(&scene) {
        Ok(profiles) => profiles,
        Err(errors) => {
            let brief = profile::told(&errors);
            report.error("bad-scene", file.scene.span, "", brief, "the scene names the file".into());
            Vec::new()
        }
    };
    if scene.blueprint.is_none() {
        let brief = format!("the scene {} has no models: there is nothing to experiment on", file.scene.value);
        report.error("bad-scene", file.scene.span, "", brief, "give its twin types a `model`".into());
        return None;
    }
    let lines = Lines { text: report.sources.last().map(|source| source.text.clone()).unwrap_or_default() };
    let mut names = Names { scene: &scene, report };
    let duration = nanos(&mut names, &file.duration, "", "duration")?;
    if duration == 0 || duration > LONGEST {
        let brief = "the duration must be above zero and at most 744h, which are 31 days";
        names.error("bad-duration", file.duration.span, "", brief, Hint::NONE);
        return None;
    }
    let first = file.seed.unwrap_or(1);
    let count = file.seeds.as_ref().map_or(1, |seeds| seeds.value);
    if count == 0 || count > MOST_CASES as u64 {
        let span = file.seeds.as_ref().map_or(file.duration.span, |seeds| seeds.span);
        let brief = format!("`seeds` says with how many it is carried out: from 1 to {MOST_CASES}");
        names.error("bad-value", span, "", brief, Hint::NONE);
        return None;
    }
    let seeds = (0..count).map(|nth| first.wrapping_add(nth)).collect();
    let said = Said::of(&scene);
    let mut of = Resolver { names, duration, lines, said };
    let steady = file.steady.as_ref().and_then(|steady| {
        let by = of.time(&steady.by, "steady", "by")?;
        let holds = steady.holds.iter().filter_map(|that| of.names.condition(that, "steady", "holds")).collect();
        Some(Steady { by, holds })
    });
    let steps: Vec<Option<Step>> = (1..).zip(&file.steps).map(|(number, def)| of.step(number, def)).collect();
    of.check_order(file, &steps, steady.as_ref());
    let steps: Vec<Step> = steps.into_iter().flatten().collect();
    let aborts = file.abort.iter().filter_map(|that| of.names.condition(that, "abort", "abort")).collect::<Vec<_>>();
    let mut expectations: Vec<Expectation> = file.expect.iter().filter_map(|def| of.expectation(def)).collect();
    if file.expect.is_empty() && file.abort.is_empty() && file.steady.is_none() {
        let brief = "expects nothing: it could not fail";
        let hint = "add `expect`; expect: [NothingElse()] says that no alarm is raised";
        of.names.error("no-expectation", file.duration.span, "", brief, hint.into());
    }
    // What is lost without a word would pass unseen.
    let is_whole = (steady.is_some(), steps.len(), aborts.len(), expectations.len())
        == (file.steady.is_some(), file.steps.len(), file.abort.len(), file.expect.len());
    if !is_whole && of.names.report.errors == 0 {
        let brief = "a part of it was not understood, and no reason is known";
        of.names.error(
            "not-understood",
            file.duration.span,
            "",
            brief,
            "this is a fault of Pollux: tell its makers".into(),
        );
    }
    name_others(&mut expectations);
    Some(Experiment {
        path: path.to_owned(),
        title: file.title.clone(),
        scene_path: path.parent().unwrap_or(Path::new("")).join(&file.scene.value),
        scene,
        profiles,
        case: case.iter().map(|(name, value)| (name.clone(), value.told())).collect(),
        seeds,
        duration,
        story: file.story,
        steady,
        steps,
        aborts,
        expectations,
    })
}

/// What `NothingElse` excepts are the alarms that any other expectation wants to see.
fn name_others(expectations: &mut [Expectation]) {
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

/// A time from zero on.
pub(super) fn nanos(names: &mut Names<'_>, given: &Spanned<String>, item: &str, field: &str) -> Option<u64> {
    let delay = names.delay(given, item, field)?;
    let nanos = u64::try_from(delay.as_nanos()).ok().filter(|nanos| *nanos <= LONGEST_DELAY);
    if nanos.is_none() {
        let brief = format!("{field}: {:?} is too long: at most 8784h, which are 366 days", given.value);
        names.error("bad-duration", given.span, item, brief, Hint::NONE);
    }
    nanos
}

struct Lines {
    text: Arc<str>,
}

impl Lines {
    fn of<T>(&self, at: &Spanned<T>) -> u32 {
        let before = self.text.get(..at.span.start as usize).unwrap_or_default();
        1 + u32::try_from(before.matches('\n').count()).unwrap_or(0)
    }
}

struct Resolver<'a> {
    names: Names<'a>,
    duration: u64,
    lines: Lines,
    said: Said,
}

/// What the simulated plant says.
pub(super) struct Said {
    /// Signals that it measures.
    pub signals: BTreeSet<SignalIndex>,
    /// Topics of these, sorted.
    pub topics: BTreeSet<String>,
}

impl Said {
    fn of(scene: &Scene) -> Self {
        let encoder = Encoder::new(scene);
        let has_topic = |signal: &SignalIndex| Some((*signal, encoder.topic_of(*signal)?));
        let said: Vec<(SignalIndex, usize)> = scene.measures.keys().filter_map(has_topic).collect();
        let topic = |(_, at): &(SignalIndex, usize)| encoder.topics().get(*at).map(|topic| topic.name.clone());
        Self { topics: said.iter().filter_map(topic).collect(), signals: said.iter().map(|(at, _)| *at).collect() }
    }
}

impl Resolver<'_> {
    /// A time within the experiment.
    fn time(&mut self, given: &Spanned<String>, item: &str, field: &str) -> Option<u64> {
        let time = nanos(&mut self.names, given, item, field)?;
        if time > self.duration {
            let brief = format!("{field}: {} lies behind the end of the experiment", given.value);
            self.names.error("bad-duration", given.span, item, brief, "make `duration` longer".into());
            return None;
        }
        Some(time)
    }

    fn step(&mut self, number: usize, def: &Spanned<StepDef>) -> Option<Step> {
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
            def.note.is_some(),
        ];
        let deeds = deeds.into_iter().filter(|is_there| *is_there).count();
        if deeds != 1 {
            let brief = if deeds == 0 { "does nothing" } else { "does several things at once" };
            let hint =
                "give one of `fault`, `clear`, `repair`, `acknowledge` and `note`; several steps may have one time";
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
        let Some((field, span)) = given.into_iter().find_map(|(field, span)| Some((field, span?))) else { return true };
        let brief = format!("`{field}` belongs to a fault, and this step has none");
        self.names.error("bad-step", span, item, brief, format!("leave `{field}` out").into());
        false
    }

    /// Every fault has an id of its own, what is cleared is a fault that has begun, and nothing is broken before the plant
    /// was looked at.
    fn check_order(&mut self, file: &ScenarioFile, steps: &[Option<Step>], steady: Option<&Steady>) {
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

    fn expectation(&mut self, def: &Spanned<ExpectDef>) -> Option<Expectation> {
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
