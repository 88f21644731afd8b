//! Heart and vessels of an adult as six compartments with the arterial baroreflex. In: losses of blood, infusions,
//! pressure in the chest, what drugs do. Out: pressures, flows, rate. Not a medical device.
//!
//! CVSim-6: Heldt, Mukkamala, Moody and Mark, "CVSim: an open-source cardiovascular simulator for teaching and research",
//! Open Pacing Electrophysiol Ther J 3, 2010; parameters of that program. Volumes are the states, so that blood is kept to
//! rounding. Ventricles are elastances that change with time, E(t) = 1/C_d + (1/C_es - 1/C_d) a(t); vessels are linear;
//! valves let pass one way. The pacemaker integrates the rate that the reflex asks for. Units of the source: mmHg, mL, s.
//! Limits: no atria, no septum, no inertance, one systemic bed; the cardiopulmonary reflex is left out.
//!
//! Runge-Kutta of order 4 at 1 ms; valves are kinks, across which the order falls to about 2.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | no reflex: pressures of artery, mmHg | sheet 2.1, CVSim | 121.8, 106.05, 88.6 | 121.78, 106.06, 88.61 | < 0.3 |
//! | its stroke volume, ml; output, l/min; ejection | sheet 2.1, CVSim | 84.7, 5.93, 0.566 | 84.71, 5.931, 0.5658 | < 0.5; 0.05; 0.005 |
//! | its central veins; lungs; wedge, mmHg | sheet 2.1, CVSim | 7.21; 26.9, 18.0, 11.2; 11.05 | 7.21; 26.91, 17.97, 11.20; 11.05 | < 0.3 |
//! | with reflex: beats a minute; arteries | sheet 2.1, CVSim | 65.26; 110.5, 94.7, 77.5 | 65.29; 110.46, 94.71, 77.52 | < 0.3 |
//! | 100 and 140 beats, no reflex: mean; stroke | sheet 2.1 | 113.4, 114.8; 63.5, 45.7 | 113.35, 114.80; 63.45, 45.71 | < 0.3; 0.5 |
//! | stiff arteries; 5650 ml: mean | sheet 2.1 | 112.0; 137.8 | 111.97; 137.81 | < 0.3 |
//! | weak left ventricle: beats; mean; wedge | sheet 2.1 | 68.1; 92.5; 14.3 | 68.10; 92.47; 14.28 | < 0.3 |
//! | vasoplegia: beats; mean; output | sheet 2.1 | 86.4; 81.7; 7.94 | 86.33; 81.71; 7.93 | < 0.3; 0.05 |
//! | chest at 0 and 5 mmHg: beats; output | sheet 2.1 | 72.9, 88.0; 4.75, 3.84 | 72.90, 87.98; 4.75, 3.84 | < 0.3; 0.05 |
//! | 515, 1030, 1545 ml lost with reflex, 515 without: rate, pressures, output | sheet 2.1 | 20 figures | within | < 1.2 % |
//! | 515 ml in 10 s: lowest mean; fastest | sheet 2.1 | 76.9 at 13 s; 90.1 at 18 s | within | < 1 %, 2 s |

use super::reflex;
use crate::model::integrate::runge_kutta;
use crate::model::quantities;
use crate::model::{Account, Description, Given, Model, StateMut, StateRef};

/// Heart and vessels with the arterial baroreflex.
#[derive(Clone, Copy, Debug)]
pub struct Circulation;

quantities! {
    pub parameters CirculationParameters {
        /// Compliance of the left ventricle at rest
        left_relaxed: "mL/mmHg" = 9.69, 1.0 => 40.0, design, "CVSim";
        /// Compliance of the left ventricle at the end of its beat: larger is weaker
        left_beating: "mL/mmHg" = 0.40, 0.15 => 5.0, condition, "CVSim";
        /// Compliance of the right ventricle at rest
        right_relaxed: "mL/mmHg" = 19.29, 1.0 => 80.0, design, "CVSim";
        /// Compliance of the right ventricle at the end of its beat: larger is weaker
        right_beating: "mL/mmHg" = 1.30, 0.3 => 15.0, condition, "CVSim";
        /// Compliance of systemic arteries
        arteries: "mL/mmHg" = 2.0, 0.3 => 6.0, design, "CVSim";
        /// Compliance of systemic veins
        veins: "mL/mmHg" = 100.0, 20.0 => 300.0, design, "CVSim";
        /// Compliance of pulmonary arteries
        lung_arteries: "mL/mmHg" = 3.4, 0.5 => 10.0, design, "CVSim";
        /// Compliance of pulmonary veins
        lung_veins: "mL/mmHg" = 9.0, 2.0 => 30.0, design, "CVSim";
        /// Resistance of the aortic valve
        aortic_valve: "mmHg.s/mL" = 0.006, 0.003 => 1.0, condition, "CVSim";
        /// Resistance of the systemic bed
        systemic: "mmHg.s/mL" = 1.0, 0.1 => 4.0, condition, "CVSim";
        /// Resistance from systemic veins into the right ventricle
        venous_return: "mmHg.s/mL" = 0.04, 0.005 => 0.5, design, "CVSim";
        /// Resistance of the pulmonic valve
        pulmonic_valve: "mmHg.s/mL" = 0.006, 0.003 => 1.0, condition, "CVSim";
        /// Resistance of the lungs' bed
        pulmonary: "mmHg.s/mL" = 0.07, 0.01 => 1.0, condition, "CVSim";
        /// Resistance from pulmonary veins into the left ventricle
        mitral_valve: "mmHg.s/mL" = 0.006, 0.003 => 1.0, condition, "CVSim";
        /// Volume of systemic veins without pressure
        veins_slack: "mL" = 2500.0, 500.0 => 4000.0, condition, "CVSim";
        /// Blood at the beginning
        blood: "mL" = 5150.0, 2500.0 => 8000.0, design, "CVSim";
        /// Heart rate without reflex
        rate: "1/min" = 70.0, 20.0 => 220.0, design, "CVSim";
        /// Pressure that the reflex holds
        set_point: "mmHg" = 91.0, 50.0 => 150.0, design, "CVSim";
        /// How strong the reflex is: 0 for none
        reflex: "" = 1.0, 0.0 => 3.0, condition, "CVSim";
    }
}

quantities! {
    pub states CirculationState {
        /// Blood in the left ventricle
        left: "mL" = 100.0, -1e4 => 1e4, estimated;
        /// Blood in systemic arteries
        arterial: "mL" = 733.0, -1e4 => 1e4, estimated;
        /// Blood in systemic veins
        venous: "mL" = 3424.0, -1e4 => 1e4, estimated;
        /// Blood in the right ventricle
        right: "mL" = 193.0, -1e4 => 1e4, estimated;
        /// Blood in pulmonary arteries
        lung_arterial: "mL" = 121.0, -1e4 => 1e4, estimated;
        /// Blood in pulmonary veins
        lung_venous: "mL" = 573.0, -1e4 => 1e4, estimated;
        /// Blood infused less blood lost since the start
        gained: "mL" = 0.0, -1e5 => 1e5;
        /// Share of the way to the next beat
        phase: "" = 0.0, 0.0 => 1e3;
        /// Time since the last beat began in the atria
        since: "s" = 0.0, 0.0 => 1e6;
        /// Time between the two last beats
        interval: "s" = 0.857, 0.0 => 1e6;
        /// Compliance of the left ventricle, this beat
        left_stiff: "mL/mmHg" = 0.40, 0.01 => 10.0;
        /// Compliance of the right ventricle, this beat
        right_stiff: "mL/mmHg" = 1.30, 0.1 => 30.0;
        /// Vagal pull on the heart's rate
        vagal: "mmHg" = 0.0, -30.0 => 30.0;
        /// Pull on the heart's rate and strength
        cardiac: "mmHg" = 0.0, -30.0 => 30.0;
        /// Pull on resistance
        resistive: "mmHg" = 0.0, -30.0 => 30.0;
        /// Pull on the tone of veins
        tonic: "mmHg" = 0.0, -30.0 => 30.0;
        /// Vagal pull one sixteenth of a second before
        vagal_before: "mmHg" = 0.0, -30.0 => 30.0;
        /// Pull on the heart one sixteenth of a second before
        cardiac_before: "mmHg" = 0.0, -30.0 => 30.0;
        /// Pull on resistance one sixteenth of a second before
        resistive_before: "mmHg" = 0.0, -30.0 => 30.0;
        /// Pull on tone one sixteenth of a second before
        tonic_before: "mmHg" = 0.0, -30.0 => 30.0;
        /// Sum of arterial pressures of this sixteenth of a second
        bin_sum: "mmHg" = 0.0, -1e6 => 1e6;
        /// How many pressures are in that sum
        bin_count: "" = 0.0, 0.0 => 1e6;
        /// The newest mean arterial pressure of a sixteenth
        bin_1: "mmHg" = 91.0, -1e3 => 1e3;
        /// The mean before
        bin_2: "mmHg" = 91.0, -1e3 => 1e3;
        /// The mean before that
        bin_3: "mmHg" = 91.0, -1e3 => 1e3;
        /// The oldest mean
        bin_4: "mmHg" = 91.0, -1e3 => 1e3;
        /// Highest arterial pressure of the running beat
        beat_high: "mmHg" = 0.0, -1e3 => 1e3;
        /// Lowest arterial pressure of the running beat
        beat_low: "mmHg" = 0.0, -1e3 => 1e3;
        /// Integral of arterial pressure over the running beat
        beat_sum: "mmHg.s" = 0.0, -1e6 => 1e6;
        /// Highest pulmonary arterial pressure of the running beat
        beat_lung_high: "mmHg" = 0.0, -1e3 => 1e3;
        /// Lowest pulmonary arterial pressure of the running beat
        beat_lung_low: "mmHg" = 0.0, -1e3 => 1e3;
        /// Integral of pulmonary arterial pressure over the running beat
        beat_lung_sum: "mmHg.s" = 0.0, -1e6 => 1e6;
        /// Integral of venous pressure over the running beat
        beat_venous_sum: "mmHg.s" = 0.0, -1e6 => 1e6;
        /// Integral of the pressure in pulmonary veins over the running beat
        beat_wedge_sum: "mmHg.s" = 0.0, -1e6 => 1e6;
        /// Most blood in the left ventricle during the running beat
        beat_full: "mL" = 0.0, -1e4 => 1e4;
        /// Least blood in the left ventricle during the running beat
        beat_emptied: "mL" = 0.0, -1e4 => 1e4;
        /// Systolic pressure of the last beat
        systolic: "mmHg" = 120.0, -1e3 => 1e3;
        /// Diastolic pressure of the last beat
        diastolic: "mmHg" = 80.0, -1e3 => 1e3;
        /// Mean pressure of the last beat
        mean: "mmHg" = 93.0, -1e3 => 1e3;
        /// Pulmonary systolic pressure of the last beat
        lung_systolic: "mmHg" = 26.0, -1e3 => 1e3;
        /// Pulmonary diastolic pressure of the last beat
        lung_diastolic: "mmHg" = 11.0, -1e3 => 1e3;
        /// Pulmonary mean pressure of the last beat
        lung_mean: "mmHg" = 17.0, -1e3 => 1e3;
        /// Mean venous pressure of the last beat
        central_venous: "mmHg" = 6.6, -1e3 => 1e3;
        /// Mean pressure in pulmonary veins of the last beat
        wedge: "mmHg" = 11.0, -1e3 => 1e3;
        /// Most blood in the left ventricle during the last beat
        full: "mL" = 149.0, -1e4 => 1e4;
        /// Least blood in the left ventricle during the last beat
        emptied: "mL" = 65.0, -1e4 => 1e4;
    }
}

quantities! {
    pub inputs CirculationInputs {
        /// Blood lost from arteries
        arterial_bleeding: "mL/s", mean = 0.0;
        /// Blood lost from veins
        venous_bleeding: "mL/s", mean = 0.0;
        /// Fluid given into veins
        infusion: "mL/s", mean = 0.0;
        /// Pressure in the chest
        chest_pressure: "mmHg", mean = -4.0;
        /// Times more systemic resistance, by drugs
        resistance: "", last = 1.0;
        /// Blood that drugs press out of slack veins
        tone: "mL", last = 0.0;
        /// Times stronger left ventricle, by drugs
        strength: "", last = 1.0;
    }
}

quantities! {
    pub outputs CirculationOutputs {
        /// Heart rate
        heart_rate: "1/min", held;
        /// Arterial pressure at this moment
        arterial_pressure: "mmHg", held;
        /// Highest arterial pressure of the last beat
        systolic: "mmHg", held;
        /// Lowest arterial pressure of the last beat
        diastolic: "mmHg", held;
        /// Mean arterial pressure of the last beat
        mean: "mmHg", held;
        /// Mean central venous pressure of the last beat
        central_venous: "mmHg", held;
        /// Pulmonary arterial pressure, systolic
        lung_systolic: "mmHg", held;
        /// Pulmonary arterial pressure, diastolic
        lung_diastolic: "mmHg", held;
        /// Pulmonary arterial pressure, mean
        lung_mean: "mmHg", held;
        /// Mean pressure in pulmonary veins
        wedge: "mmHg", held;
        /// Blood of the last beat
        stroke_volume: "mL", held;
        /// Share of the left ventricle that a beat empties
        ejection: "", held;
        /// Blood in a minute
        cardiac_output: "L/min", held;
        /// Blood in the left ventricle
        left: "mL", held;
        /// Blood in the right ventricle
        right: "mL", held;
        /// All blood
        blood: "mL", held;
        /// Seconds since the ventricles began to beat, below 0 before
        beat_time: "s", held;
    }
}

static DESCRIPTION: Description = Description {
    name: "Circulation",
    about: "Heart and vessels of an adult with the arterial baroreflex; not a medical device",
    source: "CVSim-6: Heldt, Mukkamala, Moody and Mark, 2010",
    step: Some(1_000_000),
    parameters: CirculationParameters::ALL,
    states: CirculationState::ALL,
    inputs: CirculationInputs::ALL,
    outputs: CirculationOutputs::ALL,
    ..Description::EMPTY
};

/// mL without pressure, of left ventricle, arteries, right ventricle, pulmonary arteries and veins: CVSim.
const SLACK_LEFT: f64 = 15.0;
const SLACK_ARTERIES: f64 = 715.0;
const SLACK_RIGHT: f64 = 15.0;
const SLACK_LUNG_ARTERIES: f64 = 90.0;
const SLACK_LUNG_VEINS: f64 = 490.0;
/// Gains of the reflex on the interval of beats by both limbs (s/mmHg), resistance, slack of veins (mL/mmHg) and the
/// compliances of both ventricles at the end of a beat: CVSim.
const ON_INTERVAL: (f64, f64) = (0.009, 0.012);
const ON_RESISTANCE: f64 = 0.011;
const ON_SLACK: f64 = 26.5;
const ON_LEFT: f64 = 0.014;
const ON_RIGHT: f64 = 0.021;
/// Times from the atria's beat to the ventricles', and of systole, at an interval of 1 s, in s: CVSim.
const CONDUCTION: f64 = 0.12;
const SYSTOLE: f64 = 0.30;

/// s: resistance times compliance that steps of 1 ms still follow; Runge-Kutta ends at 1 ms / 2.785.
const FASTEST: f64 = 4.5e-4;

/// How far a ventricle is contracted, 0 to 1, at a time since its beat began.
fn contraction(time: f64, systole: f64) -> f64 {
    use std::f64::consts::PI;
    match time {
        t if t <= 0.0 => 0.0,
        t if t <= systole => 0.5 * (1.0 - libm::cos(PI * t / systole)),
        t if t <= 1.5 * systole => 0.5 * (1.0 + libm::cos(2.0 * PI * (t - systole) / systole)),
        _ => 0.0,
    }
}

/// Pressures of the compartments in mmHg, in the order of the volumes.
fn pressures(
    p: &CirculationParameters,
    s: &CirculationState,
    chest: f64,
    slack: f64,
    v: &[f64; 6],
    a: f64,
) -> [f64; 6] {
    let elastance = |relaxed: f64, beating: f64| 1.0 / relaxed + (1.0 / beating - 1.0 / relaxed) * a;
    [
        chest + elastance(p.left_relaxed, s.left_stiff) * (v[0] - SLACK_LEFT),
        (v[1] - SLACK_ARTERIES) / p.arteries,
        (v[2] - slack) / p.veins,
        chest + elastance(p.right_relaxed, s.right_stiff) * (v[3] - SLACK_RIGHT),
        chest + (v[4] - SLACK_LUNG_ARTERIES) / p.lung_arteries,
        chest + (v[5] - SLACK_LUNG_VEINS) / p.lung_veins,
    ]
}

fn volumes(s: &CirculationState) -> [f64; 6] {
    [s.left, s.arterial, s.venous, s.right, s.lung_arterial, s.lung_venous]
}

/// Pulls of the reflex at a time, in a straight line over the running sixteenth: vagal, cardiac, resistive, tonic.
fn pulls_at(p: &CirculationParameters, s: &CirculationState, secs: f64) -> [f64; 4] {
    let share = secs / reflex::BIN - (secs / reflex::BIN).floor();
    let between = |before: f64, now: f64| p.reflex * (before + share * (now - before));
    [
        between(s.vagal_before, s.vagal),
        between(s.cardiac_before, s.cardiac),
        between(s.resistive_before, s.resistive),
        between(s.tonic_before, s.tonic),
    ]
}

impl Model for Circulation {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let p = CirculationParameters::of(given.parameters);
        let mut s = CirculationState::of(state.numbers);
        let slack = SLACK_LEFT + SLACK_ARTERIES + p.veins_slack + SLACK_RIGHT + SLACK_LUNG_ARTERIES + SLACK_LUNG_VEINS;
        let compliance = p.left_relaxed + p.arteries + p.veins + p.right_relaxed + p.lung_arteries + p.lung_veins;
        // All vessels at one transmural pressure: the mean filling pressure.
        let filling = (p.blood - slack) / compliance;
        s.left = SLACK_LEFT + filling * p.left_relaxed;
        s.arterial = SLACK_ARTERIES + filling * p.arteries;
        s.venous = p.veins_slack + filling * p.veins;
        s.right = SLACK_RIGHT + filling * p.right_relaxed;
        s.lung_arterial = SLACK_LUNG_ARTERIES + filling * p.lung_arteries;
        s.lung_venous = SLACK_LUNG_VEINS + filling * p.lung_veins;
        s.interval = 60.0 / p.rate;
        (s.left_stiff, s.right_stiff) = (p.left_beating, p.right_beating);
        (s.bin_1, s.bin_2, s.bin_3, s.bin_4) = (p.set_point, p.set_point, p.set_point, p.set_point);
        s.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (CirculationParameters::of(given.parameters), CirculationState::of(state.numbers));
        let stroke_volume = s.full - s.emptied;
        let heart_rate = if s.interval > 0.0 { 60.0 / s.interval } else { 0.0 };
        CirculationOutputs {
            heart_rate,
            arterial_pressure: (s.arterial - SLACK_ARTERIES) / p.arteries,
            systolic: s.systolic,
            diastolic: s.diastolic,
            mean: s.mean,
            central_venous: s.central_venous,
            lung_systolic: s.lung_systolic,
            lung_diastolic: s.lung_diastolic,
            lung_mean: s.lung_mean,
            wedge: s.wedge,
            stroke_volume,
            ejection: if s.full > 0.0 { stroke_volume / s.full } else { 0.0 },
            cardiac_output: stroke_volume * heart_rate / 1000.0,
            left: s.left,
            right: s.right,
            blood: volumes(&s).iter().sum(),
            beat_time: s.since - CONDUCTION * s.interval.max(0.0).sqrt(),
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (CirculationParameters::of(given.parameters), CirculationState::of(state.numbers));
        let mut u = CirculationInputs::of(given.inputs);
        // Whatever feeds them: inputs stay those of a living circulation.
        (u.resistance, u.strength) = (u.resistance.clamp(0.05, 20.0), u.strength.clamp(0.05, 20.0));
        (u.chest_pressure, u.tone) = (u.chest_pressure.clamp(-100.0, 100.0), u.tone.clamp(-3000.0, 3000.0));
        for flow in [&mut u.arterial_bleeding, &mut u.venous_bleeding, &mut u.infusion] {
            *flow = flow.clamp(-100.0, 100.0);
        }
        let begin = given.secs() - dt;
        let [vagal, cardiac, resistive, tonic] = pulls_at(&p, &s, begin);
        let resistance = (p.systemic - ON_RESISTANCE * resistive).max(0.05) * u.resistance;
        let slack = p.veins_slack + ON_SLACK * tonic - u.tone;
        self.flow(&p, &u, resistance, slack, dt, &mut s);
        self.count(&p, &u, slack, dt, &mut s);
        self.pace(&p, &u, (vagal, cardiac), dt, &mut s);
        self.sense(&p, begin, dt, &mut s, state);
        s.put(state.numbers);
    }

    fn account(&self, _: &Given<'_>, state: StateRef<'_>) -> Account {
        let s = CirculationState::of(state.numbers);
        // In m³, as all volumes of a balance.
        Account { volume: 1e-6 * (volumes(&s).iter().sum::<f64>() - s.gained), ..Account::default() }
    }
}

impl Circulation {
    /// Moves blood on.
    fn flow(
        &self,
        p: &CirculationParameters,
        u: &CirculationInputs,
        resistance: f64,
        slack: f64,
        dt: f64,
        s: &mut CirculationState,
    ) {
        let root = s.interval.max(0.1).sqrt();
        let (wait, systole) = (CONDUCTION * root, SYSTOLE * root);
        let begin = s.since - wait;
        let fixed = *s;
        let slope = |t: f64, v: &[f64; 6]| {
            let x = pressures(p, &fixed, u.chest_pressure, slack, v, contraction(begin + t, systole));
            let aortic = (x[0] - x[1]).max(0.0) / p.aortic_valve;
            let bed = (x[1] - x[2]) / resistance;
            let tricuspid = (x[2] - x[3]).max(0.0) / p.venous_return;
            let pulmonic = (x[3] - x[4]).max(0.0) / p.pulmonic_valve;
            let lungs = (x[4] - x[5]) / p.pulmonary;
            let mitral = (x[5] - x[0]).max(0.0) / p.mitral_valve;
            [
                mitral - aortic,
                aortic - bed - u.arterial_bleeding,
                bed - tricuspid - u.venous_bleeding + u.infusion,
                tricuspid - pulmonic,
                pulmonic - lungs,
                lungs - mitral,
            ]
        };
        let v = runge_kutta(0.0, volumes(s), dt, slope);
        [s.left, s.arterial, s.venous, s.right, s.lung_arterial, s.lung_venous] = v;
        s.gained += dt * (u.infusion - u.arterial_bleeding - u.venous_bleeding);
        s.since += dt;
    }

    /// Follows the running beat.
    fn count(&self, p: &CirculationParameters, u: &CirculationInputs, slack: f64, dt: f64, s: &mut CirculationState) {
        let x = pressures(p, s, u.chest_pressure, slack, &volumes(s), 0.0);
        (s.beat_high, s.beat_low) = (s.beat_high.max(x[1]), s.beat_low.min(x[1]));
        (s.beat_lung_high, s.beat_lung_low) = (s.beat_lung_high.max(x[4]), s.beat_lung_low.min(x[4]));
        s.beat_sum += dt * x[1];
        s.beat_lung_sum += dt * x[4];
        s.beat_venous_sum += dt * x[2];
        s.beat_wedge_sum += dt * x[5];
        (s.beat_full, s.beat_emptied) = (s.beat_full.max(s.left), s.beat_emptied.min(s.left));
        s.bin_sum += x[1];
        s.bin_count += 1.0;
    }

    /// The pacemaker, and what a new beat begins with.
    fn pace(
        &self,
        p: &CirculationParameters,
        u: &CirculationInputs,
        (vagal, cardiac): (f64, f64),
        dt: f64,
        s: &mut CirculationState,
    ) {
        let wanted = (60.0 / p.rate + ON_INTERVAL.0 * vagal + ON_INTERVAL.1 * cardiac).max(0.2);
        s.phase += dt / wanted;
        let root = s.interval.max(0.1).sqrt();
        if s.phase < 1.0 || s.since - CONDUCTION * root <= 1.5 * SYSTOLE * root {
            return;
        }
        s.phase -= 1.0;
        let (high, low) = (s.beat_high, s.beat_low);
        (s.systolic, s.diastolic, s.mean) = (high, low, s.beat_sum / s.since);
        (s.lung_systolic, s.lung_diastolic) = (s.beat_lung_high, s.beat_lung_low);
        s.lung_mean = s.beat_lung_sum / s.since;
        (s.central_venous, s.wedge) = (s.beat_venous_sum / s.since, s.beat_wedge_sum / s.since);
        (s.full, s.emptied) = (s.beat_full, s.beat_emptied);
        (s.interval, s.since) = (s.since, 0.0);
        let left = (p.left_beating + ON_LEFT * cardiac).max(0.01) / u.strength;
        s.left_stiff = left.max(FASTEST / p.aortic_valve.min(p.mitral_valve));
        s.right_stiff = (p.right_beating + ON_RIGHT * cardiac).max(0.3);
        (s.beat_sum, s.beat_lung_sum, s.beat_venous_sum, s.beat_wedge_sum) = (0.0, 0.0, 0.0, 0.0);
        (s.beat_high, s.beat_low) = (-1e3, 1e3);
        (s.beat_lung_high, s.beat_lung_low) = (-1e3, 1e3);
        (s.beat_full, s.beat_emptied) = (s.left, s.left);
    }

    /// Sixteen times a second the mean pressure reaches the nerves.
    fn sense(
        &self,
        p: &CirculationParameters,
        begin: f64,
        dt: f64,
        s: &mut CirculationState,
        state: &mut StateMut<'_>,
    ) {
        let bin = |secs: f64| (secs / reflex::BIN + 1e-9).floor();
        if bin(begin + dt) == bin(begin) || s.bin_count == 0.0 {
            return;
        }
        (s.bin_4, s.bin_3, s.bin_2, s.bin_1) = (s.bin_3, s.bin_2, s.bin_1, s.bin_sum / s.bin_count);
        (s.bin_sum, s.bin_count) = (0.0, 0.0);
        let pressure = (s.bin_1 + s.bin_2 + s.bin_3 + s.bin_4) / reflex::AVERAGED as f64;
        state.queue.push_front(reflex::error(pressure, p.set_point).to_bits());
        state.queue.truncate(reflex::KEPT);
        (s.vagal_before, s.cardiac_before) = (s.vagal, s.cardiac);
        (s.resistive_before, s.tonic_before) = (s.resistive, s.tonic);
        [s.vagal, s.cardiac, s.resistive, s.tonic] = reflex::pulls(state.queue);
    }
}
