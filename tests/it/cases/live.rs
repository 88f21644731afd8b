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
