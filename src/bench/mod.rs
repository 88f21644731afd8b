//! Measurements of this program on this machine: what `pollux bench` prints.
//!
//! Speeds are stated against a named reference in the same run, since machines are shared and differ.

pub mod alarms;
pub mod flood;
pub mod frame;
pub mod ingest;
pub mod models;
pub mod record;
pub mod recording;
pub mod scenario;

use std::sync::Arc;
use std::time::Duration;

use crate::scene::{Binding, Decoder, Limits, Scene, Signal, SignalSource, TimeField, TimeFormat, Twin, ValueKind};
use crate::value::{Conversion, SignalIndex, TwinIndex, Unit};

/// Names of the ten fields of a measured message.
const FIELDS: [&str; 10] =
    ["flow", "pressure", "temperature", "vibration", "speed", "power", "torque", "level", "current", "position"];

/// A scene of `twins` twins with ten signals each, all in one JSON message per twin.
fn scene(twins: u32) -> Scene {
    let mut scene = Scene { name: "bench".into(), ..Scene::default() };
    for t in 0..twins {
        let first = t * FIELDS.len() as u32;
        scene.twins.push(Twin {
            index: TwinIndex(t),
            id: format!("T-{t}"),
            name: String::new(),
            type_name: "Bench".into(),
            area: String::new(),
            at: [0.0; 3],
            facing_deg: 0.0,
            scale: 1.0,
            signals: first..first + FIELDS.len() as u32,
            look: None,
        });
        for (f, name) in FIELDS.iter().enumerate() {
            scene.signals.push(Signal {
                index: SignalIndex(first + f as u32),
                twin: TwinIndex(t),
                name: (*name).into(),
                label: String::new(),
                kind: ValueKind::Number,
                unit: Unit::none(),
                source: SignalSource::Mqtt(Binding {
                    broker: None,
                    topic: topic(t),
                    decoder: Decoder::Json(format!("/{name}")),
                    time: TimeField::Json { pointer: "/ts".into(), format: TimeFormat::Milliseconds },
                    conversion: Conversion::IDENTITY,
                }),
                expires: Some(Duration::from_secs(60)),
                range: None,
                limits: Limits::default(),
            });
        }
    }
    scene
}

fn topic(twin: u32) -> String {
    format!("bench/T-{twin}/telemetry")
}

/// One message of about 200 bytes with ten numbers and a time.
fn payload(ts_ms: i64, n: u64) -> String {
    use std::fmt::Write;
    let mut text = format!("{{\"ts\":{ts_ms}");
    for (f, name) in FIELDS.iter().enumerate() {
        let value = ((n * 7 + f as u64 * 13) % 10_000) as f64 / 100.0;
        let _ = write!(text, ",\"{name}\":{value:.2}");
    }
    text.push('}');
    text
}

/// NaN of none.
fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Rates are shown as people compare them: 1,234,567.
fn grouped(rate: f64) -> String {
    let digits = format!("{:.0}", rate.max(0.0));
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn no_waker() -> crate::source::Waker {
    Arc::new(|| {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_ten_fields_and_about_200_bytes() {
        let text = payload(1_700_000_000_000, 42);
        assert!((150..=230).contains(&text.len()), "{} bytes: {text}", text.len());
        let json: serde_json::Value = serde_json::from_str(&text).expect("valid JSON");
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(11));
    }

    #[test]
    fn rates_are_grouped_by_thousands() {
        assert_eq!(grouped(1_234_567.4), "1,234,567");
        assert_eq!(grouped(999.0), "999");
        assert_eq!(grouped(1000.0), "1,000");
    }
}
