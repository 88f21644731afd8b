//! The circulation against the published program's figures, and the figures computed for its reference.

use pollux::network::{Adjustment, Blueprint, Effect, Feed, Target};

use super::{Sim, machine};

/// Changes to parameters and inputs, each by name.
type Changes<'a> = &'a [(&'a str, f64)];

fn heart(parameters: Changes, inputs: Changes) -> Sim {
    let mut heart = machine("BED", "Circulation");
    for (name, value) in parameters {
        assert!(heart.model.description().parameter(name).is_some(), "{name}");
        heart = heart.with(name, *value);
    }
    for (name, value) in inputs {
        assert!(heart.model.description().input(name).is_some(), "{name}");
        heart = heart.fed(name, Feed::Constant(*value));
    }
    Sim::new(Blueprint { machines: vec![heart], ..Blueprint::default() }, 1)
}

const OFF: (&str, f64) = ("reflex", 0.0);

/// Output and figure; the tolerance follows from the output.
type Figures<'a> = &'a [(&'a str, f64)];

fn tolerance(output: &str) -> f64 {
    match output {
        "ejection" => 0.005,
        "stroke_volume" => 0.5,
        "cardiac_output" => 0.05,
        _ => 0.35,
    }
}

fn check(what: &str, sim: &Sim, figures: Figures) {
    let wrong: Vec<String> = figures
        .iter()
        .map(|(output, wanted)| (output, *wanted, sim.out("BED", output)))
        .filter(|(output, wanted, found)| (found - wanted).abs() > tolerance(output))
        .map(|(output, wanted, found)| format!("{output} is {found:.3}, not {wanted}"))
        .collect();
    assert!(wrong.is_empty(), "{what}: {}", wrong.join("; "));
}

#[test]
fn without_reflex_pressures_and_flows_are_the_published_ones() {
    let mut sim = heart(&[OFF], &[]);
    sim.run(300.0);
    check(
        "at rest",
        &sim,
        &[
            ("heart_rate", 70.0),
            ("systolic", 121.8),
            ("mean", 106.05),
            ("diastolic", 88.6),
            ("central_venous", 7.21),
            ("stroke_volume", 84.7),
            ("cardiac_output", 5.93),
            ("ejection", 0.566),
            ("lung_systolic", 26.9),
            ("lung_mean", 18.0),
            ("lung_diastolic", 11.2),
            ("wedge", 11.05),
        ],
    );
    for (what, parameters, figures) in [
        (
            "100 beats",
            [OFF, ("rate", 100.0)],
            [("systolic", 124.7), ("mean", 113.4), ("diastolic", 100.3), ("stroke_volume", 63.5), ("ejection", 0.489)],
        ),
        (
            "140 beats",
            [OFF, ("rate", 140.0)],
            [("systolic", 122.7), ("mean", 114.8), ("diastolic", 105.4), ("stroke_volume", 45.7), ("ejection", 0.411)],
        ),
        (
            "stiff arteries",
            [OFF, ("arteries", 1.0)],
            [("systolic", 145.0), ("mean", 112.0), ("diastolic", 78.0), ("stroke_volume", 89.3), ("ejection", 0.547)],
        ),
        (
            "much blood",
            [OFF, ("blood", 5650.0)],
            [("systolic", 158.1), ("mean", 137.8), ("diastolic", 115.3), ("stroke_volume", 109.2), ("ejection", 0.579)],
        ),
    ] {
        let mut sim = heart(&parameters, &[]);
        sim.run(300.0);
        check(what, &sim, &figures);
    }
}

#[test]
fn with_its_reflex_it_rests_where_the_published_program_does() {
    let mut sim = heart(&[], &[]);
    sim.run(300.0);
    check(
        "at rest",
        &sim,
        &[
            ("heart_rate", 65.26),
            ("systolic", 110.5),
            ("mean", 94.7),
            ("diastolic", 77.5),
            ("central_venous", 6.63),
            ("stroke_volume", 83.9),
            ("cardiac_output", 5.47),
            ("ejection", 0.562),
            ("lung_mean", 17.3),
            ("wedge", 10.9),
        ],
    );
}

#[test]
fn a_weak_heart_slack_vessels_and_a_tight_chest_give_the_sheets_figures() {
    type Row<'a> = (&'a str, Changes<'a>, Changes<'a>, Figures<'a>);
    let rows: [Row; 6] = [
        (
            "weak left ventricle",
            &[("left_beating", 0.8)],
            &[],
            &[("heart_rate", 68.1), ("systolic", 107.4), ("mean", 92.5), ("stroke_volume", 76.9), ("wedge", 14.3)],
        ),
        (
            "vasoplegia",
            &[],
            &[("resistance", 0.5)],
            &[("heart_rate", 86.4), ("systolic", 97.6), ("diastolic", 63.7), ("mean", 81.7), ("cardiac_output", 7.94)],
        ),
        (
            "noradrenaline, 3.5 ug/l",
            &[],
            &[("resistance", 1.920), ("tone", 230.0), ("strength", 1.092)],
            &[("heart_rate", 51.4), ("mean", 112.1), ("cardiac_output", 4.00)],
        ),
        (
            "noradrenaline in vasoplegia",
            &[],
            &[("resistance", 0.96), ("tone", 230.0), ("strength", 1.092)],
            &[("heart_rate", 62.1), ("systolic", 116.0), ("diastolic", 78.2), ("mean", 97.8), ("cardiac_output", 5.98)],
        ),
        (
            "chest at 0",
            &[],
            &[("chest_pressure", 0.0)],
            &[("heart_rate", 72.9), ("mean", 89.3), ("cardiac_output", 4.75), ("central_venous", 8.9)],
        ),
        (
            "chest at 5",
            &[],
            &[("chest_pressure", 5.0)],
            &[("heart_rate", 88.0), ("mean", 81.7), ("cardiac_output", 3.84), ("central_venous", 11.9)],
        ),
    ];
    for (what, parameters, inputs, figures) in rows {
        let mut sim = heart(parameters, inputs);
        sim.run(300.0);
        check(what, &sim, figures);
    }
}

/// Bleeds so many mL from veins within so many seconds.
fn bleed(sim: &mut Sim, amount: f64, secs: f64, mut each: impl FnMut(&Sim)) {
    let input = sim.network.description(0).input("venous_bleeding").expect("an input");
    let target = Target::Input { machine: 0, input };
    sim.now.adjust(&sim.network, &[Adjustment { target, effect: Effect::Set(amount / secs) }]);
    sim.network.refresh(&mut sim.now, &mut sim.work);
    let end = sim.now.secs() + secs;
    while sim.now.secs() < end - 1e-9 {
        sim.run(0.5_f64.min(end - sim.now.secs()));
        each(sim);
    }
    sim.now.adjust(&sim.network, &[]);
    sim.network.refresh(&mut sim.now, &mut sim.work);
}

#[test]
fn a_haemorrhage_is_met_by_the_reflex_as_far_as_it_can() {
    type Loss<'a> = (f64, f64, [f64; 5]);
    // Loss in mL, reflex, then heart rate, systolic, diastolic, mean, cardiac output; within 1 %.
    let rows: [Loss; 4] = [
        (515.0, 1.0, [77.7, 97.7, 74.1, 86.6, 4.71]),
        (1030.0, 1.0, [99.4, 83.3, 68.3, 76.5, 3.90]),
        (1545.0, 1.0, [133.9, 60.5, 52.8, 57.1, 2.78]),
        (515.0, 0.0, [70.0, 84.4, 61.1, 73.4, 4.17]),
    ];
    for (loss, gain, wanted) in rows {
        let mut sim = heart(&[("reflex", gain)], &[]);
        sim.run(60.0);
        let before = sim.network.balance(&sim.now);
        bleed(&mut sim, loss, 300.0, |_| {});
        sim.run(540.0);
        let found =
            ["heart_rate", "systolic", "diastolic", "mean", "cardiac_output"].map(|output| sim.out("BED", output));
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found / wanted - 1.0).abs() < 0.012, "{loss} ml, reflex {gain}: {found}, not {wanted}");
        }
        let (volume, _, _) = sim.network.balance(&sim.now).drift(&before);
        assert!(volume < 1e-11, "blood is kept: {volume:e}");
        assert!((sim.out("BED", "blood") - (5150.0 - loss)).abs() < 1e-6);
    }
}

#[test]
fn a_sudden_bleed_swings_and_settles() {
    let mut sim = heart(&[], &[]);
    sim.run(300.0);
    let start = sim.now.secs();
    let (mut lowest, mut fastest) = ((0.0, 1e9), (0.0, 0.0));
    let mut look = |sim: &Sim| {
        let (at, mean, rate) = (sim.now.secs() - start, sim.out("BED", "mean"), sim.out("BED", "heart_rate"));
        lowest = if mean < lowest.1 { (at, mean) } else { lowest };
        fastest = if rate > fastest.1 { (at, rate) } else { fastest };
    };
    bleed(&mut sim, 515.0, 10.0, &mut look);
    for _ in 0..180 {
        sim.run(0.5);
        look(&sim);
    }
    assert!((lowest.1 - 76.9).abs() < 0.8 && (lowest.0 - 13.0).abs() < 2.0, "lowest mean {lowest:?}");
    assert!((fastest.1 - 90.1).abs() < 0.9 && (fastest.0 - 18.0).abs() < 2.0, "fastest {fastest:?}");
    assert!((sim.out("BED", "mean") / 86.6 - 1.0).abs() < 0.02);
}
