use super::*;
use proptest::prelude::*;

fn at(secs: i64) -> Timestamp {
    Timestamp(secs * 1_000_000_000)
}

fn alarm(index: u32, source: i64, receive: i64) -> Annunciation {
    Annunciation { alarm: AlarmIndex(index), source_time: at(source), receive_time: at(receive) }
}

/// Feeds annunciations that come at these seconds, numbered from 0.
fn feed(watch: &mut FloodWatch, seconds: impl IntoIterator<Item = i64>) -> Vec<FloodChange> {
    seconds.into_iter().zip(0..).flat_map(|(secs, index)| watch.observe(alarm(index, secs, secs))).collect()
}

#[test]
fn ten_alarms_in_ten_minutes_are_no_flood_and_eleven_are() {
    let mut watch = FloodWatch::default();
    assert_eq!(feed(&mut watch, 0..10), []);
    let began = FloodChange { began: true, time: at(10), known: at(10), alarms: 11, first: Some(AlarmIndex(0)) };
    assert_eq!(watch.observe(alarm(10, 10, 10)).collect::<Vec<_>>(), [began]);
    assert_eq!(watch.flood().map(|flood| flood.since), Some(at(10)));
}

#[test]
fn eleven_alarms_in_ten_minutes_and_a_little_are_no_flood() {
    assert_eq!(feed(&mut FloodWatch::default(), (0..11).map(|n| n * 60)), []);
    assert_eq!(feed(&mut FloodWatch::default(), (0..11).map(|n| n * 60 - i64::from(n == 10))).len(), 1);
}

#[test]
fn a_flood_across_the_border_of_two_intervals_is_found() {
    assert_eq!(feed(&mut FloodWatch::default(), 595..606).len(), 1);
}

#[test]
fn a_flood_ends_when_the_fifth_latest_alarm_is_ten_minutes_old() {
    let mut watch = FloodWatch::default();
    feed(&mut watch, 0..11);
    assert_eq!(watch.elapse(at(605)), None, "five alarms lie in the ten minutes before");
    let ended = FloodChange { began: false, time: at(606), known: at(700), alarms: 11, first: Some(AlarmIndex(0)) };
    assert_eq!(watch.elapse(at(700)), Some(ended));
    assert_eq!(watch.elapse(at(800)), None);
    assert_eq!(watch.flood(), None);
}

#[test]
fn the_first_up_is_the_alarm_that_happened_first_though_it_arrived_later() {
    let mut watch = FloodWatch::default();
    let mut alarms: Vec<_> = (0..11).map(|n| alarm(n, 100 + i64::from(n), 200 + i64::from(n))).collect();
    alarms[7].source_time = at(90);
    alarms[9].source_time = at(90);
    let changes: Vec<_> = alarms.into_iter().flat_map(|alarm| watch.observe(alarm)).collect();
    assert_eq!(changes.iter().map(|change| change.first).collect::<Vec<_>>(), [Some(AlarmIndex(7))]);
}

#[test]
fn the_first_up_keeps_its_mark_over_a_reload_unless_it_is_gone() {
    let mut watch = FloodWatch::default();
    feed(&mut watch, 0..11);
    watch.remap(|index| Some(AlarmIndex(index.0 + 100)));
    assert_eq!(watch.flood().unwrap().first, Some(AlarmIndex(100)));
    watch.remap(|index| (index.0 != 100).then_some(index));
    assert_eq!(watch.flood().map(|flood| (flood.alarms, flood.first)), Some((11, None)));
    assert_eq!(watch.elapse(at(606)).map(|change| change.began), Some(false));
}

#[test]
fn a_clock_that_was_set_back_by_an_hour_ends_a_flood_and_makes_none() {
    let mut watch = FloodWatch::default();
    feed(&mut watch, 10_000..10_011);
    assert_eq!(watch.elapse(at(6_000)).map(|change| change.time), Some(at(6_000)));
    assert_eq!(feed(&mut watch, (0..20).map(|n| 6_000 + 120 * n)), []);
}

/// What the definition says, at every second: how many came in the ten minutes up to it.
fn oracle(times: &[i64], last: i64) -> Vec<(bool, i64)> {
    let mut changes = Vec::new();
    let mut flood = false;
    for now in 0..=last {
        // Those of one second come one after the other.
        let count_before = times.iter().filter(|t| **t > now - 600 && **t < now).count();
        let here = times.iter().filter(|t| **t == now).count();
        if flood && count_before < 5 {
            flood = false;
            changes.push((false, now));
        }
        if !flood && here > 0 && count_before + here > 10 {
            flood = true;
            changes.push((true, now));
        }
    }
    changes
}

proptest! {
    #[test]
    fn floods_are_those_of_the_definition_however_often_one_asks(
        gaps in prop::collection::vec(prop_oneof![0i64..20, 0i64..200, 200i64..900], 0..80),
        beat in 1i64..50,
    ) {
        let mut now = 0;
        let times: Vec<i64> = gaps.into_iter().map(|gap| { now += gap; now }).collect();
        let last = now + 700;
        let expected = oracle(&times, last);
        let run = |beat: Option<i64>| {
            let mut watch = FloodWatch::default();
            let mut found = Vec::new();
            let mut next = times.iter().peekable();
            for now in 0..=last {
                if beat.is_some_and(|beat| now % beat == 0) {
                    found.extend(watch.elapse(at(now)));
                }
                while next.next_if(|time| **time == now).is_some() {
                    found.extend(watch.observe(alarm(0, now, now)));
                }
            }
            found.extend(watch.elapse(at(last)));
            found.into_iter().map(|change| (change.began, change.time.0 / 1_000_000_000)).collect::<Vec<_>>()
        };
        prop_assert_eq!(&run(None), &expected);
        prop_assert_eq!(&run(Some(beat)), &expected);
    }
}
