//! Time goes on after now, as far as a layer reaches: the cursor goes there, and nothing of it is ever on record.

use pollux::command::{JournalCommand, StepBy};
use pollux::event::Journal;
use pollux::history::{Bucket, Cursor, Gaps, Horizon, Usage, ViewTime};
use pollux::layers::{Band, Here, Layer, LayerKind, LayerLine, LayerValue, Pair, Pairs, Spread};
use pollux::record::RecordOptions;
use pollux::record::read::Timeline;
use pollux::scene::Scene;
use pollux::session::{self, StorePlace};
use pollux::stage::Current;
use pollux::value::{Grade, Quality};

use super::*;
use crate::core::World;

const REACH: Duration = Duration::from_secs(600);

/// Says 42, give or take 2, for all numbers of the shown world, now and for ten minutes from now on.
struct Constant {
    from: Timestamp,
    now: Timestamp,
    pairs: Pairs,
}

impl Constant {
    fn new(now: Timestamp) -> Self {
        Self { from: now, now, pairs: Pairs::default() }
    }
}

const BAND: Band = Band { low: 40.0, high: 44.0 };

impl Layer for Constant {
    fn name(&self) -> &str {
        "constant"
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Forecast
    }

    fn bounds(&self) -> (Timestamp, Timestamp) {
        (self.from, self.now + REACH)
    }

    fn pairs(&self) -> &Pairs {
        &self.pairs
    }

    fn pair_with(&mut self, scene: &Scene) {
        self.pairs = Pairs::of(scene, scene);
    }

    fn prepare(&mut self, here: &Here, _: &Journal) {
        self.now = here.time.now;
    }

    fn value(&self, _: &Pair, at: Timestamp) -> LayerValue {
        let value = Some(pollux::value::Value::Number(42.0));
        LayerValue {
            current: Current { value, quality: Quality::GOOD, source_time: at, receive_time: at, ..Current::default() },
            band: Some(BAND),
        }
    }

    fn line(&self, _: &Pair, (from, to): (Timestamp, Timestamp), _: usize) -> LayerLine {
        let bucket = Bucket {
            from,
            to,
            min: 42.0,
            max: 42.0,
            first: 42.0,
            last: 42.0,
            count: 1,
            worst: Grade::Good,
            gaps: Gaps::NONE,
        };
        LayerLine { buckets: vec![bucket], bands: vec![(from, BAND), (to, BAND)] }
    }

    fn spread(&self, _: &Pair) -> Spread {
        Spread { min: 42.0, max: 42.0 }
    }

    fn set_budget(&mut self, _: u64) {}

    fn usage(&self) -> Usage {
        Usage::default()
    }
}

fn cursor(app: &App) -> Cursor {
    *app.world().resource::<Cursor>()
}

/// A second after a sample in a live session with the constant beside it.
fn live() -> World {
    let mut world = World::new(&scene("m3/h", ""));
    layers::install(&mut world.app, "live", 1 << 20);
    let now = world.now;
    world.app.world_mut().resource_mut::<Layers>().add(Box::new(Constant::new(now)));
    world.sample(("P-1", "flow"), 0.5, 0.5, 50.0).at(1.0);
    world
}

fn does(world: &mut World, command: TimeCommand, secs: f64) -> Cursor {
    world.command(command.into()).at(secs);
    cursor(&world.app)
}

#[test]
fn beyond_now_only_the_layer_has_a_value() {
    let mut world = live();
    let flow = |world: &mut World| seen(&mut world.app)["twins"]["P-1"]["signals"]["flow"].take();
    let own = flow(&mut world);
    assert_eq!((&own["value"], &own["quality"]), (&json!(50.0), &json!("Good")), "live stays at now");
    assert_eq!((&own["layers"][0]["value"], &own["layers"][0]["low"]), (&json!(42.0), &json!(40.0)));
    let ahead = world.now + Duration::from_secs(301);
    assert_eq!(does(&mut world, TimeCommand::Seek(ahead), 1.0), Cursor::Paused(ahead));
    let own = flow(&mut world);
    assert_eq!((&own["value"], &own["quality"]), (&Value::Null, &json!("Stale")), "it never expires, but is not known");
    let other = &own["layers"][0];
    let told = ["layer", "value", "low", "high", "difference"].map(|key| other[key].clone());
    assert_eq!(told, [json!("constant"), json!(42.0), json!(40.0), json!(44.0), Value::Null]);
    let state = seen(&mut world.app);
    assert_eq!(state["layers"][0]["kind"], "forecast");
    assert_eq!(state["cursor"]["horizon"], (world.now + Duration::from_secs(1) + REACH).to_string());
    let back = world.now + Duration::from_secs(1);
    assert_eq!(does(&mut world, TimeCommand::PauseAt(back), 1.0), Cursor::Paused(back));
    assert_eq!(flow(&mut world)["value"], 50.0);
}

#[test]
fn steps_and_seeks_stop_at_now_and_at_the_horizon() {
    let mut world = live();
    let now = world.now + Duration::from_secs(1);
    let after = |secs: u64| Cursor::Paused(now + Duration::from_secs(secs));
    let step = |forward, secs| TimeCommand::Step { by: StepBy::Time(Duration::from_secs(secs)), forward };
    assert_eq!(does(&mut world, step(true, 100), 1.0), after(100), "from now on");
    assert_eq!(does(&mut world, step(true, 1_000), 1.0), after(600));
    assert_eq!(does(&mut world, step(false, 590), 1.0), after(10));
    assert_eq!(does(&mut world, step(false, 11), 1.0), Cursor::Live, "back it stops at now");
    assert!(matches!(does(&mut world, step(false, 1), 1.0), Cursor::Paused(at) if at < now));
    assert_eq!(does(&mut world, step(true, 100), 1.0), Cursor::Live, "and on the way there");
    assert_eq!(does(&mut world, TimeCommand::Seek(now + 2 * REACH), 1.0), after(600));
    assert_eq!(does(&mut world, TimeCommand::CatchUp, 1.0), Cursor::Live, "nothing was missed of what lies ahead");
    let horizon = *world.app.world().resource::<Horizon>();
    assert_eq!(horizon, Horizon(Some(now + REACH)));
    let id = world.app.world().resource::<Layers>().iter().next().map(|slot| slot.id).expect("a layer");
    world.app.world_mut().resource_mut::<Layers>().remove(id);
    world.at(1.0);
    assert_eq!(*world.app.world().resource::<Horizon>(), Horizon(None));
    assert_eq!(does(&mut world, step(true, 100), 1.0), Cursor::Live, "time ends now again");
}

/// Samples, their newest source time and what the journal tells.
#[expect(clippy::type_complexity, reason = "compared as a whole, and read nowhere else")]
fn on_record(app: &App) -> (u64, Option<(Timestamp, Timestamp)>, Vec<(Timestamp, String)>) {
    let knowledge = app.world().resource::<Analysis>().lock();
    let events = knowledge.chronicle().journal().iter().map(|event| (event.time, event.summary())).collect();
    (knowledge.history.usage().samples, knowledge.history.bounds(), events)
}

#[test]
fn nothing_beyond_now_enters_history_or_journal_whatever_is_tried_there() {
    let mut world = live();
    let before = on_record(&world.app);
    let now = world.now + Duration::from_secs(1);
    let ahead = now + Duration::from_secs(120);
    for command in [
        TimeCommand::Seek(ahead),
        TimeCommand::Play { speed: 100.0 },
        TimeCommand::Step { by: StepBy::Sample, forward: true },
        TimeCommand::Step { by: StepBy::Event, forward: true },
        TimeCommand::SkipGaps(Some(Duration::from_secs(1))),
        TimeCommand::Seek(ahead),
        TimeCommand::Pause,
    ] {
        does(&mut world, command, 1.0);
    }
    assert_eq!(cursor(&world.app), Cursor::Paused(ahead));
    assert_eq!(on_record(&world.app), before);
}

#[test]
fn nothing_beyond_now_enters_the_recording_of_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let (plant, file) = (folder.path().join("scene.ron"), folder.path().join("session.mcap"));
    std::fs::write(&plant, scene("m3/h", "")).unwrap();
    let mut options = session::Options::new(&plant);
    options.store = StorePlace::Nowhere;
    options.record = Some(RecordOptions::new(&file));
    let mut app = App::new();
    session::open(&mut app, options, Arc::new(|| {})).expect("a session");
    layers::install(&mut app, "live", 1 << 20);
    let start = app.world().resource::<ViewTime>().now;
    app.world_mut().resource_mut::<Layers>().add(Box::new(Constant::new(start)));
    app.finish();
    app.cleanup();
    app.update();
    let now = app.world().resource::<ViewTime>().now;
    app.world_mut().write_message(OperatorCommand::from(TimeCommand::Seek(now + Duration::from_secs(300))));
    app.world_mut().write_message(OperatorCommand::from(JournalCommand::Note {
        text: "ahead".into(),
        twin: None,
        at: None,
    }));
    for _ in 0..5 {
        app.update();
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(app.world().resource::<ViewTime>().is_ahead());
    let end = app.world().resource::<ViewTime>().now;
    drop(app);
    let timeline = Timeline::open(&[file]).expect("a recording");
    let (_, last) = timeline.bounds().expect("something");
    // What is written while it closes may be of a moment after the last frame.
    assert!(last <= end + Duration::from_secs(60), "{last} lies beyond {end}");
    let events = timeline.events().expect("events");
    assert!(events.iter().all(|event| event.time <= event.received && event.received <= last), "{events:?}");
    assert!(events.iter().any(|event| event.summary() == "ahead"), "{events:?}");
    let keyframes: Vec<_> = timeline.keyframe_times().into_iter().collect();
    for time in keyframes {
        let keyframe = timeline.keyframe_at(time).expect("it can be read").expect("it is there");
        assert!(
            keyframe.signals.values().all(|signals| signals.is_empty()),
            "nobody publishes: {:?}",
            keyframe.signals
        );
    }
}

/// A run that goes on for twice as long as what is shown.
fn longer(folder: &Path) -> (PathBuf, PathBuf) {
    let (here, there) = (folder.join("short.mcap"), folder.join("long.mcap"));
    tape(&here, &scene("m3/h", ""), noon(), |_| 50.0, 30);
    let mut more = Tape::new(&there, &scene("m3/h", ""), later());
    for second in 0..=2 * SECS {
        let receive_time = later() + Duration::from_secs(second);
        let payload = format!("{{\"flow\": {second}}}");
        let payload = payload.as_bytes();
        more.message(&Message { topic: "hall/P-1", payload, retained: false, qos: 0, receive_time });
    }
    more.finish();
    (here, there)
}

#[test]
fn a_longer_recording_lets_the_cursor_of_a_shorter_one_go_on_and_playing_gets_there() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = longer(folder.path());
    let mut app = open(&here, &there, Some(Align::Start), 25);
    let end = noon() + Duration::from_secs(SECS);
    assert_eq!(*app.world().resource::<Horizon>(), Horizon(Some(end + Duration::from_secs(SECS))));
    app.world_mut().write_message(OperatorCommand::from(TimeCommand::Seek(end + Duration::from_secs(30))));
    app.update();
    let flow = seen(&mut app)["twins"]["P-1"]["signals"]["flow"].take();
    assert_eq!((&flow["value"], &flow["quality"]), (&Value::Null, &json!("Stale")));
    assert_eq!((&flow["beside"]["value"], &flow["beside"]["difference"]), (&json!(90.0), &Value::Null));
    // From within it plays through its end, and stops where the other ends.
    app.world_mut().write_message(OperatorCommand::from(TimeCommand::Seek(end - Duration::from_secs(5))));
    app.world_mut().write_message(OperatorCommand::from(TimeCommand::Play { speed: 1000.0 }));
    for _ in 0..200 {
        app.update();
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(cursor(&app), Cursor::Paused(end + Duration::from_secs(SECS)));
    assert_eq!(flow_beside(&mut app)["value"], 120.0);
    app.world_mut().write_message(OperatorCommand::from(TimeCommand::GoLive));
    app.update();
    assert_eq!(cursor(&app), Cursor::Paused(end), "the end is that of what was measured");
}

#[test]
fn a_remark_that_is_made_beyond_the_end_is_one_of_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = longer(folder.path());
    let mut app = open(&here, &there, Some(Align::Start), 25);
    let end = noon() + Duration::from_secs(SECS);
    let ahead = end + Duration::from_secs(20);
    app.world_mut().write_message(OperatorCommand::from(TimeCommand::Seek(ahead)));
    app.update();
    let before = on_record(&app);
    for remark in [
        JournalCommand::Note { text: "looks bad".into(), twin: None, at: None },
        JournalCommand::Bookmark { text: "then".into(), twin: None, at: Some(ahead) },
    ] {
        app.world_mut().write_message(OperatorCommand::from(remark));
    }
    app.update();
    let (samples, bounds, events) = on_record(&app);
    assert_eq!((samples, bounds), (before.0, before.1));
    let new: Vec<_> = events.into_iter().skip(before.2.len()).collect();
    assert_eq!(new, [(end, "looks bad".to_owned()), (end, "bookmark: then".to_owned())]);
}

#[test]
fn the_program_begins_beyond_the_end_where_a_recording_beside_reaches() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = longer(folder.path());
    let file = folder.path().join("state.json");
    let at = |secs: &str| {
        let play = ["play", text(&here), "--at", secs, "--headless", "--state", text(&file)];
        pollux(&[&play[..], &["--beside", text(&there), "--align", "start"]].concat())
    };
    let (code, _, said) = at("100s");
    assert_eq!(code, Some(0), "{said}");
    let state: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(state["cursor"]["at"], (noon() + Duration::from_secs(100)).to_string());
    assert_eq!(state["cursor"]["horizon"], (noon() + Duration::from_secs(120)).to_string());
    let flow = &state["twins"]["P-1"]["signals"]["flow"];
    assert_eq!((&flow["value"], &flow["beside"]["value"]), (&Value::Null, &json!(100.0)));
    let (code, _, said) = at("200s");
    assert!(code == Some(2) && said.contains("is not within the recording"), "{said}");
}

#[test]
fn a_longer_recording_beside_a_live_session_goes_on_beyond_now() {
    let folder = tempfile::tempdir().unwrap();
    let (_, there) = longer(folder.path());
    let (file, plant) = (folder.path().join("state.json"), folder.path().join("scene.ron"));
    std::fs::write(&plant, scene("m3/h", "")).unwrap();
    let args = ["live", text(&plant), "--headless", "--for", "1s", "--no-store", "--state", text(&file)];
    let (code, _, said) = pollux(&[&args[..], &["--beside", text(&there), "--align", "start"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let state: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let time = |value: &Value| Timestamp::parse_rfc3339(value.as_str().expect("a time")).expect("a time");
    let ahead = time(&state["cursor"]["horizon"]).secs_since(time(&state["cursor"]["at"]));
    assert!((60.0..=120.0).contains(&ahead), "{ahead} s");
    assert_eq!(state["cursor"]["mode"], "live");
}
