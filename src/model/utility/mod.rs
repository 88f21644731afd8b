//! Machines that serve the others: compressed air, cold, electricity.

mod chiller;
mod compressor;
mod supply;

pub use chiller::{Chiller, ChillerInput, ChillerOutput, ChillerState};
pub use compressor::{Compressor, CompressorInput, CompressorOutput, CompressorState};
pub use supply::{Supply, SupplyInput, SupplyOutput, SupplyState};
