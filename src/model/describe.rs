//! What a model says of itself: its quantities and its ports. In: the tables that [`quantities!`] makes. Out: the same
//! as data, for scenes, panels, filters and `pollux models`. Holds no value of any one machine.

use std::fmt;

/// All that is known of a model without running it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Description {
    /// As scenes write it: `CentrifugalPump`.
    pub name: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    /// Where the equations come from.
    pub source: &'static str,
    /// Whether it is a controller or a generator, which is as it is set: it does not age, and nobody estimates it.
    pub is_program: bool,
    /// Of the layout of its state; a stored state of another version is not taken up.
    pub version: u16,
    /// Nanoseconds from step to step unless the scene says otherwise; none for a model that only has events.
    pub step: Option<u64>,
    pub parameters: &'static [Parameter],
    pub states: &'static [State],
    pub counts: &'static [Count],
    pub inputs: &'static [Input],
    pub outputs: &'static [Output],
    pub ports: &'static [Port],
    /// Ways of a fluid through the machine, by its fluid ports.
    pub passages: &'static [Passage],
    /// Lists that it is given, such as the steps of a sequence.
    pub tables: &'static [Table],
    /// Variables that it draws random numbers for.
    pub draws: &'static [&'static str],
    pub repairs: &'static [Repair],
    /// What a fast sensor would sample, made on demand.
    pub waveforms: &'static [Waveform],
}

impl Description {
    /// What a model has that has nothing: the base of other descriptions.
    pub const EMPTY: Self = Self {
        name: "",
        about: "",
        source: "",
        is_program: false,
        version: 1,
        step: None,
        parameters: &[],
        states: &[],
        counts: &[],
        inputs: &[],
        outputs: &[],
        ports: &[],
        passages: &[],
        tables: &[],
        draws: &[],
        repairs: &[],
        waveforms: &[],
    };

    pub fn parameter(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|one| one.name == name)
    }

    pub fn state(&self, name: &str) -> Option<usize> {
        self.states.iter().position(|one| one.name == name)
    }

    pub fn input(&self, name: &str) -> Option<usize> {
        self.inputs.iter().position(|one| one.name == name)
    }

    pub fn output(&self, name: &str) -> Option<usize> {
        self.outputs.iter().position(|one| one.name == name)
    }

    pub fn port(&self, name: &str) -> Option<usize> {
        self.ports.iter().position(|one| one.name == name)
    }

    pub fn waveform(&self, name: &str) -> Option<usize> {
        self.waveforms.iter().position(|one| one.name == name)
    }

    pub fn repair(&self, name: &str) -> Option<usize> {
        self.repairs.iter().position(|one| one.name == name)
    }
}

/// A number that stays as it is unless somebody changes it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub about: &'static str,
    /// Of the number inside; a scene writes any unit that fits.
    pub unit: &'static str,
    pub default: f64,
    /// Lowest and highest value, both allowed.
    pub bounds: (f64, f64),
    pub role: Role,
    /// Where the default comes from.
    pub source: &'static str,
}

/// What a parameter describes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// How the machine was built or set.
    Design,
    /// How it stands at time 0; of no effect after that.
    Start,
    /// How worn, fouled or broken it is: faults change it, calibration estimates it.
    Condition,
}

/// A continuous state.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct State {
    pub name: &'static str,
    pub about: &'static str,
    pub unit: &'static str,
    /// Where the model does not say otherwise at its beginning.
    pub start: f64,
    pub bounds: (f64, f64),
    /// Whether a filter may write it.
    pub estimated: bool,
}

/// A whole number of the state: a phase, a counter, a time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    pub name: &'static str,
    pub about: &'static str,
}

/// What the surroundings tell a model.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Input {
    pub name: &'static str,
    pub about: &'static str,
    pub unit: &'static str,
    /// Where nothing feeds it; none if something must.
    pub default: Option<f64>,
    pub over: Over,
}

/// What a slow model sees of an input that changed during its step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    /// The mean over the step: flows, powers.
    Mean,
    /// What it is at the end of the step: commands, switches.
    Last,
}

/// What a model tells its surroundings.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Output {
    pub name: &'static str,
    pub about: &'static str,
    pub unit: &'static str,
    pub kind: OutputKind,
    /// Whether it follows inputs and flows without a step between; else it follows from the state alone.
    pub direct: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutputKind {
    Number,
    /// 0 or 1.
    Flag,
    /// The number of one of these words.
    Words(&'static [&'static str]),
}

/// Where something flows in or out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Port {
    pub name: &'static str,
    pub about: &'static str,
    pub domain: Domain,
    /// Whether the machine makes no sense without a link here.
    pub required: bool,
}

/// What flows through a port. Only ports of one domain fit each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Domain {
    /// A liquid: pressure, flow and temperature follow from the whole network.
    Fluid,
    /// Heat between two temperatures: an output in °C (not direct), and an input in W.
    Heat { temperature: &'static str, flow: &'static str },
    /// One of many that take from a source: an output with what it takes, an input with the source's potential.
    Taker { carrier: Carrier, taken: &'static str, potential: Option<&'static str> },
    /// The source of many takers: an input with their sum, an output (not direct) with its potential.
    Giver { carrier: Carrier, given: &'static str, potential: &'static str },
    /// Where whole items leave.
    ItemsOut,
    /// Where whole items enter.
    ItemsIn,
}

/// What a source shares among its takers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Carrier {
    /// W and V.
    Electricity,
    /// Free air in m³/s, and Pa above the atmosphere.
    Air,
    /// A shaft: N m and rad/s.
    Rotation,
}

impl Carrier {
    fn word(self) -> &'static str {
        match self {
            Carrier::Electricity => "electricity",
            Carrier::Air => "air",
            Carrier::Rotation => "rotation",
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Domain::Fluid => f.write_str("fluid"),
            Domain::Heat { .. } => f.write_str("heat"),
            Domain::Taker { carrier, .. } => write!(f, "takes {}", carrier.word()),
            Domain::Giver { carrier, .. } => write!(f, "gives {}", carrier.word()),
            Domain::ItemsOut => f.write_str("items leave"),
            Domain::ItemsIn => f.write_str("items enter"),
        }
    }
}

/// A way of a fluid through a machine. Flow counts positive from `from` to `to`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passage {
    pub from: End,
    pub to: End,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// A fluid port, by its number.
    Port(usize),
    /// A space within the machine that keeps what enters: the liquid of a tank.
    Inside,
    /// The border of the simulated world: a mains, a drain, a consumer.
    Outside,
}

/// Rows of numbers that a machine is given: a schedule, the steps of a sequence.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Table {
    pub name: &'static str,
    pub about: &'static str,
    /// Name and unit of each column.
    pub columns: &'static [(&'static str, &'static str)],
}

/// What people can do to make damage good again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Repair {
    pub name: &'static str,
    pub about: &'static str,
}

/// A quantity that changes much faster than the model steps: a vibration, a current.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waveform {
    pub name: &'static str,
    pub about: &'static str,
    pub unit: &'static str,
}

/// Makes a struct of `f64` (or `u64`) fields with the table that describes them, and the way from and to a slice.
///
/// ```text
/// quantities! {
///     pub parameters TankParameters {
///         /// Cross-section
///         area: "m2" = 1.0, 1e-4 => 1e6, design, "assumed";
///     }
/// }
/// let tank = TankParameters::of(given.parameters);
/// ```
///
/// Kinds: `parameters`, `states`, `counts`, `inputs` and `outputs`. Comments become [`about`](Parameter::about).
macro_rules! quantities {
    ($(#[$meta:meta])* $visible:vis parameters $name:ident { $(
        $(#[doc = $about:literal])+
        $field:ident: $unit:literal = $default:expr, $low:expr => $high:expr, $role:ident, $source:expr;
    )* }) => {
        $crate::model::quantities!(@fields $(#[$meta])* $visible $name f64 { $( $(#[doc = $about])+ $field )* });
        impl $name {
            pub const ALL: &'static [$crate::model::Parameter] = &[ $( $crate::model::Parameter {
                name: stringify!($field),
                about: concat!($($about),+),
                unit: $unit,
                default: $default,
                bounds: ($low, $high),
                role: $crate::model::quantities!(@role $role),
                source: $source,
            } ),* ];
        }
    };
    ($(#[$meta:meta])* $visible:vis states $name:ident { $(
        $(#[doc = $about:literal])+
        $field:ident: $unit:literal = $start:expr, $low:expr => $high:expr $(, $estimated:ident)?;
    )* }) => {
        $crate::model::quantities!(@fields $(#[$meta])* $visible $name f64 { $( $(#[doc = $about])+ $field )* });
        impl $name {
            pub const ALL: &'static [$crate::model::State] = &[ $( $crate::model::State {
                name: stringify!($field),
                about: concat!($($about),+),
                unit: $unit,
                start: $start,
                bounds: ($low, $high),
                estimated: $crate::model::quantities!(@estimated $($estimated)?),
            } ),* ];
        }
    };
    ($(#[$meta:meta])* $visible:vis counts $name:ident { $(
        $(#[doc = $about:literal])+
        $field:ident;
    )* }) => {
        $crate::model::quantities!(@fields $(#[$meta])* $visible $name u64 { $( $(#[doc = $about])+ $field )* });
        impl $name {
            pub const ALL: &'static [$crate::model::Count] = &[ $( $crate::model::Count {
                name: stringify!($field),
                about: concat!($($about),+),
            } ),* ];
        }
    };
    ($(#[$meta:meta])* $visible:vis inputs $name:ident { $(
        $(#[doc = $about:literal])+
        $field:ident: $unit:literal, $over:ident $(= $default:expr)?;
    )* }) => {
        $crate::model::quantities!(@fields $(#[$meta])* $visible $name f64 { $( $(#[doc = $about])+ $field )* });
        impl $name {
            pub const ALL: &'static [$crate::model::Input] = &[ $( $crate::model::Input {
                name: stringify!($field),
                about: concat!($($about),+),
                unit: $unit,
                default: $crate::model::quantities!(@default $($default)?),
                over: $crate::model::quantities!(@over $over),
            } ),* ];
        }
    };
    ($(#[$meta:meta])* $visible:vis outputs $name:ident { $(
        $(#[doc = $about:literal])+
        $field:ident: $unit:literal $(= $kind:expr)?, $path:ident;
    )* }) => {
        $crate::model::quantities!(@fields $(#[$meta])* $visible $name f64 { $( $(#[doc = $about])+ $field )* });
        impl $name {
            pub const ALL: &'static [$crate::model::Output] = &[ $( $crate::model::Output {
                name: stringify!($field),
                about: concat!($($about),+),
                unit: $unit,
                kind: $crate::model::quantities!(@kind $($kind)?),
                direct: $crate::model::quantities!(@direct $path),
            } ),* ];
        }
    };
    (@fields $(#[$meta:meta])* $visible:vis $name:ident $type:ident { $( $(#[doc = $about:literal])+ $field:ident )* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Debug)]
        $visible struct $name { $( $(#[doc = $about])+ pub $field: $type, )* }

        impl $name {
            /// Reads the fields in their order.
            ///
            /// # Panics
            ///
            /// If there are fewer numbers than fields: a network allots each model what its description asks for.
            #[allow(dead_code, reason = "not every table is read")]
            pub fn of(numbers: &[$type]) -> Self {
                const FIELDS: &[&str] = &[ $( stringify!($field) ),* ];
                let [$( $field, )* ..] = numbers else {
                    panic!("{} needs {} numbers, not {}", stringify!($name), FIELDS.len(), numbers.len());
                };
                Self { $( $field: *$field, )* }
            }

            /// Writes the fields in their order.
            ///
            /// # Panics
            ///
            /// If there are fewer numbers than fields.
            #[allow(dead_code, reason = "not every table is written")]
            pub fn put(self, numbers: &mut [$type]) {
                const FIELDS: &[&str] = &[ $( stringify!($field) ),* ];
                let count = numbers.len();
                let [$( $field, )* ..] = numbers else {
                    panic!("{} needs {} numbers, not {count}", stringify!($name), FIELDS.len());
                };
                $( *$field = self.$field; )*
            }
        }
    };
    (@role design) => { $crate::model::Role::Design };
    (@role start) => { $crate::model::Role::Start };
    (@role condition) => { $crate::model::Role::Condition };
    (@estimated estimated) => { true };
    (@estimated) => { false };
    (@default $default:expr) => { Some($default) };
    (@default) => { None };
    (@over mean) => { $crate::model::Over::Mean };
    (@over last) => { $crate::model::Over::Last };
    (@kind $kind:expr) => { $kind };
    (@kind) => { $crate::model::OutputKind::Number };
    (@direct direct) => { true };
    (@direct held) => { false };
}

pub(crate) use quantities;
