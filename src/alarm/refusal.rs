//! Why an operator's action on an alarm is not carried out, in plain sentences.

use super::LONGEST_SHELVING;
use crate::scene::rule::AlarmIndex;

/// Nothing was changed, and this is why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("there is nothing to acknowledge: the alarm is normal")]
    NothingToAcknowledge,
    #[error("the alarm is acknowledged already")]
    AcknowledgedAlready,
    #[error("the condition still holds: a latch can be reset only when it has gone")]
    StillActive,
    #[error("there is nothing to reset: the alarm is not latched")]
    NotLatched,
    #[error("a reason is required: say why in the comment")]
    NoReason,
    #[error("a comment without words says nothing")]
    EmptyComment,
    #[error("an alarm can be shelved for at most {} hours: take it out of service instead", LONGEST_SHELVING.as_secs() / 3600)]
    ShelvedTooLong,
    #[error("an alarm cannot be shelved for no time at all")]
    ShelvedForNothing,
    #[error("the alarm is not shelved")]
    NotShelved,
    #[error("the alarm is out of service already")]
    OutOfServiceAlready,
    #[error("the alarm is not out of service")]
    InService,
    #[error("this is a recording: its alarms were dealt with when it was made; act on those of the live session")]
    Recorded,
    #[error("the scene does not have this alarm any more")]
    Gone,
    #[error("there is no alarm {}: the scene may have been reloaded", .0.0)]
    Unknown(AlarmIndex),
}
