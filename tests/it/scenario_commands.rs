//! Commands of a scene as steps of scenarios: judged, made and verified as those to equipment, and given to the simulated
//! plant alone.

use std::fs;
use std::path::PathBuf;

use pollux::scenario::{self, Outcome, Verdict};

use crate::scenarios::{load, pollux, run};

/// A folder with a scenario of the bottling hall.
fn hall(fields: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("it.ron");
    let scene = concat!(env!("CARGO_MANIFEST_DIR"), "/scenes/bottling/scene.ron");
    let text = format!("Scenario(format: (1, 1), scene: {scene:?}, duration: \"1min\", {fields})");
    fs::write(&path, text).expect("a scenario");
    (folder, path)
}

fn outcome(fields: &str) -> Outcome {
    run(&load(&hall(fields).1))
}

const SLOWER: &str = r#"(at: "10s", command: "P-602.set_frequency", with: {"frequency": "40 Hz"})"#;

#[test]
fn a_command_moves_the_simulated_plant_and_is_verified_as_the_scene_says() {
    let (_folder, path) = hall(&format!(
        r#"steps: [{SLOWER}, (at: "30s", id: "again", command: "P-602.start")], expect: [
            Verified(command: "P-602.set_frequency", after: "10s", within: "15s"),
            Refused(command: "again"),
            Becomes(that: "signal(\"P-602.speed\") < 2450", after: "10s"),
            Within(signal: "P-602.speed", low: "2700 rpm", from: "5s", until: "9s"),
            Within(signal: "P-602.frequency_order", low: "40 Hz", high: "40 Hz"),
        ]"#
    ));
    let first = run(&load(&path));
    assert_eq!(first.verdict, Verdict::Passed, "{}", scenario::report::details(&load(&path), &first));
    let journal: Vec<&str> = first.journal.iter().map(|entry| entry.text.as_str()).collect();
    let told = |part: &str| assert!(journal.iter().any(|text| text.contains(part)), "{part}: {journal:#?}");
    told("command P-602.set_frequency: {\"frequency\":40} on line1/P-602/command");
    told("command P-602.set_frequency is verified: abs(speed / 60 - frequency) < 2.5 holds");
    told("command P-602.start is refused: !running does not hold: running is true");
    assert_eq!(run(&load(&path)).hash, first.hash, "the same run");
}

#[test]
fn a_command_that_is_refused_or_not_obeyed_fails_the_scenario_unless_that_is_expected() {
    let refused = outcome(r#"steps: [(at: "10s", command: "P-602.start")], expect: [NothingElse(but: [])]"#);
    assert_eq!(refused.verdict, Verdict::Failed);
    assert!(refused.troubles.iter().any(|one| one.text.contains("command P-602.start was refused")), "{refused:?}");
    // The drive stays at 45 Hz, whatever it is told.
    let stuck = r#"(at: "5s", fault: "set", on: "P-602.motor.frequency", with: {"to": "45 Hz"})"#;
    let expected = outcome(&format!(
        r#"steps: [{stuck}, {SLOWER}], expect: [Verified(command: "P-602.set_frequency"), Refused(command: "P-602.set_frequency")]"#
    ));
    let found: Vec<&str> = expected.checked.iter().map(|one| one.finding.what.as_str()).collect();
    assert!(found[0].starts_with("not seen within 15 s: abs(speed / 60 - frequency) < 2.5 does not hold"), "{found:?}");
    assert_eq!(found[1], "it was given: its constraints held");
    let unexpected = outcome(&format!(r#"steps: [{stuck}, {SLOWER}], expect: [NothingElse()]"#));
    assert!(unexpected.troubles.iter().any(|one| one.text.contains("was not verified")), "{:?}", unexpected.troubles);
    assert_eq!(unexpected.troubles[0].time / 1_000_000_000, 25);
}

#[test]
fn a_command_waits_for_a_condition_as_any_step() {
    let found = outcome(
        r#"steps: [
            (at: "5s", command: "P-602.stop"),
            (at: "5s", when: "!signal(\"P-602.running\")", within: "40s", command: "P-602.start"),
        ], expect: [Verified(command: "P-602.stop"), Verified(command: "P-602.start")]"#,
    );
    assert_eq!(found.verdict, Verdict::Passed, "{:#?} {:#?}", found.checked, found.journal);
}

#[test]
fn commands_that_cannot_be_given_are_told_with_the_way_out() {
    let told = |fields: &str| {
        let (_folder, path) = hall(fields);
        let loaded = scenario::load(&path);
        assert!(loaded.experiments.is_empty(), "{fields}");
        loaded.render(false)
    };
    let expect = r#", expect: [NothingElse()]"#;
    for (wrong, said) in [
        (r#"steps: [(command: "P-602.set_frequncy")]"#, "did you mean `P-602.set_frequency`?"),
        (
            r#"steps: [(command: "P-602.set_frequency", with: {"frequency": "60 Hz"})]"#,
            "25 to 50 Hz is expected, found 60 Hz",
        ),
        (r#"steps: [(command: "P-602.set_frequency", with: {"frequency": "3 bar"})]"#, "`bar` does not fit `Hz`"),
        (r#"steps: [(command: "P-602.set_frequency", with: {"speed": 3})]"#, "there is no parameter `speed`"),
        (r#"steps: [(command: "P-602.start", ramp: "3s")]"#, "`ramp` belongs to a fault"),
        (
            r#"steps: [(command: "P-602.start"), (at: "5s", command: "P-602.start")]"#,
            "two commands are called `P-602.start`",
        ),
        (r#"against: (commands: ["P-602.speed"])"#, "no input names `P-602.speed` as its `command`"),
    ] {
        let told = told(&format!("{wrong}{expect}"));
        assert!(told.contains(said), "{wrong}: {told}");
    }
    let nobody = told(r#"steps: [(command: "P-602.stop")], expect: [Verified(command: "P-602.start")]"#);
    assert!(nobody.contains("no step gives a command that is called `P-602.start`"), "{nobody}");
}

#[test]
fn commands_that_no_scenario_gives_are_listed() {
    let (folder, _path) = hall(&format!(r#"steps: [{SLOWER}], expect: [Verified(command: "P-602.set_frequency")]"#));
    let ran = pollux(&["test", "it.ron", "--format", "json", "--coverage"], folder.path());
    let json: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let commands = &json["coverage"][0]["commands"];
    let left_out: Vec<&str> =
        commands["left_out"].as_array().expect("a list").iter().filter_map(serde_json::Value::as_str).collect();
    assert!(left_out.contains(&"P-602.stop") && left_out.contains(&"LIC-100.set_point"), "{commands:#}");
    assert!(!left_out.contains(&"P-602.set_frequency"), "{commands:#}");
    assert_eq!(commands["all"].as_u64(), Some(left_out.len() as u64 + 1));
}
