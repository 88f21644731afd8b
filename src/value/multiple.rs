//! Multiples of a step, as an instrument with few digits shows them. In: a number and a step. Out: the nearest multiple.

/// The nearest multiple of `step`. Where the step is a whole part of one, such as 0.001, the result has no more digits than
/// it needs. A step that is not above 0, and a number too large to count in steps, change nothing.
pub fn to_multiple(x: f64, step: f64) -> f64 {
    if step <= 0.0 || step.is_nan() {
        return x;
    }
    let parts = (1.0 / step).round();
    let multiple = match (parts * step - 1.0).abs() < 1e-9 && parts >= 1.0 {
        true => (x * parts).round() / parts,
        false => (x / step).round() * step,
    };
    if multiple.is_finite() { multiple } else { x }
}

#[cfg(test)]
mod tests {
    use super::to_multiple;

    #[test]
    fn steps_are_short_numbers() {
        assert_eq!(to_multiple(61.234_46, 0.001).to_string(), "61.234");
        assert_eq!(to_multiple(0.3, 0.1).to_string(), "0.3");
        assert_eq!([to_multiple(1237.0, 25.0), to_multiple(-0.26, 0.5)], [1225.0, -0.5]);
    }

    #[test]
    fn what_has_no_multiple_stays() {
        for (x, step) in [(7.3, 0.0), (7.3, -1.0), (7.3, f64::NAN), (f64::MAX, 1e-300), (f64::MAX, 1e-3)] {
            assert_eq!(to_multiple(x, step), x, "{x} in steps of {step}");
        }
        assert!(to_multiple(f64::NAN, 0.1).is_nan());
    }
}
