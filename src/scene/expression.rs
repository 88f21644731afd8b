//! Derived signals: expressions over other signals. In: source text, then the values of the signals it names.
//! Out: one value. Never loops, never reads a clock, never remembers: the same inputs give the same output.
//!
//! ```text
//! torque * speed / 9549                       signals of the same twin by name
//! signal("P-101.flow") - signal("V 2.flow")   signals of any twin
//! if level > 90 && running { 1 } else { 0 }   conditions
//! clamp((p2 - p1) / 1.5, 0, 1)                functions, see [`FUNCTIONS`]
//! ```
//! All numbers are floating point (`1/2` is 0.5). The work is done by the `rhai` crate, reduced to expressions: our own
//! scan lets through only what is listed here, and the engine limits depth and steps.

mod engine;
mod scan;

use std::sync::{Arc, Mutex, PoisonError};

use rhai::{AST, Dynamic, Scope};

use crate::value::Value;

pub use engine::FUNCTIONS;
pub(super) use scan::{Reference, scan};

/// A checked expression.
pub struct Compiled {
    ast: AST,
    /// Variables `v0`, `v1`, …, reused between calls so that evaluation does not allocate.
    scope: Mutex<Scope<'static>>,
    names: Vec<String>,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled").field("inputs", &self.names.len()).finish()
    }
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    pub message: String,
}

/// What is wrong in an expression, and where in its source (bytes).
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub at: std::ops::Range<usize>,
    pub brief: String,
    pub hint: Option<String>,
}

impl Compiled {
    /// Compiles a scanned expression with `inputs` variables.
    pub(super) fn new(scanned: &scan::Scanned) -> Result<Arc<Compiled>, ExpressionError> {
        let names: Vec<String> = (0..scanned.references.len()).map(|n| format!("v{n}")).collect();
        let mut scope = Scope::new();
        for name in &names {
            scope.push_dynamic(name.as_str(), Dynamic::from_float(1.0));
        }
        let ast = engine::engine()
            .compile_expression_with_scope(&scope, &scanned.code)
            .map_err(|error| ExpressionError { message: engine::parse_message(&error) })?;
        Ok(Arc::new(Compiled { ast, scope: Mutex::new(scope), names }))
    }

    /// Compiles a source text, with the names of its inputs as they stand there: `flow`, `P-101.flow`.
    pub fn parse(source: &str) -> Result<(Arc<Compiled>, Vec<String>), ExpressionError> {
        let scanned = scan(source).map_err(|fault| ExpressionError { message: fault.brief })?;
        let compiled = Compiled::new(&scanned)?;
        Ok((compiled, scanned.references.into_iter().map(|reference| reference.text).collect()))
    }

    /// `inputs` in the order of [`Derivation::inputs`](super::Derivation::inputs).
    pub fn eval(&self, inputs: &[Value]) -> Result<Value, ExpressionError> {
        self.eval_with(engine::engine(), inputs)
    }

    /// As [`Compiled::eval`], but comparing a number with a text (which is simply false otherwise) is an error. For
    /// checks when a scene is loaded: slower.
    pub(super) fn eval_strictly(&self, inputs: &[Value]) -> Result<Value, ExpressionError> {
        self.eval_with(engine::strict(), inputs)
    }

    fn eval_with(&self, engine: &rhai::Engine, inputs: &[Value]) -> Result<Value, ExpressionError> {
        if inputs.len() != self.names.len() {
            let message = format!("{} inputs are expected, {} were given", self.names.len(), inputs.len());
            return Err(ExpressionError { message });
        }
        // A panic elsewhere cannot leave the scope half written in a way that matters: every value is set below.
        let mut scope = self.scope.lock().unwrap_or_else(PoisonError::into_inner);
        scope.rewind(self.names.len());
        for (name, input) in self.names.iter().zip(inputs) {
            let value = match input {
                Value::Number(x) => Dynamic::from_float(*x),
                Value::Bool(b) => Dynamic::from_bool(*b),
                Value::Text(text) => Dynamic::from(rhai::ImmutableString::from(&**text)),
            };
            match scope.get_mut(name) {
                Some(slot) => *slot = value,
                None => return Err(ExpressionError { message: format!("the input {name} is not known") }),
            }
        }
        let result = engine
            .eval_ast_with_scope::<Dynamic>(&mut scope, &self.ast)
            .map_err(|error| ExpressionError { message: engine::run_message(&error) })?;
        drop(scope);
        if let Ok(x) = result.as_float() {
            Ok(Value::Number(x))
        } else if let Ok(b) = result.as_bool() {
            Ok(Value::Bool(b))
        } else if let Ok(text) = result.into_immutable_string() {
            Ok(Value::Text(text.as_str().into()))
        } else {
            Err(ExpressionError { message: "the expression has no value: is an `else` missing?".to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(source: &str, inputs: &[Value]) -> Result<Value, String> {
        let scanned = scan(source).map_err(|fault| fault.brief)?;
        let compiled = Compiled::new(&scanned).map_err(|error| error.message)?;
        compiled.eval(inputs).map_err(|error| error.message)
    }

    fn number(source: &str) -> f64 {
        eval(source, &[]).unwrap().as_f64().unwrap()
    }

    #[test]
    fn whole_numbers_divide_like_fractions() {
        assert_eq!(number("1/2"), 0.5);
        assert_eq!(number("7 % 4 + 2 ** 3"), 11.0);
        assert_eq!(number("-3 * (2 + 1e1)"), -36.0);
    }

    #[test]
    fn functions_conditions_and_comparisons_give_what_they_say() {
        assert_eq!(number("clamp(max(3, 5), 0, 4)"), 4.0);
        assert_eq!(number("round(sqrt(2) * 100)"), 141.0);
        assert_eq!(number("atan2(1, 1) * 4 - pi()"), 0.0);
        assert_eq!(number("if 2 > 1 && !(3 < 2) { 10 } else if true { 20 } else { 30 }"), 10.0);
        assert_eq!(eval("3 >= 3", &[]), Ok(Value::Bool(true)));
        assert_eq!(eval("mode == \"auto\"", &[Value::Text("auto".into())]), Ok(Value::Bool(true)));
    }

    #[test]
    fn a_strict_evaluation_finds_comparisons_that_are_never_true() {
        let strictly = |source: &str, input: Value| {
            Compiled::new(&scan(source).unwrap()).unwrap().eval_strictly(&[input]).map_err(|error| error.message)
        };
        for (source, input) in [
            ("a > 5", Value::Bool(true)),
            ("5 <= a", Value::Text("x".into())),
            ("a == 1", Value::Bool(true)),
            ("a != \"on\"", Value::Bool(true)),
        ] {
            assert!(strictly(source, input).unwrap_err().contains("never"), "{source}");
        }
        assert_eq!(strictly("a > 5 && true", Value::Number(6.0)), Ok(Value::Bool(true)));
        assert_eq!(strictly("a == \"on\"", Value::Text("on".into())), Ok(Value::Bool(true)));
        assert_eq!(strictly("a == true", Value::Bool(true)), Ok(Value::Bool(true)));
    }

    #[test]
    fn signals_come_in_the_order_in_which_they_are_first_named() {
        let scanned = scan("a + signal(\"P-101.flow\") * 2 + a").unwrap();
        let names: Vec<&str> = scanned.references.iter().map(|r| r.text.as_str()).collect();
        assert_eq!(names, ["a", "P-101.flow"]);
        let compiled = Compiled::new(&scanned).unwrap();
        assert_eq!(compiled.eval(&[Value::Number(1.0), Value::Number(10.0)]), Ok(Value::Number(22.0)));
        assert!(compiled.eval(&[]).is_err(), "a wrong number of inputs is an error");
    }

    #[test]
    fn nothing_but_expressions_gets_through() {
        for source in [
            "while true {}",
            "loop {}",
            "let x = 1; x",
            "fn f() { 1 }",
            "eval(\"1\")",
            "print(1)",
            "a = 2",
            "x.y",
            "import \"a\"",
            "|x| x",
            "[1]",
            "#{a: 1}",
            "",
            "1 +",
            "(1",
            "1)",
            "1 2",
            "throw 1",
            "`a`",
            "{ 1 }",
            "if true {",
            "sleep(1)",
            "signal(a)",
            "signal(\"a\" + \"b\")",
            "1;2",
            "switch 1 { _ => 2 }",
            "\"\\u{1}",
            "abs(1, 2)",
        ] {
            assert!(eval(source, &[]).is_err(), "{source}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_instead_of_exhausting_the_stack() {
        let deep = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(eval(&deep, &[]).is_err());
        assert!(eval(&format!("1{}", "+1".repeat(100_000)), &[]).is_err());
        assert!(eval(&format!("{}true", "!".repeat(2_000)), &[]).is_err());
    }
}
