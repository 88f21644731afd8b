//! `pollux test`: carries out scenarios in simulated time, and says what came of them.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{Failure, out};
use crate::files;
use crate::scenario::report::{self, Case};
use crate::scenario::{self, Experiment, Outcome, Verdict};
use crate::scene::Issue;

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
}

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
    Ended(Box<(Experiment, Outcome)>, Duration),
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
            Done::Ended(ended, took) => {
                let (experiment, outcome) = *ended;
                case.secs = took.as_secs_f64();
                if outcome.verdict != Verdict::Passed {
                    case.failure = Some((report::first_line(&outcome), report::details(&experiment, &outcome)));
                }
                match args.format {
                    Format::Json => self.json.push(report::json(&experiment, &outcome)),
                    Format::Text => out::print(told(&experiment, &outcome, args.journal))?,
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
    let filter = args.filter.as_ref().map(|text| text.to_lowercase());
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for number in 1..=threads {
            let (sender, next, filter) = (sender.clone(), &next, filter.as_deref());
            let work = move || {
                while let Some((at, job)) = take(jobs, next) {
                    if sender.send((at, one(job, filter))).is_err() {
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

fn one(job: &Job, filter: Option<&str>) -> Done {
    let began = Instant::now();
    let loaded = scenario::load(&job.path);
    let title = loaded.experiment.as_ref().map_or("", |experiment| experiment.title.as_str()).to_lowercase();
    let is_meant = |text: &str| title.contains(text) || job.path.to_string_lossy().to_lowercase().contains(text);
    if !filter.is_none_or(is_meant) {
        return Done::NotMeant;
    }
    let text = loaded.render(super::colour());
    let Some(experiment) = loaded.experiment else {
        let first = loaded.issues.iter().find(|issue| issue.severity == crate::scene::Severity::Error);
        let why = first.map_or_else(String::new, |issue| format!("cannot be carried out: {}", issue.brief));
        return Done::Broken(Broken { why, text, issues: loaded.issues });
    };
    match scenario::run(&experiment, job.seed) {
        Ok(outcome) => Done::Ended(Box::new((experiment, outcome)), began.elapsed()),
        Err(error) => {
            let why = error.to_string();
            Done::Broken(Broken { text: format!("{}: {why}\n", job.path.display()), why, issues: Vec::new() })
        }
    }
}
