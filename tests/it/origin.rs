//! What was neither measured nor derived from what was carries its mark to wherever it is seen: history, state, alarms,
//! events, exports, recordings.

use std::path::Path;
use std::time::Duration;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use pollux::analysis::Analysis;
use pollux::event::{Event, EventLog, export::csv, export::json_lines};
use pollux::export::{Format, Options, Shape, export};
use pollux::record::format::Keyframe;
use pollux::source::Batch;
use pollux::state;
use pollux::value::{Origin, Quality, Sample, Timestamp, Value};

use crate::core::World;
use crate::recording_read::build::{Script, build};

const SCENE: &str = r#"
Scene(
    format: (1, 1),
    name: "Test hall",
    types: {
        "Pump": (
            signals: {
                "torque": (unit: "N.m", topic: "hall/{id}", json: "/torque"),
                "speed": (unit: "rpm", topic: "hall/{id}", json: "/speed"),
                "power": (unit: "kW", derived: "torque * speed / 9549", limits: (high: 30.0)),
                "half": (unit: "kW", derived: "power / 2"),
            },
        ),
    },
    twins: [(id: "P-1", type: "Pump")],
)
"#;

fn learn(world: &World, secs: f64, name: &str, value: f64, origin: Origin) {
    let at = world.now + Duration::from_secs_f64(secs);
    let signal = world.scene().signal("P-1", name).expect("a signal").index;
    let (value, quality) = (Value::Number(value), Quality::GOOD);
    let sample = Sample { signal, source_time: at, receive_time: at, value, quality, origin };
    world.app.world().resource::<Analysis>().lock().learn(Batch::of_message(1, vec![sample]));
}

/// Torque measured, speed from a model, and a power that is too high.
fn half_simulated() -> World {
    let mut world = World::new(SCENE);
    learn(&world, 1.0, "torque", 300.0, Origin::Measured);
    learn(&world, 2.0, "speed", 1500.0, Origin::Simulated);
    world.at(3.0);
    world
}

fn events(world: &World) -> Vec<Event> {
    world.app.world().resource::<EventLog>().events.iter().map(|event| Event::clone(event)).collect()
}

#[test]
fn what_is_derived_from_something_simulated_is_simulated_and_the_state_says_so() {
    let mut world = half_simulated();
    let state = serde_json::to_value(state::of(world.app.world_mut())).unwrap();
    let origin = |name: &str| state["twins"]["P-1"]["signals"][name].get("origin").cloned();
    assert_eq!(origin("torque"), None);
    for name in ["speed", "power", "half"] {
        assert_eq!(origin(name), Some("simulated".into()), "{name}");
    }
    assert_eq!(state["twins"]["P-1"]["alarms"][0]["origin"], "simulated");
    learn(&world, 4.0, "speed", 100.0, Origin::Measured);
    world.at(5.0);
    let state = serde_json::to_value(state::of(world.app.world_mut())).unwrap();
    assert!(!state["twins"]["P-1"]["signals"].to_string().contains("origin"), "all is measured again");
}

#[test]
fn events_of_an_alarm_on_something_simulated_say_so_and_others_say_nothing() {
    let simulated = events(&half_simulated());
    let text = json_lines(&simulated);
    assert_eq!(text.matches(r#""origin":"simulated""#).count(), 1, "{text}");
    let back: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(back, simulated);
    let table = csv(&simulated);
    assert!(table.lines().next().unwrap().ends_with(",text,origin"));
    let marked: Vec<&str> = table.lines().filter(|line| line.ends_with(",simulated")).collect();
    assert!(matches!(marked[..], [line] if line.contains(",power.high,")), "{table}");

    let mut world = World::new(SCENE);
    learn(&world, 1.0, "torque", 300.0, Origin::Measured);
    learn(&world, 2.0, "speed", 1500.0, Origin::Measured);
    world.at(3.0);
    let measured = events(&world);
    assert_eq!(measured.len(), simulated.len());
    assert!(!json_lines(&measured).contains("origin") && !csv(&measured).contains("origin"));
}

const PUMPS: &str = r#"Scene(
    format: (1, 0),
    name: "hall",
    brokers: {"plant": (url: "mqtt://localhost:1883")},
    types: {
        "Pump": (signals: {
            "flow": (unit: "m3/h", topic: "hall/{id}", json: "/flow"),
            "head": (unit: "m"),
            "power": (unit: "kW", derived: "flow * head"),
        }),
    },
    twins: [(id: "T-0", type: "Pump"), (id: "T-1", type: "Pump")],
)"#;

/// The keyframe knows a head of T-1.
fn measured(keyframe: &mut Keyframe) {
    let signals = keyframe.signals.get_mut("T-1").unwrap();
    let known = signals.remove("flow").unwrap();
    signals.insert("head".to_owned(), known);
}

/// The same out of a model.
fn simulated(keyframe: &mut Keyframe) {
    measured(keyframe);
    keyframe.signals.get_mut("T-1").unwrap().get_mut("head").unwrap()[0].origin = Some(Origin::Simulated);
}

fn recording(path: &Path, keyframes: fn(&mut Keyframe)) {
    let files = vec![("scene/scene.ron".to_owned(), PUMPS.as_bytes().to_vec())];
    let script = Script { seconds: 4, files, keyframes: Some(keyframes), ..Script::default() };
    std::fs::write(path, build(&script).bytes).unwrap();
}

#[test]
fn tables_and_lines_tell_of_origins_where_one_must_be_told_and_only_there() {
    let dir = tempfile::tempdir().unwrap();
    let options = |format, name: &str, signals: &[&str]| Options {
        files: vec![dir.path().join("a.mcap")],
        output: dir.path().join(name),
        format,
        scene: None,
        from: None,
        to: None,
        twins: Vec::new(),
        signals: signals.iter().map(|name| (*name).to_owned()).collect(),
    };
    let text = |format, signals: &[&str]| {
        export(&options(format, "out", signals)).unwrap();
        std::fs::read_to_string(dir.path().join("out")).unwrap()
    };
    let parquet = |shape, column: &str| -> Option<Vec<String>> {
        export(&options(Format::Parquet(shape), "out.parquet", &[])).unwrap();
        let reader = SerializedFileReader::try_from(Path::new(&dir.path().join("out.parquet"))).unwrap();
        let schema = reader.metadata().file_metadata().schema_descr();
        let place = schema.columns().iter().position(|one| one.name() == column)?;
        let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().get_string(place).unwrap().clone());
        Some(rows.collect())
    };
    let is_simulated = |line: &&str| line.ends_with(",simulated") && line.contains(",power,") && line.contains(",T-1,");

    recording(&dir.path().join("a.mcap"), simulated);
    let long = text(Format::Csv(Shape::Long), &[]);
    assert!(long.lines().next().unwrap().ends_with(",reason,origin"));
    let powers = long.lines().filter(|line| line.contains(",power,") && line.contains(",T-1,")).count();
    assert!(powers > 3 && long.lines().filter(is_simulated).count() == powers, "{long}");
    assert_eq!(long.matches("simulated").count(), powers, "what was measured is measured");
    let wide = text(Format::Csv(Shape::Wide), &[]);
    assert!(wide.lines().next().unwrap().ends_with(",T-1.power [kW],origin"));
    assert_eq!(wide.matches(",simulated").count(), powers);
    let lines = text(Format::Influx, &[]);
    assert_eq!(lines.matches("Pump,origin=simulated,quality=good,twin=T-1 power=").count(), powers);
    assert_eq!(lines.matches("origin").count(), powers);
    for shape in [Shape::Long, Shape::Wide] {
        let origins = parquet(shape, "origin").expect("a column");
        assert_eq!(origins.iter().filter(|origin| *origin == "simulated").count(), powers, "{shape:?}");
    }
    assert!(!text(Format::Csv(Shape::Long), &["flow"]).contains("origin"), "none of what was asked for has a mark");

    recording(&dir.path().join("a.mcap"), measured);
    for format in [Format::Csv(Shape::Long), Format::Csv(Shape::Wide), Format::Influx] {
        assert!(!text(format, &[]).contains("origin"), "{format:?}");
    }
    assert_eq!(parquet(Shape::Long, "origin"), None);
}

#[test]
fn a_store_of_before_there_were_origins_opens() {
    let line = r#"{"id":1,"time":"1970-01-01T00:00:01.5Z","received":"1970-01-01T00:00:02Z","twin":"P-101","kind":"alarm","alarm":"vibration.high","cause":"raised","from":"normal","to":"unacknowledged","priority":"high","message":"vibration above 4.5 mm/s (high)","value":5.1,"unit":"mm/s"}"#;
    let event: Event = serde_json::from_str(line).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), line, "and what is written is as it was");
    let alarm = r#"{"state":"unacknowledged","since":"1970-01-01T00:00:01Z","raised_at":null,"trigger":1.0,"current":1.0,"worst":1.0,"activations":1,"acknowledged":null,"late":0}"#;
    let alarm: pollux::alarm::Alarm = serde_json::from_str(alarm).unwrap();
    assert_eq!(alarm.origin, None);
    assert_eq!(alarm.since, Timestamp(1_000_000_000));
}
