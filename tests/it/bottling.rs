//! The bottling hall as a plant: every signal is heard, nothing in normal life raises an alarm, and the story is told.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pollux::event::Kind;
use pollux::ingest::Message;
use pollux::plant::{Options, Plant};
use pollux::run::{Run, RunOptions};
use pollux::scene::{self, Scene, SignalSource};
use pollux::value::{Quality, Reason, SignalIndex, Timestamp};

const START: Timestamp = Timestamp(1_700_000_000_000_000_000);
const SECOND: u64 = 1_000_000_000;
/// How much is simulated before the twin hears of it.
const SLICE: u64 = SECOND / 5;

fn bottling() -> Arc<Scene> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/bottling/scene.ron");
    let loaded = scene::load(&path);
    assert!(loaded.issues.is_empty(), "{}", loaded.render(false));
    Arc::new(loaded.scene.expect("a scene"))
}

/// The hall and a twin that hears all it says.
struct Hall {
    plant: Plant,
    twin: Run,
    /// Messages that the twin did not understand.
    strange: Vec<String>,
}

impl Hall {
    fn new(options: Options) -> Self {
        let scene = bottling();
        let plant = Plant::new(scene.clone(), options).expect("a plant");
        let twin = Run::new(scene, RunOptions { start: START, ..RunOptions::default() });
        Self { plant, twin, strange: Vec::new() }
    }

    fn run(&mut self, until: u64) {
        while self.plant.time() < until * SECOND {
            let then = self.plant.time() + SLICE;
            let receive_time = START + Duration::from_nanos(then);
            let (twin, strange) = (&mut self.twin, &mut self.strange);
            self.plant.run(then, START, &mut |said| {
                let (topic, payload, qos) = (said.topic, said.payload, said.qos);
                let (outcome, _) =
                    twin.message(said.broker, &Message { topic, payload, retained: false, qos, receive_time });
                if outcome.unknown_topic || outcome.error.is_some() || outcome.clock.is_some() {
                    strange.push(format!("{topic}: {outcome:?}"));
                }
            });
            self.twin.pass_time(receive_time);
        }
    }

    /// Alarms by their paths, with the seconds after the start at which they became active.
    fn raised(&self) -> Vec<(f64, String)> {
        let raised = self.twin.events_after(0).filter_map(|event| {
            let Kind::Alarm { from, to, .. } = &event.kind else { return None };
            let path = event.alarm_path()?.to_string();
            (!from.is_active() && to.is_active()).then(|| (event.time.secs_since(START), path))
        });
        raised.collect()
    }

    fn number(&self, twin: &str, signal: &str) -> f64 {
        let index = self.twin.scene().signal(twin, signal).expect("a signal").index;
        let newest = self.twin.knowledge().history.newest(index);
        newest.and_then(|sample| sample.value.as_f64()).expect("a number")
    }
}

#[test]
fn every_bound_signal_of_the_hall_gets_good_values_and_every_message_is_understood() {
    let mut hall = Hall::new(Options { story: false, ..Options::default() });
    hall.run(60);
    assert!(hall.strange.is_empty(), "{:?}", &hall.strange[..hall.strange.len().min(5)]);
    let scene = hall.twin.scene().clone();
    // By these an operator sets what is fixed otherwise: nobody says them until somebody does.
    let orders: Vec<_> = scene.commanded.iter().filter(|follow| !scene.measures.contains_key(&follow.signal)).collect();
    let is_order = |signal: SignalIndex| orders.iter().any(|follow| follow.signal == signal);
    let bound = scene.signals.iter().filter(|signal| matches!(signal.source, SignalSource::Mqtt(_)));
    let bound = bound.filter(|signal| !is_order(signal.index));
    let mut qualities: BTreeMap<String, Quality> = BTreeMap::new();
    for signal in bound {
        let newest = hall.twin.knowledge().history.newest(signal.index);
        let quality = newest.map_or(Quality::bad(Reason::NeverSeen), |sample| sample.quality);
        if quality != Quality::GOOD {
            qualities.insert(scene.signal_path(signal.index), quality);
        }
    }
    assert!(qualities.is_empty(), "{qualities:?}");
    assert!(scene.twins.len() >= 30 && scene.signals.len() >= 280, "{} {}", scene.twins.len(), scene.signals.len());
}

#[test]
fn normal_life_raises_no_alarm_and_runs_at_its_rate() {
    for seed in [1, 2] {
        let mut hall = Hall::new(Options { seed, story: false, ..Options::default() });
        hall.run(900);
        assert_eq!(hall.raised(), [], "seed {seed}");
        assert!(hall.strange.is_empty());
        let bottles = hall.number("F-301", "bottles");
        assert!((1000.0..1090.0).contains(&bottles), "72 a minute: {bottles}");
        let level = hall.number("T-200", "level");
        assert!((1.4..1.6).contains(&level), "{level} m");
        let cold = hall.number("HX-201", "product_out");
        assert!((4.0..8.0).contains(&cold), "{cold} degC");
    }
}

#[test]
fn the_story_wears_a_bearing_silences_a_sensor_and_ends_with_a_repair() {
    for seed in [1, 7] {
        let mut hall = Hall::new(Options { seed, ..Options::default() });
        hall.run(900);
        assert_eq!(hall.plant.take_violations(), [], "whatever happens, nothing is made or lost");
        let raised = hall.raised();
        let first = |part: &str| raised.iter().find(|(_, path)| path == part).map(|(secs, _)| *secs);
        let high = first("P-101/vibration.high").expect("the bearing wears");
        assert!((180.0..240.0).contains(&high), "seed {seed}: {high} s {raised:?}");
        assert!(hall.number("P-101", "vibration") < 2.5, "a new bearing");
        assert!(hall.strange.is_empty());
        let signal = hall.twin.scene().signal("HX-201", "product_out").expect("a signal").index;
        let times: Vec<Timestamp> = hall
            .twin
            .knowledge()
            .history
            .points(signal, Timestamp::MIN, Timestamp::MAX)
            .map(|point| point.source_time)
            .collect();
        let gaps = times.windows(2).map(|pair| pair[1].secs_since(pair[0]));
        let longest = gaps.fold(0.0, f64::max);
        assert!((39.0..42.0).contains(&longest), "TT-203 is silent for 40 s: {longest}");
    }
}

#[test]
fn bottles_and_product_are_neither_made_nor_lost() {
    let mut plant = Plant::new(bottling(), Options { story: false, ..Options::default() }).expect("a plant");
    let before = plant.network().balance(plant.state());
    plant.run(3600 * SECOND, START, &mut |_| {});
    assert_eq!(plant.take_violations(), []);
    let after = plant.network().balance(plant.state());
    let (volume, heat, items) = after.drift(&before);
    assert!(volume < 1e-10 && heat < 1e-6 && items == 0, "{volume} {heat} {items}");
}

#[test]
#[ignore = "takes minutes: cargo test --release --no-default-features --test it -- --ignored a_day_in_the_hall"]
fn a_day_in_the_hall_raises_no_alarm_and_loses_nothing() {
    let mut hall = Hall::new(Options { story: false, ..Options::default() });
    let before = hall.plant.network().balance(hall.plant.state());
    hall.run(86_400);
    assert_eq!(hall.raised(), []);
    assert_eq!(hall.plant.take_violations(), []);
    assert!(hall.strange.is_empty(), "{:?}", &hall.strange[..hall.strange.len().min(5)]);
    let (volume, heat, items) = hall.plant.network().balance(hall.plant.state()).drift(&before);
    assert!(volume < 1e-10 && heat < 1e-6 && items == 0, "{volume} {heat} {items}");
    let bottles = hall.number("F-301", "bottles");
    assert!((90_000.0..105_000.0).contains(&bottles), "{bottles}");
}
