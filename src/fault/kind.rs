//! What kinds of faults there are: names, meaning, parameters with unit, default and bounds. In: the tables that
//! [`effects!`] makes. Out: the same as data, for scenario files, panels and the command line. Holds no fault.

/// What a fault acts on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Layer {
    /// A machine itself: what it does is other than it should be.
    Process,
    /// What a signal says of a machine that is as it is.
    Sensor,
    /// The messages that carry signals.
    Link,
}

impl Layer {
    pub const fn name(self) -> &'static str {
        match self {
            Layer::Process => "process",
            Layer::Sensor => "sensor",
            Layer::Link => "link",
        }
    }
}

/// One kind of fault.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Kind {
    pub layer: Layer,
    /// As files write it; kinds of two layers may share one.
    pub name: &'static str,
    /// Its exact effect: the first line is one sentence for people.
    pub page: &'static str,
    /// Whether it grows with the ramp of its course; all others have their full effect at once, and take no ramp.
    pub ramps: bool,
    pub parameters: &'static [Parameter],
}

impl Kind {
    /// One sentence for people.
    pub fn about(&self) -> &'static str {
        self.page.lines().next().unwrap_or_default().trim()
    }

    /// Its exact effect, without the first sentence: paragraphs with an empty line between them.
    pub fn effect(&self) -> String {
        let lines: Vec<&str> = self.page.lines().skip(1).map(str::trim).collect();
        lines.join("\n").trim().to_owned()
    }

    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|one| one.name == name)
    }

    /// What its parameters have by default, in their order; `span` is the size of the target's range, in its unit.
    pub fn defaults(&self, span: f64) -> Vec<f64> {
        self.parameters.iter().map(|one| one.in_unit(one.default, span)).collect()
    }
}

/// A number that says how large or how often.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub about: &'static str,
    pub measure: Measure,
    /// In its unit; in spans of the target where the unit is the target's, see [`Parameter::in_unit`].
    pub default: f64,
    /// Lowest and highest value that is allowed, in its unit.
    pub bounds: (f64, f64),
    /// What a slider offers, as the default is given.
    pub usual: (f64, f64),
}

impl Parameter {
    /// The unit of its number, given that of the target; empty where it has none.
    pub fn unit(&self, of_target: &str) -> String {
        match self.measure {
            Measure::Target => of_target.to_owned(),
            Measure::TargetPerSecond if of_target.is_empty() => "1/s".to_owned(),
            Measure::TargetPerSecond => format!("{of_target}/s"),
            Measure::Unit(unit) => unit.to_owned(),
            Measure::Flag => String::new(),
        }
    }

    /// A default or a usual value in the parameter's unit; `span` is the size of the target's range, in its unit.
    pub fn in_unit(&self, x: f64, span: f64) -> f64 {
        match self.measure {
            Measure::Target | Measure::TargetPerSecond => x * span,
            Measure::Unit(_) | Measure::Flag => x,
        }
    }
}

/// What the number of a parameter counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// The unit of the signal, parameter or input that the fault is on.
    Target,
    /// The same in a second.
    TargetPerSecond,
    /// This unit; empty for a share or a factor.
    Unit(&'static str),
    /// No number: yes or no, 1 or 0.
    Flag,
}

/// The largest number that a parameter in the target's unit takes: sums and products of a few of them stay finite.
pub(super) const LARGEST: f64 = 1e30;

/// What a parameter can be: a number or a flag.
pub(super) trait Scalar: Copy {
    fn number(self) -> f64;
    fn of(x: f64) -> Self;
}

impl Scalar for f64 {
    fn number(self) -> f64 {
        self
    }

    fn of(x: f64) -> Self {
        x
    }
}

impl Scalar for bool {
    fn number(self) -> f64 {
        f64::from(u8::from(self))
    }

    fn of(x: f64) -> Self {
        x != 0.0
    }
}

/// Makes an enum of the effects of a layer, with the table that describes them.
///
/// ```text
/// effects! {
///     /// What a sensor does wrong.
///     SensorEffect in Sensor;
///
///     /// Shows too much or too little.
///     ///
///     /// x + i `by`.
///     Bias "bias" ramps {
///         /// How much is added
///         by: f64 [Target] = 0.1, -LARGEST => LARGEST, usual -0.5 => 0.5;
///     }
/// }
/// ```
macro_rules! effects {
    (
        $(#[doc = $enum_doc:literal])+
        $name:ident in $layer:ident;
        $(
            $(#[doc = $doc:literal])+
            $kind:ident $word:literal $ramps:ident { $(
                $(#[doc = $about:literal])+
                $field:ident: $type:ident [$($measure:tt)+] = $default:expr, $low:expr => $high:expr, usual $from:expr => $to:expr;
            )* }
        )+
    ) => {
        $(#[doc = $enum_doc])+
        #[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        pub enum $name { $(
            $(#[doc = $doc])+
            $kind { $( $(#[doc = $about])+ $field: $type, )* },
        )+ }

        impl $name {
            /// What is known of each, in the order of the enum.
            pub const KINDS: &'static [$crate::fault::kind::Kind] = &[ $( $crate::fault::kind::Kind {
                layer: $crate::fault::kind::Layer::$layer,
                name: $word,
                page: concat!($($doc, "\n"),+),
                ramps: $crate::fault::kind::effects!(@ramps $ramps),
                parameters: &[ $( $crate::fault::kind::Parameter {
                    name: stringify!($field),
                    about: concat!($($about),+),
                    measure: $crate::fault::kind::Measure::$($measure)+,
                    default: $default,
                    bounds: ($low, $high),
                    usual: ($from, $to),
                } ),* ],
            } ),+ ];

            /// As files write it.
            pub fn name(&self) -> &'static str {
                match self { $( Self::$kind { .. } => $word, )+ }
            }

            pub fn kind(&self) -> &'static $crate::fault::kind::Kind {
                Self::KINDS.iter().find(|kind| kind.name == self.name()).unwrap_or(&Self::KINDS[0])
            }

            /// Its parameters, in the order of its kind; flags are 0 and 1.
            pub fn values(&self) -> Vec<f64> {
                match *self { $(
                    Self::$kind { $( $field, )* } => vec![ $( $crate::fault::kind::Scalar::number($field), )* ],
                )+ }
            }

            /// The effect of a name with these parameters; none for a name that is not of this layer, or where numbers
            /// are missing.
            pub fn of(name: &str, values: &[f64]) -> Option<Self> {
                #[allow(unused_mut, unused_variables, reason = "some effects have no parameters")]
                let mut values = values.iter();
                match name {
                    $( $word => Some(Self::$kind { $( $field: $crate::fault::kind::Scalar::of(*values.next()?), )* }), )+
                    _ => None,
                }
            }
        }
    };
    (@ramps ramps) => { true };
    (@ramps sudden) => { false };
}

pub(super) use effects;
