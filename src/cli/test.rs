//! `pollux test`: carries out scenarios in simulated time, and says what came of them.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{Failure, out};
use crate::files::{self, Existing, NewFile};
use crate::scenario::report::{self, Case};
use crate::scenario::{self, Experiment, Outcome, Verdict};
use crate::scene::{Issue, Severity};
use crate::value::Timestamp;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Scenario files, or folders that are searched for them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Only those whose path or title holds this text, in small or capital letters.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How many at once. Without it: as many as there are cores.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Another seed than the scenarios name; several with commas between.
    #[arg(long, value_name = "SEED", value_delimiter = ',')]
    seed: Vec<u64>,
    /// Write a JUnit report for continuous integration.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print what was done and what happened also where all went well.
    #[arg(long)]
    journal: bool,
    /// Where recordings of the first ten runs that do not pass go.
    #[arg(long, value_name = "FOLDER", default_value = "pollux-failed")]
    recordings: PathBuf,
    /// Record nothing.
    #[arg(long, conflicts_with = "recordings")]
    no_recordings: bool,
}

/// Runs that are recorded at most: each takes some megabytes.
const MOST_RECORDINGS: usize = 10;

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Debug)]
enum Format {
    Text,
    Json,
}

/// A scenario with the seed that it runs with.
struct Job {
    path: PathBuf,
    seed: Option<u64>,
}

/// What came of a job.
enum Done {
    /// The filter leaves it out.
    NotMeant,
    Broken(Broken),
    Ended(Box<Ended>),
}

struct Ended {
    experiment: Experiment,
    outcome: Outcome,
    took: Duration,
    /// Of a run that did not pass, unless there are enough of them.
    recording: Option<Result<PathBuf, String>>,
}

/// Why there is no outcome.
struct Broken {
    /// On one line.
    why: String,
    /// All that is to be said.
    text: String,
    issues: Vec<Issue>,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let jobs = jobs(&args)?;
    if let Some(path) = &args.junit {
        files::replace(path, report::junit(&[]).as_bytes()).map_err(Failure::environment)?;
    }
    let began = Instant::now();
    let mut said = Said::default();
    carry_out(&jobs, &args, &mut |job, done| said.tell(job, done, &args))?;
    if said.cases.is_empty() {
        return Err(Failure::Usage("no scenario has that text in its path or title".to_owned()));
    }
    if let Some(path) = &args.junit {
        files::replace(path, report::junit(&said.cases).as_bytes()).map_err(Failure::environment)?;
    }
    let (all, failed) = (said.cases.len(), said.failed);
    match args.format {
        Format::Json => out::json(&said.json)?,
        Format::Text => {
            let secs = began.elapsed().as_secs_f64();
            out::line(format_args!("{} passed, {failed} failed, in {secs:.1} s", all - failed))?;
        }
    }
    if failed > 0 { Err(Failure::Verdict) } else { Ok(()) }
}

/// Every scenario with every seed; a file that is named twice once.
fn jobs(args: &Args) -> Result<Vec<Job>, Failure> {
    let (mut files, mut seen) = (Vec::new(), BTreeSet::new());
    for path in &args.paths {
        if !path.exists() {
            return Err(Failure::Usage(format!("{}: there is no such file or folder", path.display())));
        }
        let unreadable = |error| Failure::Environment(format!("{}: cannot be listed: {error}", path.display()));
        let found = scenario::find(path).map_err(unreadable)?;
        for (file, why) in &found.passed_over {
            eprintln!("warning: {} is passed over: {why}", file.display());
        }
        if found.scenarios.is_empty() {
            let way_out = "a scenario is a file that ends with .ron and begins with Scenario(";
            return Err(Failure::Usage(format!("{}: holds no scenario: {way_out}", path.display())));
        }
        let is_new = |file: &PathBuf| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone()));
        files.extend(found.scenarios.into_iter().filter(is_new));
    }
    let seeds = if args.seed.is_empty() { vec![None] } else { args.seed.iter().copied().map(Some).collect() };
    Ok(files.iter().flat_map(|path| seeds.iter().map(|seed| Job { path: path.clone(), seed: *seed })).collect())
}

/// What was said so far.
#[derive(Default)]
struct Said {
    cases: Vec<Case>,
    failed: usize,
    json: Vec<serde_json::Value>,
}

impl Said {
    fn tell(&mut self, job: &Job, done: Done, args: &Args) -> Result<(), Failure> {
        let mut case = Case { name: report::case_name(&job.path, job.seed), secs: 0.0, failure: None, error: None };
        match done {
            Done::NotMeant => return Ok(()),
            Done::Broken(Broken { why, text, issues }) => {
                match args.format {
                    Format::Json => self.json.push(report::json_error(&job.path, &issues, &why)),
                    Format::Text => out::print(format_args!("ERROR   {}: {why}\n\n{text}", job.path.display()))?,
                }
                case.error = Some((why, text));
            }
            Done::Ended(ended) => {
                let Ended { experiment, outcome, took, recording } = *ended;
                case.secs = took.as_secs_f64();
                let way = recording.as_ref().map_or_else(String::new, |recording| to_open(&outcome, recording));
                if outcome.verdict != Verdict::Passed {
                    let details = report::details(&experiment, &outcome);
                    case.failure = Some((report::first_line(&outcome), details + way.as_str()));
                }
                match args.format {
                    Format::Json => {
                        let recording = recording.and_then(Result::ok);
                        self.json.push(report::json(&experiment, &outcome, recording.as_deref()));
                    }
                    Format::Text => out::print(told(&experiment, &outcome, args.journal) + way.as_str())?,
                }
            }
        }
        self.failed += usize::from(case.failure.is_some() || case.error.is_some());
        self.cases.push(case);
        Ok(())
    }
}

fn told(experiment: &Experiment, outcome: &Outcome, with_journal: bool) -> String {
    let line = report::line(experiment, outcome);
    match outcome.verdict {
        Verdict::Passed if with_journal => format!("{line}\n{}", report::journal(outcome)),
        Verdict::Passed => format!("{line}\n"),
        Verdict::Failed | Verdict::Aborted => format!("{line}\n\n{}", report::details(experiment, outcome)),
    }
}

/// How to look at a recording, at the moment at which something went wrong.
fn to_open(outcome: &Outcome, recording: &Result<PathBuf, String>) -> String {
    match recording {
        Ok(path) => {
            let unmet = outcome.checked.iter().filter(|one| !one.finding.is_met).map(|one| one.finding.at);
            let at = unmet.chain(outcome.troubles.iter().map(|one| one.time)).min().unwrap_or(0);
            let path = path.display().to_string();
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            let path = if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) };
            format!("\nto see it: pollux play {path} --at {:.1}s\n\n", at as f64 / 1e9)
        }
        Err(why) => format!("\nthere is no recording of it: {why}\n\n"),
    }
}

/// Carries them out in as many threads as are asked for, and tells of each in their order, as soon as those before it are
/// told.
fn carry_out(
    jobs: &[Job],
    args: &Args,
    tell: &mut dyn FnMut(&Job, Done) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = args.jobs.unwrap_or(cores).get().min(jobs.len());
    let next = AtomicUsize::new(0);
    let doer = Doer {
        filter: args.filter.as_ref().map(|text| text.to_lowercase()),
        folder: (!args.no_recordings).then_some(args.recordings.as_path()),
        recorded: AtomicUsize::new(0),
    };
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for number in 1..=threads {
            let (sender, next, doer) = (sender.clone(), &next, &doer);
            let work = move || {
                while let Some((at, job)) = take(jobs, next) {
                    if sender.send((at, doer.carry_out(job))).is_err() {
                        break;
                    }
                }
            };
            let name = format!("scenario-{number}");
            std::thread::Builder::new().name(name).spawn_scoped(scope, work).map_err(Failure::environment)?;
        }
        drop(sender);
        let mut waiting: Vec<Option<Done>> = jobs.iter().map(|_| None).collect();
        let mut told = 0;
        for (at, done) in receiver {
            waiting[at] = Some(done);
            while let Some(done) = waiting.get_mut(told).and_then(Option::take) {
                tell(&jobs[told], done)?;
                told += 1;
            }
        }
        Ok(())
    })
}

fn take<'a>(jobs: &'a [Job], next: &AtomicUsize) -> Option<(usize, &'a Job)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, jobs.get(at)?))
}

/// Carries out one job after the other, in several threads.
struct Doer<'a> {
    /// In small letters.
    filter: Option<String>,
    folder: Option<&'a Path>,
    recorded: AtomicUsize,
}

impl Doer<'_> {
    fn carry_out(&self, job: &Job) -> Done {
        let began = Instant::now();
        let loaded = scenario::load(&job.path);
        let title = loaded.experiment.as_ref().map_or("", |experiment| experiment.title.as_str()).to_lowercase();
        let is_meant = |text: &String| title.contains(text) || job.path.to_string_lossy().to_lowercase().contains(text);
        if !self.filter.as_ref().is_none_or(is_meant) {
            return Done::NotMeant;
        }
        let text = loaded.render(super::colour());
        let Some(experiment) = loaded.experiment else {
            let first = loaded.issues.iter().find(|issue| issue.severity == Severity::Error);
            let why = first.map_or_else(String::new, |issue| format!("cannot be carried out: {}", issue.brief));
            return Done::Broken(Broken { why, text, issues: loaded.issues });
        };
        match scenario::run(&experiment, job.seed) {
            Ok(outcome) => {
                let took = began.elapsed();
                let recording = self.record(&experiment, &outcome);
                Done::Ended(Box::new(Ended { experiment, outcome, took, recording }))
            }
            Err(error) => {
                let why = error.to_string();
                Done::Broken(Broken { text: format!("{}: {why}\n", job.path.display()), why, issues: Vec::new() })
            }
        }
    }

    /// The same run once more, into a file, where it did not pass: nothing is written for those that do.
    fn record(&self, experiment: &Experiment, outcome: &Outcome) -> Option<Result<PathBuf, String>> {
        let folder = self.folder.filter(|_| outcome.verdict != Verdict::Passed)?;
        if self.recorded.fetch_add(1, Ordering::Relaxed) >= MOST_RECORDINGS {
            return None;
        }
        let parts = experiment.path.with_extension("");
        let parts = parts.components().filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        });
        let name = format!("{}-{}.mcap", parts.collect::<Vec<_>>().join("-"), outcome.seed);
        Some(write(experiment, outcome.seed, folder.join(name)))
    }
}

fn write(experiment: &Experiment, seed: u64, path: PathBuf) -> Result<PathBuf, String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let new = NewFile::begin(&path, Existing::Replace).map_err(|error| told(&error))?;
    let file = new.file().try_clone().map_err(|error| told(&error))?;
    scenario::record(experiment, Some(seed), path.clone(), file, Timestamp::now()).map_err(|error| told(&error))?;
    new.finish().map_err(|error| told(&error))?;
    Ok(path)
}
