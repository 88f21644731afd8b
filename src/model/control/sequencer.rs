//! A sequence of steps. In: rows of times and values, a run flag, a signal that steps wait for. Out: the number of the
//! step and its values. Never passes a step before its time.
//!
//! Each row: seconds; up to four values; what it waits for. `wait` 0: the step ends with its time. 1: it ends once the
//! signal is true, not before its time. 2: it ends once the signal has become true within the step, so that a button
//! that is held passes one step only. After the last row it begins anew, or stays there.

use crate::model::quantities;
use crate::model::{Description, Given, Model, OutputKind, StateMut, StateRef, Table};

/// A table of steps that are passed by time or by a signal.
#[derive(Clone, Copy, Debug)]
pub struct Sequencer;

quantities! {
    pub parameters SequencerParameters {
        /// Whether it begins anew after the last step: 1, or 0 to stay there
        repeat: "" = 1.0, 0.0 => 1.0, design, "anew";
        /// Times longer than the table says
        slowness: "" = 1.0, 0.01 => 100.0, condition, "as the table says";
    }
}

quantities! {
    pub counts SequencerCounts {
        /// Number of the step, from 0
        step;
        /// Time in the step while it ran, ns
        spent;
        /// Whether the signal was false within the step
        seen_false;
        /// Whether the signal became true within the step
        came_true;
        /// Rounds that ended
        rounds;
        /// Whether the last step has ended and nothing begins anew
        done;
    }
}

quantities! {
    pub inputs SequencerInputs {
        /// Whether time passes in it
        run: "", last = 1.0;
        /// What steps wait for
        signal: "", last = 0.0;
        /// Sends it to the first step while true
        reset: "", last = 0.0;
    }
}

quantities! {
    pub outputs SequencerOutputs {
        /// Number of the step, from 1; 0 without rows
        step: "", held;
        /// First value of the step
        out1: "", held;
        /// Second value of the step
        out2: "", held;
        /// Third value of the step
        out3: "", held;
        /// Fourth value of the step
        out4: "", held;
        /// Time in the step
        spent: "s", held;
        /// Rounds that ended
        rounds: "", held;
        /// Whether all steps are done
        done: "" = OutputKind::Flag, held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Sequencer",
    is_program: true,
    about: "A table of steps that are passed by time or by a signal",
    source: "IEC 60848: steps and conditions",
    step: Some(100_000_000),
    parameters: SequencerParameters::ALL,
    counts: SequencerCounts::ALL,
    inputs: SequencerInputs::ALL,
    outputs: SequencerOutputs::ALL,
    tables: &[Table {
        name: "steps",
        about: "Time, values and what each step waits for: 0 time alone, 1 a true signal, 2 one that becomes true",
        columns: &[("seconds", "s"), ("out1", ""), ("out2", ""), ("out3", ""), ("out4", ""), ("wait", "")],
    }],
    ..Description::EMPTY
};

fn rows<'g>(given: &Given<'g>) -> &'g [[f64; 6]] {
    given.tables.first().map_or(&[][..], |table| table.as_chunks::<6>().0)
}

impl Model for Sequencer {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let c = SequencerCounts::of(state.counts);
        let rows = rows(given);
        let at = (c.step as usize).min(rows.len().saturating_sub(1));
        let row = rows.get(at).copied().unwrap_or_default();
        SequencerOutputs {
            step: if rows.is_empty() { 0.0 } else { at as f64 + 1.0 },
            out1: row[1],
            out2: row[2],
            out3: row[3],
            out4: row[4],
            spent: c.spent as f64 / 1e9,
            rounds: c.rounds as f64,
            done: c.done as f64,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, u) = (SequencerParameters::of(given.parameters), SequencerInputs::of(given.inputs));
        let mut c = SequencerCounts::of(state.counts);
        let rows = rows(given);
        let (run, signal) = (u.run > 0.5, u.signal > 0.5);
        if u.reset > 0.5 {
            SequencerCounts { step: 0, spent: 0, seen_false: 0, came_true: 0, done: 0, ..c }.put(state.counts);
            return;
        }
        if !run || c.done == 1 || rows.is_empty() {
            return;
        }
        // Rows may have gone since the state was stored.
        c.step = c.step.min(rows.len() as u64 - 1);
        c.spent += (dt * 1e9).round() as u64;
        c.came_true |= u64::from(signal && c.seen_false == 1);
        c.seen_false |= u64::from(!signal);
        let row = rows[c.step as usize];
        let over = c.spent as f64 / 1e9 >= row[0] * p.slowness - 1e-9;
        let free = match row[5] {
            wait if wait > 1.5 => c.came_true == 1,
            wait if wait > 0.5 => signal,
            _ => true,
        };
        if over && free {
            let last = c.step + 1 == rows.len() as u64;
            c.rounds += u64::from(last);
            if last && p.repeat <= 0.5 {
                c.done = 1;
            } else {
                let step = if last { 0 } else { c.step + 1 };
                c = SequencerCounts { step, spent: 0, seen_false: u64::from(!signal), came_true: 0, ..c };
            }
        }
        c.put(state.counts);
    }
}
