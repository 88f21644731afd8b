//! The horn: makes new alarms heard, if somebody wants that. Off unless it is switched on.
//!
//! In: alarms as they are annunciated live (the analysis calls [`Horn::annunciate`]; a replay has no horn), and the
//! priority from which on they count. Out: how often it was sounded, for the devices that make a noise: a terminal's
//! bell, the window's request for attention. Never makes a noise itself, knows no cursor.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bevy::prelude::Resource;

use crate::scene::rule::Priority;

/// Shared by the analysis, which sounds it, and by what hears it.
#[derive(Resource, Clone, Debug, Default)]
pub struct Horn(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    inner: Mutex<Inner>,
    sounded: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    /// The lowest priority that is heard; none: it is off.
    from: Option<Priority>,
    sounded: u64,
    /// Nobody is to listen any more.
    ended: bool,
}

impl Horn {
    /// Sounds for alarms of at least this priority; none: it is off.
    pub fn new(from: Option<Priority>) -> Self {
        let horn = Self::default();
        horn.set(from);
        horn
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Three plain values: good even after a panic of another holder.
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn from(&self) -> Option<Priority> {
        self.inner().from
    }

    pub fn set(&self, from: Option<Priority>) {
        self.inner().from = from;
    }

    /// A new alarm waits for an acknowledgement.
    pub fn annunciate(&self, priority: Priority) {
        let mut inner = self.inner();
        // The most urgent priority is the smallest.
        if inner.from.is_some_and(|from| priority <= from) {
            inner.sounded += 1;
            self.0.sounded.notify_all();
        }
    }

    /// How often it was sounded.
    pub fn sounded(&self) -> u64 {
        self.inner().sounded
    }

    /// Waits until it was sounded more often than `heard` times; none after [`Horn::end`].
    pub fn wait_beyond(&self, heard: u64) -> Option<u64> {
        let waiting = |inner: &mut Inner| !inner.ended && inner.sounded <= heard;
        let inner = self.0.sounded.wait_while(self.inner(), waiting).unwrap_or_else(PoisonError::into_inner);
        (!inner.ended).then_some(inner.sounded)
    }

    /// Lets all go who wait.
    pub fn end(&self) {
        self.inner().ended = true;
        self.0.sounded.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_silent_until_it_is_switched_on_and_then_heard_from_a_priority_on() {
        let horn = Horn::default();
        horn.annunciate(Priority::Critical);
        assert_eq!((horn.from(), horn.sounded()), (None, 0));
        horn.set(Some(Priority::High));
        Priority::ALL.into_iter().for_each(|priority| horn.annunciate(priority));
        assert_eq!(horn.sounded(), 2, "critical and high");
    }

    #[test]
    fn who_waits_hears_it_and_is_let_go_at_the_end() {
        let horn = Horn::new(Some(Priority::Low));
        let theirs = horn.clone();
        let (told, heard) = std::sync::mpsc::channel();
        let listener = std::thread::spawn(move || {
            let mut sounded = theirs.wait_beyond(0);
            while let Some(times) = sounded {
                told.send(times).expect("somebody asks");
                sounded = theirs.wait_beyond(times);
            }
        });
        for times in 1..=2 {
            horn.annunciate(Priority::Low);
            assert_eq!(heard.recv(), Ok(times));
        }
        horn.end();
        listener.join().expect("no panic");
    }
}
