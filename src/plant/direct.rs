//! A plant that speaks without bytes. In: which topics need them. Out: its messages as the samples that come of them, where
//! those are certain. Changes nothing of what is said, or when.

use super::Plant;
use crate::ingest::{ShortWay, Tables};
use crate::value::Timestamp;

impl Plant {
    /// From now on a message comes as its [samples](super::Message::samples), wherever they are certain to be those that its
    /// bytes would give to a world of the same scene, which hears it at once and reads it by these tables. Other messages come
    /// with their bytes as before, and so do those of topics for which `is_whole` says so, by broker and topic.
    ///
    /// A topic with a fault of a link is whole by itself, as such a fault acts on bytes. A fault that sends old messages once
    /// more knows those of whole topics only: where one is to come, the topic must be whole from the beginning.
    pub fn speak_directly(&mut self, tables: &mut Tables, is_whole: &dyn Fn(&str, &str) -> bool) {
        for report in &mut self.reports {
            let Some(topic) = self.encoder.topics().get(report.topic) else { continue };
            let signals: Vec<_> = report.signals.iter().map(|(signal, _)| *signal).collect();
            let encode = |values: &[_], at: Timestamp| report.payload(&self.encoder, (at, 0), values, &|_, _| {});
            let way = |table| ShortWay::learn(&self.scene, (&self.encoder, table), &topic.name, &signals, &encode);
            report.short = if is_whole(&topic.broker, &topic.name) { None } else { way(tables.of(&topic.broker)) };
        }
    }
}
