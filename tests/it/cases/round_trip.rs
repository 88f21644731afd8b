//! What is exported is imported again to the same samples: tables of both shapes, and recordings.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use pollux::export::{Format, Options, Shape, export};
use pollux::import::{self, CsvOptions, CsvReader, ImportError, ImportOptions, Sent};
use pollux::produce::ProducerFactory;
use pollux::record::read::Timeline;
use pollux::run::rejudge::rejudge;
use pollux::scene::{self, Scene};
use pollux::value::{Grade, Quality, Timestamp};
use proptest::prelude::*;

use super::recordings::{import as imported, text};
use super::{call_in, samples};

const CSV: [&str; 7] = ["import", "csv", "in.csv", "--scene", "scene.ron", "-o", "out.mcap"];

#[test]
fn texts_booleans_and_times_are_in_tables_what_they_are() {
    let folder = imported("exp03_csv_text", &CSV).folder;
    let done = call_in(folder, &["export", "out.mcap", "--to", "csv", "-o", "long.csv"]);
    let long = text(done.folder.path(), "long.csv");
    let at = |second: &str| format!("1970-01-01T00:01:{second}Z,1970-01-01T00:01:{second}Z,P-1");
    for row in [
        format!("{},flow,1,m3/h,good,\r\n", at("40")),
        format!("{},running,false,,good,\r\n", at("41")),
        format!("{},mode,\"a,\"\"b\"\" \nc\",,good,\r\n", at("41")),
        format!("{},mode,'=1+1,,good,\r\n", at("43")),
    ] {
        assert!(long.contains(&row), "{row}: {long}");
    }
    assert!(!long.contains("1970-01-01T00:01:42Z"), "nothing was said at this time: {long}");
    let done = call_in(done.folder, &["export", "out.mcap", "--to", "csv", "--shape", "wide", "-o", "wide.csv"]);
    let wide = text(done.folder.path(), "wide.csv");
    assert!(wide.contains("1970-01-01T00:01:43Z,3,,true,'=1+1,,,,\r\n"), "{wide}");

    let done = call_in(done.folder, &["export", "out.mcap", "--to", "parquet", "-o", "long.parquet"]);
    let rows = SerializedFileReader::new(File::open(done.folder.path().join("long.parquet")).unwrap()).unwrap();
    let rows: Vec<_> = rows.get_row_iter(None).unwrap().map(|row| row.unwrap()).collect();
    let of = |signal: &str| -> Vec<(Field, Field)> {
        let is_it =
            |row: &&parquet::record::Row| row.get_column_iter().any(|(_, field)| *field == Field::Str(signal.into()));
        let fields = |row: &parquet::record::Row, name: &str| {
            row.get_column_iter().find(|(known, _)| *known == name).map(|(_, field)| field.clone()).unwrap()
        };
        let column = if signal == "mode" { "text" } else { "boolean" };
        rows.iter().filter(is_it).map(|row| (fields(row, "time"), fields(row, column))).collect()
    };
    let second = |second: i64| Field::Long(second * 1_000_000_000);
    let modes = ["auto", "a,\"b\" \nc", "=1+1"].map(|text| Field::Str(text.into()));
    assert_eq!(of("mode"), [100, 101, 103].map(second).into_iter().zip(modes).collect::<Vec<_>>());
    assert_eq!(of("running")[1], (second(101), Field::Bool(false)));
}

#[test]
fn a_wide_table_has_a_second_row_where_a_signal_comes_twice_at_one_time() {
    let folder = imported("exp04_wide_same_time", &CSV).folder;
    let done = call_in(folder, &["export", "out.mcap", "--to", "csv", "--shape", "wide", "-o", "out.csv"]);
    let table = text(done.folder.path(), "out.csv");
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert_eq!(rows, ["1970-01-01T00:01:40Z,1,10,,,2,,,", "1970-01-01T00:01:40Z,3,30,,,,,,"]);
}

#[test]
fn an_empty_text_is_a_text_and_an_empty_cell_is_none() {
    let folder = imported("csv39_roundtrip", &CSV).folder;
    let table = "time,P-1.flow,P-1.mode\n100,1,auto\n101,2,'\n102,3,\n103,4,''\n104,5,it's\n";
    std::fs::write(folder.path().join("in.csv"), table).unwrap();
    let mut folder = call_in(folder, &[&CSV[..], &["--force"]].concat()).folder;
    let all =
        ["1970-01-01T00:01:40Z auto", "1970-01-01T00:01:41Z ", "1970-01-01T00:01:43Z '", "1970-01-01T00:01:44Z it's"];
    assert_eq!(samples(folder.path(), "P-1", "mode"), all);
    for shape in ["long", "wide"] {
        let done = call_in(folder, &["export", "out.mcap", "--to", "csv", "--shape", shape, "-o", "in.csv"]);
        let done = call_in(done.folder, &[&CSV[..], &["--force"]].concat());
        assert_eq!(samples(done.folder.path(), "P-1", "mode"), all, "{shape}: {}", done.said);
        folder = done.folder;
    }
}

#[cfg(unix)]
#[test]
fn a_table_comes_through_a_pipe() {
    let folder = imported("csv39_roundtrip", &CSV).folder;
    let first = samples(folder.path(), "P-1", "flow");
    let mut child = Command::new(env!("CARGO_BIN_EXE_pollux"))
        .args(["import", "csv", "/dev/stdin", "--scene", "scene.ron", "-o", "out.mcap", "--force"])
        .current_dir(folder.path())
        .env("XDG_STATE_HOME", folder.path().join(".state"))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // Newest first, so that it has to be read to its end before anything of it is taken.
    let table = text(folder.path(), "in.csv");
    let mut rows: Vec<&str> = table.lines().collect();
    rows[1..].reverse();
    child.stdin.take().unwrap().write_all((rows.join("\n") + "\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(samples(folder.path(), "P-1", "flow"), first);
}

const SCENE: &str = r#"Scene(format: (1, 1), name: "Round", brokers: {"plant": (url: "mqtt://localhost:1883")},
    types: {"Pump": (signals: {
        "flow": (unit: "m3/h", topic: "{id}/data", json: "/flow", time: (json: "/t", format: Nanoseconds)),
        "level": (unit: "%", topic: "{id}/level", json: "/v", range: (0, 100)),
        "label": (topic: "{id}/label", json: "/v", kind: Text),
        "switch": (topic: "{id}/switch", json: "/v", kind: Bool),
        "running": (topic: "{id}/running", raw: Bool),
        "mode": (topic: "{id}/mode", raw: Text),
    })}, twins: [(id: "P-1", type: "Pump"), (id: "-P", type: "Pump")])"#;

fn noon() -> Timestamp {
    Timestamp::parse_rfc3339("2026-01-31T12:00:00Z").unwrap()
}

/// A message, so many nanoseconds after the one before it.
#[derive(Clone, Debug)]
struct Step {
    after: u64,
    topic: String,
    payload: Vec<u8>,
    retained: bool,
}

fn numbers() -> impl Strategy<Value = f64> {
    let extremes =
        vec![0.0, -0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 1e-12, 0.1 + 0.2, 9_007_199_254_740_992.0];
    prop_oneof![
        3 => prop::num::f64::NORMAL,
        2 => prop::sample::select(extremes),
        2 => (-1_000_000_i32..1_000_000).prop_map(|x| f64::from(x) / 1000.0),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    let odd = [
        "",
        "'",
        "''",
        "'=",
        "=1+1",
        "-5",
        "+1",
        "@x",
        "a,b;c",
        "say \"hi\"",
        "\"",
        "a\nb",
        "a\r\nb",
        "a\rb",
        "none",
        "null",
        "007",
        "é\u{2028}€",
    ];
    prop_oneof![3 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned), 2 => "[-=+@'\",;|a\t\r\n ]{0,6}"]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let json = |value: serde_json::Value| serde_json::json!({ "v": value }).to_string().into_bytes();
    let null = || Just(serde_json::Value::Null);
    let content = prop_oneof![
        4 => (numbers(), 0..5_000_000_000_i64).prop_map(|(x, late)| ("data", format!("{x:?} {late}").into_bytes())),
        2 => prop_oneof![9 => (-20.0..120.0_f64).prop_map(serde_json::Value::from), 1 => null()].prop_map(move |x| ("level", json(x))),
        3 => prop_oneof![9 => texts().prop_map(serde_json::Value::from), 1 => null()].prop_map(move |x| ("label", json(x))),
        2 => prop_oneof![9 => any::<bool>().prop_map(serde_json::Value::from), 1 => null()].prop_map(move |x| ("switch", json(x))),
        2 => prop::sample::select(vec!["true", "off", "junk"]).prop_map(|text| ("running", text.as_bytes().to_vec())),
        3 => prop_oneof![texts().prop_map(String::into_bytes), Just(vec![0xfe]), Just(b" ".to_vec())].prop_map(|text| ("mode", text)),
    ];
    let after = prop_oneof![Just(0_u64), 1..1_000_u64, 1..2_000_000_000_u64];
    let step = (after, any::<bool>(), content, prop::bool::weighted(0.1)).prop_map(
        |(after, is_first, (topic, payload), retained)| Step {
            after,
            topic: format!("{}/{topic}", if is_first { "P-1" } else { "-P" }),
            payload,
            retained,
        },
    );
    prop::collection::vec(step, 1..60)
}

/// As messages; `data` gets its number and its time, which lies before its receipt.
fn sent(steps: &[Step], with_retained: bool) -> Vec<Vec<Sent>> {
    let mut time = noon();
    // One good value first: a table without any is none.
    let good = Step { after: 0, topic: "P-1/mode".into(), payload: b"auto".to_vec(), retained: false };
    let all = std::iter::once(&good).chain(steps);
    let sent = all.map(|step| {
        time = time + std::time::Duration::from_nanos(step.after);
        let payload = match step.topic.ends_with("/data") {
            false => step.payload.clone(),
            true => {
                let written = String::from_utf8(step.payload.clone()).unwrap();
                let (x, late) = written.split_once(' ').unwrap();
                let x: f64 = x.parse().unwrap();
                serde_json::json!({ "flow": x, "t": time.0 - late.parse::<i64>().unwrap() }).to_string().into_bytes()
            }
        };
        let (broker, topic) = ("plant".to_owned(), step.topic.clone());
        vec![Sent { time, broker, topic, payload, qos: 1, retained: step.retained && with_retained }]
    });
    sent.collect()
}

/// A folder with the scene, in which recordings are made.
struct Hall {
    folder: tempfile::TempDir,
    scene: Arc<Scene>,
}

/// Of each signal its samples in order: source time, receive time, value, quality.
type All = BTreeMap<String, Vec<(Timestamp, Timestamp, String, Quality)>>;

impl Hall {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scene.ron");
        std::fs::write(&path, SCENE).unwrap();
        let loaded = scene::load(&path);
        let scene = loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false)));
        Self { folder, scene: Arc::new(scene) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn record(&self, name: &str, moments: impl Iterator<Item = Result<Vec<Sent>, ImportError>>) -> All {
        let path = self.path(name);
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        let (operator, producers) = ("ada".to_owned(), ProducerFactory::default());
        let options = ImportOptions { operator, wall: noon(), producers };
        import::record(moments, self.scene.clone(), &path, file, options, || Ok(None)).unwrap();
        self.samples(&path)
    }

    fn samples(&self, path: &Path) -> All {
        let timeline = Timeline::open(&[path.to_owned()]).unwrap();
        let run = rejudge(&timeline, self.scene.clone(), ProducerFactory::default()).unwrap();
        let history = &run.knowledge().history;
        let of = |signal: &scene::Signal| {
            let points = history.points(signal.index, Timestamp::MIN, Timestamp::MAX);
            points.map(|one| (one.source_time, one.receive_time, format!("{:?}", one.value), one.quality)).collect()
        };
        self.scene.signals.iter().map(|signal| (self.scene.signal_path(signal.index), of(signal))).collect()
    }

    fn export(&self, format: Format, name: &str) {
        let options = Options {
            files: vec![self.path("first.mcap")],
            output: self.path(name),
            format,
            scene: None,
            from: None,
            to: None,
            twins: Vec::new(),
            signals: Vec::new(),
        };
        export(&options).unwrap();
    }

    fn of_table(&self, name: &str) -> All {
        let file = File::open(self.path(name)).unwrap();
        let mut reader = CsvReader::new(name, file, &self.scene, &CsvOptions::default()).unwrap();
        let moments: Vec<_> = std::iter::from_fn(|| reader.next_moment().transpose()).collect();
        assert!(reader.rejected().is_empty(), "{}", reader.rejected().told());
        self.record("again.mcap", moments.into_iter())
    }
}

/// What a table tells of samples: their times, values, grades.
fn told(all: &All, is_told: impl Fn(&Quality) -> bool) -> BTreeMap<&str, Vec<(Timestamp, &str, Grade)>> {
    all.iter()
        .map(|(path, samples)| {
            let told = samples.iter().filter(|(.., quality)| is_told(quality));
            (path.as_str(), told.map(|(time, _, value, quality)| (*time, value.as_str(), quality.grade)).collect())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn tables_of_both_shapes_are_imported_to_the_samples_that_they_were_made_of(steps in steps()) {
        let hall = Hall::new();
        let first = hall.record("first.mcap", sent(&steps, false).into_iter().map(Ok));
        hall.export(Format::Csv(Shape::Long), "long.csv");
        let again = hall.of_table("long.csv");
        prop_assert_eq!(told(&again, |_| true), told(&first, |_| true));
        // A wide table has no cell for what is bad.
        hall.export(Format::Csv(Shape::Wide), "wide.csv");
        let is_good = |quality: &Quality| quality.grade < Grade::Bad;
        let again = hall.of_table("wide.csv");
        prop_assert_eq!(told(&again, is_good), told(&first, is_good));
    }

    #[test]
    fn a_recording_that_is_exported_and_imported_has_the_same_samples(steps in steps()) {
        let hall = Hall::new();
        let first = hall.record("first.mcap", sent(&steps, true).into_iter().map(Ok));
        hall.export(Format::Mcap, "export.mcap");
        let timeline = Timeline::open(&[hall.path("export.mcap")]).unwrap();
        let again = hall.record("again.mcap", import::messages("export.mcap", &timeline, &hall.scene));
        prop_assert_eq!(again, first);
    }
}
