//! Which alarm is which across reloads and restarts: by name, since indices change.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Rule, Subject};
use crate::scene::Scene;
use crate::twin::{SignalIndex, TwinIndex};

/// The name of an alarm in the world: what it is about, and its own name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Key {
    pub subject: Named,
    /// [`Rule::name`].
    pub name: String,
}

/// A [`Subject`] by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// `P-101.vibration`
    Signal(String),
    /// `P-101`
    Twin(String),
    Broker(String),
}

impl Key {
    pub fn of(rule: &Rule, scene: &Scene) -> Self {
        let subject = match &rule.subject {
            Subject::Signal(signal) => Named::Signal(signal_path(scene, *signal)),
            Subject::Twin(twin) => Named::Twin(twin_id(scene, *twin)),
            Subject::Broker(name) => Named::Broker(name.clone()),
        };
        Self { subject, name: rule.name.clone() }
    }
}

/// For messages: `P-101.vibration: alarm vibration.high`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Named::Signal(name) | Named::Twin(name) => write!(f, "{name}: alarm {}", self.name),
            Named::Broker(name) => write!(f, "broker {name}: alarm {}", self.name),
        }
    }
}

/// `P-101.flow`; of a signal that the scene does not have, its number.
pub(super) fn signal_path(scene: &Scene, signal: SignalIndex) -> String {
    match scene.signals.get(signal.at()) {
        Some(found) => format!("{}.{}", twin_id(scene, found.twin), found.name),
        None => format!("signal {}", signal.0),
    }
}

fn twin_id(scene: &Scene, twin: TwinIndex) -> String {
    scene.twins.get(twin.at()).map_or_else(|| format!("twin {}", twin.0), |twin| twin.id.clone())
}
