//! Tells the store up to which source time each signal was judged, so that nothing is judged again after a restart. In:
//! the engine, the time. Out: the changes since the last call, at a bounded rate. Never judges.

use std::time::Duration;

use super::chronicle::SIGN_OF_LIFE;
use crate::alarm::Engine;
use crate::value::Timestamp;

/// A line of the store takes about 50 bytes for a signal. Up to so many signals are told with each sign of life; more
/// of them less often, so that the disk gets about 25 kB a second at most, however large the plant is.
const SIGNALS_A_SECOND: f64 = 500.0;

#[derive(Debug, Default)]
pub(super) struct Hearing {
    /// By signal, what the store knows.
    stored: Vec<Option<Timestamp>>,
    /// Signals that the store shall forget.
    gone: Vec<String>,
    /// When the store was told last, and how long nothing more is told after that.
    last: Option<(Timestamp, Duration)>,
}

impl Hearing {
    /// What the store does not know yet; nothing if it is too soon. None forgets a signal.
    pub fn news(&mut self, engine: &Engine, now: Timestamp) -> Vec<(String, Option<Timestamp>)> {
        // A clock that was set back does not make it wait.
        if self.last.is_some_and(|(last, pause)| now + SIGN_OF_LIFE >= last && now < last + pause) {
            return Vec::new();
        }
        let scene = engine.scene();
        self.stored.resize(scene.signals.len(), None);
        let mut news: Vec<_> = self.gone.drain(..).map(|signal| (signal, None)).collect();
        for (signal, stored) in scene.signals.iter().zip(&mut self.stored) {
            let heard = engine.heard(signal.index);
            if heard.is_some() && heard != *stored && engine.watches(signal.index) {
                *stored = heard;
                news.push((scene.signal_path(signal.index), heard));
            }
        }
        let pause = Duration::from_secs_f64(news.len() as f64 / SIGNALS_A_SECOND).max(SIGN_OF_LIFE);
        self.last = (!news.is_empty()).then_some((now, pause)).or(self.last);
        news
    }

    /// These are no signals any more.
    pub fn forget(&mut self, signals: Vec<String>) {
        self.gone.extend(signals);
    }

    /// Indices have changed: all is told once more.
    pub fn renumber(&mut self) {
        self.stored.clear();
    }

    /// The next time is the last one: do not wait.
    pub fn hurry(&mut self) {
        self.last = None;
    }
}
