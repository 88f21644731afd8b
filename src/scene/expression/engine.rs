//! The one rhai engine: which functions there are, and how far an expression may go.
//!
//! Functions that are not exact (`sin`, `exp`, `pow`, …) come from the `libm` crate: a fixed version of one Rust text, so
//! that they have the same bits on every machine. `abs`, `ceil`, `floor`, `round`, `sqrt`, `%` and `+ - * /` are exact
//! by IEEE 754 and come from the machine. The feature `arch` of `libm`, which other crates turn on, changes nothing
//! here: it takes `sqrt`, `fma` and rounding from the processor, which are exact either way.

use std::any::Any;
use std::sync::LazyLock;

use rhai::{Engine, EvalAltResult, ImmutableString, ParseError};

/// Functions that expressions may call, with the number of their arguments.
pub const FUNCTIONS: &[(&str, usize)] = &[
    ("abs", 1),
    ("acos", 1),
    ("asin", 1),
    ("atan", 1),
    ("atan2", 2),
    ("ceil", 1),
    ("clamp", 3),
    ("cos", 1),
    ("count", 2),
    ("duration", 2),
    ("exp", 1),
    ("floor", 1),
    ("integral", 2),
    ("ln", 1),
    ("log10", 1),
    ("max", 2),
    ("mean", 2),
    ("min", 2),
    ("number", 1),
    ("pi", 0),
    ("pow", 2),
    ("round", 1),
    ("sign", 1),
    ("sin", 1),
    ("sqrt", 1),
    ("tan", 1),
    ("tanh", 1),
];

/// Functions of one and of two numbers, by their names.
pub(super) type Unary = (&'static str, fn(f64) -> f64);
pub(super) type Binary = (&'static str, fn(f64, f64) -> f64);

/// Operators and functions from a number to a number.
pub(super) const UNARY: &[Unary] = &[
    ("-", |x| -x),
    ("+", |x| x),
    ("abs", f64::abs),
    ("acos", libm::acos),
    ("asin", libm::asin),
    ("atan", libm::atan),
    ("ceil", f64::ceil),
    ("cos", libm::cos),
    ("exp", libm::exp),
    ("floor", f64::floor),
    ("ln", libm::log),
    ("log10", libm::log10),
    ("round", f64::round),
    ("sign", |x| if x == 0.0 { 0.0 } else { x.signum() }),
    ("sin", libm::sin),
    ("sqrt", f64::sqrt),
    ("tan", libm::tan),
    ("tanh", libm::tanh),
];

/// Functions from two numbers to one.
pub(super) const BINARY: &[Binary] = &[("atan2", libm::atan2), ("max", max), ("min", min), ("pow", libm::pow)];

/// Steps of one evaluation. An expression without loops takes about one step per operator.
const MAX_OPERATIONS: u64 = 10_000;
const MAX_DEPTH: usize = 64;

pub(super) fn engine() -> &'static Engine {
    static ENGINE: LazyLock<Engine> = LazyLock::new(build);
    &ENGINE
}

/// The same, but refuses to compare values of different kinds, which rhai takes for simply unequal.
pub(super) fn strict() -> &'static Engine {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
        let mut engine = build();
        // Else the built-in operators win over those registered here.
        engine.set_fast_operators(false);
        for operator in ["==", "!=", "<", "<=", ">", ">="] {
            refuse::<bool, f64>(&mut engine, operator, "true or false", "a number");
            refuse::<f64, ImmutableString>(&mut engine, operator, "a number", "a text");
            refuse::<bool, ImmutableString>(&mut engine, operator, "true or false", "a text");
        }
        engine
    });
    &ENGINE
}

fn refuse<A, B>(engine: &mut Engine, operator: &'static str, a: &'static str, b: &'static str)
where
    A: Any + Clone + Send + Sync,
    B: Any + Clone + Send + Sync,
{
    let error = move || -> Result<bool, Box<EvalAltResult>> {
        Err(format!("{a} is compared with {b} by `{operator}`: they are never equal, less or greater").into())
    };
    engine.register_fn(operator, move |_: A, _: B| error()).register_fn(operator, move |_: B, _: A| error());
}

fn build() -> Engine {
    let mut engine = Engine::new_raw();
    engine.set_max_operations(MAX_OPERATIONS).set_max_expr_depths(MAX_DEPTH);
    engine.set_max_string_size(64 * 1024);
    engine.set_strict_variables(true).set_allow_looping(false);
    engine.set_allow_switch_expression(false).set_allow_shadowing(false).set_fast_operators(true);
    for (name, function) in UNARY {
        engine.register_fn(*name, *function);
    }
    for (name, function) in BINARY {
        engine.register_fn(*name, *function);
    }
    engine.register_fn("!", |b: bool| !b).register_fn("clamp", clamp);
    engine.register_fn("pi", || std::f64::consts::PI);
    engine.register_fn("number", |b: bool| f64::from(u8::from(b))).register_fn("number", |x: f64| x);
    engine
}

/// The greater one; the other one where one is NaN. `f64::max` may give either of 0.0 and -0.0.
fn max(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() { b } else { a }
}

fn min(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { b } else { a }
}

/// `f64::clamp` panics where the bounds are out of order.
pub(super) fn clamp(x: f64, low: f64, high: f64) -> f64 {
    max(min(x, high), low)
}

/// rhai's words without its positions: those belong to rewritten text that nobody wrote.
pub(super) fn parse_message(error: &ParseError) -> String {
    let text = error.err_type().to_string();
    format!("the expression cannot be understood: {text}")
}

pub(super) fn run_message(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            let plain = signature.replace("f64", "number").replace("&str | ImmutableString | String", "text");
            format!("the operation `{plain}` is not known: numbers, booleans and texts do not mix")
        }
        EvalAltResult::ErrorMismatchDataType(wanted, found, _) => format!("{wanted} is expected, found {found}"),
        EvalAltResult::ErrorRuntime(message, _) => message.to_string(),
        EvalAltResult::ErrorTooManyOperations(_) => format!("it takes more than {MAX_OPERATIONS} steps"),
        other => {
            let text = other.to_string();
            text.split(" (line ").next().unwrap_or(&text).to_owned()
        }
    }
}
