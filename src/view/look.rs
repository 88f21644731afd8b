//! Places every twin with its look: a glTF model, or a plain box where there is none.
//!
//! In: twin entities and the loaded scene. Out: a [`LookRoot`] under each twin, its [`LookBounds`] once it is there, and
//! [`LookProblems`] for models that are missing or broken. Never stops at a bad model, never loads one twice.

use std::path::{Path, PathBuf};

use bevy::asset::{AssetPath, LoadState};
use bevy::camera::primitives::Aabb;
use bevy::gltf::{GltfAssetLabel, GltfLoaderSettings};
use bevy::light::NotShadowCaster;
use bevy::math::bounding::{Aabb3d, BoundingVolume};
use bevy::prelude::*;
use bevy::transform::TransformSystems;
use bevy::world_serialization::{WorldAsset, WorldAssetRoot};

use super::ghost::{Appearing, Ghost, Ghostly};
use super::mood::Mood;
use super::motion::Activity;
use super::paint::Paint;
use super::{ViewSet, palette};
use crate::scene::{LoadedScene, Twin as TwinData};
use crate::stage::Twin;
use crate::value::TwinIndex;

/// The root of what a twin looks like: a child of the twin's entity, in the twin's own metres.
#[derive(Component, Clone, Copy, Debug)]
pub struct LookRoot {
    pub twin: TwinIndex,
}

/// The box around a twin's look in the twin's own coordinates, in metres. On the twin's entity, once its look is there.
#[derive(Component, Clone, Copy, PartialEq, Debug)]
pub struct LookBounds(pub Aabb3d);

impl LookBounds {
    /// The middle of the top face.
    pub fn top(&self) -> Vec3 {
        Vec3::from(self.0.center()).with_y(self.0.max.y)
    }

    /// The box around this box after `place`, in world coordinates.
    pub fn in_world(&self, place: &GlobalTransform) -> Aabb3d {
        transformed(&self.0, &place.affine())
    }
}

/// What is wrong with a look: shown in the log panel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LookProblem {
    pub twin: TwinIndex,
    /// Names the twin, the file or node, and the way out.
    pub text: String,
}

/// All problems with the looks of the loaded scene; emptied when another scene is taken over.
#[derive(Resource, Default, Clone, PartialEq, Eq, Debug)]
pub struct LookProblems {
    pub list: Vec<LookProblem>,
}

/// A twin that a box stands in for: its id is written on it.
#[derive(Component)]
pub(super) struct Plain;

/// A twin whose look was made, and for which scene.
#[derive(Component)]
pub(super) struct Placed {
    generation: u32,
}

/// A look whose model is still being read.
#[derive(Component)]
struct Loading {
    model: Handle<WorldAsset>,
    path: PathBuf,
}

/// A look that is there but whose extent is not known yet.
#[derive(Component)]
pub(super) struct Unmeasured;

#[derive(Resource)]
pub(super) struct PlainBox {
    mesh: Handle<Mesh>,
    material: Handle<StandardMaterial>,
}

impl PlainBox {
    /// The box as the ghost of a twin without a model.
    pub fn bundle_of_ghost(&self, ghost: &Ghost) -> impl Bundle + use<> {
        let place = Transform::from_xyz(0.0, PLAIN_HALF, 0.0);
        let paint = ghost.paint(self.material.clone());
        (Mesh3d(self.mesh.clone()), MeshMaterial3d(self.material.clone()), paint, place, Ghostly, NotShadowCaster)
    }
}

/// Half the height of the box that stands in, in metres.
const PLAIN_HALF: f32 = 0.5;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<LookProblems>()
        .init_resource::<Activity>()
        .add_systems(Startup, make_plain_box)
        .add_systems(
            Update,
            (place.run_if(scene_or_twins_changed), replace_failed, note_loading).chain().in_set(ViewSet::Place),
        )
        .add_systems(PostUpdate, measure.after(TransformSystems::Propagate));
}

fn make_plain_box(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    commands.insert_resource(PlainBox {
        mesh: meshes.add(Cuboid::from_length(2.0 * PLAIN_HALF)),
        material: materials.add(StandardMaterial {
            base_color: palette::PLAIN,
            perceptual_roughness: 0.85,
            reflectance: 0.2,
            ..default()
        }),
    });
}

fn scene_or_twins_changed(
    loaded: Res<LoadedScene>,
    new: Query<(), Added<Twin>>,
    mut generation: Local<Option<u32>>,
) -> bool {
    let another = *generation != Some(loaded.generation);
    *generation = Some(loaded.generation);
    another || !new.is_empty()
}

pub(super) fn transform_of(twin: &TwinData) -> Transform {
    Transform {
        translation: Vec3::from_array(twin.at),
        rotation: Quat::from_rotation_y(twin.facing_deg.to_radians()),
        scale: Vec3::splat(if twin.scale.is_finite() && twin.scale > 0.0 { twin.scale } else { 1.0 }),
    }
}

/// The asset system takes relative paths from its own folder, not from the working directory.
pub(super) fn model_path(model: &Path) -> PathBuf {
    std::path::absolute(model).unwrap_or_else(|_| model.to_owned())
}

/// The one scene of a model, read once however often it is asked for.
pub(super) fn load_model(assets: &AssetServer, path: &Path) -> Handle<WorldAsset> {
    let scene = AssetPath::from(path.to_owned()).with_label(GltfAssetLabel::Scene(0).to_string());
    let builder = assets.load_builder().with_settings(|settings: &mut GltfLoaderSettings| {
        // The view has its own camera and light.
        settings.load_cameras = false;
        settings.load_lights = false;
    });
    builder.load(scene)
}

fn place(
    mut commands: Commands,
    loaded: Res<LoadedScene>,
    plain: Res<PlainBox>,
    assets: Res<AssetServer>,
    twins: Query<(Entity, &Twin, Option<&Placed>, Option<&Children>)>,
    roots: Query<(), With<LookRoot>>,
    mut problems: ResMut<LookProblems>,
    mut generation: Local<Option<u32>>,
) {
    if *generation != Some(loaded.generation) {
        *generation = Some(loaded.generation);
        problems.set_if_neq(LookProblems::default());
    }
    for (entity, twin, placed, children) in &twins {
        let Some(data) = loaded.scene.twins.get(twin.index.at()) else { continue };
        if placed.is_some_and(|placed| placed.generation == loaded.generation) {
            continue;
        }
        for child in children.into_iter().flatten().filter(|child| roots.contains(**child)) {
            commands.entity(*child).despawn();
        }
        commands.entity(entity).remove::<(LookBounds, Plain)>().insert((
            transform_of(data),
            Visibility::default(),
            Placed { generation: loaded.generation },
        ));
        commands.entity(entity).insert_if_new(Mood::default());
        let root = commands
            .spawn((LookRoot { twin: twin.index }, Transform::default(), Visibility::default(), ChildOf(entity)))
            .id();
        let Some(model) = data.look.as_ref().and_then(|look| look.model.as_ref()) else {
            stand_in(&mut commands, entity, root, &plain);
            continue;
        };
        let path = model_path(model);
        let model = load_model(&assets, &path);
        commands.entity(root).insert((WorldAssetRoot(model.clone()), Loading { model, path }));
    }
}

fn stand_in(commands: &mut Commands, twin: Entity, root: Entity, plain: &PlainBox) {
    commands.entity(twin).insert(Plain);
    commands.entity(root).insert(Unmeasured);
    commands.spawn((
        Mesh3d(plain.mesh.clone()),
        MeshMaterial3d(plain.material.clone()),
        Paint::of(plain.material.clone()),
        Transform::from_xyz(0.0, PLAIN_HALF, 0.0),
        ChildOf(root),
    ));
}

/// Called when a model's nodes are there: from here on it is only unmeasured.
pub(super) fn finish_loading(commands: &mut Commands, root: Entity) {
    commands.entity(root).remove::<Loading>().insert(Unmeasured);
}

fn replace_failed(
    mut commands: Commands,
    assets: Res<AssetServer>,
    plain: Res<PlainBox>,
    loaded: Res<LoadedScene>,
    loading: Query<(Entity, &Loading, &LookRoot, &ChildOf)>,
    mut problems: ResMut<LookProblems>,
) {
    for (root, look, LookRoot { twin }, parent) in &loading {
        let LoadState::Failed(error) = assets.load_state(&look.model) else { continue };
        let id = loaded.scene.twins.get(twin.at()).map_or("?", |data| data.id.as_str());
        let text = format!(
            "{id}: look.model {} cannot be shown: {error}; a plain box stands in, mend the file and reload the scene",
            look.path.display()
        );
        tracing::warn!("{text}");
        problems.list.push(LookProblem { twin: *twin, text });
        commands.entity(root).remove::<(Loading, WorldAssetRoot)>();
        stand_in(&mut commands, parent.parent(), root, &plain);
    }
}

fn note_loading(
    loading: Query<(), Or<(With<Loading>, With<Unmeasured>, With<Appearing>)>>,
    twins: Query<(), (With<Twin>, Without<Placed>)>,
    mut activity: ResMut<Activity>,
) {
    let now = !loading.is_empty() || !twins.is_empty();
    if activity.loading != now {
        activity.loading = now;
    }
}

/// The box around `aabb` after `affine`.
fn transformed(aabb: &Aabb3d, affine: &bevy::math::Affine3A) -> Aabb3d {
    let centre = affine.transform_point3a(aabb.center());
    let half = aabb.half_size();
    let reach = affine.matrix3.x_axis.abs() * half.x
        + affine.matrix3.y_axis.abs() * half.y
        + affine.matrix3.z_axis.abs() * half.z;
    Aabb3d { min: centre - reach, max: centre + reach }
}

/// Waits until every mesh of a look knows its box, then joins them.
fn measure(
    mut commands: Commands,
    roots: Query<(Entity, &ChildOf), (With<LookRoot>, With<Unmeasured>)>,
    twins: Query<&GlobalTransform>,
    children: Query<&Children>,
    meshes: Query<(&GlobalTransform, Option<&Aabb>), With<Mesh3d>>,
) {
    for (root, parent) in &roots {
        let Ok(twin) = twins.get(parent.parent()) else { continue };
        let to_twin = twin.affine().inverse();
        let mut boxes = children.iter_descendants(root).filter_map(|entity| meshes.get(entity).ok());
        let joined = boxes.try_fold(None::<Aabb3d>, |joined, (place, aabb)| {
            let aabb = aabb?;
            let own = Aabb3d { min: aabb.center - aabb.half_extents, max: aabb.center + aabb.half_extents };
            let local = transformed(&own, &(to_twin * place.affine()));
            Some(Some(joined.map_or(local, |joined| joined.merge(&local))))
        });
        let Some(joined) = joined else { continue };
        // A model without meshes still has a place to click and to frame.
        let extent = joined.unwrap_or(Aabb3d::new(Vec3::Y * PLAIN_HALF, Vec3::splat(PLAIN_HALF)));
        commands.entity(parent.parent()).insert(LookBounds(extent));
        commands.entity(root).remove::<Unmeasured>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_asked_for_by_absolute_paths() {
        assert_eq!(model_path(Path::new("/other/pump.glb")), Path::new("/other/pump.glb"));
        assert!(model_path(Path::new("scenes/pump.glb")).is_absolute());
    }

    #[test]
    fn a_turned_box_still_fits_into_its_extent() {
        let extent = LookBounds(Aabb3d::from_min_max(Vec3::ZERO, Vec3::new(2.0, 1.0, 1.0)));
        let turned = extent
            .in_world(&GlobalTransform::from(Transform::from_rotation(Quat::from_rotation_y(90_f32.to_radians()))));
        assert!(Vec3::from(turned.min).distance(Vec3::new(0.0, 0.0, -2.0)) < 1e-5, "{turned:?}");
        assert!(Vec3::from(turned.max).distance(Vec3::new(1.0, 1.0, 0.0)) < 1e-5, "{turned:?}");
        assert_eq!(extent.top(), Vec3::new(1.0, 1.0, 0.5));
    }
}
