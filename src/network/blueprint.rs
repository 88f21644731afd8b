//! What a network is made of, before it is known to fit together. In: machines and ties as a scene or a test names
//! them. Out: problems, each with the machine, the item and the way out.

use std::fmt;
use std::sync::Arc;

use crate::model::{Fluid, Model};

/// Machines and how they are tied.
#[derive(Clone, Debug, Default)]
pub struct Blueprint {
    pub machines: Vec<Machine>,
    pub ties: Vec<Tie>,
    /// Names of values that come from outside, in the order of [`Feed::Outside`].
    pub outside: Vec<String>,
}

impl Blueprint {
    /// Some machines and some ties among them, by lists in the order that they shall have; `place` gives a machine's
    /// place in its list. What a machine of no list fed is fed by nothing any more.
    pub(super) fn of(&self, machines: &[usize], ties: &[usize], place: &dyn Fn(usize) -> usize) -> Self {
        let machines = machines.iter().map(|at| {
            let mut machine = self.machines[*at].clone();
            for feed in &mut machine.inputs {
                match feed {
                    Feed::Output { machine, .. } => *machine = place(*machine),
                    Feed::Formula { of, .. } => of.iter_mut().for_each(|(machine, _)| *machine = place(*machine)),
                    Feed::Default | Feed::Constant(_) | Feed::Outside(_) => {}
                }
            }
            machine
        });
        let ties = ties.iter().map(|at| {
            let Tie { from, to, kind } = &self.ties[*at];
            Tie { from: (place(from.0), from.1.clone()), to: (place(to.0), to.1.clone()), kind: kind.clone() }
        });
        Self { machines: machines.collect(), ties: ties.collect(), outside: self.outside.clone() }
    }
}

/// One machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its name in all that is said about it; no two have the same.
    pub id: String,
    pub model: &'static dyn Model,
    /// Nanoseconds from step to step; none for what the model says.
    pub step: Option<u64>,
    /// In the order of the description.
    pub parameters: Vec<f64>,
    pub inputs: Vec<Feed>,
    /// Rows one after the other.
    pub tables: Vec<Vec<f64>>,
}

impl Machine {
    /// With the parameters and inputs that the model has by itself.
    pub fn new(id: impl Into<String>, model: &'static dyn Model) -> Self {
        let description = model.description();
        Self {
            id: id.into(),
            model,
            step: None,
            parameters: description.parameters.iter().map(|parameter| parameter.default).collect(),
            inputs: vec![Feed::Default; description.inputs.len()],
            tables: vec![Vec::new(); description.tables.len()],
        }
    }

    /// With a parameter by name; a name that the model does not have changes nothing.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: f64) -> Self {
        if let Some(at) = self.model.description().parameter(parameter) {
            self.parameters[at] = value;
        }
        self
    }

    /// With an input by name; a name that the model does not have changes nothing.
    #[must_use]
    pub fn fed(mut self, input: &str, feed: Feed) -> Self {
        if let Some(at) = self.model.description().input(input) {
            self.inputs[at] = feed;
        }
        self
    }
}

/// What an input follows.
#[derive(Clone, PartialEq, Debug)]
pub enum Feed {
    /// What the model says where nothing feeds it.
    Default,
    Constant(f64),
    /// `scale * output + offset` of a machine; `delayed`: as it was one instant before, which breaks a loop.
    Output {
        machine: usize,
        output: usize,
        scale: f64,
        offset: f64,
        delayed: bool,
    },
    /// What a function makes of outputs, each by machine and output; `delayed` as above.
    Formula {
        of: Vec<(usize, usize)>,
        function: Function,
        delayed: bool,
    },
    /// A value that the caller sets, by its place in [`Blueprint::outside`].
    Outside(usize),
}

/// A pure function of some numbers. None where it has no value: then what was before stays.
#[derive(Clone)]
pub struct Function {
    /// What it computes: functions with the same text are the same.
    pub text: String,
    pub of: Arc<Compute>,
}

pub type Compute = dyn Fn(&[f64]) -> Option<f64> + Send + Sync;

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.text).finish()
    }
}

impl Feed {
    /// The machines that it follows.
    pub(super) fn machines(&self) -> Vec<usize> {
        match self {
            Feed::Output { machine, .. } => vec![*machine],
            Feed::Formula { of, .. } => of.iter().map(|(machine, _)| *machine).collect(),
            Feed::Default | Feed::Constant(_) | Feed::Outside(_) => Vec::new(),
        }
    }

    /// An output as it is.
    pub fn output(machine: usize, output: usize) -> Self {
        Feed::Output { machine, output, scale: 1.0, offset: 0.0, delayed: false }
    }
}

/// Something flows between two ports, each the machine's place and the port's name.
#[derive(Clone, PartialEq, Debug)]
pub struct Tie {
    pub from: (usize, String),
    pub to: (usize, String),
    pub kind: TieKind,
}

#[derive(Clone, PartialEq, Debug)]
pub enum TieKind {
    /// Both ports are one node of a liquid network.
    Fluid(Fluid),
    /// W/K between two bodies.
    Heat { conductance: f64 },
    /// From a giver to a taker.
    Supply,
    /// Items go over at once.
    Items,
}

/// Why a blueprint is no network.
#[derive(Clone, PartialEq, Debug)]
pub struct Problem {
    pub machine: usize,
    pub kind: ProblemKind,
}

#[derive(Clone, PartialEq, Debug)]
pub enum ProblemKind {
    /// A parameter out of its bounds.
    Bounds {
        parameter: usize,
        value: f64,
        bounds: (f64, f64),
    },
    /// An input that something must feed.
    Unfed {
        input: usize,
    },
    /// A port that nothing is tied to, though its model cannot do without.
    Untied {
        port: String,
    },
    NoPort {
        port: String,
    },
    /// The other end of a tie is of another domain, or the tie's kind is.
    Mismatch {
        tie: usize,
        rule: String,
    },
    /// One liquid network with two liquids.
    Fluids {
        tie: usize,
    },
    /// Outputs that follow each other without a step between; the machines of the circle.
    Loop {
        through: Vec<usize>,
    },
    /// Tables, or ties, that its model cannot do with.
    Misfit {
        rule: String,
    },
    /// Machines of one name.
    Twice,
    /// A feed that names a machine, an output or an outside value that there is not.
    NoFeed {
        input: usize,
    },
}

impl Problem {
    /// The problem of a part of a blueprint as one of the whole, by the machines and ties of the part.
    pub(super) fn for_whole(mut self, machines: &[usize], ties: &[usize]) -> Self {
        self.machine = machines[self.machine];
        match &mut self.kind {
            ProblemKind::Loop { through } => through.iter_mut().for_each(|at| *at = machines[*at]),
            ProblemKind::Mismatch { tie, .. } | ProblemKind::Fluids { tie } => *tie = ties[*tie],
            ProblemKind::Bounds { .. }
            | ProblemKind::Unfed { .. }
            | ProblemKind::Untied { .. }
            | ProblemKind::NoPort { .. }
            | ProblemKind::Misfit { .. }
            | ProblemKind::Twice
            | ProblemKind::NoFeed { .. } => {}
        }
        self
    }

    /// The sentence for people; `of` names machines.
    pub fn describe(&self, blueprint: &Blueprint) -> String {
        let id = |at: usize| blueprint.machines.get(at).map_or("?", |machine| machine.id.as_str());
        let description = blueprint.machines.get(self.machine).map(|machine| machine.model.description());
        let parameter = |at: usize| description.and_then(|all| all.parameters.get(at)).map_or("?", |one| one.name);
        let input = |at: usize| description.and_then(|all| all.inputs.get(at)).map_or("?", |one| one.name);
        let text = match &self.kind {
            ProblemKind::Bounds { parameter: at, value, bounds: (low, high) } => {
                format!("{} is {value}, and must be from {low} to {high}", parameter(*at))
            }
            ProblemKind::Unfed { input: at } => format!("nothing feeds its input `{}`", input(*at)),
            ProblemKind::Untied { port } => format!("nothing is linked to its port `{port}`"),
            ProblemKind::NoPort { port } => format!("its model has no port `{port}`"),
            ProblemKind::Mismatch { rule, .. } => rule.clone(),
            ProblemKind::Fluids { .. } => "two liquids meet here".to_owned(),
            ProblemKind::Loop { through } => {
                let names: Vec<&str> = through.iter().map(|at| id(*at)).collect();
                format!("these follow each other without a step between: {}", names.join(" -> "))
            }
            ProblemKind::Misfit { rule } => rule.clone(),
            ProblemKind::Twice => "another machine has the same id".to_owned(),
            ProblemKind::NoFeed { input: at } => format!("what feeds its input `{}` does not exist", input(*at)),
        };
        format!("{}: {text}", id(self.machine))
    }
}

impl fmt::Display for TieKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TieKind::Fluid(_) => "fluid",
            TieKind::Heat { .. } => "heat",
            TieKind::Supply => "supply",
            TieKind::Items => "items",
        })
    }
}
