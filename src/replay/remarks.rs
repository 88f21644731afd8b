//! Reads and writes notes and bookmarks beside a recording. In: the files of a series. Out: events for its journal,
//! each known from the moment that it is about. Never touches the recording itself.

use crate::event::Event;
use crate::record::notes;
use crate::record::read::Timeline;

/// All that people have written on the files of a series, and sentences about what cannot be read.
pub(super) fn read(timeline: &Timeline) -> (Vec<Event>, Vec<String>) {
    let (mut events, mut problems) = (Vec::new(), Vec::new());
    for recording in timeline.recordings() {
        match notes::read(&notes::beside(recording.path())) {
            Ok(notes) => {
                events.extend(notes.events.into_iter().map(|event| Event { received: event.time, ..event }));
                problems.extend(notes.problems);
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    (events, problems)
}

/// All events in the order in which they became known, with ids that rise.
pub(super) fn merged(mut events: Vec<Event>, remarks: Vec<Event>) -> Vec<Event> {
    if !remarks.is_empty() {
        events.extend(remarks);
        events.sort_by_key(|event| event.received);
        (1..).zip(&mut events).for_each(|(id, event)| event.id = id);
    }
    events
}
