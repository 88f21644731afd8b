//! Inputs with very much of one thing: columns, twins, crossings of a limit, bytes, brackets. They are made here.

use std::fmt::Write;
use std::path::Path;

use pollux::event::Kind;
use pollux::record::read::Timeline;

use super::{Outcome, call_in, samples};

const CSV: [&str; 7] = ["import", "csv", "in.csv", "--scene", "scene.ron", "-o", "out.mcap"];
const PUMP: &str = r#"{"Pump": (signals: {"flow": (unit: "m3/h", topic: "{id}/data", json: "/flow"),
    "temperature": (unit: "degC", topic: "{id}/data", json: "/temp")})}"#;

/// A folder with a scene of so many pumps and a table.
fn folder(pumps: usize, table: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let twins: Vec<String> = (0..pumps).map(|at| format!("(id: \"P-{at:04}\", type: \"Pump\")")).collect();
    let scene = format!("Scene(format: (1, 1), name: \"Big\", types: {PUMP}, twins: [{}])", twins.join(","));
    std::fs::write(folder.path().join("scene.ron"), scene).unwrap();
    std::fs::write(folder.path().join("in.csv"), table).unwrap();
    folder
}

/// Some lines and no more, whatever there is much of.
fn is_told_in_a_few_lines(done: &Outcome) {
    assert_eq!(done.code, Some(0), "{}", done.said);
    assert!(done.said.lines().count() <= 6 && done.said.len() < 1_000, "{}", done.said);
}

/// Of csv27_wide_10000.
#[test]
fn ten_thousand_columns_of_which_two_belong_to_signals_are_told_in_a_few_lines() {
    let others =
        |from: usize, what: &str| (from..from + 4_999).map(|at| what.replace('#', &at.to_string())).collect::<String>();
    let mut table = format!("time{},P-0001.flow{},P-0001.temperature\n", others(0, ",L#.x"), others(5_000, ",L#.x"));
    for second in 0..10 {
        let cells = others(0, ",#");
        writeln!(table, "{}{cells},{second}.5{cells},2{second}", 100 + second).unwrap();
    }
    let done = call_in(folder(2, &table), &CSV);
    is_told_in_a_few_lines(&done);
    assert!(done.said.contains("2 columns belong to signals") && done.said.contains("9998 columns"), "{}", done.said);
    let flows = samples(done.folder.path(), "P-0001", "flow");
    assert_eq!((flows.len(), flows[9].as_str()), (10, "1970-01-01T00:01:49Z 9.5"));
    assert_eq!(samples(done.folder.path(), "P-0001", "temperature")[3], "1970-01-01T00:01:43Z 23");
}

/// Of csv27b_wide_2000_in_5000.
#[test]
fn columns_that_no_signal_is_called_by_are_told_in_a_few_lines_however_many_twins_there_are() {
    let header: String = (0..2_000).map(|at| format!(",AREA1_sensor_{at}.value")).collect();
    let table = format!("time,P-0001.flow{header}\n100,7.5{}\n", ",0".repeat(2_000));
    let done = call_in(folder(5_000, &table), &CSV);
    is_told_in_a_few_lines(&done);
    assert!(done.said.contains("2000 columns, such as `AREA1_sensor_0.value`"), "{}", done.said);
    assert_eq!(samples(done.folder.path(), "P-0001", "flow"), ["1970-01-01T00:01:40Z 7.5"]);
}

/// Of scn02_5000.
#[test]
fn a_scene_of_five_thousand_twins_is_checked_and_mirrored() {
    let done = call_in(folder(5_000, ""), &["check", "scene.ron"]);
    assert!(done.code == Some(0) && done.said.contains("0 errors, 0 warnings"), "{}", done.said);
    let live = ["live", "scene.ron", "--headless", "--no-store", "--for", "500ms", "--state", "s.json"];
    let done = call_in(done.folder, &live);
    assert_eq!(done.code, Some(0), "{}", done.said);
    let state = std::fs::read(done.folder.path().join("s.json")).unwrap();
    let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
    assert_eq!(state["twins"].as_object().unwrap().len(), 5_000);
}

/// Of alm13_flapping.
#[test]
fn an_alarm_that_comes_and_goes_a_thousand_times_is_said_to_chatter() {
    let mut table = "time,P.x\n".to_owned();
    for second in 0..1_000 {
        writeln!(table, "{},{}", 1_769_860_800 + second, if second % 2 == 0 { 1 } else { 6 }).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(super::folder_of("alm13_flapping").join("scene.ron"), folder.path().join("scene.ron")).unwrap();
    std::fs::write(folder.path().join("in.csv"), table).unwrap();
    let done = call_in(folder, &CSV);
    is_told_in_a_few_lines(&done);
    let path = done.folder.path().join("out.mcap");
    assert!(path.metadata().unwrap().len() < 1 << 20);
    let events = Timeline::open(&[path]).unwrap().events().unwrap();
    let began = events.iter().filter(|event| matches!(event.kind, Kind::Chattering { began: true, .. })).count();
    let alarms = events.iter().filter(|event| matches!(event.kind, Kind::Alarm { .. })).count();
    assert_eq!((began, alarms), (1, 999), "each change is kept, and the chattering is said once");
}

/// Of scn06_deep and scn06b_deep_expr.
#[test]
fn what_is_nested_without_end_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let deep = format!("Scene(format: (1,1), twins: {}{})", "[".repeat(20_000), "]".repeat(20_000));
    std::fs::write(folder.path().join("deep.ron"), deep).unwrap();
    let done = call_in(folder, &["check", "deep.ron"]);
    assert!(done.code == Some(1) && done.said.contains("values are nested deeper than 96 levels"), "{}", done.said);
    let mut folder = done.folder;
    let brackets = |count: usize| format!("{}a{}", "(".repeat(count), ")".repeat(count));
    let sum = |count: usize| vec!["a"; count].join("+");
    // Too long; and as deep as fits into the length.
    for (expression, says) in [
        (brackets(5_000), "longer than 4096 bytes"),
        (sum(3_000), "longer than 4096 bytes"),
        (brackets(2_000), "exceeds maximum complexity"),
    ] {
        let scene = format!(
            "Scene(format: (1, 1), name: \"S\", types: {{\"Pump\": (signals: {{\"a\": (topic: \"x\", raw: Number), \
             \"b\": (derived: \"{expression}\")}})}}, twins: [(id: \"P-1\", type: \"Pump\")])"
        );
        std::fs::write(folder.path().join("scene.ron"), scene).unwrap();
        let done = call_in(folder, &["check", "scene.ron"]);
        assert!(done.code == Some(1) && done.said.contains(says), "{says}: {:?} {}", done.code, done.said);
        assert!(done.said.len() < 20_000, "{}", done.said.len());
        folder = done.folder;
    }
}

/// A file with holes: of a long write only its length is kept.
#[cfg(unix)]
struct Sparse(std::fs::File);

#[cfg(unix)]
impl std::io::Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.len() < 1 << 20 {
            return self.0.write(bytes);
        }
        std::io::Seek::seek_relative(&mut self.0, bytes.len() as i64)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(unix)]
impl std::io::Seek for Sparse {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

/// One message, and an attachment that fills more memory than a program gets here.
#[cfg(unix)]
fn write_with_attachment(path: &Path, bytes: usize) {
    let options = mcap::WriteOptions::new().calculate_attachment_crcs(false).calculate_data_section_crc(false);
    let mut writer = options.create(Sparse(std::fs::File::create(path).unwrap())).unwrap();
    let channel = writer.add_channel(0, "P-0001/data", "json", &Default::default()).unwrap();
    let noon = 1_769_860_800_000_000_000;
    let header = mcap::records::MessageHeader { channel_id: channel, sequence: 0, log_time: noon, publish_time: noon };
    writer.write_to_known_channel(&header, br#"{"flow":7.5}"#).unwrap();
    let data = vec![0; bytes];
    let (name, media_type) = ("video.bin".to_owned(), "application/octet-stream".to_owned());
    let attachment =
        mcap::Attachment { log_time: noon, create_time: noon, name, media_type, data: data.as_slice().into() };
    writer.attach(&attachment).unwrap();
    writer.finish().unwrap();
}

/// Of mcap11b_attachment_big.
#[cfg(unix)]
#[test]
fn a_huge_attachment_is_passed_over() {
    let folder = folder(2, "");
    write_with_attachment(&folder.path().join("in.mcap"), 2 << 30);
    for (line, says) in [
        ("info in.mcap", "video.bin"),
        ("import mcap in.mcap --scene scene.ron -o out.mcap", "1 messages, 1 samples"),
        ("export in.mcap --scene scene.ron --to csv -o out.csv", "out.csv: 1 rows"),
        ("play in.mcap --scene scene.ron --headless --at 0s --state s.json", ""),
    ] {
        let limited = format!("ulimit -v 1500000; exec \"$0\" {line}");
        let output = std::process::Command::new("sh")
            .args(["-c", &limited, env!("CARGO_BIN_EXE_pollux")])
            .current_dir(folder.path())
            .env("XDG_STATE_HOME", folder.path().join(".state"))
            .output()
            .unwrap();
        let said = [output.stderr, output.stdout].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        assert!(output.status.code() == Some(0) && said.contains(says), "{line}: {:?} {said}", output.status);
    }
    assert_eq!(samples(folder.path(), "P-0001", "flow"), ["2026-01-31T12:00:00Z 7.5"]);
    let state = std::fs::read_to_string(folder.path().join("s.json")).unwrap();
    assert!(state.contains("7.5"), "{state}");
}
