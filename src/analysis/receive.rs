//! Takes news of the analysis into a frame, and does the analysis' work where no thread does it.
//!
//! In: [`Analysis`]. Out: [`Touched`], the signals with new samples. Never blocks longer than the thread holds the
//! lock.

use std::time::Duration;

use bevy::prelude::*;

use super::Analysis;
use crate::history::ViewTime;
use crate::source::Sources;
use crate::value::{SignalIndex, Timestamp};

/// How long a frame may spend on draining where no thread does it; the rest waits for the next frame.
#[derive(Resource, Clone, Copy, Debug)]
pub struct ReceiveBudget(pub Duration);

impl Default for ReceiveBudget {
    fn default() -> Self {
        Self(Duration::from_millis(8))
    }
}

/// Signals with new samples since the frame before, each once. Filled by `Receive`, read by `Project`.
#[derive(Resource, Debug, Default)]
pub struct Touched(pub Vec<SignalIndex>);

pub(super) fn receive(
    analysis: Res<Analysis>,
    sources: Res<Sources>,
    budget: Res<ReceiveBudget>,
    view: Res<ViewTime>,
    mut touched: ResMut<Touched>,
) {
    let mut knowledge = analysis.lock();
    if !knowledge.is_driven() {
        // What a test hands over may be of any time.
        let more = knowledge.drain(Timestamp::MAX, budget.0);
        if !more {
            knowledge.elapse(view.now);
        }
        knowledge.look_at_connections(view.now);
        if let (true, Some(waker)) = (more, &sources.waker) {
            waker();
        }
    }
    knowledge.take_touched(&mut touched.0);
}
