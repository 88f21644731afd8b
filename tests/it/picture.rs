//! What people see: a few small pictures drawn without a display. Skipped, and said so, where no graphics adapter is.

use std::sync::Arc;

use bevy::image::Image;
use bevy::prelude::*;
use bevy_egui::{EguiContexts, EguiManagedTextures, EguiPostUpdateSet, EguiPrimaryContextPass, EguiRenderOutput, egui};
use pollux::alarm::{Alarm, AlarmBoard, State};
use pollux::command::{Attention, CameraCommand, OperatorCommand};
use pollux::scene::rule::{Condition, Priority, Rule, Subject};
use pollux::scene::{
    ColourScale, Limits, LoadedScene, Look, Motion, Part, Scene, Signal as SignalData, SignalSource, Twin as TwinData,
    ValueKind,
};
use pollux::stage::{Current, Entities, Signal, SignalOf, Twin};
use pollux::value::{Quality, Reason, SignalIndex, Timestamp, TwinIndex, Unit, Value};
use pollux::view::{self, Mood, ScreenLabels, Trust};

const SIZE: UVec2 = UVec2::new(320, 180);

/// Two boxes, the first tinted by its only signal.
fn scene() -> Scene {
    let twin = |index: u32, id: &str, x: f32, parts| TwinData {
        index: TwinIndex(index),
        id: id.into(),
        name: String::new(),
        type_name: "Box".into(),
        area: String::new(),
        at: [x, 0.0, 0.0],
        facing_deg: 0.0,
        scale: 1.0,
        signals: index..1,
        look: Some(Arc::new(Look { parts, ..default() })),
    };
    let tint = Motion::Tint { from: (0.0, 100.0), scale: ColourScale::Thermal };
    Scene {
        twins: vec![
            twin(0, "A-1", -1.0, vec![Part { node: String::new(), by: SignalIndex(0), motion: tint }]),
            twin(1, "B-2", 1.0, vec![]),
        ],
        signals: vec![SignalData {
            index: SignalIndex(0),
            twin: TwinIndex(0),
            name: "temperature".into(),
            label: String::new(),
            kind: ValueKind::Number,
            unit: Unit::none(),
            source: SignalSource::Unbound,
            expires: None,
            range: None,
            limits: Limits { high: Some(80.0), ..default() },
        }],
        ..default()
    }
}

/// The scene in an app that draws into an image, and its signal; none (with a word why) without a graphics adapter.
fn hall() -> Option<(App, Entity)> {
    let mut app = match view::offscreen::app(SIZE) {
        Ok(app) => app,
        Err(error) => {
            eprintln!("skipped: {error}");
            return None;
        }
    };
    let world = app.world_mut();
    let twins: Vec<Entity> = (0..2).map(|index| world.spawn(Twin { index: TwinIndex(index) }).id()).collect();
    let signal = world.spawn((Signal { index: SignalIndex(0) }, SignalOf(twins[0]), good(0.0))).id();
    app.insert_resource(Entities { twins, signals: vec![signal], generation: Some(1) })
        .insert_resource(LoadedScene { scene: Arc::new(scene()), generation: 1, issues: Vec::new() })
        .add_plugins(view::plugin);
    Some((app, signal))
}

fn good(value: f64) -> Current {
    Current { value: Some(Value::Number(value)), quality: Quality::GOOD, ..default() }
}

/// Mean red, green and blue (0 to 255) of the left and the right half of the middle of the picture.
fn halves(image: &Image) -> [Vec3; 2] {
    [(70..140), (180..250)].map(|columns| {
        let pixels = columns.flat_map(|x| (60..130).map(move |y| (x, y)));
        let colours: Vec<Vec3> = pixels
            .filter_map(|(x, y)| image.get_color_at(x, y).ok())
            .map(|colour| colour.to_srgba().to_vec3() * 255.0)
            .collect();
        assert!(!colours.is_empty(), "the picture has pixels in both halves");
        colours.iter().sum::<Vec3>() / colours.len() as f32
    })
}

#[test]
fn a_twin_is_drawn_takes_the_colour_of_its_signal_and_fades_when_it_goes_stale() {
    let Some((mut app, signal)) = hall() else { return };
    let [cold, untinted] = halves(&view::offscreen::picture(&mut app).expect("a picture"));

    *app.world_mut().get_mut::<Current>(signal).expect("spawned above") = good(100.0);
    let [hot, same] = halves(&view::offscreen::picture(&mut app).expect("a picture"));
    assert!((hot.x - hot.z) - (cold.x - cold.z) > 30.0, "from cold {cold} to hot {hot} is not redder");
    assert!(same.distance(untinted) < 2.0, "the other twin changed too: {untinted} to {same}");
    assert!(app.world_mut().query::<&Mood>().iter(app.world()).all(|mood| mood.trust == Trust::All));

    let stale = Current { quality: Quality::stale(Reason::Expired), ..good(100.0) };
    *app.world_mut().get_mut::<Current>(signal).expect("spawned above") = stale;
    let [faded, _] = halves(&view::offscreen::picture(&mut app).expect("a picture"));
    assert!(faded.x - faded.z < (hot.x - hot.z) / 2.0, "from {hot} to {faded} is not greyer");
}

#[test]
fn an_alarm_lights_a_beacon_above_its_twin_and_only_there() {
    let Some((mut app, _)) = hall() else { return };
    // Quiet pixels are grey, and red ones belong to the beacon or to the label's badge and edge.
    let red = |image: &Image| {
        let at = |x, y| image.get_color_at(x, y).map(|colour| colour.to_srgba()).unwrap_or(Srgba::BLACK);
        let is_red = |colour: Srgba| colour.red > 0.5 && colour.green < 0.3 && colour.blue < 0.3;
        let pixels = (0..SIZE.x).flat_map(|x| (0..SIZE.y).map(move |y| (x, y)));
        pixels.filter(|(x, y)| is_red(at(*x, *y))).count()
    };
    assert_eq!(red(&view::offscreen::picture(&mut app).expect("a picture")), 0);
    let loaded = app.world().resource::<LoadedScene>().clone();
    let scene = Arc::new(Scene { alarms: vec![rule()], ..Scene::clone(&loaded.scene) });
    let loaded = LoadedScene { scene, ..loaded };
    let show = |app: &mut App, state| {
        let alarms = Arc::from([Alarm { state, ..default() }]);
        app.world_mut().resource_mut::<AlarmBoard>().show(&loaded, alarms, Timestamp(0));
    };
    show(&mut app, State::Unacknowledged);
    let lit = red(&view::offscreen::picture(&mut app).expect("a picture"));
    assert!(lit > 20, "{lit} red pixels");
    let moods: Vec<bool> =
        app.world_mut().query::<&Mood>().iter(app.world()).map(|mood| mood.lamp.alarm.is_some()).collect();
    assert_eq!(moods.iter().filter(|lit| **lit).count(), 1);
    show(&mut app, State::Acknowledged);
    let hollow = red(&view::offscreen::picture(&mut app).expect("a picture"));
    assert!(hollow > 0 && hollow < lit, "acknowledged {hollow}, before {lit}");
    show(&mut app, State::Normal);
    assert_eq!(red(&view::offscreen::picture(&mut app).expect("a picture")), 0);
}

fn rule() -> Rule {
    Rule { priority: Priority::Critical, ..Rule::new(Subject::Twin(TwinIndex(1)), "stuck", Condition::Stale) }
}

#[test]
fn a_selected_twin_is_framed_and_focus_brings_it_to_the_middle() {
    let Some((mut app, _)) = hall() else { return };
    let before = view::offscreen::picture(&mut app).expect("a picture");
    let aside = |app: &App| {
        let labels = &app.world().resource::<ScreenLabels>().labels;
        let label = labels.iter().find(|label| label.id == "B-2").expect("B-2 is written on its box");
        (label.at.x - SIZE.x as f32 / 2.0).abs()
    };
    assert!(aside(&app) > 30.0, "B-2 stands {} pixels beside the middle", aside(&app));
    app.insert_resource(Attention { selected: Some(TwinIndex(1)), ..default() });
    let selected = view::offscreen::picture(&mut app).expect("a picture");
    let blue = |image: &Image| {
        let pixels = (0..SIZE.x).flat_map(|x| (0..SIZE.y).map(move |y| (x, y)));
        let colours = pixels.filter_map(|(x, y)| image.get_color_at(x, y).ok()).map(|colour| colour.to_srgba());
        colours.filter(|colour| colour.blue > colour.red + 0.4).count()
    };
    assert_eq!(blue(&before), 0, "nothing in a quiet hall is blue");
    assert!(blue(&selected) > 20, "the frame around B-2 has {} blue pixels", blue(&selected));

    app.world_mut().write_message(OperatorCommand::Camera(CameraCommand::Focus(Some(TwinIndex(1)))));
    view::offscreen::picture(&mut app).expect("a picture");
    assert!(aside(&app) < 18.0, "B-2 is {} pixels beside the middle of the picture", aside(&app));
}

#[test]
fn a_world_at_rest_is_not_drawn_and_what_changes_after_a_rest_is_seen_at_once() {
    let Some((mut app, signal)) = hall() else { return };
    let draws = |app: &mut App| {
        app.update();
        let mut cameras = app.world_mut().query_filtered::<&Camera, With<view::WorldCamera>>();
        cameras.iter(app.world()).filter(|camera| camera.is_active).count()
    };
    let [cold, _] = halves(&view::offscreen::picture(&mut app).expect("a picture"));
    // Taking a picture compiles shaders of its own, which the world waits for.
    let settling = (0..20).take_while(|_| draws(&mut app) > 0).count();
    assert!(settling < 20, "the world never comes to rest");
    for frame in 0..5 {
        assert_eq!(draws(&mut app), 0, "frame {frame} of a world without news was drawn");
    }
    let [rested, _] = halves(&view::offscreen::picture(&mut app).expect("a picture"));
    assert!(rested.distance(cold) < 1.0, "the picture stays while nothing is drawn: {cold} to {rested}");
    assert_eq!(draws(&mut app), 0, "taking a second picture draws nothing");

    *app.world_mut().get_mut::<Current>(signal).expect("spawned above") = good(100.0);
    assert_eq!(draws(&mut app), 1, "a new colour is drawn in the very next frame");
    let drawn = (0..5).map(|_| draws(&mut app)).sum::<usize>();
    assert!(drawn <= 1, "a single change was drawn {} times", drawn + 1);
    let [hot, _] = halves(&view::offscreen::picture(&mut app).expect("a picture"));
    assert!((hot.x - hot.z) - (cold.x - cold.z) > 30.0, "from cold {cold} to hot {hot} is not redder");

    app.world_mut().resource_mut::<view::ViewRect>().physical = Some(URect::new(0, 0, SIZE.x / 2, SIZE.y));
    assert_eq!(draws(&mut app), 1, "another size is another picture");
    let settling = (0..20).take_while(|_| draws(&mut app) > 0).count();
    assert!(settling < 5, "another size was drawn {settling} times more");
}

#[test]
fn a_model_that_is_missing_is_reported_with_its_twin_and_file_and_replaced_by_a_box() {
    let Some((mut app, _)) = hall() else { return };
    let mut broken = scene();
    broken.twins[1].look = Some(Arc::new(Look { model: Some("/nowhere/models/none.glb".into()), ..default() }));
    app.insert_resource(LoadedScene { scene: Arc::new(broken), generation: 2, issues: Vec::new() });
    view::offscreen::picture(&mut app).expect("a picture");
    let problems = &app.world().resource::<view::LookProblems>().list;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].text.starts_with("B-2: look.model /nowhere/models/none.glb cannot be shown"), "{problems:?}");
    assert_eq!(app.world_mut().query::<&view::LookBounds>().iter(app.world()).count(), 2);
}

/// Frames so far whose texts had glyphs that no text had before, and those of them that handed the glyphs on at once.
#[derive(Resource, Default, Debug, PartialEq, Eq)]
struct NewGlyphs {
    frames: u32,
    handed_on: u32,
    in_this_frame: bool,
}

#[test]
fn glyphs_that_a_text_is_the_first_to_need_reach_the_renderer_in_the_same_frame() {
    let Some((mut app, _)) = hall() else { return };
    let note_new = |outputs: Query<&EguiRenderOutput>, mut new: ResMut<NewGlyphs>| {
        new.in_this_frame = outputs.iter().any(|output| !output.textures_delta.set.is_empty());
    };
    let count =
        |mut events: MessageReader<AssetEvent<Image>>, fonts: Res<EguiManagedTextures>, mut new: ResMut<NewGlyphs>| {
            let is_font = |event: &AssetEvent<Image>| match event {
                AssetEvent::Added { id } | AssetEvent::Modified { id } => {
                    fonts.0.values().any(|font| font.handle.id() == *id)
                }
                _ => false,
            };
            let told = events.read().filter(|event| is_font(event)).count() > 0;
            new.frames += u32::from(new.in_this_frame);
            new.handed_on += u32::from(new.in_this_frame && told);
        };
    let write = |mut contexts: EguiContexts, mut text: Local<String>| -> Result {
        // One more letter in every frame.
        let letter = char::from_u32('a' as u32 + text.len() as u32 % 26).unwrap_or('a');
        text.push(letter);
        let painter = contexts.ctx_mut()?.layer_painter(egui::LayerId::background());
        painter.text(
            egui::Pos2::ZERO,
            egui::Align2::LEFT_TOP,
            &*text,
            egui::FontId::monospace(31.0),
            egui::Color32::RED,
        );
        Ok(())
    };
    app.init_resource::<NewGlyphs>()
        .add_systems(EguiPrimaryContextPass, write.after(view::world_image::PaintsWorld))
        .add_systems(
            PostUpdate,
            note_new.after(EguiPostUpdateSet::ProcessOutput).before(EguiPostUpdateSet::PostProcessOutput),
        )
        .add_systems(Last, count);
    view::offscreen::prepare(&mut app);
    for _ in 0..20 {
        app.update();
    }
    let new = app.world().resource::<NewGlyphs>();
    assert!(new.frames >= 15, "{new:?}");
    assert_eq!(new.handed_on, new.frames, "{new:?}");
}
