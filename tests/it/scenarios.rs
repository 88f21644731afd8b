//! Scenarios: the shipped ones, what they notice, and the command that carries them out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pollux::scenario::{self, Experiment, Outcome, Place, StepKind, Verdict};

fn shipped() -> Vec<PathBuf> {
    let found = scenario::find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes")).expect("scenarios");
    assert!(!found.scenarios.is_empty() && found.passed_over.is_empty(), "{found:?}");
    found.scenarios
}

pub fn load(path: &Path) -> Experiment {
    let loaded = scenario::load(path);
    let told = loaded.render(false);
    loaded.experiments.into_iter().next().unwrap_or_else(|| panic!("{}: {told}", path.display()))
}

pub fn run(experiment: &Experiment) -> Outcome {
    scenario::run(experiment, None).unwrap_or_else(|error| panic!("{}: {error}", experiment.path.display()))
}

/// Where a recording goes.
pub fn place(path: &Path, file: fs::File) -> Place {
    Place { path: path.to_owned(), file, wall: pollux::run::EPOCH }
}

/// All at once, in as many threads as there are cores.
fn each<T: Send>(paths: &[PathBuf], of: impl Fn(&Path) -> T + Sync) -> Vec<T> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let found = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let result = of(path);
                    found.lock().expect("no panic").push(result);
                }
            });
        }
    });
    found.into_inner().expect("no panic")
}

/// A scenario that passes without one of its faults proves nothing about that fault; a step that waits in vain is no proof
/// either.
#[test]
fn every_shipped_scenario_passes_and_an_expectation_fails_without_any_one_of_its_faults() {
    let told = each(&shipped(), |path| {
        let experiment = load(path);
        let outcome = run(&experiment);
        if outcome.verdict != Verdict::Passed {
            return vec![scenario::report::details(&experiment, &outcome)];
        }
        let is_fault = |at: &usize| matches!(experiment.steps[*at].kind, StepKind::Fault(_));
        let unnoticed = (0..experiment.steps.len()).filter(is_fault).filter(|at| {
            let mut harmless = experiment.clone();
            harmless.steps.remove(*at);
            run(&harmless).checked.iter().all(|one| one.finding.is_met)
        });
        let told = |at: usize| format!("{} does not notice that step {} is missing", path.display(), at + 1);
        unnoticed.map(told).collect()
    });
    let told: Vec<String> = told.into_iter().flatten().collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

const SCENE: &str = r#"Scene(format: (1, 3), name: "Well", types: {
    "Tank": (
        model: Tank(area: "0.5 m2", height: "2 m"),
        signals: {"level": (
            unit: "m", topic: "well/{id}", json: "/level", measures: (of: "level", noise: "1 mm"), expires: "5s",
            time: (json: "/ts", format: Milliseconds),
            limits: (high: 1.5), alarms: {"high": (on_delay: "2s")},
        ), "double": (unit: "m", derived: "2 * level")},
    ),
    "Valve": (
        model: ControlValve(kv: 4), inputs: {"command": 0.5},
        signals: {"position": (unit: "%", topic: "well/{id}", json: "/position", measures: "position")},
    ),
}, twins: [(id: "T-1", type: "Tank"), (id: "T-2", type: "Tank"), (id: "V-1", type: "Valve")], links: [
    (from: "T-1.outlet", to: "V-1.inlet"), (from: "V-1.outlet", to: "T-2.inlet"),
])"#;

/// A folder with the well and a scenario with these fields.
pub fn well(fields: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("scene.ron"), SCENE).expect("a scene");
    let path = folder.path().join("it.ron");
    let expect = if fields.contains("expect:") { "" } else { ", expect: [NothingElse()]" };
    let fields = fields.trim_end().trim_end_matches(',');
    let text = format!("Scenario(format: (1, 0), scene: \"scene.ron\", duration: \"1min\", {fields}{expect})");
    fs::write(&path, text).expect("a scenario");
    (folder, path)
}

const BIASED: &str = r#"
    steps: [(at: "10s", fault: "bias", on: "T-1.level", with: {"by": "90 cm"}, lasts: "20s")],
    expect: [
        Raised(alarm: "T-1/level.high", after: "10s", within: "5s"),
        Cleared(alarm: "T-1/level.high", after: "30s", within: "5s"),
        Within(signal: "T-1.level", high: "1.2 m", until: "9s"),
        NothingElse(),
    ],
"#;

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_way_out() {
    let told = |fields: &str| {
        let (_folder, path) = well(fields);
        let loaded = scenario::load(&path);
        assert!(loaded.experiments.is_empty(), "{fields}");
        loaded.render(false)
    };
    for (wrong, said) in [
        (r#"steps: [(fault: "bais", on: "T-1.level")]"#, "did you mean `bias`?"),
        (r#"steps: [(fault: "bias", on: "T-1.levle", with: {"by": "1 m"})]"#, "did you mean `T-1.level`?"),
        (r#"steps: [(fault: "bias", on: "T-1.level")]"#, "add with: {\"by\": \"1 m\"}"),
        (r#"steps: [(fault: "bias", on: "T-1.level", with: {"by": "1 bar"})]"#, "`bar` does not fit `m`"),
        (r#"steps: [(fault: "bias", on: "T-1.level", with: {"bay": "1 m"})]"#, "did you mean `by`?"),
        (r#"steps: [(fault: "loss", on: "well/#", with: {"share": 1.5})]"#, "share (1.5) must be from 0 to 1"),
        (r#"steps: [(fault: "set", on: "T-1.aera", with: {"to": "1 m2"})]"#, "did you mean `T-1.area`?"),
        (r#"steps: [(fault: "set", on: "T-1.area", with: {"to": "-1 m2"})]"#, "must be from"),
        (r#"steps: [(clear: "F-1")]"#, "no fault is called `F-1`"),
        (r#"steps: [(at: "2min", note: "late")]"#, "lies behind the end of the experiment"),
        (r#"steps: [(at: "1s")]"#, "does nothing"),
        (r#"steps: [(note: "x", clear: "all")]"#, "does several things at once"),
        (r#"steps: [(note: "x", lasts: "1s")]"#, "`lasts` belongs to a fault"),
        (r#"steps: [(at: "60s", fault: "stuck", on: "T-1.level")]"#, "begins when the experiment ends"),
        (r#"steps: [(fault: "stuck", on: "T-1.level", times: 3)]"#, "add `every`"),
        (r#"steps: [(fault: "stuck", on: "T-1.level", lasts: "6000000h")]"#, "is too long"),
        (
            r#"steps: [(fault: "drift", on: "T-1.level", with: {"rate": "1 mm/s"}, ramp: "9s", lasts: "8s")]"#,
            "before its ramp",
        ),
        (r#"steps: [(fault: "bias", on: "T-1.level", with: {"by": "1e999 m"})]"#, "is too large"),
        (r#"steps: [(fault: "delay", on: "T-1.level", with: {"by": "1e400 s"})]"#, "is not a finite number"),
        (r#"steps: [(fault: "disconnect", on: "T-1.level")]"#, "no message comes on `T-1.level`"),
        (r#"steps: [(fault: "disconnect", on: "wel/#")]"#, "would change nothing"),
        (r#"steps: [(fault: "stuck", on: "T-1.double")]"#, "on a signal that this one is derived from"),
        (r#"steps: [(fault: "set", on: "T-1.start_level", with: {"to": "1 m"})]"#, "later it has no effect"),
        (r#"steps: [(fault: "set", on: "V-1.position", with: {"to": 1})]"#, "is an output"),
        (
            r#"steps: [(at: "9s", id: "F", fault: "stuck", on: "T-1.level"), (at: "1s", clear: "F")]"#,
            "before it begins",
        ),
        (r#"steady: (by: "9s", holds: []), steps: [(fault: "stuck", on: "T-1.level")]"#, "found steady"),
        (
            r#"steps: [(at: "50s", when: "signal(\"T-1.level\") > 1", within: "20s", note: "x")]"#,
            "at the end of the experiment",
        ),
        (r#"expect: []"#, "expects nothing"),
        (r#"steady: (by: "1s", holds: []), expect: []"#, "expects nothing"),
        (r#"matrix: {"size": ["1 m"]}"#, "`size` stands nowhere"),
        (r#"matrix: {"size": []}, title: "{size}""#, "`size` needs values"),
        (
            r#"matrix: {"x": ["1 m", "2 bar"]}, steps: [(fault: "bias", on: "T-1.level", with: {"by": "{x}"})]"#,
            "`bar` does not",
        ),
        (r#"seeds: 0"#, "from 1 to 10000"),
        (r#"expect: [Order(raised: ["T-1/level.high"])]"#, "an order is of several alarms"),
        (r#"expect: [Holds(that: "1 < 2")]"#, "it looks at no signal"),
        (r#"expect: [Raised(alarm: "T-1/level.high", after: "50s", within: "20s")]"#, "beyond the end"),
        (r#"expect: [Within(signal: "T-1.level", low: "1e999 m")]"#, "is not a finite number"),
        (r#"steps: [(at: "1s", nota: "x")]"#, "did you mean `note`?"),
        (r#"expect: [Raised(alarm: "T-1/level.hihg")]"#, "did you mean `T-1/level.high`?"),
        (r#"expect: [Raised(alarm: "T-1.level")]"#, "write TWIN/ALARM"),
        (r#"expect: [Within(signal: "T-1.level")]"#, "has neither `low` nor `high`"),
        (r#"expect: [Holds(that: "signal(\"T-1.level\")")]"#, "gives a Number, and a Bool is needed"),
        (r#"abort: ["signal(\"T-9.level\") > 1"]"#, "there is no twin `T-9`"),
    ] {
        let told = told(wrong);
        assert!(told.contains(said) && told.contains("it.ron:1:"), "{wrong}\n{told}");
    }
}

#[test]
fn the_same_file_and_seed_give_the_same_hash_on_any_thread() {
    let (_folder, path) = well(BIASED);
    let experiment = load(&path);
    let first = run(&experiment);
    assert_eq!(first.verdict, Verdict::Passed, "{}", scenario::report::details(&experiment, &first));
    let hashes = each(&vec![path.clone(); 4], |path| run(&load(path)).hash);
    assert!(hashes.iter().all(|hash| *hash == first.hash), "{hashes:?}");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let recorded = file.reopen().expect("a file");
    let recorded = scenario::record(&experiment, None, place(file.path(), recorded));
    assert_eq!(recorded.expect("it is recorded").hash, first.hash, "a recording changes nothing");
    let other = scenario::run(&experiment, Some(2)).expect("it runs");
    assert!(other.hash != first.hash && other.verdict == Verdict::Passed, "another seed is another run");
}

#[test]
fn an_experiment_ends_where_it_is_told_to_and_says_why() {
    let (_folder, path) = well(&format!("abort: [\"signal(\\\"T-1.level\\\") > 1.4\"], {BIASED}"));
    let outcome = run(&load(&path));
    assert_eq!(outcome.verdict, Verdict::Aborted);
    assert!((10_000_000_000..13_000_000_000).contains(&outcome.end), "{}", outcome.end);
    assert!(
        outcome.checked.iter().any(|one| one.finding.what.contains("before that was clear")),
        "{:?}",
        outcome.checked
    );
    let told: Vec<&str> = outcome.journal.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(told.last(), Some(&"all faults are taken back"), "{told:?}");
    let (_folder, path) = well(r#"steady: (by: "5s", holds: ["signal(\"T-1.level\") > 9"]), "#);
    let outcome = run(&load(&path));
    assert_eq!((outcome.verdict, outcome.end), (Verdict::Aborted, 5_000_000_000));
    let (_folder, path) = well(r#"steps: [(when: "signal(\"T-1.level\") > 9", within: "3s", note: "never")]"#);
    let outcome = run(&load(&path));
    assert_eq!(outcome.verdict, Verdict::Failed);
    assert!(outcome.troubles[0].text.contains("waited 3 s in vain"), "{:?}", outcome.troubles);
}

#[test]
fn a_matrix_and_seeds_give_a_table_that_says_what_matters() {
    let fields = r#"matrix: {"size": ["10 cm", "90 cm"], "length": ["5s", "8s"]}, seed: 3, seeds: 2,
        steps: [(at: "10s", fault: "bias", on: "T-1.level", with: {"by": "{size}"}, lasts: "{length}")],
        expect: [Raised(alarm: "T-1/level.high"), Figure(of: "T-1.level", by: Most, high: "9 m")]"#;
    let (folder, _path) = well(fields);
    let ran = pollux(&["test", "it.ron", "--format", "json", "--no-recordings"], folder.path());
    let json: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let campaign = &json["campaigns"][0];
    assert_eq!((&campaign["runs"], &campaign["passed"]), (&8.into(), &4.into()), "{campaign:#}");
    let matters: Vec<f64> =
        campaign["parameters"].as_array().expect("a list").iter().filter_map(|one| one["matters"].as_f64()).collect();
    assert_eq!(matters, [1.0, 0.0, 0.0], "the size decides; length and seed do not");
    assert!(campaign["figures"][0]["most_in"].as_str().is_some_and(|run| run.contains("size=90 cm")), "{campaign:#}");
    let ran = pollux(&["test", "it.ron", "--no-recordings"], folder.path());
    let said = String::from_utf8_lossy(&ran.stdout);
    for wanted in [
        "4 of 8 runs passed: 50 %",
        "size    10 cm  0 of 4 passed",
        "what matters for passing: size (100 %)",
        "by itself: pollux test it.ron --case 'size=10 cm' --case length=5s --seed 3",
        "4 passed, 4 failed",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
    let alone = pollux(&["test", "it.ron", "--case", "size=90 cm", "--seed", "3", "--jobs", "1"], folder.path());
    assert_eq!(alone.status.code(), Some(0), "{}", String::from_utf8_lossy(&alone.stdout));
}

#[test]
fn an_experiment_begins_where_a_recording_was_and_compares_with_it() {
    let all = r#"expect: [Figure(of: "T-1.level", by: Last, high: "9 m"), NothingElse()],"#;
    let (folder, path) = well(all);
    let experiment = load(&path);
    let recording = folder.path().join("it.mcap");
    let file = fs::File::create_new(&recording).expect("a file");
    let whole = scenario::record(&experiment, None, place(&recording, file)).expect("it is recorded");
    let carry_out = |duration: &str, fields: &str| {
        let path = folder.path().join("other.ron");
        let text = format!("Scenario(format: (1, 0), scene: \"scene.ron\", duration: \"{duration}\", {fields})");
        fs::write(&path, text).expect("a scenario");
        run(&load(&path))
    };
    let rest = carry_out("17s", &format!(r#"start: (recording: "it.mcap", at: "43s"), {all}"#));
    assert_eq!(rest.checked[0].finding.figure, whole.checked[0].finding.figure, "the same plant to the last bit");
    let wired = carry_out("17s", &format!(r#"start: (recording: "it.mcap", at: "43s"), wire: true, {all}"#));
    assert_eq!(wired.hash, rest.hash, "with all messages");
    let follows = r#"expect: [Follows(signal: "T-1.level", file: "it.mcap", by: "6 mm", shift: "1s")]"#;
    let other = carry_out("50s", &format!("seed: 7, {follows}"));
    assert_eq!(other.verdict, Verdict::Passed, "{:?}", other.checked);
    let biased = r#"steps: [(at: "20s", fault: "bias", on: "T-1.level", with: {"by": "3 cm"})],"#;
    let other = carry_out("50s", &format!("{biased} {follows}"));
    assert_eq!(other.verdict, Verdict::Failed);
    assert!(other.checked[0].finding.at / 1_000_000_000 == 20, "{:?}", other.checked);
    assert!(other.checked[0].finding.what.contains("not from"), "{:?}", other.checked);
    // The alarm stands before the experiment begins: it is not raised once more.
    let high = r#"steps: [(at: "20s", fault: "bias", on: "T-1.level", with: {"by": "90 cm"})], expect: [Raised(alarm: "T-1/level.high")]"#;
    let (_other, path) = well(high);
    let recording = folder.path().join("high.mcap");
    let file = fs::File::create_new(&recording).expect("a file");
    scenario::record(&load(&path), None, place(&recording, file)).expect("it is recorded");
    let standing =
        carry_out("9s", r#"start: (recording: "high.mcap", at: "40s"), expect: [Raised(alarm: "T-1/level.high")]"#);
    assert_eq!(standing.verdict, Verdict::Failed, "{:?}", standing.journal);
    let clash = r#"Scenario(format: (1, 0), scene: "scene.ron", duration: "9s", start: (recording: "high.mcap", at: "40s"),
        steps: [(fault: "stuck", on: "T-2.level")], expect: [NothingElse()])"#;
    fs::write(folder.path().join("other.ron"), clash).expect("a scenario");
    let told = scenario::load(&folder.path().join("other.ron")).render(false);
    assert!(told.contains("a fault that stands in the recording is called `step 1` too"), "{told}");
    let bad = |fields: &str| {
        let (bad_folder, path) = well(fields);
        fs::copy(folder.path().join("it.mcap"), bad_folder.path().join("it.mcap")).expect("a copy");
        scenario::load(&path).render(false)
    };
    for (wrong, said) in [
        (r#"start: (recording: "no.mcap")"#, "from the folder of this file on"),
        (r#"start: (recording: "it.mcap", at: "2h")"#, "ends before that"),
        (r#"start: (recording: "it.mcap"), seeds: 3"#, "goes on with the seed that it had"),
        (r#"expect: [Follows(signal: "T-1.level", file: "it.mcap", of: "T-1.levle", by: "1 m")]"#, "T-1.level"),
        (r#"expect: [Follows(signal: "T-1.level", file: "it.csv", by: "1 m")]"#, "cannot be read"),
    ] {
        let told = bad(wrong);
        assert!(told.contains(said), "{wrong}\n{told}");
    }
}

#[test]
fn what_no_scenario_notices_or_exercises_is_listed() {
    let (folder, _path) = well(BIASED);
    let ran = pollux(&["test", "it.ron", "--format", "json", "--coverage", "--mutate"], folder.path());
    let json: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let coverage = &json["coverage"][0];
    assert_eq!((&coverage["alarms"]["all"], &coverage["alarms"]["left_out"][0]), (&2.into(), &"T-2/level.high".into()));
    assert!(
        coverage["conditions"]["left_out"].as_array().is_some_and(|all| all.contains(&"T-1.leak".into())),
        "{coverage:#}"
    );
    let mutations = &json["mutations"];
    // The fault, two alarms, two limits to both sides.
    assert_eq!(mutations["changes"], 7, "{mutations:#}");
    let listed = |list: &str| mutations[list].as_array().expect("a list").clone();
    assert!(listed("not_reached").contains(&"T-2/level.high never comes".into()), "{mutations:#}");
    assert!(!listed("not_noticed").contains(&"T-1/level.high never comes".into()), "{mutations:#}");
    let without = listed("not_noticed").iter().any(|one| one.as_str().is_some_and(|one| one.contains("without")));
    assert!(!without, "the fault is noticed: {mutations:#}");
}

/// The value of a sensor that is cut off is not known, and a sample counts when it comes.
#[test]
fn a_signal_that_falls_silent_or_comes_late_is_within_no_bounds() {
    let found = |fields: &str| {
        let (_folder, path) = well(fields);
        let outcome = run(&load(&path));
        assert_eq!(outcome.verdict, Verdict::Failed, "{fields}: {:?} {:?}", outcome.checked, outcome.journal);
        let finding = outcome.checked[0].finding.clone();
        (finding.at / 1_000_000_000, finding.what)
    };
    let cut = r#"steps: [(at: "10s", fault: "disconnect", on: "well/T-1", lasts: "20s")],"#;
    let within = r#"expect: [Within(signal: "T-1.level", low: "0.1 m")]"#;
    let (at, what) = found(&format!("{cut} {within}"));
    assert!((14..=16).contains(&at) && what.contains("expired"), "{at} s: {what}");
    let (at, what) =
        found(&format!("{cut} {}", r#"expect: [Holds(that: "signal(\"T-1.level\") > 0.1", from: "12s")]"#));
    assert!((14..=16).contains(&at) && what.contains("expired"), "{at} s: {what}");
    let late = r#"steps: [
        (at: "10s", fault: "clock_skew", on: "well/T-1", with: {"by": "-1 h"}, lasts: "40s"),
        (at: "12s", fault: "bias", on: "T-1.level", with: {"by": "3 m"}, lasts: "2s"),
    ], expect: [Within(signal: "T-1.level", high: "1.9 m")]"#;
    let (at, what) = found(late);
    let level: f64 = what.split(' ').nth(2).and_then(|level| level.parse().ok()).expect("it was 4 m");
    assert!((12..=13).contains(&at) && (level - 4.0).abs() < 0.01, "{at} s: {what}");
}

pub fn pollux(args: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pollux"));
    command.args(args).current_dir(folder).env("NO_COLOR", "1").output().expect("it runs")
}

#[test]
fn the_command_says_what_was_expected_what_happened_and_when() {
    let (folder, _path) = well(BIASED);
    let passed = pollux(&["test", "."], folder.path());
    let said = String::from_utf8_lossy(&passed.stdout);
    assert_eq!(passed.status.code(), Some(0), "{said}");
    assert!(
        said.contains("ok      ./it.ron (4 of 4 met, 60 s, seed 1)") && said.contains("1 passed, 0 failed"),
        "{said}"
    );
    let failing = BIASED.replace("90 cm", "9 cm");
    fs::write(
        folder.path().join("it.ron"),
        format!("Scenario(format: (1, 0), scene: \"scene.ron\", duration: \"1min\", {failing})"),
    )
    .expect("a scenario");
    let failed = pollux(&["test", "it.ron", "--junit", "junit.xml"], folder.path());
    let said = String::from_utf8_lossy(&failed.stdout);
    assert_eq!(failed.status.code(), Some(1), "{said}");
    for wanted in [
        "FAILED  it.ron (2 of 4 met, 60 s, seed 1)",
        "expected: T-1/level.high is raised from 10 s to 15 s\n  --> it.ron:4:9\n   = found: it was not raised",
        "T-1.level [m]",
        "10.0 s  fault step 1: bias",
        "0 passed, 1 failed",
    ] {
        assert!(said.contains(wanted) || said.contains(&wanted.replace(":4:9", ":4")), "{wanted}\n{said}");
    }
    let junit = fs::read_to_string(folder.path().join("junit.xml")).expect("a report");
    assert!(junit.contains("tests=\"1\" failures=\"1\"") && junit.contains("it was not raised"), "{junit}");
    let way = "pollux play pollux-failed/it-1.mcap --at 15.0s";
    assert!(said.contains(way), "{said}");
    let state = folder.path().join("state.json");
    let state = state.to_str().expect("a path");
    let args: Vec<&str> = way.split(' ').skip(1).chain(["--headless", "--state", state]).collect();
    let played = pollux(&args, folder.path());
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    let state: serde_json::Value = serde_json::from_slice(&fs::read(state).expect("a state")).expect("JSON");
    let level = &state["twins"]["T-1"]["signals"]["level"];
    assert!(level["value"].as_f64().is_some_and(|x| x > 1.05), "the biased level: {state:#}");
    let json = pollux(&["test", "it.ron", "--format", "json", "--no-recordings"], folder.path());
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["scenarios"][0]["verdict"], "failed");
    assert_eq!(pollux(&["test", "nowhere"], folder.path()).status.code(), Some(2), "a file that is not there");
    fs::write(folder.path().join("broken.ron"), "Scenario(format: (1, 0), scene: \"no.ron\")").expect("a scenario");
    let filtered = pollux(&["test", ".", "--filter", "it.ron", "--no-recordings"], folder.path());
    let said = String::from_utf8_lossy(&filtered.stdout);
    assert!(said.contains("ERROR   ./broken.ron"), "a broken one may be meant: {said}");
    fs::remove_file(folder.path().join("broken.ron")).expect("it was there");
    let given = pollux(&["test", "scene.ron", "--format", "json"], folder.path());
    assert_eq!(given.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&given.stdout).expect("JSON");
    assert_eq!(
        (&json["scenarios"][0]["verdict"], &json["scenarios"][0]["issues"][0]["rule"]),
        (&"error".into(), &"not-a-scenario".into())
    );
    assert_eq!(pollux(&["check", "."], folder.path()).status.code(), Some(0));
}
