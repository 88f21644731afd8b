//! What tests of faults share: faults, courses, times.

use proptest::prelude::*;

use super::{Course, Defect, Fault, Parameter, Recurrence};
use crate::value::Timestamp;

pub(super) fn at(secs: f64) -> Timestamp {
    Timestamp::from_secs_f64(secs)
}

pub(super) fn fault(id: &str, defect: Defect, course: Course) -> Fault {
    Fault { id: id.to_owned(), defect, course }
}

/// Parameters of a kind, anywhere in what is usual for it, with 1 for the target's span.
pub(super) fn thrown(parameters: &[Parameter], throws: &[f64]) -> Vec<f64> {
    let each = parameters.iter().zip(throws);
    each.map(|(one, throw)| one.usual.0 + throw * (one.usual.1 - one.usual.0)).collect()
}

/// Courses within the first minutes.
pub(super) fn courses() -> impl Strategy<Value = Course> {
    let recurrence = prop::option::of((1_000_000_000..20_000_000_000_u64, prop::option::of(1..4_u64)));
    let lasts = prop::option::of((1..=1000_u64, recurrence));
    (0..60_000_000_000_i64, 0..8_000_000_000_u64, lasts).prop_map(|(onset, ramp, lasts)| {
        let ramp = if ramp < 4_000_000_000 { 0 } else { ramp };
        let Some((part, again)) = lasts else { return Course { onset, ramp, duration: None, recurrence: None } };
        let recurrence = again.map(|(every, times)| Recurrence { every, times });
        let duration = recurrence.map_or(part * 30_000_000, |one| (one.every / 1000 * part).max(1).min(one.every));
        Course { onset, ramp, duration: Some(duration), recurrence }
    })
}
