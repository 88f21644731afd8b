//! What `pollux test` says, run by run. In: what came of runs, in their order. Out: text as they come, cases for JUnit, JSON
//! for scripts.

use std::path::PathBuf;

use super::doer::Ended;
use super::{Args, Broken, Job};
use crate::cli::out::Format;
use crate::cli::{Failure, out};
use crate::scenario::campaign::{self, Campaign};
use crate::scenario::report::{self, Case};
use crate::scenario::{Experiment, Outcome, RunError, Verdict};

/// What was said so far.
pub(super) struct Said<'a> {
    args: &'a Args,
    pub cases: Vec<Case>,
    pub failed: usize,
    pub json: serde_json::Map<String, serde_json::Value>,
    /// All runs that ended, where somebody asks for more than verdicts.
    pub ended: Vec<(Experiment, Outcome)>,
    /// Those of the file at hand that are not told yet, with the ways to look at them.
    waiting: Vec<(Experiment, Outcome)>,
    ways: Vec<String>,
    /// Runs of that file that could not be carried out.
    broken: usize,
}

impl<'a> Said<'a> {
    pub fn new(args: &'a Args) -> Self {
        Self {
            args,
            cases: Vec::new(),
            failed: 0,
            json: serde_json::Map::new(),
            ended: Vec::new(),
            waiting: Vec::new(),
            ways: Vec::new(),
            broken: 0,
        }
    }

    pub fn tell(&mut self, job: &Job<'_>, ended: Option<Ended>) -> Result<(), Failure> {
        if let Some(broken) = &job.read.broken {
            self.broken(job, broken)?;
        }
        if let (Some((experiment, _)), Some(ended)) = (job.of, ended) {
            self.ended(job, experiment, ended)?;
        }
        if job.is_last {
            self.tell_of_file()?;
        }
        Ok(())
    }

    fn broken(&mut self, job: &Job<'_>, broken: &Broken) -> Result<(), Failure> {
        let path = job.read.path.display();
        match self.args.format {
            Format::Json => self.add(report::json_error(&job.read.path, &broken.issues, &broken.why)),
            Format::Text => out::print(format_args!("ERROR   {path}: {}\n\n{}", broken.why, broken.text))?,
        }
        let error = Some((broken.why.clone(), broken.text.clone()));
        self.cases.push(Case { name: path.to_string(), secs: 0.0, failure: None, error });
        self.failed += 1;
        Ok(())
    }

    fn ended(&mut self, job: &Job<'_>, experiment: &Experiment, ended: Ended) -> Result<(), Failure> {
        let Ended { outcome, took, recording } = ended;
        let outcome = match outcome {
            Ok(outcome) => outcome,
            // Nothing is known of the controller under test: that is no verdict about it.
            Err(RunError::Controller(why)) => return Err(Failure::Environment(why)),
            Err(error) => {
                let why = error.to_string();
                let text = format!("{}: {why}\n", job.read.path.display());
                self.broken += 1;
                return self.broken(job, &Broken { why, text, issues: Vec::new() });
            }
        };
        let is_one_of_several = !experiment.case.is_empty() || job.read.experiments[0].seeds.len() > 1;
        let name = match is_one_of_several || self.args.seed.len() > 1 {
            true => format!("{} ({})", experiment.path.display(), campaign::name_of(experiment, &outcome)),
            false => experiment.path.display().to_string(),
        };
        let way = recording.as_ref().map_or_else(String::new, |recording| to_open(&outcome, recording));
        let mut case = Case { name, secs: took.as_secs_f64(), failure: None, error: None };
        if outcome.verdict != Verdict::Passed {
            case.failure = Some((report::first_line(&outcome), report::details(experiment, &outcome) + way.as_str()));
            self.failed += 1;
        }
        self.cases.push(case);
        if self.args.format == Format::Json {
            let recording = recording.and_then(Result::ok);
            self.add(report::json(experiment, &outcome, recording.as_deref()));
        }
        self.waiting.push((experiment.clone(), outcome));
        self.ways.push(way);
        Ok(())
    }

    /// All runs of a file have ended.
    fn tell_of_file(&mut self) -> Result<(), Failure> {
        let (runs, ways) = (std::mem::take(&mut self.waiting), std::mem::take(&mut self.ways));
        let campaign = Campaign::of(&runs, std::mem::take(&mut self.broken));
        if self.args.format == Format::Text {
            match &campaign {
                Some(campaign) => out::print(self.told_of_many(campaign, &runs, &ways))?,
                None => runs.iter().zip(&ways).try_for_each(|((experiment, outcome), way)| {
                    out::print(self.told(experiment, outcome) + way.as_str())
                })?,
            }
        }
        if let (Some(campaign), Some((experiment, _))) = (campaign, runs.first()) {
            let mut value = serde_json::to_value(campaign).map_err(Failure::environment)?;
            value["file"] = experiment.path.display().to_string().into();
            self.push("campaigns", value);
        }
        if self.args.coverage || self.args.mutate {
            self.ended.extend(runs);
        }
        Ok(())
    }

    fn told(&self, experiment: &Experiment, outcome: &Outcome) -> String {
        let line = report::line(experiment, outcome);
        match outcome.verdict {
            Verdict::Passed if self.args.journal => format!("{line}\n{}", report::journal(outcome)),
            Verdict::Passed => format!("{line}\n"),
            Verdict::Failed | Verdict::Aborted => format!("{line}\n\n{}", report::details(experiment, outcome)),
        }
    }

    fn told_of_many(&self, campaign: &Campaign, runs: &[(Experiment, Outcome)], ways: &[String]) -> String {
        let word = if campaign.worst.is_none() && campaign.broken == 0 { "ok     " } else { "FAILED " };
        let Some((first, _)) = runs.first() else { return String::new() };
        let title = if first.title.is_empty() { String::new() } else { format!("  {}", first.title) };
        let mut text = format!("{word} {}{title} ({})\n{}", first.path.display(), campaign.line(), campaign.told());
        if let Some(worst) = campaign.worst {
            let (experiment, outcome) = &runs[worst];
            let case =
                experiment.case.iter().map(|(name, value)| format!(" --case {}", quoted(&format!("{name}={value}"))));
            let path = quoted(&experiment.path.display().to_string());
            let again = format!("pollux test {path}{} --seed {}", case.collect::<String>(), outcome.seed);
            text += &format!("  the worst: {}; by itself: {again}\n\n", campaign::name_of(experiment, outcome));
            text += &report::details(experiment, outcome);
            text += ways.get(worst).map_or("", String::as_str);
        }
        text
    }

    fn add(&mut self, scenario: serde_json::Value) {
        self.push("scenarios", scenario);
    }

    fn push(&mut self, list: &str, value: serde_json::Value) {
        let all = self.json.entry(list).or_insert_with(|| serde_json::Value::Array(Vec::new()));
        if let Some(all) = all.as_array_mut() {
            all.push(value);
        }
    }
}

/// How to look at a recording, at the moment at which something went wrong.
fn to_open(outcome: &Outcome, recording: &Result<PathBuf, String>) -> String {
    match recording {
        Ok(path) => {
            let unmet = outcome.checked.iter().filter(|one| !one.finding.is_met).map(|one| one.finding.at);
            let at = unmet.chain(outcome.troubles.iter().map(|one| one.time)).min().unwrap_or(0);
            let path = quoted(&path.display().to_string());
            format!("\nto see it: pollux play {path} --at {:.1}s\n\n", at as f64 / 1e9)
        }
        Err(why) => format!("\nthere is no recording of it: {why}\n\n"),
    }
}

/// As a shell reads it as one word.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_copied_into_a_shell() {
        assert_eq!(quoted("scenes/a-1.mcap"), "scenes/a-1.mcap");
        assert_eq!(quoted("size=5 cm"), "'size=5 cm'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
