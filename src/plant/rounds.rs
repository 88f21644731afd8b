//! What is due when: instruments and messages of one beat go together. In: beats, times. Out: the next time, and what is due at
//! one. Reads no clock.

use super::report::Beat;

/// Beats, each once: a plant has hundreds of instruments and messages, and a few beats.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Rounds {
    beats: Vec<Beat>,
    /// Instruments that do not read when their message is sent, in order, each with its beat.
    readers: Vec<(usize, usize)>,
    /// By message: its beat.
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
        let readers = readers.enumerate().filter_map(|(reader, beat)| Some((reader, place(beat?)))).collect();
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

    /// The first instrument from a place on that reads by itself at the time that is served.
    pub fn reader(&self, from: usize) -> Option<usize> {
        let first = self.readers.partition_point(|(reader, _)| *reader < from);
        self.readers[first..].iter().find(|(_, beat)| self.is_due[*beat]).map(|(reader, _)| *reader)
    }

    /// The first message from a place on that is looked at then.
    pub fn report(&self, from: usize) -> Option<usize> {
        let rest = self.reports.get(from..)?;
        Some(from + rest.iter().position(|beat| self.is_due[*beat])?)
    }
}
