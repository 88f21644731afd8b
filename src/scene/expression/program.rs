//! An expression as a tree that is evaluated without the engine. In: what rhai has understood of it, then values. Out: the
//! value that rhai would give, bit by bit, where nothing but numbers, flags and equal texts occurs; none where anything else
//! does: then rhai decides, and says what is wrong.
//!
//! rhai takes about a microsecond for a few operators, and a plant and its twin evaluate some hundred expressions in a
//! simulated second.

use rhai::{AST, Expr, FnCallExpr, Stmt};

use super::engine::{self, BINARY, UNARY};
use crate::value::Value;

#[derive(Clone, Debug)]
pub(super) struct Program {
    root: Node,
}

#[derive(Clone, Debug)]
enum Node {
    Number(f64),
    Flag(bool),
    Text(Box<str>),
    /// An input, or the result of an aggregate.
    Variable(usize),
    Unary(fn(f64) -> f64, Box<Node>),
    Binary(fn(f64, f64) -> f64, Box<[Node; 2]>),
    Clamp(Box<[Node; 3]>),
    /// A flag as 0 or 1; a number as it is.
    AsNumber(Box<Node>),
    Not(Box<Node>),
    Compare(Comparison, Box<[Node; 2]>),
    All(Box<[Node]>),
    Any(Box<[Node]>),
    If(Box<[Node; 3]>),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Plain<'v> {
    Number(f64),
    Flag(bool),
    Text(&'v str),
}

impl Program {
    /// None where something stands in it that only rhai knows.
    pub fn new(ast: &AST) -> Option<Self> {
        Some(Self { root: block(ast.statements())? })
    }

    /// `variable` gives the value of the variable with a number.
    pub fn value<'v>(&'v self, variable: &dyn Fn(usize) -> Option<&'v Value>) -> Option<Value> {
        Some(match self.root.value(variable)? {
            Plain::Number(x) => Value::Number(super::one_nan(x)),
            Plain::Flag(flag) => Value::Bool(flag),
            Plain::Text(text) => Value::Text(text.into()),
        })
    }
}

fn block(statements: &[Stmt]) -> Option<Node> {
    match statements {
        [Stmt::Expr(expression)] => node(expression),
        [Stmt::FnCall(call, ..)] => of_call(call),
        [Stmt::Block(inner)] => block(inner.statements()),
        [Stmt::If(flow, ..)] => {
            let parts = [node(&flow.expr)?, block(flow.body.statements())?, block(flow.branch.statements())?];
            Some(Node::If(Box::new(parts)))
        }
        _ => None,
    }
}

fn node(expression: &Expr) -> Option<Node> {
    let all = |list: &[Expr]| list.iter().map(node).collect::<Option<Box<[Node]>>>();
    match expression {
        Expr::FloatConstant(x, ..) => Some(Node::Number(**x)),
        Expr::BoolConstant(flag, ..) => Some(Node::Flag(*flag)),
        Expr::StringConstant(text, ..) => Some(Node::Text(text.as_str().into())),
        Expr::Variable(named, ..) => Some(Node::Variable(named.1.strip_prefix('v')?.parse().ok()?)),
        Expr::And(list, ..) => Some(Node::All(all(list)?)),
        Expr::Or(list, ..) => Some(Node::Any(all(list)?)),
        Expr::Stmt(inner) => block(inner.statements()),
        Expr::FnCall(call, ..) => of_call(call),
        _ => None,
    }
}

fn of_call(call: &FnCallExpr) -> Option<Node> {
    let arguments: Vec<Node> = call.args.iter().map(node).collect::<Option<_>>()?;
    let name = call.name.as_str();
    match <[Node; 1]>::try_from(arguments) {
        Ok([one]) => {
            let one = Box::new(one);
            match name {
                "!" => Some(Node::Not(one)),
                "number" => Some(Node::AsNumber(one)),
                _ => Some(Node::Unary(UNARY.iter().find(|(known, _)| *known == name)?.1, one)),
            }
        }
        Err(arguments) => match <[Node; 2]>::try_from(arguments) {
            Ok(both) => of_two(name, Box::new(both)),
            Err(arguments) if name == "clamp" => Some(Node::Clamp(Box::new(<[Node; 3]>::try_from(arguments).ok()?))),
            Err(arguments) => (name == "pi" && arguments.is_empty()).then_some(Node::Number(std::f64::consts::PI)),
        },
    }
}

fn of_two(name: &str, both: Box<[Node; 2]>) -> Option<Node> {
    let comparison = match name {
        "==" => Comparison::Equal,
        "!=" => Comparison::Unequal,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => {
            let function: fn(f64, f64) -> f64 = match name {
                "+" => |x, y| x + y,
                "-" => |x, y| x - y,
                "*" => |x, y| x * y,
                "/" => |x, y| x / y,
                "%" => |x, y| x % y,
                _ => BINARY.iter().find(|(known, _)| *known == name)?.1,
            };
            return Some(Node::Binary(function, both));
        }
    };
    Some(Node::Compare(comparison, both))
}

impl Node {
    fn value<'v>(&'v self, variable: &dyn Fn(usize) -> Option<&'v Value>) -> Option<Plain<'v>> {
        Some(match self {
            Self::Number(x) => Plain::Number(*x),
            Self::Flag(flag) => Plain::Flag(*flag),
            Self::Text(text) => Plain::Text(text),
            Self::Variable(number) => match variable(*number)? {
                Value::Number(x) => Plain::Number(*x),
                Value::Bool(flag) => Plain::Flag(*flag),
                Value::Text(text) => Plain::Text(text),
            },
            Self::Unary(function, of) => Plain::Number(function(of.number(variable)?)),
            Self::Binary(function, both) => {
                let [x, y] = &**both;
                Plain::Number(function(x.number(variable)?, y.number(variable)?))
            }
            Self::Clamp(of) => {
                let [x, low, high] = &**of;
                let (x, low, high) = (x.number(variable)?, low.number(variable)?, high.number(variable)?);
                Plain::Number(engine::clamp(x, low, high))
            }
            Self::AsNumber(of) => match of.value(variable)? {
                Plain::Flag(flag) => Plain::Number(f64::from(u8::from(flag))),
                Plain::Number(x) => Plain::Number(x),
                Plain::Text(_) => return None,
            },
            Self::Not(of) => Plain::Flag(!of.flag(variable)?),
            Self::Compare(comparison, both) => {
                let [x, y] = &**both;
                Plain::Flag(match (x.value(variable)?, y.value(variable)?) {
                    (Plain::Number(x), Plain::Number(y)) => comparison.numbers(x, y),
                    (Plain::Flag(x), Plain::Flag(y)) => comparison.ordered(x, y),
                    (Plain::Text(x), Plain::Text(y)) if *comparison == Comparison::Equal => x == y,
                    (Plain::Text(x), Plain::Text(y)) if *comparison == Comparison::Unequal => x != y,
                    _ => return None,
                })
            }
            Self::All(list) => {
                for one in list {
                    if !one.flag(variable)? {
                        return Some(Plain::Flag(false));
                    }
                }
                Plain::Flag(true)
            }
            Self::Any(list) => {
                for one in list {
                    if one.flag(variable)? {
                        return Some(Plain::Flag(true));
                    }
                }
                Plain::Flag(false)
            }
            Self::If(parts) => {
                let [condition, then, other] = &**parts;
                if condition.flag(variable)? { then.value(variable)? } else { other.value(variable)? }
            }
        })
    }

    fn number<'v>(&'v self, variable: &dyn Fn(usize) -> Option<&'v Value>) -> Option<f64> {
        if let Plain::Number(x) = self.value(variable)? { Some(x) } else { None }
    }

    fn flag<'v>(&'v self, variable: &dyn Fn(usize) -> Option<&'v Value>) -> Option<bool> {
        if let Plain::Flag(flag) = self.value(variable)? { Some(flag) } else { None }
    }
}

impl Comparison {
    /// As rhai compares: numbers that differ by less than a part in 2⁵² of the larger one are equal, and so are NaN and 0.
    fn numbers(self, x: f64, y: f64) -> bool {
        let size = if x * y == 0.0 { 1.0 } else { x.abs().max(y.abs()) };
        match self {
            _ if size == 0.0 => matches!(self, Self::Equal | Self::GreaterOrEqual | Self::LessOrEqual),
            Self::Equal => (x - y).abs() / size <= f64::EPSILON,
            Self::Unequal => (x - y).abs() / size > f64::EPSILON,
            Self::Greater => (x - y) / size > f64::EPSILON,
            Self::GreaterOrEqual => (x - y) / size > -f64::EPSILON,
            Self::Less => (y - x) / size > f64::EPSILON,
            Self::LessOrEqual => (y - x) / size > -f64::EPSILON,
        }
    }

    fn ordered(self, x: bool, y: bool) -> bool {
        match self {
            Self::Equal => x == y,
            Self::Unequal => x != y,
            Self::Less => !x & y,
            Self::LessOrEqual => x <= y,
            Self::Greater => x & !y,
            Self::GreaterOrEqual => x >= y,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Compiled, scan};
    use super::*;

    /// Whatever can stand in an expression, sensible or not.
    fn expressions() -> impl Strategy<Value = String> {
        let operand = prop_oneof![
            8 => prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned),
            2 => (-3.0..3.0).prop_map(|x: f64| format!("({x:?})")),
            2 => prop::sample::select(vec!["true", "false", "0", "1", "1e300", "pi()", "\"on\""]).prop_map(str::to_owned),
        ];
        operand.prop_recursive(5, 40, 3, |inner| {
            let operators = vec!["+", "-", "*", "/", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&&", "||"];
            let unary: Vec<&str> = UNARY.iter().map(|(name, _)| *name).chain(["!", "number"]).collect();
            let binary: Vec<&str> = BINARY.iter().map(|(name, _)| *name).collect();
            prop_oneof![
                // Without brackets: what binds stronger is for rhai to say.
                4 => (inner.clone(), prop::sample::select(operators), inner.clone())
                    .prop_map(|(x, operator, y)| format!("{x} {operator} {y}")),
                1 => inner.clone().prop_map(|x| format!("({x})")),
                2 => (prop::sample::select(unary), inner.clone()).prop_map(|(name, x)| format!("{name}({x})")),
                1 => (prop::sample::select(binary), inner.clone(), inner.clone())
                    .prop_map(|(name, x, y)| format!("{name}({x}, {y})")),
                1 => (inner.clone(), inner.clone(), inner.clone())
                    .prop_map(|(x, y, z)| format!("clamp({x}, {y}, {z})")),
                1 => (inner.clone(), inner.clone(), inner)
                    .prop_map(|(x, y, z)| format!("if {x} {{ {y} }} else {{ {z} }}")),
            ]
        })
    }

    fn values() -> impl Strategy<Value = Value> {
        prop_oneof![
            6 => prop_oneof![
                -10.0..10.0,
                Just(0.0),
                Just(-0.0),
                Just(1.0),
                Just(1.0 + f64::EPSILON),
                Just(f64::NAN),
                Just(f64::INFINITY),
                Just(5e-324),
                any::<f64>(),
            ]
            .prop_map(Value::Number),
            3 => any::<bool>().prop_map(Value::Bool),
            1 => prop::sample::select(vec!["on", "off", ""]).prop_map(|text| Value::Text(text.into())),
        ]
    }

    fn bits(value: &Value) -> (u8, u64, String) {
        match value {
            Value::Number(x) => (0, x.to_bits(), String::new()),
            Value::Bool(flag) => (1, u64::from(*flag), String::new()),
            Value::Text(text) => (2, 0, text.to_string()),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]
        #[test]
        fn what_it_says_is_what_rhai_says_and_what_rhai_refuses_it_does_not_know(
            source in expressions(), given in prop::collection::vec(values(), 4),
        ) {
            let Ok(scanned) = scan(&source) else { return Ok(()) };
            let Ok(compiled) = Compiled::new(&scanned) else { return Ok(()) };
            let names = ["a", "b", "c", "d"];
            let place = |text: &str| names.iter().position(|name| *name == text).unwrap_or(0);
            let inputs: Vec<Value> =
                scanned.references.iter().map(|reference| given[place(&reference.text)].clone()).collect();
            let Some(program) = &compiled.program else { return Ok(()) };
            if let Some(value) = program.value(&|number| inputs.get(number)) {
                let by_rhai = compiled.eval_values(engine::engine(), inputs.len(), inputs.iter());
                let by_rhai = by_rhai.map_err(|error| TestCaseError::fail(format!("{source}: {error}")))?;
                prop_assert_eq!(bits(&value), bits(&by_rhai), "{} of {:?}", source, inputs);
            }
        }
    }

    #[test]
    fn the_expressions_that_people_write_need_no_engine() {
        let number = Value::Number(0.5);
        for source in [
            "a - b",
            "if a > 0.1 { 100 * b / a } else { 0 }",
            "a > 5 && b < 0.1 || !(c >= 4.5)",
            "clamp((a - b) / 1.5, 0, 1) ** 2 + number(a > b) + pi()",
            "-a % sqrt(abs(b)) == max(a, min(b, c))",
            "if true { \"on\" } else { \"off\" } == \"on\"",
        ] {
            let compiled = Compiled::new(&scan(source).expect("it is scanned")).expect("it is compiled");
            let program = compiled.program.as_ref().unwrap_or_else(|| panic!("{source}"));
            assert!(program.value(&|_| Some(&number)).is_some(), "{source}");
        }
    }
}
