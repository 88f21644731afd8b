//! The world without window or network: samples in, components at the cursor out.

use std::sync::Arc;
use std::time::Duration;

use bevy::ecs::schedule::{LogLevel, ScheduleBuildSettings};
use bevy::prelude::*;
use pollux::analysis::Analysis;
use pollux::command::{Attention, OperatorCommand, TimeCommand};
use pollux::history::{Cursor, ViewTime};
use pollux::scene::{self, LoadedScene, Scene};
use pollux::source::Batch;
use pollux::stage::{Current, Entities};
use pollux::value::{Grade, Origin, Quality, Reason, Sample, Timestamp, Value};
use pollux::{CorePlugins, TwinSet};

const SCENE: &str = r#"
Scene(
    format: (1, 0),
    name: "Test hall",
    types: {
        "Pump": (
            signals: {
                "torque": (unit: "N.m", topic: "hall/{id}", json: "/torque", expires: "5s"),
                "speed": (unit: "rpm", topic: "hall/{id}", json: "/speed", expires: "5s"),
                "power": (unit: "kW", derived: "torque * speed / 9549"),
                "loaded": (kind: Bool, derived: "power > 1"),
            },
        ),
    },
    twins: [(id: "P-101", type: "Pump"), (id: "P-102", type: "Pump")],
)
"#;

/// A world that is fed by hand: no source runs, no clock ticks.
pub struct World {
    pub app: App,
    pub now: Timestamp,
}

pub fn load(text: &str) -> Scene {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("scene.ron");
    std::fs::write(&file, text).expect("a scene file");
    let loaded = scene::load(&file);
    loaded.scene.unwrap_or_else(|| panic!("the scene has issues: {:#?}", loaded.issues))
}

impl World {
    pub fn new(text: &str) -> Self {
        let scene = Arc::new(load(text));
        let now = Timestamp::parse_rfc3339("2026-01-31T12:00:00Z").expect("a time");
        let mut app = App::new();
        app.add_plugins(CorePlugins)
            .insert_resource(Analysis::new(scene.clone(), 1, 64 << 20, now))
            .insert_resource(ViewTime { now, shown: now, session_start: now })
            .insert_resource(LoadedScene { scene, generation: 1, issues: Vec::new() });
        app.finish();
        app.cleanup();
        app.update();
        Self { app, now }
    }

    pub fn scene(&self) -> Arc<Scene> {
        self.app.world().resource::<LoadedScene>().scene.clone()
    }

    /// A frame `secs` after the start, as the session's clock would make it.
    pub fn at(&mut self, secs: f64) -> &mut Self {
        let now = self.now + Duration::from_secs_f64(secs);
        let cursor = *self.app.world().resource::<Cursor>();
        let mut moment = self.app.world_mut().resource_mut::<ViewTime>();
        moment.now = now;
        moment.shown = cursor.shown(now);
        self.app.update();
        self
    }

    /// A sample that arrives at `receive` and was true at `source`, in seconds after the start.
    pub fn sample(&mut self, path: (&str, &str), source: f64, receive: f64, value: f64) -> &mut Self {
        let signal = self.scene().signal(path.0, path.1).expect("a signal").index;
        let sample = Sample {
            signal,
            source_time: self.now + Duration::from_secs_f64(source),
            receive_time: self.now + Duration::from_secs_f64(receive),
            value: Value::Number(value),
            quality: Quality::GOOD,
            origin: Origin::Measured,
        };
        self.app.world().resource::<Analysis>().lock().learn(Batch::of_message(1, vec![sample]));
        self
    }

    fn current(&self, id: &str, name: &str) -> Current {
        let index = self.scene().signal(id, name).expect("a signal").index;
        let entity = self.app.world().resource::<Entities>().signals[index.at()];
        self.app.world().get::<Current>(entity).expect("a signal entity").clone()
    }

    fn number(&self, id: &str, name: &str) -> Option<f64> {
        self.current(id, name).value.and_then(|value| value.as_f64())
    }

    pub fn command(&mut self, command: OperatorCommand) -> &mut Self {
        self.app.world_mut().write_message(command);
        self
    }
}

#[test]
fn a_signal_is_bad_until_its_first_sample_and_stale_after_its_expiry() {
    let mut world = World::new(SCENE);
    assert_eq!(world.current("P-101", "speed").quality, Quality::NEVER_SEEN);
    world.sample(("P-101", "speed"), 1.0, 1.0, 1480.0).at(1.0);
    assert_eq!(world.current("P-101", "speed").quality, Quality::GOOD);
    world.at(5.9);
    assert_eq!(world.current("P-101", "speed").quality, Quality::GOOD);
    world.at(6.1);
    assert_eq!(world.current("P-101", "speed").quality, Quality::stale(Reason::Expired));
    assert_eq!(world.number("P-101", "speed"), Some(1480.0), "a stale signal keeps its last value");
    world.sample(("P-101", "speed"), 7.0, 7.0, 1490.0).at(7.0);
    assert_eq!(world.current("P-101", "speed").quality, Quality::GOOD);
}

#[test]
fn derived_signals_follow_their_inputs_through_ranks() {
    let mut world = World::new(SCENE);
    world.sample(("P-101", "torque"), 1.0, 1.0, 95.49).at(1.0);
    assert_eq!(world.number("P-101", "power"), None, "one input alone makes no value");
    world.sample(("P-101", "speed"), 1.0, 1.0, 1000.0).at(1.1);
    assert_eq!(world.number("P-101", "power"), Some(10.0));
    assert_eq!(world.current("P-101", "loaded").value, Some(Value::Bool(true)));
    assert_eq!(world.number("P-102", "power"), None, "twins do not share values");
}

#[test]
fn a_derived_signal_says_when_an_input_is_not_fresh() {
    let mut world = World::new(SCENE);
    world.sample(("P-101", "torque"), 0.0, 0.0, 95.49).sample(("P-101", "speed"), 0.0, 0.0, 1000.0).at(0.0);
    world.sample(("P-101", "speed"), 6.0, 6.0, 2000.0).at(6.0);
    assert_eq!(world.current("P-101", "power").quality, Quality::uncertain(Reason::Input));
    assert_eq!(world.number("P-101", "power"), Some(20.0));
}

#[test]
fn derived_signals_go_stale_with_their_inputs() {
    let mut world = World::new(SCENE);
    world.sample(("P-101", "torque"), 0.0, 0.0, 95.49).sample(("P-101", "speed"), 0.0, 0.0, 1000.0).at(4.9);
    assert_eq!(world.current("P-101", "power").quality, Quality::GOOD);
    world.at(5.1);
    for name in ["speed", "power", "loaded"] {
        assert_eq!(world.current("P-101", name).quality, Quality::stale(Reason::Expired), "{name}");
    }
}

#[test]
fn a_paused_world_shows_its_moment_while_data_keep_arriving() {
    let mut world = World::new(SCENE);
    world.sample(("P-101", "speed"), 1.0, 1.0, 100.0).at(1.0);
    world.sample(("P-101", "speed"), 2.0, 2.0, 200.0).at(2.0);
    let pause = OperatorCommand::Time(TimeCommand::PauseAt(world.now + Duration::from_millis(1500)));
    world.command(pause).at(2.1);
    assert_eq!(world.number("P-101", "speed"), Some(100.0), "in the very frame that carries it out");
    world.at(2.2);
    world.sample(("P-101", "speed"), 3.0, 3.0, 300.0).at(3.0);
    assert_eq!(world.number("P-101", "speed"), Some(100.0));
    assert_eq!(world.current("P-101", "speed").quality.grade, Grade::Good, "judged at the cursor, not now");
    world.command(OperatorCommand::Time(TimeCommand::GoLive)).at(3.1).at(3.2);
    assert_eq!(world.number("P-101", "speed"), Some(300.0));
}

#[test]
fn a_late_sample_changes_neither_the_present_nor_what_was_known_before_it_came() {
    let mut world = World::new(SCENE);
    world.sample(("P-101", "speed"), 0.5, 0.5, 50.0).at(0.5);
    world.sample(("P-101", "speed"), 2.0, 3.0, 200.0).at(3.0);
    world.sample(("P-101", "speed"), 1.0, 3.5, 100.0).at(3.5);
    assert_eq!(world.number("P-101", "speed"), Some(200.0));
    for (millis, known) in [(1500, 50.0), (2500, 50.0), (3200, 200.0), (3500, 200.0)] {
        let pause = OperatorCommand::Time(TimeCommand::PauseAt(world.now + Duration::from_millis(millis)));
        world.command(pause).at(4.0).at(4.1);
        assert_eq!(world.number("P-101", "speed"), Some(known), "as it was at {millis} ms");
    }
    let signal = world.scene().signal("P-101", "speed").expect("a signal").index;
    let knowledge = world.app.world().resource::<Analysis>().lock();
    assert_eq!(knowledge.history.points(signal, world.now, world.now + Duration::from_secs(9)).count(), 3, "in trends");
}

#[test]
fn components_are_written_only_where_they_change() {
    #[derive(Resource, Default)]
    struct Changed(usize);
    let mut world = World::new(SCENE);
    world.app.init_resource::<Changed>().add_systems(
        Update,
        (|query: Query<(), Changed_<Current>>, mut changed: ResMut<Changed>| changed.0 = query.iter().count())
            .in_set(TwinSet::Visualise),
    );
    world.at(0.5).at(0.6);
    assert_eq!(world.app.world().resource::<Changed>().0, 0, "nothing arrived, nothing changed");
    world.sample(("P-102", "speed"), 1.0, 1.0, 5.0).at(1.0);
    assert_eq!(world.app.world().resource::<Changed>().0, 1);
}

use bevy::prelude::Changed as Changed_;

#[test]
fn a_reload_keeps_history_and_selection_under_new_indices() {
    let mut world = World::new(SCENE);
    world.sample(("P-102", "speed"), 1.0, 1.0, 42.0).at(1.0);
    let old = world.scene();
    let selected = old.twin("P-102").expect("a twin").index;
    let new = Arc::new(load(&SCENE.replace("(id: \"P-101\", type: \"Pump\"), ", "")));
    let map = world.app.world().resource::<Analysis>().lock().adopt(new.clone(), 2, world.now);
    let attention = Attention { selected: Some(selected), trends: Vec::new() };
    let attention = attention.renumbered(&old, &new, &map);
    assert_eq!(attention.selected, new.twin("P-102").map(|twin| twin.index));
    world.app.insert_resource(LoadedScene { scene: new, generation: 2, issues: Vec::new() });
    world.at(1.5);
    assert_eq!(world.number("P-102", "speed"), Some(42.0));
    assert_eq!(world.app.world().resource::<Entities>().twins.len(), 1);
}

#[test]
fn no_two_systems_of_core_depend_on_an_undeclared_order() {
    let mut world = World::new(SCENE);
    world.app.edit_schedule(Update, |schedule| {
        schedule.set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            ..ScheduleBuildSettings::default()
        });
    });
    world.at(1.0);
}
