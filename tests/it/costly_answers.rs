//! What a producer computes beside the analysis: in a run without a clock its answers come just after what asked, in an
//! import they are on record, and judging the recording once more gives the same bits.

use std::path::Path;
use std::sync::Arc;

use pollux::import::{self, ImportOptions, Sent};
use pollux::ingest::Message;
use pollux::produce::{Answer, Job, Moment, Outlet, Producer, ProducerFactory};
use pollux::record::read::Timeline;
use pollux::run::rejudge::rejudge;
use pollux::run::{EPOCH, Run, RunOptions};
use pollux::scene::{self, Scene, SourceFile};
use pollux::value::{Origin, Quality, Sample, SignalIndex, Timestamp, Value};

const SCENE: &str = r#"
Scene(
    format: (1, 2),
    name: "Test hall",
    types: {"Pump": (signals: {
        "flow": (topic: "hall/{id}", json: "/flow"),
        "wear": (limits: (high: 8.0)),
        "half": (derived: "wear / 2"),
    })},
    twins: [(id: "P-1", type: "Pump")],
)
"#;

/// Has the square of each flow computed beside the analysis, and, if it never rests, of each answer too.
#[derive(Debug)]
struct Squares {
    flow: SignalIndex,
    wear: SignalIndex,
    rests: bool,
}

impl Producer for Squares {
    fn name(&self) -> &str {
        "squares"
    }

    fn reads(&self, signal: SignalIndex) -> bool {
        signal == self.flow || (!self.rests && signal == self.wear)
    }

    fn writes(&self) -> Vec<SignalIndex> {
        Vec::new()
    }

    fn conclude(&mut self, moment: &Moment, out: &mut Outlet) {
        for x in moment.samples.iter().filter_map(|sample| sample.value.as_f64()) {
            let (signal, source_time) = (self.wear, moment.source_time);
            let work = move || {
                let value = Value::Number(x * x);
                let (quality, origin) = (Quality::GOOD, Origin::Estimated);
                Answer {
                    samples: vec![Sample {
                        signal,
                        source_time,
                        receive_time: Timestamp::default(),
                        value,
                        quality,
                        origin,
                    }],
                }
            };
            out.job(Job { producer: "squares".to_owned(), work: Box::new(work) });
        }
    }
}

fn producers(rests: bool) -> ProducerFactory {
    ProducerFactory::new(move |scene: &Arc<Scene>| {
        let index = |name| scene.signal("P-1", name).expect("a signal").index;
        let mut list = ProducerFactory::default().make(scene);
        list.push(Box::new(Squares { flow: index("flow"), wear: index("wear"), rests }));
        list
    })
}

fn hall() -> Arc<Scene> {
    let source = SourceFile { path: "scene.ron".into(), text: SCENE.into() };
    let loaded = scene::load_texts(Path::new("scene.ron"), &[source]);
    Arc::new(loaded.scene.expect("a scene without issues"))
}

fn sent() -> impl Iterator<Item = Sent> {
    (0..40_u64).map(|second| Sent {
        time: EPOCH + std::time::Duration::from_secs(second),
        broker: "plant".into(),
        topic: "hall/P-1".into(),
        payload: format!(r#"{{"flow": {}}}"#, second % 5).into_bytes(),
        qos: 0,
        retained: false,
    })
}

fn tell(run: &mut Run, sent: &Sent) {
    let Sent { broker, topic, payload, qos, retained, time } = sent;
    let (qos, retained, receive_time) = (*qos, *retained, *time);
    run.message(broker, &Message { topic, payload, retained, qos, receive_time });
}

#[test]
fn an_import_holds_the_answers_and_judging_it_again_gives_the_same() {
    let scene = hall();
    let mut run = Run::new(scene.clone(), RunOptions { producers: producers(true), ..RunOptions::default() });
    sent().for_each(|sent| tell(&mut run, &sent));
    run.pass_time(EPOCH + std::time::Duration::from_secs(39));

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let file = std::fs::File::create_new(&path).unwrap();
    let options = ImportOptions { operator: "berta".into(), wall: Timestamp::now(), producers: producers(true) };
    let imported =
        import::record(sent().map(|sent| Ok(vec![sent])), scene.clone(), &path, file, options, || Ok(None)).unwrap();
    assert_eq!((imported.messages, imported.events), (40, run.events_after(0).count() as u64));

    let timeline = Timeline::open(&[path]).unwrap();
    let answers =
        timeline.messages(Timestamp::MIN, Timestamp::MAX).filter(|message| message.as_ref().unwrap().is_produced());
    assert_eq!(answers.count(), 39, "the last flow was not answered by the end");
    let again = rejudge(&timeline, scene, producers(true)).unwrap();
    let wear = again.scene().signal("P-1", "half").unwrap().index;
    assert_eq!(again.knowledge().history.newest(wear).map(|point| point.value), Some(Value::Number(4.5)));
    assert_eq!(again.hash(), run.hash());
    assert!(run.events_after(0).count() > 10, "the alarm came and went");
}

#[test]
fn an_answer_that_asks_for_the_next_one_ends_some_time_and_that_is_said() {
    let mut run = Run::new(hall(), RunOptions { producers: producers(false), ..RunOptions::default() });
    sent().skip(1).take(2).for_each(|sent| tell(&mut run, &sent));
    let half = run.scene().signal("P-1", "half").unwrap().index;
    let count = run.knowledge().history.points(half, Timestamp::MIN, Timestamp::MAX).count();
    assert_eq!(count, 64, "of the first flow");
    let troubles = run.knowledge().chronicle().troubles();
    assert!(troubles.iter().any(|text| text.starts_with("squares: each answer asks")), "{troubles:?}");
}
