//! `pollux test`: carries out scenarios in simulated time, and says what came of them.

mod against;
mod doer;
mod mutated;
mod said;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use super::out::Format;
use super::progress::Progress;
use super::{Failure, out};
use crate::files;
use crate::scenario::{self, Coverage, Experiment, Outcome, Verdict, report};
use crate::scene::{Issue, Severity, watch};
use against::{AgainstArgs, Way};
use doer::{Doer, Ended};
use said::Said;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Scenario files, or folders that are searched for them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Only those whose path or title holds this text, in small or capital letters.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Only the runs of a matrix that have this value, such as size="5 cm"; several narrow it further.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_case)]
    case: Vec<(String, String)>,
    /// How many at once. Without it: as many as there are cores.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Other seeds than the scenarios name; several with commas between.
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
    /// List the alarms, faults and worn machines of the scenes that no scenario exercises.
    #[arg(long)]
    coverage: bool,
    /// Take out each fault, make each alarm silent and shift each limit, one at a time, and list what no scenario notices.
    #[arg(long)]
    mutate: bool,
    /// Stay, and carry out anew what a saved file touches, until interrupted.
    #[arg(long, conflicts_with_all = ["junit", "coverage", "mutate"])]
    watch: bool,
    #[command(flatten)]
    against: AgainstArgs,
}

fn parse_case(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}`: write it like size=\"5 cm\""))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// A scenario file that was read.
struct Read {
    path: PathBuf,
    /// Why there are none.
    broken: Option<Broken>,
    experiments: Vec<Experiment>,
    /// What it was read from, as it was then.
    files: Vec<(PathBuf, watch::Stamp)>,
}

/// Why a scenario cannot be carried out.
struct Broken {
    /// On one line.
    why: String,
    /// All that is to be said.
    text: String,
    issues: Vec<Issue>,
}

pub fn run(args: Args) -> Result<(), Failure> {
    if args.watch && args.format == Format::Json {
        return Err(Failure::Usage("--watch goes on for ever: it prints text, not JSON".to_owned()));
    }
    let paths = paths(&args)?;
    if let Some(path) = &args.junit {
        files::replace(path, report::junit(&[]).as_bytes()).map_err(Failure::environment)?;
    }
    let read = read(&paths, &args)?;
    if read.is_empty() {
        return Err(Failure::Usage("no scenario has that text in its path or title, or that value".to_owned()));
    }
    if args.watch {
        return stay(read, &args);
    }
    let said = carry_out(&read, &args)?;
    if let Some(path) = &args.junit {
        files::replace(path, report::junit(&said.cases).as_bytes()).map_err(Failure::environment)?;
    }
    let Said { failed, mut json, ended, .. } = said;
    if args.coverage {
        let coverage = Coverage::of(&ended);
        if args.format == Format::Text {
            coverage.iter().try_for_each(|one| out::print(format_args!("\n{}", one.told())))?;
        }
        json.insert("coverage".to_owned(), serde_json::to_value(coverage).map_err(Failure::environment)?);
    }
    if args.mutate {
        let passed: Vec<(Experiment, Outcome)> =
            ended.into_iter().filter(|(_, outcome)| outcome.verdict == Verdict::Passed).collect();
        let mutated = mutated::mutated(&passed, threads(&args))?;
        if args.format == Format::Text {
            out::print(format_args!("\n{}", mutated.told()))?;
        }
        json.insert("mutations".to_owned(), serde_json::to_value(mutated).map_err(Failure::environment)?);
    }
    if args.format == Format::Json {
        out::json(&json)?;
    }
    if failed > 0 { Err(Failure::Verdict) } else { Ok(()) }
}

/// Every scenario, a file that is named twice once.
fn paths(args: &Args) -> Result<Vec<PathBuf>, Failure> {
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
    Ok(files)
}

/// Reads them, as far as they are meant.
fn read(paths: &[PathBuf], args: &Args) -> Result<Vec<Read>, Failure> {
    let mut all = Vec::new();
    let filter = args.filter.as_ref().map(|text| text.to_lowercase());
    scenario::each(
        "read",
        threads(args),
        paths,
        |path| scenario::load(path),
        |path, loaded| {
            let text = loaded.render(super::colour());
            let title = loaded.experiments.first().map_or("", |one| one.title.as_str()).to_lowercase();
            let is_meant = |text: &String| title.contains(text) || path.to_string_lossy().to_lowercase().contains(text);
            let has_case = |one: &Experiment| args.case.iter().all(|wanted| one.case.contains(wanted));
            let broken = loaded.experiments.is_empty().then(|| {
                let first = loaded.issues.iter().find(|issue| issue.severity == Severity::Error);
                let why = first.map_or_else(String::new, |issue| format!("cannot be carried out: {}", issue.brief));
                Broken { why, text, issues: loaded.issues }
            });
            let experiments: Vec<Experiment> = loaded.experiments.into_iter().filter(has_case).collect();
            // The title of a broken one is not known: it may be meant.
            let may_be_meant = broken.is_some() || filter.as_ref().is_none_or(is_meant);
            if may_be_meant && (broken.is_some() || !experiments.is_empty()) {
                let stamped = |file: PathBuf| {
                    let stamp = watch::stamp(&file);
                    (file, stamp)
                };
                let files = loaded.files.into_iter().map(stamped).collect();
                all.push(Read { path: path.clone(), broken, experiments, files });
            }
            Ok::<(), std::io::Error>(())
        },
    )
    .map_err(Failure::environment)?;
    Ok(all)
}

/// One run of one scenario.
struct Job<'a> {
    read: &'a Read,
    /// None where it is broken.
    of: Option<(&'a Experiment, u64)>,
    /// No other run of this file comes after it.
    is_last: bool,
}

fn carry_out<'a>(read: &[Read], args: &'a Args) -> Result<Said<'a>, Failure> {
    let began = Instant::now();
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for one in read {
        if let Some(first) = one.experiments.first().filter(|one| one.start.is_some() && !args.seed.is_empty()) {
            let path = first.path.display();
            eprintln!(
                "warning: {path} begins with a recorded plant, which goes on with its own seed: --seed changes nothing"
            );
        }
        let seeds = |experiment: &Experiment| match args.seed.is_empty() || experiment.start.is_some() {
            true => experiment.seeds.clone(),
            false => args.seed.clone(),
        };
        let runs = one.experiments.iter().flat_map(|experiment| {
            seeds(experiment).into_iter().map(move |seed| Job {
                read: one,
                of: Some((experiment, seed)),
                is_last: false,
            })
        });
        jobs.extend(runs);
        if one.broken.is_some() {
            jobs.push(Job { read: one, of: None, is_last: false });
        }
        if let Some(last) = jobs.last_mut() {
            last.is_last = true;
        }
    }
    let doer = Doer::new((!args.no_recordings).then_some(args.recordings.as_path()), Way::of(&args.against)?);
    let (mut said, mut progress, mut done) = (Said::new(args), Progress::new(), 0);
    let carry_out = |job: &Job<'_>| job.of.map(|(experiment, seed)| doer.carry_out(experiment, seed));
    scenario::each("scenario", threads(args), &jobs, carry_out, |job, mut ended: Option<Ended>| {
        done += 1;
        progress.wipe();
        if let (Some((experiment, _)), Some(ended)) = (job.of, &mut ended) {
            doer.record(experiment, ended);
        }
        said.tell(job, ended)?;
        progress.tell(done, jobs.len(), "runs");
        Ok::<(), Failure>(())
    })?;
    progress.wipe();
    if args.format == Format::Text {
        let (passed, failed, secs) = (said.cases.len() - said.failed, said.failed, began.elapsed().as_secs_f64());
        out::line(format_args!("{passed} passed, {failed} failed, in {secs:.1} s"))?;
    }
    Ok(said)
}

fn threads(args: &Args) -> usize {
    if args.against.against.is_some() {
        // One plant at a time speaks at a broker.
        return 1;
    }
    args.jobs.or(std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}

/// Carries out all, then again and again what a saved file touches.
fn stay(mut all: Vec<Read>, args: &Args) -> Result<(), Failure> {
    let mut next: Vec<Read> = Vec::new();
    std::mem::swap(&mut next, &mut all);
    loop {
        carry_out(&next, args)?;
        // What was read anew takes the place of what it was.
        all.retain(|old| next.iter().all(|new| new.path != old.path));
        all.append(&mut next);
        all.sort_by(|one, other| one.path.cmp(&other.path));
        let files: BTreeSet<PathBuf> = all.iter().flat_map(|one| &one.files).map(|(file, _)| file.clone()).collect();
        let (wake, woken) = crossbeam_channel::bounded(1);
        let watcher = watch::Watcher::new(files.into_iter().collect(), move || {
            // One waiting wake-up is enough.
            let _ = wake.try_send(());
        });
        let watcher = watcher.map_err(Failure::Environment)?;
        eprintln!("waiting for a saved file; Ctrl-C ends it");
        loop {
            // Something may have been saved while scenarios ran.
            let is_changed = |(file, was): &(PathBuf, watch::Stamp)| watch::stamp(file) != *was;
            let touched: Vec<PathBuf> =
                all.iter().filter(|one| one.files.iter().any(is_changed)).map(|one| one.path.clone()).collect();
            next = read(&touched, args)?;
            if !next.is_empty() {
                break;
            }
            if woken.recv().is_err() {
                return Ok(());
            }
        }
        drop(watcher);
    }
}
