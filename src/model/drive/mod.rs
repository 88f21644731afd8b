//! Machines that turn: motors, bearings, gears, spindles.

mod bearing;
pub mod circuit;
mod dc;
mod gearbox;
mod induction;
mod spindle;
pub mod teeth;

pub use bearing::{
    Geometry, RollingBearing, RollingBearingInputs, RollingBearingOutputs, RollingBearingParameters,
    RollingBearingState, life, reliability_factor,
};
pub use dc::{Armature, DcMotor, DcMotorInputs, DcMotorOutputs, DcMotorParameters, DcMotorState};
pub use gearbox::{Gearbox, GearboxInputs, GearboxOutputs, GearboxParameters, GearboxState};
pub use induction::{
    InductionMotor, InductionMotorInputs, InductionMotorOutputs, InductionMotorParameters, InductionMotorState, copper,
    insulation_life,
};
pub use spindle::{Spindle, SpindleInputs, SpindleOutputs, SpindleParameters, SpindleState, kienzle, tool_life};
