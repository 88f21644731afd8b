//! What operators do to an alarm. In: an action, and who did it when and why. Out: a [`Change`], or a [`Refusal`] that
//! leaves the alarm as it was. Never judges a condition.

use std::time::Duration;

use super::{Action, Alarm, Cause, Change, Deed, LONGEST_SHELVING, Refusal, Shelving, State, machine};
use crate::scene::rule::AlarmIndex;

/// Carries out one action. What is asked for twice is refused rather than done again, except a shelf, which a second
/// shelving replaces.
pub(super) fn act(index: AlarmIndex, alarm: &mut Alarm, action: &Action, deed: &Deed) -> Result<Change, Refusal> {
    let from = alarm.state;
    let cause = match action {
        Action::Acknowledge => {
            enter(alarm, machine::acknowledged(from)?, deed);
            alarm.acknowledged = Some(deed.clone());
            Cause::Acknowledged
        }
        Action::Reset => {
            enter(alarm, machine::reset(from)?, deed);
            Cause::Reset
        }
        Action::Shelve { lasting } => {
            reason(deed)?;
            let until = match *lasting {
                Some(Duration::ZERO) => return Err(Refusal::ShelvedForNothing),
                Some(lasting) if lasting > LONGEST_SHELVING => return Err(Refusal::ShelvedTooLong),
                lasting => lasting.map(|lasting| deed.at + lasting),
            };
            alarm.flags.shelved = Some(Shelving { until, deed: deed.clone() });
            Cause::Shelved { until }
        }
        Action::Unshelve => {
            alarm.flags.shelved.take().ok_or(Refusal::NotShelved)?;
            Cause::Unshelved
        }
        Action::TakeOutOfService => {
            reason(deed)?;
            if alarm.flags.out_of_service.is_some() {
                return Err(Refusal::OutOfServiceAlready);
            }
            alarm.flags.out_of_service = Some(deed.clone());
            Cause::TakenOutOfService
        }
        Action::ReturnToService => {
            alarm.flags.out_of_service.take().ok_or(Refusal::InService)?;
            Cause::ReturnedToService
        }
        Action::Comment if deed.comment.trim().is_empty() => return Err(Refusal::EmptyComment),
        Action::Comment => Cause::Commented,
    };
    Ok(Change {
        alarm: index,
        cause,
        from,
        to: alarm.state,
        source_time: deed.at,
        receive_time: deed.at,
        value: alarm.current,
        worst: None,
        deed: Some(deed.clone()),
        origin: alarm.origin.unwrap_or_default(),
    })
}

fn enter(alarm: &mut Alarm, state: State, deed: &Deed) {
    alarm.state = state;
    alarm.since = deed.at;
}

/// ISA-18.2 asks why an alarm is hidden.
fn reason(deed: &Deed) -> Result<(), Refusal> {
    if deed.comment.trim().is_empty() { Err(Refusal::NoReason) } else { Ok(()) }
}
