//! Tells which moment a clock on a wall meant. In: local times in the order of their rows, a zone. Out: moments. Never
//! guesses where the clock showed the same hour twice: the order of rows tells it, or the time is refused.

use jiff::Span;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::time::zoned;
use crate::value::Timestamp;

pub(super) struct Wall {
    zone: TimeZone,
    /// Whether rows go up in time, down (-1) or neither.
    way: i8,
    /// The last local time, if it was one of those that come twice.
    last: Option<DateTime>,
    is_second: bool,
}

impl Wall {
    pub fn new(zone: TimeZone, way: i8) -> Self {
        Self { zone, way, last: None, is_second: way < 0 }
    }

    pub fn moment(&mut self, local: DateTime) -> Result<Timestamp, String> {
        let offset = match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                (self.last, self.is_second) = (None, self.way < 0);
                offset
            }
            AmbiguousOffset::Gap { .. } => {
                return Err(format!("the time {local} was skipped when summer time began, in the zone of --zone"));
            }
            AmbiguousOffset::Fold { before, after } => {
                // Rows that are a little late do not begin the hour anew.
                let some = Span::new().minutes(10);
                match (self.way, self.last) {
                    (0, _) => {
                        return Err(format!(
                            "the time {local} came twice when summer time ended, and the order of rows does not tell \
                             which it is: write its offset, such as {local}{before}"
                        ));
                    }
                    (1, Some(last)) if local.checked_add(some).is_ok_and(|local| local < last) => self.is_second = true,
                    (-1, Some(last)) if last.checked_add(some).is_ok_and(|last| last < local) => self.is_second = false,
                    _ => {}
                }
                self.last = Some(local);
                if self.is_second { after } else { before }
            }
        };
        zoned(local, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Central Europe, without the system's data.
    fn moments(way: i8, locals: &[&str]) -> Vec<String> {
        let mut wall = Wall::new(TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone"), way);
        let moment = |local: &&str| wall.moment(local.parse().expect("a time"));
        locals.iter().map(moment).map(|one| one.map_or_else(|_| "refused".to_owned(), |at| at.to_string())).collect()
    }

    #[test]
    fn the_order_of_rows_tells_the_hours_apart() {
        let up = ["2026-10-25T01:59:59", "2026-10-25T02:59:59", "2026-10-25T02:00:00", "2026-10-25T03:00:00"];
        let expected = ["2026-10-24T23:59:59Z", "2026-10-25T00:59:59Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"];
        assert_eq!(moments(1, &up), expected);
        let reversed = |times: &[&'static str]| times.iter().rev().copied().collect::<Vec<_>>();
        assert_eq!(moments(-1, &reversed(&up)), reversed(&expected));
        assert_eq!(moments(0, &["2026-10-25T02:30:00", "2026-10-25T12:00:00"]), ["refused", "2026-10-25T11:00:00Z"]);
        assert_eq!(moments(1, &["2026-03-29T02:30:00"]), ["refused"], "no clock showed it");
    }
}
