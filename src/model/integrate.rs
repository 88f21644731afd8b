//! Steps of time for differential equations. In: y' = f(t, y), a state, a step. Out: the state after the step. Fixed
//! steps and plain arithmetic: the same bits on every machine.
//!
//! Fourth-order Runge-Kutta and Euler: Hairer, Nørsett and Wanner, "Solving Ordinary Differential Equations I", ch. II.
//! Linear equations are stepped exactly, by the exponential of their matrix: Moler and Van Loan, "Nineteen dubious ways
//! to compute the exponential of a matrix, twenty-five years later", SIAM Review 45, 2003 (Padé with scaling and
//! squaring).

/// One step of Euler: order 1, stable up to |λ| dt = 2.
pub fn euler<const N: usize>(t: f64, y: [f64; N], dt: f64, f: impl Fn(f64, &[f64; N]) -> [f64; N]) -> [f64; N] {
    along(&y, &f(t, &y), dt)
}

/// One step of the midpoint rule: order 2, stable up to |λ| dt = 2.
pub fn midpoint<const N: usize>(t: f64, y: [f64; N], dt: f64, f: impl Fn(f64, &[f64; N]) -> [f64; N]) -> [f64; N] {
    let half = along(&y, &f(t, &y), dt / 2.0);
    along(&y, &f(t + dt / 2.0, &half), dt)
}

/// One step of the classical Runge-Kutta method: order 4, stable up to |λ| dt = 2.785 for real λ.
pub fn runge_kutta<const N: usize>(t: f64, y: [f64; N], dt: f64, f: impl Fn(f64, &[f64; N]) -> [f64; N]) -> [f64; N] {
    let k1 = f(t, &y);
    let k2 = f(t + dt / 2.0, &along(&y, &k1, dt / 2.0));
    let k3 = f(t + dt / 2.0, &along(&y, &k2, dt / 2.0));
    let k4 = f(t + dt, &along(&y, &k3, dt));
    std::array::from_fn(|i| y[i] + dt / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]))
}

fn along<const N: usize>(y: &[f64; N], slope: &[f64; N], dt: f64) -> [f64; N] {
    std::array::from_fn(|i| y[i] + dt * slope[i])
}

/// x' = (target - x) / tau over `dt`, exact for a constant target.
pub fn approach(x: f64, target: f64, tau: f64, dt: f64) -> f64 {
    x + (target - x) * -libm::expm1(-dt / tau)
}

/// Moves towards a target at `rate` per second at most.
pub fn move_towards(x: f64, target: f64, rate: f64, dt: f64) -> f64 {
    x + (target - x).clamp(-rate * dt, rate * dt)
}

/// A matrix by its rows.
pub type Matrix<const N: usize> = [[f64; N]; N];

/// e^A. With `A` of size N + M it steps x' = A x + B u exactly: e^([A B; 0 0] dt) has what multiplies x and u in its
/// first N rows.
pub fn exponential<const N: usize>(a: &Matrix<N>) -> Matrix<N> {
    let norm = a.iter().map(|row| row.iter().map(|x| x.abs()).sum::<f64>()).fold(0.0, f64::max);
    let mut halvings = 0;
    let mut scale = 1.0;
    while norm * scale > 0.5 {
        halvings += 1;
        scale /= 2.0;
    }
    let a: Matrix<N> = std::array::from_fn(|i| std::array::from_fn(|j| a[i][j] * scale));
    // Padé of order (6, 6): N(A) / N(-A).
    let (mut above, mut below) = (identity::<N>(), identity::<N>());
    let (mut power, mut factor, mut sign) = (identity::<N>(), 1.0, 1.0);
    for k in 1..=6 {
        factor *= f64::from(7 - k) / f64::from(k * (13 - k));
        power = product(&power, &a);
        sign = -sign;
        for i in 0..N {
            for j in 0..N {
                above[i][j] += factor * power[i][j];
                below[i][j] += sign * factor * power[i][j];
            }
        }
    }
    let mut result = divide(below, above);
    for _ in 0..halvings {
        result = product(&result, &result);
    }
    result
}

/// x' = M (x - steady) over `dt`, exact, in closed form: cheap enough for every step. `M` must have no eigenvalue above 0.
pub fn linear(m: &Matrix<2>, steady: [f64; 2], x: [f64; 2], dt: f64) -> [f64; 2] {
    // e^(M t) = e^(h t) (cosh(d t) I + sinh(d t) / d (M - h I)), h half the trace, d² = h² - det M; d may be imaginary.
    let [[a, b], [c, d]] = *m;
    let half = 0.5 * (a + d);
    let square = 0.25 * (a - d) * (a - d) + b * c;
    let root = square.abs().sqrt();
    let (even, odd) = if root * dt < 1e-4 {
        let decay = libm::exp(half * dt);
        (decay * (1.0 + 0.5 * square * dt * dt), decay * dt * (1.0 + square * dt * dt / 6.0))
    } else if square > 0.0 {
        let (slow, fast) = (libm::exp((half + root) * dt), libm::exp((half - root) * dt));
        (0.5 * (slow + fast), 0.5 * (slow - fast) / root)
    } else {
        let decay = libm::exp(half * dt);
        (decay * libm::cos(root * dt), decay * libm::sin(root * dt) / root)
    };
    let (y, z) = (x[0] - steady[0], x[1] - steady[1]);
    [steady[0] + (even + odd * (a - half)) * y + odd * b * z, steady[1] + odd * c * y + (even + odd * (d - half)) * z]
}

fn identity<const N: usize>() -> Matrix<N> {
    std::array::from_fn(|i| std::array::from_fn(|j| if i == j { 1.0 } else { 0.0 }))
}

fn product<const N: usize>(a: &Matrix<N>, b: &Matrix<N>) -> Matrix<N> {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..N).map(|k| a[i][k] * b[k][j]).sum()))
}

/// a^-1 b, by elimination with pivots.
fn divide<const N: usize>(mut a: Matrix<N>, mut b: Matrix<N>) -> Matrix<N> {
    for column in 0..N {
        let pivot = (column..N).max_by(|i, j| a[*i][column].abs().total_cmp(&a[*j][column].abs())).unwrap_or(column);
        a.swap(column, pivot);
        b.swap(column, pivot);
        for row in 0..N {
            if row == column {
                continue;
            }
            let share = a[row][column] / a[column][column];
            for k in 0..N {
                a[row][k] -= share * a[column][k];
                b[row][k] -= share * b[column][k];
            }
        }
    }
    std::array::from_fn(|i| std::array::from_fn(|j| b[i][j] / a[i][i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Step<const N: usize> = fn(f64, [f64; N], f64, &dyn Fn(f64, &[f64; N]) -> [f64; N]) -> [f64; N];

    /// The error at the end of `steps` steps from 0 to `end`.
    fn error<const N: usize>(
        step: Step<N>,
        f: &dyn Fn(f64, &[f64; N]) -> [f64; N],
        (start, exact): ([f64; N], f64),
        end: f64,
        steps: u32,
    ) -> f64 {
        let dt = end / f64::from(steps);
        let y = (0..steps).fold(start, |y, k| step(f64::from(k) * dt, y, dt, f));
        (y[0] - exact).abs()
    }

    fn order<const N: usize>(
        step: Step<N>,
        f: &dyn Fn(f64, &[f64; N]) -> [f64; N],
        ends: ([f64; N], f64),
        end: f64,
    ) -> f64 {
        libm::log2(error(step, f, ends, end, 40) / error(step, f, ends, end, 80))
    }

    fn methods<const N: usize>() -> [(&'static str, Step<N>, f64, f64); 3] {
        [
            ("Euler", |t, y, dt, f| euler(t, y, dt, f), 1.0, 0.1),
            ("midpoint", |t, y, dt, f| midpoint(t, y, dt, f), 2.0, 0.1),
            ("Runge-Kutta", |t, y, dt, f| runge_kutta(t, y, dt, f), 4.0, 0.15),
        ]
    }

    #[test]
    fn each_method_converges_with_its_order() {
        for (name, step, wanted, tolerance) in methods::<1>() {
            let decay = order(step, &|_, y| [-y[0]], ([1.0], libm::exp(-1.0)), 1.0);
            let logistic =
                order(step, &|_, y| [y[0] * (1.0 - y[0])], ([0.1], 1.0 / (1.0 + 9.0 * libm::exp(-2.0))), 2.0);
            let driven = order(step, &|t, _| [libm::cos(t)], ([0.0], libm::sin(1.0)), 1.0);
            for (what, found) in [("decay", decay), ("logistic", logistic)] {
                assert!((found - wanted).abs() < tolerance, "{name}, {what}: {found}");
            }
            assert!(driven > wanted - tolerance, "{name}, driven: {driven}");
        }
        for (name, step, wanted, tolerance) in methods::<2>() {
            let tau = std::f64::consts::TAU;
            let exact = libm::sin(tau / 3.0);
            let found = order(step, &|_, y| [y[1], -y[0]], ([0.0, 1.0], exact), tau / 3.0);
            assert!((found - wanted).abs() < 2.0 * tolerance, "{name}, oscillator: {found}");
        }
    }

    #[test]
    fn runge_kutta_has_the_errors_of_the_textbook() {
        let exact = ([1.0], libm::exp(-1.0));
        for (steps, wanted) in [(10, 3.332_41e-7), (20, 1.997_61e-8), (40, 1.222_74e-9)] {
            let found = error(|t, y, dt, f| runge_kutta(t, y, dt, f), &|_, y: &[f64; 1]| [-y[0]], exact, 1.0, steps);
            assert!((found / wanted - 1.0).abs() < 1e-3, "{steps} steps: {found}");
        }
    }

    #[test]
    fn an_exponential_is_exact_for_rotations_shears_and_decays() {
        let turn = exponential(&[[0.0, -2.0], [2.0, 0.0]]);
        let (s, c) = (libm::sin(2.0), libm::cos(2.0));
        for (found, wanted) in turn.concat().iter().zip([c, -s, s, c]) {
            assert!((found - wanted).abs() < 1e-14, "{turn:?}");
        }
        let shear = exponential(&[[0.0, 3.0, 0.0], [0.0, 0.0, 5.0], [0.0, 0.0, 0.0]]);
        for (found, wanted) in shear.concat().iter().zip([1.0, 3.0, 7.5, 0.0, 1.0, 5.0, 0.0, 0.0, 1.0]) {
            assert!((found - wanted).abs() < 1e-13, "{shear:?}");
        }
        let fast = exponential(&[[-40.0, 0.0], [0.0, -0.1]]);
        // Seven squarings carry the rounding of the scaled matrix 128 times.
        assert!((fast[0][0] / libm::exp(-40.0) - 1.0).abs() < 1e-10 && (fast[1][1] - libm::exp(-0.1)).abs() < 1e-13);
    }

    #[test]
    fn the_closed_form_of_two_equations_is_their_exponential() {
        let cases = [[[-2.0, 1.0], [0.5, -3.0]], [[-0.1, -4.0], [4.0, -0.1]], [[-1.0, 1e-9], [0.0, -1.0]]];
        for m in cases {
            for dt in [1e-3, 0.7, 5.0] {
                let whole = exponential(&[[m[0][0] * dt, m[0][1] * dt], [m[1][0] * dt, m[1][1] * dt]]);
                let found = linear(&m, [1.0, -2.0], [4.0, 5.0], dt);
                let (y, z) = (3.0, 7.0);
                let wanted = [1.0 + whole[0][0] * y + whole[0][1] * z, -2.0 + whole[1][0] * y + whole[1][1] * z];
                for k in 0..2 {
                    assert!((found[k] - wanted[k]).abs() < 1e-12, "{m:?} over {dt}: {found:?} {wanted:?}");
                }
            }
        }
    }

    #[test]
    fn a_lag_reaches_63_percent_after_its_time_constant_whatever_the_step() {
        let coarse = approach(0.0, 1.0, 5.0, 5.0);
        let fine = (0..500).fold(0.0, |x, _| approach(x, 1.0, 5.0, 0.01));
        assert!((coarse - 0.632_12).abs() < 1e-4 && (coarse - fine).abs() < 1e-9);
    }
}
