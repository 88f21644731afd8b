//! Files that follow each other, the past that is held in memory, and a folder that is taken away: the recorder by itself, a
//! test in the place of listeners and analysis.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pollux::alarm::{Cause, KeptAlarms, State};
use pollux::event::{Event, Kind};
use pollux::ingest::Message;
use pollux::record::format::About;
use pollux::record::{Conclusion, KeyframeBuilder, RecordOptions, RecordSink, RecordState, Recorder, SceneFiles};
use pollux::scene::Scene;
use pollux::scene::rule::Priority;
use pollux::source::Clock;
use pollux::source::mqtt::RawTap;
use pollux::value::Timestamp;

use super::reading::{Heard, Read, check_whole};
use crate::live::program::wait_for;

/// A session as the recorder sees it.
struct Session {
    recorder: Recorder,
    sink: RecordSink,
    tap: RawTap,
    sent: u64,
    events: u64,
}

impl Session {
    fn start(options: RecordOptions) -> Self {
        Self::start_at(options, Timestamp::now())
    }

    /// With all that was known at `time`.
    fn start_at(options: RecordOptions, time: Timestamp) -> Self {
        let recorder = Recorder::start(options, About::default(), SceneFiles::default(), Clock::WALL).unwrap();
        let mut session = Self { sink: recorder.sink(), tap: recorder.tap("plant"), recorder, sent: 0, events: 0 };
        session.answer(time);
        session
    }

    /// As the analysis does when nothing waits.
    fn answer(&mut self, time: Timestamp) {
        if self.sink.wants_keyframe() && time >= self.sink.hears_since() {
            self.keyframe(time);
        }
    }

    fn keyframe(&self, time: Timestamp) {
        let scene = Arc::new(Scene::default());
        self.sink.keyframe(KeyframeBuilder::new(time, scene, KeptAlarms::default(), Default::default()));
    }

    /// The number of the message is in its payload, with noise that does not compress.
    fn hear(&mut self, receive_time: Timestamp, noise: usize) {
        let mut payload = self.sent.to_le_bytes().to_vec();
        let mut state = self.sent.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        for _ in 0..noise / 8 {
            // xorshift64 (Marsaglia, 2003).
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            payload.extend(state.to_le_bytes());
        }
        let topic = format!("hall/{}", self.sent % 5);
        (self.tap)(&Message { topic: &topic, payload: &payload, retained: false, qos: 1, receive_time }, None);
        self.sent += 1;
    }

    fn alarm(&mut self, priority: Priority, received: Timestamp) {
        self.events += 1;
        self.sink.conclusion(Conclusion::Event(Arc::new(Event {
            id: self.events,
            time: received,
            received,
            twin: Some("P-101".into()),
            by: None,
            comment: String::new(),
            kind: Kind::Alarm {
                alarm: "flow.high".into(),
                broker: None,
                cause: Cause::Raised,
                from: State::Normal,
                to: State::Unacknowledged,
                priority,
                message: "flow above 70 m3/h".into(),
                value: None,
                worst: None,
                unit: String::new(),
                origin: None,
            },
        })));
    }

    fn wait(&self, what: &str, is_so: impl Fn(&RecordSink) -> bool) {
        wait_for(|| is_so(&self.sink).then_some(()), || format!("no {what}: {:?}", self.sink.status()));
    }
}

fn number(heard: &Heard) -> u64 {
    u64::from_le_bytes(heard.payload[..8].try_into().unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // The first one has no time in its name.
    files.sort_by_key(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    files
}

#[test]
fn files_follow_each_other_and_every_message_is_in_exactly_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = RecordOptions::new(folder.path().join("hall.mcap"));
    options.roll = "100kB".parse().unwrap();
    let mut session = Session::start(options);
    let mut known = BTreeSet::new();
    while session.sink.status().files < 5 {
        for _ in 0..20 {
            session.hear(Timestamp::now(), 400);
        }
        std::thread::sleep(Duration::from_millis(5));
        // What was received a moment ago may be underway.
        session.answer(Timestamp::now() - Duration::from_millis(50));
    }
    let sent = session.sent;
    let status = session.recorder.finish();
    assert_eq!((status.state, status.messages, status.dropped, status.lost), (RecordState::Ended, sent, 0, 0));
    let files = files(folder.path());
    assert_eq!(files.len(), 5, "{files:?}");
    let mut newest = 0;
    for file in &files {
        let read = check_whole(file);
        assert!(!read.keyframes.is_empty(), "each begins with all that is known: {}", file.display());
        let first = read.keyframes[0].time.0 as u64;
        assert!(first >= newest, "what the file before has, and nothing less: {}", file.display());
        for heard in &read.messages {
            assert!(known.insert(number(heard)), "twice: {}", number(heard));
            assert!(heard.log_time >= newest && (newest == 0 || heard.log_time > first), "{}", file.display());
        }
        newest = read.messages.iter().map(|heard| heard.log_time).max().unwrap();
    }
    assert_eq!(known, (0..sent).collect());
}

#[test]
fn old_files_make_room_for_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = RecordOptions::new(folder.path().join("hall.mcap"));
    // By the session's clock, which the messages tell.
    options.roll = "1m".parse().unwrap();
    options.keep = "2".parse().unwrap();
    let mut session = Session::start(options);
    let mut now = Timestamp::now();
    for file in 1..=4 {
        session.wait("file", |sink| sink.status().files == file);
        for _ in 0..61 {
            now = now + Duration::from_secs(1);
            session.hear(now, 8);
        }
        session.wait("wish for a keyframe", RecordSink::wants_keyframe);
        // Nobody answers the wish of the last file: it goes on without.
        if file < 4 {
            session.answer(now);
        }
    }
    let status = session.recorder.finish();
    assert!(status.files >= 4, "{status:?}");
    let files = files(folder.path());
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(!folder.path().join("hall.mcap").exists(), "the oldest has gone");
    let all: Vec<_> = files.iter().flat_map(|file| check_whole(file).messages).map(|heard| number(&heard)).collect();
    assert_eq!(all.last(), Some(&(session.sent - 1)));
    assert!(all.is_sorted() && all.windows(2).all(|pair| pair[0] + 1 == pair[1]));
}

#[test]
fn the_minutes_before_an_alarm_are_recorded_and_nothing_when_all_is_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = RecordOptions::new(folder.path().join("hall.mcap"));
    options.before = Some(Duration::from_secs(60));
    options.on = Some(Priority::High);
    options.after = Duration::from_millis(700);
    let begun = Timestamp::now();
    let mut session = Session::start_at(options, begun - Duration::from_secs(301));
    // Five minutes, up to now.
    for secs in (0..=300).rev() {
        session.hear(begun - Duration::from_secs(secs), 8);
        if secs % 10 == 0 {
            session.keyframe(begun - Duration::from_secs(secs));
        }
    }
    session.alarm(Priority::Medium, begun);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(session.sink.status().state, RecordState::Standby);
    assert!(files(folder.path()).is_empty(), "a medium alarm asks for nothing");
    assert!(session.sink.status().held_bytes > 0);

    session.alarm(Priority::High, Timestamp::now());
    session.wait("recording", |sink| sink.status().state == RecordState::Recording);
    session.hear(Timestamp::now(), 8);
    let after = session.sent;
    session.wait("end of the recording", |sink| sink.status().state == RecordState::Standby);
    let first = check_whole(&folder.path().join("hall.mcap"));
    let numbers: Vec<_> = first.messages.iter().map(number).collect();
    assert_eq!(numbers.last(), Some(&(after - 1)), "it goes on for a while");
    let reach = begun.0 - first.keyframes[0].time.0;
    assert!((60_000_000_000..80_000_000_000).contains(&reach), "{} s before the alarm", reach / 1_000_000_000);
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "without a hole");
    assert!(first.keyframes[0].time.0 as u64 <= first.messages[0].log_time, "it begins with all that was known");
    assert_eq!(first.events.len(), 2);

    session.answer(Timestamp::now());
    session.hear(Timestamp::now(), 8);
    session.sink.trigger();
    session.wait("a second file", |sink| sink.status().files == 2);
    let news: Vec<_> = session.sink.take_news(Timestamp::now()).into_iter().map(|draft| draft.kind).collect();
    assert!(
        matches!(&news[..], [Kind::Note { text }, Kind::Note { text: second }]
        if text.contains("P-101 flow above 70 m3/h") && second.contains("it was asked for")),
        "{news:?}"
    );
    session.recorder.finish();
    let files = files(folder.path());
    assert_eq!(files.len(), 2, "{files:?}");
    let second = check_whole(files.iter().find(|file| !file.ends_with("hall.mcap")).unwrap());
    assert_eq!(second.messages.iter().map(number).collect::<Vec<_>>(), [after], "what the first has is not repeated");
}

#[test]
fn a_folder_that_is_taken_away_is_told_and_recording_begins_again_when_it_is_back() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("disk");
    std::fs::create_dir(&folder).unwrap();
    let mut session = Session::start(RecordOptions::new(folder.join("hall.mcap")));
    session.hear(Timestamp::now(), 8);
    session.wait("message", |sink| sink.status().messages == 1);
    let away = outer.path().join("away");
    std::fs::rename(&folder, &away).unwrap();
    session.wait("failure", |sink| sink.status().state == RecordState::Failed);
    let lost_from = Timestamp::now();
    session.hear(lost_from, 8);
    session.wait("loss", |sink| sink.status().lost >= 1);
    let troubles = session.sink.status().troubles();
    assert!(troubles.iter().any(|trouble| trouble.contains("the file was taken away")), "{troubles:?}");
    std::fs::create_dir(&folder).unwrap();
    session.wait("another file", |sink| sink.status().state == RecordState::Recording);
    session.answer(Timestamp::now());
    session.hear(Timestamp::now(), 8);
    session.wait("message", |sink| sink.status().messages == 2);
    assert!(session.sink.status().troubles().is_empty());
    let news: Vec<_> = session.sink.take_news(Timestamp::now()).into_iter().map(|draft| draft.kind).collect();
    let gap = news.iter().find_map(|kind| match kind {
        Kind::Gap { from, to } => Some((*from, *to)),
        _ => None,
    });
    assert!(gap.is_some_and(|(from, to)| from < lost_from && to > lost_from), "{news:?}");
    session.recorder.finish();
    let before = Read::file(&away.join("hall.mcap"));
    assert_eq!(before.messages.iter().map(number).collect::<Vec<_>>(), [0]);
    let after = check_whole(&files(&folder)[0]);
    assert_eq!(after.messages.iter().map(number).collect::<Vec<_>>(), [2]);
}
