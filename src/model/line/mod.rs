//! Machines of a filling line: whole items go from one to the next, none is lost or made on the way.

mod capper;
mod carousel;
mod conveyor;
mod filler;
mod infeed;
mod labeller;
mod palletiser;
mod rinser;
mod store;
mod vehicle;

pub use capper::{Capper, CapperCounts, CapperInputs, CapperOutputs, CapperParameters};
pub use conveyor::{Conveyor, ConveyorCounts, ConveyorInputs, ConveyorOutputs, ConveyorParameters, ConveyorState};
pub use filler::{
    Filler, FillerCounts, FillerInputs, FillerOutputs, FillerParameters, FillerState, least_mean, tolerable,
};
pub use infeed::{Infeed, InfeedCounts, InfeedInputs, InfeedOutputs, InfeedParameters};
pub use labeller::{Labeller, LabellerCounts, LabellerInputs, LabellerOutputs, LabellerParameters, LabellerState};
pub use palletiser::{
    Palletiser, PalletiserCounts, PalletiserInputs, PalletiserOutputs, PalletiserParameters, PalletiserState,
};
pub use rinser::{Rinser, RinserCounts, RinserInputs, RinserOutputs, RinserParameters, RinserState};
pub use store::{Store, StoreCounts, StoreOutputs, StoreParameters};
pub use vehicle::{
    Vehicle, VehicleCounts, VehicleInputs, VehicleOutputs, VehicleParameters, VehicleState, travel_secs,
};
