//! Machines that move and treat liquid.

mod bearing;
mod exchanger;
mod pump;
mod tank;
mod valve;

pub use bearing::{Bearing, BearingInput, BearingOutput, BearingState};
pub use exchanger::{Exchanger, ExchangerInput, ExchangerOutput, ExchangerState, effectiveness};
pub use pump::{Pump, PumpInput, PumpOutput, PumpState};
pub use tank::{Tank, TankInput, TankOutput, TankState};
pub use valve::{Valve, ValveInput, ValveOutput, ValveState};

/// Density of the product in kg/m³ (a soft drink of about 10 °Brix).
pub const DENSITY: f64 = 1038.0;
/// Specific heat of the product in J/(kg K).
pub const SPECIFIC_HEAT: f64 = 3950.0;
/// Standard gravity in m/s².
pub const GRAVITY: f64 = 9.806_65;
