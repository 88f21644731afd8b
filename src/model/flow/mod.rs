//! Things that come, wait, are served and go.

mod arrivals;
mod departures;
mod server;

pub use arrivals::{Arrivals, ArrivalsCounts, ArrivalsOutputs, ArrivalsParameters};
pub use departures::{Departures, DeparturesCounts, DeparturesOutputs};
pub use server::{Server, ServerCounts, ServerOutputs, ServerParameters};
