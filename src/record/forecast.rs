//! A forecast as a recording holds it. In: a forecast of a scene's signal. Out: JSON that names the signal, and the forecast
//! again, in whatever scene has that signal. What is no forecast is refused when it is read.

use serde::{Deserialize, Serialize};

use crate::history::{BadForecast, Forecast};
use crate::scene::Scene;
use crate::value::{SignalIndex, Timestamp};

/// `{"twin": "P-101", "signal": "flow", "issued": "…Z", "source_time": "…Z", "after_ns": [60000000000], "levels": [0.1, 0.9],
/// "values": [[12.5], [13.5]]}`: see [`Forecast`]. A value that is not there is null.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RecordedForecast {
    pub twin: String,
    pub signal: String,
    pub issued: Timestamp,
    pub source_time: Timestamp,
    /// The moments that it tells of, in nanoseconds after the source time.
    pub after_ns: Vec<i64>,
    pub levels: Vec<f64>,
    pub values: Vec<Vec<Option<f64>>>,
}

impl RecordedForecast {
    /// None if the scene does not have the signal.
    pub fn of(forecast: &Forecast, scene: &Scene) -> Option<Self> {
        let signal = scene.signals.get(forecast.signal().at())?;
        let twin = scene.twins.get(signal.twin.at())?;
        let after = |time: &Timestamp| time.0.saturating_sub(forecast.source_time().0);
        let row = |row: &Vec<f64>| row.iter().map(|value| Some(*value).filter(|value| !value.is_nan())).collect();
        Some(Self {
            twin: twin.id.clone(),
            signal: signal.name.clone(),
            issued: forecast.issued(),
            source_time: forecast.source_time(),
            after_ns: forecast.times().iter().map(after).collect(),
            levels: forecast.levels().to_vec(),
            values: forecast.values().iter().map(row).collect(),
        })
    }

    /// None if the scene does not have the signal.
    pub fn forecast(&self, scene: &Scene) -> Option<Result<Forecast, BadForecast>> {
        Some(self.of_signal(scene.signal(&self.twin, &self.signal)?.index))
    }

    /// Whether it is a forecast at all.
    pub fn check(&self) -> Result<(), BadForecast> {
        self.of_signal(SignalIndex(0)).map(drop)
    }

    fn of_signal(&self, signal: SignalIndex) -> Result<Forecast, BadForecast> {
        let time = |after: &i64| Timestamp(self.source_time.0.saturating_add(*after));
        let row = |row: &Vec<Option<f64>>| row.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        Forecast::new(
            signal,
            (self.issued, self.source_time),
            self.after_ns.iter().map(time).collect(),
            self.levels.clone(),
            self.values.iter().map(row).collect(),
        )
    }

    /// About what it takes in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let values = self.values.iter().map(|row| row.len() * size_of::<Option<f64>>()).sum::<usize>();
        size_of::<Self>() + self.twin.len() + self.signal.len() + self.after_ns.len() * 8 + values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::attach::tests::scene_of_one_signal;

    #[test]
    fn a_forecast_survives_its_file_bit_by_bit() {
        let scene = scene_of_one_signal();
        let times = vec![Timestamp(1_000), Timestamp(61_000_000_001)];
        let values = vec![vec![0.1 + 0.2, f64::NAN], vec![5e-324, -0.0]];
        let forecast =
            Forecast::new(SignalIndex(0), (Timestamp(999), Timestamp(7)), times, vec![0.1, 0.9], values).unwrap();
        let recorded = RecordedForecast::of(&forecast, &scene).expect("a signal");
        let text = serde_json::to_string(&recorded).unwrap();
        let read: RecordedForecast = serde_json::from_str(&text).unwrap();
        assert_eq!(read, recorded);
        let back = read.forecast(&scene).expect("a signal").expect("a forecast");
        assert_eq!((back.issued(), back.source_time(), back.times()), (Timestamp(999), Timestamp(7), forecast.times()));
        let bits = |forecast: &Forecast| forecast.values().concat().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&forecast));
        assert!(read.forecast(&Scene::default()).is_none(), "another scene");
    }

    #[test]
    fn what_is_no_forecast_is_refused_and_breaks_nothing() {
        let text = r#"{"twin": "P-101", "signal": "flow", "issued": "1970-01-01T00:00:09Z",
            "source_time": "1970-01-01T00:00:08Z", "after_ns": [9223372036854775807, 1], "levels": [0.5], "values": [[1.0, 2.0]]}"#;
        let read: RecordedForecast = serde_json::from_str(text).unwrap();
        assert!(read.check().unwrap_err().to_string().starts_with("times[1]"));
    }
}
