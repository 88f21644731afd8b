//! What a recording keeps beside messages and events: forecasts, samples of costly producers, what producers remember. And
//! the one order in which all that is learnt from comes back.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mcap::Writer;
use mcap::records::MessageHeader;
use pollux::alarm::KeptAlarms;
use pollux::export::{Format, Options, Shape, export};
use pollux::history::{Forecast, ForecastStore, History};
use pollux::ingest::Message;
use pollux::produce::ProducerState;
use pollux::record::format::{self, About};
use pollux::record::read::{RecordingFile, Timeline, repair};
use pollux::record::{Conclusion, KeyframeBuilder, LARGE_STATE, RecordOptions, RecordStatus, Recorder, SceneFiles};
use pollux::replay::At;
use pollux::scene::{self, Scene};
use pollux::source::Clock;
use pollux::value::{Origin, Quality, Sample, SignalIndex, Timestamp, Value};
use proptest::prelude::*;

use crate::live::program::wait_for;
use crate::recording_read::build::{Script, write};

const SCENE: &str = r#"Scene(
    format: (1, 0),
    name: "hall",
    brokers: {"plant": (url: "mqtt://localhost:1883")},
    types: {
        "Pump": (signals: {
            "flow": (unit: "m3/h", topic: "hall/{id}", json: "/flow"),
            "wear": (unit: "%"),
        }),
    },
    twins: [(id: "T-0", type: "Pump"), (id: "T-1", type: "Pump")],
)"#;

fn at(secs: i64) -> Timestamp {
    Timestamp(1_780_000_000_000_000_000 + secs * 1_000_000_000)
}

/// A recorder, and what a session would hand over to it.
struct Session {
    path: PathBuf,
    scene: Arc<Scene>,
    recorder: Recorder,
    forecasts: ForecastStore,
}

impl Session {
    fn start(folder: &Path) -> Self {
        let file = folder.join("scene.ron");
        std::fs::write(&file, SCENE).unwrap();
        let scene = Arc::new(scene::load(&file).scene.expect("a scene without issues"));
        let files = SceneFiles::of(&scene);
        let about = About {
            format: format!("{}.{}", format::VERSION.0, format::VERSION.1),
            scene_file: files.scene_file.clone(),
            ..About::default()
        };
        let path = folder.join("a.mcap");
        let recorder = Recorder::start(RecordOptions::new(&path), about, files, Clock::WALL).unwrap();
        let mut forecasts = ForecastStore::default();
        forecasts.resize(scene.signals.len());
        Self { path, scene, recorder, forecasts }
    }

    fn signal(&self, twin: &str, name: &str) -> SignalIndex {
        self.scene.signal(twin, name).expect("a signal").index
    }

    fn wait(&self, done: impl Fn(&RecordStatus) -> bool) {
        let look = || Some(self.recorder.status()).filter(|status| done(status));
        wait_for(look, || format!("it is not written: {:?}", self.recorder.status()));
    }

    fn hear(&self, secs: i64, payload: &[u8]) {
        let before = self.recorder.status().messages;
        let (topic, retained, qos, receive_time) = ("hall/T-0", false, 0, at(secs));
        self.recorder.tap("plant")(&Message { topic, payload, retained, qos, receive_time }, None);
        self.wait(|status| status.messages > before);
    }

    fn keyframe(&self, secs: i64, states: &[(&str, usize)]) {
        let before = self.recorder.status().keyframes;
        let state = |bytes: usize| ProducerState { version: 1, data: vec![secs as u8; bytes] };
        let states = states.iter().map(|(name, bytes)| ((*name).to_owned(), state(*bytes))).collect();
        let keyframe = KeyframeBuilder::new(at(secs), self.scene.clone(), KeptAlarms::default(), states);
        let mut keyframe = keyframe.with_forecasts(&self.forecasts);
        assert!(keyframe.go_on(&History::default(), || false));
        self.recorder.sink().keyframe(keyframe);
        self.wait(|status| status.keyframes > before);
    }

    fn forecast(&mut self, twin: &str, secs: i64) {
        let times = vec![at(secs + 60), at(secs + 120)];
        let values = vec![vec![secs as f64, f64::NAN], vec![secs as f64 + 1.0, 7.0]];
        let signal = self.signal(twin, "flow");
        let forecast = Forecast::new(signal, (at(secs), at(secs - 1)), times, vec![0.1, 0.9], values).unwrap();
        self.recorder.sink().conclusion(Conclusion::forecast(&forecast, &self.scene).expect("a signal"));
        self.forecasts.insert(Arc::new(forecast));
    }

    fn produce(&self, secs: i64, wear: f64) {
        let sample = Sample {
            signal: self.signal("T-0", "wear"),
            source_time: at(secs - 5),
            receive_time: at(secs),
            value: Value::Number(wear),
            quality: Quality::GOOD,
            origin: Origin::Estimated,
        };
        self.recorder.sink().conclusion(Conclusion::produced("T-0.wear", at(secs), &[sample], &self.scene));
    }

    fn finish(self) -> (PathBuf, RecordStatus) {
        (self.path, self.recorder.finish())
    }
}

fn open(path: &Path) -> Timeline {
    Timeline::open(&[path.to_owned()]).unwrap()
}

/// Twin and second of issue.
fn issues(forecasts: &[pollux::record::RecordedForecast]) -> Vec<(&str, i64)> {
    forecasts.iter().map(|one| (one.twin.as_str(), (one.issued.0 - at(0).0) / 1_000_000_000)).collect()
}

/// Two pumps, forecasts now and then, a costly estimate of wear.
fn told(folder: &Path) -> (PathBuf, RecordStatus) {
    let mut session = Session::start(folder);
    session.forecast("T-0", 1);
    session.forecast("T-1", 2);
    session.keyframe(3, &[("T-0.wear", 10)]);
    session.hear(4, br#"{"flow": 4}"#);
    session.produce(5, 0.5);
    session.forecast("T-0", 6);
    session.hear(7, br#"{"flow": 7}"#);
    session.keyframe(8, &[("T-0.wear", 10)]);
    session.produce(9, 0.75);
    session.hear(10, br#"{"flow": 10}"#);
    session.forecast("T-0", 11);
    session.finish()
}

#[test]
fn forecasts_come_back_as_they_were_issued_and_those_that_show_at_a_moment_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let (path, status) = told(dir.path());
    assert_eq!((status.forecasts, status.produced, status.keyframes), (4, 2, 2));
    let file = RecordingFile::open(&path).unwrap();
    assert_eq!((file.forecast_count(), file.produced_count(), file.event_count()), (4, 2, 0));
    assert_eq!(file.channels().len(), 1, "what is of Pollux itself is no channel of the plant");
    let timeline = open(&path);
    assert_eq!(timeline.damage_text(), None);
    let between = |from, to| timeline.forecasts_between(at(from), at(to)).unwrap();
    assert_eq!(issues(&between(0, 99)), [("T-0", 1), ("T-1", 2), ("T-0", 6), ("T-0", 11)]);
    assert_eq!(issues(&between(1, 6)), [("T-1", 2), ("T-0", 6)], "after the first moment, up to the last");
    let shown = |secs| timeline.forecasts_at(at(secs)).unwrap();
    assert_eq!(issues(&shown(1)), [("T-0", 1)], "before the first keyframe");
    for (secs, expected) in
        [(5, [("T-0", 1), ("T-1", 2)]), (9, [("T-0", 6), ("T-1", 2)]), (11, [("T-0", 11), ("T-1", 2)])]
    {
        assert_eq!(issues(&shown(secs)), expected, "at {secs}");
    }
    let scene = scene::load(&dir.path().join("scene.ron")).scene.unwrap();
    let forecast = shown(6)[0].forecast(&scene).expect("a signal").expect("a forecast");
    assert_eq!((forecast.issued(), forecast.source_time(), forecast.end()), (at(6), at(5), at(126)));
    assert!(forecast.values()[0][1].is_nan() && forecast.values()[1] == [7.0, 7.0]);
}

#[test]
fn what_producers_remembered_comes_back_with_the_keyframe() {
    let dir = tempfile::tempdir().unwrap();
    let timeline = open(&told(dir.path()).0);
    let state = timeline.keyframe_at(at(9)).unwrap().unwrap().producers.remove("T-0.wear");
    assert_eq!(state, Some(ProducerState { version: 1, data: vec![8; 10] }));
    assert_eq!(timeline.full_keyframe_times(), [at(3), at(8)]);
}

#[test]
fn large_states_stand_in_the_first_keyframe_and_then_once_a_minute_and_not_before_as_much_was_heard() {
    let dir = tempfile::tempdir().unwrap();
    let session = Session::start(dir.path());
    let states = [("T-0.mean", LARGE_STATE), ("T-0.twin", LARGE_STATE + 1)];
    let as_much = vec![b' '; LARGE_STATE + 1];
    session.keyframe(0, &states);
    session.hear(1, &as_much);
    session.keyframe(5, &states);
    session.hear(6, b"{}");
    session.keyframe(61, &states);
    session.hear(62, b"{}");
    session.keyframe(122, &states);
    session.hear(123, &as_much);
    session.keyframe(130, &states);
    let (path, _) = session.finish();
    let check = |timeline: &Timeline| {
        let secs = |times: Vec<Timestamp>| times.iter().map(|time| time.secs_since(at(0))).collect::<Vec<_>>();
        assert_eq!(secs(timeline.keyframe_times()), [0.0, 5.0, 61.0, 122.0, 130.0]);
        assert_eq!(secs(timeline.full_keyframe_times()), [0.0, 61.0, 130.0]);
        let partial = timeline.keyframe_at(at(60)).unwrap().unwrap();
        assert_eq!((partial.time, partial.is_full(), &partial.lacks[..]), (at(5), false, &["T-0.twin".to_owned()][..]));
        assert_eq!(partial.producers["T-0.mean"].data, vec![5; LARGE_STATE]);
        for (moment, full) in [(60, 0), (129, 61), (200, 130)] {
            let keyframe = timeline.full_keyframe_at(at(moment)).unwrap().unwrap();
            assert_eq!((keyframe.time, keyframe.is_full()), (at(full), true));
            assert_eq!(keyframe.producers["T-0.twin"].data, vec![full as u8; LARGE_STATE + 1]);
        }
        assert_eq!(timeline.damage_text(), None);
    };
    check(&open(&path));
    // Without an index, and with one made anew.
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    let unfinished = open(&path);
    assert_eq!(unfinished.full_keyframe_times(), [at(0), at(61), at(130)]);
    repair(&path).unwrap();
    check(&open(&path));
}

#[test]
fn a_recording_of_before_there_were_producers_has_none_and_all_its_keyframes_are_full() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.mcap");
    let built = write(&path, &Script { format: "1.0".into(), ..Script::default() });
    let timeline = open(&path);
    assert_eq!(timeline.full_keyframe_times(), timeline.keyframe_times());
    let end = timeline.bounds().unwrap().1;
    let last = timeline.full_keyframe_at(end).unwrap().unwrap();
    assert_eq!(Some(&last), built.keyframes.last());
    assert!(last.producers.is_empty() && last.forecasts.is_empty());
    assert!(timeline.forecasts_between(Timestamp::MIN, Timestamp::MAX).unwrap().is_empty());
    assert!(timeline.forecasts_at(end).unwrap().is_empty());
}

#[test]
fn samples_of_costly_producers_come_in_their_place_and_keep_their_origin_in_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = told(dir.path());
    let timeline = open(&path);
    let order = timeline.messages(Timestamp::MIN, Timestamp::MAX).map(|message| {
        let message = message.unwrap();
        (message.log_time.secs_since(at(0)), message.broker.to_string(), message.is_produced())
    });
    let plant = |secs| (secs, "plant".to_owned(), false);
    let produced = |secs| (secs, format::PRODUCERS.to_owned(), true);
    assert_eq!(order.collect::<Vec<_>>(), [plant(4.0), produced(5.0), plant(7.0), produced(9.0), plant(10.0)]);
    let options = Options {
        files: vec![path],
        output: dir.path().join("a.csv"),
        format: Format::Csv(Shape::Long),
        scene: None,
        from: None,
        to: None,
        twins: Vec::new(),
        signals: Vec::new(),
    };
    export(&options).unwrap();
    let mut rows = csv::Reader::from_path(dir.path().join("a.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let rows: Vec<(&str, &str, &str)> = rows.iter().map(|row| (&row[3], &row[4], &row[8])).collect();
    assert_eq!(
        rows,
        [
            ("flow", "4", "measured"),
            ("wear", "0.5", "estimated"),
            ("flow", "7", "measured"),
            ("wear", "0.75", "estimated"),
            ("flow", "10", "measured"),
        ]
    );
}

#[test]
fn a_stretch_keeps_all_of_it_and_the_forecasts_that_show_when_it_begins() {
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = told(dir.path());
    let output = dir.path().join("cut.mcap");
    let options = Options {
        files: vec![path.clone()],
        output: output.clone(),
        format: Format::Mcap,
        scene: None,
        from: Some(At::Moment(at(9))),
        to: Some(At::Moment(at(11))),
        twins: Vec::new(),
        signals: Vec::new(),
    };
    export(&options).unwrap();
    let (whole, cut) = (open(&path), open(&output));
    assert_eq!(cut.damage_text(), None);
    assert_eq!(cut.bounds(), Some((at(8), at(10))), "from its keyframe on; a forecast of before is no beginning");
    let all = cut.forecasts_between(Timestamp::MIN, Timestamp::MAX).unwrap();
    assert_eq!(issues(&all), [("T-1", 2), ("T-0", 6), ("T-0", 11)]);
    assert_eq!(cut.forecasts_at(at(9)).unwrap(), whole.forecasts_at(at(9)).unwrap());
    let messages = |timeline: &Timeline| timeline.messages(at(8), at(11)).map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(messages(&cut), messages(&whole));
    assert_eq!(cut.full_keyframe_at(at(9)).unwrap(), whole.full_keyframe_at(at(9)).unwrap());
}

#[test]
fn cut_at_any_byte_it_opens_with_all_that_is_whole_and_can_be_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = told(dir.path());
    let bytes = std::fs::read(&path).unwrap();
    let read = |timeline: &Timeline| {
        let messages: Vec<_> = timeline.messages(Timestamp::MIN, Timestamp::MAX).map(Result::unwrap).collect();
        (messages, timeline.forecasts_between(Timestamp::MIN, Timestamp::MAX).unwrap(), timeline.keyframe_times())
    };
    let whole = read(&open(&path));
    let mut most = 0;
    for length in 8..bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let timeline = open(&path);
        assert!(timeline.damage_text().is_some(), "cut at {length}: nothing is said");
        let (messages, forecasts, keyframes) = read(&timeline);
        let is_part = messages.iter().all(|message| whole.0.contains(message))
            && forecasts.iter().all(|forecast| whole.1.contains(forecast))
            && keyframes.iter().all(|time| whole.2.contains(time));
        let found = messages.len() + forecasts.len() + keyframes.len();
        assert!(is_part && found >= most, "cut at {length}");
        most = found;
        if length % 7 == 0 {
            repair(&path).unwrap_or_else(|error| panic!("cut at {length}: {error}"));
            let repaired = open(&path);
            assert_eq!(repaired.damage_text(), None, "cut at {length}, repaired");
            assert_eq!(read(&repaired), (messages, forecasts, keyframes), "cut at {length}, repaired");
        }
    }
    assert_eq!(most, whole.0.len() + whole.1.len() + whole.2.len());
}

/// A file with such messages: (millisecond, broker, payload); a chunk ends after each that says so.
fn file(path: &Path, messages: &[(i64, &str, u32, bool)]) {
    let mut writer = Writer::new(Cursor::new(Vec::new())).unwrap();
    for (sequence, (ms, broker, payload, ends)) in messages.iter().enumerate() {
        let own =
            |topic: &str, broker: &str| (topic.to_owned(), BTreeMap::from([("broker".to_owned(), broker.to_owned())]));
        let (topic, metadata) = match *broker {
            format::PRODUCERS => own(format::PRODUCED_TOPIC, broker),
            broker => own("hall/pump", broker),
        };
        let channel_id = writer.add_channel(0, &topic, format::JSON, &metadata).unwrap();
        let log_time = (at(0).0 + ms * 1_000_000) as u64;
        let header = MessageHeader { channel_id, sequence: sequence as u32, log_time, publish_time: log_time };
        let data = match *broker {
            format::PRODUCERS => {
                let time = Timestamp(log_time as i64).to_string();
                format!(r#"{{"producer":"{payload}","time":"{time}","samples":[]}}"#)
            }
            _ => payload.to_string(),
        };
        writer.write_to_known_channel(&header, data.as_bytes()).unwrap();
        if *ends {
            writer.flush().unwrap();
        }
    }
    writer.finish().unwrap();
    std::fs::write(path, writer.into_inner().into_inner()).unwrap();
}

const BROKERS: [&str; 4] = ["hall", "plant", "annex", format::PRODUCERS];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn all_that_is_learned_from_comes_by_time_then_by_broker_then_as_it_arrived(
        messages in prop::collection::vec((0..6_i64, 0..4_usize, any::<bool>(), 0..2_usize), 1..60),
        is_stretch in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let messages: Vec<_> = messages
            .iter()
            .zip(0_u32..)
            .map(|((ms, broker, ends, file), number)| (*file, (*ms, BROKERS[*broker], number, *ends)))
            .collect();
        let of = |which| messages.iter().filter(|(file, _)| *file == which).map(|(_, message)| *message).collect::<Vec<_>>();
        let mut files: Vec<_> = [(0, "a.mcap"), (1, "b.mcap")]
            .into_iter()
            .map(|(which, name)| (dir.path().join(name), of(which)))
            .filter(|(_, messages)| !messages.is_empty())
            .collect();
        for (path, messages) in &files {
            file(path, messages);
        }
        let paths: Vec<PathBuf> = files.iter().rev().map(|(path, _)| path.clone()).collect();
        let timeline = Timeline::open(&paths).unwrap();
        let (after, up_to) = if is_stretch { (2, 4) } else { (-1, 99) };
        files.sort_by_key(|(_, messages)| messages.iter().map(|(ms, ..)| *ms).min());
        let mut expected: Vec<_> = files.iter().flat_map(|(_, messages)| messages).collect();
        expected.retain(|(ms, ..)| *ms > after && *ms <= up_to);
        expected.sort_by_key(|(ms, broker, ..)| (*ms, *broker));
        let expected: Vec<_> = expected.iter().map(|(ms, broker, number, _)| (*ms, (*broker).to_owned(), *number)).collect();
        let moment = |ms: i64| at(0) + Duration::from_millis(ms.max(0) as u64) - Duration::from_millis((-ms).max(0) as u64);
        let read = timeline.messages(moment(after), moment(up_to)).map(|message| {
            let message = message.unwrap();
            let number = match message.produced() {
                Some(produced) => produced.producer.parse().unwrap(),
                None => std::str::from_utf8(&message.payload).unwrap().parse().unwrap(),
            };
            ((message.log_time.0 - at(0).0) / 1_000_000, message.broker.to_string(), number)
        });
        prop_assert_eq!(read.collect::<Vec<(i64, String, u32)>>(), expected);
    }
}

#[test]
fn what_is_no_forecast_and_no_answer_is_left_out_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let mut writer = Writer::new(Cursor::new(Vec::new())).unwrap();
    let bad = r#"{"twin": "T-0", "signal": "flow", "issued": "2026-06-01T00:00:09Z", "source_time": "2026-06-01T00:00:08Z",
        "after_ns": [2, 1], "levels": [0.5], "values": [[1.0, 2.0]]}"#;
    for (topic, data) in [
        (format::FORECASTS_TOPIC, bad),
        (format::FORECASTS_TOPIC, "{}"),
        (format::PRODUCED_TOPIC, "[]"),
        ("hall/T-0", "1"),
    ] {
        let channel_id = writer.add_channel(0, topic, format::JSON, &BTreeMap::new()).unwrap();
        let time = at(0).0 as u64;
        let header = MessageHeader { channel_id, sequence: 0, log_time: time, publish_time: time };
        writer.write_to_known_channel(&header, data.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
    std::fs::write(&path, writer.into_inner().into_inner()).unwrap();
    let timeline = open(&path);
    assert_eq!(timeline.damage_text(), None);
    assert_eq!(timeline.messages(Timestamp::MIN, Timestamp::MAX).count(), 1);
    assert!(timeline.damage_text().unwrap().contains("damaged and left out"));
    assert!(timeline.forecasts_between(Timestamp::MIN, Timestamp::MAX).unwrap().is_empty());
}
