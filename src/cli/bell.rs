//! The terminal's bell: rings when the horn sounds. In: the horn. Out: BEL on standard error, at most once a second however
//! many alarms come. A thread of its own, since a terminal may be held.

use std::io::{IsTerminal, Write};
use std::thread::JoinHandle;
use std::time::Duration;

use bevy::prelude::*;

use crate::alarm::Horn;

/// A flood of alarms is one noise, not a hundred.
const PAUSE: Duration = Duration::from_secs(1);
const BEL: &[u8] = b"\x07";

/// The running thread; dropping it stops and joins it.
#[derive(Resource)]
pub(super) struct Bell {
    horn: Horn,
    thread: Option<JoinHandle<()>>,
}

impl Bell {
    /// Rings on `out` from now on; what was sounded before is not heard.
    fn start(horn: Horn, mut out: impl Write + Send + 'static) -> std::io::Result<Self> {
        let (theirs, mut heard) = (horn.clone(), horn.sounded());
        let thread = std::thread::Builder::new().name("bell".into()).spawn(move || {
            while let Some(sounded) = theirs.wait_beyond(heard) {
                heard = sounded;
                if out.write_all(BEL).and_then(|()| out.flush()).is_err() {
                    return;
                }
                std::thread::park_timeout(PAUSE);
            }
        })?;
        Ok(Self { horn, thread: Some(thread) })
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.horn.end();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Lets the terminal ring for the session in `app`, if standard error is one. `wanted`: somebody counts on it.
pub(super) fn install(app: &mut App, wanted: bool) {
    let Some(horn) = app.world().get_resource::<Horn>().cloned() else { return };
    if !std::io::stderr().is_terminal() {
        if wanted {
            tracing::warn!("--bell: standard error is no terminal, so nothing rings there");
        }
        return;
    }
    match Bell::start(horn, std::io::stderr()) {
        Ok(bell) => {
            app.insert_resource(bell);
        }
        Err(error) => tracing::warn!("the thread of the bell cannot be started ({error}): alarms make no sound"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::scene::rule::Priority;

    #[derive(Clone, Default)]
    struct Terminal(Arc<Mutex<Vec<u8>>>);

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_flood_of_alarms_rings_once_a_second_at_most_and_what_was_before_does_not_ring() {
        let (horn, terminal) = (Horn::new(Some(Priority::High)), Terminal::default());
        horn.annunciate(Priority::Critical);
        let bell = Bell::start(horn.clone(), terminal.clone()).expect("a thread");
        let rung = || terminal.0.lock().expect("no panic").len();
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(rung(), 0, "sounded before");
        let begun = std::time::Instant::now();
        while rung() < 2 {
            horn.annunciate(Priority::High);
            assert!(begun.elapsed() < Duration::from_secs(10));
        }
        assert!(begun.elapsed() >= PAUSE);
        drop(bell);
        assert!(terminal.0.lock().expect("no panic").iter().all(|byte| *byte == 7));
    }
}
