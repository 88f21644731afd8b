//! The name of an alarm that outlives a reload: by ids and names of the scene, not by indices.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::{AlarmIndex, Rule, Subject};
use crate::scene::Scene;

/// An alarm of a twin, or of a connection to a broker. Written `P-101/vibration.high` or `broker#plant/connection`:
/// the ids of twins hold neither `/` nor `#`, so that no two alarms share a text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
pub struct AlarmPath {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker: Option<String>,
    pub alarm: String,
}

impl AlarmPath {
    pub fn of_twin(twin: impl Into<String>, alarm: impl Into<String>) -> Self {
        Self { twin: Some(twin.into()), broker: None, alarm: alarm.into() }
    }

    pub fn of_broker(broker: impl Into<String>, alarm: impl Into<String>) -> Self {
        Self { twin: None, broker: Some(broker.into()), alarm: alarm.into() }
    }

    /// The path of a rule of this scene. A subject that the scene lacks leaves its part out.
    pub fn of_rule(rule: &Rule, scene: &Scene) -> Self {
        let id = |index: crate::value::TwinIndex| scene.twins.get(index.at()).map(|twin| twin.id.clone());
        let (twin, broker) = match &rule.subject {
            Subject::Signal(index) => (scene.signals.get(index.at()).and_then(|signal| id(signal.twin)), None),
            Subject::Twin(index) => (id(*index), None),
            Subject::Broker(name) => (None, Some(name.clone())),
        };
        Self { twin, broker, alarm: rule.name.clone() }
    }

    /// The paths of some alarms of this scene; indices beyond it are left out.
    pub fn of_alarms(alarms: &[AlarmIndex], scene: &Scene) -> Vec<Self> {
        let rules = alarms.iter().filter_map(|index| scene.alarm(*index));
        rules.map(|rule| Self::of_rule(rule, scene)).collect()
    }

    /// The rule that bears this name in a scene.
    pub fn rule<'s>(&self, scene: &'s Scene) -> Option<&'s Rule> {
        match (&self.twin, &self.broker) {
            (Some(twin), _) => scene.alarm_named(twin, &self.alarm),
            (None, Some(broker)) => scene.alarms_of_broker(broker).find(|rule| rule.name == self.alarm),
            (None, None) => None,
        }
    }
}

impl fmt::Display for AlarmPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.twin, &self.broker) {
            (Some(twin), _) => write!(f, "{twin}/{}", self.alarm),
            (None, Some(broker)) => write!(f, "broker#{broker}/{}", self.alarm),
            (None, None) => f.write_str(&self.alarm),
        }
    }
}

/// A text that names no alarm.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{text}` names no alarm: write TWIN/ALARM, such as P-101/vibration.high, or broker#NAME/ALARM")]
pub struct UnknownAlarmPath {
    pub text: String,
}

impl FromStr for AlarmPath {
    type Err = UnknownAlarmPath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The id of a twin holds no `/`, the name of a broker may.
        let path = match text.strip_prefix("broker#") {
            Some(rest) => rest.rsplit_once('/').map(|(broker, alarm)| Self::of_broker(broker, alarm)),
            None => text.split_once('/').map(|(twin, alarm)| Self::of_twin(twin, alarm)),
        };
        let is_whole = |path: &Self| {
            !path.alarm.is_empty() && path.twin.as_ref().or(path.broker.as_ref()).is_some_and(|owner| !owner.is_empty())
        };
        path.filter(is_whole).ok_or_else(|| UnknownAlarmPath { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_as_it_was_written() {
        for path in [AlarmPath::of_twin("P-101", "vibration.high"), AlarmPath::of_broker("plant/a", "connection")] {
            assert_eq!(path.to_string().parse(), Ok(path));
        }
        assert!("P-101".parse::<AlarmPath>().unwrap_err().to_string().contains("TWIN/ALARM"));
        assert!("/a".parse::<AlarmPath>().is_err() && "P-101/".parse::<AlarmPath>().is_err());
    }
}
