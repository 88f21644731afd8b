//! Measures the difference of two values. In: values, and the scale to see them on. Out: the difference and its weight.
//! Pure.

use crate::value::Value;

/// From this weight on a difference is worth a look.
pub const NOTABLE: f64 = 0.05;

/// How the value there differs from the one here.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Deviation {
    /// The value there minus the one here, in the unit here; none unless both are finite numbers.
    pub delta: Option<f64>,
    /// The difference as a share of the scale, from 0 to 1; texts and switches that differ weigh 1. Where one has no
    /// value there is nothing to compare: 0.
    pub weight: f64,
}

impl Deviation {
    pub fn between(here: Option<&Value>, there: Option<&Value>, scale: f64) -> Self {
        let (Some(here), Some(there)) = (here, there) else { return Self::default() };
        match (here, there) {
            (Value::Number(a), Value::Number(b)) if a.is_finite() && b.is_finite() => {
                let delta = b - a;
                Self { delta: Some(delta), weight: share(delta, scale) }
            }
            (Value::Number(_), Value::Number(_)) => Self::default(),
            _ => Self { delta: None, weight: if here == there { 0.0 } else { 1.0 } },
        }
    }

    pub fn is_notable(&self) -> bool {
        self.weight >= NOTABLE
    }
}

/// A difference as a share of a scale, at most 1.
pub fn share(delta: f64, scale: f64) -> f64 {
    match delta.abs() {
        0.0 => 0.0,
        delta if scale > 0.0 => (delta / scale).min(1.0),
        _ => 1.0,
    }
}

/// The least and the greatest value of one or of several.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    pub min: f64,
    pub max: f64,
}

impl Default for Spread {
    fn default() -> Self {
        Self { min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Spread {
    /// Only finite numbers count.
    pub fn add(&mut self, x: f64) {
        if x.is_finite() {
            (self.min, self.max) = (self.min.min(x), self.max.max(x));
        }
    }

    /// What a gauge would need to show these values from nought on, or the whole `range` of the signal if that is
    /// narrower: so the noise of a value that stands still weighs little, whatever its spread.
    pub fn scale(&self, range: Option<(f64, f64)>) -> f64 {
        let gauge = self.max.max(0.0) - self.min.min(0.0);
        let range = range.map(|(low, high)| high - low).filter(|width| *width > 0.0);
        range.map_or(gauge, |width| gauge.min(width))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spread(values: &[f64]) -> Spread {
        let mut spread = Spread::default();
        values.iter().for_each(|x| spread.add(*x));
        spread
    }

    #[test]
    fn a_difference_weighs_as_much_as_it_is_of_the_scale() {
        let number =
            |a: f64, b: f64, scale| Deviation::between(Some(&Value::Number(a)), Some(&Value::Number(b)), scale);
        assert_eq!(number(20.0, 30.0, 40.0), Deviation { delta: Some(10.0), weight: 0.25 });
        assert_eq!(number(30.0, 20.0, 5.0), Deviation { delta: Some(-10.0), weight: 1.0 });
        assert_eq!(number(3.0, 3.0, 0.0).weight, 0.0);
        assert_eq!(number(3.0, 4.0, 0.0).weight, 1.0, "nothing is known of the scale");
        assert_eq!(number(f64::NAN, 4.0, 1.0), Deviation::default());
    }

    #[test]
    fn texts_and_switches_differ_or_not_and_what_is_missing_is_not_compared() {
        let text = |text: &str| Value::Text(text.into());
        let weight = |a: Option<Value>, b: Option<Value>| Deviation::between(a.as_ref(), b.as_ref(), 1.0).weight;
        assert_eq!(weight(Some(text("auto")), Some(text("auto"))), 0.0);
        assert_eq!(weight(Some(text("auto")), Some(text("manual"))), 1.0);
        assert_eq!(weight(Some(Value::Bool(true)), Some(Value::Bool(false))), 1.0);
        assert_eq!(weight(None, Some(Value::Bool(false))), 0.0);
    }

    #[test]
    fn the_scale_is_a_gauge_from_nought_or_the_narrower_range() {
        assert_eq!(spread(&[56.0, 60.0]).scale(None), 60.0);
        assert_eq!(spread(&[-5.0, 15.0]).scale(None), 20.0);
        assert_eq!(spread(&[1010.0, 1020.0]).scale(Some((950.0, 1050.0))), 100.0);
        assert_eq!(spread(&[500.0]).scale(Some((0.0, 1e9))), 500.0);
        assert_eq!(spread(&[f64::NAN]).scale(None), 0.0);
    }

    proptest! {
        #[test]
        fn weights_are_shares_and_the_same_both_ways(a in any::<f64>(), b in any::<f64>(), scale in 0.0..1e12_f64) {
            let (a, b) = (Value::Number(a), Value::Number(b));
            let (there, back) =
                (Deviation::between(Some(&a), Some(&b), scale), Deviation::between(Some(&b), Some(&a), scale));
            prop_assert!((0.0..=1.0).contains(&there.weight), "{there:?}");
            prop_assert_eq!(there.weight, back.weight);
            prop_assert_eq!(there.delta.map(|delta| -delta), back.delta);
            prop_assert_eq!(Deviation::between(Some(&a), Some(&a), scale).weight, 0.0);
        }
    }
}
