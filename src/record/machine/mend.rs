//! Index and end for files that broke off. In: paths of files that were cut back to their last flush because the disk did
//! not take more. Out: the same files, finished, as soon as there is room. On a thread of its own, since such a file has to
//! be read as a whole, and what comes must be recorded meanwhile. A file that is being written is locked, and not touched.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::record::read;

/// Between two tries: the first, and the longest.
const RETRY: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_secs(300);

#[derive(Default)]
pub(super) struct Mender {
    broken: Vec<PathBuf>,
    /// Gives back what it could not finish.
    at_work: Option<JoinHandle<Vec<PathBuf>>>,
    /// Not before; none: at once.
    next: Option<Instant>,
    tries: u32,
}

impl Mender {
    pub fn take(&mut self, path: PathBuf) {
        self.broken.push(path);
        (self.next, self.tries) = (None, 0);
    }

    /// There may be room now.
    pub fn tick(&mut self, now: Instant) {
        if let Some(work) = self.at_work.take_if(|work| work.is_finished()) {
            self.take_back(work);
        }
        if self.broken.is_empty() || self.at_work.is_some() || self.next.is_some_and(|next| now < next) {
            return;
        }
        let wait = RETRY.saturating_mul(2_u32.saturating_pow(self.tries)).min(LONGEST_RETRY);
        (self.next, self.tries) = (Some(now + wait), self.tries.saturating_add(1));
        let broken = self.broken.clone();
        let thread = std::thread::Builder::new().name("recorder: end of a file".into());
        match thread.spawn(move || mend(broken)) {
            Ok(work) => {
                self.broken.clear();
                self.at_work = Some(work);
            }
            Err(error) => tracing::warn!("recordings that broke off have to wait for their index: {error}"),
        }
    }

    /// Nothing comes any more: the last try, for which this thread has the time.
    pub fn end(&mut self) {
        if let Some(work) = self.at_work.take() {
            self.take_back(work);
        }
        for path in mend(std::mem::take(&mut self.broken)) {
            tracing::warn!(
                "{}: has no index, for lack of room; what it holds can be read all the same",
                path.display()
            );
        }
    }

    fn take_back(&mut self, work: JoinHandle<Vec<PathBuf>>) {
        match work.join() {
            Ok(left) => self.broken.extend(left),
            Err(_) => tracing::error!("a recording that broke off could not be given its index"),
        }
    }
}

/// Those that are still not finished.
fn mend(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.retain(|path| match read::repair(path) {
        Ok(_) => {
            tracing::info!("{}: the recording that broke off has its index now", path.display());
            false
        }
        // Taken away meanwhile.
        Err(_) if !path.exists() => false,
        Err(error) => {
            tracing::debug!("{error}");
            true
        }
    });
    paths
}
