//! Readings that are samples at once against the same readings encoded and decoded: the same comes of an experiment.

use std::fs;
use std::path::{Path, PathBuf};

use pollux::scenario::{self, Experiment, Outcome};
use proptest::prelude::*;

fn scenes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes")
}

fn load(path: &Path) -> Vec<Experiment> {
    let loaded = scenario::load(path);
    let told = loaded.render(false);
    assert!(!loaded.experiments.is_empty(), "{told}");
    loaded.experiments
}

/// All that came of it, as text: hash, verdict, journal, findings, extremes.
fn all_of(experiment: &Experiment, wire: bool) -> (String, Outcome) {
    let experiment = Experiment { wire, ..experiment.clone() };
    let outcome = scenario::run(&experiment, None).unwrap_or_else(|error| panic!("{error}"));
    (format!("{outcome:?}"), outcome)
}

/// The first difference, with what stands around it.
fn difference(one: &str, other: &str) -> String {
    let at = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| text.chars().skip(at.saturating_sub(80)).take(200).collect::<String>();
    format!("…{}\n…{}", around(one), around(other))
}

#[test]
fn every_shipped_scenario_gives_the_same_with_its_messages_and_without() {
    let found = scenario::find(&scenes()).expect("scenarios");
    assert!(!found.scenarios.is_empty());
    for experiment in found.scenarios.iter().flat_map(|path| load(path)) {
        let ((direct, outcome), (wired, _)) = (all_of(&experiment, false), all_of(&experiment, true));
        assert!(direct == wired, "{}: {}", experiment.path.display(), difference(&direct, &wired));
        assert!(outcome.end > 0 && outcome.extremes.iter().any(Option::is_some), "{}", experiment.path.display());
    }
}

/// What a fault is and what it is on, with its parameters; all three layers, and all kinds that act on bytes.
const FAULTS: &[&str] = &[
    r#"fault: "set", on: "T-100.tank.leak", with: {"to": "40 cm2"}"#,
    r#"fault: "set", on: "CV-402.jam", with: {"to": 1}"#,
    r#"fault: "set", on: "P-101.motor.frequency", with: {"to": "0 Hz"}"#,
    r#"fault: "scale", on: "HX-201.blocked", with: {"by": 2.0}, ramp: "3s""#,
    r#"fault: "bias", on: "P-101.flow", with: {"by": "2 m3/h"}"#,
    r#"fault: "drift", on: "T-100.level", with: {"rate": "4 mm/s"}"#,
    r#"fault: "spike", on: "P-101.vibration", with: {"share": 0.1, "height": "20 mm/s"}"#,
    r#"fault: "noise", on: "P-101.head", with: {"deviation": "1 m"}"#,
    r#"fault: "dropout", on: "P-101.power", with: {"share": 0.5}"#,
    r#"fault: "delay", on: "T-100.level", with: {"by": "2500 ms"}"#,
    r#"fault: "quantise", on: "HX-201.product_out", with: {"step": "3 K"}"#,
    r#"fault: "swapped", on: ["HX-201.product_in", "HX-201.product_out"]"#,
    r#"fault: "disconnect", on: "line1/HX-201/#""#,
    r#"fault: "latency", on: "line1/+/telemetry", with: {"by": "1300 ms"}"#,
    r#"fault: "jitter", on: "line1/P-101/#", with: {"most": "3 s"}"#,
    r#"fault: "loss", on: "line1/#", with: {"share": 0.3}"#,
    r#"fault: "duplicate", on: "line1/P-101/telemetry", with: {"share": 0.5}"#,
    r#"fault: "reorder", on: "line1/T-100/#", with: {"share": 0.5, "wait": "2 s"}"#,
    r#"fault: "corrupt", on: "line1/P-101/#", with: {"share": 0.3, "part": 0.05}"#,
    r#"fault: "cut", on: "line1/#", with: {"share": 0.2}"#,
    r#"fault: "clock_skew", on: "line1/HX-201/#", with: {"by": "-1 h"}"#,
    r#"fault: "clock_skew", on: "line1/P-101/#", with: {"by": "3 s"}"#,
    r#"fault: "stale_retained", on: "line1/#""#,
];

#[derive(Clone, Debug)]
struct Broken {
    fault: usize,
    at_ms: u64,
    lasts_ms: u64,
}

fn broken() -> impl Strategy<Value = Broken> {
    (0..FAULTS.len(), prop_oneof![Just(0), Just(5000), 0..40_000_u64], 1..20_000_u64)
        .prop_map(|(fault, at_ms, lasts_ms)| Broken { fault, at_ms, lasts_ms })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_breaks_the_same_comes_of_it_with_messages_and_without(
        all in prop::collection::vec(broken(), 1..5), seed in 1..1000_u64,
    ) {
        let steps = all.iter().map(|Broken { fault, at_ms, lasts_ms }| {
            // A fault that grows lasts as long as that at least.
            let least = if FAULTS[*fault].contains("ramp: \"3s\"") { 3000 } else { 1 };
            format!("(at: \"{at_ms}ms\", {}, lasts: \"{}ms\"),", FAULTS[*fault], (*lasts_ms).max(least))
        });
        let scene = scenes().join("bottling/scene.ron");
        let text = format!(
            "Scenario(format: (1, 1), scene: {scene:?}, seed: {seed}, duration: \"40s\", steps: [{}], expect: [NothingElse()])",
            steps.collect::<String>()
        );
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("it.ron");
        fs::write(&path, text).expect("a scenario");
        for experiment in load(&path) {
            let ((direct, _), (wired, _)) = (all_of(&experiment, false), all_of(&experiment, true));
            prop_assert!(direct == wired, "{}", difference(&direct, &wired));
        }
    }
}
