//! Every sample of every signal, and the one moment that all views show.
//!
//! In: samples from the channel, and where the operator puts the cursor. Out: values, summaries and qualities at any
//! moment of this session. Nothing beyond now is ever in it. Never reads a clock (`now` is an argument) and never touches network or disk.
//!
//! [`History`] keeps per signal a row-wise tail and column-wise chunks with summaries; [`Cursor`] says which moment is
//! shown, [`transport`], [`step`] and [`typed`] how it gets there; [`ForecastStore`] holds what was
//! foretold, beside it; [`quality_at`] and [`ExpirySchedule`] judge staleness
//! against that moment.

mod chunk;
mod cursor;
mod density;
mod extent;
pub mod forecast;
mod merge;
pub(crate) mod queue;
mod row;
mod staleness;
pub mod step;
mod store;
mod summary;
mod track;
pub mod transport;
pub mod typed;

pub use cursor::{Cursor, Marks, ViewTime};
pub use density::{Counts, Density};
pub use extent::{Extent, Horizon, Loaded};
pub use forecast::{BadForecast, Forecast, ForecastStore, ForecastUsage};
pub use staleness::{ExpirySchedule, quality_at};
pub use store::{Bucket, History, Point, Usage};
pub use summary::Gaps;
pub use transport::SkipGaps;

use bevy::prelude::*;

use crate::value::Sample;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Cursor>()
        .init_resource::<Extent>()
        .init_resource::<Horizon>()
        .init_resource::<Loaded>()
        .init_resource::<Marks>()
        .init_resource::<ViewTime>()
        .init_resource::<SkipGaps>();
}
