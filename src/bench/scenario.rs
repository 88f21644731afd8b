//! What a scenario costs beyond the machines that it simulates: the bare network of the same scene is the reference, in the
//! same run. And many short runs, in one thread and in two.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{grouped, median, models};
use crate::ingest::Tables;
use crate::plant::{Options, Plant};
use crate::run::EPOCH;
use crate::scenario::{self, Experiment, RunError};

const SECOND: u64 = 1_000_000_000;
/// Many runs: so many, of so much simulated time.
const RUNS: u64 = 1000;
const RUN_SECS: u64 = 60;
/// So many at the beginning and at the end are compared.
const COMPARED: usize = 100;

/// What is measured: its name, and how long it takes.
type Way = (&'static str, fn(&Experiment) -> Result<Duration, String>);

const WAYS: [Way; 4] = [
    ("the network alone", network_alone),
    ("its plant, which says samples", plant_alone),
    ("the scenario: alarms, checks", |experiment| whole(experiment, false)),
    ("the same with all messages", |experiment| whole(experiment, true)),
];

/// What came out, as text. `secs` is about how long the comparison takes; its scenarios lie in the folder of the scene.
pub fn run(scene: &Path, secs: Duration) -> Result<String, String> {
    let experiments = experiments(scene)?;
    let mut text = String::new();
    compare(&experiments, secs, &mut text)?;
    many(&experiments, &mut text)?;
    Ok(text)
}

fn experiments(scene: &Path) -> Result<Vec<Experiment>, String> {
    let folder = scene.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let found = scenario::find(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let loaded = found.scenarios.iter().flat_map(|path| scenario::load(path).experiments);
    let wanted = scene.canonicalize().ok();
    // From rest: the network alone cannot begin with a recording.
    let is_of = |one: &Experiment| one.scene_path.canonicalize().ok() == wanted && one.start.is_none();
    let all: Vec<Experiment> = loaded.filter(is_of).collect();
    match all.is_empty() {
        true => Err(format!("{}: no scenario of it lies in its folder", scene.display())),
        false => Ok(all),
    }
}

/// Rounds in which each way runs the same simulated time, one scenario after the other.
fn compare(experiments: &[Experiment], secs: Duration, text: &mut String) -> Result<(), String> {
    let mut rounds: Vec<[f64; WAYS.len()]> = Vec::new();
    let begin = Instant::now();
    // One round warms up.
    for (number, experiment) in experiments.iter().take(1).chain(experiments.iter().cycle()).enumerate() {
        let mut speeds = [0.0; WAYS.len()];
        for (speed, (_, way)) in speeds.iter_mut().zip(WAYS) {
            *speed = experiment.duration as f64 / 1e9 / way(experiment)?.as_secs_f64();
        }
        if number > 0 {
            rounds.push(speeds);
        }
        if begin.elapsed() >= secs && rounds.len() >= experiments.len().min(5) {
            break;
        }
    }
    let (count, scenarios) = (rounds.len(), experiments.len().min(rounds.len()));
    let _ = writeln!(text, "scenario: simulated seconds per second, one thread\n");
    let _ = writeln!(text, "{:<32} {:>9}   of the network alone (least to greatest)", "", "median");
    for (place, (name, _)) in WAYS.iter().enumerate() {
        let speed = median(rounds.iter().map(|round| round[place]).collect());
        let shares: Vec<f64> = rounds.iter().map(|round| round[place] / round[0]).collect();
        let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = shares.iter().copied().fold(0.0, f64::max);
        let share = median(shares);
        let _ = writeln!(text, "{name:<32} {:>9}   {share:.2} ({least:.2} to {greatest:.2})", grouped(speed));
    }
    let _ = writeln!(text, "{count} rounds over {scenarios} scenarios; a share is of the network in the same round");
    Ok(())
}

fn many(experiments: &[Experiment], text: &mut String) -> Result<(), String> {
    let Some(first) = experiments.first() else { return Ok(()) };
    let short = Experiment { duration: RUN_SECS * SECOND, ..first.clone() };
    let seeds: Vec<u64> = (1..=RUNS).collect();
    let _ = writeln!(text, "\n{} runs of {RUN_SECS} s: {}", grouped(RUNS as f64), first.title);
    let _ = writeln!(
        text,
        "jobs   total s   simulated s/s   ms a run, first {COMPARED} and last   MiB then and at the end"
    );
    for jobs in [1, 2] {
        let (mut took, mut memory) = (Vec::with_capacity(seeds.len()), None);
        let begin = Instant::now();
        let one = |seed: &u64| {
            let begin = Instant::now();
            scenario::run(&short, Some(*seed)).map(|_| begin.elapsed()).map_err(|error| error.to_string())
        };
        scenario::each("bench", jobs, &seeds, one, |_, result| {
            took.push(result.map_err(std::io::Error::other)?.as_secs_f64() * 1e3);
            if took.len() == COMPARED {
                memory = resident_mib();
            }
            Ok::<(), std::io::Error>(())
        })
        .map_err(|error| error.to_string())?;
        let total = begin.elapsed().as_secs_f64();
        let (early, late) = (&took[..COMPARED.min(took.len())], &took[took.len().saturating_sub(COMPARED)..]);
        let mib = |mib: Option<f64>| mib.map_or("?".to_owned(), |mib| format!("{mib:.0}"));
        let _ = writeln!(
            text,
            "{jobs:>4} {total:>9.1} {:>15}   {:>18.1} {:>9.1}   {:>13} {:>10}",
            grouped((RUNS * RUN_SECS) as f64 / total),
            median(early.to_vec()),
            median(late.to_vec()),
            mib(memory),
            mib(resident_mib()),
        );
    }
    Ok(())
}

fn network_alone(experiment: &Experiment) -> Result<Duration, String> {
    let blueprint =
        experiment.scene.blueprint.as_ref().ok_or_else(|| format!("{} has no models", experiment.scene.name))?;
    let network = models::network(blueprint)?;
    let mut work = network.workspace();
    let mut now = network.start(1, &[], &mut work);
    let begin = Instant::now();
    network.advance(&mut now, experiment.duration, &mut work);
    Ok(begin.elapsed())
}

fn plant_alone(experiment: &Experiment) -> Result<Duration, String> {
    let options = Options { profiles: experiment.profiles.clone(), story: experiment.story, ..Options::default() };
    let mut plant = Plant::new(experiment.scene.clone(), options).map_err(|error| error.to_string())?;
    plant.speak_directly(&mut Tables::new(experiment.scene.clone(), 0), &|_, _| false);
    let mut samples = 0;
    let begin = Instant::now();
    plant.run(experiment.duration, EPOCH, &mut |message| samples += message.samples.map_or(0, <[_]>::len));
    match samples {
        0 => Err(format!("the plant of {} says no samples", experiment.scene.name)),
        _ => Ok(begin.elapsed()),
    }
}

/// With what it takes to begin, and to find out what came of it.
fn whole(experiment: &Experiment, wire: bool) -> Result<Duration, String> {
    let experiment = Experiment { wire, ..experiment.clone() };
    let begin = Instant::now();
    scenario::run(&experiment, None).map_err(|error: RunError| error.to_string())?;
    Ok(begin.elapsed())
}

/// Memory of this process, where the system tells it as Linux does.
fn resident_mib() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_carries_out_the_scenarios_that_lie_beside_a_scene() {
        let scene = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/bottling/scene.ron");
        let all = experiments(&scene).expect("its scenarios");
        let short = Experiment { duration: 2 * SECOND, ..all[0].clone() };
        for (name, way) in WAYS {
            assert!(way(&short).is_ok_and(|took| took > Duration::ZERO), "{name}");
        }
        let told = experiments(&scene.with_file_name("other.ron")).expect_err("no scenario is of it");
        assert!(told.contains("no scenario of it"), "{told}");
    }
}
