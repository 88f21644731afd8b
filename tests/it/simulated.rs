//! Plants in simulated time, and what a twin makes of what they say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pollux::import::{self, ImportOptions, Sent};
use pollux::ingest::{BindingTable, Message};
use pollux::plant::Plant;
use pollux::produce::ProducerFactory;
use pollux::scene::{self, Scene};
use pollux::value::{Quality, Sample, Timestamp};

pub const START: Timestamp = Timestamp(1_700_000_000_000_000_000);
pub const SECOND: u64 = 1_000_000_000;

pub fn four_machines() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenes/four_machines.ron")
}

/// A scene without issues.
pub fn load(path: &Path) -> Arc<Scene> {
    let loaded = scene::load(path);
    assert!(loaded.issues.is_empty(), "{}", loaded.render(false));
    Arc::new(loaded.scene.expect("a scene"))
}

/// The four machines after one change of their text.
pub fn changed(from: &str, to: &str) -> Arc<Scene> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scene.ron");
    let text = fs::read_to_string(four_machines()).expect("a scene");
    assert!(text.contains(from), "{from}");
    fs::write(&path, text.replacen(from, to, 1)).expect("a scene");
    load(&path)
}

/// What a plant says in so many seconds, each with the time until which it had run.
pub fn run(plant: &mut Plant, secs: u64) -> Vec<Sent> {
    let mut all = Vec::new();
    let end = plant.time() + secs * SECOND;
    while plant.time() < end {
        let until = plant.time() + SECOND / 10;
        let time = START + Duration::from_nanos(until);
        plant.run(until, START, &mut |message| {
            all.push(Sent {
                time,
                broker: message.broker.to_owned(),
                topic: message.topic.to_owned(),
                payload: message.payload.to_vec(),
                qos: message.qos,
                retained: message.retain,
            });
        });
    }
    all
}

/// What a twin of a scene makes of messages, by signal; every message must be understood, every value good.
pub fn samples(scene: &Scene, messages: &[Sent]) -> BTreeMap<String, Vec<Sample>> {
    let mut tables: BTreeMap<&str, BindingTable> = BTreeMap::new();
    let mut by_signal: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    for Sent { time, broker, topic, payload, .. } in messages {
        let table = tables.entry(broker).or_insert_with(|| BindingTable::new(scene, broker, 1));
        let mut samples = Vec::new();
        let message = Message { topic, payload, retained: false, qos: 0, receive_time: *time };
        let outcome = table.decode(&message, &mut samples);
        let understood = !outcome.unknown_topic && outcome.error.is_none() && outcome.clock.is_none();
        assert!(understood, "{topic}: {outcome:?} {}", String::from_utf8_lossy(payload));
        for sample in samples {
            assert_eq!(sample.quality, Quality::GOOD, "{topic}: {sample:?}");
            by_signal.entry(scene.signal_path(sample.signal)).or_default().push(sample);
        }
    }
    by_signal
}

pub fn numbers(samples: &[Sample]) -> Vec<f64> {
    samples.iter().filter_map(|sample| sample.value.as_f64()).collect()
}

/// Messages as a recording.
pub fn recording(folder: &Path, scene: &Arc<Scene>, messages: &[Sent]) -> PathBuf {
    let path = folder.join("yesterday.mcap");
    let file = fs::File::options().read(true).write(true).create_new(true).open(&path).expect("a file");
    let options = ImportOptions { operator: "ada".into(), wall: START, producers: ProducerFactory::default() };
    let moments = messages.iter().map(|sent| Ok(vec![sent.clone()]));
    import::record(moments, scene.clone(), &path, file, options, || Ok(None)).expect("a recording");
    path
}
