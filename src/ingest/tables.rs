//! The binding tables of all brokers of a scene, made when a broker is first met. In: a scene, names of brokers. Out: how
//! their messages are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::BindingTable;
use crate::scene::Scene;

/// By the broker that a message came from.
#[derive(Debug)]
pub struct Tables {
    scene: Arc<Scene>,
    generation: u32,
    tables: BTreeMap<String, BindingTable>,
}

impl Tables {
    /// Tables of the scene whose samples are of `generation`.
    pub fn new(scene: Arc<Scene>, generation: u32) -> Self {
        Self { scene, generation, tables: BTreeMap::new() }
    }

    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// How messages of a broker are read. Those of a file that names none are read as those of the scene's first.
    pub fn of(&mut self, broker: &str) -> &BindingTable {
        if !self.tables.contains_key(broker) {
            let first = self.scene.brokers.keys().next().map_or("", String::as_str);
            let name = if broker.is_empty() { first } else { broker };
            self.tables.insert(broker.to_owned(), BindingTable::new(&self.scene, name, self.generation));
        }
        &self.tables[broker]
    }
}
