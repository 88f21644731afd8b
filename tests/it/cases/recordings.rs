//! Recordings and files that are written.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Case, Outcome, Samples, call, call_in, check};

pub const IMPORT: &str = "import mcap in.mcap --scene scene.ron -o out.mcap";

/// One flow a second from noon on.
const FIVE: &[&str] = &[
    "2026-01-31T12:00:00Z 1",
    "2026-01-31T12:00:01Z 2",
    "2026-01-31T12:00:02Z 3",
    "2026-01-31T12:00:03Z 4",
    "2026-01-31T12:00:04Z 5",
];

const fn flow(twin: &'static str, are: &'static [&'static str]) -> Samples {
    Samples { twin, signal: "flow", are }
}

const ALL_FIVE: &[Samples] = &[flow("P-1", FIVE)];
const FIRST_AND_THIRD: &[Samples] = &[flow("P-1", &["2026-01-31T12:00:00Z 1", "2026-01-31T12:00:02Z 3"])];
const FIRST_ALONE: &[Samples] = &[flow("P-1", &["2026-01-31T12:00:00Z 1"]), flow("P-2", &[])];

const FIRST_THREE: &[Samples] =
    &[flow("P-1", &["2026-01-31T12:00:00Z 1", "2026-01-31T12:00:01Z 2", "2026-01-31T12:00:02Z 3"])];
const FIRST_TWO: &[Samples] = &[flow("P-1", &["2026-01-31T12:00:00Z 1", "2026-01-31T12:00:01Z 2"])];
const ONLY_FIRST: &[Samples] = &[flow("P-1", &["2026-01-31T12:00:00Z 1"])];
const SECOND_ALONE: &[Samples] = &[flow("P-1", &["2026-01-31T12:00:01Z 2"])];

#[test]
fn recordings_of_other_programs_are_read_or_refused_with_a_way_out() {
    let case = |name, code, says, samples: &[Samples]| {
        let samples = samples.to_vec();
        Case { name, args: IMPORT, code, says, never: &[], samples }
    };
    check(&[
        case(
            "mcap05_log_time_0",
            0,
            &["no message lies between 1970-01-01T00:00:00Z and 2026-01-31T12:00:00Z, 56 years", "--range", "--at"],
            &[],
        ),
        case("mcap08_unknown_compression", 0, &["`brotli`", "zstd", "2 messages, 2 samples"], FIRST_AND_THIRD),
        case(
            "mcap10_channel_redefined",
            0,
            &["breaks the rules", "channel 1", "`P-1/data`", "`P-2/data`"],
            FIRST_ALONE,
        ),
        case("mcap10c_message_before_channel", 0, &["1 messages are left out", "channel"], SECOND_ALONE),
        case("mcap12_ros2_cdr", 2, &["`cdr`", "JSON", "no recording is written"], &[]),
        case("mcap12b_protobuf", 2, &["`protobuf`", "JSON", "no recording is written"], &[]),
        case("mcap15_time_beyond_i64", 0, &["2 messages", "2262"], ALL_FIVE),
        case("mcap01_no_message_index", 0, &["5 messages, 5 samples"], ALL_FIVE),
        case("mcap02_no_summary", 0, &["5 messages, 5 samples"], ALL_FIVE),
        case("mcap03_channels_only_in_chunks", 0, &["5 messages, 5 samples"], ALL_FIVE),
        case("mcap04_zero_length", 0, &["3 messages, 1 samples"], SECOND_ALONE),
        case("mcap06_topic_by_topic", 0, &["40 messages, 40 samples"], &[]),
        case("mcap07_message_above_chunk", 0, &["5 messages, 5 samples"], ALL_FIVE),
        case("mcap08b_lz4", 0, &["5 messages, 5 samples"], ALL_FIVE),
        case("mcap09_schema_missing", 0, &["3 messages, 2 samples", "topics that feed no signal"], FIRST_TWO),
        case("mcap10b_same_topic_two_channels", 0, &["3 messages, 3 samples"], FIRST_THREE),
        case("mcap11_attachment_claims", 0, &["the index is damaged", "1 messages, 1 samples"], ONLY_FIRST),
        case("mcap13_truncated", 0, &["was not finished", "3 messages, 3 samples"], FIRST_THREE),
        case("mcap14_swapped_times", 0, &["5 messages, 5 samples"], ALL_FIVE),
        case("mcap17b_zero_bytes", 3, &["is no recording"], &[]),
        case("mcap17c_text", 3, &["is no recording"], &[]),
        case("mcap18_crc_wrong", 0, &["1 piece is damaged and left out"], FIRST_AND_THIRD),
        case("mcap20_own_channel_spoof", 0, &["6 messages, 6 samples"], &[]),
        case("mcap17_empty", 2, &["no message", "no recording is written"], &[]),
        case("mcap16_many_overlapping_chunks", 2, &["more than 512 MiB of messages overlap", "`mcap sort`"], &[]),
    ]);
}

pub fn import(name: &str, args: &[&str]) -> Outcome {
    let done = call(name, args);
    assert_eq!(done.code, Some(0), "{}", done.said);
    done
}

pub fn text(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Of mcap10d_redefined_after_repair.
#[test]
fn what_a_repair_keeps_stays_with_its_owner() {
    let done = import("mcap10_channel_redefined", &["repair", "in.mcap"]);
    let done = call_in(done.folder, &IMPORT.split(' ').collect::<Vec<_>>());
    assert_eq!(done.code, Some(0), "{}", done.said);
    let found = super::samples(done.folder.path(), "P-1", "flow");
    assert_eq!(found, ["2026-01-31T12:00:00Z 1"]);
    assert_eq!(super::samples(done.folder.path(), "P-2", "flow"), [""; 0]);
    assert!(done.folder.path().join("in.mcap.damaged").exists(), "what is left out is kept");
}

#[test]
fn an_import_begins_with_its_first_message_and_both_ends_of_a_stretch_belong_to_it() {
    let mut folder = import("mcap19_pollux_export_range", &IMPORT.split(' ').collect::<Vec<_>>()).folder;
    let stretches: [(&[&str], &[&str]); 4] = [
        (&["--range", "1s..3s"], &["2", "3", "4"]),
        (&["--range", "0s..1s"], &["1", "2"]),
        (&["--from", "2026-01-31T12:00:01Z", "--to-time", "2026-01-31T12:00:03Z"], &["2", "3", "4"]),
        (&["--range", "4s.."], &["5"]),
    ];
    for (stretch, expected) in stretches {
        let done = call_in(folder, &[&["export", "out.mcap", "--to", "csv", "-o", "o.csv"], stretch].concat());
        assert_eq!(done.code, Some(0), "{stretch:?}: {}", done.said);
        let table = text(done.folder.path(), "o.csv");
        let values: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split(',').nth(4)).collect();
        assert_eq!(values, expected, "{stretch:?}");
        folder = done.folder;
    }
    let outside: [&[&str]; 4] = [
        &["--range", "3s..1s"],
        &["--from", "2030-01-01T00:00:00Z"],
        &["--range", "10s..20s"],
        &["--from", "1999-01-01T00:00:00Z", "--to-time", "1999-01-02T00:00:00Z"],
    ];
    for stretch in outside {
        let done = call_in(folder, &[&["export", "out.mcap", "--to", "csv", "-o", "none.csv"], stretch].concat());
        assert_eq!(done.code, Some(2), "{stretch:?}: {}", done.said);
        let bounds = "the recording is from 2026-01-31T12:00:00Z to 2026-01-31T12:00:04Z";
        assert!(done.said.contains(bounds) && !done.folder.path().join("none.csv").exists(), "{}", done.said);
        folder = done.folder;
    }
    // A recording again: what it has from the start on.
    let done = call_in(folder, &["export", "out.mcap", "--to", "mcap", "-o", "cut.mcap", "--range", "0s..2s"]);
    assert_eq!(done.code, Some(0), "{}", done.said);
    let done = call_in(done.folder, &["info", "cut.mcap"]);
    assert!(done.said.contains("from         2026-01-31T12:00:00Z\n"), "{}", done.said);
}

/// Of cmp01_import_and_original.
#[test]
fn an_import_differs_in_nothing_from_what_was_imported() {
    let folder = import("mcap19_pollux_export_range", &IMPORT.split(' ').collect::<Vec<_>>()).folder;
    let compare = ["compare", "out.mcap", "in.mcap", "--align", "start", "--scene", "scene.ron", "--tolerance", "0.01"];
    let done = call_in(folder, &compare);
    assert_eq!(done.code, Some(0), "{}", done.said);
    assert!(done.said.contains("signals that differ: 0 of"), "{}", done.said);
}

#[test]
fn the_first_values_show_at_the_start() {
    let folder =
        import("plt11_at_start", &["import", "csv", "in.csv", "--scene", "scene.ron", "-o", "out.mcap"]).folder;
    let done = call_in(folder, &["play", "out.mcap", "--headless", "--at", "0s", "--state", "s.json"]);
    assert_eq!(done.code, Some(0), "{}", done.said);
    let state: serde_json::Value = serde_json::from_str(&text(done.folder.path(), "s.json")).unwrap();
    assert_eq!(state["twins"]["P"]["signals"]["c"]["value"], 42.0);
}

#[test]
fn lines_for_influx_are_no_comments_and_no_two_are_of_one_point() {
    let csv = ["import", "csv", "in.csv", "--scene", "scene.ron", "-o", "out.mcap"];
    let folder = import("exp01_influx_special", &csv).folder;
    let done = call_in(folder, &["export", "out.mcap", "--to", "influx", "-o", "out.lp"]);
    let lines = text(done.folder.path(), "out.lp");
    assert!(!lines.is_empty() && lines.lines().all(|line| line.starts_with("/#Pu\\ mp\\,a\\=b,quality=")), "{lines}");

    // The same message three times at one moment.
    let folder = import("exp02_influx_duplicates", &csv).folder;
    let topics = "time,topic,payload\n100,P-1/mode,a\n100,P-1/mode,b\n100,P-1/mode,c\n101,P-1/mode,d\n";
    std::fs::write(folder.path().join("in.csv"), topics).unwrap();
    let done = call_in(folder, &[&csv[..], &["--force"]].concat());
    assert_eq!(done.code, Some(0), "{}", done.said);
    let done = call_in(done.folder, &["export", "out.mcap", "--to", "influx", "-o", "out.lp"]);
    let lines = text(done.folder.path(), "out.lp");
    let points: BTreeMap<&str, &str> =
        lines.lines().filter_map(|line| line.rsplit_once(' ')).map(|(what, time)| (time, what)).collect();
    assert_eq!(points.len(), 4, "{lines}");
    assert!(done.said.contains("2 values have the time of another"), "{}", done.said);
}

/// Of exp05_copy_twice.
#[test]
fn a_recording_and_its_copy_or_a_part_of_it_are_one() {
    let folder = import("mcap19_pollux_export_range", &IMPORT.split(' ').collect::<Vec<_>>()).folder;
    std::fs::copy(folder.path().join("out.mcap"), folder.path().join("b.mcap")).unwrap();
    let done = call_in(folder, &["export", "out.mcap", "--to", "mcap", "-o", "part.mcap", "--range", "1s..2s"]);
    let done = call_in(done.folder, &["export", "out.mcap", "b.mcap", "part.mcap", "--to", "csv", "-o", "o.csv"]);
    assert_eq!(done.code, Some(0), "{}", done.said);
    let table = text(done.folder.path(), "o.csv");
    let rows: Vec<String> =
        table.lines().skip(1).map(|row| row.split(',').step_by(4).take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows, FIVE);
}

#[test]
fn alarms_of_a_recording_say_what_they_were_judged_by_in_any_scene() {
    let csv = ["import", "csv", "in.csv", "--scene", "scene.ron", "-o", "out.mcap"];
    let mut folder = import("alm16_other_limits_replay", &csv).folder;
    for (scene, is_said) in [(&[][..], false), (&["--scene", "scene2.ron"][..], true)] {
        let play = [&["play", "out.mcap", "--headless", "--speed", "1000", "--state", "s.json"], scene].concat();
        let done = call_in(folder, &play);
        assert_eq!(done.code, Some(0), "{}", done.said);
        let state: serde_json::Value = serde_json::from_str(&text(done.folder.path(), "s.json")).unwrap();
        assert_eq!(state["twins"]["P"]["alarms"][0]["message"], "x above 5 (high)", "{scene:?}");
        let troubles = state["troubles"].to_string();
        let told = troubles.contains("P/x.high was judged as `above 5`, where the scene says `above 2`");
        assert_eq!(told && troubles.contains("pollux rejudge"), is_said, "{troubles}");
        folder = done.folder;
    }
}

/// Of mcap16_many_overlapping_chunks.
#[test]
fn a_replay_that_lacks_a_part_says_so() {
    let play = ["play", "in.mcap", "--scene", "scene.ron", "--headless", "--at", "0s", "--state", "s.json"];
    let done = import("mcap16_many_overlapping_chunks", &play);
    assert!(
        done.said.contains("a part of the recording is left out") && done.said.contains("`mcap sort`"),
        "{}",
        done.said
    );
    let state: serde_json::Value = serde_json::from_str(&text(done.folder.path(), "s.json")).unwrap();
    assert!(state["troubles"].to_string().contains("a part of the recording is left out"), "{}", state["troubles"]);
}

#[test]
fn messages_of_which_none_fits_the_scene_are_refused_by_their_topics() {
    let folder = import("mcap19_pollux_export_range", &["info", "in.mcap"]).folder;
    let scene = text(folder.path(), "scene.ron");
    std::fs::write(folder.path().join("other.ron"), scene.replace("{id}/data", "hall/{id}/data")).unwrap();
    std::fs::write(folder.path().join("fields.ron"), scene.replace("\"/flow\"", "\"/values/flow\"")).unwrap();
    let mut folder = folder;
    for (scene, says) in [
        ("other.ron", &["the topics `P-1/data`;", "in other.ron", "another --scene"][..]),
        ("fields.ron", &["compare the bindings in fields.ron"][..]),
    ] {
        let done = call_in(folder, &["import", "mcap", "in.mcap", "--scene", scene, "-o", "out.mcap"]);
        assert_eq!(done.code, Some(2), "{}", done.said);
        let all = ["none of its 5 messages has a value for the scene `Bugs`", "no recording is written"];
        let missing: Vec<_> = all.iter().chain(says).filter(|word| !done.said.contains(**word)).collect();
        assert!(missing.is_empty() && !done.folder.path().join("out.mcap").exists(), "{missing:?}: {}", done.said);
        folder = done.folder;
    }
}
