//! What can be broken of a twin. In: the scene, the twin. Out: [`Offer`]s, each with the kinds of faults that fit, sizes in its
//! unit and what a slider covers. Knows no widget.

use std::collections::BTreeSet;

use crate::fault::{Defect, Kind, Layer, LinkEffect, Parameter, ProcessEffect, SensorEffect};
use crate::model::Role;
use crate::network::Feed;
use crate::scene::{Scene, SignalSource, Twin, ValueKind};

/// One thing of a twin that can be broken.
#[derive(Clone, PartialEq, Debug)]
pub struct Offer {
    pub layer: Layer,
    /// `P-101.bearing.growth_rate`, `P-101.flow`, `hall/P-101/#`.
    pub path: String,
    /// Without the twin: `bearing.growth_rate`.
    pub name: String,
    pub about: String,
    pub unit: String,
    /// The size of its range in its unit: sliders cover parts of it.
    pub span: f64,
    /// What it is without faults, where that is fixed.
    pub usual: Option<f64>,
    /// Lowest and highest value that it can have.
    pub bounds: (f64, f64),
    /// Whether it says how worn, fouled or broken the machine is: what breaks first in real life.
    pub is_condition: bool,
    pub kinds: Vec<&'static Kind>,
}

impl Offer {
    /// What a slider of a parameter of one of its kinds covers, and where it begins, in the parameter's unit.
    pub fn slider(&self, kind: &Kind, parameter: &Parameter) -> ((f64, f64), f64) {
        let is_value = kind.layer == Layer::Process && kind.name == "set";
        if is_value {
            let (low, high) = self.bounds;
            let begin = self.usual.unwrap_or(0.0).clamp(low, high);
            let range = match high - low {
                width if width.is_finite() && width <= 1e6 * self.span => (low, high),
                _ => ((begin - self.span).max(low), (begin + self.span).min(high)),
            };
            return (range, begin);
        }
        let of = |x: f64| parameter.in_unit(x, self.span).clamp(parameter.bounds.0, parameter.bounds.1);
        ((of(parameter.usual.0), of(parameter.usual.1)), of(parameter.default))
    }

    /// The defect of a kind with sizes; none for a kind that does not fit.
    pub fn defect(&self, kind: &Kind, values: &[f64]) -> Option<Defect<String, String>> {
        match self.layer {
            Layer::Process => {
                let effect = ProcessEffect::of(kind.name, values)?;
                Some(Defect::Process { target: self.path.clone(), effect })
            }
            Layer::Sensor => {
                let effect = SensorEffect::of(kind.name, values)?;
                Some(Defect::Sensor { signal: self.path.clone(), effect })
            }
            Layer::Link => {
                let effect = LinkEffect::of(kind.name, values)?;
                Some(Defect::Link { broker: None, topics: vec![self.path.clone()], effect })
            }
        }
    }
}

/// All that can be broken of a twin: of its machines first what wears, then the rest; its signals; its topics.
/// `has_machine` says whether its machines can be reached: only those of a simulated plant.
pub fn offers(scene: &Scene, twin: &Twin, has_machine: bool) -> Vec<Offer> {
    let mut all = if has_machine { machine_offers(scene, twin) } else { Vec::new() };
    all.sort_by_key(|offer| !offer.is_condition);
    all.extend(signal_offers(scene, twin));
    all.extend(topic_offers(scene, twin));
    all
}

fn machine_offers(scene: &Scene, twin: &Twin) -> Vec<Offer> {
    let Some(blueprint) = &scene.blueprint else { return Vec::new() };
    let own = scene.machines.iter().zip(&blueprint.machines).filter(|(of, _)| of.twin == Some(twin.index));
    let mut all = Vec::new();
    for (of, machine) in own {
        let said = machine.model.description();
        let name = |one: &str| if of.part.is_empty() { one.to_owned() } else { format!("{}.{one}", of.part) };
        let parameters = said.parameters.iter().zip(&machine.parameters).filter(|(one, _)| one.role != Role::Start);
        all.extend(parameters.map(|(one, value)| Offer {
            layer: Layer::Process,
            path: format!("{}.{}", machine.id, one.name),
            name: name(one.name),
            about: one.about.to_owned(),
            unit: one.unit.to_owned(),
            span: span(one.bounds, *value),
            usual: Some(*value),
            bounds: one.bounds,
            is_condition: one.role == Role::Condition,
            kinds: ProcessEffect::KINDS.iter().filter(|kind| kind.name != "stuck").collect(),
        }));
        // A path that two share names the parameter.
        let inputs = said.inputs.iter().zip(&machine.inputs).filter(|(one, _)| said.parameter(one.name).is_none());
        all.extend(inputs.map(|(one, feed)| {
            let usual = match feed {
                Feed::Constant(x) => Some(*x),
                _ => one.default,
            };
            Offer {
                layer: Layer::Process,
                path: format!("{}.{}", machine.id, one.name),
                name: name(one.name),
                about: one.about.to_owned(),
                unit: one.unit.to_owned(),
                span: span((f64::NEG_INFINITY, f64::INFINITY), usual.unwrap_or(1.0)),
                usual,
                bounds: (f64::NEG_INFINITY, f64::INFINITY),
                is_condition: false,
                kinds: ProcessEffect::KINDS.iter().collect(),
            }
        }));
    }
    all
}

fn signal_offers(scene: &Scene, twin: &Twin) -> Vec<Offer> {
    let is_bound = |signal: &&crate::scene::Signal| matches!(signal.source, SignalSource::Mqtt(_));
    let bound = scene.signals_of(twin).iter().filter(is_bound);
    bound
        .map(|signal| {
            let takes_all = ["stuck", "dropout", "delay"];
            let fits = |kind: &&Kind| signal.kind == ValueKind::Number || takes_all.contains(&kind.name);
            let limits = [signal.limits.low_low, signal.limits.low, signal.limits.high, signal.limits.high_high];
            let limits: Vec<f64> = limits.into_iter().flatten().collect();
            let largest = limits.iter().fold(0.0_f64, |largest, limit| largest.max(limit.abs()));
            let bounds = signal.range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            Offer {
                layer: Layer::Sensor,
                path: scene.signal_path(signal.index),
                name: signal.name.clone(),
                about: signal.label.clone(),
                unit: signal.unit.symbol().to_owned(),
                span: span(bounds, largest),
                usual: None,
                bounds,
                is_condition: false,
                kinds: SensorEffect::KINDS.iter().filter(fits).collect(),
            }
        })
        .collect()
}

fn topic_offers(scene: &Scene, twin: &Twin) -> Vec<Offer> {
    let topics: BTreeSet<&str> = scene.signals_of(twin).iter().filter_map(|signal| signal.topic()).collect();
    let offer = |topic: &str| Offer {
        layer: Layer::Link,
        path: topic.to_owned(),
        name: topic.to_owned(),
        about: "messages of this topic".to_owned(),
        unit: String::new(),
        span: 1.0,
        usual: None,
        bounds: (f64::NEG_INFINITY, f64::INFINITY),
        is_condition: false,
        kinds: LinkEffect::KINDS.iter().collect(),
    };
    topics.into_iter().map(offer).collect()
}

/// The size of a range, or what a value suggests where there is none.
fn span((low, high): (f64, f64), value: f64) -> f64 {
    let width = high - low;
    let suggested = if value == 0.0 { 1.0 } else { value.abs() };
    // A range that covers whole powers of ten says nothing of what is usual.
    if width.is_finite() && width > 0.0 && width <= 100.0 * suggested { width } else { suggested }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::fault::{Course, WrittenFault};
    use crate::scene::faults;

    fn hall() -> Scene {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenes/bottling/scene.ron");
        crate::scene::load(&file).scene.expect("the demo's scene")
    }

    #[test]
    fn whatever_is_offered_can_be_set_as_it_is_offered() {
        let scene = hall();
        let mut count = 0;
        for twin in &scene.twins {
            for offer in offers(&scene, twin, true) {
                for kind in &offer.kinds {
                    let begin: Vec<f64> = kind.parameters.iter().map(|one| offer.slider(kind, one).1).collect();
                    let ends = |end: fn((f64, f64)) -> f64| -> Vec<f64> {
                        kind.parameters.iter().map(|one| end(offer.slider(kind, one).0)).collect()
                    };
                    for values in [begin, ends(|(low, _)| low), ends(|(_, high)| high)] {
                        let defect = offer.defect(kind, &values).expect("a defect");
                        let fault = WrittenFault { id: "F-1".into(), defect, course: Course::default() };
                        let resolved = faults::resolve(&fault, &scene);
                        assert!(resolved.is_ok(), "{} of {}: {resolved:?}", kind.name, offer.path);
                        count += 1;
                    }
                }
            }
        }
        assert!(count > 1000, "{count}");
    }

    #[test]
    fn what_wears_comes_first_and_live_data_offer_no_machine() {
        let scene = hall();
        let twin = scene.twin("P-101").expect("a pump");
        let all = offers(&scene, twin, true);
        assert!(all.first().is_some_and(|first| first.is_condition), "{:?}", all.first());
        let over_live_data = offers(&scene, twin, false);
        assert!(over_live_data.iter().all(|offer| offer.layer != Layer::Process) && !over_live_data.is_empty());
    }
}
