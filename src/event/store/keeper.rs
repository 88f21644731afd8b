//! Decides what to write when. In: batches, the monotonic time. Out: appended lines, now and then a whole new file.
//!
//! Holds the image of all that is kept, bounded: so the file can be written whole whenever appending has failed.

use std::io;
use std::time::{Duration, Instant};

use super::disk::Disk;
use super::frame::{Batch, Image};

/// Signs of life wait so long for being made durable: they come every second and only date a gap.
const LIGHT_SYNC: Duration = Duration::from_secs(10);
/// A file is written anew once so much, beyond the size of an image, was appended to it.
const SPARE_BYTES: u64 = 4 << 20;

pub struct Keeper<D> {
    disk: D,
    image: Image,
    capacity: usize,
    /// False until the file holds the image: at the start, and after a failure.
    whole: bool,
    /// Bytes of the last image, and those appended since.
    image_bytes: u64,
    appended: u64,
    rewrite_at: u64,
    synced: Option<Instant>,
}

impl<D: Disk> Keeper<D> {
    pub fn new(disk: D, image: Image, capacity: usize) -> Self {
        Self { disk, image, capacity, whole: false, image_bytes: 0, appended: 0, rewrite_at: 0, synced: None }
    }

    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Size of the file.
    pub fn bytes(&self) -> u64 {
        self.image_bytes + self.appended
    }

    /// Keeps a batch. With Ok it is on disk: durable if `sync` or if it holds events or alarms. After an error it is in
    /// the image, which the next call writes whole.
    pub fn keep(&mut self, batch: Batch, sync: bool, now: Instant) -> io::Result<()> {
        let (line, light) = (batch.line(), batch.is_light());
        let empty = light && batch.heard.is_empty() && batch.alive.is_none();
        self.image.apply(batch, self.capacity);
        if !self.whole {
            return self.rewrite(now);
        }
        let kept = self.append(if empty { &[] } else { &line }, sync || !light, now);
        self.whole = kept.is_ok();
        kept?;
        if self.appended >= self.rewrite_at && self.rewrite(now).is_err() {
            // No room for a second file: the one there is stays good, and says so itself when it is full, too.
            self.whole = true;
            self.rewrite_at = self.appended + SPARE_BYTES;
        }
        Ok(())
    }

    fn append(&mut self, line: &[u8], sync: bool, now: Instant) -> io::Result<()> {
        self.disk.append(line)?;
        self.appended += line.len() as u64;
        if sync || self.synced.is_none_or(|at| now.saturating_duration_since(at) >= LIGHT_SYNC) {
            self.disk.sync()?;
            self.synced = Some(now);
        }
        Ok(())
    }

    fn rewrite(&mut self, now: Instant) -> io::Result<()> {
        let lines = self.image.lines();
        self.disk.replace(&lines)?;
        self.whole = true;
        self.image_bytes = lines.len() as u64;
        self.appended = 0;
        self.rewrite_at = self.image_bytes + SPARE_BYTES;
        self.synced = Some(now);
        Ok(())
    }
}

#[cfg(test)]
#[path = "keeper_tests.rs"]
#[expect(clippy::disallowed_methods, reason = "a test says when something is written")]
mod tests;
