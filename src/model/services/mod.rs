//! What serves a whole plant and is no liquid: compressed air, and the air around machines.

mod air_consumer;
mod compressor;
mod room;

pub use air_consumer::{AirConsumer, AirConsumerInputs, AirConsumerOutputs, AirConsumerParameters, AirConsumerState};
pub use compressor::{
    Compressor, CompressorCounts, CompressorInputs, CompressorOutputs, CompressorParameters, CompressorState,
    discharge_temperature, isothermal_power, polytropic_power, volumetric_efficiency,
};
pub use room::{Room, RoomInputs, RoomOutputs, RoomParameters, RoomState, saturation_pressure};
