//! Tells when a scene file, or a file it uses, was saved. In: paths. Out: a wake-up, and a flag. Never reads the files.
//!
//! Editors save by renaming and folders come and go, so the folders are watched, and a file counts as changed when its
//! time, size or existence differ. Where the system cannot watch a folder, the files are looked at once a second.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use notify::{RecursiveMode, Watcher as _};

/// A save is over when nothing has happened for so long.
const SETTLE: Duration = Duration::from_millis(150);
/// A file that never stops changing is reported all the same.
const PATIENCE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(3600);

/// Watches files from a thread of its own until dropped.
pub struct Watcher {
    changed: Arc<AtomicBool>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Keeps the system's watch alive.
    _system: Option<notify::RecommendedWatcher>,
}

/// What tells one version of a file from the next; none while it does not exist.
pub(crate) type Stamp = Option<(SystemTime, u64)>;

pub(crate) fn stamp(path: &Path) -> Stamp {
    let data = std::fs::metadata(path).ok()?;
    Some((data.modified().unwrap_or(SystemTime::UNIX_EPOCH), data.len()))
}

impl Watcher {
    /// Calls `wake` (after a short settling time) when any of `files` has changed.
    pub fn new(files: Vec<PathBuf>, wake: impl Fn() + Send + 'static) -> Result<Watcher, String> {
        let changed = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = crossbeam_channel::bounded(0);
        // One waiting hint is enough: the files themselves are compared.
        let (hint, hints) = crossbeam_channel::bounded(1);
        let stamps: Vec<Stamp> = files.iter().map(|file| stamp(file)).collect();
        let (system, all_watched) = watch_folders(&files, hint.clone());
        let watched =
            Watched { files, stamps, hints, _hint: hint, stopped, poll: if all_watched { IDLE } else { POLL } };
        let flag = changed.clone();
        let thread = std::thread::Builder::new()
            .name("scene-watch".to_owned())
            .spawn(move || watched.run(&flag, &wake))
            .map_err(|error| format!("the scene cannot be watched for changes: {error}"))?;
        Ok(Watcher { changed, stop: Some(stop), thread: Some(thread), _system: system })
    }

    /// Whether something changed since the last call.
    pub fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::AcqRel)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported by the panic hook; there is nobody else to tell here.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").finish_non_exhaustive()
    }
}

/// The system's watch, and whether it covers every folder.
fn watch_folders(files: &[PathBuf], hint: Sender<()>) -> (Option<notify::RecommendedWatcher>, bool) {
    let watcher = notify::recommended_watcher(move |_event| {
        let _ = hint.try_send(());
    });
    let Ok(mut watcher) = watcher else { return (None, false) };
    let mut folders = BTreeSet::new();
    for file in files {
        for path in [Some(file.clone()), file.canonicalize().ok()].into_iter().flatten() {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            folders.insert(parent.to_owned());
        }
    }
    let mut all = true;
    for folder in folders {
        all &= watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok();
    }
    (Some(watcher), all)
}

struct Watched {
    files: Vec<PathBuf>,
    stamps: Vec<Stamp>,
    hints: Receiver<()>,
    /// Keeps the channel open where the system's watch could not be made.
    _hint: Sender<()>,
    stopped: Receiver<()>,
    poll: Duration,
}

impl Watched {
    #[expect(clippy::disallowed_methods, reason = "how long a file must stand still before it is read")]
    fn run(mut self, changed: &AtomicBool, wake: &dyn Fn()) {
        loop {
            crossbeam_channel::select! {
                recv(self.stopped) -> _ => return,
                recv(self.hints) -> _ => {}
                default(self.poll) => {}
            }
            if self.look().is_empty() {
                continue;
            }
            // Wait until the files have stood still for a while.
            let first = Instant::now();
            let mut seen = self.look();
            loop {
                match self.stopped.recv_timeout(SETTLE) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return,
                }
                let now = self.look();
                if now == seen || first.elapsed() > PATIENCE {
                    seen = now;
                    break;
                }
                seen = now;
            }
            for (index, stamp) in &seen {
                if let Some(old) = self.stamps.get_mut(*index) {
                    *old = *stamp;
                }
            }
            if !seen.is_empty() {
                changed.store(true, Ordering::Release);
                wake();
            }
        }
    }

    /// Files that differ from what was reported last.
    fn look(&self) -> Vec<(usize, Stamp)> {
        let now = self.files.iter().map(|file| stamp(file)).enumerate();
        now.zip(&self.stamps).filter(|((_, now), old)| now != *old).map(|(now, _)| now).collect()
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "bounds how long a test waits")]
mod tests {
    use super::*;

    fn wait_for(watcher: &Watcher) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            if watcher.take_changed() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    #[test]
    fn saving_by_rename_and_files_that_appear_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (scene, later) = (folder.path().join("scene.ron"), folder.path().join("later.ron"));
        std::fs::write(&scene, "one").unwrap();
        let (woken, wakes) = crossbeam_channel::unbounded();
        let watcher = Watcher::new(vec![scene.clone(), later.clone()], move || woken.send(()).unwrap()).unwrap();
        assert!(!watcher.take_changed());
        let temporary = folder.path().join("scene.ron~");
        std::fs::write(&temporary, "another").unwrap();
        std::fs::rename(&temporary, &scene).unwrap();
        assert!(wait_for(&watcher), "a rename over the file");
        std::fs::write(&later, "new").unwrap();
        assert!(wait_for(&watcher), "a file that was not there before");
        std::fs::remove_file(&scene).unwrap();
        assert!(wait_for(&watcher), "a file that is gone");
        drop(watcher);
        assert_eq!(wakes.iter().count(), 3, "one wake-up for each, and the thread has ended");
    }
}
