//! `pollux command`: list the commands of a scene, show what one would send, or give it to the equipment. In: a scene, the
//! path of a command, values. Out: topic and payload; with `--send` the verdict as exit code: 0 verified (or sent, where
//! nothing more can be known), 1 failed or timed out, 2 wrong usage, 3 no broker.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bevy::prelude::*;
use serde::Serialize;

use super::out::Format;
use super::{Failure, live, time_limit};
use crate::analysis::Analysis;
use crate::command::{InstructionCommand, OperatorCommand};
use crate::event::{Commanded, commanded, store};
use crate::instruction::{Desk, Destination, Instruction, Judgement, State, arguments, read, shown};
use crate::scene::commands::Evidence;
use crate::scene::{Command, LoadedScene, Scene};
use crate::session::{AllowCommands, Options, StorePlace, brokers_at};
use crate::source::mqtt::address_of;
use crate::source::{ConnectionState, Sources};
use crate::value::{Timestamp, Value};

/// How long the plant is listened to before a command is sent, for its constraints to be known.
const PATIENCE: Duration = Duration::from_secs(10);
const FRAME: Duration = Duration::from_millis(10);

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The scene file.
    scene: PathBuf,
    /// TWIN.COMMAND, such as LIC-100.set_point. Without it: list what the scene's equipment can be told.
    command: Option<String>,
    /// NAME=VALUE for each parameter that has no default, or another value than that; a unit is converted: speed=1500rpm.
    #[arg(value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// Connect here instead of to the addresses in the scene: mqtt://host:port or mqtts://host:port.
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// Only show what would be sent: this is what happens without --send.
    #[arg(long, conflicts_with = "send")]
    dry_run: bool,
    /// Send it, and wait for the verdict. The scene must allow it (commands: true), and so must --allow-commands.
    #[arg(long, requires = "reason")]
    send: bool,
    /// Why: goes on record with the command.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// You allow that a command is sent to real equipment: to the scene's broker, or to the one at URL alone, which must
    /// be said with --broker.
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true)]
    allow_commands: Option<Option<String>>,
    /// Listen to the plant for so long, so that the constraints can be judged: until all they need can be used. Without
    /// this: not at all for a dry run, up to 10 s for --send.
    #[arg(long, value_name = "DURATION", value_parser = time_limit::parse)]
    wait: Option<Duration>,
    /// The name that goes on record. Without this: the user who is logged in.
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Append every event as a line of JSON to this file.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Keep the journal of what is sent here. Without this: in the state folder of the user, beside that of `pollux live`.
    #[arg(long, value_name = "FILE", requires = "send")]
    store: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub fn run(args: Args) -> Result<(), Failure> {
    let loaded = crate::scene::load(&args.scene);
    let Some(scene) = loaded.scene.as_ref() else {
        eprint!("{}", loaded.render(super::colour()));
        return Err(Failure::Verdict);
    };
    let Some(path) = &args.command else {
        return list(scene, args.format);
    };
    let allow_commands = live::allowed(&args.allow_commands, &args.broker)?;
    if args.send && allow_commands == AllowCommands::No {
        return Err(Failure::Usage(
            "--send sends a command to real equipment: add --allow-commands if you mean it".into(),
        ));
    }
    let command = find(scene, path)?;
    let given = given(command, &args.values)?;
    arguments(command, &given).map_err(|faults| Failure::Usage(format!("{path}: {}", faults.join("; "))))?;
    match args.send {
        true => send(&args, allow_commands, command, given),
        false => dry_run(&args, scene, command, &given),
    }
}

fn find<'s>(scene: &'s Scene, path: &str) -> Result<&'s Command, Failure> {
    let (twin, name) = path.rsplit_once('.').unwrap_or((path, ""));
    scene.command(twin, name).ok_or_else(|| {
        let paths: Vec<String> = scene.commands.iter().map(|command| scene.command_path(command)).collect();
        let near = crate::scene::nearest::nearest(path, paths.iter().map(String::as_str));
        let hint = near.map_or("`pollux command SCENE` lists all".to_owned(), |near| format!("did you mean {near}?"));
        Failure::Usage(format!("there is no command {path}: {hint}"))
    })
}

fn given(command: &Command, values: &[String]) -> Result<Vec<(String, Value)>, Failure> {
    let each = values.iter().map(|text| {
        let (name, value) =
            text.split_once('=').ok_or_else(|| format!("{text:?} is no value of a parameter: write NAME=VALUE"))?;
        match command.parameters.iter().find(|parameter| parameter.name == name) {
            Some(parameter) => Ok((name.to_owned(), read(parameter, value)?)),
            // Refused with the others.
            None => Ok((name.to_owned(), Value::Text(value.into()))),
        }
    });
    each.collect::<Result<_, String>>().map_err(Failure::Usage)
}

/// One line of a list.
#[derive(Serialize, Debug)]
struct Listed {
    command: String,
    about: String,
    significance: &'static str,
    parameters: Vec<ListedParameter>,
    topic: String,
}

#[derive(Serialize, Debug)]
struct ListedParameter {
    name: String,
    about: String,
    unit: String,
    takes: String,
    default: Option<Value>,
}

fn list(scene: &Scene, format: Format) -> Result<(), Failure> {
    let listed = scene.commands.iter().map(|command| Listed {
        command: scene.command_path(command),
        about: command.about.clone(),
        significance: command.significance.name(),
        parameters: command
            .parameters
            .iter()
            .map(|parameter| ListedParameter {
                name: parameter.name.clone(),
                about: parameter.about.clone(),
                unit: parameter.kind.unit().symbol().to_owned(),
                takes: parameter.kind.text(),
                default: parameter.default.clone(),
            })
            .collect(),
        topic: command.topic.clone(),
    });
    let listed: Vec<Listed> = listed.collect();
    if format == Format::Json {
        return json(&listed);
    }
    if listed.is_empty() {
        eprintln!("pollux: {} has no commands", scene.name);
    }
    for one in listed {
        let about = if one.about.is_empty() { String::new() } else { format!(": {}", one.about) };
        println!("{} ({}){about}", one.command, one.significance);
        for parameter in one.parameters {
            let default = parameter.default.map(|value| format!(", {value} unless given")).unwrap_or_default();
            println!("    {}: {}{default}", parameter.name, parameter.takes);
        }
    }
    Ok(())
}

/// What is said of one command.
#[derive(Serialize, Debug)]
struct Told {
    command: String,
    about: String,
    significance: &'static str,
    arguments: serde_json::Map<String, serde_json::Value>,
    /// Empty where the scene names none and --broker neither.
    broker: String,
    /// Of that broker.
    address: String,
    topic: String,
    payload: String,
    qos: u8,
    /// Null where the plant was not listened to.
    constraints: Option<Vec<Judgement>>,
    verified_when: Option<String>,
    /// Only what was sent has a course.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Commanded>,
}

impl Told {
    fn of(one: &Instruction, constraints: Option<Vec<Judgement>>) -> Self {
        let verify = one.command.verify.as_ref().map(|verify| match &verify.by {
            Evidence::That(that) => format!("{} within {:?}", that.source, verify.within),
            Evidence::Answer(answer) => {
                format!("{} on {} within {:?}", answer.equals, answer.topic, verify.within)
            }
        });
        let arguments = one.named_arguments();
        Self {
            command: one.path(),
            about: one.command.about.clone(),
            significance: one.command.significance.name(),
            arguments: arguments
                .map(|(name, value)| (name.to_owned(), serde_json::to_value(value).unwrap_or_default()))
                .collect(),
            broker: one.destination.broker.clone(),
            address: one.destination.address.clone(),
            topic: one.command.topic.clone(),
            payload: shown(&one.payload),
            qos: one.command.qos,
            constraints,
            verified_when: verify,
            outcome: None,
        }
    }

    fn print(&self, one: &Instruction) {
        let about = if self.about.is_empty() { String::new() } else { format!(": {}", self.about) };
        println!("{} ({}){about}", self.command, self.significance);
        for ((name, value), parameter) in one.named_arguments().zip(&one.command.parameters) {
            println!("  {name:<11} {value}{} (of {})", parameter.kind.unit().suffix(), parameter.kind.text());
        }
        match self.address.as_str() {
            "" => println!("  {:<11} an embedded one of `pollux live`: the scene names none", "broker"),
            address => println!("  {:<11} {} at {address}", "broker", self.broker),
        }
        println!("  {:<11} {}, QoS {}, not retained", "topic", self.topic, self.qos);
        println!("  {:<11} {}", "payload", self.payload);
        match &self.constraints {
            Some(judged) => judged.iter().for_each(|judgement| println!("  {:<11} {}", "constraint", judgement.text())),
            None => one.command.constraints.iter().for_each(|one| {
                println!("  {:<11} {} (not judged: --wait 5s listens to the plant first)", "constraint", one.source);
            }),
        }
        let verified =
            self.verified_when.as_deref().unwrap_or("nothing: that it was delivered is all that can be known");
        println!("  {:<11} {verified}", "verified by");
    }
}

fn json(what: &impl Serialize) -> Result<(), Failure> {
    println!("{}", serde_json::to_string_pretty(what).map_err(Failure::environment)?);
    Ok(())
}

fn dry_run(args: &Args, scene: &Scene, command: &Command, given: &[(String, Value)]) -> Result<(), Failure> {
    let Some(wait) = args.wait else {
        let mut desk = Desk::default();
        let values = arguments(command, given).map_err(|faults| Failure::Usage(faults.join("; ")))?;
        let destination = destination(args, scene, command);
        let one = desk.prepare(command.clone(), scene, values, destination, "", Timestamp::now());
        return show(args.format, one.map_err(Failure::Environment)?, None, None);
    };
    let mut world = Connected::open(args, AllowCommands::No, command, wait)?;
    let one = world.prepare(command, given, wait)?;
    show(args.format, &one, Some(one.constraints().to_vec()), None)
}

/// Where a session would send it.
fn destination(args: &Args, scene: &Scene, command: &Command) -> Destination {
    let brokers = match &args.broker {
        Some(url) => brokers_at(scene, url),
        None => scene.brokers.clone(),
    };
    let asked = match &command.broker {
        Some(name) => brokers.get_key_value(name),
        None => brokers.iter().next(),
    };
    asked.map_or_else(Destination::default, |(name, broker)| Destination {
        broker: name.clone(),
        address: address_of(&broker.url),
    })
}

fn show(
    format: Format,
    one: &Instruction,
    constraints: Option<Vec<Judgement>>,
    outcome: Option<Commanded>,
) -> Result<(), Failure> {
    let told = Told { outcome, ..Told::of(one, constraints) };
    match format {
        Format::Json => json(&told),
        Format::Text => {
            told.print(one);
            Ok(())
        }
    }
}

fn send(
    args: &Args,
    allow_commands: AllowCommands,
    command: &Command,
    given: Vec<(String, Value)>,
) -> Result<(), Failure> {
    let wait = args.wait.unwrap_or(PATIENCE);
    let mut world = Connected::open(args, allow_commands, command, wait)?;
    let one = world.prepare(command, &given, wait)?;
    let judged = one.constraints().to_vec();
    if args.format == Format::Text {
        show(args.format, &one, Some(judged.clone()), None)?;
    }
    let id = one.id;
    world.give(InstructionCommand::Arm(id));
    world.give(InstructionCommand::Send { id, reason: args.reason.clone().unwrap_or_default() });
    let mut told = 0;
    let one = loop {
        world.app.update();
        let one = world.app.world().resource::<Desk>().get(id).cloned();
        let one = one.ok_or_else(|| Failure::Environment("the command is not known any more".into()))?;
        if args.format == Format::Text {
            for step in one.steps().iter().skip(told.max(1)) {
                let result = if step.result.is_empty() { String::new() } else { format!(", {}", step.result) };
                println!("{} {}{result}", step.at, step.state.text());
            }
            told = one.steps().len();
        }
        // Armed and not sent: it was refused, and said so.
        let is_refused = matches!(one.state(), State::Prepared | State::Armed);
        if one.is_over() || is_refused || world.stop.load(Ordering::Relaxed) {
            break one;
        }
        std::thread::sleep(FRAME);
    };
    let outcome = {
        let knowledge = world.app.world().resource::<Analysis>().lock();
        let events: Vec<_> = knowledge.chronicle().journal().iter().map(|event| &**event).collect();
        commanded(events).into_iter().rfind(|known| known.instruction == id)
    };
    if args.format == Format::Json {
        show(args.format, &one, Some(judged), outcome)?;
    }
    match one.state() {
        State::Verified => Ok(()),
        State::Sent if one.is_over() => Ok(()),
        _ => Err(Failure::Verdict),
    }
}

/// A session without a window that is connected.
struct Connected {
    app: App,
    stop: Arc<AtomicBool>,
    begun: Instant,
}

impl Connected {
    /// Opens a session, and waits until the command's broker is connected.
    fn open(args: &Args, allow_commands: AllowCommands, command: &Command, wait: Duration) -> Result<Self, Failure> {
        let mut options = Options::new(args.scene.clone());
        options.broker.clone_from(&args.broker);
        options.events.clone_from(&args.events);
        options.store = match &args.store {
            _ if allow_commands == AllowCommands::No => StorePlace::Nowhere,
            Some(path) => StorePlace::At(path.clone()),
            None => StorePlace::At(usual_store(&args.scene)?),
        };
        options.watch = false;
        options.allow_commands = allow_commands;
        if let Some(operator) = &args.operator {
            options.operator.clone_from(operator);
        }
        if args.broker.is_none() && crate::scene::load(&args.scene).scene.is_some_and(|scene| scene.brokers.is_empty())
        {
            return Err(Failure::Usage("the scene names no broker: add --broker mqtt://host:1883".into()));
        }
        let stop = live::interrupted(|| {})?;
        let mut app = App::new();
        live::open(&mut app, options, Arc::new(|| {}))?;
        app.finish();
        app.cleanup();
        let mut world = Self { app, stop, begun: Instant::now() };
        loop {
            world.app.update();
            if world.is_connected(command) {
                return Ok(world);
            }
            if world.is_late(wait) {
                return Err(Failure::Environment(world.trouble(wait)));
            }
            std::thread::sleep(FRAME);
        }
    }

    fn is_late(&self, wait: Duration) -> bool {
        self.begun.elapsed() >= wait || self.stop.load(Ordering::Relaxed)
    }

    fn is_connected(&self, command: &Command) -> bool {
        let sources = &self.app.world().resource::<Sources>().running;
        let asked = |name: &str| command.broker.as_deref().is_none_or(|broker| broker == name);
        sources
            .iter()
            .any(|source| asked(&source.name) && matches!(source.status.connection(), (ConnectionState::Connected, _)))
    }

    fn trouble(&self, wait: Duration) -> String {
        let sources = &self.app.world().resource::<Sources>().running;
        let error = sources.iter().find_map(|source| source.status.connection().1);
        error.unwrap_or_else(|| format!("no broker is connected after {wait:?}"))
    }

    fn give(&mut self, command: InstructionCommand) {
        self.app.world_mut().write_message(OperatorCommand::from(command));
        self.app.update();
    }

    /// Prepares it, and waits until all values that its constraints need can be used, or until it is late: what is missing
    /// is said then, and the constraints do not hold.
    fn prepare(
        &mut self,
        command: &Command,
        given: &[(String, Value)],
        wait: Duration,
    ) -> Result<Instruction, Failure> {
        let scene = &self.app.world().resource::<LoadedScene>().scene;
        let twin = scene.twins.get(command.twin.at()).map(|twin| twin.id.clone()).unwrap_or_default();
        let (command, arguments) = (command.name.clone(), given.to_vec());
        self.give(InstructionCommand::Prepare { twin, command, arguments });
        let mut is_told = false;
        loop {
            self.app.update();
            let one = self.app.world().resource::<Desk>().iter().next_back().cloned();
            let one = one.ok_or_else(|| Failure::Environment("the command could not be prepared".into()))?;
            let missing: Vec<String> =
                one.constraints().iter().filter(|judged| !judged.is_known()).map(Judgement::text).collect();
            if missing.is_empty() {
                return Ok(one);
            }
            if self.is_late(wait) {
                eprintln!(
                    "pollux: after {wait:?} not all that the constraints need can be used: {}",
                    missing.join("; ")
                );
                return Ok(one);
            }
            if !is_told && self.begun.elapsed() > PATIENCE / 10 {
                eprintln!("pollux: waiting for {wait:?} at most, as {}", missing.join("; "));
                is_told = true;
            }
            std::thread::sleep(FRAME);
        }
    }
}

/// Beside the store of a session with this scene, which may be running.
fn usual_store(scene: &Path) -> Result<PathBuf, Failure> {
    let loaded = crate::scene::load(scene);
    let name = loaded.scene.map(|scene| scene.name.clone()).unwrap_or_default();
    Ok(store::default_path(&name, scene).map_err(Failure::environment)?.with_extension("commands.store"))
}
