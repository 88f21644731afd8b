//! Finds births and deaths of twins. In: samples, the time. Out: births (the first sample, or the first after a death)
//! and deaths (the last signal that expires has expired). Twins without a signal that expires never die. Never reads a
//! clock.

use std::time::Duration;

use crate::history::History;
use crate::history::queue::MovingQueue;
use crate::scene::Scene;
use crate::value::{SignalIndex, Timestamp, TwinIndex};

/// A sample costs one look at whether its twin lives. When a twin may have died, its signals are asked.
#[derive(Debug, Default)]
pub struct Lives {
    /// By signal.
    twins: Vec<TwinIndex>,
    expires: Vec<Option<Duration>>,
    /// By twin.
    signals: Vec<std::ops::Range<u32>>,
    alive: Vec<bool>,
    deadlines: MovingQueue,
}

impl Lives {
    pub fn new(scene: &Scene) -> Self {
        let mut deadlines = MovingQueue::default();
        deadlines.resize(scene.twins.len());
        Self {
            twins: scene.signals.iter().map(|signal| signal.twin).collect(),
            expires: scene.signals.iter().map(|signal| signal.expires).collect(),
            signals: scene.twins.iter().map(|twin| twin.signals.clone()).collect(),
            alive: vec![false; scene.twins.len()],
            deadlines,
        }
    }

    /// The same after a reload: twins of the same id go on as they were.
    pub fn adopt(&mut self, old: &Scene, new: &Scene, history: &History) {
        let was_alive = |id: &str| old.twin(id).is_some_and(|twin| self.alive.get(twin.index.at()) == Some(&true));
        let mut lives = Self::new(new);
        for twin in new.twins.iter().filter(|twin| was_alive(&twin.id)) {
            lives.begin(twin.index, history);
        }
        *self = lives;
    }

    /// The twin whose life begins with a sample of `signal`, which history has already.
    #[inline]
    pub fn hear(&mut self, signal: SignalIndex, history: &History) -> Option<TwinIndex> {
        let twin = *self.twins.get(signal.at())?;
        if *self.alive.get(twin.at())? {
            return None;
        }
        self.begin(twin, history);
        Some(twin)
    }

    fn begin(&mut self, twin: TwinIndex, history: &History) {
        if let Some(alive) = self.alive.get_mut(twin.at()) {
            *alive = true;
            if let Some(last) = self.last_expiry(twin, history) {
                self.deadlines.set(twin.0, last.0);
            }
        }
    }

    /// When the last of a twin's signals expires, as far as is known.
    fn last_expiry(&self, twin: TwinIndex, history: &History) -> Option<Timestamp> {
        let signals = self.signals.get(twin.at())?.clone().map(SignalIndex);
        signals
            .filter_map(|signal| {
                let expires = (*self.expires.get(signal.at())?)?;
                Some(history.newest(signal)?.receive_time + expires)
            })
            .max()
    }

    /// The twins that died before `now`, and when.
    pub fn elapse(&mut self, now: Timestamp, history: &History) -> Vec<(TwinIndex, Timestamp)> {
        let mut dead = Vec::new();
        while let Some((queued, twin)) = self.deadlines.pop_before(now.0) {
            let twin = TwinIndex(twin);
            match self.last_expiry(twin, history) {
                // Heard of since.
                Some(last) if last.0 > queued => self.deadlines.set(twin.0, last.0),
                _ => {
                    if let Some(alive) = self.alive.get_mut(twin.at()) {
                        *alive = false;
                        dead.push((twin, Timestamp(queued)));
                    }
                }
            }
        }
        dead
    }

    pub fn next_deadline(&mut self) -> Option<Timestamp> {
        self.deadlines.first().map(|(time, _)| Timestamp(time))
    }
}
