use super::*;
use crate::alarm::{Cause, State};
use crate::event::{Ending, Kind};
use crate::fault::{Course, Defect, SensorEffect, Site, WrittenFault};
use crate::instruction;
use crate::scene::Significance;
use crate::scene::rule::Priority;
use crate::value::Value;
use proptest::prelude::*;
use serde_json::json;

fn event(id: u64) -> Arc<Event> {
    let kind = Kind::Alarm {
        alarm: "vibration.high".into(),
        broker: None,
        cause: Cause::Shelved { until: Some(Timestamp(id as i64 * 1_000_000_007)) },
        from: State::Unacknowledged,
        to: State::Acknowledged,
        priority: Priority::High,
        message: "vibration above 4.5 mm/s (high)\nline \u{2028} end".into(),
        value: Some(5.25),
        worst: None,
        unit: "mm/s".into(),
        origin: None,
    };
    let (time, received) = (Timestamp(id as i64), Timestamp(1_700_000_000_123_456_789));
    Arc::new(Event { id, time, received, twin: Some("P-101".into()), by: None, comment: "ü \"x\"".into(), kind })
}

fn fault() -> WrittenFault {
    let effect = SensorEffect::Spike { share: 0.1, height: -1.0 / 3.0 };
    let course = Course { onset: 1_700_000_000_123_456_789, ramp: u64::MAX, ..Course::default() };
    WrittenFault { id: "F-1".into(), defect: Defect::Sensor { signal: "P-101.flow".into(), effect }, course }
}

fn batch(ids: std::ops::Range<u64>) -> Batch {
    let alarms = [(format!("P-{}/high", ids.start % 3), json!({"state": "normal", "n": ids.start}))];
    let time = (!ids.start.is_multiple_of(5)).then_some(Timestamp(ids.start as i64));
    let heard = [(format!("P-{}.flow", ids.start % 3), time)].into();
    let alive = Some(Timestamp(ids.start as i64));
    Batch { alive, events: ids.map(event).collect(), alarms: alarms.into(), heard }
}

/// An image, then batches: the file, and what it holds after each commit, with the length of the file then.
fn file(commits: u64) -> (Vec<u8>, Vec<(usize, Image)>) {
    let mut image = Image::default();
    image.apply(batch(1..4), 100);
    let mut bytes = image.lines();
    let mut states = vec![(bytes.len(), image.clone())];
    for n in 0..commits {
        let next = batch(4 + 2 * n..6 + 2 * n);
        bytes.extend(next.line());
        image.apply(next, 100);
        states.push((bytes.len(), image.clone()));
    }
    (bytes, states)
}

#[test]
fn what_was_written_is_read() {
    let (bytes, states) = file(10);
    let reading = read(&bytes, 100);
    assert_eq!((reading.damaged, reading.torn, reading.newer), (0, 0, None));
    assert_eq!(reading.image, states[10].1);
    assert_eq!(read(&reading.image.lines(), 100).image, reading.image);
    assert_eq!(read(b"", 100), Reading::default());
}

#[test]
fn all_kinds_of_events_come_back_as_they_were() {
    let (from, to) = (Timestamp(1), Timestamp(i64::MAX));
    let kinds = [
        Kind::Flood { began: true, alarms: 11, first: "P-101/vibration.high".into() },
        Kind::Chattering { alarm: "a".into(), broker: Some("plant".into()), began: false },
        Kind::Connection { broker: "plant".into(), state: "disconnected".into(), error: "refused".into() },
        Kind::Birth,
        Kind::Death,
        Kind::SceneReloaded { accepted: false, issues: 3 },
        Kind::SceneEdited { what: "high".into(), before: "4.5".into(), after: "5".into() },
        Kind::Gap { from, to },
        Kind::Command {
            command: "start".into(),
            instruction: 3,
            arguments: [("speed".to_owned(), Value::Number(30.0)), ("soft".to_owned(), Value::Bool(true))].into(),
            broker: "plant".into(),
            address: "mqtt://plc:1883".into(),
            topic: "hall/P-101/cmd".into(),
            payload: r#"{"speed":30}"#.into(),
            significance: Significance::Warning,
            state: instruction::State::TimedOut,
            result: "nothing came".into(),
        },
        Kind::Plant { text: "stopped".into() },
        Kind::FaultSet { site: Site::Overlay, fault: fault() },
        Kind::FaultCleared { site: Site::Plant, fault: "F-1".into(), ending: Ending::SessionEnded },
        Kind::Note { text: "oiled".into() },
    ];
    let events: Vec<_> =
        kinds.into_iter().zip(1..).map(|(kind, id)| Arc::new(Event { kind, ..(*event(id)).clone() })).collect();
    let line = Batch { events: events.clone(), ..Batch::default() }.line();
    assert_eq!(Vec::from(read(&line, 100).image.events), events);
}

#[test]
fn null_forgets_an_alarm_and_the_latest_events_stay() {
    let mut bytes = batch(1..8).line();
    bytes.extend(Batch { alarms: [("P-1/high".to_owned(), json!(null))].into(), ..Batch::default() }.line());
    let image = read(&bytes, 3).image;
    assert_eq!(image.events.iter().map(|event| event.id).collect::<Vec<_>>(), [5, 6, 7]);
    assert!(image.alarms.is_empty());
    assert_eq!(image.heard, [("P-1.flow".to_owned(), Timestamp(1))].into());
    assert_eq!(read(&Image { last_id: 70, ..image }.lines(), 3).image.last_id, 70);
}

#[test]
fn a_file_cut_off_anywhere_holds_all_whole_commits_before() {
    let (bytes, states) = file(6);
    for length in 0..=bytes.len() {
        let reading = read(&bytes[..length], 100);
        assert_eq!(reading.damaged, 0, "at {length}");
        let whole = states.iter().rev().find(|(end, _)| *end <= length);
        match whole {
            Some((end, image)) => {
                assert_eq!(&reading.image, image, "at {length}");
                assert_eq!(reading.torn as usize, length - end);
            }
            None => assert!(reading.image.events.len() <= 3),
        }
    }
}

#[test]
fn a_turned_bit_costs_one_line_or_two_where_it_turned_their_end() {
    let (bytes, states) = file(6);
    let full = &states[6].1;
    let (mut damaged, mut torn) = (0, 0);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << bit;
            let reading = read(&bytes, 100);
            let lost = full.events.iter().filter(|event| !reading.image.events.contains(event)).count();
            // The image's three events are one line, each commit has two.
            assert!(lost <= 5, "{lost} events lost at {at}");
            assert!(reading.image.events.iter().all(|event| full.events.contains(event)), "invented at {at}");
            let silent = reading.damaged == 0 && reading.torn == 0;
            assert!(!silent || reading.image == *full, "a change at {at} went unseen");
            damaged += u64::from(reading.damaged > 0);
            torn += u64::from(reading.torn > 0);
        }
    }
    assert!(damaged > 1_000 && torn > 0, "{damaged} {torn}");
}

#[test]
fn a_newer_version_is_told_and_other_texts_are_known_as_foreign() {
    let mut newer = Vec::new();
    Frame { pollux_store: Some(2), ..Frame::default() }.write(&mut newer);
    assert_eq!(read(&newer, 10).newer, Some(2));
    assert!(is_foreign(b"Scene(\n  name: \"hall\",\n)\n"));
    assert!(!is_foreign(&newer));
    assert!(!is_foreign(b""));
    assert!(!is_foreign(&[0; 100]), "zeros are what a power cut leaves");
    assert!(!is_foreign(&batch(1..2).line()[..30]));
}

proptest! {
    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let reading = read(&bytes, 10);
        prop_assert_eq!(reading.image, Image::default());
        is_foreign(&bytes);
    }

    #[test]
    fn damage_anywhere_loses_no_commit_that_it_does_not_touch(
        cut in 0usize..4_000, length in 0usize..200, noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let (mut bytes, states) = file(8);
        let start = cut.min(bytes.len());
        let end = (start + length).min(bytes.len());
        let tail = bytes.len() - end;
        bytes.splice(start..end, noise);
        let image = read(&bytes, 100).image;
        for (n, (end_of_commit, _)) in states.iter().enumerate().skip(1) {
            let begin = states[n - 1].0;
            // A line is read if it and the line end before it are untouched.
            let before = *end_of_commit <= start;
            let after = begin > states[8].0 - tail;
            if before || after {
                let first = 4 + 2 * (n as u64 - 1);
                prop_assert!([first, first + 1].iter().all(|id| image.events.iter().any(|event| event.id == *id)));
            }
        }
    }
}
