//! A plate heat exchanger in counterflow that fouls. In: two liquids. Out: their temperatures, the heat that goes over,
//! the pressure that each side takes. Never gives one side other heat than it takes from the other.
//!
//! q = eps C_min (T_hi - T_ci), eps of counterflow by NTU = U A / C_min (Incropera et al., "Fundamentals of Heat and Mass
//! Transfer", ch. 11), 1 / U = 1 / h_h + 1 / h_c + t / k + R_f. Films follow the flow: h ~ m^0.7; so does the pressure
//! drop: a tenth more flow takes 1.8 tenths more, as a straight part of 0.2 and a square of 0.8. Deposits grow as
//! R_f' = (R_inf - R_f) / tau (Kern and Seaton, "A theoretical analysis of thermal surface fouling", British Chemical
//! Engineering 4, 1959), and narrow the gap between plates: 1 / (1 - d / gap)³ times the pressure drop.
//!
//! Each side is a stirred space with half of the plates' heat; it gives what it gave on average over the step before.
//! So that spaces which nearly nothing passes stay between the temperatures that enter, a step moves half of what is
//! there at most: that is felt only where liquid stays for less than two steps.
//!
//! Order 1: the heat that goes over follows the temperatures of the step before. Fouling is exact.
//!
//! | figure | source | wanted | ours | difference |
//! | --- | --- | --- | --- | --- |
//! | eps (NTU 1, C_r 1), (2, 0.5), (3, 0.75), (2, 0) | sheet 1.6 | 0.5, 0.774600, 0.817118, 0.864665 | equal | < 1e-6 |
//! | 1 kg/s, 80 and 20 °C, clean: duty, hot outlet | sheet 1.6 | 157.03 kW, 42.433 °C | 157.03, 42.433 | < 1e-4 |
//! | the same with R_f 1e-4 m² K/W | sheet 1.6 | 138.86 kW, 46.780 °C | 138.86, 46.780 | < 1e-4 |
//! | the same with R_f 2e-4 m² K/W | sheet 1.6 | 124.46 kW, 50.225 °C | 124.46, 50.225 | < 1e-4 |
//! | R_f / R_inf after 1, 2, 3 tau | sheet 1.6 | 0.63212, 0.86466, 0.95021 | equal | < 1e-5 |

use super::pipe::hole;
use crate::model::integrate::approach;
use crate::model::quantities;
use crate::model::{
    Account, Carriage, Crossing, Description, Domain, End, Given, Law, Model, Passage, Plumbing, Port, Repair,
    StateMut, StateRef,
};

/// A plate heat exchanger between two liquid networks.
#[derive(Clone, Copy, Debug)]
pub struct HeatExchanger;

quantities! {
    pub parameters ExchangerParameters {
        /// Surface of all plates
        area: "m2" = 2.0, 0.01 => 5000.0, design, "sheet 1.6";
        /// Flow on the hot side for which films and pressure drop are given
        hot_rated_flow: "m3/s" = 1e-3, 1e-6 => 10.0, design, "sheet 1.6: 1 kg/s";
        /// Flow on the cold side for which films and pressure drop are given
        cold_rated_flow: "m3/s" = 1e-3, 1e-6 => 10.0, design, "sheet 1.6: 1 kg/s";
        /// Film coefficient of the hot side at rated flow
        hot_film: "W/(m2.K)" = 7_924.528_3, 10.0 => 1e5, design, "sheet 1.6: U 3500 W/(m2 K) in all";
        /// Film coefficient of the cold side at rated flow
        cold_film: "W/(m2.K)" = 7_924.528_3, 10.0 => 1e5, design, "sheet 1.6: U 3500 W/(m2 K) in all";
        /// Thickness of a plate
        plate: "m" = 5e-4, 1e-5 => 0.01, design, "usual for plates of steel 1.4401: 0.4 mm to 0.6 mm";
        /// Conductivity of a plate
        conductivity: "W/(m.K)" = 15.0, 0.1 => 500.0, design, "EN 10088-1, steel 1.4401";
        /// Distance of two plates
        gap: "m" = 3e-3, 5e-4 => 0.05, design, "usual: 2 mm to 5 mm";
        /// Pressure that the hot side takes at rated flow
        hot_drop: "Pa" = 3e4, 1.0 => 1e6, design, "assumed: 0.3 bar";
        /// Pressure that the cold side takes at rated flow
        cold_drop: "Pa" = 3e4, 1.0 => 1e6, design, "assumed: 0.3 bar";
        /// Liquid on the hot side, with half of the plates counted as liquid
        hot_volume: "m3" = 5e-3, 1e-4 => 50.0, design, "sheet 1.6: filled in 2 s to 20 s";
        /// Liquid on the cold side, with half of the plates counted as liquid
        cold_volume: "m3" = 5e-3, 1e-4 => 50.0, design, "sheet 1.6: filled in 2 s to 20 s";
        /// Height above the datum of pressures
        elevation: "m" = 0.0, -1000.0 => 10_000.0, design, "none";
        /// Temperature of both sides at the beginning
        start_temperature: "degC" = 20.0, -50.0 => 200.0, start, "assumed";
        /// Conductivity of deposits
        deposit_conductivity: "W/(m.K)" = 1.0, 0.05 => 10.0, design, "assumed: between biofilm 0.6 and chalk 2";
        /// Share of the deposits that lies on the hot side
        deposits_hot: "" = 0.5, 0.0 => 1.0, design, "assumed: alike on both";
        /// Fouling resistance at the beginning
        start_fouling: "m2.K/W" = 0.0, 0.0 => 0.01, start, "clean";
        /// Fouling resistance that deposits tend to
        fouling_limit: "m2.K/W" = 1e-4, 0.0 => 0.01, condition, "sheet 1.6: 5e-5 to 2e-4";
        /// Time in which they come 63 % closer to it
        fouling_time: "s" = 3.456e6, 1.0 => 1e9, condition, "sheet 1.6: 20 d to 90 d; 40 d";
        /// Share of its channels that are blocked
        blocked: "" = 0.0, 0.0 => 0.9, condition, "none";
        /// Cross-section of a hole in a gasket of the hot side
        hot_leak: "m2" = 0.0, 0.0 => 0.1, condition, "none";
        /// Cross-section of a hole in a gasket of the cold side
        cold_leak: "m2" = 0.0, 0.0 => 0.1, condition, "none";
    }
}

quantities! {
    pub states ExchangerState {
        /// Temperature of the hot side at its outlet
        hot: "degC" = 20.0, -100.0 => 400.0, estimated;
        /// Temperature of the cold side at its outlet
        cold: "degC" = 20.0, -100.0 => 400.0, estimated;
        /// Fouling resistance
        fouling: "m2.K/W" = 0.0, 0.0 => 0.01, estimated;
        /// Heat that goes from hot to cold
        duty: "W" = 0.0, -1e12 => 1e12;
    }
}

quantities! {
    pub outputs ExchangerOutputs {
        /// Temperature that enters the hot side
        hot_inlet: "degC", direct;
        /// Temperature that leaves the hot side
        hot_outlet: "degC", held;
        /// Temperature that enters the cold side
        cold_inlet: "degC", direct;
        /// Temperature that leaves the cold side
        cold_outlet: "degC", held;
        /// Flow on the hot side
        hot_flow: "m3/s", direct;
        /// Flow on the cold side
        cold_flow: "m3/s", direct;
        /// Pressure that the hot side takes
        hot_drop: "Pa", direct;
        /// Pressure that the cold side takes
        cold_drop: "Pa", direct;
        /// Heat that goes from hot to cold
        duty: "W", held;
        /// Heat transfer coefficient
        coefficient: "W/(m2.K)", direct;
        /// Share of the heat that could go over at most
        effectiveness: "", direct;
        /// Fouling resistance
        fouling: "m2.K/W", held;
    }
}

const HOT: usize = 0;
const COLD: usize = 1;
const HOT_LEAK: usize = 2;
const COLD_LEAK: usize = 3;
/// Of a jet through a torn gasket: Idelchik, sharp edge.
const JET: f64 = 0.62;
/// What cleaning in place leaves: sheet 1.6, 5 % to 10 %.
const LEFT: f64 = 0.1;

static DESCRIPTION: Description = Description {
    name: "HeatExchanger",
    about: "A plate heat exchanger in counterflow that fouls",
    source: "Incropera, Fundamentals of Heat and Mass Transfer, ch. 11; Kern and Seaton, 1959",
    step: Some(100_000_000),
    parameters: ExchangerParameters::ALL,
    states: ExchangerState::ALL,
    outputs: ExchangerOutputs::ALL,
    ports: &[
        Port { name: "hot_inlet", about: "Where warm liquid enters", domain: Domain::Fluid, required: true },
        Port { name: "hot_outlet", about: "Where it leaves, cooled", domain: Domain::Fluid, required: true },
        Port { name: "cold_inlet", about: "Where cold liquid enters", domain: Domain::Fluid, required: true },
        Port { name: "cold_outlet", about: "Where it leaves, warmed", domain: Domain::Fluid, required: true },
    ],
    passages: &[
        Passage { from: End::Port(0), to: End::Port(1) },
        Passage { from: End::Port(2), to: End::Port(3) },
        Passage { from: End::Port(1), to: End::Outside },
        Passage { from: End::Port(3), to: End::Outside },
    ],
    repairs: &[Repair { name: "clean_in_place", about: "Circulates lye and acid; a tenth of the deposits stays" }],
    ..Description::EMPTY
};

/// Share of the largest heat that goes over in counterflow, for `ntu` transfer units and a ratio of capacity rates
/// from 0 to 1.
pub fn effectiveness(ntu: f64, ratio: f64) -> f64 {
    let exponent = ntu * (1.0 - ratio);
    // Both parts of the fraction go to 0 at a ratio of 1.
    if exponent < 1e-6 {
        return ntu / (1.0 + ntu);
    }
    let away = -libm::expm1(-exponent);
    away / (1.0 - ratio + ratio * away)
}

/// Share of the duty at rated flow that a film has at a flow.
fn film(flow: f64, rated: f64) -> f64 {
    libm::pow(flow.abs() / rated, 0.7)
}

/// W/(m² K) at the flows of both sides.
fn coefficient(p: &ExchangerParameters, fouling: f64, hot: f64, cold: f64) -> f64 {
    let open = 1.0 - p.blocked;
    let (hot, cold) = (film(hot / open, p.hot_rated_flow), film(cold / open, p.cold_rated_flow));
    if hot <= 0.0 || cold <= 0.0 {
        return 0.0;
    }
    1.0 / (1.0 / (p.hot_film * hot) + 1.0 / (p.cold_film * cold) + p.plate / p.conductivity + fouling)
}

/// How heat goes over at the flows and temperatures of a step: W, coefficient, effectiveness.
fn transfer(p: &ExchangerParameters, fouling: f64, hot: &Crossing, cold: &Crossing) -> (f64, f64, f64) {
    let coefficient = coefficient(p, fouling, hot.flow, cold.flow);
    let rate = |side: &Crossing| side.fluid.heat_per_volume() * side.flow.abs();
    let (low, high) = (rate(hot).min(rate(cold)), rate(hot).max(rate(cold)));
    if low < 1e-3 || coefficient <= 0.0 {
        return (0.0, coefficient, 0.0);
    }
    let share = effectiveness(coefficient * p.area * (1.0 - p.blocked) / low, low / high);
    (share * low * (hot.entering - cold.entering), coefficient, share)
}

/// The law of one side, with `deposit` m of deposits on its plates.
fn side(drop: f64, rated: f64, deposit: f64, p: &ExchangerParameters) -> Law {
    let open = (1.0 - deposit / p.gap).max(0.1);
    let channels = 1.0 - p.blocked;
    let drop = drop / (open * open * open);
    let rated = rated * channels;
    Law { linear: 0.2 * drop / rated, quadratic: 0.8 * drop / (rated * rated), ..Law::OPEN }
}

/// J/K of both sides.
fn held(p: &ExchangerParameters, given: &Given<'_>) -> (f64, f64) {
    let per_volume = |side: usize| given.crossings[side].fluid.heat_per_volume();
    (per_volume(HOT) * p.hot_volume, per_volume(COLD) * p.cold_volume)
}

impl Model for HeatExchanger {
    fn description(&self) -> &'static Description {
        &DESCRIPTION
    }

    fn begin(&self, given: &Given<'_>, state: &mut StateMut<'_>) {
        let p = ExchangerParameters::of(given.parameters);
        let start = p.start_temperature;
        ExchangerState { hot: start, cold: start, fouling: p.start_fouling, duty: 0.0 }.put(state.numbers);
    }

    fn outputs(&self, given: &Given<'_>, state: StateRef<'_>, out: &mut [f64]) {
        let (p, s) = (ExchangerParameters::of(given.parameters), ExchangerState::of(state.numbers));
        let (hot, cold) = (&given.crossings[HOT], &given.crossings[COLD]);
        let (_, coefficient, effectiveness) = transfer(&p, s.fouling, hot, cold);
        ExchangerOutputs {
            hot_inlet: hot.entering,
            hot_outlet: s.hot,
            cold_inlet: cold.entering,
            cold_outlet: s.cold,
            hot_flow: hot.flow,
            cold_flow: cold.flow,
            hot_drop: hot.from_pressure - hot.to_pressure,
            cold_drop: cold.from_pressure - cold.to_pressure,
            duty: s.duty,
            coefficient,
            effectiveness,
            fouling: s.fouling,
        }
        .put(out);
    }

    fn step(&self, given: &Given<'_>, dt: f64, state: &mut StateMut<'_>) {
        let (p, mut s) = (ExchangerParameters::of(given.parameters), ExchangerState::of(state.numbers));
        let (hot, cold) = (&given.crossings[HOT], &given.crossings[COLD]);
        let (hot_held, cold_held) = held(&p, given);
        // The same number on both sides: what one gives is what the other takes.
        s.hot += dt * (hot.heat() - s.duty) / hot_held;
        s.cold += dt * (cold.heat() + s.duty) / cold_held;
        s.fouling = approach(s.fouling, p.fouling_limit, p.fouling_time, dt);
        let (duty, _, _) = transfer(&p, s.fouling, hot, cold);
        let most = 0.5 * hot_held.min(cold_held) * (hot.entering - cold.entering).abs() / dt;
        s.duty = duty.clamp(-most, most);
        s.put(state.numbers);
    }

    fn law(&self, passage: usize, at: &Plumbing<'_>) -> Law {
        let (p, s) = (ExchangerParameters::of(at.parameters), ExchangerState::of(at.state.numbers));
        let deposit = s.fouling * p.deposit_conductivity;
        match passage {
            HOT => side(p.hot_drop, p.hot_rated_flow, p.deposits_hot * deposit, &p),
            COLD => side(p.cold_drop, p.cold_rated_flow, (1.0 - p.deposits_hot) * deposit, &p),
            HOT_LEAK => hole(JET * p.hot_leak, p.elevation, &at.fluid),
            COLD_LEAK => hole(JET * p.cold_leak, p.elevation, &at.fluid),
            _ => Law::CLOSED,
        }
    }

    fn carriage(&self, passage: usize, at: &Plumbing<'_>) -> Carriage {
        let (p, s) = (ExchangerParameters::of(at.parameters), ExchangerState::of(at.state.numbers));
        match passage {
            HOT => Carriage::Stirred { volume: p.hot_volume, temperature: s.hot, heat: -s.duty },
            COLD => Carriage::Stirred { volume: p.cold_volume, temperature: s.cold, heat: s.duty },
            _ => Carriage::Through,
        }
    }

    fn repair(&self, _: usize, _: &Given<'_>, state: &mut StateMut<'_>) {
        let mut s = ExchangerState::of(state.numbers);
        s.fouling *= LEFT;
        s.put(state.numbers);
    }

    fn account(&self, given: &Given<'_>, state: StateRef<'_>) -> Account {
        let (p, s) = (ExchangerParameters::of(given.parameters), ExchangerState::of(state.numbers));
        let (hot, cold) = held(&p, given);
        Account { heat: hot * s.hot + cold * s.cold, ..Account::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Fluid;

    fn as_built() -> ExchangerParameters {
        let numbers: Vec<f64> = ExchangerParameters::ALL.iter().map(|parameter| parameter.default).collect();
        ExchangerParameters::of(&numbers)
    }

    #[test]
    fn effectiveness_is_that_of_the_sheet_also_where_both_sides_are_alike() {
        for (ntu, ratio, wanted) in
            [(1.0, 1.0, 0.5), (2.0, 0.5, 0.774_600), (3.0, 0.75, 0.817_118), (2.0, 0.0, 0.864_665)]
        {
            assert!((effectiveness(ntu, ratio) - wanted).abs() < 1e-6, "{ntu}, {ratio}");
        }
        for (one, other) in [(1.0 - 1e-7, 1.0), (1.0 - 1e-5, 1.0 - 1e-6)] {
            assert!((effectiveness(2.0, one) - effectiveness(2.0, other)).abs() < 1e-5, "{one}");
        }
    }

    #[test]
    fn fouling_lowers_the_duty_as_in_the_sheet() {
        let p = as_built();
        let side = |entering: f64| Crossing {
            flow: 1.0 / Fluid::WATER.density,
            entering,
            leaving: 50.0,
            from_pressure: 0.0,
            to_pressure: 0.0,
            fluid: Fluid::WATER,
        };
        let p = ExchangerParameters { hot_rated_flow: side(0.0).flow, cold_rated_flow: side(0.0).flow, ..p };
        for (fouling, coefficient, duty, outlet) in
            [(0.0, 3500.0, 157_030.0, 42.433), (1e-4, 2592.6, 138_860.0, 46.780), (2e-4, 2058.8, 124_460.0, 50.225)]
        {
            let (found, u, _) = transfer(&p, fouling, &side(80.0), &side(20.0));
            assert!((u / coefficient - 1.0).abs() < 2e-5, "{fouling}: U {u}");
            assert!((found / duty - 1.0).abs() < 1e-4, "{fouling}: {found} W");
            assert!((80.0 - found / 4180.0 - outlet).abs() < 2e-3, "{fouling}");
        }
        let (_, _, clean) = transfer(&p, 0.0, &side(80.0), &side(20.0));
        assert!((clean - 0.626_118).abs() < 1e-5, "{clean}");
    }

    #[test]
    fn deposits_grow_as_kern_and_seaton_say_and_narrow_the_gap() {
        for (times, wanted) in [(1.0, 0.632_12), (2.0, 0.864_66), (3.0, 0.950_21)] {
            let found = (0..1000).fold(0.0, |x, _| approach(x, 1.0, 1.0, times / 1000.0));
            assert!((found - wanted).abs() < 1e-5, "{times} tau: {found}");
        }
        let p = as_built();
        let (clean, fouled) = (side(3e4, 1e-3, 0.0, &p), side(3e4, 1e-3, 0.3e-3, &p));
        assert!((fouled.quadratic / clean.quadratic - 1.0 / (0.9 * 0.9 * 0.9)).abs() < 1e-9);
        // dp ~ m^1.8 about the rated flow.
        let drop = |flow: f64| clean.linear * flow + clean.quadratic * flow * flow;
        assert!((drop(1e-3) - 3e4).abs() < 1e-9);
        assert!((drop(1.05e-3) / drop(0.95e-3) - libm::pow(1.05 / 0.95, 1.8)).abs() < 1e-3);
    }

    #[test]
    fn without_flow_on_one_side_no_heat_goes_over() {
        let still = |flow: f64, entering: f64| Crossing {
            flow,
            entering,
            leaving: entering,
            from_pressure: 0.0,
            to_pressure: 0.0,
            fluid: Fluid::WATER,
        };
        let (duty, _, share) = transfer(&as_built(), 0.0, &still(0.0, 80.0), &still(1e-3, 20.0));
        assert_eq!((duty, share), (0.0, 0.0));
    }
}
