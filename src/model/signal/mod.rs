//! Generators: values that follow from time, tables or chance alone, for inputs that nothing else feeds.

mod pulse;
mod ramp;
mod random_walk;
mod sine;
mod steps;

pub use pulse::{Pulse, PulseOutputs, PulseParameters, PulseState};
pub use ramp::{Ramp, RampOutputs, RampParameters, RampState};
pub use random_walk::{RandomWalk, RandomWalkCounts, RandomWalkOutputs, RandomWalkParameters, RandomWalkState};
pub use sine::{Sine, SineOutputs, SineParameters, SineState};
pub use steps::{Steps, StepsOutputs, StepsParameters, StepsState};
