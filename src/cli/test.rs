//! `pollux test`: carries out scenarios in simulated time, and says what came of them.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Failure;
use crate::files;
use crate::scenario::report::{self, Case};
use crate::scenario::{self, Experiment, Outcome, Verdict};

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Scenario files, or folders that are searched for them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Only those whose path or title holds this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How many at once. Without it: as many as there are cores.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
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

/// What came of a job: an experiment with its outcome, or why there is none.
struct Done {
    result: Result<(Experiment, Outcome), String>,
    took: Duration,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let mut files = Vec::new();
    for path in &args.paths {
        let unreadable = |error| Failure::Environment(format!("{}: cannot be listed: {error}", path.display()));
        let found = scenario::find(path).map_err(unreadable)?;
        if found.is_empty() {
            let way_out = "a scenario is a file that ends with .ron and begins with Scenario(";
            return Err(Failure::Usage(format!("{}: holds no scenario: {way_out}", path.display())));
        }
        files.extend(found);
    }
    let seeds = if args.seed.is_empty() { vec![None] } else { args.seed.iter().copied().map(Some).collect() };
    let jobs: Vec<Job> =
        files.iter().flat_map(|path| seeds.iter().map(|seed| Job { path: path.clone(), seed: *seed })).collect();
    let began = Instant::now();
    let done = carry_out(&jobs, &args)?;
    let mut cases = Vec::new();
    let mut outcomes = Vec::new();
    let (mut passed, mut failed) = (0, 0);
    for (job, done) in jobs.iter().zip(done) {
        let Some(Done { result, took }) = done else { continue };
        let name = report::case_name(&job.path, job.seed);
        let mut case = Case { name, secs: took.as_secs_f64(), failure: None, error: None };
        match result {
            Err(error) => {
                failed += 1;
                case.error = Some(format!("{} cannot be carried out", job.path.display()));
                if args.format == Format::Text {
                    print!("{error}");
                }
            }
            Ok((experiment, outcome)) => {
                let is_passed = outcome.verdict == Verdict::Passed;
                let counter = if is_passed { &mut passed } else { &mut failed };
                *counter += 1;
                if !is_passed {
                    case.failure = Some((report::first_line(&outcome), report::details(&experiment, &outcome)));
                }
                match args.format {
                    Format::Json => outcomes.push(report::json(&experiment, &outcome)),
                    Format::Text => tell(&experiment, &outcome, args.journal),
                }
            }
        }
        cases.push(case);
    }
    if cases.is_empty() {
        return Err(Failure::Usage("no scenario has that text in its path or title".to_owned()));
    }
    if let Some(path) = &args.junit {
        files::replace(path, report::junit(&cases).as_bytes()).map_err(Failure::environment)?;
    }
    match args.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&outcomes).map_err(Failure::environment)?),
        Format::Text => println!("{passed} passed, {failed} failed, in {:.1} s", began.elapsed().as_secs_f64()),
    }
    if failed > 0 { Err(Failure::Verdict) } else { Ok(()) }
}

fn tell(experiment: &Experiment, outcome: &Outcome, with_journal: bool) {
    println!("{}", report::line(experiment, outcome));
    match outcome.verdict {
        Verdict::Passed if with_journal => print!("{}", report::journal(outcome)),
        Verdict::Passed => {}
        Verdict::Failed | Verdict::Aborted => print!("\n{}", report::details(experiment, outcome)),
    }
}

/// What came of each job, in their order; nothing where the filter leaves it out.
fn carry_out(jobs: &[Job], args: &Args) -> Result<Vec<Option<Done>>, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = args.jobs.unwrap_or(cores).clamp(1, jobs.len().max(1));
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Done>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let work = || loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = jobs.get(at) else { break };
        let result = one(job, args.filter.as_deref());
        if let Some(place) = done.lock().unwrap_or_else(PoisonError::into_inner).get_mut(at) {
            *place = result;
        }
    };
    std::thread::scope(|scope| {
        let others: Result<Vec<_>, _> = (1..threads)
            .map(|number| std::thread::Builder::new().name(format!("scenario-{number}")).spawn_scoped(scope, work))
            .collect();
        work();
        others.map(drop)
    })
    .map_err(Failure::environment)?;
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn one(job: &Job, filter: Option<&str>) -> Option<Done> {
    let began = Instant::now();
    let loaded = scenario::load(&job.path);
    let title = loaded.experiment.as_ref().map_or("", |experiment| experiment.title.as_str());
    let is_meant = |text: &str| title.contains(text) || job.path.to_string_lossy().contains(text);
    if !filter.is_none_or(is_meant) {
        return None;
    }
    let issues = loaded.render(super::colour());
    let result = match loaded.experiment {
        None => Err(issues),
        Some(experiment) => match scenario::run(&experiment, job.seed) {
            Ok(outcome) => Ok((experiment, outcome)),
            Err(error) => Err(format!("{}: {error}\n", job.path.display())),
        },
    };
    Some(Done { result, took: began.elapsed() })
}
