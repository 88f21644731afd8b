//! Pairs the signals of two scenes by twin id and signal name. In: two scenes. Out: pairs with the conversion from one
//! unit to the other, signals that only one has, and signals that cannot be compared although both have them. Pure.

use std::collections::BTreeSet;

use crate::scene::{Scene, Signal, ValueKind};
use crate::value::{Conversion, SignalIndex, Value};

/// A signal that both have. Values from there are told in the unit here.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pair {
    pub here: SignalIndex,
    pub there: SignalIndex,
    /// From values there to values here.
    pub conversion: Conversion,
}

impl Pair {
    pub fn number(&self, there: f64) -> f64 {
        self.conversion.apply(there)
    }

    /// A value from there as it would be written here.
    pub fn value(&self, there: Value) -> Value {
        match there {
            Value::Number(x) => Value::Number(self.number(x)),
            other => other,
        }
    }
}

/// A signal that both have, but of another kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Unlike {
    /// `P-101.flow`.
    pub path: String,
    pub why: String,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Pairs {
    /// In the order of the signals here.
    pub list: Vec<Pair>,
    /// By signal here: its place in the list.
    places: Vec<Option<u32>>,
    /// Paths of signals, in order.
    pub only_here: Vec<String>,
    pub only_there: Vec<String>,
    pub unlike: Vec<Unlike>,
}

impl Pairs {
    pub fn of(here: &Scene, there: &Scene) -> Self {
        let mut pairs = Self { places: vec![None; here.signals.len()], ..Self::default() };
        let mut met = BTreeSet::new();
        for (ours, theirs) in here.signals.iter().zip(here.renumbering(there)) {
            let Some(theirs) = theirs.and_then(|theirs| there.signals.get(theirs.at())) else {
                pairs.only_here.push(here.signal_path(ours.index));
                continue;
            };
            met.insert(theirs.index);
            match way(theirs, ours) {
                Ok(conversion) => {
                    if let Some(place) = pairs.places.get_mut(ours.index.at()) {
                        *place = Some(pairs.list.len() as u32);
                    }
                    pairs.list.push(Pair { here: ours.index, there: theirs.index, conversion });
                }
                Err(why) => pairs.unlike.push(Unlike { path: here.signal_path(ours.index), why }),
            }
        }
        let rest = there.signals.iter().filter(|signal| !met.contains(&signal.index));
        pairs.only_there = rest.map(|signal| there.signal_path(signal.index)).collect();
        pairs.only_here.sort_unstable();
        pairs.only_there.sort_unstable();
        pairs.unlike.sort_unstable();
        pairs
    }

    /// Some signals of one world, of `count`, each with itself.
    pub(super) fn with_themselves(count: usize, signals: &[SignalIndex]) -> Self {
        let mut pairs = Self { places: vec![None; count], ..Self::default() };
        for &signal in signals {
            if let Some(place) = pairs.places.get_mut(signal.at()) {
                *place = Some(pairs.list.len() as u32);
                pairs.list.push(Pair { here: signal, there: signal, conversion: Conversion::IDENTITY });
            }
        }
        pairs
    }

    /// The pair of a signal here.
    pub fn get(&self, here: SignalIndex) -> Option<&Pair> {
        self.list.get((*self.places.get(here.at())?)? as usize)
    }

    /// Its place in the list.
    pub fn place(&self, here: SignalIndex) -> Option<usize> {
        Some((*self.places.get(here.at())?)? as usize)
    }
}

/// From values of `there` to those of `here`.
fn way(there: &Signal, here: &Signal) -> Result<Conversion, String> {
    if there.kind != here.kind {
        return Err(format!("a {} here and a {} there", kind(here.kind), kind(there.kind)));
    }
    if here.kind != ValueKind::Number {
        return Ok(Conversion::IDENTITY);
    }
    let unit = |signal: &Signal| match signal.unit.symbol() {
        "" => "no unit".to_owned(),
        symbol => symbol.to_owned(),
    };
    there
        .unit
        .conversion_to(&here.unit)
        .ok_or_else(|| format!("{} here and {} there: neither converts into the other", unit(here), unit(there)))
}

fn kind(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Number => "number",
        ValueKind::Bool => "switch",
        ValueKind::Text => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Limits, SignalSource, Twin};
    use crate::value::{TwinIndex, Unit};

    /// Name, kind and unit of a signal.
    type Row = (&'static str, ValueKind, &'static str);

    fn scene(twins: &[(&str, &[Row])]) -> Scene {
        let mut scene = Scene::default();
        for (id, signals) in twins {
            let (twin, first) = (TwinIndex(scene.twins.len() as u32), scene.signals.len() as u32);
            for (name, kind, unit) in *signals {
                scene.signals.push(Signal {
                    index: SignalIndex(scene.signals.len() as u32),
                    twin,
                    name: (*name).to_owned(),
                    label: String::new(),
                    kind: *kind,
                    unit: Unit::parse(unit).expect("a unit"),
                    source: SignalSource::Unbound,
                    expires: None,
                    range: None,
                    limits: Limits::default(),
                });
            }
            scene.twins.push(Twin::new(twin, *id, "Pump", first..scene.signals.len() as u32));
        }
        scene
    }

    #[test]
    fn signals_meet_by_twin_and_name_wherever_they_stand_and_the_rest_is_listed() {
        use ValueKind::{Bool, Number, Text};
        let here = scene(&[
            ("P-1", &[("flow", Number, "m3/h"), ("running", Bool, ""), ("old", Number, "")]),
            ("P-2", &[("flow", Number, "bar"), ("mode", Text, "")]),
        ]);
        let there = scene(&[
            ("P-3", &[("flow", Number, "m3/h")]),
            ("P-2", &[("mode", Number, ""), ("flow", Number, "m3/h")]),
            ("P-1", &[("running", Bool, ""), ("flow", Number, "l/s"), ("new", Text, "")]),
        ]);
        let pairs = Pairs::of(&here, &there);
        let met: Vec<_> = pairs.list.iter().map(|pair| (pair.here.0, pair.there.0)).collect();
        assert_eq!(met, [(0, 4), (1, 3)]);
        let flow = pairs.get(SignalIndex(0)).expect("both have it");
        assert_eq!(flow.value(Value::Number(10.0)), Value::Number(36.0), "l/s in m3/h");
        assert_eq!(pairs.get(SignalIndex(2)), None);
        assert_eq!(
            (&pairs.only_here[..], &pairs.only_there[..]),
            (&["P-1.old".to_owned()][..], &["P-1.new".to_owned(), "P-3.flow".to_owned()][..])
        );
        let unlike: Vec<String> =
            pairs.unlike.iter().map(|unlike| format!("{}: {}", unlike.path, unlike.why)).collect();
        assert_eq!(
            unlike,
            [
                "P-2.flow: bar here and m3/h there: neither converts into the other",
                "P-2.mode: a text here and a number there"
            ]
        );
    }

    #[test]
    fn a_scene_beside_itself_has_nothing_left_over() {
        let scene = scene(&[("P-1", &[("flow", ValueKind::Number, "m3/h"), ("mode", ValueKind::Text, "")])]);
        let pairs = Pairs::of(&scene, &scene);
        assert!(pairs.list.iter().all(|pair| pair.here == pair.there && pair.conversion.is_identity()));
        assert_eq!((pairs.list.len(), pairs.only_here.len() + pairs.only_there.len() + pairs.unlike.len()), (2, 0));
    }
}
