//! Faults over live data have their places in the one order: however batches are cut and drained, the overlay and the truth
//! have the bits that a run of the same messages and deeds has.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::analysis::Feed;
use crate::fault::{Course, LinkEffect, SensorEffect};
use crate::ingest::{BindingTable, Message, SharedTable};
use crate::produce::ProducerFactory;
use crate::scene::Scene;
use crate::source::{Batch, Mailbox, SourceStatus, mailbox};

const SCENE: &str = r#"Scene(
    format: (1, 2),
    name: "Two brokers",
    brokers: {"east": (url: "mqtt://localhost:1"), "west": (url: "mqtt://localhost:2")},
    types: {"Line": (signals: {
        "a": (topic: "a", json: "/x", broker: "east", expires: "40ms", limits: (high: 9.0), alarms: {"silent": (stale: true)}),
        "b": (topic: "b", raw: Number, broker: "west", limits: (high: 7.0)),
        "d": (derived: "a - b", settle: "3ms", limits: (high: 5.0, low: -5.0)),
    })},
    twins: [(id: "L", type: "Line")],
)"#;

fn scene() -> Arc<Scene> {
    let source = crate::scene::SourceFile { path: "scene.ron".into(), text: SCENE.into() };
    let loaded = crate::scene::load_texts(Path::new("scene.ron"), &[source]);
    Arc::new(loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false))))
}

fn ms(at: i64) -> Timestamp {
    Timestamp(at * 1_000_000)
}

#[derive(Clone, Debug)]
struct Sent {
    west: bool,
    at: i64,
    x: u8,
}

impl Sent {
    fn broker(&self) -> &'static str {
        if self.west { "west" } else { "east" }
    }

    /// Some say nothing, and some say what cannot be read.
    fn payload(&self) -> String {
        match (self.x, self.west) {
            (12, _) => String::new(),
            (13, _) => r#"{"y": 1}"#.to_owned(),
            (x, true) => x.to_string(),
            (x, false) => format!(r#"{{"x": {x}}}"#),
        }
    }
}

/// Adds a message to a batch or a mailbox, as listeners and runs do.
fn said<'m>(sent: &Sent, payload: &'m str) -> Message<'m> {
    let topic = if sent.west { "b" } else { "a" };
    Message { topic, payload: payload.as_bytes(), retained: false, qos: 0, receive_time: ms(sent.at) }
}

#[derive(Clone, Debug)]
enum Between {
    Nothing,
    FlushEast,
    FlushWest,
    Look { whole: bool },
    Lay(WrittenFault),
    Lift(Option<String>),
}

/// A deed, with its place.
type Deed = (Timestamp, Between);

fn fault() -> impl Strategy<Value = WrittenFault> {
    let sensor = |effect| Defect::Sensor { signal: "L.a".to_owned(), effect };
    let link = |topics: &str, effect| Defect::Link { broker: None, topics: vec![topics.to_owned()], effect };
    let defects = vec![
        sensor(SensorEffect::Bias { by: 4.0 }),
        sensor(SensorEffect::Delay { by: 0.007 }),
        sensor(SensorEffect::Stuck {}),
        Defect::Swapped { signals: ("L.a".to_owned(), "L.b".to_owned()) },
        link("#", LinkEffect::Latency { by: 0.009 }),
        link("b", LinkEffect::Jitter { most: 0.02, keeps_order: false }),
        link("a", LinkEffect::Duplicate { share: 0.5 }),
        link("#", LinkEffect::Corrupt { share: 0.5, part: 0.3 }),
        link("a", LinkEffect::StaleRetained {}),
        link("+", LinkEffect::Disconnect {}),
    ];
    let id = prop::sample::select(vec!["F-1", "F-2"]);
    let lasts = prop::option::of(1..60_u64);
    (id, prop::sample::select(defects), 0..20_i64, lasts).prop_map(|(id, defect, onset, lasts)| {
        let duration = lasts.map(|lasts| lasts * 1_000_000);
        let course = Course { onset: ms(onset).0, duration, ..Course::default() };
        WrittenFault { id: id.to_owned(), defect, course }
    })
}

fn between() -> impl Strategy<Value = Between> {
    prop_oneof![
        6 => Just(Between::Nothing),
        3 => Just(Between::FlushEast),
        3 => Just(Between::FlushWest),
        3 => any::<bool>().prop_map(|whole| Between::Look { whole }),
        3 => fault().prop_map(Between::Lay),
        1 => prop::option::of(Just("F-1".to_owned())).prop_map(Between::Lift),
    ]
}

fn story() -> impl Strategy<Value = Vec<(Sent, Between)>> {
    let step = prop_oneof![4 => Just(0_i64), 5 => 1..4_i64, 1 => 4..90_i64];
    prop::collection::vec((any::<bool>(), step, 0..14_u8, between()), 1..60).prop_map(|list| {
        let mut at = 1000;
        let mut next = |(west, step, x, between): (bool, i64, u8, _)| {
            at += step;
            (Sent { west, at, x }, between)
        };
        list.into_iter().map(&mut next).collect()
    })
}

#[derive(PartialEq, Debug)]
struct Outcome {
    samples: Option<u128>,
    events: Vec<String>,
    alarms: String,
}

fn outcome(knowledge: &Knowledge) -> Outcome {
    let events = knowledge.chronicle().journal().iter();
    Outcome {
        samples: knowledge.sample_digest(),
        events: events.map(|event| format!("{} {} {}", event.time, event.received, event.summary())).collect(),
        alarms: serde_json::to_string(&knowledge.engine().snapshot()).expect("JSON"),
    }
}

/// Of the truth and of the last overlay.
type Both = (Outcome, Option<(Outcome, Timestamp, Option<Timestamp>)>);

fn both(knowledge: &Knowledge) -> Both {
    let overlay = knowledge.overlay().map(|view| (outcome(&view.analysis.lock()), view.since, view.until));
    (outcome(knowledge), overlay)
}

fn knowledge(scene: &Arc<Scene>) -> Knowledge {
    let mut knowledge = Knowledge::new(scene.clone(), 1, 1 << 20, ms(0), ProducerFactory::default());
    knowledge.keep_digest();
    knowledge
}

fn feed(scene: &Scene, name: &str) -> (Mailbox, Feed, Arc<BindingTable>) {
    let status = Arc::new(SourceStatus::default());
    let (mut mailbox, inbox) = mailbox(status.clone(), Arc::new(|| ()));
    mailbox.set_generation(1);
    (mailbox, Feed::new(name, Arc::new(inbox), status), SharedTable::new(BindingTable::new(scene, name, 1)).load())
}

fn live(scene: &Arc<Scene>, story: &[(Sent, Between)], end: Timestamp) -> (Both, Vec<Deed>) {
    let mut knowledge = knowledge(scene);
    let (mut east, east_feed, east_table) = feed(scene, "east");
    let (mut west, west_feed, west_table) = feed(scene, "west");
    knowledge.listen_to([west_feed, east_feed]);
    knowledge.set_driven(true);
    let look = |knowledge: &mut Knowledge, now: Timestamp, whole: bool| {
        let settled = knowledge.settled(now);
        if !knowledge.drain(settled, if whole { Duration::from_secs(9) } else { Duration::ZERO }) {
            knowledge.elapse(settled);
        }
    };
    let mut deeds = Vec::new();
    for (sent, between) in story {
        let (mailbox, table) = if sent.west { (&mut west, &west_table) } else { (&mut east, &east_table) };
        mailbox.receive(|| ms(sent.at));
        let payload = sent.payload();
        let message = said(sent, &payload);
        let whole = mailbox.is_wanted_whole(message.topic).then(|| mailbox.whole(&message)).flatten();
        mailbox.add_whole(|into| {
            table.decode(&message, into);
            ((), whole)
        });
        mailbox.rest();
        let now = ms(sent.at);
        match between {
            Between::Nothing => {}
            Between::FlushEast => drop(east.flush()),
            Between::FlushWest => drop(west.flush()),
            Between::Look { whole } => look(&mut knowledge, now, *whole),
            Between::Lay(fault) => {
                knowledge.lay(fault.clone(), "berta", "", || now).expect("a possible fault");
                deeds.push((now, between.clone()));
            }
            Between::Lift(id) => {
                if knowledge.lift(id.as_deref(), "berta", now).is_ok() {
                    deeds.push((now, between.clone()));
                }
            }
        }
    }
    assert!(east.flush() && west.flush());
    look(&mut knowledge, end + Duration::from_nanos(1), true);
    (both(&knowledge), deeds)
}

fn simulated(scene: &Arc<Scene>, story: &[(Sent, Between)], deeds: &[Deed], end: Timestamp) -> Both {
    let mut knowledge = knowledge(scene);
    let mut all: Vec<Sent> = story.iter().map(|(sent, _)| sent.clone()).collect();
    all.sort_by_key(|sent| (sent.at, sent.west));
    let mut deeds = deeds.iter().peekable();
    let act = |knowledge: &mut Knowledge, (at, deed): &Deed| match deed {
        Between::Lay(fault) => knowledge.lay(fault.clone(), "berta", "", || *at).expect("a possible fault"),
        // What is over already cannot be lifted: live that was not known yet.
        Between::Lift(id) => drop(knowledge.lift(id.as_deref(), "berta", *at)),
        Between::Nothing | Between::FlushEast | Between::FlushWest | Between::Look { .. } => {}
    };
    for sent in all {
        while let Some(deed) = deeds.next_if(|(at, _)| *at < ms(sent.at)) {
            act(&mut knowledge, deed);
        }
        let table = BindingTable::new(scene, sent.broker(), 1);
        let payload = sent.payload();
        let message = said(&sent, &payload);
        let mut batch = Batch { generation: 1, ..Batch::default() };
        let is_wanted = knowledge.wants_whole(sent.broker(), message.topic);
        batch.add_whole(|into| {
            table.decode(&message, into);
            ((), is_wanted.then(|| message.whole(&sent.broker().into())))
        });
        knowledge.learn(batch);
    }
    deeds.for_each(|deed| act(&mut knowledge, deed));
    knowledge.pass_time(end);
    both(&knowledge)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn faults_over_live_data_do_the_same_however_batches_are_cut_and_drained(story in story()) {
        let scene = scene();
        let end = ms(story.last().map_or(1000, |(sent, _)| sent.at) + 200);
        let (seen, deeds) = live(&scene, &story, end);
        prop_assert_eq!(seen, simulated(&scene, &story, &deeds, end));
    }
}
