use super::*;
use crate::alarm::{Deed, Flags, FloodWatch};
use proptest::prelude::*;

const HOUR: i64 = 3_600;
const DAY_SECS: i64 = 24 * HOUR;

fn at(secs: i64) -> Timestamp {
    Timestamp(secs * 1_000_000_000)
}

fn seen(index: u32, secs: i64) -> Annunciation {
    Annunciation { alarm: AlarmIndex(index), source_time: at(secs), receive_time: at(secs) }
}

fn report(statistics: &Statistics, secs: i64) -> Performance {
    statistics.report(at(secs), &[], [])
}

#[test]
fn rates_are_averages_over_the_watched_time_and_peaks_of_fixed_intervals() {
    let mut statistics = Statistics::new(at(0));
    // 3 in the first ten minutes, 5 in the fourth, 2 in the second hour.
    for secs in [0, 1, 599, 1_800, 1_801, 1_802, 1_803, 2_399, 4_000, 7_199] {
        statistics.observe(seen(1, secs), Priority::Low);
    }
    let report = report(&statistics, 4 * HOUR);
    assert_eq!(report.alarms, 10);
    let rate = |average: Option<f64>, peak, secs| Rate { average, peak, peak_at: Some(at(secs)) };
    assert_eq!(report.per_ten_minutes, rate(Some(10.0 / 24.0), 5, 1_800));
    assert_eq!(report.per_hour, rate(Some(2.5), 8, 0));
    assert_eq!(report.per_day, rate(None, 10, 0), "no day has been watched yet");
    assert_eq!(report.share_above_ten, 0.0);
}

#[test]
fn an_average_is_not_made_up_from_less_than_one_interval() {
    let mut statistics = Statistics::new(at(0));
    statistics.observe(seen(1, 1), Priority::Low);
    let early = report(&statistics, 2);
    assert_eq!((early.per_ten_minutes.average, early.per_ten_minutes.peak), (None, 1));
    assert_eq!(report(&statistics, 600).per_ten_minutes.average, Some(1.0));
}

#[test]
fn only_the_last_thirty_days_count() {
    let mut statistics = Statistics::new(at(0));
    for day in 0..100 {
        statistics.observe(seen(day as u32, day * DAY_SECS), Priority::Low);
    }
    let last = report(&statistics, 99 * DAY_SECS + 1);
    assert_eq!((last.alarms, last.from), (30, at(70 * DAY_SECS)));
    assert!(statistics.days.len() <= 31);
    assert_eq!(report(&statistics, 200 * DAY_SECS).alarms, 0);
}

#[test]
fn the_time_in_flood_is_shared_out_over_days() {
    let mut statistics = Statistics::new(at(0));
    let change = |began, secs| FloodChange { began, time: at(secs), known: at(secs), alarms: 11, first: None };
    statistics.observe_flood(&change(true, DAY_SECS - 600));
    let during = report(&statistics, DAY_SECS);
    assert_eq!((during.floods, during.share_in_flood), (1, 600.0 / DAY_SECS as f64));
    statistics.observe_flood(&change(false, DAY_SECS + 1_200));
    let after = report(&statistics, 2 * DAY_SECS);
    assert_eq!((after.floods, after.share_in_flood), (1, 1_800.0 / (2.0 * DAY_SECS as f64)));
    // The day of its beginning is out of the window, the rest of it is in.
    let later = report(&statistics, 31 * DAY_SECS - 1);
    assert_eq!(later.floods, 0);
    assert!((later.share_in_flood * (30 * DAY_SECS - 1) as f64 - 1_200.0).abs() < 1e-6);
}

#[test]
fn the_most_frequent_alarms_come_with_their_share_and_equal_ones_by_index() {
    let mut statistics = Statistics::new(at(0));
    for (index, count) in [(7, 6), (3, 2), (5, 2)] {
        (0..count).for_each(|n| statistics.observe(seen(index, n), Priority::Low));
    }
    let report = report(&statistics, HOUR);
    let list: Vec<_> = report.most_frequent.iter().map(|f| (f.alarm.0, f.count, f.share)).collect();
    assert_eq!(list, [(7, 6, 0.6), (3, 2, 0.2), (5, 2, 0.2)]);
    assert_eq!(report.share_of_most_frequent, 1.0);
}

#[test]
fn at_most_ten_of_the_most_frequent_are_listed() {
    let mut statistics = Statistics::new(at(0));
    (0..20).for_each(|index| statistics.observe(seen(index, 0), Priority::Low));
    let report = report(&statistics, HOUR);
    assert_eq!((report.most_frequent.len(), report.share_of_most_frequent), (10, 0.5));
}

#[test]
fn priorities_are_compared_with_what_the_standard_recommends() {
    let mut statistics = Statistics::new(at(0));
    for (priority, count) in Priority::ALL.into_iter().zip([1, 4, 15, 80]) {
        (0..count).for_each(|n| statistics.observe(seen(1, n), priority));
    }
    let shares = report(&statistics, HOUR).priorities.map(|p| (p.priority, p.count, p.share, p.recommended));
    let expected = [
        (Priority::Critical, 1, 0.01, 0.01),
        (Priority::High, 4, 0.04, 0.05),
        (Priority::Medium, 15, 0.15, 0.15),
        (Priority::Low, 80, 0.80, 0.80),
    ];
    assert_eq!(shares, expected);
}

#[test]
fn standing_alarms_are_active_and_annunciated_and_stale_after_a_day() {
    let alarm = |state, raised: i64, flags| Alarm { state, raised_at: Some(at(raised)), flags, ..Alarm::default() };
    let deed = Deed { by: "Ada".into(), at: at(0), comment: String::new() };
    let suppressed = Flags { suppressed: true, ..Flags::default() };
    let out = Flags { out_of_service: Some(deed), ..Flags::default() };
    let alarms = [
        alarm(State::Normal, 0, Flags::default()),
        alarm(State::Acknowledged, DAY_SECS, Flags::default()),
        alarm(State::Unacknowledged, 10, Flags::default()),
        alarm(State::Unacknowledged, 0, suppressed),
        alarm(State::LatchedUnacknowledged, 0, out),
        alarm(State::Unacknowledged, HOUR, Flags::default()),
    ];
    let now = DAY_SECS + HOUR;
    let report = Statistics::new(at(0)).report(at(now), &alarms, [AlarmIndex(2)]);
    let list: Vec<_> = report.standing.iter().map(|s| (s.alarm.0, s.secs)).collect();
    assert_eq!(list, [(2, (now - 10) as f64), (5, DAY_SECS as f64), (1, HOUR as f64)]);
    assert_eq!(report.stale, 1, "a day to the second is not stale yet");
    assert_eq!((report.shelved, report.suppressed, report.out_of_service), (0, 1, 1));
    assert_eq!(report.chattering, [AlarmIndex(2)]);
}

#[test]
fn rates_survive_a_reload_and_alarms_that_are_gone_leave_the_list() {
    let mut statistics = Statistics::new(at(0));
    (0..4).for_each(|index| statistics.observe(seen(index, 0), Priority::High));
    statistics.remap(|index| index.0.checked_sub(2).map(AlarmIndex));
    let report = report(&statistics, HOUR);
    assert_eq!((report.alarms, report.priorities[1].count), (4, 4));
    assert_eq!(report.most_frequent.iter().map(|f| f.alarm.0).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_clock_that_ran_years_ahead_and_was_corrected_spoils_nothing() {
    let mut statistics = Statistics::new(at(0));
    (0..40).for_each(|day| statistics.observe(seen(1, 10_000 * DAY_SECS + day * DAY_SECS), Priority::Low));
    (0..5).for_each(|n| statistics.observe(seen(2, 100 * DAY_SECS + n), Priority::Low));
    let report = report(&statistics, 100 * DAY_SECS + HOUR);
    assert_eq!((report.alarms, report.most_frequent[0].alarm.0), (5, 2));
}

proptest! {
    #[test]
    fn the_measures_are_those_of_a_recount(
        start in 0i64..(2 * DAY_SECS),
        gaps in prop::collection::vec(
            (0u32..15, 0usize..4, prop_oneof![0i64..100, 0i64..5_000, 0i64..300_000]), 1..150,
        ),
        rest in 0i64..200_000,
    ) {
        let mut statistics = Statistics::new(at(start));
        let mut flood = FloodWatch::default();
        let (mut now, mut all, mut floods) = (start, Vec::new(), Vec::new());
        for (index, priority, gap) in gaps {
            now += gap;
            let alarm = seen(index, now);
            floods.extend(flood.observe(alarm));
            all.push((index, priority, now));
            statistics.observe(alarm, Priority::ALL[priority]);
        }
        now += rest;
        floods.extend(flood.elapse(at(now)));
        floods.iter().for_each(|change| statistics.observe_flood(change));
        let report = report(&statistics, now);

        let from = start.max((now / DAY_SECS - 29) * DAY_SECS);
        let window: Vec<_> = all.iter().filter(|(_, _, secs)| *secs >= (now / DAY_SECS - 29) * DAY_SECS).collect();
        prop_assert_eq!(report.from, at(from));
        prop_assert_eq!(report.alarms, window.len() as u64);
        for (rate, length) in [(report.per_ten_minutes, 600), (report.per_hour, HOUR), (report.per_day, DAY_SECS)] {
            let mut counts = BTreeMap::new();
            window.iter().for_each(|(_, _, secs)| *counts.entry(secs / length).or_insert(0u64) += 1);
            let peak = counts.values().copied().max().unwrap_or(0);
            let peak_at = counts.iter().find(|(_, count)| **count == peak).map(|(at_, _)| at(at_ * length));
            prop_assert_eq!((rate.peak, rate.peak_at), (peak, peak_at));
            let average = (now - from >= length).then(|| window.len() as f64 * length as f64 / (now - from) as f64);
            prop_assert!(rate.average.is_some() == average.is_some());
            prop_assert!((rate.average.unwrap_or(0.0) - average.unwrap_or(0.0)).abs() < 1e-9);
        }
        let intervals = (from / 600..=now / 600).map(|n| window.iter().filter(|(_, _, secs)| secs / 600 == n).count());
        let above: Vec<_> = intervals.map(|count| count > 10).collect();
        let share = above.iter().filter(|above| **above).count() as f64 / above.len() as f64;
        prop_assert!((report.share_above_ten - share).abs() < 1e-12);

        let (mut since, mut in_flood) = (None, 0);
        for change in &floods {
            let secs = (change.time.0 / 1_000_000_000).max(from);
            if change.began { since = Some(secs) } else { in_flood += secs - since.take().unwrap() }
        }
        in_flood += since.map_or(0, |since| now - since);
        let share = if now > from { in_flood as f64 / (now - from) as f64 } else { 0.0 };
        prop_assert!((report.share_in_flood - share).abs() < 1e-9, "{} {}", report.share_in_flood, share);

        for priority in 0..4 {
            let count = window.iter().filter(|(_, of, _)| *of == priority).count();
            prop_assert_eq!(report.priorities[priority].count, count as u64);
        }
        let count = |index: u32| window.iter().filter(|(of, ..)| *of == index).count() as u64;
        let mut counts: Vec<_> = (0..15u32).map(|index| (count(index), index)).collect();
        counts.retain(|(count, _)| *count > 0);
        counts.sort_by_key(|(count, index)| (std::cmp::Reverse(*count), *index));
        counts.truncate(10);
        let found: Vec<_> = report.most_frequent.iter().map(|f| (f.count, f.alarm.0)).collect();
        prop_assert_eq!(found, counts);
    }
}
