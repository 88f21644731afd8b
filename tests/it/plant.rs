//! The bottling scene and the simulated plant fit together: every bound signal finds its value in some message.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use pollux::model;
use pollux::scene::{self, Decoder, Scene, SignalSource, TimeField, TimeFormat, ValueKind};
use pollux::value::Timestamp;

const START: Timestamp = Timestamp(1_700_000_000_000_000_000);

fn bottling() -> Scene {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/bottling/scene.ron");
    let loaded = scene::load(&path);
    assert!(loaded.issues.is_empty(), "{:#?}", loaded.issues);
    loaded.scene.unwrap_or_default()
}

/// All payloads of five simulated minutes by topic, with the moment each was sent.
fn five_minutes() -> BTreeMap<String, Vec<(Timestamp, Vec<u8>)>> {
    let mut messages: BTreeMap<String, Vec<_>> = BTreeMap::new();
    let Some(mut plant) = model::plant("bottling", "line1", 7) else { return messages };
    while plant.elapsed() < Duration::from_secs(300) {
        plant.step();
        let now = START + plant.elapsed();
        plant.publish(START, &mut |message| {
            messages.entry(message.topic.to_owned()).or_default().push((now, message.payload.to_vec()));
        });
    }
    messages
}

/// Whether a payload holds a value of the signal's kind, within its range.
fn check(kind: ValueKind, range: Option<(f64, f64)>, decoder: &Decoder, payload: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
    let value = match decoder {
        Decoder::Json(pointer) => {
            let json: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
            json.pointer(pointer).cloned().ok_or(format!("{pointer} is missing in {text}"))?
        }
        Decoder::Raw if kind == ValueKind::Text => text.into(),
        Decoder::Raw => serde_json::from_str(text).map_err(|error| error.to_string())?,
    };
    match (kind, &value) {
        (ValueKind::Bool, serde_json::Value::Bool(_)) | (ValueKind::Text, serde_json::Value::String(_)) => Ok(()),
        (ValueKind::Number, serde_json::Value::Number(x)) => {
            let x = x.as_f64().ok_or("not a number")?;
            let (low, high) = range.unwrap_or((f64::MIN, f64::MAX));
            if (low..=high).contains(&x) { Ok(()) } else { Err(format!("{x} is outside {low} to {high}")) }
        }
        _ => Err(format!("{value} is not a {kind:?}")),
    }
}

fn source_time(time: &TimeField, payload: &[u8]) -> Option<Timestamp> {
    let TimeField::Json { pointer, format } = time else { return None };
    let json: serde_json::Value = serde_json::from_slice(payload).ok()?;
    let found = json.pointer(pointer)?;
    match format {
        TimeFormat::Rfc3339 => Timestamp::parse_rfc3339(found.as_str()?),
        TimeFormat::Milliseconds => Some(Timestamp(found.as_i64()? * 1_000_000)),
        _ => None,
    }
}

#[test]
fn every_bound_signal_of_the_bottling_scene_gets_good_values_from_the_plant() {
    let (scene, messages) = (bottling(), five_minutes());
    let mut problems = Vec::new();
    for signal in &scene.signals {
        let SignalSource::Mqtt(binding) = &signal.source else { continue };
        let path = scene.signal_path(signal.index);
        let Some(payloads) = messages.get(&binding.topic) else {
            problems.push(format!("{path}: nothing arrives on {}", binding.topic));
            continue;
        };
        for (sent, payload) in payloads {
            if let Err(problem) = check(signal.kind, signal.range, &binding.decoder, payload) {
                problems.push(format!("{path}: {problem}"));
                break;
            }
            let late = source_time(&binding.time, payload).map_or(0.0, |time| sent.secs_since(time));
            if binding.time != TimeField::Receive && !(0.0..0.001).contains(&late) {
                problems.push(format!("{path}: source time is {late} s behind"));
                break;
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(scene.twins.len() >= 12 && scene.signals.len() >= 80, "{}, {}", scene.twins.len(), scene.signals.len());
    assert_eq!(scene.plant.as_deref(), Some("bottling"));
}

#[test]
fn every_topic_of_the_plant_is_bound_by_the_scene() {
    let scene = bottling();
    let bound = |topic: &str| {
        scene
            .signals
            .iter()
            .any(|signal| matches!(&signal.source, SignalSource::Mqtt(binding) if binding.topic == topic))
    };
    let unknown: Vec<_> = five_minutes().into_keys().filter(|topic| !bound(topic)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_silent_sensor_leaves_a_gap_longer_than_its_signal_lives() {
    let (scene, messages) = (bottling(), five_minutes());
    let expires = scene.signal("HX-201", "product_out").and_then(|signal| signal.expires).unwrap_or_default();
    let Some(payloads) = messages.get("line1/HX-201/TT-203") else { panic!("TT-203 is never reported") };
    let gaps = payloads.windows(2).map(|pair| pair[1].0.secs_since(pair[0].0));
    let long: Vec<f64> = gaps.filter(|gap| *gap > expires.as_secs_f64()).collect();
    assert!(expires > Duration::ZERO && long.len() == 1 && (39.0..42.0).contains(&long[0]), "{long:?}");
}
