//! What the analysis concludes and a recording keeps beside messages and keyframes. In: events, forecasts, samples of costly
//! producers. Out: the same, on their way to a file.

use std::sync::Arc;

use super::{ProducedSamples, RecordedForecast};
use crate::event::Event;
use crate::history::Forecast;
use crate::scene::Scene;
use crate::value::{Sample, Timestamp};

/// About what an event takes.
const EVENT_BYTES: usize = 512;

#[derive(Clone, Debug)]
pub enum Conclusion {
    Event(Arc<Event>),
    Forecast(Arc<RecordedForecast>),
    Produced(Arc<ProducedSamples>),
}

impl Conclusion {
    /// A forecast of a signal of `scene`; none if the scene does not have it.
    pub fn forecast(forecast: &Forecast, scene: &Scene) -> Option<Self> {
        Some(Conclusion::Forecast(Arc::new(RecordedForecast::of(forecast, scene)?)))
    }

    /// Samples of signals of `scene`, computed beside the analysis, took their place in the one order at `time`.
    pub fn produced(producer: &str, time: Timestamp, samples: &[Sample], scene: &Scene) -> Self {
        Conclusion::Produced(Arc::new(ProducedSamples::of(producer, time, samples, scene)))
    }

    /// When it became known.
    pub fn time(&self) -> Timestamp {
        match self {
            Conclusion::Event(event) => event.received,
            Conclusion::Forecast(forecast) => forecast.issued,
            Conclusion::Produced(produced) => produced.time,
        }
    }

    /// About what it takes in memory, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Conclusion::Event(_) => EVENT_BYTES,
            Conclusion::Forecast(forecast) => forecast.bytes(),
            Conclusion::Produced(produced) => produced.bytes(),
        }
    }
}
