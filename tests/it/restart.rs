//! Sessions on one store, one after another: what was judged stays judged, what was lost is said. A kill is a copy of the
//! store as it was at that moment: nothing that a session does when it ends is in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use pollux::alarm::{Alarm, Horn, State};
use pollux::analysis::Analysis;
use pollux::command::{FaultCommand, OperatorCommand};
use pollux::event::{Ending, Kind, RecordTroubles};
use pollux::fault::{Course, Defect, ProcessEffect, SensorEffect, Site, WrittenFault};
use pollux::scene::LoadedScene;
use pollux::scene::rule::Priority;
use pollux::session::{self, Options, StorePlace};
use pollux::source::Batch;
use pollux::value::{Origin, Quality, Sample, Timestamp, Value};

const SCENE: &str = r#"
Scene(
    format: (1, 1),
    name: "Test hall",
    types: {
        "Pump": (
            signals: {
                "vibration": (unit: "mm/s", topic: "hall/{id}", json: "/vibration", limits: (high: 4.5)),
                "flow": (unit: "m3/h", topic: "hall/{id}", json: "/flow"),
                "setpoint": (unit: "m3/h", topic: "hall/{id}", json: "/setpoint"),
                "idle": (topic: "hall/{id}", json: "/idle"),
            },
            alarms: {"short": (when: "flow < setpoint / 2")},
        ),
    },
    twins: [(id: "P-1", type: "Pump")],
)
"#;

/// A scene and stores in a folder of their own.
struct Hall {
    folder: tempfile::TempDir,
}

impl Hall {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("scene.ron"), SCENE).expect("a scene file");
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, store: &Path) -> App {
        let mut app = App::new();
        let options = Options {
            store: StorePlace::At(store.to_owned()),
            watch: false,
            bell: Some(Priority::Low),
            ..Options::new(self.file("scene.ron"))
        };
        session::open(&mut app, options, Arc::new(|| {})).expect("a session");
        app.finish();
        app.cleanup();
        app.update();
        app
    }
}

/// Values that become known now and were true at `at`.
fn learn(app: &App, at: Timestamp, values: &[(&str, f64)]) {
    let scene = app.world().resource::<LoadedScene>().scene.clone();
    let sample = |(name, value): &(&str, f64)| Sample {
        signal: scene.signal("P-1", name).expect("a signal").index,
        source_time: at,
        receive_time: Timestamp::now(),
        value: Value::Number(*value),
        quality: Quality::GOOD,
        origin: Origin::Measured,
    };
    let samples = values.iter().map(sample).collect();
    app.world().resource::<Analysis>().lock().learn(Batch::of_message(1, samples));
}

fn alarm(app: &App, name: &str) -> Alarm {
    let scene = &app.world().resource::<LoadedScene>().scene;
    let index = scene.alarm_named("P-1", name).expect("a rule").index;
    let knowledge = app.world().resource::<Analysis>().lock();
    knowledge.alarms().get(index.at()).expect("an alarm").clone()
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn after_a_kill_nothing_from_before_it_is_judged_again_though_no_alarm_had_ever_been_raised() {
    let hall = Hall::new();
    let store = hall.file("hall.store");
    let app = hall.open(&store);
    let noon = Timestamp::now() - Duration::from_secs(60);
    let at = |secs: u64| noon + Duration::from_secs(secs);
    learn(&app, at(0), &[("vibration", 2.0), ("flow", 10.0), ("setpoint", 10.0), ("idle", 1.0)]);
    learn(&app, at(10), &[("vibration", 3.0), ("flow", 10.0), ("setpoint", 10.0), ("idle", 1.0)]);
    assert_eq!(alarm(&app, "vibration.high").activations, 0);
    // The sign of life tells it within a second or so, without any transition.
    let text = || std::fs::read_to_string(&store).unwrap_or_default();
    let mark = format!(r#""P-1.vibration":"{}""#, at(10));
    wait_for("the store knows up to when was judged", || text().contains(&mark));
    assert!(!text().contains("P-1.idle"), "no alarm looks at it");
    let killed = hall.file("killed.store");
    std::fs::copy(&store, &killed).expect("a copy");
    drop(app);

    let app = hall.open(&killed);
    // Held back by a gateway: judged alone, each of them would raise an alarm.
    learn(&app, at(5), &[("vibration", 9.0), ("setpoint", 90.0)]);
    assert_eq!(alarm(&app, "vibration.high").state, State::Normal);
    assert_eq!(alarm(&app, "vibration.high").late, 1, "counted");
    // Delivered once more by the broker: nothing new.
    learn(&app, at(10), &[("vibration", 3.0), ("flow", 10.0)]);
    // Compared with what the setpoint was before that, it would be short.
    learn(&app, at(20), &[("flow", 9.0)]);
    assert_eq!(alarm(&app, "short").state, State::Normal);
    assert_eq!(alarm(&app, "vibration.high").activations, 0);
    // What is new counts.
    learn(&app, at(21), &[("vibration", 5.0), ("setpoint", 20.0)]);
    assert_eq!(alarm(&app, "vibration.high").state, State::Unacknowledged);
    assert_eq!(alarm(&app, "short").state, State::Unacknowledged);
    drop(app);

    let app = hall.open(&killed);
    learn(&app, at(20), &[("vibration", 1.0)]);
    assert_eq!(alarm(&app, "vibration.high").state, State::Unacknowledged, "an orderly end is no different");
    let horn = app.world().resource::<Horn>().clone();
    assert_eq!(horn.sounded(), 0, "what stood before is not new");
    learn(&app, at(30), &[("vibration", 1.0)]);
    learn(&app, at(31), &[("vibration", 9.0)]);
    assert_eq!(horn.sounded(), 1);
}

#[test]
fn a_signal_that_left_the_scene_leaves_the_store() {
    let hall = Hall::new();
    let store = hall.file("hall.store");
    let app = hall.open(&store);
    learn(&app, Timestamp::now(), &[("vibration", 2.0)]);
    drop(app);
    let text = || std::fs::read_to_string(&store).expect("the store");
    assert!(text().contains("P-1.vibration"));
    std::fs::write(hall.file("scene.ron"), SCENE.replace("\"vibration\"", "\"shaking\"")).expect("a scene file");
    drop(hall.open(&store));
    // Written anew at each start.
    drop(hall.open(&store));
    assert!(!text().contains("P-1.vibration"), "{}", text());
}

#[test]
fn damage_of_the_store_is_told_in_the_window_and_in_the_state_as_long_as_the_session_lasts() {
    let hall = Hall::new();
    let store = hall.file("hall.store");
    let app = hall.open(&store);
    learn(&app, Timestamp::now(), &[("vibration", 9.0)]);
    drop(app);
    let mut bytes = std::fs::read(&store).expect("the store");
    let place = bytes.windows(9).position(|part| part == b"\"events\":").expect("events in the store");
    bytes[place + 20] ^= 1;
    std::fs::write(&store, bytes).expect("a damaged store");

    let mut app = hall.open(&store);
    let told = |app: &App| app.world().resource::<RecordTroubles>().0.clone();
    let sentence =
        |troubles: &[String]| troubles.iter().any(|text| text.starts_with("the store was damaged in 1 line(s)"));
    assert!(sentence(&told(&app)), "{:?}", told(&app));
    assert!(sentence(&pollux::state::of(app.world_mut()).troubles));
    wait_for("it stays", || {
        app.update();
        assert!(sentence(&told(&app)), "{:?}", told(&app));
        app.world().resource::<Analysis>().lock().chronicle().store().expect("a store").status().writes > 2
    });
    drop(app);
    let mut app = hall.open(&store);
    assert_eq!(pollux::state::of(app.world_mut()).troubles, [""; 0], "what was kept aside is history");
}

fn bias(signal: &str) -> WrittenFault {
    let defect = Defect::Sensor { signal: signal.to_owned(), effect: SensorEffect::Bias { by: 3.0 } };
    WrittenFault { id: "F-1".to_owned(), defect, course: Course::default() }
}

fn command(app: &mut App, command: FaultCommand) {
    app.world_mut().write_message(OperatorCommand::Fault(command));
    app.update();
    app.update();
}

/// How the faults of the journal ended.
fn endings(app: &App) -> Vec<Ending> {
    let knowledge = app.world().resource::<Analysis>().lock();
    let all = knowledge.chronicle().journal().iter();
    all.filter_map(|event| if let Kind::FaultCleared { ending, .. } = event.kind { Some(ending) } else { None })
        .collect()
}

fn laid(app: &App) -> usize {
    app.world().resource::<Analysis>().lock().laid().len()
}

#[test]
fn a_fault_over_live_data_alarms_nobody_and_ends_with_its_session_also_if_that_was_killed() {
    let hall = Hall::new();
    let store = hall.file("hall.store");
    let mut app = hall.open(&store);
    let inject = |fault| FaultCommand::Inject { site: Site::Overlay, fault, reason: "to see".to_owned() };
    command(&mut app, inject(bias("P-1.vibration")));
    wait_for("the fault takes its place", || laid(&app) == 1);
    learn(&app, Timestamp::now(), &[("vibration", 4.0)]);
    assert_eq!(alarm(&app, "vibration.high").state, State::Normal);
    assert_eq!(app.world().resource::<Horn>().sounded(), 0);
    {
        let knowledge = app.world().resource::<Analysis>().lock();
        let overlay = knowledge.overlay().expect("an overlay");
        assert!(overlay.analysis.lock().alarms().iter().any(|alarm| alarm.state == State::Unacknowledged));
        assert_eq!(knowledge.chronicle().monitor().performance(Timestamp::now(), knowledge.alarms()).alarms, 0);
    }
    let text = || std::fs::read_to_string(&store).unwrap_or_default();
    wait_for("the store has it", || text().contains("fault_set"));
    let killed = hall.file("killed.store");
    std::fs::copy(&store, &killed).expect("a copy");
    command(&mut app, FaultCommand::ClearAll);
    wait_for("it is cleared", || laid(&app) == 0);
    assert_eq!(endings(&app), [Ending::Cleared]);
    command(&mut app, inject(bias("P-1.flow")));
    wait_for("the fault takes its place", || laid(&app) == 1);
    drop(app);

    let app = hall.open(&store);
    assert_eq!((endings(&app), laid(&app)), (vec![Ending::Cleared, Ending::SessionEnded], 0), "an orderly end");
    drop(app);
    let app = hall.open(&killed);
    assert_eq!((endings(&app), laid(&app)), (vec![Ending::SessionEnded], 0), "after a kill it is found");
}

#[test]
fn what_cannot_be_broken_is_refused_in_words() {
    let hall = Hall::new();
    let mut app = hall.open(&hall.file("hall.store"));
    let inject = |site, fault| FaultCommand::Inject { site, fault, reason: String::new() };
    command(&mut app, inject(Site::Overlay, bias("P-1.vibratoin")));
    command(&mut app, inject(Site::Plant, bias("P-1.vibration")));
    let effect = ProcessEffect::Add { by: 1.0 };
    let machine = WrittenFault { defect: Defect::Process { target: "P-1.wear".to_owned(), effect }, ..bias("") };
    command(&mut app, inject(Site::Overlay, machine));
    command(&mut app, FaultCommand::Clear { site: Site::Overlay, id: "F-9".to_owned() });
    let knowledge = app.world().resource::<Analysis>().lock();
    let notes: Vec<String> = knowledge.chronicle().journal().iter().map(|event| event.summary()).collect();
    let says = |part: &str| assert!(notes.iter().any(|note| note.contains(part)), "{part}: {notes:#?}");
    says("did you mean `P-1.vibration`?");
    says("this session runs no simulated plant: start it with --plant");
    says("live data have none");
    says("no fault `F-9` lies over live data");
}
