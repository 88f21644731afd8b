//! Machines through which a liquid flows.

mod chiller;
mod consumer;
mod exchanger;
mod mains;
mod pipe;
mod pump;
mod tank;
mod valve;

pub use chiller::{Chiller, ChillerCounts, ChillerInputs, ChillerOutputs, ChillerParameters, ChillerState};
pub use chiller::{curves as chiller_curves, part_load as chiller_part_load};
pub use consumer::{Consumer, ConsumerInputs, ConsumerOutputs, ConsumerParameters, ConsumerState};
pub use exchanger::{ExchangerOutputs, ExchangerParameters, ExchangerState, HeatExchanger, effectiveness};
pub use mains::{Mains, MainsInputs, MainsOutputs, MainsParameters, MainsState};
pub use pipe::{Pipe, PipeInputs, PipeOutputs, PipeParameters, PipeState, surge, wave_speed};
pub use pump::{CentrifugalPump, PumpInputs, PumpOutputs, PumpParameters, PumpState, specific_speed, suction_head};
pub use tank::{Tank, TankInputs, TankOutputs, TankParameters, TankState};
pub use valve::{
    ControlValve, ValveInputs, ValveOutputs, ValveParameters, ValveState, choking_drop, cv_of_kv, opening,
};
