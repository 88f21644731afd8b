//! Finds in which order the rows of a table stand. In: their times as they are written, one after the other. Out: a
//! [`Verdict`]. Never holds the rows: a few numbers, and rows that lie far out.

use std::collections::{HashMap, HashSet};

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;
/// Rows in a line that may be far out; more are a new time.
const FAR_ROWS: usize = 100;
/// Between the ends of two summers, at least.
const SUMMERS_APART: i64 = 200 * DAY;

/// A row, as its order is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct RowTime {
    /// Counts rows.
    pub number: u64,
    pub line: u64,
    /// As if clocks on walls showed UTC.
    pub at: i64,
    /// By such a clock: the same hour may come twice.
    pub is_local: bool,
    /// What its value is of, where a row is a value.
    pub series: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Ascending,
    Descending,
    Unsorted,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Verdict {
    pub class: Class,
    /// Whether time goes one way, apart from hours that come twice: -1 for down, 0 if neither.
    pub way: i8,
    /// The numbers of rows far out.
    pub aside: HashSet<u64>,
    /// The line where an hour comes again.
    pub repeated: Option<u64>,
    /// Rows before the one above them.
    pub late: u64,
    /// The first time of all that are not far out.
    pub earliest: Option<i64>,
}

#[derive(Default)]
pub(super) struct Order {
    rows: u64,
    last: Option<i64>,
    ups: u64,
    downs: u64,
    main: Main,
    /// Rows in a line that are far from the last one, not known yet to be out or a new time.
    far: Vec<RowTime>,
    /// Rows that were far out, and whose successors were back.
    out: Vec<RowTime>,
}

/// The rows without those far out.
#[derive(Default)]
struct Main {
    rows: u64,
    last: Option<i64>,
    least: i64,
    most: i64,
    ups: u64,
    downs: u64,
    is_local: bool,
    up: Track,
    down: Track,
}

impl Order {
    pub fn add(&mut self, place: RowTime) {
        self.rows += 1;
        let last = self.last.replace(place.at);
        self.ups += u64::from(last.is_some_and(|last| place.at > last));
        self.downs += u64::from(last.is_some_and(|last| place.at < last));
        let is_far = self.main.last.is_some_and(|last| place.at.abs_diff(last) > DAY as u64);
        match (self.far.is_empty(), is_far) {
            (true, false) => self.main.add(place),
            (false, false) => {
                self.out.append(&mut self.far);
                self.main.add(place);
            }
            (_, true) => {
                self.far.push(place);
                if self.far.len() > FAR_ROWS {
                    self.far.drain(..).for_each(|place| self.main.add(place));
                }
            }
        }
        // More than a few are no rows with a wrong clock.
        if self.out.len() > 10 * FAR_ROWS {
            self.out.drain(..).for_each(|place| self.main.add(place));
        }
    }

    pub fn verdict(mut self) -> Verdict {
        self.far.drain(..).for_each(|place| self.main.add(place));
        let main = &self.main;
        let span = main.most.saturating_sub(main.least);
        let distance = span.saturating_mul(4).max(DAY);
        let is_out = |place: &RowTime| {
            place.at < main.least.saturating_sub(distance) || place.at > main.most.saturating_add(distance)
        };
        let is_steady = main.ups.min(main.downs) * 10 <= main.rows && main.rows >= 3;
        let are_few = self.out.len() as u64 * 10 <= self.rows.max(10);
        let aside: HashSet<u64> = match is_steady && are_few {
            true => self.out.iter().filter(|place| is_out(place)).map(|place| place.number).collect(),
            false => HashSet::new(),
        };
        let are_aside = aside.len() == self.out.len();
        let class = match (main.ups, main.downs) {
            _ if self.downs == 0 => Class::Ascending,
            _ if self.ups == 0 => Class::Descending,
            (_, 0) if are_aside => Class::Ascending,
            (0, _) if are_aside => Class::Descending,
            _ => Class::Unsorted,
        };
        let (up, down) = (std::mem::take(&mut self.main.up).end(), std::mem::take(&mut self.main.down).end());
        let main = &self.main;
        let (way, hours) = match (class, up, down) {
            (Class::Ascending, ..) => (1, Vec::new()),
            (Class::Descending, ..) => (-1, Vec::new()),
            (Class::Unsorted, Some(hours), _) if are_aside && main.ups >= main.downs => (1, hours),
            (Class::Unsorted, _, Some(hours)) if are_aside && main.ups < main.downs => (-1, hours),
            (Class::Unsorted, ..) => (0, Vec::new()),
        };
        let are_apart = hours.windows(2).all(|pair| pair[0].1.abs_diff(pair[1].1) > SUMMERS_APART as u64);
        let repeated = hours.first().map(|(line, _)| *line).filter(|_| self.main.is_local && are_apart);
        let earliest = main.last.map(|_| main.least);
        Verdict { class, way, aside, repeated, late: self.downs, earliest }
    }
}

impl Main {
    fn add(&mut self, place: RowTime) {
        let at = place.at;
        match self.last {
            None => (self.least, self.most, self.is_local) = (at, at, place.is_local),
            Some(last) => {
                (self.least, self.most) = (self.least.min(at), self.most.max(at));
                self.is_local &= place.is_local;
                self.ups += u64::from(at > last);
                self.downs += u64::from(at < last);
            }
        }
        self.rows += 1;
        self.last = Some(at);
        self.up.add(at, place);
        self.down.add(at.saturating_neg(), place);
    }
}

/// Looks for lasting steps back of an hour or a part of it, in times that go up but for them.
#[derive(Default)]
struct Track {
    last: Option<i64>,
    /// The step before.
    step: i64,
    /// The newest of each series.
    series: HashMap<u64, i64>,
    pending: Option<Step>,
    /// Lines and times of hours that come again.
    hours: Vec<(u64, i64)>,
    /// Steps back that are something else.
    others: u64,
}

/// A step back that may last.
struct Step {
    line: u64,
    top: i64,
    from: i64,
    newest: i64,
    /// The step before it.
    step: i64,
}

impl Track {
    fn add(&mut self, at: i64, place: RowTime) {
        let last = self.last.replace(at).unwrap_or(at);
        let own = self.series.insert(place.series, at);
        if self.series.len() > 100_000 {
            self.series.clear();
        }
        if let Some(step) = &mut self.pending {
            if at > step.top {
                let lasts = (step.newest - step.from) * 2 >= step.top - step.from || at - step.newest <= step.step;
                match lasts {
                    true => self.hours.push((step.line, step.from)),
                    false => self.others += 1,
                }
                self.pending = None;
            } else {
                step.newest = step.newest.max(at);
            }
        }
        let back = last.saturating_sub(at);
        if back >= 20 * MINUTE {
            let own_back = own.map_or(0, |own| own.saturating_sub(at));
            let is_hour = (20 * MINUTE..=60 * MINUTE).contains(&own_back) && back <= 60 * MINUTE;
            match is_hour && self.pending.is_none() {
                true => {
                    self.pending = Some(Step { line: place.line, top: last, from: at, newest: at, step: self.step });
                }
                false => self.others += 1,
            }
        }
        if at > last {
            self.step = at - last;
        }
    }

    /// None where times do not go up.
    fn end(mut self) -> Option<Vec<(u64, i64)>> {
        if let Some(step) = self.pending.take() {
            match step.newest > step.from {
                true => self.hours.push((step.line, step.from)),
                false => self.others += 1,
            }
        }
        (self.others == 0).then_some(self.hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(minutes: &[i64], is_local: bool) -> Verdict {
        let mut order = Order::default();
        for (number, at) in (0..).zip(minutes) {
            order.add(RowTime { number, line: number + 2, at: at * MINUTE, is_local, series: 0 });
        }
        order.verdict()
    }

    #[test]
    fn the_order_of_rows_is_known() {
        assert_eq!(verdict(&[1, 2, 2, 3], true).class, Class::Ascending);
        assert_eq!(verdict(&[3, 2, 2, 1], true).class, Class::Descending);
        let late = verdict(&[1, 2, 4, 3, 5, 6], true);
        assert_eq!((late.class, late.late, late.repeated), (Class::Unsorted, 1, None));
    }

    #[test]
    fn an_hour_that_comes_twice_is_found() {
        let twice = [120, 130, 140, 150, 160, 170, 120, 130, 140, 150, 160, 170, 180, 190];
        assert_eq!(verdict(&twice, true).repeated, Some(8));
        assert_eq!(verdict(&twice, false).repeated, None, "their offsets tell the hours apart");
        let down: Vec<i64> = twice.iter().rev().copied().collect();
        let down = verdict(&down, true);
        assert_eq!((down.repeated.is_some(), down.way), (true, -1));
        assert_eq!(verdict(&[120, 150, 120, 150, 180], true).repeated, Some(4), "with a row in half an hour");
        assert_eq!(verdict(&[120, 150, 150, 125, 135], true).repeated, Some(5), "to the end of the table");
    }

    #[test]
    fn a_late_row_is_no_hour_that_comes_twice() {
        assert_eq!(verdict(&[100, 101, 102, 62, 103, 104], true).repeated, None);
        assert_eq!(verdict(&[100, 101, 102, 103, 62], true).repeated, None);
        assert_eq!(verdict(&[100, 200, 50, 150, 250], true).repeated, None);
    }

    #[test]
    fn a_table_tag_by_tag_is_no_hour_that_comes_twice() {
        let mut order = Order::default();
        for number in 0..100_u64 {
            let (series, minute) = (number / 50, number as i64 % 50);
            order.add(RowTime { number, line: number + 2, at: minute * MINUTE, is_local: true, series });
        }
        let verdict = order.verdict();
        assert_eq!((verdict.class, verdict.repeated), (Class::Unsorted, None));
    }

    #[test]
    fn a_row_far_out_and_back_is_set_aside() {
        let year = 366 * 24 * 60;
        let wild = verdict(&[year, year + 1, 0, year + 2, year + 3], false);
        assert_eq!((wild.class, wild.aside), (Class::Ascending, HashSet::from([2])));
        let wild = verdict(&[3, 2, year, 1, 0], false);
        assert_eq!((wild.class, wild.aside), (Class::Descending, HashSet::from([2])));
        let weeks = verdict(&[0, 10_000, 20_000, 30_000], false);
        assert_eq!((weeks.class, weeks.aside.len()), (Class::Ascending, 0));
        let begins = verdict(&[0, year, year + 1, year + 2], false);
        assert_eq!((begins.class, begins.aside.len()), (Class::Ascending, 0), "nothing comes back");
    }
}
