//! Producers turn samples into samples: derived signals; later filters, forecasts, networks and overlays.
//!
//! In: moments, operators' deeds, connection news and the passing of time, in the one recorded order. Out: samples,
//! forecasts, events, and jobs that take too long to wait for. Never reads a clock, never judges an alarm, never
//! touches network or disk.
//!
//! ```text
//!            ┌──────────────── Producers::conclude ───────────────┐
//! moment ──► │ producer 1 ─► its samples ─► producer 2 ─► …       │ ──► history, alarms
//!            └── until no producer has anything to add ───────────┘
//! deadline ─► the producer that asked for it ─► its samples are a moment of their own
//! costly work ─► a thread, or done at once ─► its answer takes a place in the order, like a message
//! ```
//!
//! # A moment
//!
//! [`moments`](crate::ingest::moments) says which samples are concluded together. All of a moment is in history before
//! any producer sees it. What producers add has the moment's source time (or says another) and its receive time.
//!
//! # The same bits
//!
//! A producer's output depends on its input, in that order, and on nothing else. Then a live session, a replay from any
//! keyframe, an import and a scenario give the same bits. A producer with memory says how that is
//! [stored](Producer::save) and restored.

mod derivation;
#[cfg(test)]
mod derivation_tests;
mod derived;
mod outlet;
mod pieces;
mod set;
mod state;
mod total;
mod window;
#[cfg(test)]
mod window_tests;

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::alarm::{Action, Deed};
use crate::scene::rule::AlarmPath;
use crate::value::{Sample, SignalIndex, Timestamp};

pub use derivation::{Memory, evaluate};
pub use derived::{DEFAULT_SETTLE, Derived};
pub use outlet::{Answer, Job, Made, Outlet};
pub use set::{Conflict, ProducerFactory, Producers};
pub use state::{ProducerState, StateError, StateReader, StateWriter};
pub use window::{Accumulator, Taken};

/// Samples that are concluded together: neighbours of one message with one source time, or the samples of one deadline.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    pub source_time: Timestamp,
    pub receive_time: Timestamp,
    /// In history already.
    pub samples: &'a [Sample],
}

/// What an operator did to some alarms, or what became of a connection.
#[derive(Clone, Copy, Debug)]
pub enum Happening<'a> {
    Deed { alarms: &'a [AlarmPath], action: &'a Action, deed: &'a Deed },
    Connection { broker: &'a str, is_connected: bool },
}

/// Turns samples into samples. One lives in each world (a live session, a replay, a branch), made from its scene.
pub trait Producer: Send + Debug {
    /// What people call it; also the beginning of the names under which its memory is stored.
    fn name(&self) -> &str;

    /// Whether it wants moments in which `signal` has a sample. Asked once.
    fn reads(&self, signal: SignalIndex) -> bool;

    /// The signals that it writes. No two producers write one signal, and none writes a measured one.
    fn writes(&self) -> Vec<SignalIndex>;

    /// Samples of signals that it [reads](Producer::reads) have come.
    fn conclude(&mut self, moment: &Moment, out: &mut Outlet);

    /// Something else has happened, at `at` in the one order.
    fn happened(&mut self, _happening: &Happening, _at: Timestamp, _out: &mut Outlet) {}

    /// When [`Producer::elapse`] has something to do next, by receive time.
    fn next_due(&self) -> Option<Timestamp> {
        None
    }

    /// `due` has come, a moment that it asked for: all that was received before is known.
    fn elapse(&mut self, _due: Timestamp, _out: &mut Outlet) {}

    /// Writes what it remembers, under names that outlive a reload (by ids, not by indices). Nothing if it remembers
    /// nothing.
    fn save(&self, _into: &mut BTreeMap<String, ProducerState>) {}

    /// Replaces its memory by the states that [`Producer::save`] wrote; passes over states of others. An unreadable
    /// state begins as new, and is named in a sentence.
    fn restore(&mut self, _states: &BTreeMap<String, ProducerState>) -> Vec<String> {
        Vec::new()
    }
}
