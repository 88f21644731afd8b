//! Edits of a running scene: the value is new, all else is as before, and what was done can be undone.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use pollux::scene::edit::{self, Change, Edit, EditError};
use pollux::scene::rule::{AlarmPath, Priority};
use pollux::scene::{self, Scene, SourceFile};
use proptest::prelude::*;

fn bottling() -> Scene {
    scene::load(Path::new("scenes/bottling/scene.ron")).scene.unwrap_or_default()
}

/// A scene of one text, not on the disk.
fn scene_of(text: &str) -> Scene {
    let texts = [SourceFile { path: "plant.ron".into(), text: text.into() }];
    let loaded = scene::load_texts(Path::new("plant.ron"), &texts);
    assert_eq!(loaded.render(false), "");
    loaded.scene.unwrap_or_default()
}

const PLANT: &str = r#"Scene(
    format: (1, 1),
    brokers: {"plant": (url: "mqtt://localhost")},
    types: {
        "Pump": (
            signals: {
                "vib": (unit: "mm/s", topic: "hall/{id}", json: "/v", expires: "5s", limits: (high: 4.5), alarms: {
                    "rising": (rate: (above: 0.5, per: "1min", over: "30s"), deadband: 0.1),
                    "trip": (above: 9.0), "still": (below: 0.1, enabled: false),
                    "off": (deviation: (from: 2, above: 1)),
                    "silent": (stale: true),
                }),
            },
            alarms: {"hot": (when: "vib > 3")},
        ),
    },
    twins: [
        (id: "P-1", type: "Pump"),
        (
            id: "P-2",
            type: "Pump", // the second
            signals: {
                "vib": (limits: (high: 5.0 /* agreed */)),
            },
        ),
    ],
)
"#;

/// The lines that an edit takes out and puts in, and what it says.
fn diff(edit: &Edit) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (edit.before.lines().collect(), edit.after.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let tail = tail.min(old.len() - same).min(new.len() - same);
    let part = |lines: &[&str], mark: &str| {
        lines[same..lines.len() - tail].iter().map(|line| format!("{mark}{line}\n")).collect::<String>()
    };
    format!("{edit}\n{}{}", part(&old, "-"), part(&new, "+"))
}

fn check(twin: &str, alarm: &str, change: Change, expected: Expect) {
    let scene = scene_of(PLANT);
    let edit = edit::plan(&scene, &AlarmPath::of_twin(twin, alarm), &change).unwrap();
    expected.assert_eq(&diff(&edit));
}

#[test]
fn a_value_of_the_type_is_overridden_in_the_twin() {
    check(
        "P-1",
        "vib.high",
        Change::Limit(5.5),
        expect![[r#"
            P-1/vib.high: limit from 4.5 mm/s to 5.5 mm/s
            -        (id: "P-1", type: "Pump"),
            +        (id: "P-1", type: "Pump", signals: {"vib": (limits: (high: 5.5))}),
        "#]],
    );
    check(
        "P-1",
        "vib.rising",
        Change::Limit(0.7 / 60.0),
        expect![[r#"
            P-1/vib.rising: limit from 0.5 mm/s per min to 0.7 mm/s per min
            -        (id: "P-1", type: "Pump"),
            +        (id: "P-1", type: "Pump", signals: {"vib": (alarms: {"rising": (rate: (above: 0.7))})}),
        "#]],
    );
    check(
        "P-1",
        "vib.off",
        Change::Limit(1.5),
        expect![[r#"
            P-1/vib.off: limit from 1 mm/s to 1.5 mm/s
            -        (id: "P-1", type: "Pump"),
            +        (id: "P-1", type: "Pump", signals: {"vib": (alarms: {"off": (deviation: (above: 1.5))})}),
        "#]],
    );
    check(
        "P-1",
        "vib.still",
        Change::Enabled(true),
        expect![[r#"
            P-1/vib.still: enabled from no to yes
            -        (id: "P-1", type: "Pump"),
            +        (id: "P-1", type: "Pump", signals: {"vib": (alarms: {"still": (enabled: true)})}),
        "#]],
    );
    check(
        "P-1",
        "hot",
        Change::OnDelay(Duration::from_millis(90_500)),
        expect![[r#"
            P-1/hot: on-delay from 0 s to 1 min 30 s 500 ms
            -        (id: "P-1", type: "Pump"),
            +        (id: "P-1", type: "Pump", alarms: {"hot": (on_delay: "1m 30s 500ms")}),
        "#]],
    );
}

#[test]
fn a_value_of_the_twin_itself_is_changed_where_it_stands() {
    check(
        "P-2",
        "vib.high",
        Change::Limit(6.0),
        expect![[r#"
            P-2/vib.high: limit from 5 mm/s to 6 mm/s
            -                "vib": (limits: (high: 5.0 /* agreed */)),
            +                "vib": (limits: (high: 6.0 /* agreed */)),
        "#]],
    );
    check(
        "P-2",
        "vib.high",
        Change::Priority(Priority::High),
        expect![[r#"
            P-2/vib.high: priority from medium to high
            -                "vib": (limits: (high: 5.0 /* agreed */)),
            +                "vib": (limits: (high: 5.0 /* agreed */), alarms: {"high": (priority: High)}),
        "#]],
    );
    check(
        "P-2",
        "hot",
        Change::Enabled(false),
        expect![[r#"
            P-2/hot: enabled from yes to no
            +            alarms: {"hot": (enabled: false)},
        "#]],
    );
}

#[test]
fn the_alarm_of_a_connection_is_edited_at_its_broker() {
    let scene = scene_of(PLANT);
    let target = AlarmPath::of_rule(scene.alarms.last().unwrap(), &scene);
    let edit = edit::plan(&scene, &target, &Change::OnDelay(Duration::from_secs(60))).unwrap();
    expect![[r#"
        broker#plant/connection: on-delay from 10 s to 1 min
        -    brokers: {"plant": (url: "mqtt://localhost")},
        +    brokers: {"plant": (url: "mqtt://localhost", alarm: (on_delay: "1m"))},
    "#]]
    .assert_eq(&diff(&edit));
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let scene = scene_of(PLANT);
    let refused =
        |twin: &str, alarm: &str, change: Change| match edit::plan(&scene, &AlarmPath::of_twin(twin, alarm), &change) {
            Ok(edit) => panic!("{}", diff(&edit)),
            Err(error) => format!("{error}\n"),
        };
    let told = [
        refused("P-1", "vib.hihg", Change::Limit(5.0)),
        refused("P-9", "vib.high", Change::Limit(5.0)),
        refused("P-1", "vib.silent", Change::Limit(5.0)),
        refused("P-1", "hot", Change::Deadband(5.0)),
        refused("P-1", "vib.high", Change::Limit(f64::NAN)),
        refused("P-1", "vib.high", Change::Limit(4.5)),
        refused("P-1", "vib.high", Change::Deadband(-1.0)),
        refused("P-1", "vib.rising", Change::Limit(-1.0)),
        refused("P-1", "vib.low", Change::Enabled(true)),
    ];
    expect![[r#"
        there is no alarm P-1/vib.hihg: did you mean P-1/vib.high?
        there is no alarm P-9/vib.high
        P-1/vib.silent has no limit: vib silent for more than 5 s
        P-1/hot has no deadband: hot: vib > 3
        P-1/vib.high: limit must be a finite number, found NaN
        P-1/vib.high: limit is 4.5 mm/s already
        the scene would not be valid: P-1.vib.high: the deadband is a distance and not below 0, found -1.0
        the scene would not be valid: P-1.vib.rising: with a deadband of 0.1 it would clear only beyond 0, no change at all (and 1 more)
        the scene would not be valid: P-1.vib.low: `vib` has no such limit, and no other condition is given
    "#]].assert_eq(&told.concat());
}

#[test]
fn an_edit_is_written_in_one_step_and_never_over_the_work_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plant.ron");
    std::fs::write(&path, PLANT).unwrap();
    let scene = scene::load(&path).scene.unwrap();
    let edit = edit::plan(&scene, &AlarmPath::of_twin("P-1", "vib.high"), &Change::Limit(5.5)).unwrap();
    edit::apply(&edit).unwrap();
    let limit = |scene: &Scene, twin: &str| scene.signal(twin, "vib").and_then(|signal| signal.limits.high);
    let edited = scene::load(&path).scene.unwrap();
    assert_eq!((limit(&edited, "P-1"), limit(&edited, "P-2")), (Some(5.5), Some(5.0)));
    let again = edit::apply(&edit);
    assert!(matches!(again, Err(EditError::ChangedOnDisk { .. })), "{again:?}");
    edit::apply(&edit.undo()).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), PLANT, "byte for byte");
    std::fs::write(&path, format!("// mine\n{PLANT}")).unwrap();
    assert!(matches!(edit::apply(&edit), Err(EditError::ChangedOnDisk { .. })));
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("// mine"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
}

#[cfg(unix)]
#[test]
fn an_edit_keeps_a_link_and_the_permissions_of_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("plant.ron"), folder.path().join("link.ron"));
    std::fs::write(&path, PLANT).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let scene = scene::load(&link).scene.unwrap();
    edit::apply(&edit::plan(&scene, &AlarmPath::of_twin("P-1", "vib.high"), &Change::Limit(5.5)).unwrap()).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(std::fs::read_to_string(&path).unwrap().contains("high: 5.5"));
}

/// Every alarm by its path, in words that hold all of its rule but its place.
fn rules(scene: &Scene) -> BTreeMap<String, String> {
    let words = |rule: &pollux::scene::rule::Rule| {
        let suppressed = rule.suppressed_when.as_ref().map(|formula| &formula.source);
        format!(
            "{:?} {:?} {:?} {:?} {} {:?} {suppressed:?} {} {:?}",
            rule.condition,
            rule.on_delay,
            rule.off_delay,
            rule.count,
            rule.latching,
            rule.priority,
            rule.group,
            rule.guidance
        )
    };
    scene.alarms.iter().map(|rule| (scene.alarm_path(rule.index), words(rule))).collect()
}

fn change() -> impl Strategy<Value = Change> {
    let delay = || (0u64..100_000_000).prop_map(Duration::from_millis);
    prop_oneof![
        (-100.0..100.0).prop_map(Change::Limit),
        (0.0..3.0).prop_map(Change::Deadband),
        delay().prop_map(Change::OnDelay),
        delay().prop_map(Change::OffDelay),
        (0usize..4).prop_map(|at| Change::Priority(Priority::ALL[at])),
        any::<bool>().prop_map(Change::Enabled),
    ]
}

/// The scene with the edit carried out, without the disk.
fn with(scene: &Scene, edit: &Edit) -> Scene {
    let texts: Vec<SourceFile> = scene
        .sources
        .iter()
        .map(|source| match source.path == edit.path {
            true => {
                assert_eq!(source.text, edit.before);
                SourceFile { text: edit.after.clone(), ..source.clone() }
            }
            false => source.clone(),
        })
        .collect();
    scene::load_texts(&scene.path, &texts).scene.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Several edits in a row: each gives what was asked for, no other alarm notices, and all undone is the old text.
    #[test]
    fn an_edit_changes_one_alarm_and_its_undo_gives_the_same_text(
        edits in prop::collection::vec((any::<prop::sample::Index>(), change()), 1..5)
    ) {
        let start = bottling();
        let mut scene = start.clone();
        let mut done: Vec<Edit> = Vec::new();
        for (at, change) in edits {
            let rule = &scene.alarms[at.index(scene.alarms.len())];
            let (target, path) = (AlarmPath::of_rule(rule, &scene), scene.alarm_path(rule.index));
            let edit = match edit::plan(&scene, &target, &change) {
                Ok(edit) => edit,
                // Random limits may be out of order, random deadbands too wide, some alarms have neither.
                Err(EditError::Refused { .. } | EditError::Unchanged { .. } | EditError::NoSuchField { .. }) => continue,
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            let edited = with(&scene, &edit);
            let (mut before, mut after) = (rules(&scene), rules(&edited));
            let (old, new) = (before.remove(&path), after.remove(&path));
            prop_assert!(old != new, "{}", edit);
            prop_assert_eq!(before, after, "{} changes other alarms", edit);
            prop_assert_eq!(new.is_none(), change == Change::Enabled(false));
            let rule = target.rule(&edited);
            match change {
                Change::OnDelay(delay) => prop_assert_eq!(rule.map(|rule| rule.on_delay), Some(delay)),
                Change::OffDelay(delay) => prop_assert_eq!(rule.map(|rule| rule.off_delay), Some(delay)),
                Change::Priority(priority) => prop_assert_eq!(rule.map(|rule| rule.priority), Some(priority)),
                _ => {}
            }
            done.push(edit);
            scene = edited;
        }
        for edit in done.iter().rev() {
            scene = with(&scene, &edit.undo());
        }
        let texts = |scene: &Scene| scene.sources.iter().map(|source| source.text.clone()).collect::<Vec<Arc<str>>>();
        prop_assert_eq!(texts(&scene), texts(&start));
    }
}
