//! When the world is drawn: in frames in which its picture would differ from the last one, and in no others.
//!
//! In: everything that the picture is made of, by way of Bevy's change detection, and whether shaders still compile. Out:
//! whether the world camera runs in this frame ([`decide`]). Errs towards drawing: what is not known to leave the picture
//! as it is counts as a change. Never looks at what a change means.
//!
//! A camera that rests loses what the renderer keeps for it, and so begins anew when it runs again: changes in frames
//! between are not missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy::asset::AssetEventSystems;
use bevy::camera::primitives::Aabb;
use bevy::camera::visibility::{RenderLayers, VisibilitySystems};
use bevy::camera::{CameraUpdateSystems, Exposure, RenderTarget};
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::ecs::entity::EntityHashMap;
use bevy::ecs::system::SystemParam;
use bevy::light::{
    CascadeShadowConfig, DirectionalLightShadowMap, GlobalAmbientLight, NotShadowCaster, NotShadowReceiver,
    SimulationLightSystems,
};
use bevy::mesh::MeshTag;
use bevy::mesh::morph::MeshMorphWeights;
use bevy::prelude::*;
use bevy::render::render_resource::PipelineCache;
use bevy::render::{Render, RenderApp, RenderSystems};
use bevy::transform::TransformSystems;
use bevy::window::RequestRedraw;
use bevy_egui::EguiManagedTextures;

use super::camera::WorldCamera;
use super::motion::Activity;
use super::stage::GroundMaterial;
use super::window;
use super::world_image::WorldImage;
use crate::source::Waker;

/// Frames drawn after loading and compiling have ended.
const SETTLE: u8 = 3;

/// What happened since the last frame to what the picture is made of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
enum News {
    #[default]
    None,
    /// Things moved, came into sight or took another known colour: one picture shows it.
    Moved,
    /// Something was made or made anew. What Bevy derives from it (as the box that it is culled by) is there a frame
    /// later.
    Made,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Situation {
    news: News,
    /// Models are being read or shaders compiled: the picture has gaps.
    unfinished: bool,
    /// Panels leave room for the picture.
    shown: bool,
}

/// Whether to draw in this frame, and in how many of the next frames to draw in any case.
fn decide(owed: u8, now: Situation) -> (bool, u8) {
    let owed_after = owed.saturating_sub(1);
    match now {
        // Whatever happens behind a hidden picture is shown when it comes back.
        Situation { shown: false, .. } => (false, owed.max(1)),
        Situation { unfinished: true, .. } => (true, SETTLE),
        Situation { news: News::Made, .. } => (true, owed_after.max(1)),
        Situation { news: News::Moved, .. } => (true, owed_after),
        Situation { news: News::None, .. } => (owed > 0, owed_after),
    }
}

/// Set by the renderer after each frame: shaders that the picture needs are still being compiled.
#[derive(Resource, Clone, Default)]
struct Compiling(Arc<AtomicBool>);

/// The renderer ends a frame when the main world may sleep already: this wakes it.
#[derive(Resource, Clone)]
struct Wake(Waker);

pub(super) fn plugin(app: &mut App) {
    let compiling = Compiling::default();
    let wake = Wake(window::ring(app));
    if let Some(renderer) = app.get_sub_app_mut(RenderApp) {
        renderer
            .insert_resource(compiling.clone())
            .insert_resource(wake)
            .add_systems(Render, note_compiling.in_set(RenderSystems::Cleanup));
    }
    app.insert_resource(compiling).init_resource::<EguiManagedTextures>().add_systems(
        PostUpdate,
        run_or_rest
            .after(TransformSystems::Propagate)
            .after(CameraUpdateSystems)
            .after(AssetEventSystems)
            .after(VisibilitySystems::CalculateBounds)
            .after(VisibilitySystems::VisibilityPropagate)
            .after(VisibilitySystems::UpdateFrusta)
            .before(VisibilitySystems::CheckVisibility)
            .before(SimulationLightSystems::UpdateDirectionalLightCascades),
    );
}

fn note_compiling(pipelines: Res<PipelineCache>, compiling: Res<Compiling>, wake: Res<Wake>) {
    let now = pipelines.waiting_pipelines().next().is_some();
    if compiling.0.swap(now, Ordering::AcqRel) != now || now {
        (wake.0)();
    }
}

/// What a thing is drawn as, and the box that it is culled by.
type Shape = (&'static Mesh3d, Option<&'static Aabb>);

/// Everything that a picture of the world is made of.
#[derive(SystemParam)]
struct Ingredients<'w, 's> {
    meshes: Query<'w, 's, (Entity, Shape), Or<(Changed<Mesh3d>, Changed<Aabb>)>>,
    /// Mesh and box of each thing as they were last. Bevy marks both as changed when a material has changed, in the same
    /// frame and in the next: that is the news of a material, told once more.
    known: Local<'s, EntityHashMap<(AssetId<Mesh>, Option<Aabb>)>>,
    moved: Query<
        'w,
        's,
        (),
        Or<(
            Changed<GlobalTransform>,
            Changed<InheritedVisibility>,
            Changed<MeshMaterial3d<StandardMaterial>>,
            Changed<MeshTag>,
            Changed<MeshMorphWeights>,
        )>,
    >,
    made: Query<
        'w,
        's,
        (),
        Or<(
            Changed<MeshMaterial3d<GroundMaterial>>,
            Changed<DirectionalLight>,
            Changed<PointLight>,
            Changed<SpotLight>,
            Changed<CascadeShadowConfig>,
            Changed<EnvironmentMapLight>,
            Changed<NotShadowCaster>,
            Changed<NotShadowReceiver>,
            Changed<RenderLayers>,
        )>,
    >,
    camera: Query<
        'w,
        's,
        (),
        (
            With<WorldCamera>,
            Or<(Changed<Projection>, Changed<RenderTarget>, Changed<Msaa>, Changed<Tonemapping>, Changed<Exposure>)>,
        ),
    >,
    gone: (
        RemovedComponents<'w, 's, Mesh3d>,
        RemovedComponents<'w, 's, DirectionalLight>,
        RemovedComponents<'w, 's, PointLight>,
        RemovedComponents<'w, 's, SpotLight>,
        RemovedComponents<'w, 's, NotShadowCaster>,
        RemovedComponents<'w, 's, RenderLayers>,
    ),
    assets: (
        MessageReader<'w, 's, AssetEvent<Mesh>>,
        MessageReader<'w, 's, AssetEvent<StandardMaterial>>,
        MessageReader<'w, 's, AssetEvent<GroundMaterial>>,
        MessageReader<'w, 's, AssetEvent<Image>>,
        MessageReader<'w, 's, AssetEvent<Shader>>,
    ),
    backdrop: Res<'w, ClearColor>,
    ambient: Res<'w, GlobalAmbientLight>,
    shadows: Res<'w, DirectionalLightShadowMap>,
    glyphs: Res<'w, EguiManagedTextures>,
}

impl Ingredients<'_, '_> {
    /// Reads all news; what is read counts once.
    fn news(&mut self, world: &WorldImage) -> News {
        let Self { meshes, known, moved, made, camera, gone, assets, backdrop, ambient, shadows, glyphs } = self;
        let (shapes, materials, grounds, images, shaders) = assets;
        // Glyphs of panels are images too, and the picture is no part of itself.
        let foreign =
            |id: &AssetId<Image>| *id == world.id() || glyphs.0.values().any(|managed| managed.handle.id() == *id);
        // All are read, so that none is news again in the next frame.
        let of_assets = [
            shapes.read().filter(|event| is_news(event)).count(),
            materials.read().filter(|event| is_news(event)).count(),
            grounds.read().filter(|event| is_news(event)).count(),
            images.read().filter(|event| is_news(event) && !asset_of(event).is_some_and(|id| foreign(&id))).count(),
            shaders.read().filter(|event| is_news(event)).count(),
        ];
        let removed = [
            gone.0.read().map(|thing| known.remove(&thing)).count(),
            gone.1.read().count(),
            gone.2.read().count(),
            gone.3.read().count(),
            gone.4.read().count(),
            gone.5.read().count(),
        ];
        // All are noted down, so no `any`.
        let is_other = |(thing, (mesh, bounds)): &(Entity, (&Mesh3d, Option<&Aabb>))| {
            let shape = (mesh.id(), bounds.copied());
            known.insert(*thing, shape) != Some(shape)
        };
        let other_shapes = meshes.iter().filter(is_other).count() > 0;
        let resources = backdrop.is_changed() || ambient.is_changed() || shadows.is_changed();
        if of_assets.iter().chain(&removed).any(|count| *count > 0)
            || resources
            || other_shapes
            || !made.is_empty()
            || !camera.is_empty()
        {
            News::Made
        } else if !moved.is_empty() {
            News::Moved
        } else {
            News::None
        }
    }
}

fn asset_of<A: Asset>(event: &AssetEvent<A>) -> Option<AssetId<A>> {
    match event {
        AssetEvent::Added { id } | AssetEvent::Modified { id } | AssetEvent::Removed { id } => Some(*id),
        _ => None,
    }
}

fn is_news<A: Asset>(event: &AssetEvent<A>) -> bool {
    asset_of(event).is_some()
}

fn run_or_rest(
    mut ingredients: Ingredients,
    world: Res<WorldImage>,
    compiling: Res<Compiling>,
    mut activity: ResMut<Activity>,
    mut cameras: Query<&mut Camera, With<WorldCamera>>,
    mut redraw: MessageWriter<RequestRedraw>,
    mut owed: Local<u8>,
) {
    let compiles = compiling.0.load(Ordering::Acquire);
    if activity.compiling != compiles {
        activity.compiling = compiles;
    }
    let now =
        Situation { news: ingredients.news(&world), unfinished: activity.loading || compiles, shown: world.is_shown() };
    let (draw, owed_after) = decide(*owed, now);
    *owed = owed_after;
    for mut camera in &mut cameras {
        if camera.is_active != draw {
            camera.is_active = draw;
        }
    }
    // While something is unfinished, frames come by themselves.
    if owed_after > 0 && now.shown && !now.unfinished {
        redraw.write(RequestRedraw);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(news: News) -> Situation {
        Situation { news, unfinished: false, shown: true }
    }

    /// Frames drawn, one letter each: `D` or `-`.
    fn frames(situations: &[Situation]) -> String {
        let mut owed = 0;
        let mut frame = |now: &Situation| {
            let (draw, after) = decide(owed, *now);
            owed = after;
            if draw { 'D' } else { '-' }
        };
        situations.iter().map(&mut frame).collect()
    }

    #[test]
    fn a_world_without_news_is_not_drawn() {
        assert_eq!(frames(&[with(News::None); 4]), "----");
    }

    #[test]
    fn what_moved_is_drawn_once_and_what_was_made_once_more() {
        let none = with(News::None);
        assert_eq!(frames(&[with(News::Moved), none, none]), "D--");
        assert_eq!(frames(&[with(News::Made), none, none]), "DD-");
        assert_eq!(frames(&[with(News::Made), with(News::Moved), none, none]), "DD--");
        assert_eq!(frames(&[with(News::Moved), with(News::Made), none, none]), "DDD-");
    }

    #[test]
    fn an_unfinished_world_is_drawn_until_it_is_there_and_has_settled() {
        let unfinished = Situation { unfinished: true, ..with(News::None) };
        let none = with(News::None);
        assert_eq!(frames(&[unfinished, unfinished, none, none, none, none, none]), "DDDDD--");
    }

    #[test]
    fn a_hidden_world_rests_and_is_drawn_when_it_comes_back() {
        let hidden = Situation { shown: false, ..with(News::Made) };
        let none = with(News::None);
        assert_eq!(frames(&[hidden, hidden, none, none]), "--D-");
        assert_eq!(frames(&[Situation { news: News::None, ..hidden }, none, none]), "-D-");
    }

    #[test]
    fn only_what_happens_to_an_asset_itself_is_news() {
        let id = AssetId::<Mesh>::invalid();
        assert!(is_news(&AssetEvent::Added { id }) && is_news(&AssetEvent::Modified { id }));
        assert!(is_news(&AssetEvent::Removed { id }));
        assert!(!is_news(&AssetEvent::LoadedWithDependencies { id }) && !is_news(&AssetEvent::Unused { id }));
    }
}
