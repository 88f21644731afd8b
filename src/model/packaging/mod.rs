//! Machines that handle bottles, one after the other.

mod agv;
mod capper;
mod conveyor;
mod filler;
mod labeller;
mod palletiser;
mod rinser;

pub use agv::{Agv, AgvInput, AgvOutput, AgvPhase, AgvState};
pub use capper::{Capper, CapperInput, CapperOutput, CapperPhase, CapperState, JOINT_LIMITS};
pub use conveyor::{Conveyor, ConveyorInput, ConveyorOutput, ConveyorState};
pub use filler::{Filler, FillerInput, FillerOutput, FillerState};
pub use labeller::{Labeller, LabellerInput, LabellerOutput, LabellerState};
pub use palletiser::{Palletiser, PalletiserInput, PalletiserOutput, PalletiserPhase, PalletiserState};
pub use rinser::{Rinser, RinserInput, RinserOutput, RinserState};
