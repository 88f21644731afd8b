//! Arms of six joints.

mod arm;
pub mod dynamics;
pub mod kinematics;

pub use arm::{Robot6, Robot6Inputs, Robot6Outputs, Robot6Parameters, Robot6State};
