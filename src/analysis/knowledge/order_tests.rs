//! The one order: whatever messages of two brokers come, however they are cut into batches and drained, and whenever
//! time is passed on, live, judged once more and recalled from any keyframe give the same bits.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::analysis::Recall;
use crate::event::Event;
use crate::history::Point;
use crate::produce::{Job, Moment, Outlet, Producer, StateReader, StateWriter};
use crate::source::{Batch, Mailbox, SourceStatus, mailbox};
use crate::value::{Origin, Quality, Value};

const SCENE: &str = r#"
Scene(
    format: (1, 2),
    name: "Two brokers",
    brokers: {"east": (url: "mqtt://localhost:1"), "west": (url: "mqtt://localhost:2")},
    types: {
        "Line": (
            signals: {
                "a": (topic: "a", raw: Number, broker: "east", expires: "40ms", alarms: {"silent": (stale: true)}),
                "b": (topic: "b", raw: Number, broker: "west", limits: (high: 7.0)),
                "c": (topic: "c", raw: Number, broker: "east"),
                "d": (derived: "a - b", limits: (high: 5.0, low: -5.0), alarms: {"high": (on_delay: "3ms")}),
                "settled": (derived: "a - b", settle: "6ms", limits: (high: 5.0)),
                "chain": (derived: "settled * 2 + c", settle: "4ms"),
                "mean": (derived: "mean(a - b, \"30ms\") + duration(d > 2, \"run\")"),
                "sum": (),
                "answer": (),
                "after": (derived: "sum + answer", limits: (high: 40.0)),
            },
        ),
    },
    twins: [(id: "L", type: "Line")],
)
"#;

fn scene() -> Arc<Scene> {
    let source = crate::scene::SourceFile { path: "scene.ron".into(), text: SCENE.into() };
    let loaded = crate::scene::load_texts(Path::new("scene.ron"), &[source]);
    Arc::new(loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false))))
}

/// Remembers: the sum of all values of `a`, told with every third of them and 5 ms after each. Asks for the square of
/// the sum to be computed elsewhere.
#[derive(Debug)]
struct Sum {
    a: SignalIndex,
    sum: SignalIndex,
    answer: SignalIndex,
    total: f64,
    count: u64,
    due: Option<Timestamp>,
}

impl Sum {
    fn new(scene: &Scene) -> Self {
        let index = |name| scene.signal("L", name).expect("a signal").index;
        Self { a: index("a"), sum: index("sum"), answer: index("answer"), total: 0.0, count: 0, due: None }
    }

    fn sample(&self, signal: SignalIndex, value: f64, at: Timestamp) -> Sample {
        let (value, quality, origin) = (Value::Number(value), Quality::GOOD, Origin::Estimated);
        Sample { signal, source_time: at, receive_time: at, value, quality, origin }
    }
}

impl Producer for Sum {
    fn name(&self) -> &str {
        "sum"
    }

    fn reads(&self, signal: SignalIndex) -> bool {
        signal == self.a
    }

    fn writes(&self) -> Vec<SignalIndex> {
        vec![self.sum, self.answer]
    }

    fn conclude(&mut self, moment: &Moment, out: &mut Outlet) {
        for sample in moment.samples {
            self.total += sample.value.as_f64().unwrap_or_default();
            self.count += 1;
        }
        if self.count.is_multiple_of(3) {
            out.sample(self.sample(self.sum, self.total, moment.receive_time));
        }
        self.due = Some(moment.receive_time + Duration::from_millis(5));
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.due
    }

    fn elapse(&mut self, due: Timestamp, out: &mut Outlet) {
        self.due = None;
        out.sample(self.sample(self.sum, self.total + 0.5, due));
        let answer = self.sample(self.answer, self.total * self.total, due);
        let work = move || crate::produce::Answer { samples: vec![answer] };
        out.job(Job { producer: "sum".to_owned(), work: Box::new(work) });
    }

    fn save(&self, into: &mut BTreeMap<String, ProducerState>) {
        let mut state = StateWriter::default();
        state.f64(self.total);
        state.u64(self.count);
        state.time(self.due.unwrap_or(Timestamp::MIN));
        into.insert("sum".to_owned(), state.finish(1));
    }

    fn restore(&mut self, states: &BTreeMap<String, ProducerState>) -> Vec<String> {
        let Some(state) = states.get("sum") else { return Vec::new() };
        let mut reader = StateReader::new(state, 1).expect("a state of this version");
        self.total = reader.f64().expect("a sum");
        self.count = reader.u64().expect("a count");
        self.due = Some(reader.time().expect("a time")).filter(|due| *due > Timestamp::MIN);
        Vec::new()
    }
}

fn producers() -> ProducerFactory {
    ProducerFactory::new(|scene| {
        let mut list = ProducerFactory::default().make(scene);
        list.push(Box::new(Sum::new(scene)));
        list
    })
}

/// One message: its broker, its samples as (signal, source time behind receive time in ms, value).
#[derive(Clone, Debug)]
struct Sent {
    west: bool,
    at: i64,
    says: Vec<(u8, i64, u8)>,
}

fn samples(scene: &Scene, sent: &Sent) -> Vec<Sample> {
    let name = |which: u8| match (sent.west, which % 2) {
        (true, _) => "b",
        (false, 0) => "a",
        (false, _) => "c",
    };
    let receive_time = ms(sent.at);
    let sample = |&(which, behind, value): &(u8, i64, u8)| Sample {
        signal: scene.signal("L", name(which)).expect("a signal").index,
        source_time: ms(sent.at - behind),
        receive_time,
        value: Value::Number(f64::from(value)),
        quality: Quality::GOOD,
        origin: Origin::Measured,
    };
    sent.says.iter().map(sample).collect()
}

fn ms(at: i64) -> Timestamp {
    Timestamp(at * 1_000_000)
}

/// What happens beside messages, while they come.
#[derive(Clone, Copy, Debug)]
enum Between {
    Nothing,
    /// A source hands over what it has.
    FlushEast,
    FlushWest,
    /// The analysis looks: for as long as it takes, or for the shortest slice.
    Look {
        whole: bool,
    },
    /// An operator acknowledges.
    Act,
}

fn between() -> impl Strategy<Value = Between> {
    prop_oneof![
        4 => Just(Between::Nothing),
        2 => Just(Between::FlushEast),
        2 => Just(Between::FlushWest),
        2 => any::<bool>().prop_map(|whole| Between::Look { whole }),
        1 => Just(Between::Act),
    ]
}

fn story() -> impl Strategy<Value = Vec<(Sent, Between)>> {
    let behind = prop_oneof![5 => Just(0_i64), 2 => 1..3_i64, 1 => 3..30_i64];
    let says = prop::collection::vec((any::<u8>(), behind, 0..14_u8), 1..4);
    let step = prop_oneof![4 => Just(0_i64), 5 => 1..4_i64, 1 => 4..90_i64];
    prop::collection::vec((any::<bool>(), step, says, between()), 1..60).prop_map(|list| {
        let mut at = 1000;
        let mut next = |(west, step, says, between): (bool, i64, _, _)| {
            at += step;
            (Sent { west, at, says }, between)
        };
        list.into_iter().map(&mut next).collect()
    })
}

/// All that must be the same.
#[derive(PartialEq, Debug)]
struct Outcome {
    samples: Option<u128>,
    events: Vec<Event>,
    alarms: String,
    memory: BTreeMap<String, ProducerState>,
}

fn outcome(knowledge: &Knowledge) -> Outcome {
    Outcome {
        samples: knowledge.sample_digest(),
        events: knowledge.chronicle().journal().iter().map(|event| Event::clone(event)).collect(),
        alarms: serde_json::to_string(&knowledge.engine().snapshot()).expect("JSON"),
        memory: knowledge.producer_states(),
    }
}

fn knowledge(scene: &Arc<Scene>) -> Knowledge {
    let mut knowledge = Knowledge::new(scene.clone(), 1, 1 << 20, ms(0), producers());
    knowledge.keep_digest();
    knowledge
}

/// A source and its end: what a listener's thread does, by hand.
fn feed(name: &str) -> (Mailbox, Feed) {
    let status = Arc::new(SourceStatus::default());
    let (mut mailbox, inbox) = mailbox(status.clone(), Arc::new(|| ()));
    mailbox.set_generation(1);
    (mailbox, Feed::of_answers(name, Arc::new(inbox), status))
}

fn acknowledge(knowledge: &mut Knowledge, at: Timestamp) {
    let alarms: Vec<_> = knowledge.scene.alarms.iter().map(|rule| AlarmPath::of_rule(rule, &knowledge.scene)).collect();
    let deed = Deed { by: "berta".to_owned(), at, comment: String::new() };
    knowledge.act(&alarms[..3], &Action::Acknowledge, &deed);
}

/// Live: by mailboxes, drained as the story says. Also says when the operator acted.
fn live(scene: &Arc<Scene>, story: &[(Sent, Between)], end: Timestamp) -> (Outcome, Vec<Timestamp>) {
    let mut knowledge = knowledge(scene);
    let ((mut east, east_feed), (mut west, west_feed)) = (feed("east"), feed("west"));
    // In the other order than by name.
    knowledge.listen_to([west_feed, east_feed]);
    knowledge.set_driven(true);
    let look = |knowledge: &mut Knowledge, now: Timestamp, whole: bool| {
        let settled = knowledge.settled(now);
        let more = knowledge.drain(settled, if whole { Duration::from_secs(9) } else { Duration::ZERO });
        if !more {
            knowledge.elapse(settled);
        }
    };
    let mut deeds = Vec::new();
    for (sent, between) in story {
        let mailbox = if sent.west { &mut west } else { &mut east };
        mailbox.receive(|| ms(sent.at));
        mailbox.add(|into| into.extend(samples(scene, sent)));
        mailbox.rest();
        match between {
            Between::Nothing => {}
            Between::FlushEast => drop(east.flush()),
            Between::FlushWest => drop(west.flush()),
            Between::Look { whole } => look(&mut knowledge, ms(sent.at), *whole),
            Between::Act => {
                acknowledge(&mut knowledge, ms(sent.at));
                deeds.push(knowledge.position());
            }
        }
    }
    assert!(east.flush() && west.flush());
    look(&mut knowledge, end + Duration::from_nanos(1), true);
    (outcome(&knowledge), deeds)
}

/// In the one order: receive time, then broker by name, then arrival.
fn ordered(story: &[(Sent, Between)]) -> Vec<Sent> {
    let mut all: Vec<Sent> = story.iter().map(|(sent, _)| sent.clone()).collect();
    all.sort_by_key(|sent| (sent.at, sent.west));
    all
}

/// Message by message, as an import or a scenario does it.
fn simulated(scene: &Arc<Scene>, story: &[(Sent, Between)], deeds: &[Timestamp], end: Timestamp) -> Outcome {
    let mut knowledge = knowledge(scene);
    let mut deeds = deeds.iter().peekable();
    for sent in ordered(story) {
        while let Some(at) = deeds.next_if(|at| **at < ms(sent.at)) {
            acknowledge(&mut knowledge, *at);
        }
        knowledge.learn(Batch::of_message(1, samples(scene, &sent)));
    }
    deeds.for_each(|at| acknowledge(&mut knowledge, *at));
    knowledge.pass_time(end);
    outcome(&knowledge)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn live_and_simulated_give_the_same_bits_however_batches_are_cut_and_drained(story in story()) {
        let scene = scene();
        let end = ms(story.last().map_or(1000, |(sent, _)| sent.at) + 200);
        let (seen, deeds) = live(&scene, &story, end);
        prop_assert_eq!(seen, simulated(&scene, &story, &deeds, end));
    }
}

fn sample_of(signal: SignalIndex, point: Point) -> Sample {
    let Point { source_time, receive_time, value, quality, origin } = point;
    Sample { signal, source_time, receive_time, value, quality, origin }
}

/// What a replay makes of a stretch: the samples of producers. Answers to costly work are on record, as messages: here
/// they are given by hand.
fn recalled(scene: &Arc<Scene>, story: &[Sent], cut: Option<usize>, end: Timestamp) -> Vec<Sample> {
    let fresh = || Recall::new(scene, &producers(), 1 << 20);
    let mut recall = fresh();
    let mut made = Vec::new();
    for (number, sent) in story.iter().enumerate() {
        if cut == Some(number) {
            // A keyframe just before this message, or at the end of the one before if it is of the same time.
            let mut next = fresh();
            for signal in &scene.signals {
                let history = recall.history();
                // As they came: of one source time the last arrival is the latest.
                let points = history.points(signal.index, Timestamp::MIN, Timestamp::MAX);
                points.for_each(|point| next.know(&sample_of(signal.index, point)));
            }
            assert_eq!(next.remember(&recall.producer_states()), Vec::<String>::new());
            recall = next;
        }
        made.extend(recall.learn(ms(sent.at), &samples(scene, sent)));
    }
    made.extend(recall.pass_time(end));
    made
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_from_any_keyframe_equals_one_from_the_start(story in story(), cut in any::<prop::sample::Index>()) {
        let scene = scene();
        let all = ordered(&story);
        let end = ms(all.last().map_or(1000, |sent| sent.at) + 200);
        let from_start = recalled(&scene, &all, None, end);
        prop_assert_eq!(&from_start, &recalled(&scene, &all, Some(cut.index(all.len())), end));
    }
}
