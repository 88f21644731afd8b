//! Derived signals that wait for a consistent set: when they are evaluated, with what, and how long they wait at most.

use std::path::Path;

use super::*;
use crate::produce::Producers;
use crate::scene::SourceFile;

const SCENE: &str = r#"Scene(format: (1, 2), name: "Line", types: {"Line": (signals: {
    "a": (topic: "a", raw: Number),
    "b": (topic: "b", raw: Number),
    "d": (derived: "a - b"),
    "settled": (derived: "a - b", settle: "50ms"),
    "double": (derived: "settled * 2"),
})}, twins: [(id: "L", type: "Line")])"#;

struct Line {
    scene: Arc<Scene>,
    producers: Producers,
    history: History,
}

impl Line {
    fn new() -> Self {
        let source = SourceFile { path: "scene.ron".into(), text: SCENE.into() };
        let loaded = crate::scene::load_texts(Path::new("scene.ron"), &[source]);
        let scene = Arc::new(loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false))));
        let mut history = History::new(1 << 20);
        history.resize(scene.signals.len());
        let (producers, conflicts) = Producers::new(&scene, vec![Box::new(Derived::new(scene.clone()))]);
        assert_eq!(conflicts, []);
        Self { scene, producers, history }
    }

    /// What follows from one message, as `signal=value@source time` in ms.
    fn message(&mut self, received: i64, name: &str, source: i64, value: f64) -> String {
        let signal = self.scene.signal("L", name).expect("a signal").index;
        let sample = Sample {
            signal,
            source_time: ms(source),
            receive_time: ms(received),
            value: Value::Number(value),
            quality: Quality::GOOD,
            origin: Origin::Measured,
        };
        self.history.append(&sample);
        let mut moment = vec![sample];
        self.producers.conclude(&mut moment, &mut self.history);
        self.told(&moment[1..], received)
    }

    fn pass_time(&mut self, due: i64) -> String {
        assert_eq!(self.producers.next_due(), Some(ms(due)));
        let made = self.producers.elapse(ms(due), &mut self.history);
        self.told(&made, due)
    }

    fn told(&self, samples: &[Sample], received: i64) -> String {
        let one = |sample: &Sample| {
            assert_eq!(sample.receive_time, ms(received));
            let name = &self.scene.signals[sample.signal.at()].name;
            format!("{name}={}@{}", sample.value, sample.source_time.0 / 1_000_000)
        };
        samples.iter().map(one).collect::<Vec<_>>().join(" ")
    }
}

fn ms(at: i64) -> Timestamp {
    Timestamp(at * 1_000_000)
}

#[test]
fn two_values_that_are_sent_one_after_the_other_are_one_set() {
    let mut line = Line::new();
    assert_eq!(line.message(0, "a", 0, 11.0), "", "b was never seen");
    assert_eq!(line.message(1, "b", 1, 10.0), "d=1@1 settled=1@1 double=2@1", "at once, as both are new");
    assert_eq!(line.message(100, "a", 100, 21.0), "d=11@100", "what does not wait is false in between");
    assert_eq!(line.message(103, "b", 102, 20.0), "d=1@102 settled=1@102 double=2@102");
    assert_eq!(line.producers.next_due(), None, "nothing is waited for");
}

#[test]
fn an_input_that_does_not_come_is_waited_for_no_longer_than_settle() {
    let mut line = Line::new();
    line.message(0, "a", 0, 11.0);
    line.message(1, "b", 1, 10.0);
    assert_eq!(line.message(100, "a", 100, 12.0), "d=2@100");
    assert_eq!(line.message(120, "a", 119, 13.0), "d=3@119", "the wait began with the first");
    assert_eq!(line.pass_time(150), "settled=3@119 double=6@119", "with the newest values, at the newest time");
    assert_eq!(line.producers.next_due(), None);
}

#[test]
fn a_wait_goes_on_after_a_restart_and_a_changed_scene_forgets_it() {
    let mut line = Line::new();
    line.message(0, "a", 0, 11.0);
    line.message(1, "b", 1, 10.0);
    line.message(100, "a", 100, 12.0);
    let memory = line.producers.save();
    let mut other = Line::new();
    other.history = line.history;
    assert_eq!(other.producers.restore(&memory), Vec::<String>::new());
    assert_eq!(other.message(110, "b", 110, 11.0), "d=1@110 settled=1@110 double=2@110");

    let (mut fresh, _) = Producers::new(&other.scene, vec![Box::new(Derived::new(other.scene.clone()))]);
    let cut = memory.into_iter().map(|(name, mut state)| {
        state.data.pop();
        (name, state)
    });
    let told = fresh.restore(&cut.collect());
    assert_eq!(told, ["inputs of L.settled: its stored memory is damaged: it begins anew"]);
    assert_eq!(fresh.next_due(), None);
}

#[test]
fn a_second_writer_of_a_signal_is_left_out_and_named() {
    let line = Line::new();
    let twice: Vec<Box<dyn Producer>> =
        vec![Box::new(Derived::new(line.scene.clone())), Box::new(Derived::new(line.scene.clone()))];
    let (_, conflicts) = Producers::new(&line.scene, twice);
    assert_eq!(conflicts.len(), 3);
    assert!(conflicts[0].to_string().starts_with("L.d: both derived and derived write it"), "{}", conflicts[0]);
}
