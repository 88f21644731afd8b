//! What a reload changes: values of before are known as such until a newer one comes.

use std::path::Path;

use super::*;
use crate::source::Batch;
use crate::value::{Origin, Quality, Value};

const SCENE: &str = r#"Scene(
    format: (1, 4), name: "Tank",
    types: {"Tank": (signals: {
        "level": (unit: "m", topic: "t/{id}", json: "/level"),
        "flow": (unit: "m3/h", topic: "t/{id}", json: "/flow"),
        "fill": (derived: "level * 2"),
    })},
    twins: [(id: "T-1", type: "Tank")],
)"#;

fn scene(text: &str) -> Arc<Scene> {
    let source = crate::scene::SourceFile { path: "scene.ron".into(), text: text.into() };
    let loaded = crate::scene::load_texts(Path::new("scene.ron"), &[source]);
    Arc::new(loaded.scene.clone().unwrap_or_else(|| panic!("{}", loaded.render(false))))
}

/// One message with level and flow.
fn message(scene: &Scene, generation: u32, ms: i64) -> Batch {
    let time = Timestamp(ms * 1_000_000);
    let sample = |name: &str| Sample {
        signal: scene.signal("T-1", name).expect("a signal").index,
        source_time: time,
        receive_time: time,
        value: Value::Number(ms as f64),
        quality: Quality::GOOD,
        origin: Origin::Measured,
    };
    Batch::of_message(generation, vec![sample("level"), sample("flow")])
}

#[test]
fn values_of_before_a_reload_that_changed_their_signal_are_outdated_until_a_new_one_comes() {
    for (from, to) in [
        ("unit: \"m\"", "unit: \"cm\""),
        ("topic: \"t/{id}\", json: \"/level\"", "topic: \"u/{id}\", json: \"/level\""),
        ("/level", "/height"),
    ] {
        let (old, new) = (scene(SCENE), scene(&SCENE.replace(from, to)));
        let mut knowledge =
            Knowledge::new(old.clone(), 1, 1 << 20, Timestamp(0), crate::produce::ProducerFactory::default());
        knowledge.learn(message(&old, 1, 10));
        let index = |name: &str| new.signal("T-1", name).expect("a signal").index;
        knowledge.adopt(new.clone(), 2, Timestamp(20_000_000));
        let outdated = |knowledge: &Knowledge| ["level", "flow"].map(|name| knowledge.is_outdated(index(name)));
        assert_eq!(outdated(&knowledge), [true, false], "{to}");
        knowledge.learn(message(&old, 1, 30));
        assert_eq!(outdated(&knowledge), [true, false], "decoded by the scene of before: {to}");
        let newest = |knowledge: &Knowledge, name: &str| knowledge.history.newest(index(name)).map(|point| point.value);
        assert_eq!(newest(&knowledge, "flow"), Some(Value::Number(30.0)));
        assert_eq!(newest(&knowledge, "level"), Some(Value::Number(10.0)), "it may be in another unit");
        knowledge.adopt(new.clone(), 3, Timestamp(40_000_000));
        assert_eq!(outdated(&knowledge), [true, false], "another reload is no news of it");
        knowledge.learn(message(&new, 3, 50));
        assert_eq!(outdated(&knowledge), [false, false], "{to}");
    }
}
