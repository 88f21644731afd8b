//! Whole powers with the same bits on every machine. In: a number and a whole exponent. Out: the product. Never calls the
//! machine's math library, whose `powi` is free in the order of its factors.

/// `x` to the power of `n`, by squaring; for a negative `n` one divided by it. The exponent 0 gives 1.
pub fn powi(x: f64, n: i32) -> f64 {
    let (mut left, mut square, mut product) = (n.unsigned_abs(), x, 1.0);
    while left > 0 {
        if left % 2 == 1 {
            product *= square;
        }
        left /= 2;
        if left > 0 {
            square *= square;
        }
    }
    if n < 0 { 1.0 / product } else { product }
}

#[cfg(test)]
mod tests {
    use super::powi;

    #[test]
    fn a_whole_power_is_a_product() {
        assert_eq!([0, 1, 2, 3, 7, -1, -2].map(|n| powi(2.0, n)), [1.0, 2.0, 4.0, 8.0, 128.0, 0.5, 0.25]);
        assert_eq!([powi(10.0, 9), powi(-3.0, 3), powi(0.0, 0), powi(0.0, -1)], [1e9, -27.0, 1.0, f64::INFINITY]);
        assert_eq!(powi(1.0, i32::MIN), 1.0);
    }
}
