//! A loaded scene: every type resolved, every placeholder filled, every index dense. What all other rooms work with.
//!
//! Comes from [`load`](super::load()); immutable once made, shared as `Arc<Scene>`, replaced whole on reload.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::commands::Command;
use super::issue::SourceFile;
use super::simulated::{Follow, Measure, Message, ProfileOf, Story};
use crate::model::Domain;
use crate::network::{Blueprint, Feed};
use crate::scene::rule::Rule;
use crate::value::{Conversion, Origin, SignalIndex, TwinIndex, Unit, Value};

#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub name: String,
    /// The scene file, and the folder that relative paths in it start from.
    pub path: PathBuf,
    pub dir: PathBuf,
    pub brokers: BTreeMap<String, Broker>,
    /// In file order.
    pub twins: Vec<Twin>,
    /// All signals of all twins, grouped by twin: `twins[i].signals` is a range in here.
    pub signals: Vec<Signal>,
    pub links: Vec<Link>,
    /// All alarms: those of twins in the order of twins, then those of brokers.
    pub alarms: Vec<Rule>,
    /// What equipment can be told: commands of twins, in the order of twins.
    pub commands: Vec<Command>,
    /// Whether commands may be sent to the broker of a scene that names none.
    pub allows_commands: bool,
    /// Named camera positions.
    pub views: Vec<Viewpoint>,
    /// The twins' models and how they are tied; none if no twin has one.
    pub blueprint: Option<Arc<Blueprint>>,
    /// Whose each machine of the blueprint is, in its order.
    pub machines: Vec<MachineOf>,
    /// What signals measure of the models when the plant is simulated.
    pub measures: BTreeMap<SignalIndex, Measure>,
    /// Signals that inputs follow where the real plant is watched.
    pub watched: Vec<Follow>,
    /// Signals that inputs follow where somebody else commands the simulated plant.
    pub commanded: Vec<Follow>,
    /// What of files feeds inputs, in the order of the blueprint's outside values.
    pub profiles: Vec<ProfileOf>,
    /// How messages go out then; topics that are not among them go out as is usual.
    pub messages: Vec<Message>,
    /// What happens then.
    pub story: Story,
    /// Twins by id, for [`Scene::twin`].
    pub ids: HashMap<String, TwinIndex>,
    /// The texts that it was made of, for [`edit`](super::edit).
    pub sources: Vec<SourceFile>,
}

/// How to reach a broker. Never holds a secret: those come from the environment or a file when the connection is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Broker {
    /// `mqtt://host[:port]` or `mqtts://host[:port]`.
    pub url: String,
    pub version: MqttVersion,
    pub client_id: Option<String>,
    /// Topic filters to subscribe to. Empty: the filters of the signals bound to this broker.
    pub subscribe: Vec<String>,
    /// 0, 1 or 2, while connected: sessions are clean.
    pub qos: u8,
    pub keep_alive: Duration,
    /// Largest packet accepted, in bytes.
    pub max_packet: usize,
    pub credentials: Option<Credentials>,
    pub tls: Tls,
    /// Whether commands may be sent there, if the user allows it as well.
    pub commands: bool,
}

impl Broker {
    /// A broker with all defaults at an address.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            version: MqttVersion::default(),
            client_id: None,
            subscribe: Vec::new(),
            qos: 1,
            keep_alive: Duration::from_secs(30),
            max_packet: 1 << 20,
            credentials: None,
            tls: Tls::default(),
            commands: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum MqttVersion {
    #[default]
    V3,
    V5,
}

/// Where user and password are found at connect time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Names of environment variables.
    Env { user: String, password: String },
    /// A file of two lines, user and password, that only its owner can read.
    File(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tls {
    /// PEM file with the authorities to trust instead of the system's.
    pub ca: Option<PathBuf>,
    /// PEM files of the client's certificate chain and key.
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// A model of a twin or a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineOf {
    /// None for a link.
    pub twin: Option<TwinIndex>,
    /// Its name among the twin's models; empty for the only one.
    pub part: String,
}

#[derive(Clone, Debug)]
pub struct Twin {
    pub index: TwinIndex,
    /// The tag, unique in the scene: `P-101`.
    pub id: String,
    /// A name for people: `Feed pump`. Empty if there is none.
    pub name: String,
    pub type_name: String,
    /// Where it belongs in the tree: `Hall 1/Filling`. Empty for the top.
    pub area: String,
    /// Position of its origin in metres: x east, y up, z south.
    pub at: [f32; 3],
    /// Rotation about the vertical axis in degrees, counter-clockwise seen from above.
    pub facing_deg: f32,
    pub scale: f32,
    /// Indices of its signals in [`Scene::signals`].
    pub signals: Range<u32>,
    pub look: Option<Arc<Look>>,
}

impl Twin {
    /// A twin at the origin, without name, area and look.
    pub fn new(index: TwinIndex, id: impl Into<String>, type_name: impl Into<String>, signals: Range<u32>) -> Self {
        Self {
            index,
            id: id.into(),
            name: String::new(),
            type_name: type_name.into(),
            area: String::new(),
            at: [0.0; 3],
            facing_deg: 0.0,
            scale: 1.0,
            signals,
            look: None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Signal {
    pub index: SignalIndex,
    pub twin: TwinIndex,
    /// Unique within its twin: `flow`.
    pub name: String,
    /// What it is, for people. Empty if there is none.
    pub label: String,
    pub kind: ValueKind,
    pub unit: Unit,
    pub source: SignalSource,
    /// Stale this long after its last receive time.
    pub expires: Option<Duration>,
    /// Physically possible values in `unit`; others are Bad (out of range).
    pub range: Option<(f64, f64)>,
    /// Operating limits in `unit`.
    pub limits: Limits,
}

impl Signal {
    /// The topic, or the filter, that brings it.
    pub fn topic(&self) -> Option<&str> {
        match &self.source {
            SignalSource::Mqtt(binding) => Some(&binding.topic),
            SignalSource::Derived(_) | SignalSource::Unbound => None,
        }
    }

    /// The origin of its samples as long as nothing is simulated.
    pub fn usual_origin(&self) -> Origin {
        match self.source {
            SignalSource::Derived(_) => Origin::Derived,
            SignalSource::Mqtt(_) | SignalSource::Unbound => Origin::Measured,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ValueKind {
    #[default]
    Number,
    Bool,
    Text,
}

/// Operating limits: between `low` and `high` all is normal, beyond `low_low` or `high_high` it is critical.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Limits {
    pub low_low: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub high_high: Option<f64>,
}

/// Where a signal's samples come from.
#[derive(Clone, Debug)]
pub enum SignalSource {
    Mqtt(Binding),
    /// Computed from other signals by an expression.
    Derived(Derivation),
    /// Declared but not bound: stays `NeverSeen`.
    Unbound,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// A key of [`Scene::brokers`]; none binds to every broker (and to the embedded one).
    pub broker: Option<String>,
    /// Placeholders filled; may hold the wildcards `+` and `#`.
    pub topic: String,
    pub decoder: Decoder,
    pub time: TimeField,
    /// From values of the payload, in `payload_unit`, to those in `unit`.
    pub conversion: Conversion,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoder {
    /// A JSON pointer (RFC 6901) into a JSON payload.
    Json(String),
    /// The whole payload is one number, boolean or text.
    Raw,
}

/// Where the source time is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum TimeField {
    /// No source time: the receive time is taken.
    #[default]
    Receive,
    /// JSON pointer, and how to read what is there.
    Json { pointer: String, format: TimeFormat },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TimeFormat {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
    #[default]
    Rfc3339,
}

impl ValueKind {
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Number(_) => ValueKind::Number,
            Value::Bool(_) => ValueKind::Bool,
            Value::Text(_) => ValueKind::Text,
        }
    }

    /// Any value of this kind, to try an expression with.
    pub(super) fn example(self, flag: bool) -> Value {
        match self {
            ValueKind::Number => Value::Number(1.0),
            ValueKind::Bool => Value::Bool(flag),
            ValueKind::Text => Value::Text("".into()),
        }
    }
}

/// A compiled expression with its inputs, in evaluation order: a derived signal's inputs have smaller ranks. Its
/// [aggregates](super::expression::Compiled::aggregates) name their inputs by position in `inputs`.
#[derive(Clone, Debug)]
pub struct Derivation {
    pub source: String,
    /// (name in the compiled expression, signal it stands for)
    pub inputs: Vec<(String, SignalIndex)>,
    pub compiled: Arc<super::expression::Compiled>,
    /// 0 reads only bound signals; n reads derived signals of rank below n.
    pub rank: u32,
    /// How long it waits, in receive time, until all inputs have a new sample. Zero: it does not wait.
    pub settle: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub from: Port,
    pub to: Port,
    pub kind: LinkKind,
}

/// `P-101.inlet`: a twin, and the name of a port of its models or of a node of its look. An empty name is the twin's
/// middle.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    pub twin: TwinIndex,
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum LinkKind {
    #[default]
    Pipe,
    Belt,
    Wire,
    Signal,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Viewpoint {
    pub name: String,
    /// Eye and target in metres.
    pub eye: [f32; 3],
    pub target: [f32; 3],
}

/// How a twin type looks in 3D.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Look {
    /// A glTF file, from the working directory on; none draws a plain box with the twin's id.
    pub model: Option<PathBuf>,
    pub parts: Vec<Part>,
    /// Nodes by the names of ports that links end at: only where the names differ.
    pub ports: BTreeMap<String, String>,
}

impl Look {
    /// The name of the node where a link to `port` ends; `filler.inlet` of one of several models is found as `inlet` too.
    pub fn node_of<'a>(&'a self, port: &'a str) -> &'a str {
        let short = port.rsplit_once('.').map_or(port, |(_, name)| name);
        self.ports.get(port).or_else(|| self.ports.get(short)).map_or(port, String::as_str)
    }
}

/// A node of the model bound to a signal. All signal names are of the twin itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Name of a node in the glTF file; empty for the whole model.
    pub node: String,
    pub by: SignalIndex,
    pub motion: Motion,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Motion {
    /// Turns for ever about `axis`; the signal is an angular speed (its unit is converted to rad/s), times `ratio`.
    Spin { axis: [f32; 3], ratio: f32 },
    /// Moves along `axis` (metres per unit vector): signal `from.0..from.1` maps to offset `to.0..to.1` metres.
    Slide { axis: [f32; 3], from: (f64, f64), to: (f32, f32) },
    /// Turns about `axis` to the signal's angle (its unit is converted to radians).
    Rotate { axis: [f32; 3] },
    /// Colours by value over `from`, by a named scale (`thermal`, `traffic`, `grey`).
    Tint { from: (f64, f64), scale: ColourScale },
    /// Scales along `axis` so that signal `from.0` is empty and `from.1` full.
    Fill { axis: [f32; 3], from: (f64, f64) },
    /// Glows in `colour` (linear RGB): off at `from.0`, full at `from.1`.
    Emit { colour: [f32; 3], from: (f64, f64) },
    /// Visible while the signal is at least `above` (booleans: 0.5).
    Show { above: f64 },
    /// Shows the value and unit as text above the node, with so many decimals.
    Label { decimals: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ColourScale {
    #[default]
    Thermal,
    Traffic,
    Grey,
}

impl Scene {
    pub fn twin(&self, id: &str) -> Option<&Twin> {
        match self.ids.get(id) {
            Some(index) => self.twins.get(index.at()),
            // A scene that was put together by hand has no index.
            None if self.ids.is_empty() => self.twins.iter().find(|twin| twin.id == id),
            None => None,
        }
    }

    pub fn signals_of(&self, twin: &Twin) -> &[Signal] {
        &self.signals[twin.signals.start as usize..twin.signals.end as usize]
    }

    /// The signal `name` of the twin `id`.
    pub fn signal(&self, id: &str, name: &str) -> Option<&Signal> {
        self.signals_of(self.twin(id)?).iter().find(|signal| signal.name == name)
    }

    /// What a port of the twin's models shares: none where no model, or more than one, has a port of this name.
    pub fn domain(&self, port: &Port) -> Option<Domain> {
        let (part, name) = port.name.rsplit_once('.').unwrap_or(("", &port.name));
        let blueprint = self.blueprint.as_ref()?;
        let mut found = self.machines.iter().zip(&blueprint.machines).filter_map(|(of, machine)| {
            let asked = of.twin == Some(port.twin) && (part.is_empty() || of.part == part);
            let description = machine.model.description();
            let at = description.port(name).filter(|_| asked)?;
            Some(description.ports.get(at)?.domain)
        });
        found.next().filter(|_| found.next().is_none())
    }

    /// The machines with inputs that follow signals, as values from outside in the order of `follows`, behind those of
    /// [`Scene::profiles`]: a filter sets what was measured, a commanded plant what somebody else commands.
    pub fn blueprint_following(&self, follows: &[Follow]) -> Option<Blueprint> {
        let mut blueprint = (**self.blueprint.as_ref()?).clone();
        for Follow { machine, input, signal, .. } in follows {
            let at = &mut blueprint.machines[*machine];
            at.inputs[*input] = Feed::Outside(blueprint.outside.len());
            let name = at.model.description().inputs[*input].name;
            blueprint.outside.push(format!("{}.{name} by {}", at.id, self.signal_path(*signal)));
        }
        Some(blueprint)
    }

    /// `P-101.flow`, for messages.
    pub fn signal_path(&self, signal: SignalIndex) -> String {
        let signal = &self.signals[signal.at()];
        format!("{}.{}", self.twins[signal.twin.at()].id, signal.name)
    }
}
