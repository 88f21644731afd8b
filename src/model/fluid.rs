//! Liquids by their constant properties. In: a name, or numbers. Out: density, viscosity, heat capacity, pressures at
//! which they boil, stiffness.
//! Properties do not change with temperature or pressure: within one network volumes stay what they are.

/// Standard gravity in m/s².
pub const GRAVITY: f64 = 9.806_65;
/// Pa of the standard atmosphere.
pub const ATMOSPHERE: f64 = 101_325.0;

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fluid {
    /// kg/m³
    pub density: f64,
    /// Kinematic, m²/s
    pub viscosity: f64,
    /// J/(kg K)
    pub heat_capacity: f64,
    /// Pa, absolute
    pub vapour_pressure: f64,
    /// Pa, absolute, at its critical point
    pub critical_pressure: f64,
    /// Pa of bulk modulus
    pub stiffness: f64,
}

impl Fluid {
    /// At 20 °C: Perry and Green, "Perry's Chemical Engineers' Handbook"; NIST Chemistry WebBook. Critical pressure as
    /// IEC 60534-2-1 has it.
    pub const WATER: Self = Self {
        density: 998.2,
        viscosity: 1.004e-6,
        heat_capacity: 4180.0,
        vapour_pressure: 2339.0,
        critical_pressure: 22.12e6,
        stiffness: 2.18e9,
    };
    /// A soft drink of about 10 °Brix at 10 °C; assumed, the last two as of water.
    pub const SOFT_DRINK: Self =
        Self { density: 1038.0, viscosity: 1.7e-6, heat_capacity: 3950.0, vapour_pressure: 1200.0, ..Self::WATER };
    /// Water with 30 % of propylene glycol at 2 °C: ASHRAE Handbook, Fundamentals; rounded; the last two as of water.
    pub const GLYCOL: Self =
        Self { density: 1040.0, viscosity: 5.0e-6, heat_capacity: 3700.0, vapour_pressure: 650.0, ..Self::WATER };

    /// Those that a scene may name, sorted.
    pub const NAMED: &'static [(&'static str, Self)] =
        &[("glycol", Self::GLYCOL), ("soft drink", Self::SOFT_DRINK), ("water", Self::WATER)];

    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, fluid)| *fluid)
    }

    /// J/(m³ K)
    pub fn heat_per_volume(&self) -> f64 {
        self.density * self.heat_capacity
    }
}
