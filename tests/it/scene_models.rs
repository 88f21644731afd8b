//! Scenes that say how their twins behave: a new user's first plant, and what it says of every slip.

use std::fs;

use pollux::network::Network;
use pollux::scene::{self, Loaded, Seen};

/// Water is pumped up into a tank and runs back through a valve.
const FIRST: &str = r#"Scene(
    format: (1, 3),
    name: "First plant",
    types: {
        "Tank": (
            model: Tank(area: "2 m2", height: "3 m", start_level: "150 cm"),
            signals: {
                "level": (unit: "m", topic: "first/{id}", json: "/level", measures: "level"),
                "full": (topic: "first/{id}/full", raw: Bool, measures: "overflows"),
            },
        ),
        "Pump": (
            model: CentrifugalPump(rated_flow: "10 m3/h", rated_head: "20 m", shutoff_head: "26 m", start: 0.9),
            inputs: {"speed": "2600 rpm"},
            signals: {"flow": (unit: "L/min", topic: "first/{id}", json: "/flow", measures: "flow")},
        ),
        "Valve": (
            model: ControlValve(kv: 9.0),
            inputs: {"command": (from: "{tank}.level", scale: 1.0, offset: 0.0)},
            signals: {"position": (unit: "%", topic: "first/{id}", json: "/position", measures: "position")},
        ),
    },
    twins: [
        (id: "T-1", type: "Tank"),
        (id: "P-1", type: "Pump", parameters: {"ring_wear": 0.1}),
        (id: "T-2", type: "Tank", parameters: {"elevation": "8 m", "area": "3 m2"}),
        (id: "V-1", type: "Valve", params: {"tank": "T-2"}, inputs: {"command": 0.6}),
    ],
    links: [
        (from: "T-1.outlet", to: "P-1.inlet"),
        (from: "P-1.outlet", to: "T-2.inlet"),
        (from: "T-2.outlet", to: "V-1.inlet"),
        (from: "V-1.outlet", to: "T-1.inlet"),
    ],
)"#;

fn load(text: &str) -> Loaded {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scene.ron");
    fs::write(&path, text).expect("a scene");
    scene::load(&path)
}

/// What is said of the first plant after one change, without the path of the file.
fn said(from: &str, to: &str) -> String {
    assert!(FIRST.contains(from), "{from}");
    let loaded = load(&FIRST.replacen(from, to, 1));
    let issues = loaded.issues.iter().map(|issue| {
        let hint = issue.hint.as_ref().map_or_else(String::new, |hint| format!(" | {hint}"));
        format!("{}:{} {} [{}]{hint}", issue.line, issue.column, issue.brief, issue.rule)
    });
    issues.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_first_plant_behaves_from_its_scene_alone() {
    let loaded = load(FIRST);
    assert!(loaded.issues.is_empty(), "{:?}", loaded.issues);
    let scene = loaded.scene.expect("a scene");
    let blueprint = scene.blueprint.clone().expect("a blueprint");
    let network = Network::build((*blueprint).clone()).expect("it was checked");
    let mut work = network.workspace();
    let mut now = network.start(1, &[], &mut work);
    network.advance(&mut now, 600_000_000_000, &mut work);
    let seen = |twin: &str, signal: &str| {
        let measure = &scene.measures[&scene.signal(twin, signal).expect("a signal").index];
        let Seen::Output { machine, output } = measure.of else { panic!("{measure:?}") };
        measure.conversion.apply(now.output(&network, machine, output))
    };
    let (flow, position) = (seen("P-1", "flow"), seen("V-1", "position"));
    assert!((60.0..250.0).contains(&flow), "{flow} l/min");
    assert!((position - 60.0).abs() < 0.1, "{position} %");
    let water = 2.0 * seen("T-1", "level") + 3.0 * seen("T-2", "level");
    assert!((water - 7.5).abs() < 1e-9, "no water is lost: {water} m3");
    assert_eq!(seen("T-2", "full"), 0.0);
}

#[test]
fn every_slip_is_told_with_its_place_and_what_would_be_right() {
    for (from, to, wanted) in [
        ("CentrifugalPump(", "CentrifugalPmp(", "did you mean `CentrifugalPump`?"),
        ("rated_flow: \"10 m3/h\"", "rated_flw: \"10 m3/h\"", "did you mean `rated_flow`?"),
        (
            "rated_flow: \"10 m3/h\"",
            "rated_flow: 10.0",
            "rated_flow is the bare number 10 [bad-quantity] | write it with a unit",
        ),
        ("rated_flow: \"10 m3/h\"", "rated_flow: \"10 bar\"", "`bar` does not fit `m3/s`"),
        ("rated_flow: \"10 m3/h\"", "rated_flow: \"ten m3/h\"", "does not begin with a number"),
        ("rated_flow: \"10 m3/h\"", "rated_flow: \"1e9 m3/h\"", "rated_flow must be from 0.000001 m3/s to 100 m3/s"),
        ("\"ring_wear\": 0.1", "\"ring_wear\": 0.9", "ring_wear must be from 0 to 0.5, found 0.9"),
        ("\"ring_wear\": 0.1", "\"ring_ware\": 0.1", "did you mean `ring_wear`?"),
        ("{\"speed\": \"2600 rpm\"}", "{\"sped\": \"2600 rpm\"}", "did you mean `speed`?"),
        ("{\"speed\": \"2600 rpm\"}", "{\"speed\": \"T-1.levl\"}", "did you mean `T-1.level`?"),
        ("{\"speed\": \"2600 rpm\"}", "{\"speed\": \"T-1.level\"}", "in `m` does not fit `rad/s`"),
        ("to: \"P-1.inlet\"", "to: \"P-1.inlt\"", "did you mean `inlet`?"),
        ("(from: \"V-1.outlet\", to: \"T-1.inlet\"),", "", "nothing is linked to its port `outlet`"),
        ("measures: \"level\"", "measures: \"levels\"", "did you mean `level`?"),
        ("measures: \"overflows\"", "measures: \"volume\"", "which is a number, not a Bool"),
        (
            "(from: \"T-1.outlet\", to: \"P-1.inlet\")",
            "(from: \"T-1.outlet\", to: \"P-1.inlet\", fluid: \"wine\")",
            "unknown fluid `wine`",
        ),
        (
            "(from: \"T-1.outlet\", to: \"P-1.inlet\")",
            "(from: \"T-1.outlet\", to: \"P-1.inlet\", fluid: \"glycol\")",
            "two liquids meet here",
        ),
        (
            "params: {\"tank\": \"T-2\"}, inputs: {\"command\": 0.6}",
            "",
            "has the placeholder {tank}, which this twin does not fill",
        ),
    ] {
        let said = said(from, to);
        assert!(said.contains(wanted), "{to}: {said}");
        assert!(said.lines().count() <= 2, "{to}: {said}");
    }
}

#[test]
fn outputs_that_follow_each_other_in_a_circle_are_told_until_one_waits() {
    let scene = |delayed: &str| {
        format!(
            r#"Scene(format: (1, 3), types: {{
                "V": (model: ControlValve(), inputs: {{"command": "{{other}}.command"}}),
                "W": (model: ControlValve(), inputs: {{"command": (from: "{{other}}.command"{delayed})}}),
                "S": (model: Tank()),
            }}, twins: [
                (id: "S-1", type: "S"), (id: "S-2", type: "S"),
                (id: "A", type: "V", params: {{"other": "B"}}), (id: "B", type: "W", params: {{"other": "A"}}),
            ], links: [
                (from: "S-1.outlet", to: "A.inlet"), (from: "A.outlet", to: "B.inlet"), (from: "B.outlet", to: "S-2.inlet"),
            ])"#
        )
    };
    let issues = load(&scene("")).issues;
    let told: Vec<&str> = issues.iter().map(|issue| issue.brief.as_str()).collect();
    assert_eq!(told, ["A: these follow each other without a step between: A -> B -> A"]);
    assert!(issues[0].hint.as_ref().is_some_and(|hint| hint.contains("delayed: true")));
    assert!(load(&scene(", delayed: true")).issues.is_empty());
}
