//! Judges a recording once more: runs its messages, deeds and connection news through a scene.
//!
//! In: a timeline, a scene. Out: each activation of each alarm; for two scenes the activations gained, lost or moved.
//! Never changes the recording, and never judges by anything outside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::{Run, RunOptions};
use crate::alarm::{Action, Cause, Deed};
use crate::event::{Ending, Event, Kind};
use crate::fault::Site;
use crate::ingest::Message;
use crate::produce::ProducerFactory;
use crate::record::read::{ReadError, Timeline};
use crate::scene::Scene;
use crate::scene::rule::AlarmPath;
use crate::value::Timestamp;

/// From when to when an alarm was active, by source time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Activation {
    /// `P-101/vibration.high`
    pub alarm: String,
    pub message: String,
    pub raised: Timestamp,
    /// None if it was active to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleared: Option<Timestamp>,
    /// What raised it, in the unit of the signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// One activation in both.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Moved {
    pub before: Activation,
    pub after: Activation,
}

/// What another scene changes.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Difference {
    /// In the order of time.
    pub gained: Vec<Activation>,
    pub lost: Vec<Activation>,
    /// Raised or cleared at another moment.
    pub moved: Vec<Moved>,
    /// Activations that are the same in both.
    pub same: usize,
}

impl Difference {
    pub fn is_none(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty() && self.moved.is_empty()
    }
}

/// Plays all of a recording in `scene`, beginning with what its first keyframe knew.
/// `producers` are computed anew, except for what they did not wait for.
pub fn rejudge(timeline: &Timeline, scene: Arc<Scene>, producers: ProducerFactory) -> Result<Run, ReadError> {
    let (first, end) = timeline.bounds().unwrap_or_default();
    // A session that is recorded from its middle on begins with what was known there.
    let keyframe = timeline.first_keyframe()?;
    // Where a recording says when its world began, its first keyframe may stand a nanosecond before that.
    let start = match (timeline.about(), &keyframe) {
        (Some(about), _) => about.started.min(first),
        (None, Some(keyframe)) => keyframe.time.min(first),
        (None, None) => first,
    };
    let mut run = Run::new(scene.clone(), RunOptions { start, producers, ..RunOptions::default() });
    run.answers_are_on_record();
    let mut since = Timestamp(first.0.saturating_sub(1));
    if let Some(keyframe) = keyframe.filter(|keyframe| keyframe.time <= first) {
        since = since.max(keyframe.time);
        run.begin_with(&keyframe);
    }
    let mut events = timeline.events()?.into_iter().filter(|event| event.received > since).peekable();
    for message in timeline.messages(since, Timestamp::MAX) {
        let message = message?;
        // At one time messages come before deeds and news.
        while let Some(event) = events.next_if(|event| event.received < message.log_time) {
            replay_event(&mut run, &event);
        }
        if let Some(produced) = message.produced() {
            run.pass_time(message.log_time);
            run.samples(produced.samples(&scene).collect());
            continue;
        }
        if !message.is_readable() {
            continue;
        }
        let said = Message {
            topic: &message.topic,
            payload: &message.payload,
            retained: message.retained,
            qos: message.qos,
            receive_time: message.log_time,
        };
        run.message(&message.broker, &said);
    }
    events.for_each(|event| replay_event(&mut run, &event));
    run.pass_time(end);
    Ok(run)
}

/// Does again what an operator did, and what became of a connection. All else follows from it.
fn replay_event(run: &mut Run, event: &Event) {
    match &event.kind {
        Kind::Connection { broker, state, .. } => {
            run.connection(broker, state == "connected", Some(event.kind.clone()), event.received);
        }
        Kind::Alarm { cause, .. } => {
            let Some((action, path)) = action_of(cause, event).zip(event.alarm_path()) else { return };
            let by = event.by.clone().unwrap_or_default();
            let deed = Deed { by, at: event.received, comment: event.comment.clone() };
            run.repeat(&path, &action, &deed);
        }
        Kind::FaultSet { site: Site::Overlay, fault } => {
            let by = event.by.clone().unwrap_or_default();
            // What the scene does not have cannot be faulty.
            let _ = run.lay_again(fault, &by, &event.comment, event.received);
        }
        // All other endings follow by themselves.
        Kind::FaultCleared { site: Site::Overlay, fault, ending: Ending::Cleared } => {
            let by = event.by.clone().unwrap_or_default();
            let _ = run.lift(Some(fault), &by, event.received);
        }
        _ => {}
    }
}

/// None for what follows by itself.
fn action_of(cause: &Cause, event: &Event) -> Option<Action> {
    match cause {
        Cause::Acknowledged => Some(Action::Acknowledge),
        Cause::Reset => Some(Action::Reset),
        Cause::Shelved { until } => {
            let lasting = until.map(|until| std::time::Duration::try_from_secs_f64(until.secs_since(event.time)));
            Some(Action::Shelve { lasting: lasting.and_then(Result::ok) })
        }
        Cause::Unshelved => Some(Action::Unshelve),
        Cause::TakenOutOfService => Some(Action::TakeOutOfService),
        Cause::ReturnedToService => Some(Action::ReturnToService),
        Cause::Commented => Some(Action::Comment),
        Cause::Raised
        | Cause::Cleared
        | Cause::ShelfEnded
        | Cause::Suppressed
        | Cause::Unsuppressed
        | Cause::Removed => None,
    }
}

/// The activations that events tell of, by alarm, in order.
pub fn activations<'e>(events: impl IntoIterator<Item = &'e Event>) -> BTreeMap<AlarmPath, Vec<Activation>> {
    let mut found: BTreeMap<AlarmPath, Vec<Activation>> = BTreeMap::new();
    for event in events {
        let (Kind::Alarm { cause, message, value, .. }, Some(path)) = (&event.kind, event.alarm_path()) else {
            continue;
        };
        let list = found.entry(path.clone()).or_default();
        match cause {
            Cause::Raised => list.push(Activation {
                alarm: path.to_string(),
                message: message.clone(),
                raised: event.time,
                cleared: None,
                value: *value,
            }),
            Cause::Cleared | Cause::Removed => {
                if let Some(last) = list.last_mut().filter(|last| last.cleared.is_none()) {
                    last.cleared = Some(event.time);
                }
            }
            _ => {}
        }
    }
    found.retain(|_, list| !list.is_empty());
    found
}

/// The activations that only `after` has, and those that only `before` has. Activations of one alarm that overlap in
/// time are one and the same, however long.
pub fn difference(
    before: &BTreeMap<AlarmPath, Vec<Activation>>,
    after: &BTreeMap<AlarmPath, Vec<Activation>>,
) -> Difference {
    let mut found = Difference::default();
    let none = Vec::new();
    let mut paths: Vec<&AlarmPath> = before.keys().chain(after.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let (old, new) = (before.get(path).unwrap_or(&none), after.get(path).unwrap_or(&none));
        let mut unmatched = old.iter().peekable();
        for activation in new {
            // Those that had ended before it began have no counterpart.
            while let Some(gone) = unmatched.next_if(|old| end_of(old) < activation.raised) {
                found.lost.push(gone.clone());
            }
            match unmatched.next_if(|old| old.raised <= end_of(activation)) {
                None => found.gained.push(activation.clone()),
                Some(old) if (old.raised, old.cleared) == (activation.raised, activation.cleared) => found.same += 1,
                Some(old) => found.moved.push(Moved { before: old.clone(), after: activation.clone() }),
            }
        }
        found.lost.extend(unmatched.cloned());
    }
    let key = |activation: &Activation| (activation.raised, activation.alarm.clone());
    found.gained.sort_by_key(key);
    found.lost.sort_by_key(key);
    found.moved.sort_by_key(|moved| key(&moved.after));
    found
}

fn end_of(activation: &Activation) -> Timestamp {
    activation.cleared.unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(name: &str, times: &[(i64, Option<i64>)]) -> (AlarmPath, Vec<Activation>) {
        let path = AlarmPath::of_twin("P-1", name);
        let activation = |&(raised, cleared): &(i64, Option<i64>)| Activation {
            alarm: path.to_string(),
            message: String::new(),
            raised: Timestamp(raised),
            cleared: cleared.map(Timestamp),
            value: None,
        };
        let list = times.iter().map(activation).collect();
        (path, list)
    }

    #[test]
    fn activations_that_overlap_are_one_and_all_others_are_gained_or_lost() {
        let before = BTreeMap::from([
            alarm("a", &[(10, Some(20)), (30, Some(40)), (50, None)]),
            alarm("gone", &[(1, Some(2))]),
            alarm("kept", &[(5, Some(6))]),
        ]);
        let after = BTreeMap::from([
            alarm("a", &[(25, Some(42)), (45, Some(46)), (48, None)]),
            alarm("new", &[(7, None)]),
            alarm("kept", &[(5, Some(6))]),
        ]);
        let found = difference(&before, &after);
        let told = |list: &[Activation]| -> Vec<(String, i64)> {
            list.iter().map(|of| (of.alarm.clone(), of.raised.0)).collect()
        };
        assert_eq!(told(&found.gained), [("P-1/new".into(), 7), ("P-1/a".into(), 45)]);
        assert_eq!(told(&found.lost), [("P-1/gone".into(), 1), ("P-1/a".into(), 10)]);
        let moved: Vec<_> = found.moved.iter().map(|moved| (moved.before.raised.0, moved.after.raised.0)).collect();
        assert_eq!((moved, found.same), (vec![(30, 25), (50, 48)], 1));
        assert!(difference(&before, &before).is_none());
        assert_eq!(difference(&before, &before).same, 5);
    }
}
