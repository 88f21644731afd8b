//! What the user allows. In: the user's word, the addresses of brokers. Out: whether commands may be sent to a broker. The
//! user allows addresses, not names: a broker that moves while the session runs is another one.

use std::collections::BTreeMap;

use super::Options;
use crate::scene::Broker;
use crate::source::mqtt::address_of;

/// To which brokers the user allows commands, where the scene allows them as well.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum AllowCommands {
    #[default]
    No,
    /// To those in the scene, at the addresses that they have at the start; to none that `broker` of [`Options`] replaces.
    OfScene,
    /// To this address alone.
    At(String),
}

/// Addresses that are allowed, by the name of the broker.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed(BTreeMap<String, String>);

impl Allowed {
    /// At the start of a session, whose brokers these are.
    pub fn new(options: &Options, brokers: &BTreeMap<String, Broker>) -> Self {
        let is_allowed = |address: &str| match &options.allow_commands {
            AllowCommands::No => false,
            AllowCommands::OfScene => options.broker.is_none(),
            AllowCommands::At(allowed) => address_of(allowed) == address,
        };
        let each = brokers.iter().map(|(name, broker)| (name.clone(), address_of(&broker.url)));
        Self(each.filter(|(_, address)| is_allowed(address)).collect())
    }

    pub fn has(&self, name: &str, broker: &Broker) -> bool {
        self.0.get(name).is_some_and(|address| *address == address_of(&broker.url))
    }

    /// The scene was read again: what is said where a broker has another address than it had, or is gone, and so is not
    /// allowed any more until the session ends.
    pub fn follow(&mut self, brokers: &BTreeMap<String, Broker>) -> Vec<String> {
        let mut withdrawn = Vec::new();
        self.0.retain(|name, address| {
            let now = brokers.get(name).map(|broker| address_of(&broker.url));
            if now.as_ref() == Some(&*address) {
                return true;
            }
            let now = now.map_or_else(|| "gone".to_owned(), |now| format!("at {now}"));
            withdrawn.push(format!(
                "no more commands are sent to the broker {name}: it was allowed at {address} and is {now} now; start \
                 again to allow it"
            ));
            false
        });
        withdrawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brokers(url: &str) -> BTreeMap<String, Broker> {
        [("plant".to_owned(), Broker::at(url))].into()
    }

    fn allowed(allow: AllowCommands, broker: Option<&str>, url: &str) -> bool {
        let options = Options { allow_commands: allow, broker: broker.map(str::to_owned), ..Options::new("scene.ron") };
        let brokers = brokers(url);
        Allowed::new(&options, &brokers).has("plant", &brokers["plant"])
    }

    #[test]
    fn another_address_than_that_of_the_scene_is_allowed_only_by_name() {
        let at = |url: &str| AllowCommands::At(url.to_owned());
        assert!(!allowed(AllowCommands::No, None, "mqtt://plc"));
        assert!(allowed(AllowCommands::OfScene, None, "mqtt://plc"));
        assert!(!allowed(AllowCommands::OfScene, Some("mqtt://test"), "mqtt://test"));
        assert!(allowed(at("mqtt://test:1883"), Some("mqtt://test"), "mqtt://test"));
        assert!(!allowed(at("mqtt://test:1884"), Some("mqtt://test"), "mqtt://test"));
        assert!(!allowed(at("mqtt://test"), None, "mqtt://plc"));
    }

    #[test]
    fn a_broker_that_moves_is_not_allowed_any_more_not_even_when_it_moves_back() {
        let options = Options { allow_commands: AllowCommands::OfScene, ..Options::new("scene.ron") };
        let (here, there) = (brokers("mqtt://plc"), brokers("mqtt://other"));
        let mut allowed = Allowed::new(&options, &here);
        assert!(allowed.follow(&brokers("mqtt://plc:1883")).is_empty(), "it is the same address");
        let said = allowed.follow(&there);
        assert!(said[0].contains("allowed at mqtt://plc:1883 and is at mqtt://other:1883 now"), "{said:?}");
        assert!(!allowed.has("plant", &there["plant"]));
        allowed.follow(&here);
        assert!(!allowed.has("plant", &here["plant"]));
    }
}
