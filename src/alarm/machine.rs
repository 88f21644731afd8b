//! From state to state: the transitions of ISA-18.2-2016 (clause 5.4) and OPC UA part 9 (clause 5.7), and nothing else.
//!
//! In: a state, and what happened. Out: the next state, or why that cannot be done. Knows no time, value or rule.
//!
//! ```text
//!                    raised                   acknowledged
//!        Normal ───────────────► Unacknowledged ────────────► Acknowledged
//!           ▲                      │ cleared                     │ cleared
//!           │     acknowledged     ▼                             ▼
//!           ├───────────── ReturnedUnacknowledged              Normal
//!           │                      ▲
//!           │ reset                │ reset          (latching alarms, when cleared)
//!           └── LatchedAcknowledged ◄── LatchedUnacknowledged
//!                               acknowledged
//! ```
//! Whatever is not active becomes Unacknowledged when raised again.

use super::{Refusal, State};

/// After the condition has come to hold.
pub fn raised(state: State) -> State {
    if state.is_active() { state } else { State::Unacknowledged }
}

/// After the condition has gone.
pub fn cleared(state: State, latching: bool) -> State {
    match (state, latching) {
        (State::Unacknowledged, false) => State::ReturnedUnacknowledged,
        (State::Unacknowledged, true) => State::LatchedUnacknowledged,
        (State::Acknowledged, false) => State::Normal,
        (State::Acknowledged, true) => State::LatchedAcknowledged,
        _ => state,
    }
}

/// After somebody has acknowledged.
pub fn acknowledged(state: State) -> Result<State, Refusal> {
    match state {
        State::Unacknowledged => Ok(State::Acknowledged),
        State::ReturnedUnacknowledged => Ok(State::Normal),
        State::LatchedUnacknowledged => Ok(State::LatchedAcknowledged),
        State::Acknowledged | State::LatchedAcknowledged => Err(Refusal::AcknowledgedAlready),
        State::Normal => Err(Refusal::NothingToAcknowledge),
    }
}

/// After somebody has reset a latch.
pub fn reset(state: State) -> Result<State, Refusal> {
    match state {
        State::LatchedUnacknowledged => Ok(State::ReturnedUnacknowledged),
        State::LatchedAcknowledged => Ok(State::Normal),
        State::Unacknowledged | State::Acknowledged => Err(Refusal::StillActive),
        State::Normal | State::ReturnedUnacknowledged => Err(Refusal::NotLatched),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use expect_test::expect;

    use super::*;

    const STATES: [State; 6] = [
        State::Normal,
        State::Unacknowledged,
        State::Acknowledged,
        State::ReturnedUnacknowledged,
        State::LatchedUnacknowledged,
        State::LatchedAcknowledged,
    ];

    #[test]
    fn every_state_answers_every_input() {
        let mut table = String::new();
        for state in STATES {
            let mut row = |input: &str, next: Result<State, Refusal>| {
                let next = match next {
                    Ok(next) if next == state => "stays".to_owned(),
                    Ok(next) => format!("→ {next:?}"),
                    Err(refusal) => format!("refused: {refusal}"),
                };
                let _ = writeln!(table, "{:<22} {input:<16} {next}", format!("{state:?}"));
            };
            row("raised", Ok(raised(state)));
            row("cleared", Ok(cleared(state, false)));
            row("cleared latching", Ok(cleared(state, true)));
            row("acknowledged", acknowledged(state));
            row("reset", reset(state));
        }
        expect![[r#"
            Normal                 raised           → Unacknowledged
            Normal                 cleared          stays
            Normal                 cleared latching stays
            Normal                 acknowledged     refused: there is nothing to acknowledge: the alarm is normal
            Normal                 reset            refused: there is nothing to reset: the alarm is not latched
            Unacknowledged         raised           stays
            Unacknowledged         cleared          → ReturnedUnacknowledged
            Unacknowledged         cleared latching → LatchedUnacknowledged
            Unacknowledged         acknowledged     → Acknowledged
            Unacknowledged         reset            refused: the condition still holds: a latch can be reset only when it has gone
            Acknowledged           raised           stays
            Acknowledged           cleared          → Normal
            Acknowledged           cleared latching → LatchedAcknowledged
            Acknowledged           acknowledged     refused: the alarm is acknowledged already
            Acknowledged           reset            refused: the condition still holds: a latch can be reset only when it has gone
            ReturnedUnacknowledged raised           → Unacknowledged
            ReturnedUnacknowledged cleared          stays
            ReturnedUnacknowledged cleared latching stays
            ReturnedUnacknowledged acknowledged     → Normal
            ReturnedUnacknowledged reset            refused: there is nothing to reset: the alarm is not latched
            LatchedUnacknowledged  raised           → Unacknowledged
            LatchedUnacknowledged  cleared          stays
            LatchedUnacknowledged  cleared latching stays
            LatchedUnacknowledged  acknowledged     → LatchedAcknowledged
            LatchedUnacknowledged  reset            → ReturnedUnacknowledged
            LatchedAcknowledged    raised           → Unacknowledged
            LatchedAcknowledged    cleared          stays
            LatchedAcknowledged    cleared latching stays
            LatchedAcknowledged    acknowledged     refused: the alarm is acknowledged already
            LatchedAcknowledged    reset            → Normal
        "#]].assert_eq(&table);
    }
}
