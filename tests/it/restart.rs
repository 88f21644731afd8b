//! Sessions on one store, one after another: what was judged stays judged, what was lost is said. A kill is a copy of the
//! store as it was at that moment: nothing that a session does when it ends is in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use pollux::alarm::{Alarm, Horn, State};
use pollux::analysis::Analysis;
use pollux::event::RecordTroubles;
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
