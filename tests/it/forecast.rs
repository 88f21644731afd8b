//! What producers foretell is shown beside what is measured: live and in a replay, at any cursor, and is never measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bevy::prelude::*;
use pollux::analysis::Analysis;
use pollux::command::{Ghosts, LayerCommand, OperatorCommand, Refusals, TimeCommand};
use pollux::history::{Bucket, Cursor, Forecast, Horizon, Usage};
use pollux::ingest::{BindingTable, Message};
use pollux::layers::{self, Band, LayerPosition, Layers};
use pollux::produce::{Answer, Job, Moment, Outlet, Producer, ProducerFactory};
use pollux::record::format::{self, About};
use pollux::record::{KeyframeBuilder, RecordOptions, Recorder, SceneFiles};
use pollux::replay;
use pollux::scene::Scene;
use pollux::source::{Batch, Clock};
use pollux::state;
use pollux::value::{Shift, SignalIndex, Timestamp};
use serde_json::{Value, json};

use crate::core::World;
use crate::live::program::wait_for;

const SCENE: &str = r#"
Scene(
    format: (1, 1),
    name: "Test hall",
    types: {
        "Pump": (
            signals: {
                "flow": (unit: "m3/h", topic: "hall/{id}", json: "/flow"),
                "level": (unit: "m", topic: "hall/{id}", json: "/level"),
            },
        ),
    },
    twins: [(id: "P-1", type: "Pump")],
)
"#;

/// Foretells with each sample of the flow what it will be 10 and 20 s later, and has something computed that costs much.
#[derive(Debug)]
struct Foreteller {
    flow: SignalIndex,
    /// The flow will have risen by so much after 10 s, and by twice as much after 20 s.
    rise: f64,
    computed: Arc<AtomicUsize>,
}

impl Producer for Foreteller {
    fn name(&self) -> &str {
        "foreteller"
    }

    fn reads(&self, signal: SignalIndex) -> bool {
        signal == self.flow
    }

    fn writes(&self) -> Vec<SignalIndex> {
        Vec::new()
    }

    fn conclude(&mut self, moment: &Moment, out: &mut Outlet) {
        for flow in moment.samples.iter().filter_map(|sample| sample.value.as_f64()) {
            let row = |give: f64| [1.0, 2.0].map(|part| flow + part * (self.rise + give)).to_vec();
            let times = [10, 20].map(|secs| moment.source_time + Duration::from_secs(secs)).to_vec();
            let issued = (moment.receive_time, moment.source_time);
            let rows = vec![row(-2.0), row(0.0), row(2.0)];
            out.forecast(Forecast::new(self.flow, issued, times, vec![0.1, 0.5, 0.9], rows).expect("a forecast"));
            let computed = self.computed.clone();
            let work = move || {
                computed.fetch_add(1, Ordering::Relaxed);
                Answer::default()
            };
            out.job(Job { producer: "foreteller".to_owned(), work: Box::new(work) });
        }
    }
}

/// Those of a scene and the foreteller; how often it had something computed.
fn producers(rise: f64) -> (ProducerFactory, Arc<AtomicUsize>) {
    let computed = Arc::new(AtomicUsize::new(0));
    let count = computed.clone();
    let make = move |scene: &Arc<Scene>| {
        let flow = scene.signal("P-1", "flow").expect("a signal").index;
        let mut list = ProducerFactory::default().make(scene);
        list.push(Box::new(Foreteller { flow, rise, computed: count.clone() }));
        list
    };
    (ProducerFactory::new(make), computed)
}

/// A world that is fed by hand, in which forecasts are shown.
fn live(producers: ProducerFactory) -> World {
    let mut world = World::new(SCENE);
    let analysis = Analysis::with(world.scene(), 1, 64 << 20, world.now, producers);
    world.app.insert_resource(analysis);
    layers::show_forecasts(&mut world.app, "live");
    world
}

fn seen(app: &mut App) -> Value {
    serde_json::to_value(state::of(app.world_mut())).expect("plain data")
}

/// What the layers have of the flow.
fn foretold(app: &mut App) -> Value {
    seen(app)["twins"]["P-1"]["signals"]["flow"]["layers"].take()
}

/// Value, low and high of the only layer.
fn said(app: &mut App) -> [Option<f64>; 3] {
    let layers = foretold(app);
    ["value", "low", "high"].map(|key| layers[0][key].as_f64().map(|x| (x * 1e6).round() / 1e6))
}

fn place(app: &App) -> LayerPosition {
    app.world().resource::<Layers>().iter().next().expect("a layer").place()
}

/// The line of the flow in a trend over the first minute.
fn trend(app: &App, start: Timestamp) -> (Vec<Bucket>, Vec<(Timestamp, Band)>) {
    let layers = app.world().resource::<Layers>();
    let layer = &layers.iter().next().expect("a layer").layer;
    let pair = layer.pairs().list.first().expect("a pair");
    let line = layer.line(pair, (start, start + Duration::from_secs(60)), 600);
    (line.buckets, line.bands)
}

#[test]
fn the_newest_forecast_is_shown_beyond_now_with_its_band() {
    let (producers, _) = producers(1.0);
    let mut world = live(producers);
    world.sample(("P-1", "level"), 0.2, 0.2, 3.0).at(0.5);
    assert!(world.app.world().get_resource::<Layers>().is_none(), "nothing is foretold");
    world.command(LayerCommand::ShowGhosts(Ghosts::All).into()).at(0.6);
    assert_eq!(world.app.world().resource::<Refusals>().count, 1, "nothing lies beside it");
    world.sample(("P-1", "flow"), 1.0, 1.0, 50.0).sample(("P-1", "flow"), 2.0, 2.0, 60.0).at(3.0);
    let after = |secs: u64| world.now + Duration::from_secs(secs);
    let ends = [12, 22].map(after);
    let told = seen(&mut world.app)["layers"][0].take();
    assert_eq!((&told["name"], &told["kind"]), (&json!("forecast"), &json!("forecast")));
    assert_eq!((place(&world.app), said(&mut world.app)), (LayerPosition::Before(ends[0]), [None; 3]));
    assert_eq!(*world.app.world().resource::<Horizon>(), Horizon(Some(ends[1])));
    let ahead = world.now + Duration::from_secs(17);
    world.command(TimeCommand::Seek(ahead).into()).at(3.1);
    assert_eq!(*world.app.world().resource::<Cursor>(), Cursor::Paused(ahead));
    assert_eq!(said(&mut world.app), [61.5, 58.5, 64.5].map(Some), "half way between two moments");
    assert_eq!(foretold(&mut world.app)[0]["origin"], "forecast");
    let signals = seen(&mut world.app)["twins"]["P-1"]["signals"].take();
    assert_eq!(signals["flow"]["value"], Value::Null, "it is not known");
    assert_eq!(signals["level"].get("layers"), None, "nothing is foretold of it");
    let (line, bands) = trend(&world.app, world.now);
    assert_eq!((line.first().map(|part| part.from), line.last().map(|part| part.to)), (Some(ends[0]), Some(ends[1])));
    assert!(bands.iter().all(|(_, band)| band.low < band.high) && bands.len() == line.len());
    // A newer one takes its place while the cursor stands there.
    world.sample(("P-1", "flow"), 4.0, 4.0, 80.0).at(4.5);
    assert_eq!(said(&mut world.app), [81.3, 78.7, 83.9].map(Some));
    // The layer is commanded as any other.
    world.command(LayerCommand::ShowGhosts(Ghosts::None).into()).at(4.6);
    assert_eq!(*world.app.world().resource::<Ghosts>(), Ghosts::None);
    assert_eq!(world.app.world().resource::<Layers>().len(), 1, "it comes once");
}

#[test]
fn at_a_cursor_in_the_past_the_forecast_that_was_newest_then_stands_beside_what_happened() {
    let (producers, _) = producers(1.0);
    let mut world = live(producers);
    for (secs, flow) in [(1.0, 50.0), (2.0, 60.0), (14.0, 90.0)] {
        world.sample(("P-1", "flow"), secs, secs, flow).at(secs);
    }
    world.at(20.0);
    let start = world.now;
    let at = |secs: f64| start + Duration::from_secs_f64(secs);
    let (past, future) = ([at(12.0), at(22.0)], [at(24.0), at(34.0)]);
    let ends = |app: &App| {
        let (line, _) = trend(app, start);
        [line.first().expect("a part").from, line.last().expect("a part").to]
    };
    assert_eq!((said(&mut world.app), ends(&world.app)), ([None; 3], future), "the newest begins later");
    world.command(TimeCommand::PauseAt(at(13.0)).into()).at(20.1);
    assert_eq!((said(&mut world.app), ends(&world.app)), ([61.1, 58.9, 63.3].map(Some), past));
    let flow = seen(&mut world.app)["twins"]["P-1"]["signals"]["flow"].take();
    assert_eq!((&flow["value"], &flow["layers"][0]["receive_time"]), (&json!(60.0), &json!(at(2.0).to_string())));
    assert_eq!(*world.app.world().resource::<Horizon>(), Horizon(Some(future[1])), "time goes on as far as before");
    world.command(TimeCommand::PauseAt(at(1.0)).into()).at(20.2);
    assert_eq!(place(&world.app), LayerPosition::Before(at(11.0)), "the first one, just issued");
    assert_eq!(said(&mut world.app), [None; 3]);
}

#[test]
fn nothing_that_is_foretold_is_measured_and_it_takes_no_memory_from_what_is() {
    let (producers, _) = producers(1.0);
    let mut world = live(producers);
    world.sample(("P-1", "flow"), 1.0, 1.0, 50.0).at(3.0);
    let events = |app: &App| app.world().resource::<Analysis>().lock().chronicle().journal().iter().count();
    let before = events(&world.app);
    let ahead = world.now + Duration::from_secs(15);
    world.command(TimeCommand::Seek(ahead).into()).at(3.1);
    world.command(LayerCommand::Shift { layer: first(&world.app), by: Shift::from_secs_f64(5.0) }.into()).at(3.2);
    assert_eq!(said(&mut world.app)[0], Some(51.4), "it lives in the time of what is shown");
    assert_eq!(events(&world.app), before);
    let at = world.now + Duration::from_secs(1);
    let known = world.app.world().resource::<Analysis>().lock();
    let usage = known.history.usage();
    assert_eq!((usage.samples, known.history.bounds(), usage.budget_bytes), (1, Some((at, at)), 64 << 20));
    assert_eq!(known.forecasts().usage().forecasts, 1);
    drop(known);
    assert_eq!(world.app.world().resource::<Layers>().usage(), Usage::default());
}

fn first(app: &App) -> pollux::value::LayerId {
    app.world().resource::<Layers>().iter().next().expect("a layer").id
}

/// Seconds at which the recorded pump tells its flow.
const TOLD: [(u64, f64); 5] = [(1, 50.0), (2, 60.0), (14, 90.0), (15, 95.0), (40, 100.0)];

/// Records all that was known at a moment, and which forecasts showed then.
fn keyframe(recorder: &Recorder, analysis: &Analysis, scene: &Arc<Scene>, time: Timestamp) {
    let before = recorder.status().keyframes;
    let known = analysis.lock();
    let keyframe = KeyframeBuilder::new(time, scene.clone(), known.engine().snapshot(), known.producer_states());
    let mut keyframe = keyframe.with_forecasts(known.forecasts());
    assert!(keyframe.go_on(&known.history, || false));
    drop(known);
    recorder.sink().keyframe(keyframe);
    let written = || Some(()).filter(|()| recorder.status().keyframes > before);
    wait_for(written, || format!("it is not written: {:?}", recorder.status()));
}

/// A recorded run of a world with the foreteller, and the world.
fn record(folder: &Path, producers: ProducerFactory) -> (PathBuf, World) {
    let mut world = live(producers);
    let (scene, start) = (world.scene(), world.now);
    let at = |secs: u64| start + Duration::from_secs(secs);
    let files = SceneFiles::of(&scene);
    let about = About {
        format: format!("{}.{}", format::VERSION.0, format::VERSION.1),
        scene_file: files.scene_file.clone(),
        started: start,
        started_wall: start,
        ..About::default()
    };
    let file = folder.join("run.mcap");
    let recorder = Recorder::start(RecordOptions::new(&file), about, files, Clock::WALL).expect("a recorder");
    let analysis = world.app.world().resource::<Analysis>().clone();
    analysis.lock().record_to(recorder.sink());
    keyframe(&recorder, &analysis, &scene, start + Duration::from_millis(500));
    let table = BindingTable::new(&scene, "plant", 1);
    for (number, (secs, flow)) in (1..).zip(TOLD) {
        let payload = format!("{{\"flow\": {flow}}}");
        let (payload, receive_time) = (payload.as_bytes(), at(secs));
        let message = Message { topic: "hall/P-1", payload, retained: false, qos: 0, receive_time };
        recorder.tap("plant")(&message, None);
        let written = || Some(()).filter(|()| recorder.status().messages == number);
        wait_for(written, || format!("it is not written: {:?}", recorder.status()));
        let mut samples = Vec::new();
        table.decode(&message, &mut samples);
        analysis.lock().learn(Batch::of_message(1, samples));
        if secs == 2 || secs == 14 {
            keyframe(&recorder, &analysis, &scene, receive_time + Duration::from_millis(500));
        }
    }
    // What the last one has asked for is answered just after it.
    analysis.lock().pass_time(at(41));
    analysis.lock().record_no_more();
    let status = recorder.finish();
    assert_eq!((status.forecasts, status.keyframes), (TOLD.len() as u64, 3));
    world.at(40.0);
    (file, world)
}

/// What shows of the flow in the layer at a cursor.
fn shown_at(app: &mut App) -> [Value; 6] {
    let layers = foretold(app);
    ["value", "low", "high", "receive_time", "source_time", "origin"].map(|key| layers[0][key].clone())
}

#[test]
fn a_replay_shows_the_recorded_forecasts_at_each_cursor_and_computes_none() {
    let folder = tempfile::tempdir().unwrap();
    let (as_it_was, computed) = producers(1.0);
    let (file, mut world) = record(folder.path(), as_it_was);
    assert_eq!(computed.load(Ordering::Relaxed), TOLD.len());
    // It would say something else today.
    let (today, computed) = producers(1_000.0);
    let mut app = App::new();
    let options = replay::Options { blocking: true, producers: today, ..replay::Options::new([&file]) };
    replay::open(&mut app, options, Arc::new(|| {})).expect("a replay");
    layers::show_forecasts(&mut app, "run.mcap");
    app.finish();
    app.cleanup();
    app.update();
    assert_eq!(app.world().resource::<Layers>().here(), "run.mcap");
    let start = world.now;
    let mut told = 0;
    // There, back, and beyond the end.
    for millis in [13_000, 12_500, 24_500, 27_000, 1_500, 13_999, 14_000, 25_100, 38_000, 40_000, 55_000, 13_000] {
        let command = OperatorCommand::from(TimeCommand::Seek(start + Duration::from_millis(millis)));
        world.command(command.clone()).at(40.0);
        app.world_mut().write_message(command);
        app.update();
        let live = shown_at(&mut world.app);
        assert_eq!(shown_at(&mut app), live, "at {millis} ms");
        told += usize::from(live[0] != Value::Null);
    }
    assert!(told >= 6, "{told} times there was a value");
    assert_eq!(computed.load(Ordering::Relaxed), 0, "what was computed is on record");
}
