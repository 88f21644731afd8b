//! Faults that somebody sets by hand in a session's own plant: what the journal tells, and the scenario that does the same.

mod wire;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use pollux::analysis::Analysis;
use pollux::command::{FaultCommand, OperatorCommand, Refusals, ScenarioCommand};
use pollux::event::{Event, EventLog, Kind};
use pollux::fault::{Course, Defect, LinkEffect, SensorEffect, Site, WrittenFault};
use pollux::record::read::Timeline;
use pollux::run::EPOCH;
use pollux::scenario::{self, Place};
use pollux::session::{self, Options, StorePlace};
use pollux::value::Timestamp;
use tempfile::TempDir;

struct World {
    app: App,
    folder: TempDir,
}

impl World {
    /// The demo's.
    fn open(arrange: impl FnOnce(&mut Options)) -> Self {
        let scene = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/bottling/scene.ron");
        Self::at(&scene, tempfile::tempdir().unwrap(), arrange)
    }

    /// Of a scene by its text.
    fn of(scene: &str, arrange: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scene.ron");
        std::fs::write(&file, scene).unwrap();
        Self::at(&file, folder, arrange)
    }

    fn at(scene: &Path, folder: TempDir, arrange: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options {
            store: StorePlace::Nowhere,
            watch: false,
            operator: "ann".into(),
            plant: true,
            plant_speed: 20.0,
            ..Options::new(scene)
        };
        options.plant_options.story = false;
        arrange(&mut options);
        let mut app = App::new();
        session::open(&mut app, options, Arc::new(|| {})).unwrap();
        app.add_plugins(scenario::plugin);
        app.finish();
        app.cleanup();
        app.update();
        Self { app, folder }
    }

    fn until<T>(&mut self, what: &str, mut found: impl FnMut(&mut App) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            self.app.update();
            if let Some(found) = found(&mut self.app) {
                return found;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "waited for {what}; refused: {}", self.refusal());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn give(&mut self, command: impl Into<OperatorCommand>) {
        self.app.world_mut().write_message(command.into());
        self.app.update();
    }

    fn inject(&mut self, id: &str, defect: Defect<String, String>, course: Course) {
        let fault = WrittenFault { id: id.into(), defect, course };
        self.give(FaultCommand::Inject { site: Site::Plant, fault, reason: "drill".into() });
    }

    fn until_told(&mut self, what: &str, is_it: impl Fn(&Event) -> bool) -> Arc<Event> {
        self.until(what, |app| {
            let knowledge = app.world().resource::<Analysis>().lock();
            knowledge.chronicle().journal().iter().find(|event| is_it(event)).cloned()
        })
    }

    fn until_set(&mut self, wanted: &str) -> Arc<Event> {
        self.until_told(wanted, |event| matches!(&event.kind, Kind::FaultSet { fault, .. } if fault.id == wanted))
    }

    fn until_cleared(&mut self, wanted: &str) -> Arc<Event> {
        self.until_told(wanted, |event| matches!(&event.kind, Kind::FaultCleared { fault, .. } if fault == wanted))
    }

    fn refusal(&self) -> String {
        self.app.world().resource::<Refusals>().last.clone().unwrap_or_default()
    }

    fn standing(&self) -> Vec<String> {
        let knowledge = self.app.world().resource::<Analysis>().lock();
        let mut log = EventLog::default();
        log.follow(knowledge.chronicle().journal());
        let newest = log.events.last().map(|event| event.time).unwrap_or_default();
        log.faults.standing(newest).map(|span| span.fault.id.clone()).collect()
    }
}

fn bias(signal: &str, by: f64) -> Defect<String, String> {
    Defect::Sensor { signal: signal.into(), effect: SensorEffect::Bias { by } }
}

/// Alarms as they change and faults as they come and go, with microseconds from a moment on.
fn changes<'e>(events: impl Iterator<Item = &'e Event>, zero: Timestamp) -> Vec<(i64, String)> {
    let changed = events.filter_map(|event| {
        let text = match &event.kind {
            Kind::Alarm { from, to, .. } if event.twin.is_some() && from.is_active() != to.is_active() => {
                format!("{} {to:?}", event.alarm_path()?)
            }
            Kind::FaultSet { fault, .. } => format!("{} set on {:?}", fault.id, event.twin),
            Kind::FaultCleared { fault, ending, .. } => format!("{fault} {ending:?} on {:?}", event.twin),
            _ => return None,
        };
        Some(((event.time.0 - zero.0).div_euclid(1_000), text))
    });
    let mut changed: Vec<_> = changed.collect();
    changed.sort();
    changed
}

#[test]
fn what_was_done_by_hand_is_saved_as_a_scenario_that_raises_the_same_alarms_at_the_same_times() {
    let mut world = World::open(|_| {});
    world.until_told("data", |event| matches!(event.kind, Kind::Birth));
    let grows = Course { ramp: 3_000_000_000, ..Course::default() };
    world.inject("too high", bias("T-100.level", 1.0), grows);
    let set = world.until_set("too high");
    assert_eq!((set.by.as_deref(), set.comment.as_str(), set.twin.as_deref()), (Some("ann"), "drill", Some("T-100")));
    let Kind::FaultSet { site: Site::Plant, fault } = &set.kind else { panic!("{set:?}") };
    assert_eq!(fault.course.onset, set.time.0, "its course is in the time of the data");
    world.until_told("the alarm", |event| {
        matches!(event.kind, Kind::Alarm { .. })
            && event.alarm_path().is_some_and(|path| path.to_string() == "T-100/level.high")
    });
    world.inject("lost", bias("P-101.flow", 1.0), Course { duration: Some(2_000_000_000), ..Course::default() });
    world.until_set("lost");
    let over = world.until_cleared("lost");
    assert_eq!(over.by, None, "it ended by itself");
    world.give(FaultCommand::Clear { site: Site::Plant, id: "too high".into() });
    let cleared = world.until_cleared("too high");
    assert_eq!(cleared.by.as_deref(), Some("ann"));
    assert_eq!(world.standing(), [""; 0]);
    let file = world.folder.path().join("again.ron");
    let wait = Instant::now();
    world.until("some more time", |_| (wait.elapsed() > Duration::from_secs(1)).then_some(()));
    world.give(ScenarioCommand::Save { path: Some(file.clone()) });
    assert!(file.exists(), "{}", world.refusal());
    let events: Vec<Arc<Event>> = {
        let knowledge = world.app.world().resource::<Analysis>().lock();
        knowledge.chronicle().journal().iter().cloned().collect()
    };
    let loaded = scenario::load(&file);
    let text = std::fs::read_to_string(&file).unwrap();
    let [experiment] = &loaded.experiments[..] else { panic!("{}{text}", loaded.render(false)) };
    let outcome = scenario::run(experiment, None).unwrap();
    assert_eq!(outcome.verdict, scenario::Verdict::Passed, "{text}\n{:#?}", outcome.checked);
    // The same journal, to the microsecond.
    let by_hand = world.app.world().resource::<session::ByHand>().clone();
    let first = by_hand.done.first().unwrap();
    let zero = Timestamp(first.at.0 - i64::try_from(first.time).unwrap());
    let seen = changes(events.iter().map(|event| &**event), zero);
    let path = world.folder.path().join("again.mcap");
    let place = Place { file: std::fs::File::create(&path).unwrap(), path: path.clone(), wall: Timestamp(0) };
    let recorded = scenario::record(experiment, None, place).unwrap();
    assert_eq!(recorded.hash, outcome.hash);
    let again = Timeline::open(&[path]).unwrap().events().unwrap();
    assert_eq!(changes(again.iter(), EPOCH), seen);
    assert!(seen.len() > 6, "{seen:?}");
}

#[test]
fn one_command_clears_all_faults_of_the_plant_and_over_live_data() {
    let mut world = World::open(|options| options.plant_speed = 1.0);
    world.until_told("data", |event| matches!(event.kind, Kind::Birth));
    for number in 1..=3 {
        world.inject(&format!("F{number}"), bias("T-100.level", 0.01), Course::default());
    }
    world.until_set("F3");
    // As the form gives it: without a name.
    let over = WrittenFault { id: String::new(), defect: bias("T-100.level", 0.5), course: Course::default() };
    world.give(FaultCommand::Inject { site: Site::Overlay, fault: over, reason: String::new() });
    world.until_set("O-1");
    assert_eq!(world.standing(), ["F1", "F2", "F3", "O-1"]);
    world.give(FaultCommand::ClearAll);
    world.until_cleared("F3");
    world.until_cleared("O-1");
    assert_eq!(world.standing(), [""; 0]);
}

#[test]
fn what_the_plant_cannot_do_is_refused_in_words() {
    let mut world = World::open(|options| options.plant_speed = 1.0);
    world.until_told("data", |event| matches!(event.kind, Kind::Birth));
    let lost = Defect::Link { broker: None, topics: vec!["nowhere/#".into()], effect: LinkEffect::Disconnect {} };
    world.inject("F1", lost, Course::default());
    world.until("a refusal", |app| app.world().resource::<Refusals>().last.clone());
    assert_eq!(world.refusal(), "fault `F1` would change nothing: the plant sends nothing on nowhere/#");
    world.inject("F2", bias("T-100.levle", 1.0), Course::default());
    world.until("a refusal", |app| app.world().resource::<Refusals>().last.clone().filter(|why| why.contains("levle")));
    world.give(FaultCommand::Clear { site: Site::Plant, id: "F9".into() });
    world.until("a refusal", |app| app.world().resource::<Refusals>().last.clone().filter(|why| why.contains("F9")));
    world.give(ScenarioCommand::Save { path: Some(world.folder.path().join("x.ron")) });
    assert!(world.refusal().contains("nothing was done to the plant by hand"), "{}", world.refusal());
    assert!(!world.folder.path().join("x.ron").exists());
}

#[test]
fn a_session_without_a_plant_of_its_own_says_where_faults_can_be_set() {
    let mut world = World::open(|options| options.plant = false);
    world.inject("F1", bias("T-100.level", 1.0), Course::default());
    assert!(world.refusal().contains("start it with --plant"), "{}", world.refusal());
}
