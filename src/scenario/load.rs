//! From a scenario file to an experiment. In: a path. Out: the [`Experiment`], or every issue at once, those of its scene
//! included. Never panics on what a file says.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::expectations::name_others;
use super::experiment::{Expectation, Experiment, Steady, Step};
use super::format::{ScenarioFile, VERSION};
use super::{find, start};
use crate::ingest::Encoder;
use crate::scene::document::{self, Names};
use crate::scene::format::{QuantityDef, Table};
use crate::scene::report::{Hint, Report};
use crate::scene::{self, FileId, Issue, Scene, SignalSource, SourceFile, Spanned};
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
        let named =
            files.iter().flat_map(ScenarioFile::named).map(|name| path.parent().unwrap_or(Path::new("")).join(name));
        let followed = of.scene.iter().flat_map(|scene| &scene.profiles).map(|profile| profile.file.clone());
        let others: BTreeSet<PathBuf> = named.chain(followed).collect();
        loaded.files.extend(others);
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

/// Without `folder/..`.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        let is_folder = matches!(tidy.components().next_back(), Some(Component::Normal(_)));
        if part == Component::ParentDir && is_folder {
            tidy.pop();
        } else {
            tidy.push(part);
        }
    }
    tidy
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
        } else if !document::has_place(text, id, name) {
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
    if let Some(given) = file.seeds.as_ref().filter(|_| file.start.is_some()) {
        let brief = "a recorded plant goes on with the seed that it had";
        names.error("bad-value", given.span, "", brief, "leave `seeds` out, or `start`".into());
        return None;
    }
    let seeds = (0..count).map(|nth| first.wrapping_add(nth)).collect();
    let said = Said::of_plant(&scene);
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut of = Resolver { names, folder, duration, lines, said };
    let start = file.start.as_ref().and_then(|start| start::resolve(start, &profiles, &mut of));
    let steady = file.steady.as_ref().and_then(|steady| {
        let by = of.time(&steady.by, "steady", "by")?;
        let holds = steady.holds.iter().filter_map(|that| of.names.condition(that, "steady", "holds")).collect();
        Some(Steady { by, holds })
    });
    let steps: Vec<Option<Step>> = (1..).zip(&file.steps).map(|(number, def)| of.step(number, def)).collect();
    of.check_order(file, &steps, steady.as_ref(), start.as_ref());
    let steps: Vec<Step> = steps.into_iter().flatten().collect();
    let aborts = file.abort.iter().filter_map(|that| of.names.condition(that, "abort", "abort")).collect::<Vec<_>>();
    of.check_commands(file);
    let against = file.against.as_ref().and_then(|def| of.against(def));
    let mut expectations: Vec<Expectation> = file.expect.iter().filter_map(|def| of.expectation(def)).collect();
    let looks = file.steady.as_ref().is_some_and(|steady| !steady.holds.is_empty());
    if file.expect.is_empty() && file.abort.is_empty() && !looks && of.names.report.errors == 0 {
        let brief = "expects nothing: it could not fail";
        let hint = "add `expect`; expect: [NothingElse()] says that no alarm is raised";
        of.names.error("no-expectation", file.duration.span, "", brief, hint.into());
    }
    // What is lost without a word would pass unseen.
    let is_whole = (start.is_some(), steady.is_some(), steps.len(), aborts.len(), expectations.len())
        == (file.start.is_some(), file.steady.is_some(), file.steps.len(), file.abort.len(), file.expect.len())
        && against.is_some() == file.against.is_some();
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
        scene_path: tidy(&folder.join(&file.scene.value)),
        scene,
        profiles,
        case: case.iter().map(|(name, value)| (name.clone(), value.told())).collect(),
        seeds,
        start,
        duration,
        story: file.story,
        wire: file.wire,
        against: against.unwrap_or_default(),
        steady,
        steps,
        aborts,
        expectations,
    })
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

/// The lines of a file.
pub(super) struct Lines {
    text: Arc<str>,
}

impl Lines {
    pub fn of<T>(&self, at: &Spanned<T>) -> u32 {
        let before = self.text.get(..at.span.start as usize).unwrap_or_default();
        1 + u32::try_from(before.matches('\n').count()).unwrap_or(0)
    }
}

/// What names and times of a scenario mean.
pub(super) struct Resolver<'a> {
    pub names: Names<'a>,
    /// The folder that paths begin at.
    pub folder: &'a Path,
    pub duration: u64,
    pub lines: Lines,
    pub said: Said,
}

/// What messages bring.
pub(super) struct Said {
    pub signals: BTreeSet<SignalIndex>,
    /// Topics of these, sorted.
    pub topics: BTreeSet<String>,
}

impl Said {
    /// By a simulated plant.
    pub fn of_plant(scene: &Scene) -> Self {
        Self::of(scene, scene.measures.keys().copied())
    }

    /// By brokers.
    pub fn of_live(scene: &Scene) -> Self {
        let is_bound = |signal: &&scene::Signal| matches!(signal.source, SignalSource::Mqtt(_));
        Self::of(scene, scene.signals.iter().filter(is_bound).map(|signal| signal.index))
    }

    fn of(scene: &Scene, signals: impl Iterator<Item = SignalIndex>) -> Self {
        let encoder = Encoder::new(scene);
        let has_topic = |signal: SignalIndex| Some((signal, encoder.topic_of(signal)?));
        let said: Vec<(SignalIndex, usize)> = signals.filter_map(has_topic).collect();
        let topic = |(_, at): &(SignalIndex, usize)| encoder.topics().get(*at).map(|topic| topic.name.clone());
        Self { topics: said.iter().filter_map(topic).collect(), signals: said.iter().map(|(at, _)| *at).collect() }
    }
}

impl Resolver<'_> {
    /// A time within the experiment.
    pub fn time(&mut self, given: &Spanned<String>, item: &str, field: &str) -> Option<u64> {
        let time = nanos(&mut self.names, given, item, field)?;
        if time > self.duration {
            let brief = format!("{field}: {} lies behind the end of the experiment", given.value);
            self.names.error("bad-duration", given.span, item, brief, "make `duration` longer".into());
            return None;
        }
        Some(time)
    }
}
