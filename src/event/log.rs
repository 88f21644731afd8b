//! The journal as panels read it: a slice that needs no lock.
//!
//! In: the [`Journal`], once a frame. Out: the same events, shared, oldest first by id. Costs what is new.

use std::sync::Arc;

use bevy::prelude::Resource;

use super::{Event, FaultSpans, Journal};

/// Grows at its end; what leaves, leaves at its beginning.
#[derive(Resource, Clone, Debug, Default)]
pub struct EventLog {
    pub events: Vec<Arc<Event>>,
    /// The faults that these tell of.
    pub faults: FaultSpans,
}

impl EventLog {
    /// Takes over what has become known since, and lets go of what the journal has let go of.
    pub fn follow(&mut self, journal: &Journal) {
        let oldest = journal.iter().next().map_or(u64::MAX, |event| event.id);
        let gone = self.events.partition_point(|event| event.id < oldest);
        if self.events.drain(..gone).count() > 0
            && let Some(oldest) = self.events.first()
        {
            self.faults.forget_before(oldest.time);
        }
        let newest = self.events.last().map_or(0, |event| event.id);
        for event in journal.after(newest) {
            self.faults.learn(event);
            self.events.push(event.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Budget, Draft, Kind};
    use crate::value::Timestamp;

    #[test]
    fn the_log_holds_what_the_journal_holds_after_each_frame() {
        let mut journal = Journal::new(Budget { events: 3, ..Budget::default() });
        let mut log = EventLog::default();
        log.follow(&journal);
        assert!(log.events.is_empty());
        for id in 1..=7 {
            journal.record(Draft::new(Timestamp(id), Timestamp(id), Kind::Note { text: format!("note {id}") }));
            if id % 2 == 1 {
                log.follow(&journal);
                let ids: Vec<u64> = log.events.iter().map(|event| event.id).collect();
                assert_eq!(ids, journal.iter().map(|event| event.id).collect::<Vec<_>>());
            }
        }
        assert_eq!(log.events.len(), 3);
    }
}
