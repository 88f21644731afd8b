//! Reconstructs past states of alarms from the journal. In: events, and the states before the first of them. Out: each
//! alarm as it was known at a moment; the changes that the watch over floods and chattering needs after a restart.
//! Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::alarm::{Alarm, Cause, Change, Deed, Flags, Monitor, Said, Shelving};
use crate::event::{Event, Journal, Kind};
use crate::scene::Scene;
use crate::scene::rule::{AlarmIndex, AlarmPath, message};
use crate::value::Timestamp;

/// How alarms stood at one moment: where the journal begins, or a keyframe of a recording.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub at: Timestamp,
    /// The others were normal.
    pub alarms: BTreeMap<AlarmIndex, Alarm>,
}

/// What the alarms were judged by that were known at a past moment, where the scene says something else.
pub(super) fn said_at(journal: &Journal, scene: &Scene, moment: Timestamp) -> Vec<Said> {
    let said = scene.alarms.iter().filter_map(|rule| {
        let event = journal.transitions_by(&AlarmPath::of_rule(rule, scene), moment).next_back()?;
        let Kind::Alarm { message: said, priority, .. } = &event.kind else { return None };
        let is_other = rule.priority != *priority || message(rule, scene) != *said;
        is_other.then(|| Said { alarm: rule.index, message: said.clone(), priority: *priority })
    });
    said.collect()
}

/// An alarm as it stood at a past moment, as far as that was known then and as far back as the journal reaches. `begun`
/// says how it stood at an earlier moment: only what became known since then is added.
pub(super) fn alarm_at(journal: &Journal, path: &AlarmPath, moment: Timestamp, begun: (Timestamp, Alarm)) -> Alarm {
    let (since, mut alarm) = begun;
    let mut flags = std::mem::take(&mut alarm.flags);
    for event in journal.transitions_by(path, moment).skip_while(|event| event.received <= since) {
        let Kind::Alarm { cause, from, to, value, worst, origin, .. } = &event.kind else { continue };
        if from != to {
            (alarm.state, alarm.since) = (*to, event.time);
        }
        match cause {
            Cause::Raised => {
                (alarm.raised_at, alarm.trigger, alarm.worst) = (Some(event.time), *value, *value);
                alarm.activations += 1;
                (alarm.acknowledged, alarm.origin) = (None, *origin);
            }
            Cause::Cleared => (alarm.worst, alarm.origin) = (worst.or(alarm.worst), *origin),
            Cause::Acknowledged => alarm.acknowledged = Some(deed(event)),
            Cause::Removed => alarm = Alarm::default(),
            _ => {}
        }
        flag(&mut flags, cause, || deed(event));
        alarm.current = value.or(alarm.current);
    }
    Alarm { flags, ..alarm }
}

/// Tells the monitor what earlier runs found out, in the order in which they did: a flood, chattering and the first of
/// a group go on after a restart. All that comes of it is in the journal already. Alarms that the scene lacks are left
/// out. `counted`: for the statistics, too, which otherwise are of the time that is watched from now on.
pub(super) fn relive<'e>(
    monitor: &mut Monitor,
    events: impl IntoIterator<Item = &'e Arc<Event>>,
    scene: &Scene,
    counted: bool,
) {
    let today: BTreeMap<AlarmPath, AlarmIndex> =
        scene.alarms.iter().map(|rule| (AlarmPath::of_rule(rule, scene), rule.index)).collect();
    let mut flags: BTreeMap<AlarmIndex, Flags> = BTreeMap::new();
    for event in events {
        match &event.kind {
            // What was found to be over must not be found once more.
            Kind::Flood { began: false, .. } | Kind::Chattering { began: false, .. } => {
                monitor.elapse(event.received);
            }
            Kind::Alarm { cause, from, to, value, worst, origin, .. } => {
                let index = event.alarm_path().and_then(|path| today.get(&path).copied());
                let Some(rule) = index.and_then(|index| scene.alarms.get(index.at())) else { continue };
                let flags = flags.entry(rule.index).or_default();
                flag(flags, cause, || deed(event));
                let change = Change {
                    alarm: rule.index,
                    cause: cause.clone(),
                    from: *from,
                    to: *to,
                    source_time: event.time,
                    receive_time: event.received,
                    value: *value,
                    worst: *worst,
                    deed: None,
                    origin: origin.unwrap_or_default(),
                };
                match counted {
                    true => drop(monitor.observe(&change, rule, flags)),
                    false => monitor.relive(&change, rule, flags),
                }
            }
            _ => {}
        }
    }
}

/// What hides an alarm after a change.
pub(super) fn flag(flags: &mut Flags, cause: &Cause, deed: impl FnOnce() -> Deed) {
    match cause {
        Cause::Shelved { until } => flags.shelved = Some(Shelving { until: *until, deed: deed() }),
        Cause::Unshelved | Cause::ShelfEnded => flags.shelved = None,
        Cause::Suppressed => flags.suppressed = true,
        Cause::Unsuppressed => flags.suppressed = false,
        Cause::TakenOutOfService => flags.out_of_service = Some(deed()),
        Cause::ReturnedToService => flags.out_of_service = None,
        Cause::Removed => *flags = Flags::default(),
        Cause::Raised | Cause::Cleared | Cause::Acknowledged | Cause::Reset | Cause::Commented => {}
    }
}

fn deed(event: &Event) -> Deed {
    Deed { by: event.by.clone().unwrap_or_default(), at: event.time, comment: event.comment.clone() }
}
