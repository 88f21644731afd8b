//! What people made of faults that were set on purpose: of an exercise with an instructor and trainees, each with a session of
//! their own. In: their journals. Out: of each fault the alarms and deeds that followed, and how long they took. Pure: knows
//! no scene, reads no file.
//!
//! Alarms and deeds are put to a fault by time alone: all that came from when it began to act until it was gone, or until the
//! journals end. Where faults overlap, an alarm stands with each of them; those of the fault's own twin are told apart.

use serde::Serialize;

use super::{Event, FaultSpan, FaultSpans, Kind};
use crate::alarm::Cause;
use crate::fault::Site;
use crate::instruction::State;
use crate::value::Timestamp;

/// What came of an exercise.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Debrief {
    /// First and last event.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// In the order in which they began.
    pub faults: Vec<Incident>,
    /// Alarms that were raised while no fault acted.
    pub other_alarms: Vec<Step>,
}

/// A fault, and what followed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Incident {
    pub id: String,
    pub site: Site,
    pub kind: &'static str,
    pub on: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twin: Option<String>,
    /// Who set it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub reason: String,
    pub begin: Timestamp,
    /// None: it stood to the end.
    pub gone: Option<Timestamp>,
    /// Seconds from the beginning to the first alarm; none: nothing noticed it.
    pub first_alarm_secs: Option<f64>,
    /// Seconds from the first alarm to its acknowledgement; none: nobody did.
    pub acknowledged_secs: Option<f64>,
    /// Seconds from the first alarm to the first deed that is more than that: a command, a shelving, a note.
    pub first_deed_secs: Option<f64>,
    /// In order.
    pub steps: Vec<Step>,
}

/// An alarm or a deed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Step {
    pub time: Timestamp,
    /// Seconds from the beginning of the fault.
    pub secs: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twin: Option<String>,
    pub text: String,
    pub sort: Sort,
    /// Of the twin that the fault is about.
    pub is_own: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    Alarm,
    Acknowledgement,
    Deed,
}

/// What came of the faults that are in any of these journals. An alarm that several sessions saw counts once.
pub fn debrief(journals: &[Vec<Event>]) -> Debrief {
    let mut spans: Vec<FaultSpan> =
        journals.iter().flat_map(|events| FaultSpans::of(events).iter().cloned().collect::<Vec<_>>()).collect();
    spans.sort_by(|one, other| (one.begin(), &one.fault.id).cmp(&(other.begin(), &other.fault.id)));
    spans.dedup_by(|one, other| one.site == other.site && one.fault.id == other.fault.id && one.set == other.set);
    let mut events: Vec<&Event> = journals.iter().flatten().collect();
    events.sort_by_key(|event| event.time);
    let mut steps: Vec<(Step, Option<String>)> = Vec::new();
    for event in &events {
        let Some(sort) = sort(event) else { continue };
        let alarm = event.alarm_path().map(|path| path.to_string());
        let text = match &alarm {
            Some(alarm) if sort != Sort::Deed => format!("{alarm} {}", event.action()),
            _ => event.summary(),
        };
        let (time, by, twin) = (event.time, event.by.clone(), event.twin.clone());
        let step = Step { time, secs: 0.0, by, twin, text, sort, is_own: false };
        let is_known =
            steps.iter().rev().take_while(|(other, _)| other.time == step.time).any(|(other, _)| *other == step);
        if !is_known {
            steps.push((step, alarm));
        }
    }
    let end = |span: &FaultSpan| span.end().unwrap_or(Timestamp::MAX);
    let faults = spans.iter().map(|span| incident(span, &steps)).collect();
    let acts = |at: Timestamp| spans.iter().any(|span| span.begin() <= at && at <= end(span));
    let others = steps.iter().filter(|(step, _)| step.sort == Sort::Alarm && !acts(step.time));
    Debrief {
        from: events.first().map(|event| event.time),
        to: events.last().map(|event| event.time),
        faults,
        other_alarms: others.map(|(step, _)| step.clone()).collect(),
    }
}

fn sort(event: &Event) -> Option<Sort> {
    match &event.kind {
        Kind::Alarm { cause: Cause::Raised, .. } => Some(Sort::Alarm),
        Kind::Alarm { cause: Cause::Acknowledged, .. } => event.by.as_ref().map(|_| Sort::Acknowledgement),
        // Once for each: when it left.
        Kind::Command { state, .. } => (*state == State::Sent).then_some(Sort::Deed),
        Kind::FaultSet { .. } | Kind::FaultCleared { .. } => None,
        _ => event.by.as_ref().map(|_| Sort::Deed),
    }
}

fn incident(span: &FaultSpan, steps: &[(Step, Option<String>)]) -> Incident {
    let (begin, end) = (span.begin(), span.end());
    let followed = steps.iter().filter(|(step, _)| step.time >= begin && end.is_none_or(|end| step.time <= end));
    let followed: Vec<(Step, &Option<String>)> = followed
        .map(|(step, alarm)| {
            let is_own = span.twin.is_some() && step.twin == span.twin;
            (Step { secs: step.time.secs_since(begin), is_own, ..step.clone() }, alarm)
        })
        .collect();
    let alarms = || followed.iter().filter(|(step, _)| step.sort == Sort::Alarm);
    let first = alarms().find(|(step, _)| step.is_own).or_else(|| alarms().next());
    let since_alarm = |is_it: &dyn Fn(&Step, &Option<String>) -> bool| {
        let (alarm, _) = first?;
        let (step, _) = followed.iter().find(|(step, of)| step.time >= alarm.time && is_it(step, of))?;
        Some(step.time.secs_since(alarm.time))
    };
    Incident {
        id: span.fault.id.clone(),
        site: span.site,
        kind: span.fault.kind().name,
        on: span.fault.on(),
        twin: span.twin.clone(),
        by: span.by.clone(),
        reason: span.reason.clone(),
        begin,
        gone: end,
        first_alarm_secs: first.map(|(step, _)| step.secs),
        acknowledged_secs: first.and_then(|(alarm, path)| {
            // Also after the fault was gone.
            let is_it = |(step, of): &&(Step, Option<String>)| {
                step.sort == Sort::Acknowledgement && of == *path && step.time >= alarm.time
            };
            steps.iter().find(is_it).map(|(step, _)| step.time.secs_since(alarm.time))
        }),
        first_deed_secs: since_alarm(&|step, _| step.sort == Sort::Deed),
        steps: followed.into_iter().map(|(step, _)| step).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Draft, Ending, Journal};
    use crate::fault::{Course, Defect, SensorEffect, WrittenFault};
    use crate::scene::rule::Priority;

    fn at(secs: i64) -> Timestamp {
        Timestamp(secs * 1_000_000_000)
    }

    fn alarm(cause: Cause) -> Kind {
        let (from, to) = (crate::alarm::State::Normal, crate::alarm::State::Unacknowledged);
        Kind::Alarm {
            alarm: "level.high".into(),
            broker: None,
            cause,
            from,
            to,
            priority: Priority::High,
            message: "level above 2 m".into(),
            value: None,
            worst: None,
            unit: String::new(),
            origin: None,
        }
    }

    fn record(journal: &mut Journal, secs: i64, twin: &str, by: Option<&str>, kind: Kind) {
        let draft = Draft { twin: Some(twin.to_owned()), ..Draft::new(at(secs), at(secs), kind) };
        journal.record(match by {
            Some(by) => draft.by(by, ""),
            None => draft,
        });
    }

    fn events(journal: &Journal) -> Vec<Event> {
        journal.iter().map(|event| (**event).clone()).collect()
    }

    #[test]
    fn faults_of_the_instructor_are_aligned_with_what_the_trainee_saw_and_did() {
        let (mut instructor, mut trainee) = (Journal::default(), Journal::default());
        let defect = Defect::Sensor { signal: "T-1.level".into(), effect: SensorEffect::Bias { by: 1.0 } };
        let fault = WrittenFault { id: "F-1".into(), defect, course: Course { onset: at(12).0, ..Course::default() } };
        record(&mut instructor, 5, "P-9", None, alarm(Cause::Raised));
        record(&mut instructor, 10, "T-1", Some("ada"), Kind::FaultSet { site: Site::Plant, fault });
        for journal in [&mut instructor, &mut trainee] {
            record(journal, 20, "T-1", None, alarm(Cause::Raised));
        }
        record(&mut trainee, 27, "T-1", Some("bob"), alarm(Cause::Acknowledged));
        record(&mut trainee, 31, "T-1", Some("bob"), Kind::Note { text: "look at the gauge".into() });
        let kind = Kind::FaultCleared { site: Site::Plant, fault: "F-1".into(), ending: Ending::Cleared };
        record(&mut instructor, 40, "T-1", Some("ada"), kind);
        record(&mut trainee, 50, "T-1", Some("bob"), Kind::Note { text: "too late".into() });
        let found = debrief(&[events(&instructor), events(&trainee)]);
        let [one] = &found.faults[..] else { panic!("{found:?}") };
        assert_eq!((one.by.as_deref(), one.begin, one.gone), (Some("ada"), at(12), Some(at(40))));
        assert_eq!(
            (one.first_alarm_secs, one.acknowledged_secs, one.first_deed_secs),
            (Some(8.0), Some(7.0), Some(11.0))
        );
        let steps: Vec<(f64, &str, Sort)> = one.steps.iter().map(|step| (step.secs, &*step.text, step.sort)).collect();
        assert_eq!(
            steps,
            [
                (8.0, "T-1/level.high raised", Sort::Alarm),
                (15.0, "T-1/level.high acknowledged", Sort::Acknowledgement),
                (19.0, "look at the gauge", Sort::Deed),
            ]
        );
        assert_eq!(found.other_alarms.len(), 1, "one came before");
    }

    #[test]
    fn a_fault_that_nothing_noticed_says_so() {
        let mut journal = Journal::default();
        let defect = Defect::Sensor { signal: "T-1.level".into(), effect: SensorEffect::Bias { by: 1.0 } };
        let fault = WrittenFault { id: "F-1".into(), defect, course: Course { onset: at(10).0, ..Course::default() } };
        record(&mut journal, 10, "T-1", None, Kind::FaultSet { site: Site::Overlay, fault });
        let found = debrief(&[events(&journal)]);
        assert_eq!((found.faults[0].first_alarm_secs, found.faults[0].gone), (None, None));
        assert_eq!(debrief(&[]).faults, []);
    }
}
