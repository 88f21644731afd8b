//! Hashes the outcome of a run. In: knowledge, events as they become known. Out: [`RunHash`]. Leaves out who
//! acted, numbers of events, faults that were laid over it, and everything that depends on the machine.

use std::fmt;
use std::io;

use serde::Serialize;
use twox_hash::XxHash3_128;

use crate::analysis::Knowledge;
use crate::event::{Event, Journal};

/// 128 bits of XXH3; not a proof against people who want two runs to look alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RunHash(pub u128);

impl fmt::Display for RunHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Events as one number, as they come: the journal lets go of old ones.
#[derive(Clone)]
pub(super) struct EventDigest {
    state: XxHash3_128,
    followed: u64,
}

impl Default for EventDigest {
    fn default() -> Self {
        Self { state: XxHash3_128::with_seed(0), followed: 0 }
    }
}

impl fmt::Debug for EventDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDigest").field("followed", &self.followed).finish_non_exhaustive()
    }
}

impl EventDigest {
    pub fn follow(&mut self, journal: &Journal) {
        if journal.last_id() == self.followed {
            return;
        }
        for event in journal.after(self.followed).filter(|event| !event.kind.is_of_overlay()) {
            add_json(&mut self.state, &Event { id: 0, by: None, ..Event::clone(event) });
        }
        self.followed = journal.last_id();
    }
}

impl RunHash {
    pub(super) fn of(knowledge: &Knowledge, events: &EventDigest) -> Self {
        let mut state = XxHash3_128::with_seed(0);
        state.write(&knowledge.sample_digest().unwrap_or_default().to_le_bytes());
        state.write(&events.state.finish_128().to_le_bytes());
        let mut alarms = knowledge.engine().snapshot();
        for kept in &mut alarms.alarms {
            let flags = &mut kept.alarm.flags;
            let shelving = flags.shelved.as_mut().map(|shelving| &mut shelving.deed);
            let deeds = shelving.into_iter().chain(&mut flags.out_of_service).chain(&mut kept.alarm.acknowledged);
            deeds.for_each(|deed| deed.by.clear());
        }
        add_json(&mut state, &alarms);
        for (name, memory) in knowledge.producer_states() {
            state.write(name.as_bytes());
            state.write(&memory.version.to_le_bytes());
            state.write(&(memory.data.len() as u64).to_le_bytes());
            state.write(&memory.data);
        }
        Self(state.finish_128())
    }
}

fn add_json(state: &mut XxHash3_128, value: &impl Serialize) {
    struct Sink<'s>(&'s mut XxHash3_128);
    impl io::Write for Sink<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    // Nothing of it fails: no map has keys that are no texts, and the sink takes all.
    let _ = serde_json::to_writer(Sink(state), value);
}
