//! Simulated patients, for teaching and for testing alarms: not a medical device, fit for no decision about a person.

mod circulation;
mod reflex;

pub use circulation::{Circulation, CirculationInputs, CirculationOutputs, CirculationParameters, CirculationState};
