//! When an operator gets an alarm to see: what rates, floods and statistics count.

use super::{Cause, Change, Flags};
use crate::scene::rule::AlarmIndex;
use crate::value::Timestamp;

/// One alarm, presented to the operator at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Annunciation {
    pub alarm: AlarmIndex,
    /// When it happened: says what came first.
    pub source_time: Timestamp,
    /// When the operator got it: says how many there were at once. Never falls from one annunciation to the next;
    /// where it would, the earlier one counts.
    pub receive_time: Timestamp,
}

impl Annunciation {
    /// Whether a change annunciates, given the flags after it: an alarm was raised with nothing to hide it, or what hid
    /// it has ended while its condition holds.
    pub fn of(change: &Change, flags: &Flags) -> Option<Self> {
        let new = match change.cause {
            Cause::Raised => true,
            Cause::Unshelved | Cause::ShelfEnded | Cause::Unsuppressed | Cause::ReturnedToService => {
                change.to.is_active()
            }
            _ => false,
        };
        (new && flags.is_clear()).then_some(Self {
            alarm: change.alarm,
            source_time: change.source_time,
            receive_time: change.receive_time,
        })
    }
}
