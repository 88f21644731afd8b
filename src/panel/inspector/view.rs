//! What the inspector shows. In: the scene, current values, history and alarms. Out: [`InspectorView`], plain text. Never
//! draws.

use std::ops::Range;

use crate::alarm::AlarmBoard;
use crate::command::Attention;
use crate::history::{Bucket, ViewTime};
use crate::layers::{Counterpart, Counterparts};
use crate::panel::alarms::words;
use crate::panel::commands::CommandsView;
use crate::panel::format;
use crate::panel::layer_key::{self, LayerKey};
use crate::panel::lines::Lines;
use crate::panel::mark::{Mark, TwinMarks};
use crate::scene::rule::{AlarmIndex, Subject};
use crate::scene::{Decoder, Limits, Scene, SignalSource, ValueKind};
use crate::stage::Current;
use crate::value::{SignalIndex, TwinIndex};

/// How far back a sparkline reaches, and in how many columns.
const SPARK_SECS: u64 = 60;
const SPARK_COLUMNS: usize = 40;

#[derive(Clone, PartialEq, Debug)]
pub struct InspectorView {
    pub twin: TwinIndex,
    pub id: String,
    pub name: String,
    pub type_name: String,
    pub area: String,
    pub mark: Mark,
    pub signals: Vec<SignalView>,
    /// What lies beside.
    pub layers: Vec<LayerKey>,
    /// What its equipment can be told; none where nothing is commanded from here.
    pub commands: Option<CommandsView>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct SignalView {
    pub index: SignalIndex,
    pub name: String,
    pub label: String,
    pub value: String,
    pub unit: String,
    /// In each layer; none in one that does not have it.
    pub beside: Vec<Option<BesideView>>,
    /// The worse of its quality and its alarms.
    pub mark: Mark,
    pub quality_mark: Mark,
    /// Its alarms, in words: `vibration above 4.5 mm/s (high)`. Left out for rows that are not in sight.
    pub alarms: Vec<(AlarmIndex, String)>,
    /// `Good`, `Stale (expired)`.
    pub quality: String,
    /// `3 s`; empty if nothing has arrived.
    pub age: String,
    /// Why the value is not to be trusted, in few words: `stale 38 s`, `bad: out of range`. Empty while it is.
    pub trouble: String,
    pub in_trend: bool,
    /// Numbers are drawn as lines; text is not.
    pub drawable: bool,
    pub spark: Vec<Bucket>,
    /// What a hover tells: origin, limits, times.
    pub details: String,
}

/// What a signal has in a layer.
#[derive(Clone, PartialEq, Debug)]
pub struct BesideView {
    /// A range where the layer gives a band.
    pub value: String,
    /// With the range.
    pub whole: String,
    pub differs: bool,
}

/// What the inspector reads, apart from the twin.
pub struct InspectorInput<'a> {
    pub scene: &'a Scene,
    pub currents: &'a dyn Fn(SignalIndex) -> Current,
    pub layers: &'a [LayerKey],
    /// What a signal has in the layers.
    pub counterparts: &'a dyn Fn(SignalIndex) -> Option<Counterparts>,
    pub history: &'a dyn Lines,
    pub marks: &'a TwinMarks,
    pub board: &'a AlarmBoard,
    pub attention: &'a Attention,
    pub moment: ViewTime,
    /// Which rows were in sight in the last frame: only these get a sparkline.
    pub visible: Range<usize>,
}

/// None if no twin is selected, or the selected one is gone.
pub fn inspector_view(input: &InspectorInput) -> Option<InspectorView> {
    let twin = input.scene.twins.get(input.attention.selected?.at())?;
    let alarms = alarms_of(twin, input.scene);
    let signals: Vec<SignalView> = input
        .scene
        .signals_of(twin)
        .iter()
        .enumerate()
        .map(|(row, signal)| signal_view(signal, &alarms, input.visible.contains(&row), input))
        .collect();
    Some(InspectorView {
        twin: twin.index,
        id: twin.id.clone(),
        name: twin.name.clone(),
        type_name: twin.type_name.clone(),
        area: twin.area.clone(),
        mark: input.marks.twin(twin.index),
        signals,
        layers: input.layers.to_vec(),
        commands: None,
    })
}

fn signal_view(
    signal: &crate::scene::Signal,
    alarms: &[(SignalIndex, AlarmIndex)],
    visible: bool,
    input: &InspectorInput,
) -> SignalView {
    let current = (input.currents)(signal.index);
    let shown = input.moment.shown;
    let drawable = signal.kind != ValueKind::Text;
    // A machine's clock may be ahead of this one: its newest samples belong to the last minute as well.
    let until = if shown >= input.moment.now { shown.max(current.source_time) } else { shown };
    let from = until - std::time::Duration::from_secs(SPARK_SECS);
    let spark = match drawable && visible {
        // The sample at the very end belongs to it too.
        true => input.history.range(signal.index, from, until + std::time::Duration::from_nanos(1), SPARK_COLUMNS),
        false => Vec::new(),
    };
    let seen = current.value.is_some();
    let quality_mark = Mark::of(&current);
    let age = if seen { format::age(shown.secs_since(current.receive_time)) } else { String::new() };
    SignalView {
        index: signal.index,
        name: signal.name.clone(),
        label: signal.label.clone(),
        value: current.value.as_ref().map_or_else(|| "–".into(), format::value),
        unit: if drawable { signal.unit.pretty() } else { String::new() },
        beside: beside_views(input, signal.index),
        trouble: trouble(quality_mark, &current, &age),
        mark: quality_mark.max(Mark::lit(input.board.lamps().signal(signal.index))),
        quality_mark,
        alarms: if visible { told(alarms, signal.index, input.scene) } else { Vec::new() },
        quality: current.quality.to_string(),
        age,
        in_trend: input.attention.trends.contains(&signal.index),
        drawable,
        spark,
        details: details(signal, &current),
    }
}

fn beside_views(input: &InspectorInput, signal: SignalIndex) -> Vec<Option<BesideView>> {
    if input.layers.is_empty() {
        return Vec::new();
    }
    let all = (input.counterparts)(signal).unwrap_or_default();
    let view = |counterpart: &Counterpart| BesideView {
        value: layer_key::value_text(counterpart),
        whole: layer_key::whole_text(counterpart),
        differs: counterpart.deviation.is_notable(),
    };
    (0..input.layers.len()).map(|place| all.get(place).map(view)).collect()
}

/// The alarms of a twin's signals: found in one pass, for a scene may have many.
fn alarms_of(twin: &crate::scene::Twin, scene: &Scene) -> Vec<(SignalIndex, AlarmIndex)> {
    let own = scene.alarms.iter().filter_map(|rule| match rule.subject {
        Subject::Signal(signal) if twin.signals.contains(&signal.0) => Some((signal, rule.index)),
        _ => None,
    });
    own.collect()
}

fn told(alarms: &[(SignalIndex, AlarmIndex)], signal: SignalIndex, scene: &Scene) -> Vec<(AlarmIndex, String)> {
    let own = alarms.iter().filter(|(of, _)| *of == signal).map(|(_, index)| *index);
    own.filter_map(|index| Some((index, words::message(scene.alarms.get(index.at())?, scene)))).collect()
}

fn trouble(mark: Mark, current: &Current, age: &str) -> String {
    let reason = current.quality.reason.text();
    match mark {
        Mark::Stale => format!("stale {age}"),
        Mark::NoData => "no data".into(),
        Mark::Bad if reason.is_empty() => "bad".into(),
        Mark::Bad => format!("bad: {reason}"),
        Mark::Uncertain => "uncertain".into(),
        _ => String::new(),
    }
}

fn details(signal: &crate::scene::Signal, current: &Current) -> String {
    let mut lines = Vec::new();
    if !signal.label.is_empty() {
        lines.push(signal.label.clone());
    }
    lines.push(format!("Quality: {}", current.quality));
    match &signal.source {
        SignalSource::Mqtt(binding) => {
            let place = match &binding.decoder {
                Decoder::Json(pointer) => format!(" at {pointer}"),
                Decoder::Raw => String::new(),
            };
            lines.push(format!("Topic: {}{place}", binding.topic));
        }
        SignalSource::Derived(derivation) => lines.push(format!("Derived: {}", derivation.source)),
        SignalSource::Unbound => lines.push("Not bound to a topic".into()),
    }
    if let Some(text) = limits_text(&signal.limits) {
        lines.push(text);
    }
    if let Some((low, high)) = signal.range {
        lines.push(format!("Range: {} to {}", format::number(low), format::number(high)));
    }
    if current.value.is_some() {
        lines.push(format!("Source time: {}", format::date_and_clock(current.source_time)));
        lines.push(format!("Received: {}", format::date_and_clock(current.receive_time)));
    }
    lines.join("\n")
}

fn limits_text(limits: &Limits) -> Option<String> {
    let all = [("LL", limits.low_low), ("L", limits.low), ("H", limits.high), ("HH", limits.high_high)];
    let set: Vec<_> =
        all.iter().filter_map(|(name, limit)| Some(format!("{name} {}", format::number((*limit)?)))).collect();
    (!set.is_empty()).then(|| format!("Limits: {}", set.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::Urgency;
    use crate::panel::testing;
    use crate::scene::rule::Priority;

    const CRITICAL: Mark = Mark::Alarm(Urgency { priority: Priority::Critical, unacknowledged: true });

    #[test]
    fn a_twin_shows_value_unit_quality_and_age_at_the_cursor() {
        let plant = testing::plant();
        let pump = plant.scene.twin("P-101").unwrap().index;
        let attention = Attention { selected: Some(pump), trends: Vec::new() };
        let view = plant.inspector(&attention).unwrap();
        let vibration = view.signals.iter().find(|signal| signal.name == "vibration").unwrap();
        assert_eq!((vibration.value.as_str(), vibration.mark), ("7.60", CRITICAL));
        assert_eq!((vibration.quality.as_str(), vibration.age.as_str()), ("Good", "now"));
        assert_eq!(vibration.spark.len(), SPARK_COLUMNS);
        assert!(vibration.details.contains("Limits: H 4.5, HH 7.1"), "{}", vibration.details);
        assert_eq!(view.mark, CRITICAL);
    }

    #[test]
    fn a_signal_that_fell_silent_is_stale_and_says_for_how_long() {
        let plant = testing::plant();
        let exchanger = plant.scene.twin("E-101").unwrap().index;
        let attention = Attention { selected: Some(exchanger), trends: Vec::new() };
        let view = plant.inspector(&attention).unwrap();
        let silent = view.signals.iter().find(|signal| signal.name == "outlet_temperature").unwrap();
        assert_eq!((silent.quality_mark, silent.age.as_str()), (Mark::Stale, "38 s"));
        assert!(matches!(silent.mark, Mark::Alarm(_)), "its alarm stands while it is silent");
        assert_eq!(silent.trouble, "stale 38 s");
    }

    #[test]
    fn nothing_selected_or_a_twin_that_is_gone_is_no_view() {
        let plant = testing::plant();
        assert_eq!(plant.inspector(&Attention::default()), None);
        let gone = Attention { selected: Some(TwinIndex(999)), trends: Vec::new() };
        assert_eq!(plant.inspector(&gone), None);
    }
}
