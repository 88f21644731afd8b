//! Draws a small hall into a picture without a display, for work on the 3D view:
//! `cargo run --example view_probe -- picture.png [WIDTHxHEIGHT] [TWIN]`, or a window with `--window` in place of the file
//! (`--quiet-window`: nothing moves).
//!
//! In: models under assets/models. Out: a PNG. Spawns the twins by hand, so that it needs neither scene file nor broker.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};
use pollux::command::{Attention, OperatorCommand};
use pollux::scene::{
    ColourScale, Limits, Link, LinkKind, LoadedScene, Look, Motion, Origin, Part, Port, Scene, Signal as SignalData,
    Twin as TwinData, ValueKind,
};
use pollux::twin::{Current, Entities, Quality, Reason, Signal, SignalIndex, SignalOf, Twin, TwinIndex, Unit, Value};
use pollux::view;

/// A twin, where it stands, and its parts with the values that move them.
struct Sketch {
    id: &'static str,
    model: &'static str,
    at: [f32; 3],
    parts: Vec<(&'static str, f64, Motion)>,
    limit: Option<f64>,
}

const Y: [f32; 3] = [0.0, 1.0, 0.0];
const X: [f32; 3] = [1.0, 0.0, 0.0];

fn sketches() -> Vec<Sketch> {
    let of = |id, model, at, parts| Sketch { id, model, at, parts, limit: None };
    let thermal = |from| Motion::Tint { from, scale: ColourScale::Thermal };
    vec![
        of("T-100", "tank", [0.0, 0.0, 0.0], vec![("level", 62.0, Motion::Fill { axis: Y, from: (0.0, 100.0) })]),
        Sketch {
            limit: Some(4.5),
            ..of(
                "P-101",
                "pump",
                [4.0, 0.0, 1.0],
                vec![
                    ("shaft", 3.0, Motion::Spin { axis: X, ratio: 1.0 }),
                    ("bearing", 5.2, thermal((0.0, 7.0))),
                    ("motor", 40.0, thermal((20.0, 90.0))),
                    ("beacon", 1.0, Motion::Emit { colour: [1.0, 0.5, 0.0], from: (0.0, 1.0) }),
                    ("outlet", 42.5, Motion::Label { decimals: 1 }),
                ],
            )
        },
        of(
            "E-102",
            "exchanger",
            [8.0, 0.0, 0.0],
            vec![("hot", 82.0, thermal((10.0, 90.0))), ("cold", 21.0, thermal((10.0, 90.0)))],
        ),
        of("F-200", "filler", [14.0, 0.0, 1.0], vec![("carousel", 1.0, Motion::Spin { axis: Y, ratio: 1.0 })]),
        of("C-201", "conveyor", [19.0, 0.0, 1.0], vec![]),
        of("R-300", "robot", [19.0, 0.0, -3.0], vec![("joint2", 0.5, Motion::Rotate { axis: [0.0, 0.0, 1.0] })]),
        of(
            "PAL-400",
            "palletiser",
            [25.0, 0.0, 0.0],
            vec![("lift", 0.7, Motion::Slide { axis: Y, from: (0.0, 1.0), to: (0.0, 1.0) })],
        ),
        of("X-900", "missing", [8.0, 0.0, 5.0], vec![]),
        of("V-103", "valve", [6.0, 0.0, 4.0], vec![]),
        of("K-500", "compressor", [1.0, 0.0, -6.0], vec![]),
        of("L-202", "labeller", [14.0, 0.0, -4.0], vec![]),
        of("AGV-7", "agv", [14.0, 0.0, 6.0], vec![]),
        of("CH-600", "chiller", [7.0, 0.0, -6.0], vec![]),
        of("CAB-1", "cabinet", [-3.0, 0.0, -6.0], vec![]),
        of("RN-203", "rinser", [10.5, 0.0, -4.0], vec![]),
    ]
}

fn scene() -> (Scene, Vec<f64>) {
    let mut scene = Scene { name: "Probe".into(), dir: std::env::current_dir().unwrap_or_default(), ..default() };
    let mut values = Vec::new();
    for sketch in sketches() {
        let twin = TwinIndex(scene.twins.len() as u32);
        let first = scene.signals.len() as u32;
        let mut parts = Vec::new();
        for (node, value, motion) in sketch.parts {
            let index = SignalIndex(scene.signals.len() as u32);
            let limits = Limits { high: sketch.limit.filter(|_| node == "bearing"), ..default() };
            scene.signals.push(SignalData {
                index,
                twin,
                name: node.into(),
                label: String::new(),
                kind: ValueKind::Number,
                unit: Unit::none(),
                origin: Origin::Unbound,
                expires: None,
                range: None,
                limits,
            });
            values.push(value);
            parts.push(Part { node: node.into(), by: index, motion });
        }
        let model = Some(format!("assets/models/{}.glb", sketch.model).into());
        scene.twins.push(TwinData {
            index: twin,
            id: sketch.id.into(),
            name: String::new(),
            type_name: sketch.model.into(),
            area: String::new(),
            at: sketch.at,
            facing_deg: 0.0,
            scale: 1.0,
            signals: first..scene.signals.len() as u32,
            look: Some(Arc::new(Look { model, parts })),
        });
    }
    let port = |twin: u32, name: &str| Port { twin: TwinIndex(twin), name: name.into() };
    let mut link = |from, to, kind| scene.links.push(Link { from, to, kind });
    link(port(0, "outlet"), port(1, "inlet"), LinkKind::Pipe);
    link(port(1, "outlet"), port(2, "inlet"), LinkKind::Pipe);
    link(port(2, "outlet"), port(3, ""), LinkKind::Pipe);
    link(port(3, "outfeed"), port(4, "infeed"), LinkKind::Belt);
    link(port(4, "outfeed"), port(6, ""), LinkKind::Signal);
    (scene, values)
}

fn populate(app: &mut App, scene: Scene, values: Vec<f64>, selected: Option<TwinIndex>) {
    let mut entities = Entities::default();
    for twin in &scene.twins {
        entities.twins.push(app.world_mut().spawn(Twin { index: twin.index }).id());
    }
    for (signal, value) in scene.signals.iter().zip(values) {
        let of = SignalOf(entities.twins[signal.twin.at()]);
        let stale = scene.twins[signal.twin.at()].id == "F-200";
        let quality = if stale { Quality::stale(Reason::Expired) } else { Quality::GOOD };
        let current = Current { value: Some(Value::Number(value)), quality, ..default() };
        entities.signals.push(app.world_mut().spawn((Signal { index: signal.index }, of, current)).id());
    }
    app.insert_resource(entities)
        .insert_resource(LoadedScene { scene: Arc::new(scene), generation: 1, issues: Vec::new() })
        .insert_resource(Attention { selected, ..default() })
        .add_plugins(view::plugin)
        .add_systems(EguiPrimaryContextPass, labels);
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "view.png".into());
    let size = arguments.next().unwrap_or_else(|| "1280x720".into());
    let (mut scene, values) = scene();
    let selected = arguments.next().and_then(|id| scene.twin(&id).map(|twin| twin.index));
    if path.starts_with("--") {
        let mut app = view::window::app("Pollux view probe")?;
        if path == "--quiet-window" {
            // Nothing spins: what is left is what an idle window costs.
            for twin in &mut scene.twins {
                let look = twin.look.take().map(|look| Look { parts: Vec::new(), ..(*look).clone() });
                twin.look = look.map(Arc::new);
            }
        }
        populate(&mut app, scene, values, selected);
        let _waker = view::window::waker(&mut app);
        app.add_systems(Update, (obey, count));
        app.run();
        return Ok(());
    }
    let (width, height) = size.split_once('x').ok_or("the size must be WIDTHxHEIGHT")?;
    let mut app = view::offscreen::app(UVec2::new(width.parse()?, height.parse()?))?;
    populate(&mut app, scene, values, selected);
    view::offscreen::capture(&mut app, Path::new(&path))?;
    if let Some(twin) = selected {
        app.world_mut().write_message(OperatorCommand::Focus(Some(twin)));
        view::offscreen::capture(&mut app, &Path::new(&path).with_extension("near.png"))?;
    }
    for problem in &app.world().resource::<view::LookProblems>().list {
        eprintln!("{}", problem.text);
    }
    Ok(())
}

/// How many frames five seconds had, and why.
fn count(
    time: Res<Time<Real>>,
    activity: Res<view::Activity>,
    mut frames: Local<u32>,
    mut due: Local<f32>,
    mut redraws: MessageReader<bevy::window::RequestRedraw>,
    mut asked: Local<usize>,
) {
    *frames += 1;
    *asked += redraws.read().count();
    if time.elapsed_secs() >= *due {
        eprintln!("{} frames, {} redraws asked for, {:?}", *frames, *asked, *activity);
        (*frames, *asked, *due) = (0, 0, time.elapsed_secs() + 5.0);
    }
}

/// What the program's applier does with selections.
fn obey(mut commands: MessageReader<OperatorCommand>, mut attention: ResMut<Attention>) {
    for command in commands.read() {
        eprintln!("{command:?}");
        if let OperatorCommand::Select(twin) = command {
            attention.selected = *twin;
        }
    }
}

fn labels(mut contexts: EguiContexts, labels: Res<view::ScreenLabels>) -> Result {
    let context = contexts.ctx_mut()?;
    if std::env::var_os("PROBE_REPAINTS").is_some() {
        eprintln!(
            "egui repaints for {:?} after {:?}",
            context.repaint_causes(),
            context.input(|input| input.events.clone())
        );
    }
    view::label::paint(&context.layer_painter(egui::LayerId::background()), &labels);
    Ok(())
}
