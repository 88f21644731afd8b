//! Finds alarms of a loaded scene. In: twins, signals, brokers, names. Out: rules. Rules stand in the order of twins,
//! within a twin in the order of its signals with the twin's own last, then brokers: so both are found by halving.

use super::super::resolved::Scene;
use crate::scene::rule::{AlarmIndex, AlarmPath, Rule, Subject};
use crate::value::{SignalIndex, TwinIndex};

impl Scene {
    pub fn alarm(&self, alarm: AlarmIndex) -> Option<&Rule> {
        self.alarms.get(alarm.at())
    }

    /// The twin that an alarm belongs to; none for alarms of brokers.
    pub fn twin_of_alarm(&self, rule: &Rule) -> Option<TwinIndex> {
        match rule.subject {
            Subject::Signal(signal) => self.signals.get(signal.at()).map(|signal| signal.twin),
            Subject::Twin(twin) => Some(twin),
            Subject::Broker(_) => None,
        }
    }

    /// Where a rule stands: its twin, then its signal, each as large as can be where there is none.
    fn place(&self, rule: &Rule) -> (u32, u32) {
        let twin = self.twin_of_alarm(rule).map_or(u32::MAX, |twin| twin.0);
        let signal = if let Subject::Signal(signal) = rule.subject { signal.0 } else { u32::MAX };
        (twin, signal)
    }

    fn between(&self, from: (u32, u32), to: (u32, u32)) -> &[Rule] {
        let start = self.alarms.partition_point(|rule| self.place(rule) < from);
        let end = self.alarms.partition_point(|rule| self.place(rule) <= to);
        self.alarms.get(start..end).unwrap_or(&[])
    }

    /// All alarms of a twin and of its signals.
    pub fn alarms_of(&self, twin: TwinIndex) -> &[Rule] {
        self.between((twin.0, 0), (twin.0, u32::MAX))
    }

    /// The alarms of one signal.
    pub fn alarms_of_signal(&self, signal: SignalIndex) -> &[Rule] {
        let Some(twin) = self.signals.get(signal.at()).map(|signal| signal.twin.0) else { return &[] };
        self.between((twin, signal.0), (twin, signal.0))
    }

    pub fn alarms_of_broker(&self, broker: &str) -> impl Iterator<Item = &Rule> {
        let start = self.alarms.partition_point(|rule| self.place(rule).0 < u32::MAX);
        let of_brokers = self.alarms.get(start..).unwrap_or(&[]).iter();
        of_brokers.filter(move |rule| matches!(&rule.subject, Subject::Broker(name) if name == broker))
    }

    /// The alarm `vibration.high` of the twin `P-101`.
    pub fn alarm_named(&self, twin: &str, name: &str) -> Option<&Rule> {
        self.alarms_of(self.twin(twin)?.index).iter().find(|rule| rule.name == name)
    }

    /// `P-101/vibration.high`, or `broker#plant/connection`, see [`AlarmPath`]. Unique in the scene.
    pub fn alarm_path(&self, alarm: AlarmIndex) -> String {
        match self.alarm(alarm) {
            Some(rule) => AlarmPath::of_rule(rule, self).to_string(),
            None => format!("alarm {}", alarm.0),
        }
    }
}
