use super::*;
use proptest::prelude::*;

fn at(secs: i64) -> Timestamp {
    Timestamp(secs * 1_000_000_000)
}

fn alarm(index: u32, source: i64, receive: i64) -> Annunciation {
    Annunciation { alarm: AlarmIndex(index), source_time: at(source), receive_time: at(receive) }
}

fn feed(watch: &mut ChatterWatch, seconds: &[i64]) -> Vec<(bool, i64)> {
    let changes = seconds.iter().flat_map(|secs| watch.observe(alarm(0, *secs, *secs)));
    changes.map(|change| (change.began, change.time.0 / 1_000_000_000)).collect()
}

#[test]
fn three_activations_in_a_minute_are_chattering_and_in_a_full_minute_are_not() {
    assert_eq!(feed(&mut ChatterWatch::default(), &[0, 30, 59]), [(true, 59)]);
    assert_eq!(feed(&mut ChatterWatch::default(), &[0, 30, 60]), []);
    assert_eq!(feed(&mut ChatterWatch::default(), &[0, 30, 60, 80]), [(true, 80)]);
}

#[test]
fn chattering_ends_a_minute_after_the_last_activation() {
    let mut watch = ChatterWatch::default();
    feed(&mut watch, &[0, 10, 20]);
    assert_eq!(watch.chattering().collect::<Vec<_>>(), [AlarmIndex(0)]);
    assert_eq!(watch.elapse(at(79)), []);
    let ended = ChatterChange { alarm: AlarmIndex(0), began: false, time: at(80), known: at(95) };
    assert_eq!(watch.elapse(at(95)), [ended]);
    assert_eq!(watch.elapse(at(200)), []);
    assert_eq!(feed(&mut watch, &[300, 310, 320]), [(true, 320)]);
}

#[test]
fn alarms_chatter_each_for_itself() {
    let mut watch = ChatterWatch::default();
    let changes = (0..6).flat_map(|n| watch.observe(alarm(n % 3, i64::from(n), i64::from(n))));
    assert_eq!(changes.collect::<Vec<_>>(), []);
    let third = watch.observe(alarm(1, 8, 8));
    assert_eq!(third.iter().map(|change| (change.alarm, change.began)).collect::<Vec<_>>(), [(AlarmIndex(1), true)]);
}

#[test]
fn an_hour_that_a_gateway_delivers_at_once_is_no_chattering() {
    let mut watch = ChatterWatch::default();
    let changes = (0..6).flat_map(|n| watch.observe(alarm(0, n * 600, 4_000)));
    assert_eq!(changes.collect::<Vec<_>>(), []);
}

#[test]
fn chattering_goes_on_over_a_reload_and_a_clock_set_back_ends_it() {
    let mut watch = ChatterWatch::default();
    feed(&mut watch, &[5_000, 5_010, 5_020]);
    watch.remap(|index| Some(AlarmIndex(index.0 + 7)));
    assert_eq!(watch.chattering().collect::<Vec<_>>(), [AlarmIndex(7)]);
    let ended = watch.elapse(at(1_000));
    assert_eq!(ended.iter().map(|change| (change.alarm, change.began)).collect::<Vec<_>>(), [(AlarmIndex(7), false)]);
    watch.remap(|_| None);
    assert_eq!(watch.chattering().count(), 0);
}

#[test]
fn alarms_at_rest_take_no_memory() {
    let mut watch = ChatterWatch::default();
    for n in 0..100_000 {
        watch.observe(alarm(n, i64::from(n), i64::from(n)));
    }
    assert!(watch.alarms.len() < 300, "{}", watch.alarms.len());
}

proptest! {
    #[test]
    fn chattering_is_that_of_the_definition_however_often_one_asks(
        gaps in prop::collection::vec((0u32..3, prop_oneof![0i64..10, 0i64..40, 40i64..90]), 0..120),
        beat in 1i64..50,
    ) {
        let mut now = 0;
        let alarms: Vec<_> = gaps.into_iter().map(|(index, gap)| { now += gap; (index, now) }).collect();
        let last = now + 100;
        let mut expected = Vec::new();
        for index in 0..3 {
            let times: Vec<i64> = alarms.iter().filter(|(of, _)| *of == index).map(|(_, time)| *time).collect();
            let mut chatters = false;
            for (n, time) in times.iter().enumerate() {
                if !chatters && n >= 2 && time - times[n - 2] < 60 {
                    chatters = true;
                    expected.push((index, true, *time));
                }
                if chatters && times.get(n + 1).is_none_or(|next| next - time >= 60) {
                    chatters = false;
                    expected.push((index, false, time + 60));
                }
            }
        }
        expected.sort_by_key(|(index, began, time)| (*index, *time, *began));
        for beat in [None, Some(beat)] {
            let mut watch = ChatterWatch::default();
            let mut found = Vec::new();
            let mut next = alarms.iter().peekable();
            for now in 0..=last {
                if beat.is_some_and(|beat| now % beat == 0) {
                    found.extend(watch.elapse(at(now)));
                }
                while let Some((index, time)) = next.next_if(|(_, time)| *time == now) {
                    found.extend(watch.observe(alarm(*index, *time, *time)));
                }
            }
            found.extend(watch.elapse(at(last)));
            let plain = |change: &ChatterChange| (change.alarm.0, change.began, change.time.0 / 1_000_000_000);
            let mut found: Vec<_> = found.iter().map(plain).collect();
            found.sort_by_key(|(index, began, time)| (*index, *time, *began));
            prop_assert_eq!(&found, &expected);
        }
    }
}
