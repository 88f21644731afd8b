//! Faults that were set on purpose, as stretches of time. In: events in their order. Out: of each fault where it acts, who set
//! it and why, from when to when. Knows no scene.

use super::{Event, Kind};
use crate::fault::{Site, WrittenFault};
use crate::value::Timestamp;

/// A fault from when it was set until it was gone.
#[derive(Clone, PartialEq, Debug)]
pub struct FaultSpan {
    pub site: Site,
    /// Its course is in the time of the events.
    pub fault: WrittenFault,
    /// The twin that it is about, if it is about one.
    pub twin: Option<String>,
    /// None where nobody is named.
    pub by: Option<String>,
    pub reason: String,
    pub set: Timestamp,
    /// None: it stands.
    pub gone: Option<Timestamp>,
}

impl FaultSpan {
    /// Whether it was set before a moment, and not gone by then: it may be that it has not begun yet.
    pub fn stands(&self, at: Timestamp) -> bool {
        self.set <= at && self.gone.is_none_or(|gone| at < gone)
    }

    /// Whether it acts at a moment.
    pub fn acts(&self, at: Timestamp) -> bool {
        self.stands(at) && self.fault.course.is_active(at)
    }

    /// When it begins to act.
    pub fn begin(&self) -> Timestamp {
        self.set.max(Timestamp(self.fault.course.onset))
    }

    /// When it is over for good, as far as that is known.
    pub fn end(&self) -> Option<Timestamp> {
        match (self.gone, self.fault.course.end()) {
            (Some(gone), Some(end)) => Some(gone.min(end)),
            (gone, end) => gone.or(end),
        }
    }
}

/// All faults that events tell of, oldest first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FaultSpans(Vec<FaultSpan>);

impl FaultSpans {
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let mut spans = Self::default();
        events.into_iter().for_each(|event| spans.learn(event));
        spans
    }

    /// The next event.
    pub fn learn(&mut self, event: &Event) {
        let mut close = |of: &Site, id: &str| {
            let stands = |span: &&mut FaultSpan| span.gone.is_none() && span.site == *of && span.fault.id == id;
            if let Some(span) = self.0.iter_mut().find(stands) {
                span.gone = Some(event.time.max(span.set));
            }
        };
        match &event.kind {
            Kind::FaultSet { site, fault } => {
                // The one of the same id gives way.
                close(site, &fault.id);
                self.0.push(FaultSpan {
                    site: *site,
                    fault: fault.clone(),
                    twin: event.twin.clone(),
                    by: event.by.clone(),
                    reason: event.comment.clone(),
                    set: event.time,
                    gone: None,
                });
            }
            Kind::FaultCleared { site, fault, .. } => close(site, fault),
            _ => {}
        }
    }

    /// Those that were gone before a moment are forgotten.
    pub fn forget_before(&mut self, moment: Timestamp) {
        self.0.retain(|span| span.gone.is_none_or(|gone| gone >= moment));
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &FaultSpan> + Clone {
        self.0.iter()
    }

    /// Those that stand at a moment, oldest first.
    pub fn standing(&self, at: Timestamp) -> impl Iterator<Item = &FaultSpan> + Clone {
        self.0.iter().filter(move |span| span.stands(at))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Draft, Ending, Journal};
    use crate::fault::{Course, Defect, SensorEffect};

    fn set(journal: &mut Journal, at: i64, site: Site, id: &str, course: Course) {
        let defect = Defect::Sensor { signal: "P-101.flow".to_owned(), effect: SensorEffect::Bias { by: 1.0 } };
        let fault = WrittenFault { id: id.to_owned(), defect, course };
        journal.record(Draft::new(Timestamp(at), Timestamp(at), Kind::FaultSet { site, fault }).by("ada", "drill"));
    }

    fn clear(journal: &mut Journal, at: i64, site: Site, id: &str) {
        let kind = Kind::FaultCleared { site, fault: id.to_owned(), ending: Ending::Cleared };
        journal.record(Draft::new(Timestamp(at), Timestamp(at), kind));
    }

    fn ids(spans: &FaultSpans, at: i64) -> Vec<String> {
        spans.standing(Timestamp(at)).map(|span| format!("{} {}", span.site.name(), span.fault.id)).collect()
    }

    #[test]
    fn a_fault_stands_from_when_it_was_set_until_it_is_gone_at_its_site_alone() {
        let mut journal = Journal::default();
        set(&mut journal, 10, Site::Plant, "F-1", Course::default());
        set(&mut journal, 20, Site::Overlay, "F-1", Course::default());
        clear(&mut journal, 30, Site::Plant, "F-1");
        clear(&mut journal, 31, Site::Plant, "F-9");
        let spans = FaultSpans::of(journal.iter().map(|event| &**event));
        assert_eq!(ids(&spans, 9), [""; 0]);
        assert_eq!(ids(&spans, 25), ["plant F-1", "overlay F-1"]);
        assert_eq!(ids(&spans, 30), ["overlay F-1"]);
    }

    #[test]
    fn one_of_the_same_id_gives_way_and_the_old_ones_can_be_forgotten() {
        let mut journal = Journal::default();
        set(&mut journal, 10, Site::Plant, "F-1", Course::default());
        set(&mut journal, 20, Site::Plant, "F-1", Course { onset: 25, duration: Some(5), ..Course::default() });
        let mut spans = FaultSpans::of(journal.iter().map(|event| &**event));
        let second = spans.iter().next_back().expect("a span").clone();
        assert_eq!((spans.iter().count(), ids(&spans, 22).len()), (2, 1));
        assert_eq!((second.begin(), second.end()), (Timestamp(25), Some(Timestamp(30))));
        assert!(!second.acts(Timestamp(24)) && second.acts(Timestamp(25)) && !second.acts(Timestamp(30)));
        spans.forget_before(Timestamp(21));
        assert_eq!(spans.iter().count(), 1);
    }
}
