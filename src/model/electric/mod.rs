//! What gives electricity to machines.

mod switchboard;

pub use switchboard::{
    Switchboard, SwitchboardInputs, SwitchboardOutputs, SwitchboardParameters, SwitchboardState, sagged,
};
