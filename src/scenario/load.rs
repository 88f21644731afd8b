//! From a scenario file to an experiment. In: a path. Out: the [`Experiment`], or every issue at once, those of its scene
//! included. Never panics on what a file says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::experiment::{Bounds, Expect, Expectation, Experiment, Steady, Step, StepKind, Stretch};
use super::faults;
use super::format::{ExpectDef, ScenarioFile, StepDef, VERSION};
use crate::scene::document::{self, Names};
use crate::scene::format::QuantityDef;
use crate::scene::report::{Hint, Report};
use crate::scene::rule::AlarmPath;
use crate::scene::{self, Issue, Scene, SourceFile, Spanned};
use crate::session::profile;
use crate::value::SignalIndex;

/// Simulated time that an experiment may last.
const LONGEST_SECS: u64 = 31 * 86_400;

/// What came of loading.
#[derive(Debug, Default)]
pub struct Loaded {
    /// None where there are errors.
    pub experiment: Option<Experiment>,
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
    let file = document::read::<ScenarioFile>(&text, id, VERSION, &mut report);
    if let Some(file) = &file {
        let dir = path.parent().unwrap_or(Path::new(""));
        let of = scene::load(&dir.join(&file.scene.value));
        loaded.files.extend(of.files);
        match of.scene {
            Some(scene) => loaded.experiment = resolve(path, file, Arc::new(scene), &mut report),
            None => {
                let brief = format!("the scene {} has errors", file.scene.value);
                report.error("bad-scene", file.scene.span, "", brief, "`pollux check` lists them".into());
            }
        }
        loaded.issues = of.issues;
        loaded.sources = of.sources;
    }
    let failed = report.errors > 0;
    let (issues, sources) = report.finish();
    loaded.issues.extend(issues);
    loaded.sources.extend(sources);
    loaded.experiment = loaded.experiment.filter(|_| !failed);
    loaded
}

fn resolve(path: &Path, file: &ScenarioFile, scene: Arc<Scene>, report: &mut Report) -> Option<Experiment> {
    let profiles = match profile::read(&scene) {
        Ok(profiles) => profiles,
        Err(errors) => {
            let brief = profile::told(&errors);
            report.error("bad-scene", file.scene.span, "", brief, "the scene names the file".into());
            Vec::new()
        }
    };
    let lines = Lines { text: report.sources.last().map(|source| source.text.clone()).unwrap_or_default() };
    let mut names = Names { scene: &scene, report };
    let duration = nanos(&mut names, &file.duration, "", "duration")?;
    if duration == 0 || duration > LONGEST_SECS * 1_000_000_000 {
        let brief = "the duration must be above zero and at most 31 days";
        names.error("bad-duration", file.duration.span, "", brief, Hint::NONE);
        return None;
    }
    let mut of = Resolver { names, duration, lines };
    let steady = file.steady.as_ref().and_then(|steady| {
        let by = of.time(&steady.by, "steady", "by")?;
        let holds = steady.holds.iter().filter_map(|that| of.names.condition(that, "steady", "holds")).collect();
        Some(Steady { by, holds })
    });
    let steps = (1..).zip(&file.steps).filter_map(|(number, def)| of.step(number, def)).collect::<Vec<_>>();
    of.check_ids(&steps, file);
    let aborts = file.abort.iter().filter_map(|that| of.names.condition(that, "abort", "abort")).collect();
    let mut expectations: Vec<Expectation> = file.expect.iter().filter_map(|def| of.expectation(def)).collect();
    name_others(&mut expectations);
    Some(Experiment {
        path: path.to_owned(),
        title: file.title.clone(),
        scene,
        profiles,
        seed: file.seed.unwrap_or(1),
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

fn nanos(names: &mut Names<'_>, given: &Spanned<String>, item: &str, field: &str) -> Option<u64> {
    u64::try_from(names.delay(given, item, field)?.as_nanos()).ok()
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
            Some(given) => Some(nanos(&mut self.names, given, &item, "within")?),
            None => None,
        };
        if within.is_some() && when.is_none() {
            let brief = "`within` says how long it waits, but it waits for nothing";
            self.names.error("bad-step", span, &item, brief, "add `when`".into());
            return None;
        }
        let kind = match (&def.fault, &def.clear, &def.repair, &def.acknowledge, &def.note) {
            (Some(_), None, None, None, None) => StepKind::Fault(faults::fault(number, def, &item, &mut self.names)?),
            (None, Some(id), None, None, None) => StepKind::Clear((id.value != "all").then(|| id.value.clone())),
            (None, None, Some(path), None, None) => {
                let (machine, repair) = self.names.repair(path, &item)?;
                StepKind::Repair { path: path.value.clone(), machine, repair }
            }
            (None, None, None, Some(path), None) => StepKind::Acknowledge(self.names.alarm(path, &item)?),
            (None, None, None, None, Some(text)) => StepKind::Note(text.value.clone()),
            _ => {
                let hint = "give one of fault: \"bias\", clear: \"all\", repair: \"P-101.bearing.replace_bearing\", \
                            acknowledge: \"P-101/vibration.high\", note: \"…\"";
                self.names.error("bad-step", span, &item, "does one thing", hint.into());
                return None;
            }
        };
        Some(Step { at, when, within, kind })
    }

    /// Every fault has an id of its own, and what is cleared is a fault.
    fn check_ids(&mut self, steps: &[Step], file: &ScenarioFile) {
        let ids: Vec<&str> = steps
            .iter()
            .filter_map(|step| if let StepKind::Fault(fault) = &step.kind { Some(fault.id.as_str()) } else { None })
            .collect();
        for (number, def) in (1..).zip(&file.steps) {
            let item = format!("step {number}");
            if let Some(id) = &def.id
                && ids.iter().filter(|one| **one == id.value).count() > 1
            {
                let brief = format!("two faults are called `{}`", id.value);
                self.names.error("duplicate-name", id.span, &item, brief, "give each one an id of its own".into());
            }
            if let Some(id) = def.clear.as_ref().filter(|id| id.value != "all" && !ids.contains(&id.value.as_str())) {
                let near = scene::nearest::nearest(id, ids.iter().copied());
                let brief = format!("no fault is called `{}`", id.value);
                let hint = Hint::meant_or(near, || "give the fault an `id`, or clear `all`".to_owned());
                self.names.error("unknown-fault", id.span, &item, brief, hint);
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
                let text = format!("{} is {}{}", signal.value, self.bounded(of, bounds), self.told(stretch));
                (text, Expect::Within { signal: of, bounds, stretch })
            }
            ExpectDef::Holds { that, from, until } => {
                let stretch = self.stretch(from.as_ref(), until.as_ref())?;
                let text = format!("{} is true{}", that.value, self.told(stretch));
                (text, Expect::Holds { that: self.names.condition(that, item, "that")?, stretch })
            }
            ExpectDef::Becomes { that, after, within } => {
                let stretch = self.within(after.as_ref(), within.as_ref())?;
                let text = format!("{} becomes true{}", that.value, self.told(stretch));
                (text, Expect::Becomes { that: self.names.condition(that, item, "that")?, stretch })
            }
            ExpectDef::Figure { of, by, low, high, from, until } => {
                let signal = self.number(of)?;
                let bounds = self.bounds(of, signal, low.as_ref(), high.as_ref())?;
                let stretch = self.stretch(from.as_ref(), until.as_ref())?;
                let what = format!("{:?}", by.value).to_lowercase();
                let text = format!("{what} of {} is {}{}", of.value, self.bounded(signal, bounds), self.told(stretch));
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
            Some(given) => nanos(&mut self.names, given, "expect", "within")?,
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
        Some(Bounds { low, high })
    }

    fn bounded(&self, signal: SignalIndex, bounds: Bounds) -> String {
        let unit = self.names.scene.signals[signal.at()].unit.symbol();
        let of = |x: f64| if unit.is_empty() { x.to_string() } else { format!("{x} {unit}") };
        match (bounds.low, bounds.high) {
            (Some(low), Some(high)) => format!("from {} to {}", of(low), of(high)),
            (Some(low), None) => format!("at least {}", of(low)),
            (None, Some(high)) => format!("at most {}", of(high)),
            (None, None) => "anything".to_owned(),
        }
    }
}
