//! Values that hold until the next one. In: rows of times and values. Out: the value of now. Where it has a period it
//! begins anew after it; else the last value stays. Rows stand in the order of their times.
//!
//! Exact at each step: its value follows from time alone.

use crate::model::quantities;
use crate::model::{Description, Given, Model, StateMut, StateRef, Table};

/// Values from a table, each until the next.
#[derive(Clone, Copy, Debug)]
pub struct Steps;

quantities! {
    pub parameters StepsParameters {
        /// Value before the first row
        start: "" = 0.0, -1e12 => 1e12, design, "none";
        /// Time after which it begins anew; 0 for never
        period: "s" = 0.0, 0.0 => 1e9, design, "never";
        /// Whether straight lines lead from row to row: 1, or 0 for steps
        linear: "" = 0.0, 0.0 => 1.0, design, "steps";
    }
}

quantities! {
    pub states StepsState {
        /// Value
        value: "" = 0.0, -1e15 => 1e15;
    }
}

quantities! {
    pub outputs StepsOutputs {
        /// Value
        value: "", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Steps",
    is_program: true,
    about: "Values from a table, each until the next",
    source: "none",
    step: Some(100_000_000),
    parameters: StepsParameters::ALL,
    states: StepsState::ALL,
    outputs: StepsOutputs::ALL,
    tables: &[Table { name: "rows", about: "Values by time, in order", columns: &[("time", "s"), ("value", "")] }],
    ..Description::EMPTY
};

/// The value of `rows` (time, value).
fn value(rows: &[[f64; 2]], secs: f64, p: &StepsParameters) -> f64 {
    let secs = if p.period > 0.0 { secs % p.period } else { secs };
    let passed = rows.iter().take_while(|row| row[0] <= secs).count();
    let Some(before) = passed.checked_sub(1).map(|at| rows[at]) else { return p.start };
    match rows.get(passed) {
        Some(next) if p.linear > 0.5 => before[1] + (next[1] - before[1]) * (secs - before[0]) / (next[0] - before[0]),
        _ => before[1],
    }
}

fn now(given: &Given<'_>) -> f64 {
    let rows = given.tables.first().map_or(&[][..], |table| table.as_chunks::<2>().0);
    value(rows, given.secs(), &StepsParameters::of(given.parameters))
}

impl Model for Steps {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        state.numbers[0] = now(given);
    }

    fn outputs(&self, _: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        out[0] = state.numbers[0];
    }

    fn step(&self, given: &Given<'_>, _: f64, state: &mut StateMut<'_>) {
        state.numbers[0] = now(given);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_holds_until_the_next_one() {
        let rows = [[1.0, 5.0], [4.0, 8.0]];
        let p = StepsParameters { start: 2.0, period: 0.0, linear: 0.0 };
        let seen = [0.0, 1.0, 3.9, 4.0, 99.0].map(|secs| value(&rows, secs, &p));
        assert_eq!(seen, [2.0, 5.0, 5.0, 8.0, 8.0]);
        let again = StepsParameters { period: 10.0, ..p };
        assert_eq!([10.0, 11.0, 24.5].map(|secs| value(&rows, secs, &again)), [2.0, 5.0, 8.0]);
        let lines = StepsParameters { linear: 1.0, ..p };
        assert_eq!([1.0, 2.0, 5.0].map(|secs| value(&rows, secs, &lines)), [5.0, 6.0, 8.0]);
    }
}
