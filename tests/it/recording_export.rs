//! Recordings for other programs: tables, lines, and a stretch of a recording as a recording.

use std::path::{Path, PathBuf};
use std::time::Duration;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, RowAccessor};
use pollux::export::{Exported, Format, Options, Shape, export};
use pollux::record::read::Timeline;
use pollux::replay::At;
use pollux::value::Timestamp;
use tempfile::TempDir;

use crate::recording_read::build::{Built, Script, at, write};

const SCENE: &str = r#"Scene(
    format: (1, 0),
    name: "hall",
    brokers: {"plant": (url: "mqtt://localhost:1883")},
    types: {
        "Pump": (signals: {
            "flow": (unit: "m3/h", topic: "hall/{id}", json: "/flow"),
            "double": (unit: "m3/h", derived: "flow * 2.0"),
        }),
    },
    twins: [(id: "T-0", type: "Pump"), (id: "T-1", type: "Pump")],
)"#;

struct Run {
    dir: TempDir,
    built: Built,
}

impl Run {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let files = vec![("scene/scene.ron".to_owned(), SCENE.as_bytes().to_vec())];
        let built = write(&dir.path().join("a.mcap"), &Script { seconds: 20, files, ..Script::default() });
        Self { dir, built }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn options(&self, format: Format, name: &str) -> Options {
        Options {
            files: vec![self.path("a.mcap")],
            output: self.path(name),
            format,
            scene: None,
            from: None,
            to: None,
            twins: Vec::new(),
            signals: Vec::new(),
        }
    }

    /// What the two pumps measured: (twin, time, flow), in order of receipt.
    fn flows(&self) -> Vec<(String, Timestamp, f64)> {
        let flow = |topic: &str, payload: &[u8]| {
            let twin = topic.strip_prefix("hall/").filter(|twin| matches!(*twin, "T-0" | "T-1"))?;
            let json: serde_json::Value = serde_json::from_slice(payload).ok()?;
            Some((twin.to_owned(), json["flow"].as_f64()?))
        };
        let mut flows: Vec<_> = self.built.messages.iter().collect();
        flows.sort_by_key(|message| message.log_time);
        let flows = flows.into_iter().filter_map(|message| {
            let (twin, x) = flow(&message.topic, &message.payload)?;
            Some((twin, message.log_time, x))
        });
        flows.collect()
    }
}

fn done(rows: usize) -> Exported {
    Exported { rows: rows as u64, ..Exported::default() }
}

#[test]
fn a_long_csv_has_a_row_for_each_sample_and_what_is_derived_from_it() {
    let run = Run::new();
    let flows = run.flows();
    let options = run.options(Format::Csv(Shape::Long), "a.csv");
    assert_eq!(export(&options).unwrap(), done(flows.len() * 2));
    let mut rows = csv::Reader::from_path(run.path("a.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.unwrap()).collect();
    for (pair, (twin, time, flow)) in rows.chunks(2).zip(&flows) {
        let said = |row: &csv::StringRecord| (row[2].to_owned(), row[0].to_owned(), row[4].parse::<f64>().unwrap());
        assert_eq!(said(&pair[0]), (twin.clone(), time.to_string(), *flow));
        assert_eq!(said(&pair[1]), (twin.clone(), time.to_string(), flow * 2.0));
        assert_eq!((&pair[0][3], &pair[1][3], &pair[0][5], &pair[0][6]), ("flow", "double", "m3/h", "good"));
    }
    assert!(!run.path("a.csv.part").exists());
}

#[test]
fn tables_hold_only_the_stretch_and_the_signals_that_were_asked_for() {
    let run = Run::new();
    let (from, to) = (at(7_000), at(12_500));
    let mut options = run.options(Format::Csv(Shape::Wide), "a.csv");
    options.from = Some(At::After(Duration::from_secs(7)));
    options.to = Some(At::Moment(to));
    options.twins = vec!["T-1".into()];
    options.signals = vec!["T-1.double".into()];
    let flows = run.flows();
    let wanted: Vec<_> = flows.iter().filter(|(twin, time, _)| twin == "T-1" && *time >= from && *time <= to).collect();
    assert!(!wanted.is_empty());
    export(&options).unwrap();
    let mut rows = csv::Reader::from_path(run.path("a.csv")).unwrap();
    assert_eq!(rows.headers().unwrap(), vec!["time", "T-1.double [m3/h]"]);
    let rows: Vec<(String, f64)> = rows.deserialize().map(|row| row.unwrap()).collect();
    let wanted: Vec<_> = wanted.into_iter().map(|(_, time, flow)| (time.to_string(), flow * 2.0)).collect();
    assert_eq!(rows, wanted);
}

#[test]
fn parquet_tables_are_read_by_their_own_reader() {
    let run = Run::new();
    let flows = run.flows();
    export(&run.options(Format::Parquet(Shape::Long), "long.parquet")).unwrap();
    let reader = SerializedFileReader::try_from(Path::new(&run.path("long.parquet"))).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), flows.len() * 2);
    for (row, (twin, time, flow)) in rows.iter().step_by(2).zip(&flows) {
        assert_eq!((row.get_string(2).unwrap(), row.get_string(3).unwrap().as_str()), (twin, "flow"));
        assert_eq!((row.get_double(4).unwrap(), row.get_bool(5).is_err()), (*flow, true));
        let nanoseconds = match row.get_column_iter().next() {
            Some((_, Field::Long(nanoseconds))) => *nanoseconds,
            other => panic!("no time: {other:?}"),
        };
        assert_eq!(Timestamp(nanoseconds), *time);
    }
    export(&run.options(Format::Parquet(Shape::Wide), "wide.parquet")).unwrap();
    let reader = SerializedFileReader::try_from(Path::new(&run.path("wide.parquet"))).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr();
    let names: Vec<_> = schema.columns().iter().map(|column| column.name().to_owned()).collect();
    assert_eq!(names, ["time", "T-0.flow", "T-0.double", "T-1.flow", "T-1.double"]);
    let sum = |column: usize| -> f64 {
        let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap());
        rows.filter_map(|row| row.get_double(column).ok()).sum()
    };
    let of = |twin: &str| flows.iter().filter(|(id, _, _)| id == twin).map(|(_, _, flow)| flow).sum::<f64>();
    assert!((sum(1) - of("T-0")).abs() < 1e-9 && (sum(4) - 2.0 * of("T-1")).abs() < 1e-9);
}

#[test]
fn lines_for_influx_hold_all_fields_of_a_moment() {
    let run = Run::new();
    let flows = run.flows();
    let exported = export(&run.options(Format::Influx, "a.lp")).unwrap();
    assert_eq!(exported.rows, flows.len() as u64);
    let text = std::fs::read_to_string(run.path("a.lp")).unwrap();
    let mut moved = 0;
    for (at, (line, (twin, time, flow))) in text.lines().zip(&flows).enumerate() {
        // A database would put the second value of a moment in the place of the first.
        let before = flows[..at].iter().filter(|(other, same, _)| (other, same) == (twin, time)).count() as i64;
        moved += 2 * i64::from(before > 0);
        assert_eq!(
            line,
            format!("Pump,quality=good,twin={twin} flow={flow},double={} {}", flow * 2.0, time.0 + before)
        );
    }
    assert!(exported.remarks[0].starts_with(&format!("{moved} values have the time of another")), "{exported:?}");
}

#[test]
fn a_stretch_is_a_recording_again_that_begins_with_a_keyframe() {
    let run = Run::new();
    let mut options = run.options(Format::Mcap, "cut.mcap");
    (options.from, options.to) = (Some(At::Moment(at(7_000))), Some(At::Moment(at(13_000))));
    export(&options).unwrap();
    let (whole, cut) = (open(&run.path("a.mcap")), open(&run.path("cut.mcap")));
    let from = whole.keyframe_at(at(7_000)).unwrap().unwrap().time;
    assert_eq!(cut.damage_text(), None);
    assert_eq!(cut.about(), whole.about());
    assert_eq!(cut.recordings()[0].attachments(), whole.recordings()[0].attachments());
    assert_eq!(cut.first_keyframe().unwrap(), whole.keyframe_at(from).unwrap());
    assert_eq!(cut.bounds().unwrap().0, from);
    let all =
        |timeline: &Timeline| timeline.messages(from, at(13_000)).map(|message| message.unwrap()).collect::<Vec<_>>();
    assert_eq!(all(&cut), all(&whole));
    let events = whole.events().unwrap().into_iter().filter(|event| (from..=at(13_000)).contains(&event.received));
    assert_eq!(cut.events().unwrap(), events.collect::<Vec<_>>());
    let bytes = std::fs::read(run.path("cut.mcap")).unwrap();
    let count = mcap::MessageStream::new(&bytes).unwrap().filter(|message| message.is_ok()).count();
    assert!(count > all(&cut).len());
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_written() {
    let run = Run::new();
    let refused = |change: &dyn Fn(&mut Options)| {
        let mut options = run.options(Format::Csv(Shape::Long), "b.csv");
        change(&mut options);
        let error = export(&options).unwrap_err().to_string();
        assert!(!run.path("b.csv").exists() && !run.path("b.csv.part").exists());
        error
    };
    assert_eq!(refused(&|options| options.twins = vec!["T-9".into()]), "the scene has no twin `T-9`");
    assert!(refused(&|options| options.signals = vec!["flaw".into()]).starts_with("the scene has no signal `flaw`"));
    assert!(refused(&|options| options.output = options.files[0].clone()).contains("is one of the recordings"));
    assert!(refused(&|options| options.to = Some(At::Moment(at(-5)))).starts_with("the stretch ends at"));
    let raw = |options: &mut Options| (options.format, options.twins) = (Format::Mcap, vec!["T-0".into()]);
    assert!(refused(&raw).starts_with("a recording is cut by time"));
}

fn open(path: &Path) -> Timeline {
    Timeline::open(&[path.to_owned()]).unwrap()
}
