//! How well the alarm system serves its operator. In: annunciations, floods, the standing alarms. Out: the measures of
//! ISA-18.2-2016, clause 16.5 (as EEMUA publication 191). Pure; its memory is 30 days of 10-minute counts, and for each
//! of these days one count for each alarm that came.
//!
//! All rates are per operator position. One Pollux is one position: it annunciates all alarms of its scene to whoever
//! sits before it. Peaks are those of fixed intervals of UTC; averages are taken over the time that was watched.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;

use super::{Alarm, Annunciation, FloodChange, State};
use crate::scene::rule::{AlarmIndex, Priority};
use crate::value::Timestamp;

/// An alarm that stays active longer than this is stale: it tells the operator nothing any more.
pub const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// The standard asks for at least 30 days.
const DAYS: i64 = 30;
const DAY: i64 = 86_400_000_000_000;
const TEN_MINUTES: i64 = 600_000_000_000;
const TENS_PER_DAY: usize = 144;
/// The most frequent alarms are listed up to this number.
const TOP: usize = 10;
/// More alarms than this in ten minutes are too many.
const TOO_MANY: u32 = 10;
/// Recommended shares of critical, high, medium and low: about 80 % low, 15 % medium, 5 % high, and less than 1 % of
/// the highest of four priorities.
const RECOMMENDED: [f64; 4] = [0.01, 0.05, 0.15, 0.80];

/// Counts what is annunciated.
#[derive(Clone, Debug)]
pub struct Statistics {
    since: Timestamp,
    /// Days on which something happened, oldest first, at most the last 30.
    days: VecDeque<Day>,
    flood_since: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Day {
    /// Since the epoch, UTC.
    number: i64,
    tens: Box<[u32; TENS_PER_DAY]>,
    alarms: BTreeMap<AlarmIndex, u32>,
    priorities: [u32; 4],
    flood_nanos: i64,
    floods: u32,
}

/// The measures over the last 30 days, or since counting began.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Performance {
    pub from: Timestamp,
    pub to: Timestamp,
    /// Annunciated alarms in this time.
    pub alarms: u64,
    /// Acceptable: 1, at most manageable: 2.
    pub per_ten_minutes: Rate,
    /// Acceptable: 6, at most manageable: 12.
    pub per_hour: Rate,
    /// Acceptable: 150, at most manageable: 300.
    pub per_day: Rate,
    /// Share of 10-minute intervals with more than 10 alarms. Should be below 1 %.
    pub share_above_ten: f64,
    pub floods: u64,
    /// Share of time in flood. Should be below 1 %.
    pub share_in_flood: f64,
    /// Active alarms, longest first; those that are shelved, suppressed or out of service are not annunciated and
    /// counted below.
    pub standing: Vec<StandingAlarm>,
    /// Of these, active for more than 24 hours. Should be fewer than 5.
    pub stale: u64,
    pub shelved: u64,
    pub suppressed: u64,
    pub out_of_service: u64,
    /// The ten most frequent alarms, and their share of all. Together they should be below 5 %.
    pub most_frequent: Vec<Frequent>,
    pub share_of_most_frequent: f64,
    /// Critical to low.
    pub priorities: [PriorityShare; 4],
    /// Should be none.
    pub chattering: Vec<AlarmIndex>,
}

/// Alarms per interval.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Rate {
    /// None before one interval has been watched: it would say little.
    pub average: Option<f64>,
    pub peak: u64,
    /// Start of the interval with the highest count; of several the first.
    pub peak_at: Option<Timestamp>,
}

/// An alarm that has been active for so long.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct StandingAlarm {
    pub alarm: AlarmIndex,
    pub since: Timestamp,
    pub secs: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Frequent {
    pub alarm: AlarmIndex,
    pub count: u64,
    /// Of all annunciated alarms.
    pub share: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct PriorityShare {
    pub priority: Priority,
    pub count: u64,
    pub share: f64,
    pub recommended: f64,
}

impl Day {
    fn new(number: i64) -> Self {
        let tens = Box::new([0; TENS_PER_DAY]);
        Self { number, tens, alarms: BTreeMap::new(), priorities: [0; 4], flood_nanos: 0, floods: 0 }
    }

    fn start(&self) -> i64 {
        self.number.saturating_mul(DAY)
    }

    fn total(&self) -> u64 {
        sum(&*self.tens)
    }
}

impl Statistics {
    /// Counting begins at `since`.
    pub fn new(since: Timestamp) -> Self {
        Self { since, days: VecDeque::new(), flood_since: None }
    }

    pub fn observe(&mut self, alarm: Annunciation, priority: Priority) {
        let time = alarm.receive_time;
        // The clock was set back by more than a day: what it said before was wrong.
        self.days.retain(|day| day.number <= number(time) + 1);
        let day = self.day(number(time));
        let ten = time.0.rem_euclid(DAY) / TEN_MINUTES;
        if let Some(count) = day.tens.get_mut(ten as usize) {
            *count += 1;
        }
        *day.alarms.entry(alarm.alarm).or_default() += 1;
        if let Some(count) = day.priorities.get_mut(priority as usize) {
            *count += 1;
        }
    }

    pub fn observe_flood(&mut self, change: &FloodChange) {
        if change.began {
            self.flood_since = Some(change.time);
            self.day(number(change.time)).floods += 1;
        } else if let Some(since) = self.flood_since.take() {
            for (number, nanos) in split(since, change.time) {
                self.day(number).flood_nanos += nanos;
            }
        }
    }

    /// Gives alarms their indices in a new scene; those that are gone still count in the rates.
    pub fn remap(&mut self, new: impl Fn(AlarmIndex) -> Option<AlarmIndex>) {
        for day in &mut self.days {
            let alarms = std::mem::take(&mut day.alarms);
            for (index, count) in alarms.into_iter().filter_map(|(index, count)| Some((new(index)?, count))) {
                *day.alarms.entry(index).or_default() += count;
            }
        }
    }

    /// A day, which is made if need be; the oldest go.
    fn day(&mut self, number: i64) -> &mut Day {
        let at = self.days.iter().rposition(|day| day.number <= number);
        let at = match at {
            Some(at) if self.days[at].number == number => at,
            at => {
                let at = at.map_or(0, |at| at + 1);
                self.days.insert(at, Day::new(number));
                at
            }
        };
        // Thirty and, at midnight, one more; reports look at the dates.
        let surplus = self.days.len().saturating_sub(DAYS as usize + 1).min(at);
        self.days.drain(..surplus);
        &mut self.days[at - surplus]
    }

    /// The measures at `now`. `alarms` are the present states, by index; `chattering` those that chatter now.
    pub fn report(
        &self,
        now: Timestamp,
        alarms: &[Alarm],
        chattering: impl IntoIterator<Item = AlarmIndex>,
    ) -> Performance {
        let today = number(now);
        let first_day = today - (DAYS - 1);
        let from = self.since.max(Timestamp(first_day.saturating_mul(DAY))).min(now);
        let days: Vec<&Day> = self.days.iter().filter(|day| (first_day..=today).contains(&day.number)).collect();
        let total: u64 = days.iter().map(|day| day.total()).sum();
        let watched = now.0.saturating_sub(from.0);
        let rate = |tens: usize| Rate { average: average(total, watched, tens), ..peak(&days, tens) };

        let mut frequent: BTreeMap<AlarmIndex, u64> = BTreeMap::new();
        for (index, count) in days.iter().flat_map(|day| &day.alarms) {
            *frequent.entry(*index).or_default() += u64::from(*count);
        }
        let share = |count: u64| if total == 0 { 0.0 } else { count as f64 / total as f64 };
        let mut frequent: Vec<_> =
            frequent.into_iter().map(|(alarm, count)| Frequent { alarm, count, share: share(count) }).collect();
        frequent.sort_by_key(|frequent| (std::cmp::Reverse(frequent.count), frequent.alarm));
        frequent.truncate(TOP);

        let intervals = now.0.div_euclid(TEN_MINUTES) - from.0.div_euclid(TEN_MINUTES) + 1;
        let above = days.iter().flat_map(|day| day.tens.iter()).filter(|count| **count > TOO_MANY).count();
        let begun = self.flood_since.map(|since| Timestamp(now.0.saturating_sub(since.max(from).0).max(0)));
        let in_flood = days.iter().map(|day| day.flood_nanos).sum::<i64>() + begun.map_or(0, |span| span.0);
        let standing = standing(alarms, now);
        let flagged = |has: fn(&Alarm) -> bool| alarms.iter().filter(|alarm| has(alarm)).count() as u64;

        Performance {
            from,
            to: now,
            alarms: total,
            per_ten_minutes: rate(1),
            per_hour: rate(6),
            per_day: rate(TENS_PER_DAY),
            share_above_ten: above as f64 / intervals as f64,
            floods: days.iter().map(|day| u64::from(day.floods)).sum(),
            share_in_flood: if watched > 0 { (in_flood as f64 / watched as f64).min(1.0) } else { 0.0 },
            stale: standing.iter().filter(|standing| standing.secs > STALE_AFTER.as_secs_f64()).count() as u64,
            standing,
            shelved: flagged(|alarm| alarm.flags.shelved.is_some()),
            suppressed: flagged(|alarm| alarm.flags.suppressed),
            out_of_service: flagged(|alarm| alarm.flags.out_of_service.is_some()),
            share_of_most_frequent: share(frequent.iter().map(|frequent| frequent.count).sum()),
            most_frequent: frequent,
            priorities: Priority::ALL.map(|priority| {
                let of_day = |day: &&Day| day.priorities.get(priority as usize).copied().unwrap_or(0);
                let count = days.iter().map(|day| u64::from(of_day(day))).sum();
                let recommended = RECOMMENDED.get(priority as usize).copied().unwrap_or(0.0);
                PriorityShare { priority, count, share: share(count), recommended }
            }),
            chattering: chattering.into_iter().collect(),
        }
    }
}

/// Active and annunciated alarms, longest first.
fn standing(alarms: &[Alarm], now: Timestamp) -> Vec<StandingAlarm> {
    let active = |alarm: &Alarm| matches!(alarm.state, State::Unacknowledged | State::Acknowledged);
    let shown = alarms.iter().zip(0..).filter(|(alarm, _)| active(alarm) && alarm.flags.is_clear());
    let mut standing: Vec<StandingAlarm> = shown
        .map(|(alarm, index)| {
            let since = alarm.raised_at.unwrap_or(alarm.since);
            StandingAlarm { alarm: AlarmIndex(index), since, secs: now.secs_since(since).max(0.0) }
        })
        .collect();
    standing.sort_by_key(|standing| (standing.since, standing.alarm));
    standing
}

fn number(time: Timestamp) -> i64 {
    time.0.div_euclid(DAY)
}

fn sum(tens: &[u32]) -> u64 {
    tens.iter().map(|count| u64::from(*count)).sum()
}

/// Per interval of so many times ten minutes.
fn average(total: u64, watched: i64, tens: usize) -> Option<f64> {
    let interval = tens as i64 * TEN_MINUTES;
    (watched >= interval).then(|| total as f64 * interval as f64 / watched as f64)
}

/// The highest count of an interval of so many times ten minutes, all of which begin with the day.
fn peak(days: &[&Day], tens: usize) -> Rate {
    let intervals = days.iter().flat_map(|day| {
        let starts = (day.start()..).step_by(tens * TEN_MINUTES as usize);
        day.tens.chunks(tens).map(sum).zip(starts)
    });
    // Of equal ones the last is the maximum: the order is turned round so that this is the first.
    let highest =
        intervals.filter(|(count, _)| *count > 0).max_by_key(|(count, start)| (*count, std::cmp::Reverse(*start)));
    Rate { average: None, peak: highest.map_or(0, |(count, _)| count), peak_at: highest.map(|(_, at)| Timestamp(at)) }
}

/// The days between two moments, each with the nanoseconds of it that lie between them; none beyond the last 30.
fn split(from: Timestamp, to: Timestamp) -> impl Iterator<Item = (i64, i64)> {
    let last = number(to);
    let first = number(from).max(last - (DAYS - 1));
    (first..=last).map(move |day| {
        let (start, end) = (day.saturating_mul(DAY), day.saturating_add(1).saturating_mul(DAY));
        (day, to.0.min(end).saturating_sub(from.0.max(start)).max(0))
    })
}

#[cfg(test)]
#[path = "statistics_tests.rs"]
mod tests;
