//! What is due when: instruments and messages of one beat go together. In: beats, times. Out: the next time, and what is due at
//! one. Reads no clock.

use super::report::Beat;

/// Beats, each once: a plant has hundreds of instruments and messages, and a few beats.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Rounds {
    beats: Vec<Beat>,
    /// By instrument and by message: their beats; none for an instrument that reads when its message is sent.
    readers: Vec<Option<usize>>,
    reports: Vec<usize>,
    /// By beat: whether it is due at the time that is served.
    is_due: Vec<bool>,
}

impl Rounds {
    pub fn new(readers: impl Iterator<Item = Option<Beat>>, reports: impl Iterator<Item = Beat>) -> Self {
        let mut beats: Vec<Beat> = Vec::new();
        let mut place = |beat: Beat| {
            beats.iter().position(|known| *known == beat).unwrap_or_else(|| {
                beats.push(beat);
                beats.len() - 1
            })
        };
        let readers = readers.map(|beat| beat.map(&mut place)).collect();
        let reports = reports.map(&mut place).collect();
        Self { readers, reports, is_due: vec![false; beats.len()], beats }
    }

    /// The first time after this one at which anything is due.
    pub fn next(&self, time: u64) -> u64 {
        self.beats.iter().map(|beat| beat.next(time)).min().unwrap_or(u64::MAX)
    }

    /// Serves a time from now on.
    pub fn begin(&mut self, time: u64) {
        for (is_due, beat) in self.is_due.iter_mut().zip(&self.beats) {
            *is_due = beat.is_due(time);
        }
    }

    pub fn is_reader_due(&self, reader: usize) -> bool {
        self.readers.get(reader).is_some_and(|beat| beat.is_some_and(|beat| self.is_due[beat]))
    }

    pub fn is_report_due(&self, report: usize) -> bool {
        self.reports.get(report).is_some_and(|beat| self.is_due[*beat])
    }
}
