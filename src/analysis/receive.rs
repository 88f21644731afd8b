//! The frame's end of the analysis: what is new for it, and the work itself where no thread does it.
//!
//! In: [`Analysis`]. Out: [`Touched`]. Never blocks longer than the thread holds the lock.

use std::time::Duration;

use bevy::prelude::*;

use super::Analysis;
use crate::history::Moment;
use crate::source::Sources;
use crate::value::SignalIndex;

/// How long a frame may spend on draining where no thread does it; what is left waits for the next frame.
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
    moment: Res<Moment>,
    mut touched: ResMut<Touched>,
) {
    let mut knowledge = analysis.lock();
    if !knowledge.is_driven() {
        knowledge.look_at_connections(moment.now);
        let more = knowledge.drain(budget.0);
        let settled = if more { knowledge.heard() } else { moment.now };
        knowledge.elapse(settled);
        if let (true, Some(waker)) = (more, &sources.waker) {
            waker();
        }
    }
    knowledge.take_touched(&mut touched.0);
}
