//! What came of an experiment that was carried out many times, with other values and other seeds. In: the runs. Out: a
//! [`Campaign`]: how many passed, with an interval, which parameter matters, and which run is the worst. Decides nothing.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::experiment::Experiment;
use super::run::{Outcome, Verdict};

/// More values of a parameter than this are not told one by one.
const MOST_VALUES: usize = 12;
/// Of the normal distribution, for an interval that holds the true share 19 times of 20.
const Z: f64 = 1.959_963_985;

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Campaign {
    pub runs: usize,
    pub passed: usize,
    /// Runs beside these that could not be carried out.
    pub broken: usize,
    /// The share of runs that pass lies within with a probability of 95 %: the score interval of Wilson, "Probable inference,
    /// the law of succession, and statistical inference", 1927.
    pub interval: (f64, f64),
    /// Those of the matrix, and the seed where there are several.
    pub parameters: Vec<Parameter>,
    /// Expectations of figures, over all runs.
    pub figures: Vec<Figure>,
    /// The place of the run that met the least, the earliest of these; none if all passed.
    pub worst: Option<usize>,
}

/// A parameter of a campaign.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Parameter {
    pub name: String,
    pub values: Vec<Of>,
    /// The share of the variance between passed (1) and failed (0) that goes with the values of this parameter, beyond what
    /// chance gives: Kelley, "An unbiased correlation ratio measure", 1935. 0 where all runs went alike, and where each value
    /// has one run.
    pub matters: f64,
}

/// How the runs with one value of a parameter went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Of {
    pub value: String,
    pub runs: usize,
    pub passed: usize,
}

/// A figure over all runs.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figure {
    pub expected: String,
    pub least: f64,
    pub mean: f64,
    pub most: f64,
    pub unit: String,
    /// How the run is called that has the least, and the greatest.
    pub least_in: String,
    pub most_in: String,
    /// By parameter: the share of the variance that goes with its values.
    pub matters: Vec<(String, f64)>,
}

impl Campaign {
    /// Of runs of one scenario, and so many more that could not be carried out; none for a single one.
    pub fn of(runs: &[(Experiment, Outcome)], broken: usize) -> Option<Self> {
        let (first, _) = runs.first().filter(|_| runs.len() + broken > 1)?;
        let passed: Vec<f64> = runs.iter().map(|(_, outcome)| f64::from(u8::from(is_passed(outcome)))).collect();
        let levels = levels(runs);
        let parameters = levels.iter().map(|(name, values)| Parameter {
            name: name.clone(),
            values: counted(values, &passed),
            matters: explained(values, &passed),
        });
        let figures = (0..first.expectations.len()).filter_map(|at| figure(runs, at, &levels));
        let met = |outcome: &Outcome| outcome.checked.iter().filter(|one| one.finding.is_met).count();
        let failed = runs.iter().enumerate().filter(|(_, (_, outcome))| !is_passed(outcome));
        let worst = failed.min_by_key(|(at, (_, outcome))| (met(outcome), *at)).map(|(at, _)| at);
        let count = passed.iter().filter(|passed| **passed > 0.5).count();
        Some(Self {
            runs: runs.len(),
            passed: count,
            broken,
            interval: interval(count, runs.len()),
            parameters: parameters.collect(),
            figures: figures.collect(),
            worst,
        })
    }

    /// `17 of 18 runs passed: 94 %, from 74 to 99 %`
    pub fn line(&self) -> String {
        let percent = |share: f64| format!("{:.0}", share * 100.0);
        let (low, high) = self.interval;
        let share = percent(self.passed as f64 / self.runs as f64);
        let broken =
            if self.broken > 0 { format!("; {} more could not be carried out", self.broken) } else { String::new() };
        let (low, high) = (percent(low), percent(high));
        format!("{} of {} runs passed: {share} %, from {low} to {high} %{broken}", self.passed, self.runs)
    }

    /// A table for people.
    pub fn told(&self) -> String {
        let mut text = String::new();
        let name_width = self.parameters.iter().map(|one| one.name.len()).max().unwrap_or(0);
        let values = self.parameters.iter().flat_map(|one| &one.values);
        let value_width = values.map(|of| of.value.len()).max().unwrap_or(0);
        for parameter in &self.parameters {
            if parameter.values.len() > MOST_VALUES {
                let _ = writeln!(text, "  {:name_width$}  {} values", parameter.name, parameter.values.len());
                continue;
            }
            for (at, of) in parameter.values.iter().enumerate() {
                let name = if at == 0 { parameter.name.as_str() } else { "" };
                let _ = writeln!(
                    text,
                    "  {name:name_width$}  {:value_width$}  {} of {} passed",
                    of.value, of.passed, of.runs
                );
            }
        }
        if let Some(said) = ranked(self.parameters.iter().map(|one| (one.name.as_str(), one.matters))) {
            let _ = writeln!(text, "  what matters for passing: {said}");
        }
        for figure in &self.figures {
            let of = |x: f64| format!("{} {}", short(x), figure.unit).trim().to_owned();
            let (least, mean, most) = (of(figure.least), of(figure.mean), of(figure.most));
            let _ = writeln!(text, "  {}:", figure.expected);
            let _ = writeln!(
                text,
                "    least {least} ({}), mean {mean}, most {most} ({})",
                figure.least_in, figure.most_in
            );
            if let Some(said) = ranked(figure.matters.iter().map(|(name, share)| (name.as_str(), *share))) {
                let _ = writeln!(text, "    what matters: {said}");
            }
        }
        text
    }
}

/// `size=5 cm seed=3`
pub fn name_of(experiment: &Experiment, outcome: &Outcome) -> String {
    let mut parts: Vec<String> = experiment.case.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.push(format!("seed {}", outcome.seed));
    parts.join(", ")
}

fn is_passed(outcome: &Outcome) -> bool {
    outcome.verdict == Verdict::Passed
}

/// By parameter, what each run had; parameters with one value say nothing.
fn levels(runs: &[(Experiment, Outcome)]) -> Vec<(String, Vec<String>)> {
    let names = runs.first().map_or(&[][..], |(first, _)| &first.case).iter().map(|(name, _)| name.clone());
    let of_name = |name: String| {
        let value =
            |experiment: &Experiment| experiment.case.iter().find(|(one, _)| *one == name).map(|(_, x)| x.clone());
        let values = runs.iter().map(|(experiment, _)| value(experiment).unwrap_or_default()).collect();
        (name, values)
    };
    let seeds = ("seed".to_owned(), runs.iter().map(|(_, outcome)| outcome.seed.to_string()).collect());
    let all = names.map(of_name).chain([seeds]);
    all.filter(|(_, values): &(String, Vec<String>)| values.iter().any(|value| *value != values[0])).collect()
}

/// In the order in which they come first.
fn counted(values: &[String], passed: &[f64]) -> Vec<Of> {
    let mut all: Vec<Of> = Vec::new();
    for (value, passed) in values.iter().zip(passed) {
        let place = all.iter().position(|of| of.value == *value).unwrap_or_else(|| {
            all.push(Of { value: value.clone(), runs: 0, passed: 0 });
            all.len() - 1
        });
        all[place].runs += 1;
        all[place].passed += usize::from(*passed > 0.5);
    }
    all
}

/// The variance between the groups of equal values, as a share of all, less what as many groups take of it by chance.
fn explained(values: &[String], results: &[f64]) -> f64 {
    let mean = results.iter().sum::<f64>() / results.len() as f64;
    let total: f64 = results.iter().map(|x| (x - mean) * (x - mean)).sum();
    if total <= 0.0 {
        return 0.0;
    }
    let mut groups: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (value, x) in values.iter().zip(results) {
        let group = groups.entry(value).or_default();
        *group = (group.0 + x, group.1 + 1.0);
    }
    let between: f64 = groups.values().map(|(sum, count)| count * (sum / count - mean) * (sum / count - mean)).sum();
    let (runs, groups) = (results.len() as f64, groups.len() as f64);
    if runs <= groups {
        return 0.0;
    }
    let within = (total - between).max(0.0) / (runs - groups);
    (1.0 - within / (total / (runs - 1.0))).max(0.0)
}

fn figure(runs: &[(Experiment, Outcome)], at: usize, levels: &[(String, Vec<String>)]) -> Option<Figure> {
    let values: Option<Vec<f64>> = runs.iter().map(|(_, outcome)| outcome.checked.get(at)?.finding.figure).collect();
    let values = values?;
    let by = |better: fn(f64, f64) -> bool| {
        (0..values.len()).reduce(|best, next| if better(values[next], values[best]) { next } else { best })
    };
    let (least, most) = (by(|next, best| next < best)?, by(|next, best| next > best)?);
    let named = |at: usize| name_of(&runs[at].0, &runs[at].1);
    let (experiment, outcome) = runs.first()?;
    Some(Figure {
        expected: outcome.checked.get(at)?.text.clone(),
        least: values[least],
        mean: values.iter().sum::<f64>() / values.len() as f64,
        most: values[most],
        unit: experiment.expectations.get(at)?.expect.bounds().map_or_else(String::new, |bounds| bounds.unit.clone()),
        least_in: named(least),
        most_in: named(most),
        matters: levels.iter().map(|(name, level)| (name.clone(), explained(level, &values))).collect(),
    })
}

/// `size (61 %), ramp (7 %)`; none where nothing does.
fn ranked<'a>(shares: impl Iterator<Item = (&'a str, f64)>) -> Option<String> {
    let mut all: Vec<(&str, f64)> = shares.filter(|(_, share)| *share >= 0.005).collect();
    all.sort_by(|one, other| other.1.total_cmp(&one.1));
    let told = all.iter().map(|(name, share)| format!("{name} ({:.0} %)", share * 100.0)).collect::<Vec<_>>();
    (!told.is_empty()).then(|| told.join(", "))
}

fn interval(passed: usize, runs: usize) -> (f64, f64) {
    let (n, share) = (runs as f64, passed as f64 / runs as f64);
    let (z2, spread) = (Z * Z, (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt());
    let (middle, scale) = (share + z2 / (2.0 * n), 1.0 + z2 / n);
    (((middle - Z * spread) / scale).max(0.0), ((middle + Z * spread) / scale).min(1.0))
}

/// Four digits.
fn short(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I,
    /// method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    #[test]
    fn intervals_are_those_of_the_literature() {
        for ((passed, runs), low, high) in [
            ((81, 263), 0.2553, 0.3662),
            ((15, 148), 0.0624, 0.1605),
            ((0, 20), 0.0, 0.1611),
            ((1, 29), 0.0061, 0.1718),
        ] {
            let (l, h) = interval(passed, runs);
            assert!((l - low).abs() < 5e-5 && (h - high).abs() < 5e-5, "{passed} of {runs}: {l} to {h}");
        }
    }

    #[test]
    fn the_parameter_that_decides_explains_all() {
        let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let passed = [1.0, 1.0, 0.0, 0.0];
        assert_eq!(explained(&texts(&["a", "a", "b", "b"]), &passed), 1.0);
        assert_eq!(explained(&texts(&["a", "b", "a", "b"]), &passed), 0.0);
        assert_eq!(explained(&texts(&["a", "b", "a", "b"]), &[1.0; 4]), 0.0, "nothing differs");
        assert_eq!(explained(&texts(&["a", "b", "c", "d"]), &passed), 0.0, "one run each says nothing");
        // A pass with one value, a pass and two failures with the other: a third of the variance, which chance takes too.
        let share = explained(&texts(&["a", "b", "b", "b"]), &passed);
        assert!(share.abs() < 1e-12, "{share}");
        assert_eq!(
            ranked([("ramp", 0.1), ("size", 0.6), ("seed", 0.0)].into_iter()).as_deref(),
            Some("size (60 %), ramp (10 %)")
        );
    }
}
