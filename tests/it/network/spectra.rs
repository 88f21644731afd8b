//! Waveforms of machines: lines stand in their spectra where the books say.

use pollux::network::{Blueprint, Feed, Machine};

use super::{Sim, machine};

fn alone(machine: Machine) -> Sim {
    let mut sim = Sim::new(Blueprint { machines: vec![machine], ..Blueprint::default() }, 1);
    sim.run(2.0);
    sim
}

fn wave(sim: &Sim, rate: f64, secs: f64) -> Vec<f64> {
    let mut out = vec![f64::NAN; (rate * secs) as usize];
    sim.now.waveform(&sim.network, 0, 0, rate, &mut out);
    assert!(out.iter().all(|x| x.is_finite()));
    out
}

/// Peak value of the line at a frequency, by a Hann window.
fn line(samples: &[f64], rate: f64, hertz: f64) -> f64 {
    let (count, step) = (samples.len() as f64, std::f64::consts::TAU * hertz / rate);
    let (mut re, mut im) = (0.0, 0.0);
    let turn = (libm::cos(step), libm::sin(step));
    let mut at = (1.0, 0.0);
    for (number, x) in samples.iter().enumerate() {
        let window = 1.0 - libm::cos(std::f64::consts::TAU * number as f64 / count);
        re += x * window * at.0;
        im += x * window * at.1;
        at = (at.0 * turn.0 - at.1 * turn.1, at.0 * turn.1 + at.1 * turn.0);
    }
    2.0 * libm::hypot(re, im) / count
}

/// Where the spectrum is highest, in Hz.
fn peak(samples: &[f64], rate: f64, band: std::ops::Range<f64>, step: f64) -> f64 {
    let count = ((band.end - band.start) / step) as u32;
    let hertz = (0..count).map(|k| band.start + f64::from(k) * step);
    let each = hertz.map(|hertz| (line(samples, rate, hertz), hertz));
    each.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.0, |(_, hertz)| hertz)
}

#[test]
fn the_envelope_of_a_damaged_bearing_peaks_where_its_defect_is_struck() {
    const RATE: f64 = 12_000.0;
    let speed = 1797.0 * std::f64::consts::TAU / 60.0;
    for (place, output) in [(0.0, "outer_race"), (1.0, "inner_race"), (2.0, "ball")] {
        let mut sim = alone(machine("B", "RollingBearing").with("place", place).fed("speed", Feed::Constant(speed)));
        sim.now.set_number(&sim.network, 0, 0, 1e-3);
        sim.network.refresh(&mut sim.now, &mut sim.work);
        let samples = wave(&sim, RATE, 2.0);
        // What rings above 1 kHz, as its size, in blocks of eight.
        let rings: Vec<f64> = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        let mut envelope: Vec<f64> = rings.chunks(8).map(|block| block.iter().sum::<f64>() / 8.0).collect();
        let mean = envelope.iter().sum::<f64>() / envelope.len() as f64;
        envelope.iter_mut().for_each(|x| *x -= mean);
        let (found, wanted) = (peak(&envelope, RATE / 8.0, 5.0..400.0, 0.5), sim.out("B", output));
        assert!((found / wanted - 1.0).abs() < 0.01, "{output}: {found}, not {wanted} Hz");
    }
}

#[test]
fn a_new_bearing_shows_no_defect_and_blocks_follow_each_other() {
    let mut sim = alone(machine("B", "RollingBearing"));
    let whole = wave(&sim, 8000.0, 0.5);
    assert!(whole.iter().all(|x| x.abs() < 5.0), "noise alone");
    sim.now.set_number(&sim.network, 0, 0, 2e-3);
    let loud = wave(&sim, 8000.0, 0.5);
    assert!(loud.iter().any(|x| x.abs() > 15.0));
    // What a block that begins later says of the same instant is the same.
    sim.network.advance(&mut sim.now, 2_250_000_000, &mut sim.work);
    sim.now.set_number(&sim.network, 0, 0, 2e-3);
    let later = wave(&sim, 8000.0, 0.25);
    for (one, other) in loud[2000..].iter().zip(&later) {
        assert!((one - other).abs() < 1e-6, "{one} {other}");
    }
}

#[test]
fn gears_hum_with_their_teeth_and_the_turns_of_their_shafts_stand_beside() {
    const RATE: f64 = 5000.0;
    let speed = 1480.0 * std::f64::consts::TAU / 60.0;
    let gearbox = machine("G", "Gearbox").fed("speed", Feed::Constant(speed));
    let samples = wave(&alone(gearbox.clone()), RATE, 3.0);
    let at = |hertz: f64| line(&samples, RATE, hertz);
    let mesh = 23.0 * 1480.0 / 60.0;
    for (times, wanted) in [(1.0, 0.2e-3), (2.0, 0.1e-3), (3.0, 0.05e-3)] {
        assert!((at(times * mesh) / wanted - 1.0).abs() < 0.02, "{} at {times}", at(times * mesh));
    }
    let beside = [542.666_667, mesh + 1480.0 / 60.0, mesh - 508.060 / 60.0].map(at);
    assert!(beside.iter().all(|line| (line / 5e-6 - 1.0).abs() < 0.1), "{beside:?}");
    assert!(at(mesh - 16.0) < 5e-7, "and nothing between");
    let pitted = wave(&alone(gearbox.with("pitting", 0.5)), RATE, 3.0);
    let grown = line(&pitted, RATE, 542.666_667) / beside[0];
    assert!((20.0 * libm::log10(grown) - 10.0).abs() < 0.5, "half of 20 dB: {grown}");
}

#[test]
fn broken_bars_stand_beside_the_mains_at_twice_the_slip() {
    const RATE: f64 = 500.0;
    let motor = machine("M", "InductionMotor")
        .with("start", 1.0)
        .with("broken_bars", 0.025)
        .fed("load_torque", Feed::Constant(106.0));
    let sim = alone(motor);
    let (samples, slip) = (wave(&sim, RATE, 15.0), sim.out("M", "slip"));
    let below = peak(&samples, RATE, 45.0..49.0, 0.02);
    let above = peak(&samples, RATE, 51.0..55.0, 0.02);
    assert!((below - 50.0 * (1.0 - 2.0 * slip)).abs() < 0.03, "{below} Hz at slip {slip}");
    assert!((above - 50.0 * (1.0 + 2.0 * slip)).abs() < 0.03, "{above} Hz at slip {slip}");
    let level = 20.0 * libm::log10(line(&samples, RATE, below) / line(&samples, RATE, 50.0));
    assert!((level + 35.0).abs() < 0.5, "{level} dB: one of forty bars is broken");
}
