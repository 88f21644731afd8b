//! Collects the output of a producer. In: samples, forecasts, events, jobs. Out: the same; samples are in history at
//! once. Never records, judges or carries out any of it.

use crate::event::Draft;
use crate::history::{Forecast, History};
use crate::value::Sample;

/// Work that takes too long to wait for. It must depend on what it holds alone.
pub struct Job {
    /// The producer that asks.
    pub producer: String,
    pub work: Box<dyn FnOnce() -> Answer + Send>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("producer", &self.producer).finish_non_exhaustive()
    }
}

/// What came of a [`Job`]. Its samples get their receive time when it takes its place in the one order.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Answer {
    pub samples: Vec<Sample>,
}

/// What a producer reads, and where it writes.
#[derive(Debug)]
pub struct Outlet<'a> {
    history: &'a mut History,
    samples: &'a mut Vec<Sample>,
    made: &'a mut Made,
}

/// Forecasts, events and jobs of producers that the analysis has not taken yet.
#[derive(Debug, Default)]
pub struct Made {
    pub forecasts: Vec<Forecast>,
    pub events: Vec<Draft>,
    pub jobs: Vec<Job>,
}

impl<'a> Outlet<'a> {
    pub(super) fn new(history: &'a mut History, samples: &'a mut Vec<Sample>, made: &'a mut Made) -> Self {
        Self { history, samples, made }
    }

    /// All that is known so far.
    pub fn history(&self) -> &History {
        self.history
    }

    /// Adds a sample, which history has from now on.
    pub fn sample(&mut self, sample: Sample) {
        self.history.append(&sample);
        self.samples.push(sample);
    }

    /// Puts an event on record.
    pub fn event(&mut self, event: Draft) {
        self.made.events.push(event);
    }

    /// Says what a signal will be. It is kept apart from what was measured, and in the recording; the newest that was
    /// issued by the cursor is shown.
    pub fn forecast(&mut self, forecast: Forecast) {
        self.made.forecasts.push(forecast);
    }

    /// Has something computed beside the analysis. Its answer is learnt later, as a message would be; in a replay it is
    /// the recorded one, and nothing is computed.
    pub fn job(&mut self, job: Job) {
        self.made.jobs.push(job);
    }
}
