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
fn powers_bind_to_the_right_and_weaker_than_a_sign() {
    assert_eq!(number("2 ** 3 ** 2"), 512.0);
    assert_eq!(number("(2 ** 3) ** 2"), 64.0);
    assert_eq!(number("-2 ** 2"), 4.0);
    assert_eq!(number("2 ** -1 * 4 + 3 ** 2"), 11.0);
    assert_eq!(number("2 * 3 ** 2 - max(1 + 2 ** 2, 3) ** 2"), -7.0);
    assert_eq!(number("if 2 ** 2 > 3 { 2 ** 3 } else if 1 ** 1 > 2 { 5 } else { 6 } ** 2"), 64.0);
    assert_eq!(number("2 ** if true { 3 } else { 4 }"), 8.0);
    assert_eq!(eval("a ** b == pow(a, b)", &[Value::Number(1.7), Value::Number(-3.3)]), Ok(Value::Bool(true)));
    for source in ["2 **", "** 2", "2 ** ** 2", "(2 **) 3", "max(2 **, 3)", "2 ** )", "if 2 ** { 1 } else { 2 }"] {
        assert!(eval(source, &[]).is_err(), "{source}");
    }
}

/// FNV-1a over the bits of 10,000 outputs of `source`, whose inputs run from `from` to `to`.
fn bits(source: &str, from: &[f64], to: &[f64]) -> u64 {
    let (compiled, _) = Compiled::parse(source).unwrap();
    (0..10_000).fold(0xcbf2_9ce4_8422_2325, |hash, step| {
        let at = f64::from(step) / 9_999.0;
        let inputs: Vec<Value> = from.iter().zip(to).map(|(a, b)| Value::Number(a + (b - a) * at)).collect();
        let output = compiled.eval(&inputs).unwrap().as_f64().unwrap();
        let byte = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        output.to_bits().to_le_bytes().into_iter().fold(hash, byte)
    })
}

#[test]
fn functions_have_the_same_bits_on_every_machine() {
    let one = |source: &str, from: f64, to: f64| format!("{source} {:016x}\n", bits(source, &[from], &[to]));
    let two = |source: &str, from: [f64; 2], to: [f64; 2]| format!("{source} {:016x}\n", bits(source, &from, &to));
    let all = [
        // Beyond 1 there is no angle: the one NaN.
        one("acos(x)", -1.01, 1.01),
        one("asin(x)", -1.01, 1.01),
        one("atan(x)", -60.0, 50.0),
        two("atan2(x, y)", [-3.0, 2.0], [4.0, -5.0]),
        one("cos(x)", -2_000.0, 1.0e6),
        one("exp(x)", -750.0, 710.0),
        one("ln(x)", 1e-9, 4_000.0),
        one("log10(x)", 1e-9, 4_000.0),
        two("pow(x, y)", [0.01, 30.0], [90.0, -40.0]),
        two("x ** y", [0.01, 30.0], [90.0, -40.0]),
        one("sin(x)", -2_000.0, 1.0e6),
        one("tan(x)", -2_000.0, 1.0e6),
        one("tanh(x)", -20.0, 22.0),
        two("x % y", [-50.0, 0.1], [70.0, 9.0]),
        one("sqrt(x)", 0.0, 1.0e5),
        two("min(x, y) / max(x, -0.0) - 0 * x", [-2.0, 3.0], [4.0, -5.0]),
    ];
    expect_test::expect![[r#"
        acos(x) d5d5ea2be4062311
        asin(x) 1b57bb43994ba5a2
        atan(x) 56f18dec2872bf3e
        atan2(x, y) 0e77c8ca0fa1df5f
        cos(x) 3583c71ade1d0d98
        exp(x) f44d9aa83a41a225
        ln(x) 8891d74060d0c1ee
        log10(x) a91b2802d8ef9c0b
        pow(x, y) cf3c6ea72b81d4d0
        x ** y cf3c6ea72b81d4d0
        sin(x) 5c7a18b9f05d78f0
        tan(x) 3912357ea4d53ed9
        tanh(x) 719ef4c6ae6cc3d9
        x % y ff36efe75940abad
        sqrt(x) 598edc68797534da
        min(x, y) / max(x, -0.0) - 0 * x b493bd0b689fdecc
    "#]]
    .assert_eq(&all.concat());
}

#[test]
fn many_threads_evaluate_one_expression_at_the_same_time() {
    let (compiled, _) = Compiled::parse("if a > 0 { a * b } else { 0 }").unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let compiled = &compiled;
            scope.spawn(move || {
                for step in 1..2_000 {
                    let (a, b) = (f64::from(step), f64::from(thread));
                    let inputs = [Value::Number(a), Value::Number(b)];
                    assert_eq!(compiled.eval(&inputs), Ok(Value::Number(a * b)));
                }
            });
        }
    });
}

#[test]
fn functions_over_time_are_parts_with_inputs_of_their_own() {
    let (compiled, names) = Compiled::parse(
        "if mean(a * b, \"10 min\") > c { max(b, 2) } else { min(signal(\"P.d\"), when(c > 1)) ** 2 } + count(a > 1, \"run\")",
    )
    .unwrap();
    assert_eq!(names, ["a", "b", "c", "P.d"]);
    let told = compiled.aggregates().iter().map(|one| {
        let condition = one.condition.as_ref().map(|condition| condition.reads.to_vec());
        (one.function, one.over, one.argument.reads.to_vec(), condition)
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (Function::Mean, Over::Window(std::time::Duration::from_secs(600)), vec![0, 1], None),
            (Function::Min, Over::When, vec![3], Some(vec![2])),
            (Function::Count, Over::Run, vec![0], None),
        ]
    );
    let inputs = [2.0, 3.0, 5.0, 7.0].map(Value::Number);
    let parts: Vec<Value> = compiled.aggregates().iter().map(|one| one.argument.eval(&inputs).unwrap()).collect();
    assert_eq!(parts, [Value::Number(6.0), Value::Number(7.0), Value::Bool(true)]);
    let with = |results: [f64; 3]| compiled.eval_with(&inputs, &results.map(Value::Number));
    assert_eq!(with([6.0, 4.0, 10.0]), Ok(Value::Number(13.0)));
    assert_eq!(with([5.0, 4.0, 10.0]), Ok(Value::Number(26.0)));
    assert!(compiled.eval(&inputs).is_err(), "what is gathered over time is missing");
}

#[test]
fn a_signal_may_have_the_name_of_a_function() {
    let (compiled, names) = Compiled::parse("mean + max(count, when) - duration").unwrap();
    assert_eq!(names, ["mean", "count", "when", "duration"]);
    assert!(compiled.aggregates().is_empty());
}

#[test]
fn deep_nesting_is_refused_instead_of_exhausting_the_stack() {
    let deep = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(eval(&deep, &[]).is_err());
    assert!(eval(&format!("1{}", "+1".repeat(100_000)), &[]).is_err());
    assert!(eval(&format!("{}true", "!".repeat(2_000)), &[]).is_err());
}
