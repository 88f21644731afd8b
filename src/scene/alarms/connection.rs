//! The alarm that every broker has: its connection is lost. In: what the scene says about it, if anything. Out: a rule.

use std::collections::HashMap;
use std::time::Duration;

use super::super::format::AlarmDef;
use super::super::report::Report;
use super::super::resolved::Scene;
use super::super::span::Spanned;
use super::check::Check;
use super::merge::conditions;
use super::resolve;
use crate::scene::rule::{AlarmIndex, Condition, Guidance, Priority, Rule, Subject};

/// The name of the alarm of a broker.
pub const CONNECTION: &str = "connection";
/// Long enough for a restart of a broker, or a hiccup of the network, to pass unnoticed.
const ON_DELAY: Duration = Duration::from_secs(10);

fn usual(broker: &str) -> Rule {
    Rule {
        on_delay: ON_DELAY,
        priority: Priority::High,
        guidance: Guidance {
            cause: "The broker or the network is down, or the login was refused".to_owned(),
            consequence: "Values are old, and alarms on them cannot be raised".to_owned(),
            action: "See the connection's last error; check network, broker and login".to_owned(),
            ..Guidance::default()
        },
        ..Rule::new(Subject::Broker(broker.to_owned()), CONNECTION, Condition::Disconnected)
    }
}

/// The alarm of a broker of the scene; none if the scene takes it away.
pub(in crate::scene) fn connection(
    broker: &str,
    def: Option<&Spanned<AlarmDef>>,
    scene: &Scene,
    report: &mut Report,
) -> Option<Rule> {
    let mut rule = usual(broker);
    let Some(def) = def else { return Some(rule) };
    let key = Spanned::new("alarm".to_owned(), def.span);
    let item = format!("{broker}.alarm");
    let useless = conditions(def)
        .into_iter()
        .chain(def.deadband.as_ref().map(|given| ("deadband", given.span)))
        .chain(def.count.as_ref().map(|given| ("count", given.span)));
    for (name, span) in useless {
        let brief = format!("`{name}` means nothing here: the condition is that the broker is not connected");
        report.error("alarm-condition", span, &item, brief, "take it out".into());
    }
    let manner = Check::new(broker, None, &key, def, report).manner(rule.priority);
    if def.on_delay.is_some() {
        rule.on_delay = manner.on_delay;
    }
    rule.off_delay = manner.off_delay;
    rule.latching = manner.latching;
    rule.priority = manner.priority;
    rule.group = manner.group;
    let usual = std::mem::take(&mut rule.guidance);
    let or = |given: String, usual: String| if given.is_empty() { usual } else { given };
    rule.guidance = Guidance {
        message: manner.guidance.message,
        cause: or(manner.guidance.cause, usual.cause),
        consequence: or(manner.guidance.consequence, usual.consequence),
        action: or(manner.guidance.action, usual.action),
        respond_within: manner.guidance.respond_within,
    };
    rule.suppressed_when = manner
        .unless
        .and_then(|unless| resolve::formula(&unless, "unless", &item, None, &HashMap::new(), scene, report));
    def.enabled.as_ref().is_none_or(|enabled| enabled.value).then_some(rule)
}

impl Scene {
    /// Gives the usual alarm to the connection of a broker that is not in the scene: one named on the command line, or
    /// the embedded one. Brokers of the scene have theirs already (or none, if the scene says so).
    pub fn watch_connection(&mut self, broker: &str) {
        if self.brokers.contains_key(broker) || self.alarms_of_broker(broker).next().is_some() {
            return;
        }
        let index = AlarmIndex(u32::try_from(self.alarms.len()).unwrap_or(u32::MAX));
        self.alarms.push(Rule { index, ..usual(broker) });
    }
}
