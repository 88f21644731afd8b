//! Scenes, alarms, brokers and payloads.

use std::path::Path;
use std::sync::Arc;

use pollux::produce::ProducerFactory;
use pollux::record::read::Timeline;
use pollux::run::rejudge::{Activation, activations, rejudge};
use pollux::scene;

use super::{Case, call, check};

fn checked(name: &'static str, code: i32, says: &'static [&'static str]) -> Case {
    Case { name, args: "check scene.ron", code, says, never: &[], samples: vec![] }
}

#[test]
fn scenes_are_read_or_refused_with_a_way_out() {
    check(&[
        checked("scn03_bom_crlf_tabs", 0, &["0 errors, 0 warnings"]),
        checked("scn03b_utf16", 1, &["it is UTF-16 text: save it as UTF-8"]),
        checked("scn03c_utf8_cut", 1, &["line 3, column 18: byte 0xFC, in Latin-1 `ü`", "save it as UTF-8"]),
        checked(
            "scn09_topics",
            1,
            &[
                "the topic \"$share/grp/x\" is a shared subscription: no message bears that topic",
                "the topic \" x \" has space at its ends",
                "holds the character NUL",
            ],
        ),
        checked("mq22_share", 1, &["Pump.g", "is a shared subscription", "write topic: \"x\""]),
        checked("plt10_huge_places", 0, &["warning[far-away]: Q: ", "warning[unlikely-size]: R: "]),
    ]);
}

/// Alarms that come of importing the table of a case: when each was raised and when it cleared.
fn alarms(name: &str) -> Vec<String> {
    let outcome = call(name, &["import", "csv", "in.csv", "--scene", "scene.ron", "-o", "out.mcap"]);
    assert_eq!(outcome.code, Some(0), "{name}: {}", outcome.said);
    let folder: &Path = outcome.folder.path();
    let timeline = Timeline::open(&[folder.join("out.mcap")]).expect("a recording");
    let scene = Arc::new(scene::load(&folder.join("scene.ron")).scene.expect("a scene without issues"));
    let run = rejudge(&timeline, scene, ProducerFactory::default()).expect("a run");
    let told = activations(run.events_after(0).map(|event| &**event));
    let text = |one: &Activation| {
        let cleared = one.cleared.map_or_else(|| "the end".to_owned(), |at| at.to_string());
        format!("{} {:?} from {} to {cleared}", one.alarm, one.value.unwrap_or(f64::NAN), one.raised)
    };
    told.values().flatten().map(text).collect()
}

#[test]
fn limits_are_judged_beyond_the_range_and_at_the_edge_of_the_deadband() {
    let wanted = ["P/x.high 0.31 from 2026-01-31T12:00:02Z to 2026-01-31T12:00:04Z"];
    assert_eq!(alarms("alm01_boundary"), wanted);
    let wanted = ["P/x.high 12.0 from 2026-01-31T12:00:02Z to 2026-01-31T12:00:05Z"];
    assert_eq!(alarms("alm03_out_of_range"), wanted);
}

/// Of alm08_never_seen_stale, as the recording tells it: of a signal that stops, and of one that never comes.
#[test]
fn silence_is_told_once_a_value_has_expired_and_not_before() {
    let import = ["import", "csv", "in.csv", "--scene", "scene.ron", "-o", "out.mcap"];
    let outcome = call("alm08_never_seen_stale", &import);
    assert_eq!(outcome.code, Some(0), "{}", outcome.said);
    let events = Timeline::open(&[outcome.folder.path().join("out.mcap")]).unwrap().events().unwrap();
    let told = activations(&events);
    let text = |one: &Activation| format!("{} {} {:?}", one.alarm, one.raised, one.cleared.map(|at| at.to_string()));
    let told: Vec<String> = told.values().flatten().map(text).collect();
    let wanted = [
        "P/x.silent 2026-01-31T12:00:04Z Some(\"2026-01-31T12:00:12Z\")",
        "P/x.silent 2026-01-31T12:00:15Z Some(\"2026-01-31T12:00:20Z\")",
        "P/y.silent 2026-01-31T12:00:03Z None",
    ];
    assert_eq!(told, wanted);
    // Judged once more, silence begins at the same nanosecond.
    let scene = Arc::new(scene::load(&outcome.folder.path().join("scene.ron")).scene.expect("a scene without issues"));
    let timeline = Timeline::open(&[outcome.folder.path().join("out.mcap")]).expect("a recording");
    let run = rejudge(&timeline, scene, ProducerFactory::default()).expect("a run");
    let anew = activations(run.events_after(0).map(|event| &**event));
    assert_eq!(anew.values().flatten().map(text).collect::<Vec<_>>(), wanted);
}

/// A case, and the alarms that come of it.
type Story = (&'static str, &'static [&'static str]);

const STORIES: &[Story] = &[
    ("alm01b_boundary_big", &["P/x.high 70.2 from 2026-01-31T12:00:02Z to 2026-01-31T12:00:04Z"]),
    ("alm02_nan", &["P/x.high 6.0 from 2026-01-31T12:00:02Z to 2026-01-31T12:00:05Z"]),
    ("alm04_delay_toggle", &[]),
    ("alm05_disabled_in_delay", &["P/x.high 6.0 from 2026-01-31T12:00:06Z to the end"]),
    ("alm06_filter_back", &["P/x.high 6.0 from 2026-01-31T12:00:03Z to the end"]),
    ("alm07_worst_value", &["P/x.high 6.0 from 2026-01-31T12:00:01Z to 2026-01-31T12:00:04Z"]),
    ("alm09_late_sample", &[]),
    ("alm10_first_value_high", &["P/x.high 6.0 from 2026-01-31T12:00:00Z to the end"]),
    (
        "alm11_same_stamp",
        &[
            "P/x.high 9.0 from 2026-01-31T12:00:01Z to 2026-01-31T12:00:01Z",
            "P/x.high 9.0 from 2026-01-31T12:00:01Z to 2026-01-31T12:00:01Z",
        ],
    ),
    ("alm12_gap_delay", &["P/x.high 6.0 from 2026-01-31T13:01:00Z to 2026-01-31T15:00:00Z"]),
    (
        "alm14_enum",
        &[
            "P/x.bad NaN from 2026-01-31T12:00:01Z to 2026-01-31T12:00:02Z",
            "P/x.bad NaN from 2026-01-31T12:00:03Z to 2026-01-31T12:00:04Z",
        ],
    ),
];

#[test]
fn alarms_come_and_go_when_they_should() {
    let wrong: Vec<String> = STORIES
        .iter()
        .map(|(name, wanted)| (name, alarms(name), wanted))
        .filter(|(_, found, wanted)| found != *wanted)
        .map(|(name, found, wanted)| format!("{name}: {found:?}, not {wanted:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_scene_cannot_mean_is_refused_at_its_place() {
    check(&[
        checked("scn01_ids", 1, &["the id \"α/β\" is empty, has a space at an end", "the id \"P-1 \""]),
        checked("scn04_numbers", 1, &["a: scale must be above 0, found 0.0", "b: scale must be above 0, found -2.0"]),
        checked("scn05_cycles", 1, &["scene.ron uses itself", "P-1.x: depends on itself: P-1.x -> P-1.y -> P-1.x"]),
        checked("scn07_nan_limits", 1, &["Pump.a: a finite number is expected here, found NaN"]),
        checked(
            "scn07b_deadband_above_span",
            1,
            &["with a deadband of 20.0 it would clear only beyond limits.low (2.0)"],
        ),
        checked("scn08_dups", 1, &["the name `flow` stands here a second time", "the id `P` is given a second time"]),
    ]);
}
