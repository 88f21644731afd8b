//! What tests of scenarios do not overlook: what they are made of, what stood before them, what never came.

use std::fs;

use pollux::scenario::{self, Verdict};

use crate::scenarios::{load, place, pollux, run, well};

const HIGH: &str = r#"steps: [(at: "20s", fault: "bias", on: "T-1.level", with: {"by": "90 cm"})],
    expect: [Raised(alarm: "T-1/level.high")]"#;

/// A scenario that begins where the alarm stands, in a folder.
fn standing(fields: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, path) = well(HIGH);
    let recording = folder.path().join("high.mcap");
    let file = fs::File::create_new(&recording).expect("a file");
    scenario::record(&load(&path), None, place(&recording, file)).expect("it is recorded");
    let path = folder.path().join("other.ron");
    let start = r#"start: (recording: "high.mcap", at: "40s")"#;
    let text = format!("Scenario(format: (1, 0), scene: \"scene.ron\", duration: \"9s\", {start}, {fields})");
    fs::write(&path, text).expect("a scenario");
    (folder, path)
}

#[test]
fn curves_and_recordings_that_a_scenario_names_are_among_its_files() {
    let (folder, path) =
        standing(r#"expect: [Follows(signal: "T-1.level", file: "level.csv", of: "level", by: "1 m")]"#);
    fs::write(folder.path().join("level.csv"), "time,level\n0,1.9\n9,1.9\n").expect("a table");
    let loaded = scenario::load(&path);
    assert!(!loaded.experiments.is_empty(), "{}", loaded.render(false));
    for name in ["other.ron", "scene.ron", "high.mcap", "level.csv"] {
        assert!(loaded.files.contains(&folder.path().join(name)), "{name}: {:?}", loaded.files);
    }
}

#[test]
fn an_alarm_that_stands_from_the_start_was_not_never_raised_and_notices_a_change() {
    let (_folder, path) = standing(r#"expect: [NotRaised(alarm: "T-1/level.high")]"#);
    let experiment = load(&path);
    let outcome = run(&experiment);
    assert_eq!(outcome.verdict, Verdict::Failed);
    assert_eq!(outcome.checked[0].finding.what, "it stood already when the experiment began");
    assert!(outcome.raised.is_empty() && outcome.standing.len() == 1, "{:?}", outcome.standing);
    let all = [(experiment, outcome)];
    let changes = scenario::changes(&all);
    let disabled = changes.iter().find(|change| change.told(&all) == "T-1/level.high never comes");
    assert_eq!(disabled.expect("a change").witnesses(&all), [0]);
}

#[test]
fn a_fault_of_a_file_is_taken_out_once_and_every_run_of_the_file_may_notice() {
    let (_folder, path) = well(&format!("seeds: 3, {HIGH}"));
    let experiment = load(&path);
    let all: Vec<_> = experiment
        .seeds
        .iter()
        .map(|seed| (experiment.clone(), scenario::run(&experiment, Some(*seed)).expect("it runs")))
        .collect();
    let changes = scenario::changes(&all);
    let without: Vec<_> = changes.iter().filter(|change| change.told(&all).contains("without the fault")).collect();
    assert_eq!((without.len(), without[0].witnesses(&all)), (1, vec![0, 1, 2]));
}

#[test]
fn a_recorded_plant_is_carried_out_once_whatever_seeds_are_named() {
    let (folder, _path) = standing(r#"expect: [Within(signal: "T-1.level", high: "9 m")]"#);
    let ran = pollux(&["test", "other.ron", "--seed", "1,2,3"], folder.path());
    let (said, warned) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("1 passed, 0 failed"), "{said}");
    assert!(warned.contains("--seed changes nothing"), "{warned}");
}

#[test]
fn a_step_that_never_came_covers_nothing_and_a_name_in_a_comment_is_no_place() {
    let leak = r#"steps: [(when: "signal(\"T-1.level\") > 99", fault: "set", on: "T-1.leak", with: {"to": "1 cm2"})],
        expect: [NothingElse()]"#;
    let (folder, _path) = well(leak);
    let ran = pollux(&["test", "it.ron", "--format", "json", "--coverage", "--no-recordings"], folder.path());
    let json: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let left_out = json["coverage"][0]["conditions"]["left_out"].as_array().expect("a list");
    assert!(left_out.contains(&"T-1.leak".into()), "{left_out:?}");
    let (_folder, path) = well("// not {size}\nmatrix: {\"size\": [\"1 cm\", \"2 cm\"]},");
    let told = scenario::load(&path).render(false);
    assert!(told.contains("`size` stands nowhere"), "{told}");
}

#[test]
fn the_same_runs_are_recorded_on_any_number_of_threads() {
    let fields = r#"seeds: 14, expect: [Within(signal: "T-1.level", high: "1 cm")]"#;
    let recorded = |jobs: &str| {
        let (folder, _path) = well(fields);
        let ran = pollux(&["test", "it.ron", "--jobs", jobs], folder.path());
        assert_eq!(ran.status.code(), Some(1));
        let files = fs::read_dir(folder.path().join("pollux-failed")).expect("recordings").flatten();
        let mut names: Vec<String> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let first: Vec<String> = recorded("1");
    assert_eq!(first.len(), 10);
    assert!((1..=10).all(|seed| first.contains(&format!("it-{seed}.mcap"))), "{first:?}");
    assert_eq!(recorded("7"), first);
}
