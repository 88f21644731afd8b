//! A value by the time of day. In: rows of times and values. Out: the value of now. Never ends: after its period it
//! begins anew.
//!
//! In steps, a row holds until the next one, and the last one until the first of the next round; or straight lines lead
//! from row to row. Rows stand in the order of their times.
//!
//! Exact at each step: its value follows from time alone.

use crate::model::quantities;
use crate::model::{Description, Given, Model, StateMut, StateRef, Table};

/// A value by the time of day, or of any other period.
#[derive(Clone, Copy, Debug)]
pub struct Schedule;

quantities! {
    pub parameters ScheduleParameters {
        /// Time after which it begins anew
        period: "s" = 86_400.0, 1.0 => 1e9, design, "a day";
        /// Time within the period at the beginning
        start: "s" = 0.0, 0.0 => 1e9, design, "midnight";
        /// Whether straight lines lead from row to row: 1, or 0 for steps
        linear: "" = 0.0, 0.0 => 1.0, design, "steps";
        /// Value where there are no rows
        otherwise: "" = 0.0, -1e12 => 1e12, design, "none";
    }
}

quantities! {
    pub states ScheduleState {
        /// Value
        value: "" = 0.0, -1e12 => 1e12;
        /// Time within the period
        time: "s" = 0.0, 0.0 => 1e9;
    }
}

quantities! {
    pub outputs ScheduleOutputs {
        /// Value
        value: "", held;
        /// Time within the period
        time: "s", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Schedule",
    is_program: true,
    about: "A value by the time of day, in steps or along lines",
    source: "none",
    step: Some(1_000_000_000),
    parameters: ScheduleParameters::ALL,
    states: ScheduleState::ALL,
    outputs: ScheduleOutputs::ALL,
    tables: &[Table { name: "rows", about: "Values by time, in order", columns: &[("time", "s"), ("value", "")] }],
    ..Description::EMPTY
};

/// The value of `rows` (time, value) at a time within the period.
fn value(rows: &[[f64; 2]], time: f64, p: &ScheduleParameters) -> f64 {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return p.otherwise };
    let after = rows.iter().position(|row| row[0] > time);
    // The row that holds now and the one that comes, with times on both sides of now.
    let (from, to) = match after {
        Some(0) => ([last[0] - p.period, last[1]], *first),
        Some(at) => (rows[at - 1], rows[at]),
        None => (*last, [first[0] + p.period, first[1]]),
    };
    let way = to[0] - from[0];
    if p.linear > 0.5 && way > 0.0 {
        from[1] + (to[1] - from[1]) * ((time - from[0]) / way).clamp(0.0, 1.0)
    } else {
        from[1]
    }
}

fn now(given: &Given<'_>) -> ScheduleState {
    let p = ScheduleParameters::of(given.parameters);
    let rows = given.tables.first().map_or(&[][..], |table| table.as_chunks::<2>().0);
    let time = (given.secs() + p.start) % p.period;
    ScheduleState { value: value(rows, time, &p), time }
}

impl Model for Schedule {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        now(given).put(state.numbers);
    }

    fn outputs(&self, _: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let s = ScheduleState::of(state.numbers);
        ScheduleOutputs { value: s.value, time: s.time }.put(out);
    }

    fn step(&self, given: &Given<'_>, _: f64, state: &mut StateMut<'_>) {
        now(given).put(state.numbers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [[f64; 2]; 3] = [[6.0, 10.0], [14.0, 20.0], [22.0, 0.0]];

    #[test]
    fn a_row_holds_until_the_next_and_the_last_through_the_night() {
        let p = ScheduleParameters { period: 24.0, start: 0.0, linear: 0.0, otherwise: 7.0 };
        for (time, wanted) in [(0.0, 0.0), (5.9, 0.0), (6.0, 10.0), (13.9, 10.0), (14.0, 20.0), (23.0, 0.0)] {
            assert_eq!(value(&ROWS, time, &p), wanted, "at {time}");
        }
        assert_eq!(value(&[], 3.0, &p), 7.0);
    }

    #[test]
    fn lines_lead_from_row_to_row_and_over_the_end_of_the_period() {
        let p = ScheduleParameters { period: 24.0, start: 0.0, linear: 1.0, otherwise: 0.0 };
        for (time, wanted) in [(6.0, 10.0), (10.0, 15.0), (18.0, 10.0), (22.0, 0.0), (2.0, 5.0)] {
            assert!((value(&ROWS, time, &p) - wanted).abs() < 1e-12, "at {time}");
        }
    }
}
