//! The past in memory, until somebody asks for it. In: what would have been written. Out: the same, from a keyframe on.
//! Never exceeds its budget: the oldest stretch between two keyframes goes first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::attach::SceneFiles;
use super::batch::Batch;
use super::conclusion::Conclusion;
use super::writer::Framed;
use crate::value::Timestamp;

#[derive(Debug)]
pub struct Ring {
    /// Of the scene when the oldest segment began.
    files: Arc<SceneFiles>,
    segments: VecDeque<Segment>,
}

/// From a keyframe to the next.
#[derive(Debug, Default)]
pub struct Segment {
    /// None for the first one.
    pub keyframe: Option<Framed>,
    /// Scenes that took over in it, and when.
    pub scenes: Vec<(Timestamp, Arc<SceneFiles>)>,
    pub messages: Batch,
    pub conclusions: Vec<Conclusion>,
}

impl Segment {
    fn bytes(&self) -> usize {
        let keyframe = self.keyframe.as_ref().map_or(0, |framed| framed.json.len());
        keyframe + self.messages.bytes() + self.conclusions.iter().map(Conclusion::bytes).sum::<usize>()
    }
}

impl Ring {
    pub fn new(files: Arc<SceneFiles>) -> Self {
        Self { files, segments: VecDeque::from([Segment::default()]) }
    }

    fn newest(&mut self) -> &mut Segment {
        if self.segments.is_empty() {
            self.segments.push_back(Segment::default());
        }
        let last = self.segments.len() - 1;
        &mut self.segments[last]
    }

    pub fn messages(&mut self, batch: &Batch) {
        self.newest().messages.append(batch);
    }

    pub fn conclusion(&mut self, conclusion: Conclusion) {
        self.newest().conclusions.push(conclusion);
    }

    pub fn scene(&mut self, at: Timestamp, files: Arc<SceneFiles>) {
        self.newest().scenes.push((at, files));
    }

    /// A new segment begins; what was received after the keyframe's moment belongs to it.
    pub fn keyframe(&mut self, keyframe: Framed) {
        let before = self.newest();
        let (until, after) = before.messages.split(keyframe.time);
        before.messages = until;
        let at = before.conclusions.iter().position(|conclusion| conclusion.time() > keyframe.time);
        let conclusions = at.map(|at| before.conclusions.split_off(at)).unwrap_or_default();
        let next = Segment { keyframe: Some(keyframe), messages: after, conclusions, ..Segment::default() };
        self.segments.push_back(next);
    }

    /// Lets go what lies more than `before` in the past, and then what is too much. Returns how many messages had to go
    /// before their time.
    pub fn trim(&mut self, now: Timestamp, before: Duration, budget: u64) -> u64 {
        let begun = |segment: &Segment| segment.keyframe.as_ref().map(|framed| framed.time);
        while self.segments.get(1).and_then(begun).is_some_and(|begun| begun <= now - before) {
            self.drop_oldest();
        }
        let mut forgotten = 0;
        while self.bytes() > budget {
            forgotten += self.drop_oldest();
        }
        forgotten
    }

    fn drop_oldest(&mut self) -> u64 {
        let Some(oldest) = self.segments.pop_front() else { return 0 };
        if let Some((_, files)) = oldest.scenes.into_iter().next_back() {
            self.files = files;
        }
        if self.segments.is_empty() {
            self.segments.push_back(Segment::default());
        }
        oldest.messages.len() as u64
    }

    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(Segment::bytes).sum::<usize>() as u64
    }

    /// Of the scene that its oldest message is of.
    pub fn files(&self) -> Arc<SceneFiles> {
        self.files.clone()
    }

    /// The oldest first.
    pub fn into_segments(self) -> impl Iterator<Item = Segment> {
        self.segments.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::super::batch::Raw;
    use super::*;

    fn batch(times: std::ops::Range<i64>) -> Batch {
        let mut batch = Batch::default();
        for time in times {
            let time = Timestamp(time * 1_000_000_000);
            let raw = Raw {
                broker: 0,
                topic: "t",
                qos: 0,
                retained: false,
                log_time: time,
                publish_time: time,
                payload: b"0123456789",
            };
            batch.push(&raw);
        }
        batch
    }

    fn framed(secs: i64) -> Framed {
        Framed { time: Timestamp(secs * 1_000_000_000), json: b"{}".to_vec(), is_full: true }
    }

    fn counts(ring: &Ring) -> Vec<usize> {
        ring.segments.iter().map(|segment| segment.messages.len()).collect()
    }

    #[test]
    fn it_begins_with_a_keyframe_that_reaches_back_far_enough() {
        let mut ring = Ring::new(Arc::default());
        ring.messages(&batch(0..11));
        ring.keyframe(framed(9));
        assert_eq!(counts(&ring), [10, 1], "what came after the keyframe's moment is in its segment");
        ring.messages(&batch(11..20));
        ring.keyframe(framed(20));
        ring.messages(&batch(20..30));
        let minute = Duration::from_secs(60);
        let at = |secs: i64| Timestamp(secs * 1_000_000_000);
        assert_eq!(ring.trim(at(30), minute, 1 << 20), 0);
        assert_eq!(counts(&ring), [10, 10, 10]);
        assert_eq!(ring.trim(at(68), minute, 1 << 20), 0);
        assert_eq!(counts(&ring), [10, 10, 10], "8 seconds are still asked for");
        assert_eq!(ring.trim(at(70), minute, 1 << 20), 0);
        assert_eq!(counts(&ring), [10, 10]);
    }

    #[test]
    fn what_exceeds_the_memory_goes_oldest_first_and_is_counted() {
        let mut ring = Ring::new(Arc::default());
        let files = Arc::new(SceneFiles { scene_file: "new".into(), ..SceneFiles::default() });
        ring.scene(Timestamp(0), files.clone());
        for n in 0..5 {
            ring.messages(&batch(n * 10..n * 10 + 10));
            ring.keyframe(framed(n * 10 + 10));
        }
        let all = ring.bytes();
        let hour = Duration::from_secs(3600);
        assert_eq!(ring.trim(Timestamp(0), hour, all), 0);
        let most = all * 3 / 5 + 10;
        assert_eq!(ring.trim(Timestamp(0), hour, most), 20);
        assert!(ring.bytes() <= most);
        assert_eq!(ring.files(), files, "the scene that holds for what is left");
        assert_eq!(ring.trim(Timestamp(0), hour, 1), 30);
        assert_eq!(ring.bytes(), 0);
    }
}
