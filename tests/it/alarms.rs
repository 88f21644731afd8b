//! Alarms through the whole core: samples in, board and journal out, operators' deeds, the past, a reload, an edit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use expect_test::expect;
use pollux::alarm::{Action, Alarm, AlarmBoard, Horn, State};
use pollux::analysis::Analysis;
use pollux::command::{AlarmCommand, LimitField, Operator, OperatorCommand, SceneCommand, TimeCommand};
use pollux::event::EventLog;
use pollux::history::Cursor;
use pollux::scene::LoadedScene;
use pollux::scene::rule::{AlarmPath, Priority};
use pollux::session::{self, Options, StorePlace};
use pollux::source::Batch;
use pollux::value::{Origin, Quality, Sample, Timestamp, Value};

use crate::core::{World, load};

const SCENE: &str = r#"
Scene(
    format: (1, 1),
    name: "Test hall",
    types: {
        "Pump": (
            signals: {
                "flow": (unit: "m3/h", topic: "hall/{id}", json: "/flow", limits: (low: 10.0),
                         alarms: {"low": (unless: "!running", priority: High)}),
                "running": (kind: Bool, topic: "hall/{id}", json: "/running"),
                "torque": (unit: "N.m", topic: "hall/{id}", json: "/torque"),
                "speed": (unit: "rpm", topic: "hall/{id}", json: "/speed"),
                "power": (unit: "kW", derived: "torque * speed / 9549", limits: (high: 30.0)),
            },
        ),
    },
    twins: [(id: "P-1", type: "Pump")],
)
"#;

impl World {
    fn alarm(&self, name: &str) -> Alarm {
        let scene = self.scene();
        let rule = scene.alarm_named("P-1", name).expect("a rule");
        self.app.world().resource::<AlarmBoard>().alarm(rule.index).expect("an alarm on the board").clone()
    }

    fn act(&mut self, name: &str, action: Action, comment: &str) -> &mut Self {
        let alarms = vec![AlarmPath::of_twin("P-1", name)];
        self.command(OperatorCommand::Alarm(AlarmCommand::Act { alarms, action, comment: comment.to_owned() }))
    }

    /// One message at `secs`: all values at one source time.
    fn message(&mut self, secs: f64, values: &[(&str, Value)]) -> &mut Self {
        let at = self.now + Duration::from_secs_f64(secs);
        let scene = self.scene();
        let sample = |(name, value): &(&str, Value)| Sample {
            signal: scene.signal("P-1", name).expect("a signal").index,
            source_time: at,
            receive_time: at,
            value: value.clone(),
            quality: Quality::GOOD,
            origin: Origin::Measured,
        };
        let batch = Batch::of_message(1, values.iter().map(sample).collect());
        self.app.world().resource::<Analysis>().lock().learn(batch);
        self
    }

    /// What stands in the log, a line each: seconds after the start, who, what.
    fn log(&self) -> String {
        let line = |event: &Arc<pollux::event::Event>| {
            let by = event.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            let twin = event.twin.as_deref().unwrap_or("-");
            format!("{:.1} {twin} {}{by}\n", event.time.secs_since(self.now), event.summary())
        };
        self.app.world().resource::<EventLog>().events.iter().map(line).collect()
    }
}

fn number(x: f64) -> Value {
    Value::Number(x)
}

#[test]
fn an_alarm_is_raised_acknowledged_with_a_name_and_cleared_and_all_of_it_is_on_record() {
    let mut world = World::new(SCENE);
    world.app.insert_resource(Operator("ada".to_owned()));
    world.message(1.0, &[("torque", number(300.0)), ("speed", number(1500.0))]).at(1.0);
    assert_eq!(world.alarm("power.high").state, State::Unacknowledged, "a derived signal alarms as well");
    world.act("power.high", Action::Acknowledge, "seen it").at(2.0);
    let alarm = world.alarm("power.high");
    assert_eq!(alarm.state, State::Acknowledged);
    assert_eq!(alarm.acknowledged.map(|deed| deed.by), Some("ada".to_owned()));
    world.message(3.0, &[("torque", number(100.0)), ("speed", number(1500.0))]).at(3.0);
    assert_eq!(world.alarm("power.high").state, State::Normal);
    expect![[r#"
        1.0 P-1 first sample
        1.0 P-1 power above 30 kW (high): raised at 47.13 kW
        2.0 P-1 power above 30 kW (high): acknowledged at 47.13 kW "seen it" by ada
        3.0 P-1 power above 30 kW (high): cleared at 15.71 kW, worst 47.13 kW
    "#]]
    .assert_eq(&world.log());
}

#[test]
fn a_pump_that_stops_raises_no_low_flow_in_whatever_order_its_message_names_them() {
    for flow_first in [true, false] {
        let mut world = World::new(SCENE);
        world.message(1.0, &[("flow", number(60.0)), ("running", Value::Bool(true))]).at(1.0);
        let mut values = vec![("flow", number(0.0)), ("running", Value::Bool(false))];
        if !flow_first {
            values.reverse();
        }
        world.message(2.0, &values).at(2.0);
        let alarm = world.alarm("flow.low");
        assert!(alarm.flags.suppressed && alarm.state == State::Unacknowledged, "evaluated, but not annunciated");
        assert!(!alarm.annunciates(), "flow first: {flow_first}");
        assert_eq!(world.app.world().resource::<AlarmBoard>().most_urgent(), None);
    }
}

#[test]
fn what_was_hidden_when_it_was_raised_does_not_count_however_samples_are_batched() {
    for in_one_batch in [true, false] {
        let mut world = World::new(SCENE);
        let scene = world.scene();
        let samples = [
            ("running", Value::Bool(false)),
            ("flow", number(0.0)),
            ("flow", number(60.0)),
            ("running", Value::Bool(true)),
        ];
        let samples: Vec<Sample> = (1..)
            .zip(samples)
            .map(|(secs, (name, value))| {
                let at = world.now + Duration::from_secs(secs);
                let signal = scene.signal("P-1", name).expect("a signal").index;
                Sample {
                    signal,
                    source_time: at,
                    receive_time: at,
                    value,
                    quality: Quality::GOOD,
                    origin: Origin::Measured,
                }
            })
            .collect();
        let size = if in_one_batch { samples.len() } else { 1 };
        for batch in samples.chunks(size) {
            let batch = Batch::of_samples(1, batch.to_vec());
            world.app.world().resource::<Analysis>().lock().learn(batch);
        }
        world.at(5.0);
        let alarm = world.alarm("flow.low");
        assert!(alarm.activations == 1 && alarm.flags.is_clear());
        let knowledge = world.app.world().resource::<Analysis>().lock();
        let measured = knowledge.chronicle().monitor().performance(world.now, knowledge.alarms());
        assert_eq!(measured.alarms, 0, "in one batch: {in_one_batch}");
    }
}

#[test]
fn the_board_shows_the_alarms_of_the_cursor_and_nobody_acts_on_the_past() {
    let mut world = World::new(SCENE);
    world.message(1.0, &[("running", Value::Bool(true)), ("flow", number(5.0))]).at(1.0);
    world.message(4.0, &[("flow", number(50.0))]).at(4.0);
    world.message(6.0, &[("flow", number(4.0))]).at(6.0);
    world.act("flow.low", Action::Acknowledge, "").at(8.0);
    assert_eq!(world.alarm("flow.low").state, State::Acknowledged);
    for (secs, state) in [
        (0.5, State::Normal),
        (2.0, State::Unacknowledged),
        (5.0, State::ReturnedUnacknowledged),
        (7.0, State::Unacknowledged),
        (9.0, State::Acknowledged),
    ] {
        let at = world.now + Duration::from_secs_f64(secs);
        *world.app.world_mut().resource_mut::<Cursor>() = Cursor::Paused(at);
        world.at(10.0);
        assert_eq!(world.alarm("flow.low").state, state, "at {secs} s");
    }
    *world.app.world_mut().resource_mut::<Cursor>() = Cursor::Paused(world.now + Duration::from_secs(7));
    world.act("flow.low", Action::Shelve { lasting: None }, "why not").at(11.0);
    world.command(OperatorCommand::Time(TimeCommand::GoLive)).at(12.0);
    assert!(world.alarm("flow.low").flags.shelved.is_none());
}

#[test]
fn the_horn_sounds_for_what_is_new_and_live_whatever_the_cursor_shows_and_for_nothing_else() {
    let mut world = World::new(SCENE);
    let horn = Horn::new(Some(Priority::High));
    world.app.world().resource::<Analysis>().lock().sound(horn.clone());
    world.app.insert_resource(horn.clone()).insert_resource(Operator("ada".to_owned()));
    world.message(1.0, &[("torque", number(300.0)), ("speed", number(1500.0))]).at(1.0);
    assert_eq!(world.alarm("power.high").state, State::Unacknowledged);
    assert_eq!(horn.sounded(), 0, "of medium priority");
    *world.app.world_mut().resource_mut::<Cursor>() = Cursor::Paused(world.now);
    world.message(2.0, &[("running", Value::Bool(true)), ("flow", number(5.0))]).at(2.0);
    assert_eq!(horn.sounded(), 1, "the past is shown, the plant is live");
    world.message(3.0, &[("running", Value::Bool(true)), ("flow", number(60.0))]).at(3.0);
    world.message(4.0, &[("running", Value::Bool(false)), ("flow", number(0.0))]).at(4.0);
    assert_eq!(horn.sounded(), 1, "cleared, then raised behind a suppression");
    world.message(5.0, &[("running", Value::Bool(true)), ("flow", number(0.0))]).at(5.0);
    assert_eq!(horn.sounded(), 2, "what was hidden and still holds is new to the operator");
    // The whole past is looked at once more.
    for secs in [1.0, 2.5, 4.5] {
        let at = world.now + Duration::from_secs_f64(secs);
        *world.app.world_mut().resource_mut::<Cursor>() = Cursor::Paused(at);
        world.at(6.0);
    }
    world.command(OperatorCommand::Alarm(AlarmCommand::Sound(None))).at(7.0);
    world.message(8.0, &[("flow", number(60.0))]).message(9.0, &[("flow", number(0.0))]).at(9.0);
    assert_eq!(horn.sounded(), 2);
    assert!(world.log().contains("7.0 - the horn is off by ada\n"), "{}", world.log());
}

#[test]
fn a_reload_keeps_alarms_and_says_which_ones_ended() {
    let mut world = World::new(SCENE);
    world.message(1.0, &[("running", Value::Bool(true)), ("flow", number(5.0))]).at(1.0);
    world.message(1.0, &[("torque", number(300.0)), ("speed", number(1500.0))]).at(1.5);
    let new = Arc::new(load(&SCENE.replace(", limits: (high: 30.0)", "").replace("low: 10.0", "low: 8.0")));
    world.app.world().resource::<Analysis>().lock().adopt(new.clone(), 2, world.now + Duration::from_secs(2));
    world.app.insert_resource(LoadedScene { scene: new, generation: 2, issues: Vec::new() });
    world.at(2.0);
    assert_eq!(world.alarm("flow.low").state, State::Unacknowledged);
    let log = world.log();
    assert!(log.contains("\n2.0 P-1 power above 30 kW (high): removed"), "{log}");
}

#[test]
fn what_was_clicked_before_a_reload_is_done_to_the_same_alarm_after_it_or_to_none() {
    let mut world = World::new(SCENE);
    world.app.insert_resource(Operator("ada".to_owned()));
    world.message(1.0, &[("running", Value::Bool(true)), ("flow", number(5.0))]).at(1.0);
    world.message(1.0, &[("torque", number(300.0)), ("speed", number(1500.0))]).at(1.5);
    let before = world.scene().alarm_named("P-1", "power.high").expect("a rule").index;
    // Clicked in this frame; before the next one carries it out, another alarm takes the place of the first.
    world.act("power.high", Action::Acknowledge, "").act("flow.low", Action::Acknowledge, "");
    let text = SCENE.replace("limits: (low: 10.0),", "").replace(r#""low": (unless"#, r#""dry": (below: 9.0, unless"#);
    let new =
        Arc::new(load(&text.replace(r#""torque": (unit: "N.m","#, r#""torque": (unit: "N.m", limits: (high: 1.0),"#)));
    assert_ne!(new.alarm_named("P-1", "power.high").expect("a rule").index, before, "the test tests nothing");
    world.app.world().resource::<Analysis>().lock().adopt(new.clone(), 2, world.now + Duration::from_secs(2));
    world.app.insert_resource(LoadedScene { scene: new, generation: 2, issues: Vec::new() });
    world.at(2.0);
    assert_eq!(world.alarm("power.high").state, State::Acknowledged);
    let log = world.log();
    let by_ada: Vec<&str> = log.lines().filter(|line| line.ends_with("by ada")).collect();
    expect![[r#"
        2.0 P-1 power above 30 kW (high): acknowledged at 47.13 kW by ada
        2.0 P-1 acknowledgement of P-1/flow.low refused: the scene does not have this alarm any more by ada"#]]
    .assert_eq(&by_ada.join("\n"));
}

/// Updates until `done`, ten seconds at most.
fn wait(app: &mut App, what: &str, mut done: impl FnMut(&mut App) -> bool) {
    let begun = Instant::now();
    while !done(app) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        app.update();
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn acknowledge(name: &str) -> OperatorCommand {
    let alarms = vec![AlarmPath::of_twin("P-1", name)];
    OperatorCommand::Alarm(AlarmCommand::Act { alarms, action: Action::Acknowledge, comment: String::new() })
}

fn edit(name: &str, value: f64) -> OperatorCommand {
    let alarm = AlarmPath::of_twin("P-1", name);
    OperatorCommand::Scene(SceneCommand::EditLimit {
        alarm,
        field: LimitField::Limit,
        value,
        reason: "new motor".to_owned(),
    })
}

fn limit(app: &App) -> String {
    let scene = &app.world().resource::<LoadedScene>().scene;
    pollux::scene::rule::message(scene.alarm_named("P-1", "power.high").expect("a rule"), scene)
}

#[test]
fn an_edit_of_a_limit_is_an_edit_of_the_scene_on_record_and_undone_to_the_byte() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("scene.ron");
    std::fs::write(&file, SCENE).expect("a scene file");
    let mut app = App::new();
    let options =
        Options { store: StorePlace::Nowhere, watch: false, operator: "ada".to_owned(), ..Options::new(file.clone()) };
    session::open(&mut app, options, Arc::new(|| {})).expect("a session");
    app.finish();
    app.cleanup();
    app.update();
    let edit = |value| edit("power.high", value);
    app.world_mut().write_message(edit(45.0));
    wait(&mut app, "the limit is edited", |app| limit(app) == "power above 45 kW (high)");
    assert_ne!(std::fs::read_to_string(&file).expect("the scene file"), SCENE);
    assert!(app.world().resource::<AlarmBoard>().undo.is_some());
    app.world_mut().write_message(edit(f64::NAN));
    app.world_mut().write_message(OperatorCommand::Scene(SceneCommand::UndoEdit));
    wait(&mut app, "the edit is undone", |app| limit(app) == "power above 30 kW (high)");
    assert_eq!(std::fs::read_to_string(&file).expect("the scene file"), SCENE);
    app.update();
    let said: Vec<String> = app
        .world()
        .resource::<EventLog>()
        .events
        .iter()
        .filter(|event| event.by.as_deref() == Some("ada"))
        .map(|event| event.summary())
        .collect();
    expect![[r#"
        P-1/power.high: limit from 30 kW to 45 kW "new motor"
        P-1/power.high: limit must be a finite number, found NaN "new motor"
        P-1/power.high: limit from 45 kW to 30 kW "undone""#]]
    .assert_eq(&said.join("\n"));
    assert_eq!(app.world().resource::<AlarmBoard>().undo, None);
}

#[test]
fn an_edit_made_here_is_read_again_once_and_a_save_from_outside_as_well() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("scene.ron");
    std::fs::write(&file, SCENE).expect("a scene file");
    let mut app = App::new();
    let options = Options { store: StorePlace::Nowhere, ..Options::new(file.clone()) };
    session::open(&mut app, options, Arc::new(|| {})).expect("a session");
    app.finish();
    app.cleanup();
    app.update();
    app.world_mut().write_message(edit("power.high", 45.0));
    wait(&mut app, "the limit is edited", |app| limit(app) == "power above 45 kW (high)");
    // Much longer than it takes until the watcher tells of a save.
    let begun = Instant::now();
    wait(&mut app, "time passes", |_| begun.elapsed() > Duration::from_millis(800));
    assert_eq!(app.world().resource::<LoadedScene>().generation, 2, "read at the start and after the edit");
    std::fs::write(&file, SCENE).expect("a scene file");
    wait(&mut app, "the save is taken over", |app| limit(app) == "power above 30 kW (high)");
}

#[test]
fn what_a_session_leaves_in_its_store_stands_in_the_next() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("scene.ron");
    std::fs::write(&file, SCENE).expect("a scene file");
    let store = folder.path().join("plant.store");
    let open = || {
        let mut app = App::new();
        let options = Options {
            store: StorePlace::At(store.clone()),
            watch: false,
            operator: "ada".to_owned(),
            ..Options::new(file.clone())
        };
        session::open(&mut app, options, Arc::new(|| {})).expect("a session");
        app.finish();
        app.cleanup();
        app.update();
        app
    };
    let mut app = open();
    let scene = app.world().resource::<LoadedScene>().scene.clone();
    let now = Timestamp::now();
    let sample = |name: &str, value: f64| Sample {
        signal: scene.signal("P-1", name).expect("a signal").index,
        source_time: now,
        receive_time: now,
        value: number(value),
        quality: Quality::GOOD,
        origin: Origin::Measured,
    };
    let samples = vec![sample("torque", 300.0), sample("speed", 1500.0)];
    app.world().resource::<Analysis>().lock().learn(Batch::of_message(1, samples));
    let alarm = scene.alarm_named("P-1", "power.high").expect("a rule").index;
    app.world_mut().write_message(acknowledge("power.high"));
    let standing = |app: &App| app.world().resource::<AlarmBoard>().alarm(alarm).cloned().expect("an alarm");
    wait(&mut app, "the alarm is acknowledged", |app| standing(app).state == State::Acknowledged);
    let before = standing(&app);
    drop(app);

    let app = open();
    assert_eq!(standing(&app), before);
    let kinds: Vec<&str> = app.world().resource::<EventLog>().events.iter().map(|e| e.kind.tag().name()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "gap").count(), 1, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "alarm").count(), 2, "{kinds:?}");
}
